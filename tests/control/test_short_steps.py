"""Loops whose steps are short loops over elements are part of the machine code around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from control_loops import agree

pytest.importorskip("llvmlite")
RNG = np.random.default_rng(0)


def waves(u: Any, v: Any, steps: Any, stacked: bool = False) -> Any:
    """A string whose ends are fixed, pushed forwards and backwards in time."""

    def step(carry, k):
        u, v = carry
        v = v + k * pg.pad(u[2:] - 2 * u[1:-1] + u[:-2], (1, 1))
        u = u + 0.5 * v
        return (u, v), (v[1:] if stacked else k)

    (u, v), rows = pg.scan(step, (u, v), steps)
    return (u, v, rows) if stacked else (u, v)


@pytest.mark.parametrize("n", [130, 1000, 3000])
def test_short_steps_over_elements_are_part_of_the_code_around_them(n):
    """Also the gradient's, which go backwards."""
    u, v, k = RNG.normal(size=n), RNG.normal(size=n), RNG.random(9)
    text = agree(lambda *x: waves(*x, stacked=True), u, v, k)
    assert "Control flow" in text or n < 1000
    assert ("in registers" in text) is (n < 1000)

    def total(*x):
        a, b = waves(*x)
        return pg.sum(a * b)

    agree(lambda *x: pg.grad(total, (0, 1, 2))(*x), u, v, k)


def test_steps_that_are_long_together_are_taken_by_one_native_call(monkeypatch):
    monkeypatch.setattr("palingrad.engines.native.kernels.control.BRIEF", 1e4)
    u, v, k = RNG.normal(size=3000), RNG.normal(size=3000), RNG.random(99) / 4
    assert "within one native call" in agree(waves, u, v, k)


def test_short_steps_backwards_count_subnormal_numbers_as_zero():
    """As all steps that go backwards do."""

    def f(x, k):
        return pg.scan(lambda c, k: (c * k, k), x, k, reverse=True)[:1]

    x = np.full(2000, 1e-300)
    found = pg.function(f, engine="native")(x, np.array([1e-5, 1e-5]))
    assert not np.any(found[0])
