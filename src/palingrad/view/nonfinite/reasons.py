"""Why an operation gave a NaN or an infinity, in words, and what to write instead."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...graph.context import level_of, pulled_of
from ...graph.kinds import Composite, Custom, Elementwise
from ...graph.operation import Operation
from ...ops.selection import Where
from .origin import Birth, Values, broadcast


class Reason(NamedTuple):
    """What happened, and a safe way to write it."""

    what: str
    rewrite: str


class Case(NamedTuple):
    """One element of one operation: the inputs' numbers there, the result, and where it stands."""

    node: Operation
    x: list[float]
    y: float
    dtype: Any
    feeds: list[str]  # the library's operations that made the inputs
    uses: set[str]  # the library's operations that use the result

    @property
    def overflows(self) -> bool:
        """Whether ordinary numbers gave an infinity."""
        return math.isinf(self.y)


def number(x: float) -> str:
    """A number as people write it: 3 digits, a true minus, ∞."""
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    return f"{x:.3g}".replace("-", "−").replace("e+", "e")


# ---------------------------------------------------------------- forward, one rule a family


def _log(case: Case) -> Reason:
    (x,) = case.x
    kind, base = case.node.kind_name(), 1 if case.node.kind_name() == "log1p" else 0
    what = f"{kind} of {number(x)}"
    made = case.feeds[0]
    if made == "softmax":
        return Reason(what, "pg.log_softmax(x) instead of pg.log(pg.softmax(x))")
    if made == "sigmoid":
        return Reason(what, "pg.log_sigmoid(x) instead of pg.log(pg.sigmoid(x))")
    if made in ("exp", "sum") and x == 0:
        return Reason(what, "pg.logsumexp(x), which doesn't underflow")
    if x + base < 0:
        return Reason(what, f"keep the argument positive, as in pg.{kind}(pg.maximum(x, 1e-7))")
    if made == "subtract" and not base:
        return Reason(what, "pg.log1p(-p) instead of pg.log(1 - p), or pg.maximum(x, 1e-7) inside")
    return Reason(what, f"pg.{kind}(x + eps) or pg.{kind}(pg.maximum(x, eps)), say eps = 1e-7")


def _sqrt(case: Case) -> Reason:
    (x,) = case.x
    return Reason(
        f"square root of {number(x)}",
        "pg.sqrt(pg.maximum(x, 0)), or pg.var and pg.std where it is a variance",
    )


def _divide(case: Case) -> Reason:
    x, y = case.x if len(case.x) == 2 else (1.0, case.x[0])
    if y == 0:
        return Reason(
            f"{number(x)}/0",
            "pg.where(y == 0, 0, x / pg.where(y == 0, 1, y)), or x / (y + eps) where y ≥ 0",
        )
    return Reason(
        f"{number(x)} / {number(y)} overflows {case.dtype}", "a larger eps below, or float64"
    )


_LARGEST: dict[str, Callable[[float], float]] = {
    "exp": math.log,
    "exp2": math.log2,
    "expm1": math.log,
    "sinh": math.asinh,
    "cosh": math.acosh,
}


def _exp(case: Case) -> Reason:
    (x,), kind = case.x, case.node.kind_name()
    largest = _LARGEST[kind](float(np.finfo(case.dtype).max))
    what = f"{kind} overflows at {number(x)} in {case.dtype} (it ends at {largest:.4g})"
    if "sum" in case.uses or "divide" in case.uses:
        return Reason(what, "pg.softmax or pg.logsumexp, which subtract the largest x first")
    if "add" in case.uses or "log1p" in case.uses:
        return Reason(what, "pg.softplus(x) for log(1 + eˣ), pg.sigmoid(x) for 1/(1 + e⁻ˣ)")
    return Reason(
        what, f"bound the argument, as in pg.{kind}(pg.minimum(x, {math.floor(largest)}))"
    )


def _pow(case: Case) -> Reason:
    x, y = case.x
    if x < 0 and y != int(y):
        return Reason(
            f"{number(x)} to the power {number(y)}",
            "pg.abs(x) ** y, or pg.maximum(x, 0) ** y; for cube roots pg.cbrt(x)",
        )
    if x == 0:
        return Reason(
            f"0 to the power {number(y)}", "pg.where(x == 0, 1, x) ** y, or (x + eps) ** y"
        )
    what = f"{number(x)} to the power {number(y)} overflows {case.dtype}"
    return Reason(what, "pg.exp(y * log_x) with a bounded exponent, or float64")


def _domain(text: str, rewrite: str) -> Callable[[Case], Reason]:
    def rule(case: Case) -> Reason:
        return Reason(f"{case.node.kind_name()} of {number(case.x[0])}, {text}", rewrite)

    return rule


