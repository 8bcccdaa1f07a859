"""Walks over graphs: orders, replaying a graph on other nodes, and the verifier."""
