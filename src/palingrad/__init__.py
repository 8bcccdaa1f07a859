"""palingrad: computational graphs you can read forwards and backwards."""

import importlib

from .autodiff.check import check_gradients
from .autodiff.gradients import gradients
from .autodiff.jacobians import clear_jacobians, jacobians
from .autodiff.transforms import grad, hessian, jacobian, jvp, value_and_grad, vjp
from .dtypes import (
    bool_,
    default_dtype,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .engines.choose import engine_names, get_engine, set_engine
from .function import function
from .graph.context import name_scope
from .graph.functions import binary, unary
from .graph.graph import Graph, get_default_graph, reset_default_graph
from .graph.kinds import Composite, Custom, Elementwise, Move, Reduce
from .graph.leaves import Constant, Placeholder, Variable, placeholder, tensor
from .graph.node import Node
from .graph.operation import Operation
from .graph.order import postorder
from .graph.samples import case, edge
from .ops import *
from .session import Session

__version__ = "0.1.0"

_PARTS = ("data", "io", "nn", "optim", "train")  # imported when they are first used


def __getattr__(name: str) -> object:
    if name in _PARTS:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PARTS])
