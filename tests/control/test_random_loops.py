"""Random loops and their gradients: each engine, and vmap, against a loop of Python.

The fuzzer (`tests/fuzzing/`) leaves out operations whose attributes are graphs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from control_loops import unrolled

ENGINES = [name for name in pg.engine_names() if name != "auto"]
UNARY = [pg.sin, pg.tanh, pg.sigmoid, lambda a: a * 0.5, pg.negative, pg.square, pg.flip,
         lambda a: pg.cumsum(a * 0.25), lambda a: pg.sum(a) * pg.ones_like(a) * 0.25]  # fmt: skip
BINARY = [pg.add, pg.multiply, pg.subtract, pg.maximum, lambda a, b: pg.where(a > b, a, 0.5 * b)]
STEPS = 4  # operations of a body
SIZE = 3


class RandomLoop:
    """A scan of two carries, two arrays of rows and a capture, whose body is drawn from a seed."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.length = int(rng.integers(0, 5)) if seed % 4 == 0 else int(rng.integers(1, 5))
        self.reverse = bool(rng.integers(2))
        self.options: dict[str, Any] = [{}, {"checkpoint": True}, {"unroll": 2}][rng.integers(3)]
        self.plan = [self._operation(rng, 5 + n) for n in range(STEPS)]
        self.results = rng.integers(0, 5 + STEPS, size=4).tolist()
        self.xs = [rng.normal(size=(self.length, SIZE)) for _ in range(2)]
        self.starts = [rng.normal(size=SIZE) for _ in range(2)]
        self.capture = rng.normal(size=SIZE)

    @staticmethod
    def _operation(rng: Any, known: int) -> tuple[str, int, list[int]]:
        kind = ["unary", "binary", "cond"][rng.choice(3, p=[0.45, 0.45, 0.1])]
        number = int(rng.integers(len(UNARY if kind == "unary" else BINARY)))
        return kind, number, rng.integers(0, known, size=2).tolist()

    def body(self, capture: Any, choose: Callable[..., Any]) -> Callable[[Any, Any], Any]:
        def step(carry: Any, row: Any) -> Any:
            nodes = [*carry, *row, capture]
            for kind, number, (a, b) in self.plan:
                x, y = nodes[a], nodes[b]
                if kind == "unary":
                    nodes.append(UNARY[number](x))
                elif kind == "binary":
                    nodes.append(BINARY[number](x, y))
                else:
                    nodes.append(choose(pg.sum(x) > 0, BINARY[number], pg.subtract, x, y))
            found = [nodes[number] for number in self.results]
            return (pg.tanh(found[0]), pg.tanh(found[1])), tuple(found[2:])

        return step

    def loss(self, scan: Callable[..., Any], choose: Callable[..., Any]) -> Callable[..., Any]:
        """All results as one number."""

        def f(starts: Any, xs: Any, capture: Any) -> Any:
            last, ys = scan(self.body(capture, choose), tuple(starts), xs)
            return sum(pg.sum(pg.sin(y) * (n + 1)) for n, y in enumerate([*last, *ys]))

        return f

    def looped(self) -> Callable[..., Any]:
        def scan(step: Any, init: Any, xs: Any) -> Any:
            return pg.scan(step, init, tuple(xs), reverse=self.reverse, **self.options)

        return self.loss(scan, pg.cond)

    def by_python(self) -> Callable[..., Any]:
        def scan(step: Any, init: Any, xs: Any) -> Any:
            rows = [tuple(x[n] for x in xs) for n in range(self.length)]
            last, ys = unrolled(step, init, rows, reverse=self.reverse)
            return last, ys

        def choose(condition: Any, f: Any, g: Any, x: Any, y: Any) -> Any:
            return pg.where(condition, f(x, y), g(x, y))

        return self.loss(scan, choose)


def flat(value: Any, slopes: Any) -> np.ndarray[Any, Any]:
    starts, xs, capture = slopes
    return np.concatenate([np.ravel(x) for x in (value, *starts, *xs, capture)])


@pytest.mark.parametrize("seed", range(10))
def test_random_loops(seed):
    one = RandomLoop(seed)
    arguments = one.starts, one.xs, one.capture
    expected = flat(*pg.value_and_grad(one.by_python(), (0, 1, 2))(*arguments))
    assert np.isfinite(expected).all()
    for engine in ENGINES:
        f = pg.function(pg.value_and_grad(one.looped(), (0, 1, 2)), engine=engine)
        np.testing.assert_allclose(flat(*f(*arguments)), expected, rtol=1e-10, atol=1e-11)
    others = np.stack([one.capture, -0.75 * one.capture])
    slopes = pg.vmap(pg.grad(one.looped(), 2), (None, None, 0))(*arguments[:2], others)
    for slope, capture in zip(slopes, others, strict=True):
        expected = pg.grad(one.by_python(), 2)(*arguments[:2], capture)
        np.testing.assert_allclose(slope, expected, rtol=1e-10, atol=1e-11)
