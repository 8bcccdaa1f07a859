"""Concatenation and splitting: pieces are computed in the joined buffer, or copied to it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import palingrad as pg
from tolerances import assert_close, assert_same


def agree(f: Any, *arrays: Any) -> list[str]:
    """Both engines' results are close; the kernels that native runs."""
    run = pg.function(f, engine="native")
    found, expected = run(*arrays), pg.function(f, engine="numpy")(*arrays)
    for one, other in zip(found, expected, strict=True) if isinstance(found, list) else [
        (found, expected)
    ]:  # fmt: skip
        assert_close(one, other)
    said = run.explain(*arrays)
    assert "Fallback" not in said
    return [word for line in said.splitlines() for word in line.split()[:2] if word[0].isupper()]


def numbers(*shape: int, dtype: Any = np.float64) -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("count", [2, 3, 4, 8])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_of_a_loop_are_written_to_the_stacked_buffer(count, axis, dtype):
    x = numbers(5, 37, dtype=dtype)

    def stacked(x):
        return pg.stack([x * number + 1 for number in range(1, count + 1)], axis=axis)

    assert agree(stacked, x) == ["Elementwise"]
    assert agree(lambda x: stacked(x > 0), x) == ["Elementwise"]  # booleans are bytes


def test_pieces_of_other_kernels_are_not_copied():
    x, w = numbers(40, 30, dtype=np.float32), numbers(30, 20, dtype=np.float32)
    kinds = agree(lambda x, w: pg.concat([pg.relu(x @ w), pg.tanh(x @ w + 1)], axis=1), x, w)
    assert "Concat" not in kinds
    kinds = agree(lambda x: pg.concat([pg.softmax(x), x * 2], axis=1), x)
    assert "Concat" not in kinds
    kinds = agree(lambda x: pg.sum(pg.concat([x * 2, x - 1], axis=1) ** 2, axis=1), x)
    assert "Concat" not in kinds


def test_pieces_with_outer_axes_in_another_order_are_not_copied():
    x = numbers(3, 4, 20)

    def joined(x):
        y = pg.tanh(x)  # which a reduction reads with its own axes
        parts = y.transpose(1, 0, 2), pg.exp(x).transpose(1, 0, 2)
        return [pg.concat(parts, axis=2), pg.sum(y)]

    assert "Concat" not in agree(joined, x)

    def turned(x):  # would be written number by number
        return pg.concat([pg.tanh(x).transpose(2, 0, 1), pg.exp(x).transpose(2, 0, 1)], axis=2)

    assert "Concat" in agree(turned, x)


@pytest.mark.parametrize("axis", [0, 1])
def test_pieces_that_are_needed_elsewhere_are_copied(axis):
    x, y = numbers(6, 7), numbers(6, 7)
    assert agree(lambda x, y: pg.concat([x, y, x[:, ::-1]], axis=axis), x, y) == ["Concat"]
    # One value in two places, one that is a result too, and one that is seen from another side.
    agree(lambda x, y: pg.concat([x * y] * 2, axis=axis), x, y)
    agree(lambda x, y: [z := x * y, pg.concat([z, x + y], axis=axis)], x, y)
    agree(lambda x, y: [pg.concat([z := x * y, y], axis=axis), pg.sum(z.mT @ z)], x, y)
    agree(lambda x, y: pg.concat([pg.reshape(x * y, (7, 6)).mT, y], axis=axis), x, y)
    agree(lambda x, y: pg.concat([pg.concat([x * 2, y], axis=axis), x + y], axis=axis), x, y)
    agree(lambda x, y: pg.concat([x @ y.mT, pg.exp(x @ y.mT)], axis=axis), x, y)


def test_a_large_copy_is_shared_between_threads_and_a_small_one_is_whole():
    for length in (1, 15, 4097, 100_000):
        x = numbers(length)
        agree(lambda x: pg.concat([x, x[::-1], x[:1], x]), x)


