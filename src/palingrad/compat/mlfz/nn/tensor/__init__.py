"""mlfz's tensors, their functions and losses."""

from . import functional
from .core import Edge, Tensor, mean, sum
from .functional import cos, exp, log, relu, sigmoid, sin, tanh
from .loss import binary_cross_entropy, mean_squared_error

__all__ = [
    "Edge",
    "Tensor",
    "binary_cross_entropy",
    "cos",
    "exp",
    "functional",
    "log",
    "mean",
    "mean_squared_error",
    "relu",
    "sigmoid",
    "sin",
    "sum",
    "tanh",
]
