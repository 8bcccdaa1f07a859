"""Checks of derivatives: slopes of the first three orders, both modes, dtypes, broadcasting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff.check import Levels, drawn_like
from ..autodiff.forward import forward
from ..autodiff.gradients import gradients
from ..autodiff.transforms import jvp, vjp
from ..dtypes import Array, is_inexact, real_of
from ..graph.kinds import Elementwise, Random
from ..graph.node import Node
from ..graph.promotion import as_node, tensor
from ..graph.registry import ops
from ..graph.traversal.order import postorder
from .case import (
    Case,
    dtypes,
    eager,
    floats,
    is_float,
    of_floats,
    summed_to,
    values,
    weighted_sum,
    weights,
)
from .checks import FLOATS, each
from .tolerances import assert_close, require

MOST_DIRECTIONS = 4  # random ones of each input, along which second derivatives are taken
PATTERNS = (((3, 1), (4,)), ((), (2, 3)), ((2, 1), (0,)), ((), ()))  # that are broadcast


def order_of(case: Case) -> int:
    """The highest order of derivatives that is compared with central differences: 0 or 3."""
    arrays = case.arrays()
    inputs = [array for array in arrays if is_inexact(array.dtype)]
    if not case.sample.smooth or not inputs or not all(map(_has_differences, inputs)):
        return 0
    return 3 if any(map(is_float, case.outputs(*arrays))) else 0


def _has_differences(array: Array) -> bool:
    """Whether central differences can be taken: not at infinity, nor where steps are too wide."""
    return bool(np.all(np.abs(array) < 100))


@each
def derivatives_are_slopes(case: Case) -> None:
    """Reverse mode agrees with central differences, in float64, first and second order.

    The second derivatives are those of y(1 + y), which depend on the cotangent too. Those of
    large inputs are taken along a few directions, for each takes four differences of gradients.
    """
    if order_of(case):
        Levels(case.outputs, case.arrays()).check(1, recorded=True, probed=True)
        case.levels.check(2, recorded=True, most=MOST_DIRECTIONS)


@each
def third_derivatives_are_slopes(case: Case) -> None:
    """The third derivatives of y(1 + y) agree with central differences of the second, along two
    directions."""
    if order_of(case):
        case.levels.check(3, recorded=True, most=2)


@each
def slopes_at_kinks_are_as_told(case: Case) -> None:
    """Where a sample tells the derivatives of Σy, at a kink or a tie, reverse mode gives these."""
    for dtype in FLOATS if case.sample.slopes else ():
        xs = list(map(tensor, case.arrays(dtype)))
        total: Any = sum(ops.real(ops.sum(y)) for y in floats(case.outputs(*xs)))
        told = [
            np.asarray(slope, x.dtype)
            for x, slope in zip(xs, case.sample.slopes, strict=True)
            if is_float(x)
        ]
        for found, slope in zip(gradients(total, floats(xs)), told, strict=True):
            assert_close(found.numpy(), slope, "slopes")


@each
def forward_is_the_transpose_of_reverse(case: Case) -> None:
    """g·(J t) = (gᵀJ)·t, and J t has the shape and dtype of the result, which has none if it isn't
    a float."""
    for dtype in FLOATS:
        _assert_discrete_without_tangent(case, case.arrays(dtype))
        f, inputs = of_floats(case, case.arrays(dtype))
        ys, pull = vjp(f, *inputs)
        if not inputs or not ys:
            continue
        rng = np.random.default_rng(1)
        ts = [drawn_like(x, rng) for x in inputs]
        pushed = jvp(f, inputs, ts)[1]
        for y, t in zip(ys, pushed, strict=True):
            said = f"tangent {t.shape} {t.dtype} of a result {y.shape} {y.dtype}"
            require((t.shape, t.dtype) == (y.shape, y.dtype), said)
        gs = [weights(y) for y in ys]
        left, right = _inner(gs, pushed), _inner(pull(gs), ts)
        if np.isfinite(left) and np.isfinite(right):
            assert_close(dtype.type(left), dtype.type(right), "forward, reverse")


def _assert_discrete_without_tangent(case: Case, arrays: Sequence[Array]) -> None:
    xs = list(map(tensor, arrays))
    discrete = [y for y in case.outputs(*xs) if not is_float(y)]
    tangents = {x: ops.ones_like(x) for x in floats(xs)}
    if discrete and tangents:
        for t in forward(discrete, tangents):
            require(t is None, f"a result that isn't a float has a tangent, {t!r}")


@np.errstate(all="ignore")
def _inner(xs: Sequence[Any], ys: Sequence[Any]) -> float:
    return sum(float(np.sum(np.real(x * y), dtype=np.float64)) for x, y in zip(xs, ys, strict=True))


@each
def tangents_can_be_differentiated(case: Case) -> None:
    """J t is a function of x and t whose derivatives agree with central differences, along a few
    directions: forward mode can be differentiated again. All inputs move, then each alone, which
    gives a tangent of the result's shape too."""
    if not order_of(case):
        return
    arrays = case.arrays()
    rng = np.random.default_rng(4)
    ts = [drawn_like(x, rng) for x in arrays if is_inexact(x.dtype)]
    alone = [[place] for place in range(len(ts))] if len(ts) > 1 else []
    for places in ([*range(len(ts))], *alone):

        def pushed(*given: Any, places: Sequence[int] = places) -> list[Any]:
            xs = [as_node(x) for x in given[: len(arrays)]]
            moved = [floats(xs)[place] for place in places]
            tangents = dict(zip(moved, map(as_node, given[len(arrays) :]), strict=True))
            ys = floats(case.outputs(*xs))
            found = forward(ys, tangents)
            for y, t in zip(ys, found, strict=True):
                fits = t is None or t.shape == y.shape
                require(fits, f"the tangent of a result {y.shape} has another shape")
            return [t for t in found if t is not None]

        levels = Levels(pushed, [*arrays, *[ts[place] for place in places]])
        levels.check(1, recorded=True, most=2)


