"""Nodes, operations and graphs: what every style builds and every engine runs."""
