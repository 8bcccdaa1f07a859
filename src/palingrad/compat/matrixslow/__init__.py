"""MatrixSlow's names (Zhang Juefei and Chen Zhen, 2020), also those of matrixslow_serving."""

from . import core, dist, exporter, layer, model, ops, optimizer, serving, trainer, util
from .core import Variable, default_graph, get_node_from_graph, name_scope

__all__ = [
    "Variable",
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
