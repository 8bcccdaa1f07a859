"""Short rows are computed several at a time, with the bits of one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.executable import NativeExecutable
from palingrad.engines.native.kernels import row
from palingrad.engines.native.kernels.row import RowKernel
from palingrad.engines.native.llvm.target import host
from tolerances import assert_same

LANES = host().lanes(4)
# (rows, length): four, two and one row at a time.
SHAPES = {(256, 4 * LANES): 4, (256, 37): 4, (252, LANES): 2, (130, 3 * LANES + 1): 2,
          (66, 8 * LANES - 3): 2, (131, LANES): 1, (60, LANES): 1,
          (64, 8 * LANES + 1): 1}  # fmt: skip


def rowwise(x: Any) -> list[Any]:
    scale = pg.sum(pg.abs(x), axis=-1)
    return [pg.softmax(x), pg.layer_norm(x), pg.max(x, axis=-1), x / scale[:, None]]


def outcome(shape: tuple[int, int]) -> tuple[list[Any], set[int]]:
    """The results, and the numbers of rows that kernels compute at a time."""
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    f = pg.function(rowwise, engine="native")
    kernels = [one.kernel for one in NativeExecutable(f.program(x)).schedule.kernels]
    return list(f(x)), {one.plan.together for one in kernels if isinstance(one, RowKernel)}


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_together_give_the_bits_of_one(shape: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PALINGRAD_CACHE", "off")  # whose key doesn't contain what is changed here
    together, numbers = outcome(shape)
    assert numbers == {SHAPES[shape] if 37 <= 4 * LANES or shape[1] != 37 else 2}
    monkeypatch.setattr(row, "_FEW", 1 << 30)
    alone, numbers = outcome(shape)
    assert numbers == {1}
    for one, other in zip(together, alone, strict=True):
        assert_same(one, other)
