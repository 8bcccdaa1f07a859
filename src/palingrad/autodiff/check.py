"""Checks derivatives against central differences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..dtypes import Array, as_array, complex128, is_complex, is_floating, is_inexact
from ..errors import GradientError
from ..graph.context import graph_scope
from ..graph.kinds import Composite, Elementwise
from ..graph.node import Node
from ..graph.promotion import as_node, tensor
from ..graph.registry import is_shipped, ops
from ..graph.traversal.order import postorder
from ..messages.calls import public
from ..messages.checks import shown
from ..shapes import size, sizes
from ..trees import leaves
from .forward import forward
from .gradients import gradients

STEP = 1e-3
TOLERANCE = 1e-7  # for float64: the five-point rule's error is about 1e-9 at this step
POINTS = (1, -1, 2, -2)  # of the five-point rule, in steps
MOST_WAYS = 16  # in which arguments move that are computed at once
ELEMENTS = 1 << 16  # of an argument, at most as many times these


@public
def check_gradients(f: Callable[..., Any], *args: Any, order: int = 2) -> None:
    """Raise GradientError unless f's derivatives at `args` agree with central differences.

    f takes arrays and returns one or several; floats are computed in float64. Reverse mode is
    compared with the five-point rule f'(x) ≈ (8(f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h, and
    forward mode with reverse mode. The same is repeated for the gradients, up to `order`.
    """
    if not callable(f):
        raise GradientError(
            f"check_gradients: expected a function, got {shown(f)}.",
            hint="Write pg.check_gradients(lambda x: pg.sin(x), x).",
        )
    levels = Levels(f, [as_array(arg.numpy() if isinstance(arg, Node) else arg) for arg in args])
    for level in range(1, order + 1):
        levels.check(level)


def widest(array: Array) -> Array:
    """Floats in float64, complex numbers in complex128, anything else as it is."""
    if is_floating(array.dtype):
        return array.astype(np.float64)
    return array.astype(complex128) if is_complex(array.dtype) else array


def _total(f: Callable[..., Any], nodes: list[Node]) -> Node:
    """The sum of all inexact results of f."""
    return _sum(map(as_node, leaves(f(*nodes))))


def _sum(ys: Iterable[Node]) -> Node:
    """A real scalar: the sum of all elements of all inexact nodes, each with a weight of its own,
    a complex one for complex nodes."""
    total: Any = tensor(np.float64(0))
    for y in ys:
        if is_inexact(y.dtype):
            angles = angles_of(y)
            if is_complex(y.dtype):
                total = total + ops.real(ops.sum(y * np.exp(1j * angles)))
            else:
                total = total + ops.sum(y * np.cos(angles))
    return total


def angles_of(y: Any) -> Array:
    """A number for each element of y, from which its weight is computed."""
    return (1.0 + np.arange(size(y.shape))).reshape(sizes(y.shape))


def _floats(nodes: list[Node]) -> list[Node]:
    return [node for node in nodes if is_inexact(node.dtype)]


def _gradient_of(f: Callable[..., Any]) -> Callable[..., Any]:
    def gradient(*nodes: Node) -> Any:
        return gradients(_total(f, list(nodes)), _floats(list(nodes)))

    return gradient


class Levels:
    """The derivatives of f of each order, of one call of f: those of an order are the gradients of
    the total of those before."""

    def __init__(self, f: Callable[..., Any], arrays: Sequence[Array]) -> None:
        self._f, self._arrays = f, [widest(a) for a in arrays]
        with graph_scope(None):
            self._nodes: list[Node] = [tensor(array) for array in self._arrays]
        self._totals: list[Node] = []  # whose gradients have the order 1, 2, …
        self._slopes: list[list[Node]] = []

    def check(
        self, level: int, *, recorded: bool = False, probed: bool = False, most: int | None = None
    ) -> None:
        """Raise GradientError unless the derivatives of the order `level` alone agree.

        With `recorded`, differences are taken of the graph that the one call of f built: much
        faster, but f must build the same graph for all values. With `probed`, f is called once more
        for each argument, on other values: it must give what the recorded graph gives. Derivatives
        with respect to an argument of more than `most` elements are compared along `most` random
        directions.
        """
        with graph_scope(None), np.errstate(all="ignore"):
            while len(self._slopes) < level:
                self._differentiate()
            self._check(level, recorded, probed, most)

    def _differentiate(self) -> None:
        if self._slopes:
            total = _sum(self._slopes[-1])
        else:
            total = _total(self._f, self._nodes)
        self._totals.append(total)
        self._slopes.append(list(gradients(total, _floats(self._nodes))))

    def _check(self, level: int, recorded: bool, probed: bool, most: int | None) -> None:
        what, total = f"derivative {level}", self._totals[level - 1]
        computed = [g.numpy() for g in self._slopes[level - 1]]
        f = self._f
        for _ in range(level - 1):
            f = _gradient_of(f)
        xs = _floats(self._nodes)
        numbers = [n for n, array in enumerate(self._arrays) if is_inexact(array.dtype)]
        drawn = np.random.default_rng(2)
        for number, g in zip(numbers, computed, strict=True):
            array = self._arrays[number]
            called = _called(f, self._arrays, number)
            again = _recomputed(total, self._nodes[number]) if recorded else called
            if recorded and probed:
                _probe(again, called, array, f"{what}, argument {number}")
            of = f"{what} with respect to argument {number}"
            if most is not None and array.size > most:
                directions = np.stack([drawn_like(array, drawn) for _ in range(most)])
                g = np.real(directions.reshape(most, -1) @ g.ravel())
                again, array = _along(again, array, directions), np.zeros(most)
                of = f"{of}, along random directions"
            expected = _differences(again, array)
            _compare(g, expected, f"{of}: reverse mode")
        rng = np.random.default_rng(0)
        tangents = {x: tensor(drawn_like(x, rng)) for x in xs}
        pushed = forward([total], tangents)[0]  # pyright: ignore[reportArgumentType]
        pairs = zip(computed, tangents.values(), strict=True)
        product = np.sum([np.real(np.sum(g * t.numpy())) for g, t in pairs])
        value = np.zeros(()) if pushed is None else pushed.numpy()
        _compare(value, np.asarray(product), f"{what}: forward mode")


def drawn_like(x: Any, rng: np.random.Generator) -> Array:
    """Random numbers of x's shape and dtype, a real one or a complex one, from −1 to 1."""
    numbers = rng.uniform(-1, 1, sizes(x.shape))
    if is_complex(x.dtype):
        numbers = numbers + 1j * rng.uniform(-1, 1, sizes(x.shape))
    return np.asarray(numbers, x.dtype)