@each
def gradients_keep_shape_and_dtype(case: Case) -> None:
    """A gradient is like its input, and no float on the way of a derivative, in either mode, is
    wider or narrower than the input."""
    for dtype in FLOATS:
        xs, ys, first = eager(case, case.arrays(dtype))
        second = gradients(weighted_sum(first, first), floats(xs)) if first else []
        for slopes in (first, second):
            for x, g in zip(floats(xs), slopes):
                require(g.shape == x.shape, f"gradient {g.shape} of an input {x.shape}")
                require(g.dtype == x.dtype, f"gradient {g.dtype} of an input {x.dtype}")
        if case.chooses_dtype or not floats(xs):
            continue
        tangents = {x: ops.ones_like(x) for x in floats(xs)}
        pushed = [t for t in forward(floats(ys), tangents) if t is not None]
        for node in [*ys, *_on_the_way([*first, *second, *pushed])]:
            if is_float(node) and not isinstance(node, Random):
                if set(map(real_of, dtypes(node))) != {dtype}:  # words only where they are needed
                    raise AssertionError(f"{node.label()}: {node.dtype} among {dtype}")


def _on_the_way(nodes: Sequence[Node]) -> list[Node]:
    """The nodes that numbers reach `nodes` through: what decides a comparison isn't among them."""
    return postorder(*nodes, inputs=lambda node: node.inputs if is_float(node) else ())


def related(case: Case) -> list[tuple[int, int]]:
    """The first pair of inputs of floats that have one shape, so that they may be one node."""
    arrays = case.arrays()
    places = [place for place, x in enumerate(arrays) if is_inexact(x.dtype)]
    pairs = [(i, j) for i in places for j in places if i < j and arrays[i].shape == arrays[j].shape]
    return pairs[:1]


@each
def inputs_may_be_related(case: Case) -> None:
    """An input that comes twice counts twice, and one that depends on another counts once more."""
    arrays = case.arrays()
    for i, j in related(case):
        for factor in (1.0, 0.5):
            apart = list(map(tensor, arrays))
            apart[j] = tensor(factor * arrays[i])
            ys = case.outputs(*apart)
            if not any(map(is_float, ys)):
                return
            one, other = gradients(weighted_sum(ys, ys), [apart[i], apart[j]])
            x = apart[i]
            inputs: list[Any] = list(apart)
            inputs[j] = x if factor == 1 else x * factor
            ys = case.outputs(*inputs)
            found = gradients(weighted_sum(ys, ys), x)
            assert_close(found.numpy(), (one + factor * other).numpy(), f"inputs {i} and {j}")


def broadcasts(case: Case) -> bool:
    """Whether the inputs of a case are broadcast against each other, and may have any shape."""
    return issubclass(case.operation, Elementwise) and all(x.size for x in case.arrays())


@each
def broadcasting_is_undone(case: Case) -> None:
    """Elementwise: small inputs give what inputs broadcast by hand give, gradients summed back.

    The shapes are pairs, scalars and empty arrays.
    """
    if not broadcasts(case):
        return
    arrays = case.arrays()
    for pattern in PATTERNS:
        small = [np.resize(array, pattern[place % 2]) for place, array in enumerate(arrays)]
        wide = [np.array(array) for array in np.broadcast_arrays(*small)]
        xs, ys, slopes = eager(case, small)
        _, wide_ys, wide_slopes = eager(case, wide)
        for one, other in zip(values(ys), values(wide_ys), strict=True):
            assert_close(one, other, f"broadcast {pattern}")
        for x, one, other in zip(floats(xs), slopes, wide_slopes):
            assert_close(one.numpy(), summed_to(other.numpy(), x.shape), f"gradient {pattern}")