_UNIT = "pg.clip(x, -1 + eps, 1 - eps) inside, say eps = 1e-6"


def _overflow(sign: str) -> Callable[[Case], Reason]:
    def rule(case: Case) -> Reason:
        terms = case.x if len(case.x) > 1 else case.x * 2
        what = f" {sign} ".join(map(number, terms)) + f" overflows {case.dtype}"
        return Reason(what, "scale the numbers down, add logarithms instead, or use float64")

    return rule


def _remainder(case: Case) -> Reason:
    return Reason(f"{case.node.kind_name()} of {number(case.x[0])} by {number(case.x[1])}",
                  "pg.where(y == 0, 1, y) as the divisor")  # fmt: skip


def _cast(case: Case) -> Reason:
    return Reason(f"{number(case.x[0])} doesn't fit {case.dtype}", "a wider dtype, or pg.clip")


FORWARD: dict[str, Callable[[Case], Reason]] = {
    **dict.fromkeys(("log", "log2", "log10", "log1p"), _log),
    **dict.fromkeys(("exp", "exp2", "expm1", "sinh", "cosh"), _exp),
    **dict.fromkeys(("divide", "reciprocal"), _divide),
    **dict.fromkeys(("remainder", "floor_divide"), _remainder),
    "sqrt": _sqrt,
    "pow": _pow,
    "asin": _domain("which is outside −1 … 1", _UNIT),
    "acos": _domain("which is outside −1 … 1", _UNIT),
    "atanh": _domain("which isn't inside −1 … 1", _UNIT),
    "acosh": _domain("which is below 1", "pg.maximum(x, 1) inside"),
    "multiply": _overflow("·"),
    "square": _overflow("·"),
    "add": _overflow("+"),
    "subtract": _overflow("−"),
    "hypot": _overflow("and"),
    "cast": _cast,
}

_AGGREGATES = {
    "sum": "the sum overflows {dtype}",
    "prod": "the product overflows {dtype}",
    "matmul": "the sum of products overflows {dtype}",
}


def _forward(case: Case | None, node: Operation, value: Any) -> Reason:
    if case is None or not isinstance(node, Elementwise):
        kind = node.library_name()
        if kind == "one_hot":
            return Reason("a label that is no class", "labels from 0 to the number of classes − 1")
        if isinstance(node, Custom):
            return Reason(
                f"{type(node).__name__}.compute gave {number(float(value))} for finite inputs",
                "look at its compute for these inputs; node.inputs holds them",
            )
        name = node.kind_name()
        what = _AGGREGATES.get(kind, f"{name} of finite numbers isn't finite in {{dtype}}")
        return Reason(what.format(dtype=node.dtype),
                      "scale the numbers down, take means for sums, or use float64")  # fmt: skip
    infinite = [x for x in case.x if math.isinf(x)]
    if infinite:
        return _of_infinities(case, infinite)
    rule = FORWARD.get(node.library_name())
    if rule is not None:
        return rule(case)
    at = ", ".join(map(number, case.x))
    return Reason(
        f"{node.kind_name()} of {at} is {number(case.y)}", "keep the argument away from there"
    )


def _of_infinities(case: Case, infinite: Sequence[float]) -> Reason:
    """An infinity written in the code, such as that of a mask, that became a NaN."""
    symbols = {"subtract": "−", "add": "+", "multiply": "·", "divide": "/"}
    kind, symbol = case.node.kind_name(), symbols.get(case.node.library_name())
    terms = [number(x) for x in case.x]
    what = f" {symbol} ".join(terms) if symbol else f"{kind} of {', '.join(terms)}"
    return Reason(what.replace("− −∞", "− (−∞)"),
                  "a large finite number such as −1e9 in place of ∞ in the mask")  # fmt: skip


# ---------------------------------------------------------------- derivatives


def explain(birth: Birth, values: Values) -> Reason:
    """What happened at a birth, and what to write instead."""
    node = birth.node
    if not isinstance(node, Operation):
        at = number(float(values(node)[birth.element]))
        return Reason(f"{node.label()} holds {at}", "look at where the data comes from")
    case = _case(node, birth, values)
    plain = _forward(case, node, values(node)[birth.element])
    pulled = pulled_of(node._origin)
    if level_of(node._origin) and pulled:
        return _derivative(birth, values, plain, pulled)
    if level_of(birth.trail[-1][0]._origin) and (twice := _where_twice(birth, node.library_name())):
        return Reason(f"{plain.what}, a value that the gradient needs", twice)
    return _of_count(node, plain, case)


