"""mlfz's scalars, their functions, losses and gradient descent."""

from . import functional
from .core import Edge, Scalar
from .functional import cos, exp, log, relu, sigmoid, sin, tanh
from .loss import binary_cross_entropy, mean_squared_error
from .optimizer import GradientDescent

__all__ = [
    "Edge",
    "GradientDescent",
    "Scalar",
    "binary_cross_entropy",
    "cos",
    "exp",
    "functional",
    "log",
    "mean_squared_error",
    "relu",
    "sigmoid",
    "sin",
    "tanh",
]
