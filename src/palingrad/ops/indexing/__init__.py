"""Indexing by arrays: reading, writing, searching, counting."""
