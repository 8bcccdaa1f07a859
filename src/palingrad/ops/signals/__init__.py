"""Signals: convolution of sequences, interpolation, finite differences, polynomials."""