def test_joined_values_and_pieces_update_variables():
    """The joined value is written over what its pieces read, from the other end; a piece is a new
    value of its own."""

    def trained(engine):
        w = pg.Variable(np.arange(400.0), dtype=pg.float64)
        v = pg.Variable(np.arange(200.0), dtype=pg.float64)

        @pg.function(engine=engine)
        def step(x):
            back = w[::-1]
            w.assign(pg.concat([back[:200] * x, back[200:] + x]))
            piece = v * 0.5 + x
            v.assign(piece)
            return pg.concat([piece, x, x * 2])

        x = np.full(200, 0.5)
        found = [step(x) for _ in range(5)]
        assert engine == "numpy" or "2 Variables updated in place" in step.explain(x)
        return [w.numpy(), v.numpy(), *found]

    for one, other in zip(trained("native"), trained("numpy"), strict=True):
        assert_same(one, other)


def test_a_joined_buffer_is_live_from_its_first_piece():
    """The first piece lies there long before the last; what comes between lies elsewhere."""
    x, w = numbers(128, 128) / 8, numbers(128, 128)[::-1] / 8

    def chained(x, w):
        first = pg.tanh(x)
        last = pg.tanh(pg.tanh(pg.tanh(x @ w) @ w) @ w)
        return pg.concat([first, last]) @ w

    assert "Concat" not in agree(chained, x, w)


def test_split_is_views_and_its_gradient_a_concatenation():
    x = numbers(6, 9)
    kinds = agree(lambda x: [one * 2 for one in pg.split(x, 3, axis=1)], x)
    assert set(kinds) == {"Elementwise"}

    def gradient(x):
        a, b = pg.split(x, sizes=(2, 4), axis=0)
        return pg.gradients(pg.sum(a**3) + pg.sum(b**2), x)

    assert "Concat" not in agree(gradient, x)


@settings(max_examples=10)
@given(st.data())
def test_concatenations_of_any_pieces_equal_numpys(data):
    """Six concatenations in each program: compiling takes longest."""
    joins = [concatenation(data) for _ in range(6)]
    agree(
        lambda *xs: [one for (_, joined), x in zip(joins, xs, strict=True) for one in joined(x)],
        *(x for x, _ in joins),
    )


def concatenation(data: Any) -> tuple[Any, Any]:
    """An array, and a function of it that joins pieces and splits them again."""
    ndim = data.draw(st.integers(1, 3))
    axis = data.draw(st.integers(0, ndim - 1))
    shape = data.draw(st.lists(st.integers(1, 5), min_size=ndim, max_size=ndim))
    x = numbers(*shape)
    producers = [
        lambda x: x, lambda x: x * 2, lambda x: pg.exp(x), lambda x: x[..., ::-1],
        lambda x: x / (1 + pg.max(pg.abs(x), axis=-1, keepdims=True)), lambda x: -x[..., :0:-1]
        if axis == ndim - 1 else -x,
    ]  # fmt: skip
    chosen = data.draw(st.lists(st.sampled_from(producers), min_size=1, max_size=6))

    def joined(x):
        y = pg.concat([producer(x) for producer in chosen], axis=axis)
        pieces = pg.split(
            y, sizes=[one.shape[axis] for one in [producer(x) for producer in chosen]], axis=axis
        )
        return [y, pg.gradients(pg.sum(y**2), x), *pieces]

    return x, joined


def test_interleaved_stores_of_every_length():
    """All the lengths around whole vectors, for two and four pieces of every size of element."""
    kinds = (np.float64, np.float32, np.int16, np.uint8)
    cases = list(itertools.product((1, 2, 7, 16, 31, 33, 64, 65), (2, 4), kinds))
    xs = [np.arange(length).astype(dtype) for length, _, dtype in cases]

    @pg.function(engine="native")
    def run(xs):
        return [
            pg.stack([x + number for number in range(count)], axis=-1)
            for x, (_, count, _) in zip(xs, cases, strict=True)
        ]

    for x, (_, count, dtype), found in zip(xs, cases, run(xs), strict=True):
        assert_same(found, np.stack([x + dtype(number) for number in range(count)], axis=-1))


