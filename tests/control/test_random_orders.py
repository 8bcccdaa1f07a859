"""Random nests of all loops and branches: derivatives of orders up to 3, by every mode and engine.

`python tests/control/test_random_orders.py 1000 200 3` checks 200 seeds from 1000 on to order 3.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg

ENGINES = [name for name in pg.engine_names() if name != "auto"]
SIZE = 3
UNARY: list[Callable[[Any], Any]] = [
    pg.sin, pg.tanh, pg.softmax, pg.sigmoid, pg.softplus, pg.cumsum, pg.log_softmax, pg.gelu,
    lambda a: a * 0.5, lambda a: a[::-1], lambda a: pg.sum(a) * pg.ones_like(a) * 0.25,
    lambda a: pg.logsumexp(a) + a, lambda a: pg.cumprod(pg.tanh(a)), lambda a: pg.sqrt(a * a + 1),
    lambda a: a / pg.linalg.norm(pg.concat([a, pg.ones_like(a)], axis=0)),
    lambda a: pg.var(a) * a, lambda a: pg.outer(a, a) @ a * 0.1, lambda a: pg.prod(pg.sin(a)) + a,
    lambda a: pg.stack([a, 2.0 * a], axis=0)[1], lambda a: pg.take(a, np.array([2, 0, 0]), axis=0),
]  # fmt: skip
BINARY: list[Callable[[Any, Any], Any]] = [
    pg.add, pg.multiply, pg.subtract, pg.maximum, pg.hypot, pg.logaddexp, pg.arctan2,
    lambda a, b: pg.where(a > b, a, 0.5 * b), lambda a, b: pg.concat([a[:1], b[1:]], axis=0),
    lambda a, b: a / (1.5 + pg.cos(b)), lambda a, b: pg.sum(a * b) * b * 0.2,
    lambda a, b: pg.convolve(a, b, mode="same"), lambda a, b: pg.power(pg.exp(0.1 * a), b),
]  # fmt: skip
KINDS = ("cond", "switch", "while", "scan", "fori", "map", "vmap", "associative", "checkpoint")
BLOCKS = {"cond": 2, "switch": 3}


class RandomOrders:
    """A function f(x, y, number) of two vectors and an integer that chooses, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.x, self.y = (self.rng.normal(size=SIZE) for _ in range(2))
        self.number = np.int64(self.rng.integers(0, 3))
        self.plan = self._block(depth=0, known=2)

    def _block(self, depth: int, known: int) -> list[Any]:
        steps: list[Any] = []
        for _ in range(int(self.rng.integers(1, 4 if depth else 3))):
            steps.append(self._step(depth, known))
            known += 1
        return steps

    def _step(self, depth: int, known: int) -> Any:
        rng = self.rng
        inner = list(KINDS) if depth < 2 and rng.random() < 0.8 / (depth + 1) else []
        kind = inner[int(rng.integers(len(inner)))] if inner else ["unary", "binary"][
            int(rng.integers(2))
        ]  # fmt: skip
        a, b = rng.integers(0, known, size=2).tolist()
        if not inner:
            return kind, int(rng.integers(len(UNARY if kind == "unary" else BINARY))), a, b
        blocks = [self._block(depth + 1, known + 2) for _ in range(BLOCKS.get(kind, 1))]
        return kind, blocks, a, b, float(rng.normal()), int(rng.integers(0, 5))

    def run(self, plan: list[Any], values: list[Any], number: Any) -> list[Any]:
        values = [*values]
        for kind, *rest in plan:
            if kind == "unary":
                which, a, _ = rest
                new = UNARY[which](values[a])
            elif kind == "binary":
                which, a, b = rest
                new = BINARY[which](values[a], values[b])
            else:
                blocks, a, b, c, n = rest
                fs = [
                    lambda x, y, one=one, known=tuple(values): self.run(
                        one, [*known, x, y], number
                    )[-1]
                    for one in blocks
                ]
                new = getattr(self, f"_{kind}")(fs, values[a], values[b], number, c, n)
            values.append(new)
        return values

    def _cond(self, fs: Any, x: Any, y: Any, number: Any, c: float, n: int) -> Any:
        return pg.cond(pg.sum(x) > c, *fs, x, y)

    def _switch(self, fs: Any, x: Any, y: Any, number: Any, c: float, n: int) -> Any:
        return pg.switch((number + n) % 3, fs, x, y)

    def _while(self, fs: Any, x: Any, y: Any, number: Any, c: float, n: int) -> Any:
        def body(carry: Any) -> Any:
            x, y, count = carry
            return pg.tanh(fs[0](x, y)), x, count + 1

        last = pg.while_loop(
            lambda carry: (carry[2] < n) & (pg.sum(carry[0]) > c - 2.0),
            body, (x, y, number * 0), max_steps=3,
        )  # fmt: skip
        return last[0] + 0.5 * last[1]

    def _scan(self, fs: Any, x: Any, y: Any, number: Any, c: float, n: int) -> Any:
        def body(carry: Any, row: Any) -> Any:
            y = pg.tanh(fs[0](carry, carry * row))
            return y, (pg.sum(y), row)

        last, (sums, rows) = pg.scan(
            body, x, y, reverse=n > 2, checkpoint=[False, True, 2][n % 3], unroll=1 + (n == 4)
        )
        return last + sums * c + rows

    def _fori(self, fs: Any, x: Any, y: Any, number: Any, c: float, n: int) -> Any:
        return pg.fori_loop(0, n, lambda i, z: pg.tanh(fs[0](z, y * (0.5 + i * 0.25))), x)

    def _map(self, fs: Any, x: Any, y: Any, number: Any, c: float, n: int) -> Any:
        return pg.map(lambda row: pg.sum(fs[0](row * x, y + c)), x)

    def _vmap(self, fs: Any, x: Any, y: Any, number: Any, c: float, n: int) -> Any:
        return pg.vmap(lambda row: pg.sum(fs[0](row * x, y)))(y)

    def _associative(self, fs: Any, x: Any, y: Any, number: Any, c: float, n: int) -> Any:
        return pg.associative_scan(lambda a, b: a * pg.cos(b), pg.tanh(fs[0](x, y)))

    def _checkpoint(self, fs: Any, x: Any, y: Any, number: Any, c: float, n: int) -> Any:
        return pg.checkpoint(fs[0])(x, y)

    def loss(self, x: Any, y: Any, number: Any) -> Any:
        """A number that depends on all values."""
        found = self.run(self.plan, [x, y], number)
        return sum(pg.sum(pg.sin(one)) * (n + 1) for n, one in enumerate(found))

    def along(self, order: int, how: str = "reverse") -> Callable[..., Any]:
        """The derivative of some order along (v, w), one number: in reverse mode each time, or
        first in reverse and then in forward mode, or the other way round."""

        def derivative(f: Any, mode: str) -> Any:
            def slope(x: Any, y: Any, v: Any, w: Any, number: Any) -> Any:
                def g(x: Any, y: Any) -> Any:
                    return f(x, y, v, w, number)

                if mode == "forward":
                    return pg.jvp(g, (x, y), (v, w))[1]
                a, b = pg.grad(g, (0, 1))(x, y)
                return pg.sum(a * v) + pg.sum(b * w)

            return slope

        def f(x: Any, y: Any, v: Any, w: Any, number: Any) -> Any:
            return self.loss(x, y, number)

        modes = {"reverse": ["reverse"] * 3, "mixed": ["reverse", "forward", "reverse"],
                 "forward": ["forward", "reverse", "forward"]}[how]  # fmt: skip
        for mode in modes[:order]:
            f = derivative(f, mode)
        return f

    def check(self, orders: int = 3, engines: Any = ENGINES) -> None:
        """All modes and engines agree, and agree with differences of the order below."""
        rng = np.random.default_rng(7)
        v, w = (rng.normal(size=SIZE) for _ in range(2))
        given = self.x, self.y, v, w, self.number
        below: Any = self.along(0)
        for order in range(1, orders + 1):
            step = 1e-5
            near = [
                float(
                    pg.function(below, engine="numpy")(self.x + s * v, self.y + s * w, *given[2:])
                )
                for s in (step, -step)
            ]
            by_differences = (near[0] - near[1]) / (2 * step)
            assert np.isfinite(by_differences)
            exact: float | None = None
            for how in ("reverse", "mixed", "forward"):
                f = self.along(order, how)
                for engine in engines:
                    found = float(pg.function(f, engine=engine)(*given))
                    exact = found if exact is None else exact
                    where = f"order {order}, {how}, {engine}"
                    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-9, err_msg=where)
                    np.testing.assert_allclose(
                        found, by_differences, rtol=1e-4, atol=1e-4 * (1 + abs(near[0])),
                        err_msg=f"{where} against differences",
                    )  # fmt: skip
            self._check_examples(self.along(order, "mixed"), given)
            below = self.along(order)

    def _check_examples(self, f: Any, given: Any) -> None:
        """Several examples at once are one after another."""
        x, y, *rest = given
        xs, ys = np.stack([x, -y, 0.5 * x]), np.stack([y, x, -y])
        axes = (0, 0, None, None, None)
        found = pg.function(pg.vmap(f, axes), engine="numpy")(xs, ys, *rest)
        one = pg.function(f, engine="numpy")
        expected = [float(one(a, b, *rest)) for a, b in zip(xs, ys, strict=True)]
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8, err_msg="vmap")


@pytest.mark.parametrize(("seed", "orders"), [(17, 2), (10, 3)])
def test_random_orders(seed, orders):
    RandomOrders(seed).check(orders, ["numpy"])


@pytest.mark.skipif("native" not in ENGINES, reason="needs llvmlite")
def test_random_orders_by_machine_code():
    RandomOrders(2).check(2)


if __name__ == "__main__":
    first, count = map(int, sys.argv[1:3])
    for seed in range(first, first + count):
        try:
            RandomOrders(seed).check(*map(int, sys.argv[3:4]))
        except Exception as error:
            print(f"seed {seed}: {type(error).__name__}: {str(error)[:400]}", flush=True)
    print("done")
