"""Why an operation gave a NaN or an infinity, in words, and what to write instead.

The operation says what happens at the numbers it got (`Operation.nonfinite`); here is what only the
graph around it tells: its users, infinities written in the code, masks, and the backward pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...graph.context import level_of, pulled_of
from ...graph.describe.nonfinite import Reason, number
from ...graph.kinds import Elementwise
from ...graph.leaves import Constant
from ...graph.operation import Operation
from ...ops.arithmetic import Divide, Multiply
from ...ops.selection import Where
from ...ops.stable import smooth_form, written_stably
from .origin import Birth, Values, broadcast


def explain(birth: Birth, values: Values) -> Reason:
    """What happened at a birth, and what to write instead."""
    node = birth.node
    value = float(values(node)[birth.element])
    if not isinstance(node, Operation):
        return Reason(f"{node.label()} holds {number(value)}", "look at where the data comes from")
    x = _numbers(node, birth, values)
    reason = _forward(node, value, x, birth)
    pulled = pulled_of(node._origin)
    if level_of(node._origin) and pulled is not None:
        return _derivative(birth, values, reason, pulled)
    if level_of(birth.trail[-1][0]._origin) and (twice := _where_twice(birth, type(node))):
        return Reason(f"{reason.what}, a value that the gradient needs", twice)
    return _of_count(node, reason, x)


def _numbers(node: Operation, birth: Birth, values: Values) -> list[float]:
    """The numbers that an element of an elementwise operation came from, else none."""
    if not isinstance(node, Elementwise):
        return []
    arrays = [values(x) for x in node.inputs]
    return [float(one[broadcast(birth.element, one.shape)]) for one in arrays]


def _forward(node: Operation, value: float, x: Sequence[float], birth: Birth) -> Reason:
    if any(map(math.isinf, x)):
        return _of_infinities(node, x)
    reason = Reason(*node.nonfinite(value, *x))
    users = [user for user, _ in birth.trail[1:3]]
    better = written_stably(node, x, users) if x else ""
    return Reason(reason.what, better or reason.rewrite)


def _of_infinities(node: Operation, x: Sequence[float]) -> Reason:
    """An infinity written in the code, such as that of a mask, that became a NaN."""
    terms = list(map(number, x))
    if node.between and len(x) == 2:
        last = f"({terms[1]})" if x[1] < 0 else terms[1]
        what = f"{terms[0]} {node.between} {last}"
    else:
        what = f"{node.kind_name()} of {', '.join(terms)}"
    return Reason(what, "a large finite number such as −1e9 in place of ∞ in the mask")


def _of_count(node: Operation, plain: Reason, x: Sequence[float]) -> Reason:
    """A mean or variance of too few elements divides by 0."""
    if type(node) is Divide and x[-1] == 0:
        divisor = node.inputs[-1]
        if isinstance(divisor, Constant) and divisor.scalar is not None:
            return Reason(
                f"{plain.what}: the number of elements to average over is 0",
                "check the axis and `correction`: a mean needs an element, a variance with "
                "correction=1 two",
            )
    return plain


# ---------------------------------------------------------------- derivatives


def _derivative(birth: Birth, values: Values, plain: Reason, pulled: type[Operation]) -> Reason:
    at = _place_of(birth, values, pulled)
    where = f"the derivative of {pulled._kind_name}" + (f" at {at}" if at else "")
    y = float(values(birth.node)[birth.element])
    if math.isinf(y) and _meets_zero(birth, values):
        what = f"0 · ∞ in {where}"
    elif math.isinf(y):
        what = f"{where} is {number(y)}: {plain.what}"
    else:
        what = f"{plain.what} in {where}"
    better = _where_twice(birth, pulled) or smooth_form(pulled, birth.order)
    return Reason(what, better or pulled.steep or plain.rewrite)


def _meets_zero(birth: Birth, values: Values) -> bool:
    """Whether the infinity is multiplied by 0 on its way."""
    for (before, _), (node, element) in zip(birth.trail, birth.trail[1:], strict=False):
        if type(node) is Multiply and np.isnan(values(node)[element]):
            others = [x for x in node.inputs if x is not before]
            return any(values(x)[broadcast(element, values(x).shape)] == 0 for x in others)
    return False


def _place_of(birth: Birth, values: Values, pulled: type[Operation]) -> str:
    """At which numbers the derivative was taken, where that can be told."""
    node = birth.node
    level, place = level_of(node._origin) - 1, node._origin
    for one in birth.order:
        if type(one) is not pulled or level_of(one._origin) != level or one._origin != place:
            continue
        value = values(one)
        if isinstance(one, Elementwise) and value.shape == values(node).shape:
            found = _numbers(one, birth, values)
            return number(found[0]) if len(found) == 1 else f"({', '.join(map(number, found))})"
    return ""


def _where_twice(birth: Birth, operation: type[Operation]) -> str:
    """The safe form of an operation whose result `where` masks, "" where nothing is masked."""
    masked = any(type(one) is Where and not level_of(one._origin) for one in birth.order)
    whole = operation.masked() if masked else ""
    return f"where twice, also inside: pg.where(ok, {whole}, 0)" if whole else ""
