"""Learning-rate schedules: functions from the number of completed steps to a rate.

A schedule maps a float64 node to a node, so that it is compiled together with the step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ShapeError
from ..graph.node import Node
from ..graph.registry import ops

Schedule = Callable[[Any], Node]


def exponential_decay(initial: float, *, steps: float, rate: float) -> Schedule:
    """initial · rate^(t/steps): decays continuously by the factor `rate` every `steps` steps."""
    return lambda t: initial * ops.exp(t * (math.log(rate) / steps))


def cosine_decay(initial: float, *, steps: float, final: float = 0.0) -> Schedule:
    """final + (initial − final)·(1 + cos(π·t/steps))/2 up to `steps` steps, then `final`
    (Loshchilov & Hutter 2016)."""

    def schedule(t: Any) -> Node:
        phase = ops.minimum(t / steps, 1.0) * math.pi
        return final + (initial - final) * 0.5 * (1 + ops.cos(phase))

    return schedule


def piecewise_constant(boundaries: Sequence[float], rates: Sequence[float]) -> Schedule:
    """rates[0] before step boundaries[0], rates[1] before boundaries[1], …; the last rate after."""
    if len(rates) != len(boundaries) + 1:
        raise ShapeError(f"{len(boundaries)} boundaries need {len(boundaries) + 1} rates")

    def schedule(t: Any) -> Node:
        rate: Any = ops.zeros_like(t) + rates[0]
        for boundary, new in zip(boundaries, rates[1:], strict=True):
            rate = ops.where(t < boundary, rate, new)
        return rate

    return schedule


def warmup(schedule: float | Schedule, *, steps: float) -> Schedule:
    """The schedule multiplied by a linear ramp from 0 to 1 during the first `steps` steps."""

    def warmed(t: Any) -> Node:
        rate: Any = schedule(t) if callable(schedule) else schedule
        return ops.minimum((t + 1) / steps, 1.0) * rate

    return warmed
