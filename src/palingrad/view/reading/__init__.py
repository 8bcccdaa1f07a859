"""Derivatives to read: as mathematics (LaTeX, worked derivations) and as NumPy source code."""
