"""Expressions and derivatives as mathematics: LaTeX, plain text and MathML."""
