"""Elementwise loops over short rows with a number for each row, such as points with weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.kernels.elementwise.short_rows import ShortRows

pytest.importorskip("llvmlite")
RNG = np.random.default_rng(0)
LENGTHS = (2, 3, 5, 6, 7, 8, 9)


def values(shape: Any, dtype: Any) -> Any:
    return (50 * RNG.random(shape) if dtype is not np.bool_ else RNG.random(shape) > 0.5).astype(
        dtype
    )


def planned(kind: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """All that `kind.of` returns from now on; no code is taken from the cache."""
    plans: list[Any] = []
    of = kind.of.__func__

    def watched(cls: Any, *given: Any) -> Any:
        plans.append(of(cls, *given))
        return plans[-1]

    monkeypatch.setattr(kind, "of", classmethod(watched))
    monkeypatch.setenv("PALINGRAD_CACHE", "off")
    return plans


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The plans of short rows that are made."""
    return planned(ShortRows, monkeypatch)


def agree(f: Any, *arguments: Any) -> None:
    """Both engines compute the same bits."""
    expected = pg.function(f, engine="numpy")(*arguments)
    for y, z in zip(pg.function(f, engine="native")(*arguments), expected, strict=True):
        assert (y.dtype, y.shape) == (z.dtype, z.shape)
        assert y.tobytes() == z.tobytes()


@pytest.mark.parametrize("rows", [16, 17, 31, 511, 1030])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.int64])
def test_rows_with_a_number_each(rows, dtype, found):
    """Of several lengths, in one Program: of floats all, of integers every other one in turn."""
    floating = np.dtype(dtype).kind == "f"
    lengths = LENGTHS if floating else LENGTHS[rows % 2 :: 2]
    pairs = [
        (values((2, rows, length), dtype), values((rows, length), dtype)) for length in lengths
    ]
    u, v, w = values((rows, 1), dtype), values((2, rows, 1), dtype), values((2, 1, 1), dtype)

    def f(u, v, w, *arrays):
        return [
            one
            for x, y in zip(arrays[::2], arrays[1::2], strict=True)
            for one in (x * u - y + v * w, pg.where(u > v, x, y), x[:, 1:] * v[:, :-1])
        ]

    agree(f, u, v, w, *(one for pair in pairs for one in pair))
    if floating:
        short = {n for n in LENGTHS if n <= 8 and n % 8 > 0 and n % 4 > 0}
        assert short <= {plan.length for plan in found if plan}


def test_booleans_and_numbers_of_several_dtypes(found):
    def f(x, i, flags, u):
        return pg.where(flags, x * i, u), (i > 9) & flags, x[..., None] * u[:, None]

    agree(f, values((70, 3), np.float32), values((70, 1), np.int16), values((70, 1), np.bool_),
          values((70, 1), np.float32))  # fmt: skip
    assert any(found)


def test_rows_that_begin_elsewhere_or_are_turned(found):
    """Operands that don't lie row after row are read as before."""

    def f(x, u):
        return x[:, :3] * u, x[:, 1:4].T * u[:, 0], x[::2, :3] + u[::2], x[::-1] * u

    agree(f, values((64, 4), np.float64), values((64, 1), np.float64))


def test_a_variable_is_updated_once():
    x, u = values((203, 3), np.float64), values((203, 1), np.float64)
    results = []
    for engine in ("numpy", "native"):
        v = pg.Variable(x)
        step = pg.function(lambda u, v=v: v.assign(v * u + v), engine=engine)
        step(u)
        step(u)
        results.append(v.numpy())
    assert results[0].tobytes() == results[1].tobytes()


@pytest.mark.parametrize("chunk", [1.0, 50.0])
def test_the_bits_do_not_depend_on_chunks(chunk, monkeypatch, found):
    from palingrad.engines.native.plan import schedule

    monkeypatch.setattr(schedule, "_SERIAL", 0.0)
    monkeypatch.setattr(schedule, "_CHUNK", chunk)
    agree(lambda x, u: (x * u, u - x), values((5, 1201, 3), np.float32),
          values((1201, 1), np.float32))  # fmt: skip
    assert any(found)
