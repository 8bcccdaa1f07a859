"""Pickled and copied nodes, Variables, models and optimizers."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import GraphError


def _pickled(x: Any) -> Any:
    return pickle.loads(pickle.dumps(x))


BOTH = pytest.mark.parametrize("again", [_pickled, copy.deepcopy])


@BOTH
def test_a_result_becomes_a_constant_of_the_same_value_dtype_and_name(again):
    v: Any = pg.Variable(np.array([1.0, 2.0]))
    y: Any = pg.sin(v, name="wave")
    z = again(y)
    assert (type(z), z.name, z.dtype, z.inputs) == (pg.Constant, "wave", y.dtype, ())
    np.testing.assert_array_equal(z.numpy(), y.numpy())
    assert not z.numpy().flags.writeable
    pg.sum(z * v).backward()
    np.testing.assert_array_equal(v.grad.numpy(), z.numpy())  # a constant factor


@BOTH
def test_it_is_a_constant_also_while_a_graph_is_open(again):
    x = pg.tensor([1.0])
    with pg.Graph() as graph:
        y = again(x)
    assert not y.deferred
    assert graph.nodes == []


@BOTH
def test_a_weak_number_stays_weak(again):
    one: Any = pg.Constant(1.5)
    assert (again(one) * np.ones(1)).dtype == np.float64
    assert (one.weak, again(one).weak) == (1.5, 1.5)


def test_a_shallow_copy_is_the_node_itself_and_of_a_variable_another_one():
    y = pg.sin(pg.tensor([1.0]))
    assert copy.copy(y) is y
    v = pg.Variable([1.0])
    w = copy.copy(v)
    w.assign([2.0])
    assert (v.numpy()[0], w.numpy()[0]) == (1.0, 2.0)


@BOTH
def test_models_keep_shared_weights_and_optimizers_their_variables(again):
    model: Any = pg.nn.Sequential(pg.nn.Linear(2, 2), pg.tanh, pg.nn.Linear(2, 2))
    model.layers[2].weight = model.layers[0].weight
    optimizer = pg.optim.Adam(0.1)
    optimizer.minimize(pg.sum(model(np.ones((1, 2)))))
    twin, other = again((model, optimizer))
    assert twin.layers[2].weight is twin.layers[0].weight is not model.layers[0].weight
    for m, o in ((model, optimizer), (twin, other)):
        o.minimize(pg.sum(m(np.ones((1, 2)))))
    for name, variable in model.parameters().items():
        np.testing.assert_array_equal(twin.parameters()[name].numpy(), variable.numpy())


@BOTH
@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: pg.placeholder(name="x"), "placeholder 'x' has no value yet"),
        (lambda: pg.placeholder() * 2, "multiply has no value yet"),
        (pg.Session, "A Session can't be pickled"),
        (pg.Graph, "A Graph can't be pickled"),
    ],
)
def test_what_has_no_value_is_refused(again, make, what):
    with pytest.raises(GraphError, match=what):
        again(make())


@pg.function
def double(x: Any) -> Any:
    return 2 * x


@BOTH
def test_functions_are_pickled_by_name(again):
    assert again(double) is double


def test_a_function_without_a_name_is_not():
    with pytest.raises((pickle.PicklingError, AttributeError), match="<lambda>"):
        pickle.dumps(pg.function(lambda x: x))
