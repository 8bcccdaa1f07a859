"""Matrix products: the microkernel, packing and the loops around it, by the problem's shape."""
