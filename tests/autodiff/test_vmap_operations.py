"""Every operation under vmap: on its samples, with each input mapped and all of them, and the
derivatives of both sides, against a loop over the examples."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.autodiff import batching
from palingrad.autodiff.gradients import Gradient
from palingrad.autodiff.ruled import Ruled
from palingrad.dtypes import is_floating, is_inexact
from palingrad.engines.native.plan.accumulate import Accumulate
from palingrad.errors import GradientError
from palingrad.graph.kinds import Assign, Random
from palingrad.graph.operation import Item
from palingrad.ops.linalg.spectral import Eig
from palingrad.ops.random import Dropout
from palingrad.ops.state import Group
from palingrad.proof import shipped
from palingrad.proof.case import Case, weights
from tolerances import assert_close

# What changes state or steers a run, what vmap refuses (see test_vmap.py), and vectors whose phases
# aren't determined.
ELSEWHERE = (Accumulate, Assign, Dropout, Eig, Gradient, Group, Item, Random, Ruled)
OPERATIONS = [one for one in shipped() if not issubclass(one, ELSEWHERE)]

# Operations that are computed example by example, for some samples or some mapped inputs.
LOOPS = {
    "Convolve1D", "Interp", "Interval", "Isin", "NextEqual", "NonzeroPositions", "ScatterND",
    "Searchsorted",
}  # fmt: skip
SLOPES = 2  # samples of each operation whose derivatives are compared

EXAMPLES = 2


@pytest.fixture(autouse=True)
def _announce_again() -> None:
    batching._announced.clear()


def other(x: Any) -> Any:
    """Another example of an input: floats scaled, integers in reverse order."""
    if x.dtype == np.bool_:
        return ~x if x.ndim else x
    if is_floating(x.dtype) or x.dtype.kind == "c":
        return x * x.dtype.type(0.75)
    return x[::-1].copy() if x.ndim else x


def looped(f: Callable[..., Any], mapped: Sequence[bool], xs: Sequence[Any], ys: Sequence[Any]):
    """f for both examples, one after the other, with its results stacked."""
    second = [y if is_mapped else x for x, y, is_mapped in zip(xs, ys, mapped, strict=True)]
    found = [f(*xs), f(*second)]
    return [np.stack(pair) for pair in zip(*found, strict=True)]


def numbers(nodes: Sequence[Any]) -> list[Any]:
    return [node.numpy() if isinstance(node, pg.Node) else node for node in nodes]


def subsets(count: int) -> list[tuple[bool, ...]]:
    """All inputs mapped, and each by itself."""
    alone = [tuple(place == one for place in range(count)) for one in range(count)]
    return [(True,) * count, *(alone if count > 1 else [])]


def batched(f: Callable[..., Any], mapped: Sequence[bool], xs: Any, ys: Any, place: int) -> Any:
    """f by vmap, with the axis of the examples first or last in the arguments."""
    axes = tuple((-1 if place else 0) if one else None for one in mapped)
    given = [x if axis is None else np.stack([x, y], axis=axis) for x, y, axis in zip(xs, ys, axes)]
    return pg.vmap(f, in_axes=axes)(*given)


def check_values(case: Case, number: int) -> None:
    xs = case.arrays()
    ys = [other(x) for x in xs]
    for mapped in subsets(len(xs)):

        def f(*inputs: Any) -> list[Any]:
            return case.outputs(*inputs)

        expected = looped(lambda *a: numbers(f(*map(pg.tensor, a))), mapped, xs, ys)
        found = batched(f, mapped, xs, ys, number % 2)
        for one, wanted in zip(numbers(found), expected, strict=True):
            assert_close(one, wanted, f"{case.sample.text}, mapped {mapped}")


def check_slopes(case: Case, number: int) -> None:
    xs = case.arrays()
    ys = [other(x) for x in xs]
    places = tuple(place for place, x in enumerate(xs) if is_inexact(x.dtype))
    mapped = (True,) * len(xs)

    def total(*inputs: Any) -> Any:
        terms = [pg.sum(y * weights(y)) for y in case.outputs(*inputs) if is_inexact(y.dtype)]
        total = sum(terms[1:], start=terms[0])
        return pg.real(total) if total.dtype.kind == "c" else total

    if not places or not any(is_inexact(y.dtype) for y in case.outputs(*map(pg.tensor, xs))):
        return
    slopes = pg.grad(total, places)
    try:
        expected = looped(lambda *a: numbers(slopes(*a)), mapped, xs, ys)
    except (GradientError, np.linalg.LinAlgError):
        return
    what = f"{case.sample.text}, slopes"
    for one, wanted in zip(batched(slopes, mapped, xs, ys, number % 2), expected, strict=True):
        assert_close(one, wanted, what)
    pairs = [np.stack(pair) for pair in zip(xs, ys, strict=True)]
    outer = pg.grad(lambda *a: pg.sum(pg.vmap(total)(*a)), places)(*pairs)
    for one, wanted in zip(outer, expected, strict=True):
        assert_close(one, wanted, f"{what} of vmap")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_agrees_with_a_loop(operation):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with np.errstate(all="ignore"):
            for number, sample in enumerate(operation.samples):
                check_values(Case(operation, sample), number)
            smooth = [sample for sample in operation.samples if sample.smooth]
            for number, sample in enumerate(smooth[:SLOPES]):
                check_slopes(Case(operation, sample), number)
    announced = [str(one.message) for one in told if "no batching rule" in str(one.message)]
    assert bool(announced) <= (operation.__name__ in LOOPS), announced
