"""Neural-network layers, as modules with named parameters, and weight initialisers."""

from ..messages.elsewhere import LAYERS
from ..messages.names import unknown_name
from . import init
from .activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .norms import BatchNorm, Embedding, LayerNorm
from .sequential import Flatten, Sequential
from .windows import AveragePool2D, Conv2D, MaxPool2D, Reshape

__all__ = [
    "ELU",
    "GELU",
    "AveragePool2D",
    "BatchNorm",
    "Conv2D",
    "Dropout",
    "Embedding",
    "Flatten",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MaxPool2D",
    "Module",
    "ReLU",
    "Reshape",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "init",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, LAYERS)


def __dir__() -> list[str]:
    return sorted(__all__)
