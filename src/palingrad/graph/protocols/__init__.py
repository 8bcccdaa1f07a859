"""What other libraries ask of nodes: NumPy's functions, DLPack, the array API, copies."""
