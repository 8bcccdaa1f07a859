"""MatrixSlow's names (Zhang Juefei and Chen Zhen, 2020), also those of matrixslow_serving."""

import numpy as np

from . import core, dist, exporter, layer, model, ops, optimizer, serving, trainer, util
from .core import Variable, default_graph, get_node_from_graph, name_scope

__all__ = [
    "Variable",
    "before_scripts",
    "core",
    "default_graph",
    "dist",
    "exporter",
    "get_node_from_graph",
    "layer",
    "model",
    "name_scope",
    "ops",
    "optimizer",
    "serving",
    "trainer",
    "util",
]


def before_scripts() -> None:
    """Gives NumPy the names of its versions before 2.0 that MatrixSlow's scripts use."""
    for name, meaning in (("mat", np.asmatrix), ("int", int), ("float", float)):
        if name not in vars(np):
            setattr(np, name, meaning)
