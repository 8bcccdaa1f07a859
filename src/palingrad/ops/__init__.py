"""The operations, one family per file: formula, shape rule, derivative and samples of each."""
