"""Formulas of special functions on arrays of doubles. They need SciPy; `library/special.py` imports
this folder when a special function is first computed."""
