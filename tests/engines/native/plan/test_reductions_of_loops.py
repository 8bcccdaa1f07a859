"""Reductions compute what a loop over elements would compute for them alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from tolerances import assert_close, assert_same

pytest.importorskip("llvmlite")
RNG = np.random.default_rng(0)


def agree(f: Any, *arrays: Any) -> str:
    """Both engines' results are close; what runs."""
    run = pg.function(f, engine="native")
    found, expected = run(*arrays), pg.function(f, engine="numpy")(*arrays)
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other)
    said = run.explain(*arrays)
    assert "Fallback" not in said
    return said


@pytest.mark.parametrize("axis", [0, 1, (0, 1), (0, 2), None])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_terms_are_not_written(axis, dtype):
    x = RNG.normal(size=(5, 70, 9)).astype(dtype)
    w = RNG.normal(size=(6, 5)).astype(dtype)

    def f(x, w):
        y = pg.einsum("ab,bcd->acd", w, x)[:5]  # in memory, so that nothing is sinkable
        u = pg.max(y, axis=1, keepdims=True)
        terms = pg.tanh(y * u) * pg.max(x, axis=0) + x
        return [pg.sum(terms, axis=axis), pg.max(pg.where(x > u, y, u), axis=axis),
                pg.any((y > u * 0.5) & (x > 0), axis=axis)]  # fmt: skip

    said = agree(f, x, w)
    assert said.count("Elementwise ") <= 1


def test_terms_that_others_need_are_written():
    x, w = RNG.normal(size=(40, 30)), RNG.normal(size=(30, 20))

    def f(x, w):
        y = pg.sin(x @ w) @ w.mT
        terms = (y[::-1] * x).reshape(40, 30)
        again = y.mT[:, ::-1] + 1.0
        joined = pg.concat([pg.exp(y[:, ::-1]), y], axis=1)
        return [
            pg.sum(terms, axis=0), terms[1:], pg.sum(again, axis=0), pg.sum(again**2, axis=0),
            pg.sum(terms.mT * 2, axis=1), pg.sum(joined, axis=0),
            pg.sum((y[1:] * 3)[:, 1:], axis=0), pg.sum(pg.broadcast_to(y[:1] - 2, (6, 30)), axis=0),
        ]  # fmt: skip

    agree(f, x, w)


def test_two_loops_for_one_reduction():
    x, w = RNG.normal(size=(40, 30)), RNG.normal(size=(30, 30))

    def f(x, w):
        a, b = pg.max(x @ w, axis=0), pg.min(x @ w, axis=0)
        return [pg.sum(pg.where(x > a, x * a, pg.sqrt(abs(b) + x * x)) * (x - b), axis=0)]

    assert "elementwise (40, 30)" not in agree(f, x, w)


def test_a_variable_is_read_before_it_changes():
    start = RNG.normal(size=(50, 7))
    results = []
    for engine in ("numpy", "native"):
        v, s = pg.Variable(start), pg.Variable(np.zeros(7))

        @pg.function(engine=engine)
        def step(x, v=v, s=s):
            u = pg.max(v, axis=0)
            s.assign(s + pg.sum((v[::-1] - u) * x, axis=0))
            v.assign(v * u + x)
            return pg.sum(pg.sin(v - u), axis=0)

        found = [step(start + 1), step(start - 1)]
        results.append([*found, v.numpy(), s.numpy()])
    for one, other in zip(*results, strict=True):
        assert_close(one, other)


@pytest.mark.parametrize("seed", range(8))
def test_random_programs(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.choice([1, 2, 3, 4, 9, 16, 33], 3))
    x, y = rng.normal(size=(2, *shape)).astype("f4" if seed % 2 else "f8")
    script = rng.integers(0, 60, (16, 4))

    def f(x, y):
        known = [x, y, pg.max(x, axis=1, keepdims=True)]
        found: list[Any] = []
        for what, i, j, k in script:
            a, b = known[i % len(known)], known[j % len(known)]
            axes = [(0,), (1,), (0, 1), (0, 2), (1, 2)][k % 5]
            if what % 6 < 2:
                known.append(pg.tanh(a) * b)
            elif what % 6 == 2:
                known.append(pg.where(a > b, b, a * 0.5))
            elif what % 6 == 3:
                known.append(pg.sum(a * b + 0.25, axis=axes, keepdims=True) / 64)
            elif what % 6 == 4:
                known.append(pg.max(a - b, axis=axes, keepdims=True))
            else:
                found.append(pg.sum(pg.cos(a) - b, axis=axes[0]))
        return [*found, known[-1], known[-3], pg.sum(known[-2], axis=0)]

    agree(f, x, y)


def test_the_bits_do_not_depend_on_threads():
    x, w = RNG.normal(size=(300, 90)), RNG.normal(size=(90, 90))

    def f(x, w):
        u = pg.max(x @ w, axis=0)
        return pg.sum(pg.tanh(x * u), axis=0), pg.sum(pg.exp(x - u))

    before, results = pg.get_num_threads(), []
    try:
        for count in (1, 3):
            pg.set_num_threads(count)
            results.append(pg.function(f, engine="native")(x, w))
    finally:
        pg.set_num_threads(before)
    for one, other in zip(*results, strict=True):
        assert_same(one, other)
