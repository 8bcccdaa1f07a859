"""The parts of the layer check: pure functions on a tree of Python files."""
