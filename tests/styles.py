"""One gradient in every style that palingrad offers; a test of a program runs it in each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from tolerances import assert_close

Array = np.ndarray[Any, Any]
Program = Callable[[Any], Any]  # of one array, to one number


def _eager(f: Program, x: Array) -> Array:
    node = pg.Variable(x)
    f(node).backward()
    assert node.grad is not None
    return node.grad.numpy()


def _session(f: Program, x: Array) -> Array:
    with pg.Graph() as graph:
        node = pg.placeholder(x.shape, dtype=x.dtype)
        slope = pg.gradients(f(node), node)
    return pg.Session(graph).run(slope, {node: x})


def _template(f: Program, x: Array) -> Array:
    with pg.Graph() as graph:
        node = pg.placeholder()
        slope = pg.gradients(f(node), node)
    return pg.Session(graph).run(slope, {node: x})


def _transform(f: Program, x: Array) -> Array:
    return pg.grad(f)(x)


def _function(f: Program, x: Array) -> Array:
    return pg.function(pg.grad(f))(x)


def _forward(f: Program, x: Array) -> Array:
    """One tangent for each element."""
    rows = np.eye(x.size, dtype=x.dtype).reshape(x.size, *x.shape)
    return np.array([pg.jvp(f, (x,), (row,))[1] for row in rows], x.dtype).reshape(x.shape)


STYLES = {
    "eager": _eager,
    "session": _session,
    "template": _template,
    "transform": _transform,
    "function": _function,
    "forward": _forward,
}

in_every_style = pytest.mark.parametrize("slope", STYLES.values(), ids=STYLES)

# backward() sets the gradients of all nodes, so it can't go round one that overflows on the way.
LAZY = {name: slope for name, slope in STYLES.items() if name != "eager"}
in_every_style_but_backward = pytest.mark.parametrize("slope", LAZY.values(), ids=LAZY)


def assert_gradient(slope: Callable[..., Any], f: Program, x: Any, expected: Any) -> None:
    """Assert that one of the styles, or another way to a gradient, gives what is expected."""
    assert_close(slope(f, np.asarray(x)), np.asarray(expected))
