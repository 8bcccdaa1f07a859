"""Non-finite values: the operation and element where a NaN or infinity originates, and why."""
