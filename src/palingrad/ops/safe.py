"""Safe forms: an operation whose operands are kept where its value and slope are finite.

They are the rewrites that `Operation.nonfinite` and `steep` recommend, as nodes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..classes import NamedTuple
from ..dtypes import is_floating
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.registry import ops
from .elementwise.arithmetic import Divide
from .elementwise.exponential import Exp
from .reduction.reduce import Sum
from .stable import stable_form

_EPS = 1e-7  # the smallest argument of a logarithm
_EDGE = 1e-6  # the distance kept from the ends of a domain
_TINY = 1e-12  # added under a root


class SafeForm(NamedTuple):
    """A replacement of a node, built from its operands, and its text."""

    build: Callable[..., Node]
    text: str


def _bounded(inverse: Callable[[float], float], *, both: bool = False) -> Callable[[Any], SafeForm]:
    """The form of a function that grows like eˣ: its argument is at most the largest safe one."""

    def form(node: Any) -> SafeForm:
        end = math.floor(inverse(float(np.finfo(node.dtype).max)))
        name = node.kind_name()
        function: Any = getattr(ops, name)
        if both:
            return SafeForm(lambda x: function(ops.clip(x, -end, end)),
                            f"pg.{name}(pg.clip(x, -{end}, {end}))")  # fmt: skip
        return SafeForm(lambda x: function(ops.minimum(x, end)), f"pg.{name}(pg.minimum(x, {end}))")

    return form


def _inside(low: float, high: float | None, shown: str) -> Callable[[Any], SafeForm]:
    """The form of a function with a domain: its argument is moved into it."""

    def form(node: Any) -> SafeForm:
        name = node.kind_name()
        function: Any = getattr(ops, name)

        def build(x: Any) -> Node:
            return function(ops.maximum(x, low) if high is None else ops.clip(x, low, high))

        return SafeForm(build, f"pg.{name}({shown})")

    return form


def _quotient(x: Any, y: Any) -> Any:
    zero = y == 0
    return ops.where(zero, 0, x / ops.where(zero, 1, y))


_DIVIDED = SafeForm(_quotient, "pg.where(y == 0, 0, x / pg.where(y == 0, 1, y))")
_INVERTED = SafeForm(lambda x: _quotient(1, x), "pg.where(x == 0, 0, 1 / pg.where(x == 0, 1, x))")


def _power(node: Any) -> SafeForm:
    """Powers of 0 become 1; the sign of a base is dropped where the exponent isn't an integer."""
    exponent = node.inputs[1].scalar if isinstance(node.inputs[1], Constant) else None
    if exponent is not None and float(exponent).is_integer():
        return SafeForm(lambda x, p: ops.pow(ops.where(x == 0, 1, x), p),
                        "pg.where(x == 0, 1, x) ** p")  # fmt: skip
    return SafeForm(lambda x, p: ops.pow(ops.where(x == 0, 1, ops.abs(x)), p),
                    "pg.where(x == 0, 1, pg.abs(x)) ** p")  # fmt: skip


_UNIT = "pg.clip(x, 1e-6 - 1, 1 - 1e-6)"

_BOUNDED: dict[str, Callable[[Any], SafeForm]] = {
    **dict.fromkeys(("exp", "expm1"), _bounded(math.log)),
    "exp2": _bounded(math.log2),
    "sinh": _bounded(math.asinh, both=True),
    "cosh": _bounded(math.acosh, both=True),
}
# By the operation's name: for values outside its domain or range.
_DOMAIN: dict[str, Callable[[Any], SafeForm]] = {
    **dict.fromkeys(("log", "log2", "log10"), _inside(_EPS, None, "pg.maximum(x, 1e-7)")),
    "log1p": _inside(_EPS - 1, None, "pg.maximum(x, 1e-7 - 1)"),
    "sqrt": _inside(0.0, None, "pg.maximum(x, 0)"),
    **dict.fromkeys(("asin", "acos", "atanh"), _inside(_EDGE - 1, 1 - _EDGE, _UNIT)),
    "acosh": _inside(1 + _EDGE, None, "pg.maximum(x, 1 + 1e-6)"),
    **_BOUNDED,
    "divide": lambda _: _DIVIDED,
    "reciprocal": lambda _: _INVERTED,
    "pow": _power,
}
# For infinite slopes, where that form differs.
_SLOPE: dict[str, Callable[[Any], SafeForm]] = {
    "sqrt": lambda _: SafeForm(
        lambda x: ops.sqrt(ops.maximum(x, 0) + _TINY), f"pg.sqrt(pg.maximum(x, 0) + {_TINY:g})"
    ),
    "cbrt": lambda _: SafeForm(
        lambda x: ops.where(x == 0, 0, ops.cbrt(ops.where(x == 0, 1, x))),
        "pg.where(x == 0, 0, pg.cbrt(pg.where(x == 0, 1, x)))",
    ),
    "pow": lambda _: SafeForm(lambda x, p: ops.pow(x + _TINY, p), f"(x + {_TINY:g}) ** p"),
}


def safe_form(node: Node, *, slope: bool = False) -> SafeForm | None:
    """The safe form of an operation on real numbers, for its slope or its value; None if none is
    known. Numbers of a dtype that a feed decides are taken for real."""
    name = node.kind_name()
    if node.dtype is None and name in _BOUNDED:
        return None  # the bound depends on the dtype
    if node.dtype is not None and not is_floating(node.dtype):
        return None
    form = (_SLOPE.get(name) if slope else None) or _DOMAIN.get(name)
    return None if form is None else form(node)


def whole_form(node: Node) -> SafeForm | None:
    """The stable form of the formula that ends in this node: see `stable_form`; also e^x / Σ e^x,
    which is a softmax."""
    stable = stable_form(node)
    if stable is not None:
        return SafeForm(lambda: stable.build(), stable.instead)
    if type(node) is Divide and type(node.inputs[0]) is Exp and type(node.inputs[1]) is Sum:
        e: Any = node.inputs[0]
        total: Any = node.inputs[1]
        axis = _single(total.axis, e.ndim)
        if total.inputs[0] is e and axis is not None and (total.keepdims or e.ndim == 1):
            x = e.inputs[0]
            return SafeForm(lambda: ops.softmax(x, axis=axis), "pg.softmax(x)")
    return None


def _single(axis: int | Sequence[int] | None, ndim: int) -> int | None:
    """The one axis of a reduction, or None."""
    if axis is None:
        return 0 if ndim == 1 else None
    axes = [axis] if isinstance(axis, int) else list(axis)
    return axes[0] if len(axes) == 1 else None
