"""Attention, its positions and its cache, and the transformer's block."""
