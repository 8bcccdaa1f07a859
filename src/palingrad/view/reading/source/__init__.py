"""Source code: writes Programs as Python modules that import NumPy only."""
