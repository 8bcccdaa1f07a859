"""The methods of nodes, by subject, with NumPy's names and semantics."""
