"""What operations declare for engines: bounds of integers, strided views, how totals combine."""
