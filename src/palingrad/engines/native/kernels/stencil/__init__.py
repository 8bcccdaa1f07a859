"""Stencils: one loop whose nodes read one another's elements at shifted positions."""
