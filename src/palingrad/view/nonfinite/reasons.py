"""Explains why an operation gave a NaN or an infinity, and suggests a rewrite.

`Operation.nonfinite` explains the result for given operands. This file adds what depends on the
surrounding graph: consumers, infinities in data and in masks, and the backward pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...dtypes import is_floating
from ...graph.context import level_of, pulled_of
from ...graph.describe.nonfinite import Reason, number
from ...graph.kinds import Elementwise
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import Item, Operation
from ...graph.regions.regional import Regional
from ...graph.traversal.order import postorder
from ...ops.elementwise.arithmetic import Divide, Multiply
from ...ops.elementwise.selection import Where
from ...ops.stable import smooth_form, written_stably
from ..names import names_of
from .in_regions import found_inside
from .origin import NonFiniteOrigin, Values, broadcast

_MASK = "a large finite number such as −1e9 in place of ∞ in the mask"


def explain(origin: NonFiniteOrigin, values: Values) -> Reason:
    """The cause of a non-finite value at its origin, and a suggested rewrite."""
    node = origin.node
    value = values(node)[origin.element].item()
    if not isinstance(node, Operation):
        return Reason(f"{named(node)} holds {number(value)}", "to find where the data come from")
    parent = node.inputs[0] if type(node) is Item else None
    inside = found_inside(parent, values) if isinstance(parent, Regional) else None
    if parent is None or inside is None:
        reason = _of_operation(node, value, origin, values)
    else:
        within = explain(replace(inside.origin, leaf=None), inside.values)
        place = f"in step {inside.step} of {parent.label()}{inside.origin.node.built()}"
        reason = Reason(f"{within.what} {place}", within.rewrite)
    return _with_leaf(reason, origin, values) if origin.infinite else reason


def _with_leaf(reason: Reason, origin: NonFiniteOrigin, values: Values) -> Reason:
    """The reason for a NaN made from an infinity, with the leaf that holds the infinity."""
    leaf = origin.leaf
    if leaf is None or literal(leaf):
        return reason
    infinity = number(next(x for x in values(leaf).flat if np.isinf(x)).item())
    advice = f"finite numbers in {named(leaf)}, such as pg.clip gives"
    if isinstance(leaf, Constant):
        advice = "finite numbers in place of ∞ there, such as −1e9 in a mask"
    return Reason(f"{reason.what}, where {named(leaf)} holds {infinity}", advice)


def named(node: Node) -> str:
    """The node's kind and its name in the user's code."""
    name = names_of([node])[id(node)]
    return f"{node.kind_name()} {name!r}" if name != node.kind_name() else node.label()


def literal(node: Node) -> bool:
    """Whether the node is a number in the code, such as the −∞ of a mask."""
    return isinstance(node, Constant) and node.scalar is not None


def _of_operation(node: Operation, value: Any, origin: NonFiniteOrigin, values: Values) -> Reason:
    x = _numbers(node, origin, values)
    reason = _forward(node, value, x, origin, values)
    pulled = pulled_of(node._origin)
    if level_of(node._origin) and pulled is not None:
        return _derivative(origin, values, reason, pulled)
    if level_of(origin.trail[-1][0]._origin) and (twice := _where_twice(origin, type(node))):
        return Reason(f"{reason.what}, a value that the gradient needs", twice)
    return _of_count(node, reason, x)


def _numbers(node: Operation, origin: NonFiniteOrigin, values: Values) -> list[Any]:
    """The operands of an element of an elementwise operation; empty for other operations."""
    if not isinstance(node, Elementwise):
        return []
    arrays = [values(x) for x in node.inputs]
    return [array[broadcast(origin.element, array.shape)].item() for array in arrays]


def _forward(
    node: Operation, value: Any, x: Sequence[Any], origin: NonFiniteOrigin, values: Values
) -> Reason:
    if any(isinstance(one, complex) for one in (value, *x)):
        at = f" of {', '.join(map(number, x))}" if x else ""
        return Reason(f"{node.kind_name()}{at} is {number(value)}", "keeping away from this point")
    if origin.infinite or any(map(math.isinf, x)):
        return _of_infinities(node, x, values)
    reason = Reason(*node.nonfinite(value, *x))
    users = [user for user, _ in origin.trail[1:3]]
    better = written_stably(node, x, users) if x else ""
    return Reason(reason.what, better or reason.rewrite)


def _of_infinities(node: Operation, x: Sequence[float], values: Values) -> Reason:
    """The reason for a NaN made from infinities: those of a mask, or of data."""
    terms = list(map(number, x))
    if node.between and len(x) == 2:
        last = f"({terms[1]})" if x[1] < 0 else terms[1]
        what = f"{terms[0]} {node.between} {last}"
    elif x:
        what = f"{node.kind_name()} of {', '.join(terms)}"
    else:
        what = f"{node.kind_name()} of numbers with {_extremes(map(values, node.inputs))}"
    return Reason(what, _MASK)


def _extremes(arrays: Iterable[Any]) -> str:
    """'∞ and −∞', or the one of them that the arrays hold, with 0 if they hold that."""
    numbers = [a.ravel() for a in arrays if isinstance(a, np.ndarray) and is_floating(a.dtype)]
    held = [sign for sign in (np.inf, -np.inf) if any((a == sign).any() for a in numbers)]
    if len(held) == 1 and any((a == 0).any() for a in numbers):
        held.append(0.0)
    return " and ".join(map(number, held))


def _of_count(node: Operation, plain: Reason, x: Sequence[float]) -> Reason:
    """The reason for a division by 0 in a mean or variance of too few elements, else `plain`."""
    if type(node) is Divide and x[-1] == 0:
        divisor = node.inputs[-1]
        if isinstance(divisor, Constant) and divisor.scalar is not None:
            return Reason(
                f"{plain.what}: the number of elements to average over is 0",
                "another axis or `correction`: a mean needs an element, a variance with "
                "correction=1 two",
            )
    return plain


# ---------------------------------------------------------------- derivatives


def _derivative(
    origin: NonFiniteOrigin, values: Values, plain: Reason, pulled: type[Operation]
) -> Reason:
    at = _place_of(origin, values, pulled)
    where = f"the derivative of {pulled._kind_name}" + (f" at {at}" if at else "")
    y = values(origin.node)[origin.element].item()
    if isinstance(y, complex):
        return Reason(f"{plain.what} in {where}", pulled.steep or plain.rewrite)
    if math.isinf(y) and _meets_zero(origin, values):
        what = f"0 · ∞ in {where}"
    elif math.isinf(y):
        what = f"{where} is {number(y)}: {plain.what}"
    else:
        what = f"{plain.what} in {where}"
    behind = postorder(*(x for node in _pulled(origin, pulled) for x in node.inputs))
    better = _where_twice(origin, pulled) or smooth_form(pulled, behind)
    return Reason(what, better or pulled.steep or plain.rewrite)


def _meets_zero(origin: NonFiniteOrigin, values: Values) -> bool:
    """Whether the infinity is multiplied by 0 on its path to the result."""
    for (before, _), (node, element) in zip(origin.trail, origin.trail[1:], strict=False):
        if isinstance(node, Multiply) and np.isnan(values(node)[element]):
            factors = [x for x in node.inputs if x is not before]
            return any(values(x)[broadcast(element, values(x).shape)] == 0 for x in factors)
    return False


def _place_of(origin: NonFiniteOrigin, values: Values, pulled: type[Operation]) -> str:
    """The operands at which the derivative was taken, as text; "" if unknown."""
    for other in _pulled(origin, pulled):
        if isinstance(other, Elementwise) and values(other).shape == values(origin.node).shape:
            x = _numbers(other, origin, values)
            return number(x[0]) if len(x) == 1 else f"({', '.join(map(number, x))})"
    return ""


def _pulled(origin: NonFiniteOrigin, pulled: type[Operation]) -> list[Operation]:
    """The operations in whose derivative the fault may have begun: those of one line."""
    level, place = level_of(origin.node._origin) - 1, origin.node._origin
    return [
        node
        for node in origin.order
        if type(node) is pulled and level_of(node._origin) == level and node._origin == place
    ]


def _where_twice(origin: NonFiniteOrigin, operation: type[Operation]) -> str:
    """The safe form of an operation whose result `where` masks; "" if the graph has no mask."""
    masked = any(type(node) is Where and not level_of(node._origin) for node in origin.order)
    whole = operation.masked() if masked else ""
    return f"where twice, also inside: pg.where(ok, {whole}, 0)" if whole else ""
