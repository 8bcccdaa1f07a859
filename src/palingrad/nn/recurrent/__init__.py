"""Recurrent layers: cells, which take one step, and layers that run them along sequences."""