def test_a_piece_that_is_returned_transposed_stays_where_it_is():
    def f(x):
        piece = pg.clip(x, -1.0, 1.0)
        return [pg.concatenate([piece, pg.clip(x, 0.0, 3.0)]), piece.mT]

    assert "Copy" in agree(f, numbers(3, 4))


def test_joined_arrays_that_are_pieces_are_not_copied():
    """Rows of a Jacobian: numbers joined to rows, rows to matrices, and all to one vector."""
    x, y = numbers(300), numbers(300)

    def rows(x, y):
        first = pg.stack([pg.sin(x), x * y, x + y], axis=1)
        second = pg.concat([first * 2, pg.stack([x - y, pg.cos(y)], axis=1)], axis=1)
        both = pg.stack([second, second - 1], axis=1)  # (300, 2, 5)
        return pg.concat([both.reshape(-1), -2 * x, pg.exp(second).reshape(-1)])

    kinds = agree(rows, x, y)
    assert kinds.count("Concat") <= 1
    assert "Concat" not in agree(
        lambda x, y: pg.concat([pg.stack([x * 2, y * 3], axis=1).reshape(-1), x - y]), x, y
    )
    assert "Concat" not in agree(
        lambda x, y: pg.stack([pg.concat([x * 2, y * 3]), pg.concat([x - y, x + y])], axis=1), x, y
    )


def test_pieces_in_several_joined_arrays():
    x, y = numbers(40), numbers(40)

    def several(x, y):
        z, w = pg.sin(x), x * y
        inner = pg.concat([z, w])
        alone = pg.concat([z])
        outer = pg.concat([z, inner, w, inner])
        last = pg.concat([outer.reshape(2, 120)[1], z])
        found = [pg.concat([outer, alone]), pg.concat([z, z, w]), pg.stack([z, w], axis=1) * 2]
        return [*found, inner, pg.concat([alone, pg.concat([alone, y])]), last]

    agree(several, x, y)
    agree(lambda x, y: several(x, y)[:1], x, y)
    agree(lambda x, y: several(x, y)[2:5], x, y)
    agree(lambda x, y: [pg.sum(one) for one in several(x, y)], x, y)


@pytest.mark.parametrize("seed", range(8))
def test_random_nests_of_joined_arrays(seed):
    rng = np.random.default_rng(seed)
    x, y = numbers(24), numbers(24)
    script = rng.integers(0, 1 << 20, (14, 4))

    def nested(x, y):
        known = [pg.sin(x).reshape(4, 6), (x * y).reshape(6, 4).mT, x.reshape(4, 6)]
        for what, i, j, k in script:
            a, b, c = (known[place % len(known)] for place in (i, j, k))
            rows = min(a.shape[0], b.shape[0], c.shape[0], 4)
            a, b, c = a[:rows], b[:rows], c[:rows]
            if what % 5 == 0:
                known.append(pg.concat([a, b, c * 2], axis=1)[:, :40])
            elif what % 5 == 1:
                known.append(
                    pg.concat([a.reshape(-1), (b + 1).reshape(-1)])[: 5 * rows].reshape(-1, 5)
                )
            elif what % 5 == 2:
                known.append(pg.stack([a[:, 0], pg.cos(b[:, 0]), c[:, 0]], axis=1))
            elif what % 5 == 3:
                known.append(pg.concat([a * 3, b.mT[: a.shape[1] // 2].mT], axis=1)[:, :40])
            else:
                known.append(a * 2 - 1)
        chosen = [known[place % len(known)] for place in script[:5, 0]]
        return [*chosen[:2], pg.concat([one.reshape(-1) for one in [*chosen, *known[-3:]]])]

    agree(nested, x, y)
