"""Checks of learning rates and schedules, before and while an optimizer uses them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..graph.leaves import Constant, Variable
from ..graph.node import Node
from ..messages.checks import number_of, shown, within
from ..shapes import text

SURPLUS = (
    "Variables are given to minimize(loss, variables), which finds them by itself too; options are "
    "written by name: learning_rate=0.1."
)


def check_rate(optimizer: str, rate: Any) -> None:
    """Raise ArgumentError unless `rate` is a number ≥ 0, or a function of the number of steps."""
    what = f"{optimizer}: learning_rate"
    if isinstance(rate, Variable):
        raise ArgumentError(
            f"{what} is {rate.label()}{rate.built()}, whose value would be copied once.",
            hint="Pass a number, and change it by optimizer.learning_rate.assign(0.5).",
        )
    if isinstance(rate, (dict, list, tuple)) or hasattr(rate, "parameters"):
        kind = type(rate).__name__
        raise ArgumentError(f"{what} is a {kind}, {shown(rate)}; expected a number ≥ 0.",
                            hint=SURPLUS)  # fmt: skip
    if callable(rate):
        _check_schedule(optimizer, rate)
    else:
        within(what, rate, "[0, inf)", like=0.001)


def _check_schedule(optimizer: str, schedule: Callable[..., Any]) -> None:
    try:
        inspect.signature(schedule).bind(0)
    except TypeError:
        raise ArgumentError(
            f"{optimizer}: the schedule {name_of(schedule)} doesn't take one argument, the number "
            "of steps.",
            hint="Write one with a parameter: lambda step: 0.1.",
        ) from None
    except ValueError:  # a builtin function without a signature
        return


def rate_of(schedule: Callable[..., Any], rate: Any) -> Node:
    """What a schedule returned, as a node. Raises ArgumentError unless it is a number ≥ 0."""
    number = rate
    if isinstance(rate, Node):
        number = rate._known()
        if rate.shape not in ((), None):
            raise ArgumentError(
                f"the schedule {name_of(schedule)} returned shape {text(rate.shape)}, expected a "
                "scalar.",
                hint="Return one number, such as rates[0].",
            )
        if number is None:  # in a graph, it is computed when the step runs
            return rate
    value = number_of(number)
    if value is None or not 0 <= value < np.inf:
        raise ArgumentError(
            f"the schedule {name_of(schedule)} returned {shown(number)}; expected a number ≥ 0.",
            hint="A schedule returns the learning rate, as in lambda step: 0.1.",
        )
    return rate if isinstance(rate, Node) else Constant(np.float64(value))


def name_of(function: Callable[..., Any]) -> str:
    """A function's name, with the place of its definition if it has one."""
    name = getattr(function, "__name__", type(function).__name__)
    code = getattr(function, "__code__", None)
    if code is None:
        return name
    return f"{name} ({code.co_filename.rpartition('/')[2]}:{code.co_firstlineno})"
