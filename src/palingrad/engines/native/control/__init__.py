"""Loops and branches within machine code: plans of their regions, and the code that runs them."""
