"""Regions: graphs that are attributes of control-flow operations, as in MLIR."""
