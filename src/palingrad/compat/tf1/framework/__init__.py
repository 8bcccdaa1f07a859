"""Graphs, tensors, Variables, scopes and sessions."""
