"""Layers over windows of images and other grids: convolution, pooling, local connections."""