def _called(
    f: Callable[..., Any], arrays: Sequence[Array], number: int
) -> Callable[[Array], Array]:
    """The totals of f for each of several values of argument `number`."""

    def again(moved: Array) -> Array:
        given = ([*arrays[:number], array, *arrays[number + 1 :]] for array in moved)
        return np.array([_total(f, list(map(tensor, one))).numpy() for one in given])

    return again


@dataclass(frozen=True)
class _Step:
    """An operation that is computed anew; `moving` are its operands that have other values then:
    which of the operands, and whose result. `still` are the others, None in their places."""

    node: Any
    still: Sequence[Any]
    moving: Sequence[tuple[int, int]]

    def computed(self, values: list[Any], count: int) -> Any:
        """The results for `count` values of the argument, in an array with another first axis or in
        a list, from those of earlier steps. Elementwise operations compute all of them at once, but
        not a user's, whose elements may depend on each other against what it promises."""
        if isinstance(self.node, Composite):
            return values[self.moving[0][1]]
        if isinstance(self.node, Elementwise) and is_shipped(type(self.node)) and count > 1:
            found = self._together(values)
            if found.shape == (count, *sizes(self.node.shape)):
                return found
        return [self._alone(values, n) for n in range(count)]

    def _together(self, values: list[Any]) -> Array:
        rank = len(self.node.shape)
        given = list(self.still)
        for n, place in self.moving:
            if isinstance(values[place], list):
                values[place] = np.stack(values[place])
            x = values[place]
            if x.ndim <= rank:
                x = x.reshape(len(x), *[1] * (rank + 1 - x.ndim), *x.shape[1:])
            given[n] = x
        return self.node.seal(self.node.compute(*given))

    def _alone(self, values: list[Any], number: int) -> Any:
        given = list(self.still)
        for n, place in self.moving:
            x = values[place]
            given[n] = x[number] if isinstance(x, list) else x[number, ...]
        return self.node.seal(self.node.compute(*given))


