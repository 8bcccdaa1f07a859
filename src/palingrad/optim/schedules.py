"""Learning-rate schedules: functions from the number of completed steps to a rate.

A schedule maps a float64 node to a node, so that it is compiled together with the step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ArgumentError, ShapeError
from ..graph.node import Node
from ..graph.registry import ops
from ..messages.calls import public
from ..messages.checks import shown, within
from .checks import rate_of

Schedule = Callable[[Any], Node]


@public
def exponential_decay(initial: float, *, steps: float, rate: float) -> Schedule:
    """initial · rate^(t/steps): decays continuously by the factor `rate` every `steps` steps."""
    within("exponential_decay: initial", initial, "[0, inf)", like=0.1)
    within("exponential_decay: steps", steps, "(0, inf)", like=1000)
    within("exponential_decay: rate", rate, "(0, inf)", like=0.5)
    return lambda t: initial * ops.exp(t * (math.log(rate) / steps))


@public
def cosine_decay(initial: float, *, steps: float, final: float = 0.0) -> Schedule:
    """final + (initial − final)·(1 + cos(π·t/steps))/2 up to `steps` steps, then `final`
    (Loshchilov & Hutter 2016)."""
    within("cosine_decay: initial", initial, "[0, inf)", like=0.1)
    within("cosine_decay: steps", steps, "(0, inf)", like=1000)
    within("cosine_decay: final", final, "[0, inf)", like=0.0)

    def schedule(t: Any) -> Node:
        phase = ops.minimum(t / steps, 1.0) * math.pi
        return final + (initial - final) * 0.5 * (1 + ops.cos(phase))

    return schedule


@public
def piecewise_constant(boundaries: Sequence[float], rates: Sequence[float]) -> Schedule:
    """rates[0] before step boundaries[0], rates[1] before boundaries[1], …; the last rate after."""
    if len(rates) != len(boundaries) + 1:
        raise ShapeError(
            f"piecewise_constant: {len(boundaries)} boundaries need {len(boundaries) + 1} rates, "
            f"got {len(rates)}.",
            hint="A boundary is the step at which one rate follows another: [100], [0.1, 0.01].",
        )
    if sorted(boundaries) != list(boundaries):
        raise ArgumentError(
            f"piecewise_constant: the boundaries {shown(boundaries)} aren't in order.",
            hint=f"Write {sorted(boundaries)}.",
        )
    for rate in rates:
        within("piecewise_constant: a rate", rate, "[0, inf)", like=0.1)

    def schedule(t: Any) -> Node:
        rate: Any = ops.zeros_like(t) + rates[0]
        for boundary, new in zip(boundaries, rates[1:], strict=True):
            rate = ops.where(t < boundary, rate, new)
        return rate

    return schedule


@public
def warmup(schedule: float | Schedule, *, steps: float) -> Schedule:
    """The schedule multiplied by a linear ramp from 0 to 1 during the first `steps` steps."""
    within("warmup: steps", steps, "(0, inf)", like=100)
    if not callable(schedule):
        within("warmup: rate", schedule, "[0, inf)", like=0.1)

    def warmed(t: Any) -> Node:
        rate: Any = rate_of(schedule, schedule(t)) if callable(schedule) else schedule
        return ops.minimum((t + 1) / steps, 1.0) * rate

    return warmed
