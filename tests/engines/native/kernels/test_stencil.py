"""Stencils: loops whose nodes read one another's elements at shifted positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg

pytest.importorskip("llvmlite")

from palingrad.engines.native.kernels.stencil import kernel
from palingrad.engines.native.kernels.stencil.alignment import EDGE, MOST_LAG
from palingrad.engines.native.plan import schedule
from palingrad.engines.native.plan.joining import stencils

RNG = np.random.default_rng(0)
DTYPES = (np.float32, np.float64, np.int8, np.int32, np.int64, np.uint16, np.bool_)


def agree(f: Callable[..., Any], *arguments: Any) -> str:
    """What `explain` says of a function of which both engines compute the same bits."""
    expected = pg.function(f, engine="numpy")(*arguments)
    compiled = pg.function(f, engine="native")
    for found, y in zip(compiled(*arguments), expected, strict=True):
        assert (found.dtype, found.shape) == (y.dtype, y.shape)
        assert found.tobytes() == y.tobytes(), (found, y)
    return compiled.explain(*arguments)


def in_blocks_of(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each item has `count` elements, and is a chunk, which any thread may take."""
    monkeypatch.setenv("PALINGRAD_CACHE", "off")
    monkeypatch.setattr(kernel, "BLOCK", count)
    monkeypatch.setattr(schedule, "_SERIAL", 0.0)
    monkeypatch.setattr(schedule, "_CHUNK", 1.0)


def values(n: int, dtype: Any) -> Any:
    return RNG.integers(0, 2, n).astype(dtype) if dtype is np.bool_ else (
        (4 * RNG.normal(size=n)).astype(dtype) if np.dtype(dtype).kind == "f"
        else RNG.integers(0, 90, n).astype(dtype)
    )  # fmt: skip


def stages(m: Any, x: Any, y: Any, shift: int) -> list[Any]:
    """Four stages, each of which reads the one before `shift` further left or right."""
    for _ in range(4):
        if shift > 0:
            k = m.concat([x[:shift], x[shift:] * y[:-shift]])
        else:
            k = m.concat([x[-shift:] * y[:shift], x[shift:]])
        y = y + x * k
    return [y]


SHIFTS = (1, -1, 3, -4, MOST_LAG, -MOST_LAG, MOST_LAG + 1, EDGE + 1)


LENGTHS = (128, 131, 4099)


@pytest.mark.parametrize("dtype", DTYPES[:-1])
@pytest.mark.parametrize("n", LENGTHS)
def test_stages_that_read_their_neighbours(dtype, n):
    """Every shift in every dtype and with every length, each of two dtypes."""
    turn = DTYPES.index(dtype) + LENGTHS.index(n)
    shifts = [shift for number, shift in enumerate(SHIFTS) if (number + turn) % 3 == 0]
    agree(lambda x, y: [stages(pg, x, y, shift)[0] for shift in shifts], values(n, dtype),
          values(n, dtype))  # fmt: skip


@pytest.mark.parametrize("shift", SHIFTS)
def test_all_stages_are_one_loop_if_the_shift_is_small(shift):
    x = values(300, np.float64)
    text = agree(lambda x, y: stages(pg, x, y, shift), x, x)
    kernels = 1 if abs(shift) <= MOST_LAG else None
    assert ("Stencil" in text) is (abs(shift) <= EDGE), text
    assert kernels is None or f"native: {kernels} kernel in" in text, text


def test_booleans_and_several_dtypes():
    def f(x, i, flags):
        y = pg.where(flags, x, i)
        z = pg.concat([y[:2] > 0, (y[2:] > y[:-2]) & flags[1:-1]])
        return z, pg.where(z[1:], y[:-1], 2), pg.pad(pg.cast(z, "int8")[:-3] * 2, (3, 0))

    text = agree(f, values(300, np.float32), values(300, np.int8), values(300, np.bool_))
    assert "Stencil" in text


@pytest.mark.parametrize("begins", [1, 2, 5])
def test_blocks_compute_the_same_bits_as_the_whole(begins, monkeypatch):
    """The elements before an item are computed again, not written."""
    in_blocks_of(64 * begins, monkeypatch)
    x, y = values(1500, np.float32), values(1500, np.float32)
    assert "Stencil" in agree(lambda x, y: [*stages(pg, x, y, 5), *stages(pg, x, y, -3)], x, y)


def test_one_loop_for_a_gradient():
    x = values(300, np.float64)

    def total(x: Any) -> Any:
        return pg.sum(x[-3:] * stages(pg, x, pg.zeros_like(x), 1)[0][-3:])

    text = agree(lambda x: [pg.grad(total)(x)], x)
    assert "Stencil" in text


def test_stencils_of_both_sides_and_zeros_at_the_ends():
    def f(x):
        u = x * x
        for _ in range(3):
            u = u + 0.25 * pg.pad(u[2:] - 2 * u[1:-1] + u[:-2], (1, 1))
        return (u,)

    assert "Stencil" in agree(f, values(500, np.float64))


