"""Engines: each turns a Program into a callable, knowing kinds of operations rather than names."""
