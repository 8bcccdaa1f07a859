"""Checking derivatives against differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array, as_array, is_floating
from ..errors import GradientError
from ..graph.context import graph_scope
from ..graph.node import Node
from ..graph.promotion import as_node, tensor
from ..graph.registry import ops
from ..shapes import size, sizes
from ..trees import leaves
from .forward import forward
from .gradients import gradients

STEP = 1e-3
TOLERANCE = 1e-7  # of float64: the five-point rule is good to 1e-9 or so at this step


def check_gradients(f: Callable[..., Any], *args: Any, order: int = 2) -> None:
    """Raise GradientError unless f's derivatives at `args` agree with central differences.

    f takes arrays and returns one or several; floats are computed in float64. Reverse mode is held
    against the five-point rule f'(x) ≈ (8(f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h, forward
    mode against reverse mode, and then the same is done with the gradients, up to `order`.
    """
    arrays = [as_array(arg.numpy() if isinstance(arg, Node) else arg) for arg in args]
    wide = [a.astype(np.float64) if is_floating(a.dtype) else a for a in arrays]
    with graph_scope(None), np.errstate(all="ignore"):
        for number in range(1, order + 1):
            _check(f, wide, f"derivative {number}")
            f = _gradient_of(f)


def _total(f: Callable[..., Any], nodes: list[Node]) -> Node:
    """One number that depends on every element of every float result, each with its own weight."""
    total: Any = tensor(np.float64(0))
    for y in map(as_node, leaves(f(*nodes))):
        if is_floating(y.dtype):
            weights = np.cos(1.0 + np.arange(size(y.shape))).reshape(sizes(y.shape))
            total = total + ops.sum(y * weights)
    return total


def _floats(nodes: list[Node]) -> list[Node]:
    return [node for node in nodes if is_floating(node.dtype)]


def _gradient_of(f: Callable[..., Any]) -> Callable[..., Any]:
    def gradient(*nodes: Node) -> Any:
        return gradients(_total(f, list(nodes)), _floats(list(nodes)))

    return gradient


def _check(f: Callable[..., Any], arrays: list[Array], what: str) -> None:
    nodes: list[Node] = [tensor(array) for array in arrays]
    xs = _floats(nodes)
    total = _total(f, nodes)
    found = [g.numpy() for g in gradients(total, xs)]
    places = [place for place, array in enumerate(arrays) if is_floating(array.dtype)]
    for place, g in zip(places, found, strict=True):
        expected = _differences(f, arrays, place)
        _compare(g, expected, f"{what} with respect to argument {place}: reverse mode")
    rng = np.random.default_rng(0)
    tangents = {x: tensor(rng.uniform(-1, 1, sizes(x.shape))) for x in xs}
    pushed = forward([total], tangents)[0]  # pyright: ignore[reportArgumentType]
    product = np.sum([np.sum(g * t.numpy()) for g, t in zip(found, tangents.values(), strict=True)])
    value = np.zeros(()) if pushed is None else pushed.numpy()
    _compare(value, np.asarray(product), f"{what}: forward mode")


def _differences(f: Callable[..., Any], arrays: list[Array], place: int) -> Array:
    """The five-point derivative of the total with respect to each element of one argument."""
    result = np.zeros(arrays[place].shape)

    def total_at(where: int, shift: float) -> float:
        moved = list(arrays)
        moved[place] = arrays[place].copy()
        moved[place].flat[where] += shift
        return float(_total(f, [tensor(array) for array in moved]))

    for where in range(result.size):
        h = STEP * max(1.0, abs(float(arrays[place].flat[where])))
        near = total_at(where, h) - total_at(where, -h)
        far = total_at(where, 2 * h) - total_at(where, -2 * h)
        result.flat[where] = (8 * near - far) / (12 * h)
    return result


def _compare(found: Array, expected: Array, what: str) -> None:
    if np.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
        return
    apart = np.abs(found - expected)
    worst = np.unravel_index(
        int(np.nanargmax(apart)) if np.isfinite(apart).any() else 0, apart.shape
    )
    raise GradientError(
        f"{what} gives {found[worst]:.9g}, differences give {expected[worst]:.9g} "
        f"at element {tuple(int(i) for i in worst)}"
    )
