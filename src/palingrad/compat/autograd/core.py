"""make_vjp and make_jvp of functions of one argument, on palingrad's nodes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ...autodiff.forward import forward
from ...autodiff.reverse import reverse
from ...autodiff.transforms import Call
from ...dtypes import is_inexact
from ...eager.tapes import to_nodes
from ...graph.derivatives.differentiated import arguments
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...trees import leaves, mapped, rebuilt
from .extension import (
    def_linear,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    notrace_primitive,
    primitive,
    primitive_jvps,
    primitive_vjps,
)
from .vspaces import VSpace, vspace

__all__ = [
    "VSpace",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defjvp_argnums",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "make_jvp",
    "make_vjp",
    "notrace_primitive",
    "primitive",
    "primitive_jvps",
    "primitive_vjps",
    "vspace",
]


def make_vjp(fun: Callable[[Any], Any], x: Any) -> tuple[Callable[[Any], Any], Any]:
    """(vjp, fun(x)), where vjp(g) is g·∂fun/∂x in the structure of x."""
    call, y = _called(fun, x)
    ys = leaves(y)
    reached = [one for one in ys if isinstance(one, Node) and _takes_gradient(one)]
    if not reached:
        warnings.warn("Output seems independent of input.", stacklevel=3)

    def vjp(g: Any) -> Any:
        if (found := _by_tape(call, ys, g)) is not None:
            return plain(call.shaped(found))
        seeds: dict[Node, Node] = {}
        for one, seed in zip(ys, leaves(g), strict=True):
            if isinstance(one, Node) and _takes_gradient(one):
                node = as_node(seed, one.dtype)
                node = node if node.dtype == one.dtype else ops.cast(node, one.dtype)
                node = node if node.shape == one.shape else ops.broadcast_to(node, one.shape)
                seeds[one] = seeds[one] + node if one in seeds else node
        found = reverse(seeds, call.nodes) if seeds else {}
        cotangents = call.shaped(
            [found[one] if one in found else ops.zeros_like(one) for one in call.nodes]
        )
        traced = any(isinstance(one, Node) for one in leaves(g))
        return cotangents if traced else plain(call.result(cotangents))

    return vjp, plain(call.result(rebuilt(y, iter(ys))))


def _by_tape(call: Call, ys: list[Any], g: Any) -> list[Any] | None:
    """The cotangents as arrays, where the structure of the operations has occurred before and no
    outer transform can differentiate them again; else None."""
    y = ys[0]
    if len(ys) != 1 or call.given_nodes or arguments or isinstance(g, Node):
        return None
    if not isinstance(y, Node) or y.dtype is None or y.dtype.kind != "f" or y.deferred:
        return None
    array = np.asarray(g)
    if y.shape != () or array.shape != () or array != 1:
        y = ops.sum(y * array.astype(y.dtype))
    return to_nodes(y, call.nodes, call.began)


def make_jvp(fun: Callable[[Any], Any], x: Any) -> Callable[[Any], tuple[Any, Any]]:
    """jvp, where jvp(v) is (fun(x), ∂fun/∂x·v)."""

    def jvp(v: Any) -> tuple[Any, Any]:
        call, y = _called(fun, x)
        ys = leaves(y)
        given = [as_node(t, one.dtype) for one, t in zip(call.nodes, leaves(v), strict=True)]
        tangents = {
            one: t if t.dtype == one.dtype else ops.cast(t, one.dtype)
            for one, t in zip(call.nodes, given, strict=True)
        }
        outputs = [one for one in ys if isinstance(one, Node) and _takes_gradient(one)]
        if not outputs:
            warnings.warn("Output seems independent of input.", stacklevel=2)
        pushed = dict(zip(outputs, forward(outputs, tangents), strict=True))
        found = (
            t if (t := _pushed(one, pushed)) is not None else vspace(one).zeros() for one in ys
        )
        return plain(call.result((y, rebuilt(y, found))))

    return jvp


def _pushed(one: Any, pushed: dict[Node, Node | None]) -> Node | None:
    return pushed.get(one) if isinstance(one, Node) else None


def _called(fun: Callable[[Any], Any], x: Any) -> tuple[Call, Any]:
    """The call of a function with a fresh node for each number or array in x."""
    vspace(x)  # a TypeError for what has no derivative
    call = Call((mapped(floating, x),), 0)
    return call, call.value(fun)


def floating(leaf: Any) -> Any:
    """Python's numbers and integers as float64."""
    if isinstance(leaf, Node):
        return leaf
    array = np.asarray(leaf)
    return array if is_inexact(array.dtype) else array.astype(np.float64)


def _takes_gradient(node: Node) -> bool:
    return node.dtype is not None and is_inexact(node.dtype)


def plain(tree: Any) -> Any:
    """Arrays without axes as numbers."""
    return mapped(lambda leaf: np.array(leaf)[()] if type(leaf) is np.ndarray else leaf, tree)
