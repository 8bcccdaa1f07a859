"""Constants, placeholders and Variables: what they take and what they refuse."""

from __future__ import annotations

import re

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import DTypeError, FeedError, ShapeError
from tolerances import assert_same


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, pg.int64),
        (1.0, pg.float32),
        (True, pg.bool_),
        ([1, 2], pg.int64),
        ([1.0, 2], pg.float32),
        ([], pg.float32),
        ([[True], [False]], pg.bool_),
        (np.float64(1), pg.float64),
        (np.array([1.0]), pg.float64),
        (np.array([1], np.int8), pg.int8),
        ([np.float64(1), np.float64(2)], pg.float64),
        (range(3), pg.int64),
    ],
    ids=str,
)
def test_python_floats_take_the_default_dtype_and_arrays_keep_their_own(value, dtype):
    assert pg.tensor(value).dtype == dtype
    assert pg.Variable(value).dtype == dtype


def test_a_given_dtype_is_taken_from_the_number_itself():
    assert pg.tensor(0.1, dtype=pg.float64).item() == 0.1
    assert pg.Variable([0.1], dtype=float).dtype == pg.float32
    assert pg.Constant(3, dtype=pg.float64).item() == 3.0


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (1.5, "int64", "can't turn float64 into int64 silently; use pg.cast"),
        (2, "bool", "can't turn int64 into bool silently"),
        (300, "int8", "a value outside -128 … 127 doesn't fit int8"),
        (-1, "uint64", "a value outside 0 … 18446744073709551615 doesn't fit uint64"),
        (2**63, "int64", "doesn't fit int64"),
        (1, "clongdouble", "dtype complex256 is not supported"),
        (1j, "float32", "complex128 to float32 would drop the imaginary parts"),
        (1, "nonsense", "'nonsense' is not a dtype"),
        ("text", None, "expected numbers, got str"),
        ({"a": 1}, None, "expected numbers, got dict"),
        (None, None, "expected numbers, got NoneType"),
    ],
)
def test_what_can_not_be_a_value_is_refused(value, dtype, message):
    for make in (pg.tensor, pg.Variable, pg.Constant):
        with pytest.raises(DTypeError, match=re.escape(message)):
            make(value, dtype=dtype)


def test_ragged_rows_are_refused():
    with pytest.raises(ShapeError, match="rows of different lengths aren't an array"):
        pg.tensor([[1, 2], [3]])


def test_numbers_too_large_for_a_float_are_infinite_as_in_numpy():
    assert pg.tensor(1e300).item() == np.inf
    assert (pg.tensor([1.0]) * 1e300).numpy() == np.inf
    assert (pg.tensor([1.0]) * -1e300).numpy() == -np.inf


@pytest.mark.tiny
def test_the_default_dtype_can_be_set():
    pg.set_default_dtype(pg.float64)
    assert pg.default_dtype() == pg.float64
    assert pg.tensor([0.1]).dtype == pg.float64
    assert (pg.tensor([1, 2]) / 2).dtype == pg.float64
    assert pg.mean(pg.tensor([1, 2])).dtype == pg.float64
    with pytest.raises(DTypeError, match="expected a float dtype, got int64"):
        pg.set_default_dtype(int)


# -------------------------------------------------------------------------------- Variables


@pytest.mark.tiny
def test_a_variable_takes_a_new_value_at_once():
    v = pg.Variable([1.0, 2.0])
    assert v.assign(v * 2) is v
    assert_same(v.numpy(), np.array([2.0, 4.0], np.float32))
    array = np.array([5.0, 6.0])
    v.assign(array)
    array[:] = 0
    assert_same(v.numpy(), np.array([5.0, 6.0], np.float32))


def test_a_new_value_keeps_the_digits_of_the_number_given():
    v = pg.Variable([0.0], dtype=pg.float64)
    v.assign([0.1])
    assert v.item() == 0.1
    with pg.Graph() as graph:
        later = v.assign([0.7])
    pg.Session(graph).run(later)
    assert v.item() == 0.7


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([1.0, 2, 3], ShapeError, r"variable 'v' has shape (2,), assigned (3,)"),
        (1.0, ShapeError, r"variable 'v' has shape (2,), assigned ()"),
        ([1.5, 2.5], DTypeError, "variable 'v' is int64, assigned float32; use pg.cast"),
    ],
)
def test_a_value_that_does_not_fit_leaves_the_variable(value, error, message):
    v = pg.Variable([1, 2], name="v")
    with pytest.raises(error, match=re.escape(message)):
        v.assign(value)
    with pg.Graph(), pytest.raises(error, match=re.escape(message)):
        v.assign(value)
    assert_same(v.numpy(), np.array([1, 2]))


