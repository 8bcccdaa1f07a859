"""Formulas that are long chains are computed for two vectors at a time, with the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.executable import NativeExecutable
from palingrad.engines.native.kernels import formula
from palingrad.engines.native.llvm.target import host
from tolerances import assert_same

X = np.random.default_rng(0).normal(0, 20, (37, 35)).astype(np.float32)
W = np.random.default_rng(1).normal(0, 1, (35, 80)).astype(np.float32)


def softplus_and_gelu(x: Any, w: Any) -> list[Any]:
    return [pg.softplus(x), pg.gelu(x[:, :-2] + 1.0), pg.tanh(x @ w)]


def outcome() -> tuple[list[Any], str]:
    """The results, and the code."""
    f = pg.function(softplus_and_gelu, engine="native")
    return list(f(X, W)), NativeExecutable(f.program(X, W)).emitted()


def test_two_vectors_at_a_time_give_the_bits_of_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PALINGRAD_CACHE", "off")  # whose key doesn't contain what is changed here
    together, code = outcome()
    monkeypatch.setattr(formula, "_LONG", 1 << 30)
    alone, plain = outcome()
    wide = f"<{2 * host().lanes(4)} x float>"
    assert (wide in code) == (host().vector_bytes == 32)
    assert wide not in plain
    for one, other in zip(together, alone, strict=True):
        assert_same(one, other)


def test_light_formulas_are_computed_for_one_vector():
    light = pg.function(lambda x: pg.sqrt(pg.abs(x)) * 2.0 + x, engine="native")
    assert f"<{2 * host().lanes(4)} x float>" not in NativeExecutable(light.program(X)).emitted()


def test_gelu_and_its_slope_compute_erfc_once():
    def value_and_slope(x: Any) -> list[Any]:
        y = pg.gelu(x)
        return [y, *pg.gradients(pg.sum(y), [x])]

    counts = [
        NativeExecutable(pg.function(f, engine="native").program(X)).emitted().count(" fdiv ")
        for f in (pg.gelu, value_and_slope)
    ]
    assert counts[0] == counts[1]
