"""Mini-batches: every row once, in an order that seed and epoch decide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from palingrad.data import Split, batches
from palingrad.data.batching import shuffled
from palingrad.errors import DTypeError, ShapeError

pytestmark = pytest.mark.tiny

X = np.arange(20).reshape(10, 2)
Y = np.arange(10)


def order(**options):
    return [int(row) for (y,) in batches((Y,), 3, **options) for row in y]


@given(
    count=st.integers(0, 40),
    size=st.integers(1, 45),
    seed=st.none() | st.integers(0, 2**64 - 1),
    epoch=st.integers(0, 1000),
)
def test_every_row_comes_once_and_rows_stay_together(count, size, seed, epoch):
    x, y = np.arange(3 * count).reshape(count, 3), np.arange(count)
    parts = list(batches((x, y), size, seed=seed, epoch=epoch))
    assert [len(part[1]) for part in parts] == [
        min(size, count - at) for at in range(0, count, size)
    ]
    rows = np.concatenate([np.zeros(0, int), *(part[1] for part in parts)])
    assert sorted(rows) == list(range(count))
    for part in parts:
        np.testing.assert_array_equal(part[0], x[part[1]])


def test_the_order_follows_from_seed_and_epoch():
    assert order(seed=5, epoch=2) == order(seed=5, epoch=2)
    orders = [order(seed=seed, epoch=epoch) for seed in range(4) for epoch in range(4)]
    assert len(set(map(tuple, orders))) == 16
    assert order() == list(range(10))


def test_the_order_is_the_same_for_good():
    """Computed once by NumPy 2.4 on x86-64: another version or platform must agree."""
    assert shuffled(10, 0).tolist() == [6, 3, 8, 1, 4, 5, 9, 2, 7, 0]
    assert shuffled(10, 7, 3).tolist() == [2, 1, 4, 8, 9, 3, 5, 7, 6, 0]


def test_each_row_comes_to_each_place_about_as_often():
    counts = np.zeros((5, 5))
    for epoch in range(2000):
        counts[np.arange(5), shuffled(5, 1, epoch)] += 1
    assert abs(counts - 400).max() < 5 * np.sqrt(2000 * 0.2 * 0.8)  # five standard deviations


def test_without_a_seed_nothing_is_copied():
    for (x,) in batches((X,), 4):
        assert np.shares_memory(x, X)


def test_drop_last_leaves_out_the_smaller_batch():
    assert [len(x) for (x,) in batches((X,), 4)] == [4, 4, 2]
    assert [len(x) for (x,) in batches((X,), 4, drop_last=True)] == [4, 4]
    assert [len(x) for (x,) in batches((X,), 5, drop_last=True, seed=0)] == [5, 5]
    with pytest.raises(ShapeError, match=r"10 rows are less than one batch of 11.* smaller batch"):
        batches((X,), 11, drop_last=True)


def test_a_split_gives_inputs_and_labels():
    split = Split(np.full((5, 2, 2), 255, np.uint8), np.arange(5, dtype=np.uint8))
    batch = next(iter(batches(split, 4, seed=0)))
    assert [(part.shape, part.dtype) for part in batch] == [
        ((4, 4), np.float32),
        ((4,), np.int64),
    ]


@pytest.mark.parametrize("size", [0, -1, 2.0, "3", None])
def test_a_batch_size_is_a_whole_number_from_one(size):
    with pytest.raises(ShapeError, match=rf"batch_size must be an integer ≥ 1, got {size!r}"):
        batches((X,), size)  # at once, not when the first batch is asked for


def test_wrong_seeds_and_epochs_are_refused():
    with pytest.raises(DTypeError, match="seed must be an integer ≥ 0, got -1"):
        batches((X,), 2, seed=-1)
    with pytest.raises(DTypeError, match=r"epoch must be an integer ≥ 0, got 0\.5"):
        batches((X,), 2, seed=0, epoch=0.5)  # pyright: ignore[reportArgumentType]


def test_wrong_arrays_are_refused():
    with pytest.raises(ShapeError, match=r"equally many rows, got shapes \(10, 2\), \(9,\)"):
        batches((X, Y[:9]), 2)
    with pytest.raises(ShapeError, match=r"got shapes \(\)"):
        batches((1.0,), 2)
    with pytest.raises(ShapeError, match=r"got ndarray. Put a single array into a tuple"):
        batches(X, 2)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ShapeError, match="expected a split or a tuple of arrays, got tuple"):
        batches((), 2)
