"""Calls that don't fit raise ArgumentError with what to write; all others are as without it."""

from __future__ import annotations

import inspect
import pickle

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError
from palingrad.messages.calls import called, misfit, public


@public
def scaled(x, factor=2, *, offset=0):
    """x·factor + offset."""
    return x * factor + offset


def test_a_call_that_fits_is_the_function_s():
    assert scaled(3, offset=1) == 7
    assert scaled.__doc__ == "x·factor + offset."
    assert str(inspect.signature(scaled)) == "(x, factor=2, *, offset=0)"


def test_a_type_error_of_the_body_is_no_misfit():
    with pytest.raises(TypeError, match="can't multiply sequence by non-int") as caught:
        scaled("a", "b")
    assert not isinstance(caught.value, ArgumentError)
    with pytest.raises(TypeError) as caught:
        called(lambda x: scaled(x, "b"), "a")
    assert not isinstance(caught.value, ArgumentError)


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((1, 2, 3), {}, r"scaled: 2 arguments by position expected, got 3. Options .*: offset=3\."),
        ((1,), {"ofset": 3}, r"scaled: no argument is called 'ofset'. Write offset=3\."),
        ((1,), {"q": 3}, r"'q'. The call is scaled\(x, factor=2, \*, offset=0\)\."),
        ((), {"factor": 3}, r"scaled: x is missing. Add x: scaled\(x, factor=2"),
        ((1,), {"x": 3}, r"scaled: x is given twice. The call is scaled\(x, factor=2"),
        ((1,), {"p": 3, "q": 4}, r"no argument is called 'p' and 'q'"),
    ],
)
def test_each_kind_of_misfit_says_what_to_write(args, kwargs, message):
    with pytest.raises(ArgumentError, match=message):
        scaled(*args, **kwargs)


def test_functions_of_one_s_own_are_explained_where_the_library_calls_them():
    with pytest.raises(ArgumentError, match="y is missing"):
        pg.function(lambda x, y: x * y)(1.0)
    with pytest.raises(ArgumentError, match="got 2"):
        pg.grad(lambda x: x)(1.0, 2.0)


def test_what_is_called_often_shows_users_its_own_arguments():
    """`*more` and `**unknown` are there for misfits alone."""
    for function in (pg.reshape, pg.sum, pg.tensor, pg.exp, pg.add, pg.Node.sum, pg.Session.run):
        names = set(inspect.signature(function).parameters)
        assert not names & {"more", "unknown", "options"}, function


def test_constructors_of_users_subclasses_are_their_own():
    class Net(pg.nn.Module):
        def __init__(self, size):
            self.size = size

    class Descent(pg.optim.Optimizer):
        def __init__(self, rate, factor):
            super().__init__(rate)

    for cls in (Net, Descent):
        with pytest.raises(TypeError, match="missing") as caught:
            cls()
        assert not isinstance(caught.value, ArgumentError)


def test_public_functions_and_layers_can_be_pickled():
    for one in (pg.exp, pg.add, pg.softmax, pg.reshape, pg.grad, pg.cross_entropy):
        assert pickle.loads(pickle.dumps(one)) is one
    layers = [pg.nn.ReLU(), pg.nn.Softmax(), pg.nn.GELU(), pg.nn.ELU(), pg.nn.LeakyReLU()]
    x = np.array([-1.0, 2.0])
    for layer in layers:
        again = pickle.loads(pickle.dumps(layer))
        np.testing.assert_array_equal(again(x).numpy(), layer(x).numpy())


def test_the_error_of_a_misfit_can_be_built_without_the_call():
    assert "offset=3" in str(misfit(scaled, (1, 2, 3), {}))
