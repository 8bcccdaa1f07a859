"""Random programs of loops and branches in each other: the engines against each other, and their
gradients in both modes.

`python tests/control/test_random_control.py 1000 200` runs 200 seeds from 1000 on.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import palingrad as pg

SIZE = 3
UNARY = [pg.sin, pg.tanh, lambda a: a * 0.5, pg.negative, lambda a: a, lambda a: a[::-1],
         lambda a: pg.cumsum(a * 0.25), lambda a: pg.sum(a) * pg.ones_like(a) * 0.25]  # fmt: skip
BINARY = [pg.add, pg.multiply, pg.subtract, pg.maximum, lambda a, b: pg.where(a > b, a, 0.5 * b),
          lambda a, b: pg.concat([a[:1], b[1:]])]  # fmt: skip


class RandomControl:
    """A function of a few vectors, drawn from a seed: operations, loops and branches in it."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.inputs = [self.rng.normal(size=SIZE) for _ in range(2)]
        self.number = int(self.rng.integers(0, 3))
        self.plan = self._block(depth=0, known=2)

    def _block(self, depth: int, known: int) -> list[Any]:
        """A list of steps, each of which adds a value to those known."""
        steps: list[Any] = []
        for _ in range(int(self.rng.integers(1, 4))):
            steps.append(self._step(depth, known))
            known += 1
        return steps

    def _step(self, depth: int, known: int) -> Any:
        rng = self.rng
        kinds = ["unary", "binary"] + (["cond", "switch", "while", "scan"] if depth < 2 else [])
        kind = kinds[int(rng.integers(len(kinds)))]
        a, b = rng.integers(0, known, size=2).tolist()
        if kind in ("unary", "binary"):
            return kind, int(rng.integers(len(UNARY if kind == "unary" else BINARY))), a, b
        blocks = [
            self._block(depth + 1, known + 2) for _ in range({"cond": 2, "switch": 3}.get(kind, 1))
        ]
        return kind, blocks, a, b, float(rng.normal()), int(rng.integers(0, 5))

    def run(self, plan: list[Any], values: list[Any], number: Any) -> list[Any]:
        values = [*values]
        for kind, *rest in plan:
            values.append(getattr(self, f"_{kind}")(values, number, *rest))
        return values

    def _unary(self, values: list[Any], number: Any, which: int, a: int, b: int) -> Any:
        return UNARY[which](values[a])

    def _binary(self, values: list[Any], number: Any, which: int, a: int, b: int) -> Any:
        return BINARY[which](values[a], values[b])

    def _cond(self, values: Any, number: Any, blocks: Any, a: int, b: int, c: float, n: int) -> Any:
        x, y = values[a], values[b]
        f, g = (lambda x, y, one=one: self._last(one, values, number, x, y) for one in blocks)
        return pg.cond(pg.sum(x) > c, f, g, x, y)

    def _switch(
        self, values: Any, number: Any, blocks: Any, a: int, b: int, c: float, n: int
    ) -> Any:
        x, y = values[a], values[b]
        choices = [lambda x, y, one=one: self._last(one, values, number, x, y) for one in blocks]
        return pg.switch((number + n) % 3, choices, x, y)

    def _while(
        self, values: Any, number: Any, blocks: Any, a: int, b: int, c: float, n: int
    ) -> Any:
        def body(carry: Any) -> Any:
            x, y, count = carry
            return pg.tanh(self._last(blocks[0], values, number, x, y)), x, count + 1

        last = pg.while_loop(
            lambda carry: (carry[2] < n) & (pg.sum(carry[0]) > c - 2.0),
            body,
            (values[a], values[b], number * 0),
            max_steps=4,
        )
        return last[0] + 0.5 * last[1]

    def _scan(self, values: Any, number: Any, blocks: Any, a: int, b: int, c: float, n: int) -> Any:
        def body(carry: Any, row: Any) -> Any:
            y = pg.tanh(self._last(blocks[0], values, number, carry, carry * row))
            return y, (pg.sum(y), row)

        last, (sums, rows) = pg.scan(body, values[a], values[b], reverse=n > 2)
        return last + sums * c + rows

    def _last(self, plan: list[Any], values: list[Any], number: Any, x: Any, y: Any) -> Any:
        return self.run(plan, [*values, x, y], number)[-1]

    def loss(self, x: Any, y: Any, number: Any) -> Any:
        """A number that depends on all values."""
        return sum(
            pg.sum(pg.sin(one)) * (n + 1)
            for n, one in enumerate(self.run(self.plan, [x, y], number))
        )

    def check(self) -> None:
        """Compare the engines."""
        given = (*self.inputs, np.int64(self.number))

        def all_of(x: Any, y: Any, number: Any) -> Any:
            value, slopes = pg.value_and_grad(self.loss, (0, 1))(x, y, number)
            _, t = pg.jvp(lambda x, y: self.loss(x, y, number), (x, y), (y, x))
            return value, *slopes, t

        found = [
            [np.asarray(one) for one in pg.function(all_of, engine=engine)(*given)]
            for engine in ("numpy", "native")
        ]
        assert all(np.isfinite(one).all() for one in found[0])
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-9)
        _, gx, gy, t = found[0]
        np.testing.assert_allclose(
            t, np.sum(gx * given[1]) + np.sum(gy * given[0]), rtol=1e-8, atol=1e-8
        )


@pytest.mark.skipif("native" not in pg.engine_names(), reason="needs llvmlite")
@pytest.mark.parametrize("seed", range(4))
def test_random_control_flow(seed):
    RandomControl(seed).check()


if __name__ == "__main__":
    first, count = map(int, sys.argv[1:])
    for seed in range(first, first + count):
        print(seed, end=" ", flush=True)
        try:
            RandomControl(seed).check()
        except Exception as error:
            print(f"seed {seed}: {type(error).__name__}: {str(error)[:300]}", flush=True)
