"""Gathers inside elementwise loops: the bits are NumPy's, whatever the rows, indices and layouts;
a Variable is never overwritten while rows of it are still to be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from tolerances import assert_same

pytest.importorskip("llvmlite")


@pytest.fixture(autouse=True)
def _usual_threads() -> Iterator[None]:
    before = pg.get_num_threads()
    yield
    pg.set_num_threads(before)


def agree(f: Any, *arrays: Any, inlined: bool = True) -> None:
    """The same bits from both engines, without a kernel that only gathers."""
    run = pg.function(f, engine="native")
    found, expected = run(*arrays), pg.function(f, engine="numpy")(*arrays)
    many = isinstance(found, (list, tuple))
    for one, other in zip(found if many else [found], expected if many else [expected]):
        assert_same(one, other)
    said = run.explain(*arrays)
    assert "Fallback" not in said
    assert ("gather of rows" not in said) == inlined


def values(rng: Any, shape: Any, dtype: Any) -> Any:
    if dtype is np.bool_:
        return rng.random(shape) > 0.5
    return (rng.integers(-99, 99, shape) if dtype is np.int16 else rng.normal(size=shape)).astype(
        dtype
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.bool_])
def test_rows_of_any_length_along_any_axis(dtype):
    """Short rows, whole vectors, remainders, and single elements; indices of either sign, repeated,
    reversed and strided."""
    rng = np.random.default_rng(0)
    arrays: list[Any] = []
    which: list[int] = []
    for width in (1, 2, 3, 4, 5, 7, 8, 9, 33):
        for axis, shape in enumerate([(6, width), (2, 6, width), (width, 2, 6)]):
            x = values(rng, shape, dtype)
            i = rng.integers(-6, 6, (37, 2))
            y = values(rng, np.take(x, i[:, 0], axis=axis).shape, dtype)
            arrays += [x, i, y]
            which.append(axis)

    def all_of_them(*given: Any) -> list[Any]:
        found: list[Any] = []
        for x, i, y, axis in zip(given[::3], given[1::3], given[2::3], which, strict=True):
            for chosen in (i[:, 1], i[::-1, 0], i[::2, 1]):
                taken = pg.take(x, chosen, axis=axis)
                other = y if chosen.shape == (37,) else pg.take(y, chosen, axis=axis)
                found.append(pg.where(taken > other, taken, other))
        return found

    agree(all_of_them, *arrays)


def test_several_indices_and_sources_that_are_views():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(5, 7, 3)), rng.normal(size=(40, 3))
    i, j = rng.integers(-5, 5, (40, 1)), rng.integers(-3, 3, 40).astype(np.int8)
    k = rng.integers(0, 200, (6, 40)).astype(np.uint8) % 3

    def f(x, y, i, j, k):
        turned = x.mT[:, :, ::-1]  # (5, 3, 7)
        return [
            x[i[:, 0], j] * y,  # (40, 3)
            x[i, j] + y,  # (40, 40, 3)
            x[:, 1, :][i[:, 0]] + y,
            turned[i[:, 0], j, 2] - y[:, 1],  # (40,)
            x[:, 2:5][:, k] * 2 + y[3:4],  # (5, 6, 40, 3)
            pg.take(x, j, axis=2) * x[..., :1],  # (5, 7, 40)
            pg.take(x[::2, 1], -1, axis=1) + x[0, 0, 0],
            (x[i[:, 0]] - 1).mT * 3,
        ]

    agree(f, x, y, i, j, k)


@pytest.mark.parametrize("seed", range(6))
def test_random_programs(seed):
    """Chains in which gathers, scatters, loops over elements, reductions and layouts alternate."""
    rng = np.random.default_rng(seed)
    rows, width = int(rng.integers(1, 40)), int(rng.choice([1, 2, 3, 4, 6, 8, 17]))
    count = int(rng.integers(0, 300))
    x = rng.normal(size=(rows, width)).astype("f8" if seed % 2 else "f4")
    indices = [rng.integers(-rows, rows, count) for _ in range(3)]
    script = rng.integers(0, 9, (12, 3))

    def f(x, *indices: Any) -> list[Any]:
        known = [x]
        wide = [pg.take(x, indices[0], axis=0)]
        for what, left, right in script:
            a, b = wide[left % len(wide)], wide[right % len(wide)]
            i, table = indices[left % 3], known[right % len(known)]
            if what < 3:
                wide.append(pg.take(table, i, axis=0) * a + b)
            elif what < 5:
                wide.append(pg.where(a > b, pg.take(table, i, axis=0), -b))
            elif what == 5:
                known.append(pg.tensor(np.zeros((rows, width), x.dtype)).at[i].add(a - b))
            elif what == 6:
                wide.append(a - pg.max(b, axis=1, keepdims=True))
            elif what == 7:
                known.append(table * pg.max(table, axis=0))
            else:
                wide.append(pg.take(pg.take(table, i, axis=0) * b, i % max(count, 1), axis=0))
        return [*known[1:], *wide]

    run, expected = (pg.function(f, engine=one) for one in ("native", "numpy"))
    for one, other in zip(run(x, *indices), expected(x, *indices), strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("chunk", [1.0, 50.0])
def test_bits_do_not_depend_on_chunks_or_threads(chunk, monkeypatch):
    from palingrad.engines.native.plan import schedule

    monkeypatch.setattr(schedule, "_SERIAL", 0.0)
    monkeypatch.setattr(schedule, "_CHUNK", chunk)
    monkeypatch.setenv("PALINGRAD_CACHE", "off")
    rng = np.random.default_rng(3)
    x, u = rng.normal(size=(4, 50, 3)), rng.random((1201, 1))
    i = rng.integers(-50, 50, 1201)
    for count in (1, 3):
        pg.set_num_threads(count)
        agree(lambda x, i, u: pg.take(x, i, axis=1) * u - pg.take(x, i[::-1], axis=1), x, i, u)


def test_a_gather_that_others_read_is_computed_once():
    rng = np.random.default_rng(4)
    x, w, i = rng.normal(size=(9, 5)), rng.normal(size=(5, 2)), rng.integers(0, 9, 30)
    agree(lambda x, i: (pg.take(x, i, axis=0), pg.take(x, i, axis=0) * 2), x, i, inlined=False)
    agree(lambda x, i: pg.take(x, i, axis=0)[::-1] * 2, x, i, inlined=False)
    run = pg.function(lambda x, w, i: (x[i] @ w, x[i] * 2), engine="native")
    assert "gather of rows" in run.explain(x, w, i)
    for one, other in zip(run(x, w, i), (x[i] @ w, x[i] * 2), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_rows_of_a_variable_are_read_before_they_change():
    """x ← 2·x[i] + x, with rows in an order that a loop in place would have overwritten."""
    start = np.arange(60.0).reshape(20, 3)
    i = np.r_[1:20, 0][::-1].copy()
    results: list[Any] = []
    for engine in ("numpy", "native"):
        v, n = pg.Variable(start), pg.Variable(np.arange(20), trainable=False)

        @pg.function(engine=engine)
        def step(i, v=v, n=n):
            n.assign(pg.take(n, i, axis=0) + n)
            return v.assign(pg.take(v, i, axis=0) * 2 + v)

        step(i)
        step(i)
        results.append((v.numpy(), n.numpy()))
    for one, other in zip(*results, strict=True):
        assert_same(one, other)


def test_an_index_out_of_range_raises_and_changes_nothing():
    v = pg.Variable(np.zeros((4, 3)))

    @pg.function(engine="native")
    def step(x, i):
        return v.assign(v + pg.take(x, i + 1, axis=0) * 3)

    x = np.ones((6, 3))
    step(x, np.array([0, 4, -1, 0]))
    before = v.numpy()
    for wrong in (5, -8, 1 << 50):
        with pytest.raises(IndexError, match="for 6 rows"):
            step(x, np.array([0, wrong, 0, 0]))
        assert_same(v.numpy(), before)
    fed = pg.function(lambda x, i: pg.take(x, i, axis=0) * 3, engine="native")
    for wrong in (6, -7):
        with pytest.raises(IndexError):
            fed(x, np.array([0, wrong]))


def test_in_loops():
    """In bodies that are straight-line code, kernels, and steps of their own."""
    rng = np.random.default_rng(5)
    i = rng.integers(-40, 40, (5, 40))
    for shape in ((40, 2), (40, 90), (40, 1200)):
        x = rng.normal(size=shape)

        def f(x, i):
            def step(carry: Any, row: Any) -> Any:
                new = pg.take(carry, row, axis=0) * 0.5 + carry
                return new, new[0]

            last, firsts = pg.scan(step, x, i)
            counted = pg.fori_loop(0, 3, lambda k, c: c + pg.take(c, i[0] // 2 + k - 1, axis=0), x)
            return [last, firsts, counted]

        run, expected = (pg.function(f, engine=one) for one in ("native", "numpy"))
        for one, other in zip(run(x, i), expected(x, i), strict=True):
            assert_same(one, other)
