"""What an operation says of itself: its formula as mathematics, and why a result is not finite."""
