"""The operations, one family a file: formula, shape rule, derivative and samples of each."""
