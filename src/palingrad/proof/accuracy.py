"""How accurate results in narrow floats are, compared with float64 on the same inputs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np

from ..autodiff.check import widest
from ..autodiff.gradients import gradients
from ..dtypes import Array, float16, float32, float64
from ..graph.graph import Graph
from ..graph.kinds import Composite, Elementwise, Random
from ..graph.leaves import placeholder
from ..graph.promotion import tensor
from ..graph.registry import ops
from ..graph.traversal.order import postorder
from ..session import Session
from .case import Case, eager, floats, in_dtype, is_float, values, weights
from .checks import Subject, each
from .results import varies
from .tolerances import assert_close, require

DRAWS = 64  # of a sample's random inputs, in the measurement of ULPs


@each
def narrow_floats_are_accurate(case: Case) -> None:
    """Results and gradients in float16 and float32 are those in float64, rounded."""
    for dtype in (float16, float32) if varies(case) else ():
        arrays = case.arrays(dtype)
        _, ys, slopes = eager(case, arrays)
        wide = list(map(widest, arrays))
        exact = eager(case, wide)
        pairs = [*zip(ys, exact[1], strict=True), *zip(slopes, exact[2], strict=True)]
        for narrow, other in pairs:
            with np.errstate(all="ignore"):
                assert_close(narrow.numpy(), other.numpy().astype(narrow.dtype), f"{dtype}")


@each
def half_floats_are_rounded_once(case: Case) -> None:
    """A composite operation that computes float16 by way of float32 does so in its gradient too.

    Results and gradients are within one unit in the last place of the largest element.
    """
    if not varies(case) or not issubclass(case.operation, Composite):
        return
    arrays = case.arrays(float16)
    _, ys, slopes = eager(case, arrays)
    expanded = [y.expansion for y in ys if isinstance(y, Composite)]
    if not any(node.dtype == float32 for node in postorder(*expanded)):
        return
    wide = [tensor(widest(x)) for x in arrays]
    exact = case.outputs(*wide)
    total: Any = sum(
        ops.sum(y * weights(narrow).astype(float64)) for y, narrow in zip(exact, ys, strict=True)
    )
    exact_slopes = gradients(total, floats(wide))
    for narrow, other in zip([*ys, *slopes], [*exact, *exact_slopes], strict=True):
        found, expected = narrow.numpy().astype(float64), other.numpy()
        with np.errstate(all="ignore"):
            largest = np.max(np.abs(expected), initial=0.0)
            errors = np.abs(found - expected) / np.spacing(largest.astype(float16)).astype(float64)
        worst = np.max(errors[np.isfinite(errors)], initial=0.0)
        require(worst <= 1, f"{worst:.2f} units in the last place of float16")


def worst_ulps(subject: Subject) -> dict[str, float]:
    """For each engine the largest error in float32, in units in the last place.

    The reference is float64, on the inputs that float32 holds. Each smooth sample is drawn many
    times. The unit is that of the element for an elementwise operation, and for the others, whose
    terms may cancel, that of the largest element of the result. Empty if nothing is measured.
    """
    if issubclass(subject.operation, Random):
        return {}
    cases = [case for case in subject.cases if varies(case)]
    fed: list[Array] = []
    exact: list[Array] = []
    for case in cases:
        arrays = _drawn_often(case)
        wide = list(map(widest, arrays))
        exact += values(case.outputs(*map(tensor, wide)))
        fed += arrays
    with Graph() as graph:
        xs = [placeholder(x.shape, dtype=x.dtype) for x in fed]
        rest = iter(xs)
        ys = [y for case in cases for y in case.outputs(*islice(rest, len(case.arrays())))]
    found: dict[str, float] = {}
    for engine in subject.engines if ys else ():
        if engine != "auto":  # runs one of the others
            results = Session(graph, engine=engine).run(ys, dict(zip(xs, fed, strict=True)))
            worst = _worst(subject.operation, results, exact)
            if worst is not None:
                found[engine] = worst
    return found


def _drawn_often(case: Case) -> list[Array]:
    """The inputs in float32: of an elementwise operation all draws in one row, else one draw."""
    if not issubclass(case.operation, Elementwise):
        return case.arrays(float32)
    draws: list[list[Array]] = []
    for seed in range(DRAWS):
        drawn = map(np.asarray, case.sample.inputs(np.random.default_rng(seed)))
        draws.append([x.ravel() for x in np.broadcast_arrays(*drawn)])
    rows = [np.concatenate(one) for one in zip(*draws, strict=True)]
    return [in_dtype(x, float32) for x in rows]


def _worst(operation: type[Any], results: Sequence[Array], exact: Sequence[Array]) -> float | None:
    errors: list[float] = []
    for result, other in zip(results, exact, strict=True):
        if not is_float(result) or not result.size:
            continue
        sizes = np.abs(other)
        if not issubclass(operation, Elementwise):
            sizes = np.full_like(sizes, np.max(sizes))
        with np.errstate(all="ignore"):
            unit = np.spacing(sizes.astype(float32)).astype(float64)
            error = np.abs(widest(result) - other) / unit
        errors.append(float(np.max(error[np.isfinite(error)], initial=0.0)))
    return max(errors) if errors else None
