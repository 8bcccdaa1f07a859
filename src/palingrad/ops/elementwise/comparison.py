"""Comparisons, logic and tests for special values, elementwise, with boolean results."""

from __future__ import annotations

import numpy as np

from ...graph.functions import binary, unary
from ...graph.kinds import Elementwise
from ...graph.registry import register
from ...graph.samples import case, edge

_PAIR = [
    case((3, 4), (3, 4)),
    case(np.array([1, 2, 3]), np.array([[2], [3]])),
    case((0, 2), (2,)),
    edge(0.0, 1.0, np.inf, -np.inf, np.nan, inputs=2),
]
_BOOLEANS = [case(np.array([True, False]), np.array([[True], [False]])), case((3,), (3,))]
_ONE = [case((3, 4)), case(np.array([1, 2])), edge(0.0, np.inf, -np.inf, np.nan)]


class Comparison(Elementwise):
    """An elementwise predicate with a boolean result, which has no derivative."""

    boolean = stays_finite = True


class Equal(Comparison):
    """z = (x = y), a boolean; NaN equals nothing, not even NaN."""

    math, symbol, onnx = "{x} = {y}", "==", "Equal"
    drawn, commutes = "=", True
    complexes = True
    samples = _PAIR

    def f(m, x, y):
        return m.equal(x, y)


class NotEqual(Comparison):
    """z = (x ≠ y), a boolean; NaN differs from everything, itself included."""

    math, symbol = r"{x} \ne {y}", "!="
    drawn, commutes = "≠", True
    complexes = True
    samples = _PAIR

    def f(m, x, y):
        return m.not_equal(x, y)


class Less(Comparison):
    """z = (x < y), a boolean; false for NaN."""

    math, symbol, onnx = "{x} < {y}", "<", "Less"
    samples = _PAIR

    def f(m, x, y):
        return m.less(x, y)


class LessEqual(Comparison):
    """z = (x ≤ y), a boolean; false for NaN."""

    math, symbol, onnx = r"{x} \le {y}", "<=", "LessOrEqual"
    drawn = "≤"
    samples = _PAIR

    def f(m, x, y):
        return m.less_equal(x, y)


class Greater(Comparison):
    """z = (x > y), a boolean; false for NaN."""

    math, symbol, onnx = "{x} > {y}", ">", "Greater"
    samples = _PAIR

    def f(m, x, y):
        return m.greater(x, y)


class GreaterEqual(Comparison):
    """z = (x ≥ y), a boolean; false for NaN."""

    math, symbol, onnx = r"{x} \ge {y}", ">=", "GreaterOrEqual"
    drawn = "≥"
    samples = _PAIR

    def f(m, x, y):
        return m.greater_equal(x, y)


class LogicalAnd(Comparison):
    """z = x ∧ y, a boolean; a number is true unless it is 0."""

    math, symbol, onnx = r"{x} \land {y}", "and", "And"
    drawn, commutes = "∧", True
    complexes = True
    samples = _BOOLEANS

    def f(m, x, y):
        return m.logical_and(x, y)


class LogicalOr(Comparison):
    """z = x ∨ y, a boolean; a number is true unless it is 0."""

    math, symbol, onnx = r"{x} \lor {y}", "or", "Or"
    drawn, commutes = "∨", True
    complexes = True
    samples = _BOOLEANS

    def f(m, x, y):
        return m.logical_or(x, y)


class LogicalXor(Comparison):
    """z = x ⊕ y (exclusive or), a boolean; a number is true unless it is 0."""

    math, symbol, onnx = r"{x} \oplus {y}", "xor", "Xor"
    drawn, commutes = "⊕", True
    complexes = True
    samples = _BOOLEANS

    def f(m, x, y):
        return m.logical_xor(x, y)


class LogicalNot(Comparison):
    """y = ¬x, a boolean; a number is true unless it is 0."""

    math, onnx = r"\lnot {x}", "Not"
    complexes = True
    samples = [case(np.array([True, False])), case((3,))]

    def f(m, x):
        return m.logical_not(x)


class Isnan(Comparison):
    """y = whether x is NaN."""

    math, onnx = r"\operatorname{isnan} {x}", "IsNaN"
    complexes = True
    samples = _ONE

    def f(m, x):
        return m.not_equal(x, x)


class Isinf(Comparison):
    """y = whether x is ∞ or −∞."""

    math, onnx = r"\operatorname{isinf} {x}", "IsInf"
    complexes = True
    samples = _ONE

    def f(m, x):
        return m.isinf(x)


class Isfinite(Comparison):
    """y = whether x is neither infinite nor NaN."""

    math = r"\operatorname{isfinite} {x}"
    complexes = True
    samples = _ONE

    def f(m, x):
        return m.isfinite(x)


equal = register(binary(Equal))
not_equal = register(binary(NotEqual))
less = register(binary(Less))
less_equal = register(binary(LessEqual))
greater = register(binary(Greater))
greater_equal = register(binary(GreaterEqual))
logical_and = register(binary(LogicalAnd))
logical_or = register(binary(LogicalOr))
logical_xor = register(binary(LogicalXor))
logical_not = register(unary(LogicalNot))
isnan = register(unary(Isnan))
isinf = register(unary(Isinf))
isfinite = register(unary(Isfinite))
