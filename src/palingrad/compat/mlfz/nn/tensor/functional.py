"""Functions of tensors."""

from .core import cos, exp, log, relu, sigmoid, sin, tanh

__all__ = ["cos", "exp", "log", "relu", "sigmoid", "sin", "tanh"]
