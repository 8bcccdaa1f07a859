"""Blocks of products follow from the sizes of the caches, and the bits of results don't."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from engines.native.caches import machine_with
from palingrad.engines.native.executable import NativeExecutable
from palingrad.engines.native.kernels.gemm import blocking
from palingrad.engines.native.llvm.caches import Caches
from tolerances import assert_same

XEON, ZEN_3 = Caches(48 << 10, 2 << 20), Caches(32 << 10, 512 << 10)
SMALL, LARGE = Caches(8 << 10, 64 << 10), Caches(128 << 10, 16 << 20)


def drawn(*shapes: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]


# What depends on the caches, and operands for which it does.
PRODUCTS = {
    "rows of a strip": (lambda x, y: x @ y, drawn((300, 1100), (1100, 200))),
    "a shared left operand": (lambda x, y: x @ y, drawn((200, 700), (700, 300))),
    "a strip of results in the first level": (
        lambda x, y, z: pg.maximum(x @ y + z, 0.0), drawn((600, 100), (100, 45), (45,)),
    ),
    "a long epilogue": (
        lambda x, y, z: (x @ y * 0.5 + z, z * 0.75), drawn((400, 130), (130, 400), (400, 400)),
    ),
    "a thin product": (lambda x, y: x @ y, drawn((1, 600), (600, 3000))),
    "a thin product of three rows": (lambda x, y: pg.tanh(x @ y), drawn((3, 500), (500, 700))),
}  # fmt: skip


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_bits_do_not_depend_on_the_caches_but_the_code_does(name: str):
    f, given = PRODUCTS[name]
    results: list[Any] = []
    codes: list[str] = []
    for caches in (SMALL, LARGE):
        with machine_with(caches):
            compiled = pg.function(f, engine="native")
            results.append([np.asarray(x) for x in _several(compiled(*given))])
            codes.append(NativeExecutable(compiled.program(*given)).emitted())
    for one, other in zip(*results, strict=True):
        assert_same(one, other)
    assert codes[0] != codes[1]


def _several(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple) else [result]


def test_the_values_that_were_tuned_on_a_xeon_follow_from_its_caches():
    with machine_with(XEON):
        assert blocking.strip_rows(4096) == 56
        assert blocking.result_strip() == 1 << 18
        assert blocking.shared_operand() == 1 << 21
        assert blocking.cached_traffic() == 1 << 20
        assert blocking.near_strip() == 1 << 15
        assert blocking.near_sums() == 1 << 14


@pytest.mark.parametrize("caches", [SMALL, ZEN_3, XEON, LARGE])
def test_what_should_stay_in_a_cache_is_smaller_than_it(caches: Caches):
    with machine_with(caches):
        for row in (4, 400, 4096):
            assert blocking.strip_rows(row) * row <= caches.second // 2
        assert blocking.result_strip() <= caches.second // 2
        assert blocking.shared_operand() <= caches.second
        assert blocking.near_strip() <= caches.first
        assert 2 * blocking.near_sums() <= caches.first
        assert not blocking.fits_near(caches.first)
