"""Elementwise loops: the kernel, its loops over axes, short rows, and gathered operands."""
