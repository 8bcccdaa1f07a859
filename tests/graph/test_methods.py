"""Methods of nodes: what NumPy's methods of the same names give."""

import copy
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, ShapeError

X = np.array([[3.0, -1.0, 2.0], [0.5, 4.0, -2.5]])

CALLS = {
    "sum": lambda x: x.sum(0),
    "sum in a dtype": lambda x: x.sum(1, dtype="float32", keepdims=True),
    "mean": lambda x: x.mean(1),
    "std": lambda x: x.std(ddof=1),
    "var": lambda x: x.var(0),
    "prod": lambda x: x.prod(1),
    "max": lambda x: x.max(1),
    "min": lambda x: x.min(0, initial=0.0),
    "argmax": lambda x: x.argmax(1),
    "argmin": lambda x: x.argmin(),
    "any": lambda x: (x > 3).any(1),
    "all": lambda x: (x > -3).all(),
    "reshape": lambda x: x.reshape(3, 2),
    "reshape to one size": lambda x: x.reshape(-1),
    "reshape to a tuple": lambda x: x.reshape((2, -1)),
    "flatten": lambda x: x.flatten(),
    "ravel": lambda x: x.ravel(),
    "squeeze": lambda x: x[None].squeeze(0),
    "transpose": lambda x: x.transpose(),
    "transpose by axes": lambda x: x.transpose(1, 0),
    "transpose by a tuple": lambda x: x.transpose((0, 1)),
    "T": lambda x: x.T,
    "astype": lambda x: x.astype("float32", copy=False),
    "clip": lambda x: x.clip(0, 1),
    "round": lambda x: x.round(),
    "dot": lambda x: x.dot(x.T),
    "copy": lambda x: x.copy(),
    "take": lambda x: x.take([1, 0], 1),
    "floor and rest": lambda x: divmod(x, 2)[1],
    "rest of a number": lambda x: divmod(7.0, x)[0],
}


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_methods_are_numpys(call):
    expected = call(X)
    for found in (call(pg.tensor(X)), pg.function(call)(X)):
        assert found.shape == expected.shape
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6)


def test_values_and_sizes():
    x = pg.tensor(X)
    assert (x.size, x.itemsize, x.nbytes) == (6, 8, 48)
    assert x.tolist() == X.tolist()
    assert (x.item(4), x.item(1, 2), pg.tensor(2.0).item()) == (4.0, -2.5, 2.0)
    with pytest.raises(IndexError, match="out of bounds"):
        x.item(6)
    with pg.Graph():
        fed = pg.placeholder((None, 3))
        assert (fed.size, fed.itemsize, fed.nbytes) == (None, None, None)


def test_functions_of_each_element_are_methods():
    x = pg.tensor(np.array([0.25, 0.5]))
    for name in "abs exp log sqrt square sin cos tan tanh sigmoid relu sign floor isnan".split():
        assert (getattr(x, name)().numpy() == getattr(pg, name)(x).numpy()).all(), name
    assert round(pg.tensor(np.array(2.567)), 1).item() == 2.6


def test_a_copy_of_a_variable_keeps_its_value():
    w = pg.Variable([1.0, 2.0])
    before = w.copy()
    w.assign([5.0, 6.0])
    assert before.tolist() == [1.0, 2.0]
    assert pg.grad(lambda x: pg.sum(x.clone() * x.detach()))(X).tolist() == X.tolist()


def test_a_call_that_does_not_fit_says_what_to_write():
    x: Any = pg.tensor(X)
    for call, expected in {
        lambda: x.sum(0, True): r"sum: 1 argument by position expected, got 2.* keepdims=True",
        lambda: x.mean(dim=0): "mean: no argument is called 'dim'. Write axis=0",
        lambda: x.exp(1): "exp: 0 arguments by position expected, got 1",
        lambda: x.reshape(): "reshape: the arguments don't fit",
        lambda: x.reshape(2, 3, order="F"): "reshape: no argument is called 'order'",
        lambda: x.flatten("F"): "flatten: 0 arguments by position expected, got 1",
    }.items():
        with pytest.raises(ArgumentError, match=expected):
            call()


def test_nodes_in_lists_and_numbers_in_nodes():
    x, v = pg.tensor(X), pg.tensor(X[0])
    assert v in [v, x]
    assert None not in [v, x]
    assert 4.0 in x
    assert 5.0 not in x
    assert [x, v].index(x) == 0
    with pytest.raises(ShapeError, match=r"any\(x is y for y in nodes\) finds a node"):
        v in [x, v]  # noqa: B015  # pyright: ignore[reportUnusedExpression]


def test_nothing_without_numbers_equals_a_node():
    x = pg.tensor(X)
    for other in (None, "abc", b"abc", {}, set(), object()):
        assert (x == other) is False
        assert (x != other) is True
    assert (x == X.tolist()).all()
    assert copy.copy([x])[0] is x
