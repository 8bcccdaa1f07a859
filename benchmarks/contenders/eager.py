"""Scalar formulas of the eager tasks, for any framework: `m` is its namespace of functions."""

from __future__ import annotations

from typing import Any


def three(m: Any, w: Any, x: Any) -> Any:
    """Three operations on vectors."""
    return m.sum(m.sigmoid(w * x))


def thirty(m: Any, a: Any, b: Any) -> Any:
    """Thirty operations on numbers, in the manner of the example in micrograd's README."""
    c, d = a + b, a * b + b**3
    c = c + (c + 1)
    c = c + (1 + c + (-a))
    d = d + (d * 2 + m.relu(b + a))
    d = d + (3 * d + m.relu(b - a))
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    return g * a + b * g - e


def chain(m: Any, x: Any, links: int = 50_000) -> Any:
    """A chain of operations on a number, two for each link."""
    y = x
    for _ in range(links):
        y = y * 0.9999 + x
    return y


EAGER = {
    "three": three,
    "thirty": thirty,
    "chain of 100,000": chain,
    "chain of 20": lambda m, x: chain(m, x, 10),
}
