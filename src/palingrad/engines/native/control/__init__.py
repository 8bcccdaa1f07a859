"""Loops and branches within machine code: the plans of their regions, and the code that runs them."""