def test_short_nodes_and_numbers_at_the_ends():
    def f(x, a, i):
        y = x + 1
        first, last = pg.exp(y[:1]), y[-2:] * 3 + i[:2]
        z = pg.concat([first, y[1:-2] * a, last])
        return z, z[1:] * z[:-1], first, last[:1]

    agree(f, values(200, np.float64), np.float64(1.5), np.arange(3))


def test_steps_of_two_and_lists_backwards_are_read_from_memory():
    def f(x):
        y = x * 2
        z = pg.concat([x[:1], y[1:] * y[:-1]])
        return z, pg.concat([z[::2], y[::2]]), z[::-1] + y, y[5:6] * z

    agree(f, values(300, np.float64))


def test_a_reader_of_its_own_reader_is_no_part():
    """What depends on the loop's whole result can't be read in it."""

    def f(x):
        y = x * 2
        z = pg.concat([x[:1], y[1:] * y[:-1]])
        w = z / pg.sum(z)
        return w, pg.concat([w[:1], w[1:] + y[:-1]]), pg.concat([z[1:], w[:1]])

    expected = pg.function(f, engine="numpy")
    x = np.abs(values(400, np.float64))
    for a, b in zip(pg.function(f, engine="native")(x), expected(x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def test_variables_are_updated_after_they_have_been_read():
    n = 200
    start = values(n, np.float64)
    results = []
    for engine in ("numpy", "native"):
        v = pg.Variable(start)

        def step(v=v):
            y = v * 0.5
            v.assign(pg.concat([v[:1], y[1:] + y[:-1]]))
            return v + 0

        run = pg.function(step, engine=engine)
        results.append([np.array(run()) for _ in range(3)] + [v.numpy()])
    for a, b in zip(*results, strict=True):
        assert a.tobytes() == b.tobytes()


def drawn(rng: Any, count: int) -> Callable[..., Any]:
    """A random function of three arrays of one length, made of shifts, joins, zeros at the ends and
    elementwise operations, all of whose roundings both engines share."""
    choices = rng.integers(0, 1 << 30, (count, 4)).tolist()

    def f(*arrays: Any) -> Any:
        known = list(arrays)
        for kind, a, b, c in choices:
            x, y = known[a % len(known)], known[b % len(known)]
            shift = c % 7 + (11 if c % 5 == 0 else 0)
            n = min(x.shape[0], y.shape[0])
            if kind % 6 == 0 and n > 80 + shift:
                known.append(x[: n - shift] * y[shift:n])
            elif kind % 6 == 1 and n > 80 + shift:
                known.append(pg.concat([x[:shift], y[shift:n] - x[: n - shift]]))
            elif kind % 6 == 2 and n > 80 + shift:
                known.append(pg.concat([x[shift:n] + y[: n - shift], y[:shift] * 2]))
            elif kind % 6 == 3:
                known.append(pg.pad(x[shift % 3 :], (c % 3, shift)))
            elif kind % 6 == 4:
                known.append(pg.where(x[:n] > y[:n], x[:n], 3 - y[:n]))
            else:
                known.append(pg.minimum(x[c % 2 : n], 5 * y[: n - c % 2]))
        return [one for number, one in enumerate(known[3:]) if number % 3 or number > count - 3]

    return f


# The first seven reach every line of the kernels that forty do.
@pytest.mark.parametrize("seed", range(16))
def test_random_stencils(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    in_blocks_of(int(rng.choice([128, 256, 2048])), monkeypatch)
    monkeypatch.setattr(stencils, "SHORTEST", int(rng.choice([4, 64, 128])))
    n = int(rng.integers(100, 700))
    dtypes = [DTYPES[:-1][number] for number in rng.integers(0, 6, 3)]
    if seed % 2:
        dtypes = [np.float64 if seed % 4 == 1 else np.float32] * 3
    agree(drawn(rng, int(rng.integers(3, 25))), *(values(n, dtype) for dtype in dtypes))


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_node_of_a_product_and_the_stencil_for_a_reduction_only(which):
    """It has no place in the loop, which must not read it: it reads the loop's values."""

    def f(a, b, w):
        product, k = w @ b, pg.concat([a[:1], a[1:] * b[:-1]])
        c, n = pg.concat([k[:1], k[1:] - k[:-1]]) > 0, 376
        s = (
            pg.where(c[24:], product[:n], k[:n]),
            pg.where(c[:n], product[:n], k[24:]),
            pg.where(c[24:], k[:n], product[24:]),
        )[which]
        return [k, c, s * k[:n], product, pg.max(s)]

    w = RNG.integers(-3, 4, (400, 400)).astype(np.float64)
    a, b = (RNG.integers(-9, 10, 400).astype(np.float64) for _ in range(2))
    assert "Stencil" in agree(f, a, b, w)
