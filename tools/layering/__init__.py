"""What the layer check is made of: pure functions on a tree of Python files."""
