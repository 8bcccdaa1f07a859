"""Nodes, operations and graphs: the representation that every API builds and every engine runs."""