def _of_count(node: Operation, plain: Reason, case: Case | None) -> Reason:
    """A mean or variance of too few elements divides by 0."""
    divisor = node.inputs[-1] if node.library_name() == "divide" else None
    if case is not None and divisor is not None and case.x[-1] == 0 and not divisor.inputs:
        if getattr(divisor, "scalar", None) is not None:
            return Reason(
                f"{plain.what}: the number of elements to average over is 0",
                "check the axis and `correction`: a mean needs an element, a variance with "
                "correction=1 two",
            )
    return plain


def _derivative(birth: Birth, values: Values, plain: Reason, pulled: type[Operation]) -> Reason:
    at = _place_of(birth, values, pulled)
    where = f"the derivative of {pulled._kind_name}" + (f" at {at}" if at else "")
    y = float(values(birth.node)[birth.element])
    meets_zero = math.isinf(y) and _meets_zero(birth, values)
    if meets_zero:
        what = f"0 · ∞ in {where}"
    elif math.isinf(y):
        what = f"{where} is {number(y)}: {plain.what}"
    else:
        what = f"{plain.what} in {where}"
    return Reason(what, _derivative_rewrite(birth, pulled._library_name, plain))


def _meets_zero(birth: Birth, values: Values) -> bool:
    """Whether the infinity is multiplied by 0 on its way."""
    for (before, _), (node, element) in zip(birth.trail, birth.trail[1:], strict=False):
        if node.library_name() == "multiply" and np.isnan(values(node)[element]):
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
            found = [float(values(x)[broadcast(birth.element, values(x).shape)])
                     for x in one.inputs]  # fmt: skip
            return number(found[0]) if len(found) == 1 else f"({', '.join(map(number, found))})"
    if node.library_name() == "divide" and pulled._library_name in _BY_DIVISION:
        return number(float(values(node.inputs[1])[broadcast(
            birth.element, values(node.inputs[1]).shape)]))  # fmt: skip
    return ""


_BY_DIVISION = ("log", "log2", "log10", "reciprocal", "sqrt")  # slopes that divide by x

# An argument at which each operation and its slope are harmless.
_INSIDE = {"sqrt": "1", "exp": "0", "exp2": "0", "expm1": "0", "sinh": "0", "cosh": "0",
           "log": "1", "log2": "1", "log10": "1", "log1p": "0", "asin": "0",
           "acos": "0", "atanh": "0", "acosh": "2", "pow": "1", "cbrt": "1"}  # fmt: skip


def _where_twice(birth: Birth, kind: str) -> str:
    """The safe form of an operation whose result `where` masks, "" where nothing is masked."""
    masked = any(type(one) is Where and not level_of(one._origin) for one in birth.order)
    if masked and kind in _INSIDE:
        inner = f"pg.where(ok, x, {_INSIDE[kind]})"
        whole = f"{inner} ** p" if kind == "pow" else f"pg.{kind}({inner})"
        return f"where twice, also inside: pg.where(ok, {whole}, 0)"
    if masked and kind in ("divide", "reciprocal"):
        return "where twice, also inside: pg.where(ok, x / pg.where(ok, y, 1), 0)"
    return ""


def _derivative_rewrite(birth: Birth, pulled: str, plain: Reason) -> str:
    if twice := _where_twice(birth, pulled):
        return twice
    if pulled == "sqrt":
        if any(one.library_name() in ("sum", "square") for one in birth.order):
            return "pg.vector_norm(x), whose slope at 0 is 0, or pg.sqrt(x + eps)"
        return "pg.sqrt(x + eps), say eps = 1e-12, or pg.sqrt(pg.where(x > 0, x, 1)) and a mask"
    if pulled == "pow":
        return "(x + eps) ** p, or pg.where(x == 0, 1, x) ** p and a mask"
    if pulled == "cbrt":
        return "pg.cbrt(pg.where(x == 0, 1, x)) and a mask: at 0 it has no slope"
    if pulled in ("asin", "acos", "atanh", "acosh"):
        return f"pg.clip inside {pulled}: its slope is infinite at the ends of its domain"
    return plain.rewrite


def _case(node: Operation, birth: Birth, values: Values) -> Case | None:
    if isinstance(node, Composite) or not isinstance(node, Elementwise):
        return None
    element = birth.element
    x = [float(values(one)[broadcast(element, values(one).shape)]) for one in node.inputs]
    uses = {one.library_name() for one, _ in birth.trail[1:3]}
    return Case(node, x, float(values(node)[element]), node.dtype,
                [one.library_name() for one in node.inputs], uses)  # fmt: skip
