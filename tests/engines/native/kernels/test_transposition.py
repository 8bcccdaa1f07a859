"""Copies between arrays that are contiguous along different axes move every element once, to its
place and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from engines.native.kernels.test_short_rows import planned
from palingrad.engines.native.kernels.movement.transposition import Transposition
from tolerances import assert_same

pytest.importorskip("llvmlite")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The transpositions that are planned."""
    return planned(Transposition, monkeypatch)


def agree(f: Any, *arrays: Any) -> None:
    run, expected = pg.function(f, engine="native"), pg.function(f, engine="numpy")(*arrays)
    for one, other in zip(run(*arrays), expected, strict=True):
        assert_same(one, other)
    assert "Fallback" not in run.explain(*arrays)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int64, np.bool_])
def test_arrays_of_all_sizes(dtype, found):
    """Squares, remainders of rows and columns, tiles, and what is too small."""
    rng = np.random.default_rng(0)
    shapes = [(3, 200), (4, 5), (8, 8), (9, 33), (16, 17), (26, 131), (65, 31), (130, 67), (66, 1)]
    arrays = [rng.integers(-99, 99, (2, *shape)).astype(dtype) for shape in shapes]

    def f(*arrays: Any) -> list[Any]:
        copies = [pg.transpose(x, (0, 2, 1)) for x in arrays]
        joined = [pg.concat([x[0].mT, x[1, ::-1].mT, x[0].mT[:, 1:]], axis=1) for x in arrays]
        return [*copies, *joined]

    agree(f, *arrays)
    assert any(found) == (dtype is not np.bool_)


def test_parts_of_arrays_of_several_axes(found):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(7, 20, 33, 6))

    def f(x):
        turned = [pg.transpose(x, axes) for axes in
                  ((3, 2, 1, 0), (0, 3, 1, 2), (1, 0, 3, 2), (2, 0, 3, 1))]  # fmt: skip
        part = x[1:6, 2:, ::2, 1:]
        return [*turned, pg.transpose(part, (1, 3, 0, 2)), pg.transpose(x[..., 2], (2, 1, 0)),
                pg.concat([pg.transpose(y, (2, 1, 0)) for y in (x[:, 3], x[::-1, 4])], 2),
                pg.transpose(x[2], (1, 2, 0)).reshape(-1)]  # fmt: skip

    agree(f, x)
    assert any(found)


def test_a_variable_takes_a_transposed_value():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(37, 70))
    v = pg.Variable(np.zeros((70, 37)))
    step = pg.function(lambda x: v.assign(x.mT), engine="native")
    step(x)
    step(x + 1)
    assert_same(v.numpy(), (x + 1).T)


@pytest.mark.parametrize("chunk", [1.0, 50.0])
def test_any_number_of_chunks(chunk, monkeypatch, found):
    from palingrad.engines.native.plan import schedule

    monkeypatch.setattr(schedule, "_SERIAL", 0.0)
    monkeypatch.setattr(schedule, "_CHUNK", chunk)
    x = np.random.default_rng(3).normal(size=(3, 90, 301))
    agree(lambda x: [x.mT, pg.concat([x[0].mT, x[1].mT], 1)], x)
    assert any(found)
