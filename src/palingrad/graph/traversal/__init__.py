"""Graph traversals: topological order, replay on other inputs, and the verifier."""
