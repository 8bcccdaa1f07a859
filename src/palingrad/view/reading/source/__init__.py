"""Programs written out as Python that needs nothing but NumPy."""
