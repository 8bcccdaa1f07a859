"""take, embedding, flatten and broadcast_to, and what indices may be."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import DTypeError, ShapeError
from tolerances import assert_same

TABLE = np.arange(12.0).reshape(4, 3)


def test_take_puts_the_shape_of_the_indices_in_the_place_of_the_axis():
    indices = np.array([[0, -1], [2, 2]])
    assert_same(pg.take(TABLE, indices).numpy(), np.take(TABLE, indices))
    assert_same(pg.take(TABLE, indices, axis=0).numpy(), np.take(TABLE, indices, axis=0))
    assert_same(pg.take(TABLE, indices, axis=1).numpy(), np.take(TABLE, indices, axis=1))
    assert_same(pg.take(TABLE, 2, axis=-1).numpy(), TABLE[:, 2])
    assert_same(pg.embedding(indices, TABLE).numpy(), TABLE[indices])


def test_a_row_taken_twice_gets_both_gradients():
    slope = pg.grad(lambda table: pg.sum(pg.take(table, [1, 1, 3], axis=0)))(TABLE)
    assert_same(slope, np.array([0.0, 2, 0, 1])[:, None] * np.ones((4, 3)))


def test_indices_are_integers_in_range():
    with pytest.raises(ShapeError, match="take: indices 0 … 4 for 4 rows"):
        pg.take(TABLE, [0, 4], axis=0)
    with pg.Graph(), pytest.raises(DTypeError, match="indices are float32, expected integers"):
        pg.take(TABLE, [0.0])
    with pg.Graph() as graph:
        i = pg.placeholder(dtype=pg.int64)
        rows = pg.take(TABLE, i, axis=0)
    with pytest.raises(IndexError):
        pg.Session(graph).run(rows, {i: [7]})


def test_flatten_keeps_the_first_axis():
    assert pg.flatten(np.zeros((2, 3, 4))).shape == (2, 12)
    assert pg.flatten(np.zeros((0, 3, 4))).shape == (0, 12)
    with pytest.raises(ShapeError, match="no axes to flatten"):
        pg.flatten(1.0)


def test_an_unknown_size_may_be_one_that_is_repeated():
    with pg.Graph() as graph:
        x = pg.placeholder((None,))
        wide, narrow = pg.broadcast_to(x, (2, 3)), pg.broadcast_to(x, (2, 1))
    found = pg.Session(graph, engine="numpy").run([wide, narrow], {x: [7.0]})
    assert_same(found[0], np.full((2, 3), 7.0, np.float32))
    assert_same(found[1], np.full((2, 1), 7.0, np.float32))
    with pytest.raises(ShapeError, match=r"can't be broadcast to \(2, 1\)"):
        pg.Session(graph, engine="numpy").run(narrow, {x: [7.0, 8.0]})
