"""The arithmetic of shapes: broadcasting, axes, reductions, reshapes, also with unknown sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

import palingrad as pg
from palingrad import shapes
from palingrad.errors import ShapeError

SIZES = st.lists(st.integers(0, 3), max_size=4).map(tuple)


@pytest.mark.tiny
@given(SIZES, SIZES)
def test_broadcast_is_numpys(a, b):
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ShapeError, match=r"sizes \d and \d don't broadcast"):
            shapes.broadcast(a, b)
    else:
        assert shapes.broadcast(a, b) == expected


@given(SIZES, SIZES, st.lists(st.booleans(), min_size=8, max_size=8))
def test_unknown_sizes_promise_nothing_that_turns_out_wrong(a, b, hide):
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        return
    hidden_a = tuple(None if hidden else dim for dim, hidden in zip(a, hide[:4]))
    hidden_b = tuple(None if hidden else dim for dim, hidden in zip(b, hide[4:]))
    found = shapes.broadcast(hidden_a, hidden_b)
    assert len(found) == len(expected)
    assert all(shapes.same(x, y) for x, y in zip(found, expected))


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("a", "b", "result"),
    [
        ((None,), (1,), (None,)),
        ((None,), (3,), (3,)),
        ((None,), (None,), (None,)),
        ((2, None), (None, 1), (2, None)),
        ((), (None, 2), (None, 2)),
    ],
)
def test_broadcast_of_unknown_sizes(a, b, result):
    assert shapes.broadcast(a, b) == shapes.broadcast(b, a) == result


def test_axes_are_counted_from_the_front_and_sorted():
    assert shapes.axes_in(None, 3) == (0, 1, 2)
    assert shapes.axes_in(-1, 3) == (2,)
    assert shapes.axes_in((2, -3), 3) == (0, 2)
    assert shapes.axes_in((), 3) == ()
    for axis in (3, -4, (0, 5)):
        with pytest.raises(ShapeError, match="is out of range for 3 axes"):
            shapes.axes_in(axis, 3)
    with pytest.raises(ShapeError, match=r"axes \(0, -3\) name an axis twice"):
        shapes.axes_in((0, -3), 3)
    with pytest.raises(ShapeError, match=r"expected an integer axis, got 1.5"):
        shapes.axes_in(1.5, 3)


@given(SIZES.filter(bool), st.data())
def test_reduced_is_numpys(shape, data):
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1)).map(tuple))
    for keepdims in (True, False):
        expected = np.zeros(shape).sum(axis=axes, keepdims=keepdims).shape
        assert shapes.reduced(shape, axes, keepdims) == expected


@given(SIZES, st.lists(st.integers(-1, 4), max_size=3))
def test_reshaped_is_numpys(shape, target):
    try:
        expected = np.zeros(shape).reshape(target).shape
    except ValueError:
        with pytest.raises(ShapeError):
            shapes.reshaped(shape, target)
    else:
        assert shapes.reshaped(shape, target) == expected


def test_a_reshape_of_unknown_size_waits():
    assert shapes.reshaped((None, 2), (4, -1)) == (4, None)
    assert shapes.reshaped((None, 2), (4, 3)) == (4, 3)
    with pytest.raises(ShapeError, match="one -1 and no other negative size"):
        shapes.reshaped((None,), (-1, -1))


@pytest.mark.tiny
def test_shapes_for_people():
    assert [shapes.text(shape) for shape in (None, (), (2,), (2, None), (3, 4))] == [
        "?", "()", "(2,)", "(2, ?)", "(3, 4)",
    ]  # fmt: skip


def test_size_and_known():
    assert (shapes.size(()), shapes.size((2, 3)), shapes.size((0, 3))) == (1, 6, 0)
    assert shapes.known(())
    assert not shapes.known(None)
    assert not shapes.known((2, None))


def test_an_axis_out_of_range_is_an_index_error_as_in_numpy():
    for f in (lambda x: pg.sum(x, axis=2), lambda x: pg.expand_dims(x, -4), lambda x: x.max(3)):
        with pytest.raises(IndexError, match="out of range"):
            f(pg.zeros((2, 3)))
