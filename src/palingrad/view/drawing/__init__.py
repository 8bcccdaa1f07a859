"""Drawings of graphs: the model, conventions, layout, painting and the file formats."""
