"""Gradients of a program's float outputs against central differences, in float64.

Along a random direction t the total is a function of one number, F(s) = f(x + s·t), and g·t must be
F'(0). Two steps tell whether F is smooth there; where it isn't, differences say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

import palingrad as pg
from fuzzing.compare import Failure
from fuzzing.place import REFUSALS
from fuzzing.program import Call, Leaf, Program, Value, evaluated
from palingrad.graph.operation import Operation
from palingrad.ops.elementwise.arithmetic import Remainder
from palingrad.ops.elementwise.numbers import Fmod
from palingrad.proof.case import is_float, weights

STEP = 1e-3
TOLERANCE = 1e-5  # of float64: F is smooth if two steps agree to a tenth of this


def checked_slope(program: Program, seed: int) -> Failure | None:
    """How the gradient differs from the slope along a direction, if it does and there is one."""
    leaves = [leaf for leaf in program.leaves if leaf.array.dtype.kind == "f"]
    if not leaves or any(_hides(call.operation) for call in _calls(program)):
        return None
    rng = np.random.default_rng((seed, 1))
    arrays = {leaf: leaf.array.astype(np.float64) for leaf in leaves}
    if not all(np.isfinite(array).all() for array in arrays.values()):
        return None
    direction = {leaf: rng.uniform(-1, 1, array.shape) for leaf, array in arrays.items()}
    pg.set_default_dtype(pg.float64)
    try:
        return _compared(program, arrays, direction)
    # Say a float32 that was rounded to an index, and to another one in float64; or a rule that
    # divides the Python numbers of a formula.
    except (*REFUSALS, ZeroDivisionError):
        return None
    finally:
        pg.set_default_dtype(pg.float32)


def _calls(program: Program) -> list[Call]:
    return [value for value in program.order if isinstance(value, Call)]


def _hides(operation: type[Operation]) -> bool:
    """Whether no sample's derivative is a slope, as that of stop_gradient isn't."""
    return bool(operation.samples) and not any(sample.smooth for sample in operation.samples)


def _compared(
    program: Program, arrays: Mapping[Leaf, Any], direction: Mapping[Leaf, Any]
) -> Failure | None:
    @cache
    def at(shift: float) -> tuple[Any, dict[Leaf, pg.Node], list[Any]]:
        return _total(program, {x: arrays[x] + shift * direction[x] for x in arrays})

    def along(shift: float) -> float:
        total, nodes, _ = at(shift)
        gradients = pg.gradients(total, list(nodes.values()))
        pairs = zip(gradients, nodes, strict=True)
        with np.errstate(invalid="ignore"):  # ∞ − ∞
            return sum(float(np.sum(g.numpy() * direction[leaf])) for g, leaf in pairs)

    if at(0.0)[0] is None:
        return None
    low, found, high = map(along, (-0.5 * STEP, 0.0, 0.5 * STEP))
    if not abs(high - low) <= 0.05 * max(1.0, abs(found)):
        return None  # made of roundings, as where equal numbers differ, or 0·∞ = NaN on the way
    if not all(map(_same, at(-2 * STEP)[2], at(2 * STEP)[2])):
        return None  # a sawtooth, of which the steps may fall on the same place of each tooth
    values = {shift: float(at(shift * STEP)[0].numpy()) for shift in (-2, -1, -0.5, 0, 0.5, 1, 2)}
    expected = _smooth_slope(values)
    if np.isnan(found) or expected is None:
        return None
    if abs(found - expected) <= TOLERANCE * max(1.0, abs(expected)):
        return None
    text = f"gradient along a direction is {found!r}, the slope {expected!r}"
    return Failure(program, "eager", "slope", text)


def _smooth_slope(f: Mapping[float, float]) -> float | None:
    """F'(0) from F at multiples of the step, None where F isn't smooth or of too large numbers."""
    if not np.isfinite(list(f.values())).all():
        return None
    wide = (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * STEP)
    near = (8 * (f[0.5] - f[-0.5]) - (f[1] - f[-1])) / (6 * STEP)
    bent = abs(
        f[1] - 2 * f[0] + f[-1]
    )  # 4 times as much as at half the step, unless there's a kink
    half = abs(f[0.5] - 2 * f[0] + f[-0.5])
    size = max(1.0, abs(near))
    if max(map(abs, f.values())) * 1e-15 / STEP > 0.01 * TOLERANCE * size:
        return None  # the roundings of so large numbers look like a slope
    if abs(wide - near) > 0.1 * TOLERANCE * size or half > 0.35 * bent + 1e-9 * size:
        return None
    return near


def _total(
    program: Program, arrays: Mapping[Leaf, Any]
) -> tuple[pg.Node | None, dict[Leaf, Any], list[Any]]:
    """A weighted sum of all float outputs, the nodes of the leaves, the quotients of remainders."""
    made: dict[Value, Any] = evaluated(
        program, lambda leaf: pg.tensor(arrays.get(leaf, leaf.array)), _wide
    )
    ys = [made[value] for value in program.outputs if is_float(made[value])]
    terms = [pg.sum(pg.cast(y, pg.float64) * weights(y)) for y in ys]
    total = sum(terms[1:], start=terms[0]) if terms else None
    return total, {leaf: made[leaf] for leaf in arrays}, _quotients(program, made)


def _same(a: Any, b: Any) -> bool:
    return np.array_equal(a, b, equal_nan=True)


@np.errstate(all="ignore")
def _quotients(program: Program, made: Mapping[Value, Any]) -> list[Any]:
    calls = [call for call in _calls(program) if call.operation in (Remainder, Fmod)]
    pairs = [
        [np.asarray(made[x] if isinstance(x, Value) else x) for x in call.inputs[:2]]
        for call in calls
    ]
    return [np.trunc(x / y) for x, y in pairs]


def _wide(value: Call, *inputs: Any) -> pg.Node:
    """The operation, in float64 where an attribute says another float dtype."""
    attributes: dict[str, Any] = {
        name: np.dtype(np.float64) if isinstance(one, np.dtype) and one.kind == "f" else one
        for name, one in value.attributes.items()
    }
    return value.operation(*inputs, **attributes)
