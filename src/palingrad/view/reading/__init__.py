"""Readable computations: as mathematics (LaTeX, worked derivations) and as NumPy source code."""
