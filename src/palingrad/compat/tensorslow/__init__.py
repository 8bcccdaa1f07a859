"""TensorSlow's names (Daniel Sabinasz, "Deep Learning From Scratch", parts I to VI)."""

from typing import Any

from . import train
from .gradients import RegisterGradient, _gradient_registry
from .graph import Graph, Operation, Variable, default_graph, placeholder, traverse_postorder
from .operations import add, log, matmul, multiply, negative, reduce_sum, sigmoid, softmax
from .session import Session
from .train import GradientDescentOptimizer, compute_gradients

__all__ = [
    "GradientDescentOptimizer",
    "Graph",
    "Operation",
    "RegisterGradient",
    "Session",
    "Variable",
    "_gradient_registry",
    "add",
    "compute_gradients",
    "log",
    "matmul",
    "multiply",
    "negative",
    "placeholder",
    "reduce_sum",
    "sigmoid",
    "softmax",
    "train",
    "traverse_postorder",
]


def __getattr__(name: str) -> Any:
    if name == "_default_graph":
        return default_graph()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