def test_only_floats_are_trained():
    assert pg.Variable(1.0).trainable
    assert not pg.Variable(1).trainable
    assert not pg.Variable(1.0, trainable=False).trainable


# -------------------------------------------------------------------------------- Placeholders


@pytest.mark.tiny
def test_a_placeholder_learns_from_its_feed_what_it_was_not_told():
    x = pg.placeholder()
    for value in (1, 2.5, [1, 2], np.ones((2, 3))):
        found = pg.Session().run(x, {x: value})
        assert (found.shape, found.dtype) == (np.shape(value), pg.tensor(value).dtype)


def test_a_feed_takes_the_dtype_of_its_placeholder_from_the_number_itself():
    x = pg.placeholder(dtype=pg.float64)
    assert pg.Session().run(x, {x: 0.1}) == 0.1
    assert pg.Session().run(x, {x: [0.1]})[0] == 0.1
    assert pg.Session().run(x, {x: 3}).dtype == pg.float64
    assert pg.Session().run(x, {x: np.float32(0.5)}).dtype == pg.float64


@pytest.mark.parametrize(
    ("shape", "dtype", "value", "message"),
    [
        ((2, None), None, np.ones((3, 4)), r"has shape (2, ?), fed (3, 4)"),
        ((2,), None, 1.0, r"has shape (2,), fed ()"),
        (None, "int64", 1.5, "can't turn float64 into int64 silently; use pg.cast"),
        (None, "bool", [1, 2], "can't turn int64 into bool silently"),
        (None, "int8", 300, "a value outside -128 … 127 doesn't fit int8"),
        (None, None, "text", "expected numbers, got str"),
        (
            None,
            None,
            np.array(["a"]),
            "got ndarray, which as an array has dtype <U1",
        ),
        (None, None, [[1], [2, 3]], "rows of different lengths aren't an array"),
    ],
)
def test_a_feed_that_does_not_fit_is_refused(shape, dtype, value, message):
    x = pg.placeholder(shape, dtype=dtype, name="x")
    with pytest.raises(FeedError, match=re.escape(message)) as caught:
        pg.Session().run(x, {x: value})
    assert str(caught.value).startswith("placeholder 'x'")


def test_shapes_of_placeholders_are_sizes():
    assert pg.placeholder(3).shape == (3,)
    assert pg.placeholder([2, None]).shape == (2, None)
    assert pg.placeholder(()).shape == ()
    with pytest.raises(ShapeError, match="a size can't be negative"):
        pg.placeholder((2, -1))
    with pytest.raises(ShapeError, match=r"expected a shape such as \(2, 3\), got \(2, 'x'\)"):
        pg.placeholder((2, "x"))


# -------------------------------------------------------------------------------- tensors of nodes


@pytest.mark.tiny
def test_a_tensor_of_nodes_stacks_them_and_keeps_gradients():
    v, w = pg.Variable(3.0), pg.tensor(2.0, dtype=pg.float64)
    found = pg.tensor([[v * w, 1], [w, v]])
    assert_same(found.numpy(), np.array([[6.0, 1.0], [2.0, 3.0]]))
    of_v, of_w = pg.gradients(pg.sum(found * found), [v, w])
    assert_same(of_v.numpy(), np.float32(2 * 3 * 4 + 2 * 3))
    assert_same(of_w.numpy(), np.float64(2 * 2 * 9 + 2 * 2))
    narrow = pg.tensor([v, 0.1], dtype=pg.float16, name="narrow")
    assert narrow.name == "narrow"
    assert_same(narrow.numpy(), np.array([3.0, 0.1], np.float16))
    assert_same(pg.tensor([w, 0.1], dtype=pg.float64).numpy(), np.array([2.0, 0.1]))


@pytest.mark.tiny
def test_a_tensor_of_a_node_is_another_node_with_its_value_and_gradient():
    for v in (pg.Variable([3.0]), pg.tensor([True]), pg.Constant(2), pg.tensor([1, 2])):
        found = pg.tensor(v)
        assert found is not v
        assert found.weak is None
        assert_same(found.numpy(), v.numpy())
    v = pg.Variable(3.0)
    before = pg.tensor(v)
    v.assign(4.0)
    assert_same(before.numpy(), np.float32(3))
    assert_same(pg.gradients(before * before, v).numpy(), np.float32(6))
    x = pg.placeholder()
    assert_same(pg.Session().run(pg.tensor(x, name="x") * 2, {x: [1, 2]}), np.array([2, 4]))


def test_nodes_of_shapes_that_differ_make_no_tensor():
    with pytest.raises(ShapeError, match="differ"):
        pg.tensor([pg.tensor([1.0, 2.0]), pg.tensor(1.0)])
