"""Linear algebra: factorisations of matrices, and what is computed by them."""
