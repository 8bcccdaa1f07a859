"""Beside the graph: source lines, equations, the banner of a fault, a notebook's still picture."""
