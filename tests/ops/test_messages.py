"""Wrong inputs raise with words that help: what, where, and what to try.

Each row is a call, the error and what it must say. The same words come whether the node computes at
once or is built in a graph; there each must fail when it is built.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import DTypeError, PalingradError, ShapeError

X, Y = np.zeros((2, 3)), np.zeros((4, 3))
CUBE = np.zeros((2, 3, 4))
INTS = np.array([1, 2])

Row = tuple[Callable[..., Any], tuple[Any, ...], type[PalingradError], str]
SHAPE, DTYPE = ShapeError, DTypeError
ROWS: list[Row] = [
    # elementwise
    (pg.add, (X, Y), SHAPE, "add: sizes 2 and 4 don't broadcast: x (2, 3) float64 + y (4, 3)"),
    (pg.where, (X, X, X), DTYPE, "where: the condition is float64, expected bool"),
    (pg.where, (X, X, X), DTYPE, "Compare it: c != 0."),
    (pg.bitwise_and, (X, 1), DTYPE, "float64 has no bits to combine"),
    (pg.bitwise_invert, (X,), DTYPE, "Compare it first: x > 0."),
    (pg.negative, (X > 0,), DTYPE, "negative: expected numbers, got booleans"),
    (pg.sin, ("text",), DTYPE, "sin: expected numbers, got str"),
    # contractions
    (pg.matmul, (X, Y), SHAPE, "matmul: inner sizes 3 and 4 differ: x (2, 3) float64 @ y (4,"),
    (pg.matmul, (X, Y), SHAPE, "Did you mean y.mT?"),
    (pg.matmul, (X, np.zeros((2, 5))), SHAPE, "Did you mean x.mT?"),
    (pg.matmul, (X, 2.0), SHAPE, "an operand has no axes"),
    (pg.matmul, (X, 2.0), SHAPE, "Use * to multiply by a number."),
    (pg.matmul, (CUBE, np.zeros((3, 4, 5))), SHAPE, "sizes 2 and 3 don't broadcast"),
    (pg.dot, (X, np.zeros(4)), SHAPE, "inner sizes 3 and 4 differ"),
    # reductions
    (lambda x: pg.sum(x, axis=2), (X,), SHAPE, "sum: axis 2 is out of range for 2 axes: x (2"),
    (lambda x: pg.mean(x, axis=-3), (X,), SHAPE, "mean: axis -3 is out of range for 2 axes"),
    (lambda x: pg.max(x, axis=(0, -2)), (X,), SHAPE, "axes (0, -2) name an axis twice"),
    (lambda x: pg.max(x, axis=1.5), (X,), SHAPE, "axis must be None, an integer or several"),
    (lambda x: pg.argmax(x, axis=(0, 1)), (X,), SHAPE, "expected one axis or None, got (0, 1"),
    (lambda x: pg.min(x, axis=0), (X[:0],), SHAPE, "min: no element to choose on an axis of s"),
    (lambda x: pg.argmin(x), (X[:0],), SHAPE, "argmin: no element to choose on an axis of s"),
    (lambda x: pg.softmax(x, axis=2), (X,), SHAPE, "softmax: axis 2 is out of range for 2 axe"),
    (lambda x: pg.var(x, axis=5), (X,), SHAPE, "var: axis 5 is out of range for 2 axes"),
    (lambda x: pg.sum(x, axis=0), (2.0,), SHAPE, "sum: axis 0 is out of range for 0 axes: x ()"),
    (lambda x: pg.argmax(x, axis=-1), (2.0,), SHAPE, "argmax: axis -1 is out of range for 0 ax"),
    (lambda x: pg.squeeze(x, axis=0), (2.0,), SHAPE, "squeeze: axis 0 is out of range for 0 axes"),
    # moves
    (lambda x: pg.reshape(x, (4, 2)), (X,), SHAPE, "reshape: 6 elements don't fit shape (4, 2)"),
    (lambda x: pg.reshape(x, (4, -1)), (X,), SHAPE, "6 elements don't fit shape (4, -1)"),
    (lambda x: pg.reshape(x, (-1, -1)), (X,), SHAPE, "one -1 and no other negative size"),
    (lambda x: pg.reshape(x, (-2, 3)), (X,), SHAPE, "one -1 and no other negative size"),
    (lambda x: pg.permute_dims(x, (0, 0)), (X,), SHAPE, "axes (0, 0) name an axis twice"),
    (lambda x: pg.permute_dims(x, (0,)), (X,), SHAPE, "axes (0,) don't name each of 2 axes"),
    (lambda x: x.mT, (X[0],), SHAPE, "matrix_transpose: a matrix has two axes or more, got 1"),
    (lambda x: pg.expand_dims(x, axis=4), (X,), SHAPE, "axis 4 is out of range for 3 axes"),
    (lambda x: pg.squeeze(x, axis=0), (X,), SHAPE, "squeeze: axis 0 has size 2, not 1"),
    (lambda x: pg.broadcast_to(x, (3, 3)), (X,), SHAPE, "can't be broadcast to (3, 3)"),
    (lambda x: pg.broadcast_to(x, 3), (X,), SHAPE, "can't be broadcast to (3,)"),
    (lambda x: x[2], (X,), SHAPE, "slice: index 2 is out of range for size 2"),
    (lambda x: x[0, 0, 0], (X,), SHAPE, "slice: 3 indices for 2 axes"),
    (lambda x: x["a"], (X,), DTYPE, "an array of integers or booleans, got str 'a'"),
    (lambda x: x[1.0], (X,), DTYPE, "an array of integers or booleans, got float 1.0"),
    (lambda x: x[1.5:], (X,), DTYPE, "a slice from, to or by 1.5: expected integers"),
    (lambda x: x[..., ...], (X,), SHAPE, "an index may have one ..., not several"),
    (lambda x: x[[0, 3], :], (X,), SHAPE, "indices 0 … 3 for 2 rows, on axis 0"),
    (lambda x: x[0, [0, 3]], (X,), SHAPE, "indices 0 … 3 for 3 rows, on axis 1"),
    (lambda x: x[[0], 0, 0], (X,), SHAPE, "3 indices for 2 axes"),
    (lambda x: x.at[[0, 1]].set(np.ones(5)), (X,), SHAPE, "values of shape (5,) for elements of"),
    # joining
    (lambda x, y: pg.concat([x, y], axis=1), (X, Y), SHAPE, "concat: shapes (2, 3) and (4, 3) d"),
    (lambda x, y: pg.concat([x, y], axis=2), (X, X), SHAPE, "concat: axis 2 is out of range for"),
    (lambda: pg.concat([]), (), SHAPE, "concat: expected arrays to join, got none"),
    (lambda x, y: pg.stack([x, y]), (X, Y), SHAPE, "shapes (1, 2, 3) and (1, 4, 3) differ"),
    (lambda x: pg.split(x, 2, axis=1), (X,), SHAPE, "axis 1 of size 3 can't make 2 equal pieces"),
    (lambda x: pg.split(x, sizes=[1, 2]), (X,), SHAPE, "pieces of (1, 2) don't add up to axis 0"),
    (lambda x: pg.split(x, 0), (X,), SHAPE, "can't make 0 equal pieces"),
    # losses
    (pg.cross_entropy, (X, INTS + 2), SHAPE, "cross_entropy: labels 3 … 4 for 3 classes"),
    (pg.cross_entropy, (X, -INTS), SHAPE, "cross_entropy: labels -2 … -1 for 3 classes"),
    (pg.take, (X, X > 0), DTYPE, "take: indices are booleans, expected integers"),
    (pg.cross_entropy, (X, X > 0), DTYPE, "labels are booleans, expected integers or one-hot"),
    (pg.cross_entropy, (X, np.array([1])), SHAPE, "expect integer labels (2,) or one-hot floats"),
    (pg.cross_entropy, (X, Y), SHAPE, "logits (2, 3) expect integer labels (2,) or one-hot"),
    (lambda x: pg.cross_entropy(x, INTS, reduction="max"), (X,), SHAPE, "reduction must be 'mean"),
    (pg.mse, (X, X[0]), SHAPE, "prediction (2, 3) and target (3,) differ in shape"),
]  # fmt: skip


def words_of(row: Row) -> str:
    return row[3][:50]


@pytest.mark.tiny
@pytest.mark.parametrize("row", ROWS, ids=words_of)
def test_computing_at_once(row):
    function, arrays, error, words = row
    with pytest.raises(error) as caught:
        function(*[pg.tensor(x) if isinstance(x, np.ndarray) else x for x in arrays])
    assert words in str(caught.value)


@pytest.mark.tiny
@pytest.mark.parametrize("row", ROWS, ids=words_of)
def test_building_a_graph(row):
    function, arrays, error, words = row
    if function is pg.cross_entropy and "classes" in words:
        arrays = (arrays[0], pg.tensor(arrays[1]))  # a value that isn't known can't be looked at
    with pg.Graph(), pytest.raises(error) as caught:
        function(
            *[
                pg.placeholder(x.shape, dtype=x.dtype) if isinstance(x, np.ndarray) else x
                for x in arrays
            ]
        )
    assert words in str(caught.value)


@pytest.mark.tiny
@pytest.mark.parametrize("row", [row for row in ROWS if row[2] is ShapeError], ids=words_of)
def test_running_a_template(row):
    """Where sizes are fed, what they break is told when they are known."""
    function, arrays, error, words = row
    with pg.Graph() as graph:
        fed = {pg.placeholder(dtype=x.dtype): x for x in arrays if isinstance(x, np.ndarray)}
        nodes = iter(fed)
        given = [next(nodes) if isinstance(x, np.ndarray) else x for x in arrays]

    def build_and_run() -> Any:
        with graph:
            result = function(*given)
        fetches = list(result) if isinstance(result, tuple) else result
        return pg.Session(graph).run(fetches, fed)

    if words.endswith("classes"):  # labels are values, which no rule looks at
        assert np.isnan(build_and_run())
        return
    with pytest.raises(error) as caught:
        build_and_run()
    assert words in str(caught.value) or "isn't known yet" in str(caught.value)


@pytest.mark.tiny
def test_a_message_says_where_the_node_was_built_and_what_to_try():
    with pytest.raises(ShapeError) as caught:
        pg.matmul(X, Y)
    line = caught.traceback[0].lineno + 1
    assert str(caught.value) == (
        "matmul: inner sizes 3 and 4 differ: x (2, 3) float64 @ y (4, 3) float64. "
        f"Built at test_messages.py:{line}. Did you mean y.mT?"
    )
    assert caught.value.hint == "Did you mean y.mT?"


def test_errors_are_pythons_own_kinds_too():
    with pytest.raises(ValueError, match="matmul"):
        pg.matmul(X, Y)
    with pytest.raises(TypeError, match="where"):
        pg.where(X, X, X)
