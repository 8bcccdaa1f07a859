"""Descriptions of operations: LaTeX formulas, and explanations of results that aren't finite."""