def _recomputed(y: Node, x: Node) -> Callable[[Array], Array]:
    """y for each of several values of x, where both have values: the operations between them,
    composites expanded, are computed anew."""
    places = {x: 0}  # of the values that move, in the order in which they are computed
    steps: list[_Step] = []
    for node in postorder(y, inputs=_operands):
        operands = _operands(node)
        moving = [(n, places[one]) for n, one in enumerate(operands) if one in places]
        if moving and node not in places:
            places[node] = len(places)
            steps.append(_Step(node, [None if o in places else o.value for o in operands], moving))
    if y not in places:
        return lambda moved: np.broadcast_to(y.numpy(), len(moved))
    last = places[y]

    def again(moved: Array) -> Array:
        values: list[Any] = [moved]
        for step in steps:
            values.append(step.computed(values, len(moved)))
        return np.asarray(values[last])

    return again


def _probe(
    again: Callable[[Array], Array], called: Callable[[Array], Array], array: Array, what: str
) -> None:
    """Raise GradientError unless both compute the same total where every element has moved."""
    moved = (array + STEP)[np.newaxis]
    found, expected = again(moved), called(moved)
    if not np.array_equal(found, expected, equal_nan=True):
        raise GradientError(
            f"{what}: the graph of these values gives {found[0]} for values nearby, but f called "
            f"on those gives {expected[0]}.",
            hint="What f builds must not depend on the values of its arguments.",
        )


def _operands(node: Node) -> Sequence[Node]:
    return (node.expansion,) if isinstance(node, Composite) else node.inputs


def _differences(totals: Callable[[Array], Array], array: Array) -> Array:
    """The five-point derivative of a total with respect to each element of its argument: for a
    complex element a + ib, ∂/∂a − i·∂/∂b. `totals` computes it for several arguments."""
    result = np.zeros_like(array)
    directions = (1, 1j) if is_complex(result.dtype) else (1,)
    ways = [(element, way) for element in range(result.size) for way in directions]
    most = max(1, min(ELEMENTS // max(1, result.size), MOST_WAYS))
    for start in range(0, len(ways), most):
        block = ways[start : start + most]
        widths = [STEP * max(1.0, abs(array.flat[element])) for element, _ in block]
        moved = np.repeat(array[np.newaxis], len(POINTS) * len(block), axis=0)
        rows = moved.reshape(len(block), len(POINTS), -1)
        for row, (element, way), h in zip(rows, block, widths, strict=True):
            row[:, element] += np.multiply(POINTS, h * way)
        values = totals(moved).reshape(len(block), len(POINTS))
        for (a, b, c, d), (element, way), h in zip(values, block, widths, strict=True):
            result.flat[element] += (8 * (a - b) - (c - d)) / (12 * h) * np.conj(way)
    return result


def _along(
    totals: Callable[[Array], Array], array: Array, directions: Array
) -> Callable[[Array], Array]:
    """The totals for `array` + Σ tₖ dₖ, as a function of several vectors t."""
    return lambda moved: totals(array + np.tensordot(moved, directions, 1))


def _compare(computed: Array, expected: Array, what: str) -> None:
    if np.allclose(computed, expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
        return
    errors = np.abs(computed - expected)
    worst = np.unravel_index(
        int(np.nanargmax(errors)) if np.isfinite(errors).any() else 0, errors.shape
    )
    raise GradientError(
        f"{what} gives {computed[worst]:.9g}, central differences give {expected[worst]:.9g} "
        f"at element {tuple(int(i) for i in worst)}.",
        hint="The rule (d or vjp) of an operation in f is wrong there, or f isn't smooth.",
    )
