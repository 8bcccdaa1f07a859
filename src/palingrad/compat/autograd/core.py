"""make_vjp and make_jvp of functions of one argument, on palingrad's nodes."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ...autodiff.calls import Call
from ...autodiff.forward import forward
from ...autodiff.gradients import is_bare
from ...autodiff.reverse import reverse
from ...dtypes import is_floating, is_inexact
from ...eager.gradients import of_leaves
from ...eager.nested import nested
from ...eager.tapes import nodes_of
from ...graph.derivatives.differentiated import arguments
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...shapes import sizes
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
    if (tape := _own_tape(call, y)) is not None:
        return functools.partial(_pulled, call, ys, tape), y._value[()]
    value = plain(call.result(rebuilt(y, iter(ys))))
    return functools.partial(_pulled, call, ys, None), value


def _pulled(call: Call, ys: list[Any], tape: list[Node] | None, g: Any) -> Any:
    """The cotangents of a call's arguments, from those of its results."""
    traced = any(isinstance(one, Node) for one in leaves(g))
    if tape is not None and not traced and (found := _by_tape(call, tape, g)) is not None:
        return call.shaped(found)
    if tape is None and not traced and (nodes := _by_nodes(call, ys, g)) is not None:
        return plain(call.result(call.shaped(nodes)))
    seeds: dict[Node, Node] = {}
    for one, seed in zip(ys, leaves(g), strict=True):
        if isinstance(one, Node) and _takes_gradient(one):
            node = as_node(seed, one.dtype)
            node = node if node.dtype == one.dtype else ops.cast(node, one.dtype)
            node = node if node.shape == one.shape else ops.broadcast_to(node, one.shape)
            seeds[one] = seeds[one] + node if one in seeds else node
    known = reverse(seeds, call.nodes) if seeds else {}
    cotangents = call.shaped(
        [known[one] if one in known else ops.zeros_like(one) for one in call.nodes]
    )
    return cotangents if traced else plain(call.result(cotangents))


def _own_tape(call: Call, y: Any) -> list[Node] | None:
    """The tape of a result that is one real array and depends on no node from outside of the call,
    so that no outer transform can differentiate it again; else None."""
    if call.given_nodes or arguments or not isinstance(y, Node) or y.deferred:
        return None
    if not is_floating(np.dtype(y.dtype)):
        return None
    tape = nodes_of(y)
    for node in tape:  # the oldest first
        if node._serial >= call.began:
            break
        if not is_bare(node):
            return None
    return tape


def _by_tape(call: Call, tape: list[Node], g: Any) -> list[Any] | None:
    """The cotangents as arrays, where the structure of the operations has occurred before."""
    y = tape[-1]
    if not _is_one(g):
        tape = nodes_of(ops.sum(y * np.asarray(g).astype(y.dtype)))
    found = of_leaves(tape, call.nodes)
    if found is None:
        return None
    return [
        np.zeros(sizes(x.shape), x.dtype)[()] if one is None else np.array(one)[()]
        for x, one in zip(call.nodes, found, strict=True)
    ]


def _by_nodes(call: Call, ys: list[Any], g: Any) -> list[Any] | None:
    """The cotangents as nodes, which an outer transform can differentiate, where the structure of
    the operations has occurred before."""
    if len(ys) != 1 or not isinstance(y := ys[0], Node) or y.deferred or not is_floating(y.dtype):
        return None
    (seed,) = leaves(g)  # g has the structure of the results
    if not _is_one(seed):
        y = ops.sum(y * np.asarray(seed).astype(y.dtype))
    found = nested(y, call.nodes, call.began)
    if found is None:
        return None
    return [ops.zeros_like(x) if c is None else c for x, c in zip(call.nodes, found, strict=True)]


def _is_one(g: Any) -> bool:
    """Whether a cotangent is 1 in each element."""
    return g == 1 if type(g) is float else bool(np.all(np.asarray(g) == 1))


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
    if type(x) is not np.ndarray or not is_floating(x.dtype):
        vspace(x)  # a TypeError for what has no derivative
        x = mapped(floating, x)
    call = Call((x,), 0)
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
    if isinstance(tree, Node):
        return tree
    return mapped(lambda leaf: np.array(leaf)[()] if type(leaf) is np.ndarray else leaf, tree)
