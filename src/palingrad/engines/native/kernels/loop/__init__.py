"""Loops whose steps are straight-line code on values in vector registers."""
