"""Sparse Jacobians: patterns found in the graph, colourings, and evaluation by few passes."""
