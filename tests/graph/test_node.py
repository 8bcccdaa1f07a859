"""What a node is, shows and refuses."""

from __future__ import annotations

import gc
import inspect

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import DTypeError, GraphError
from tolerances import assert_same


@pytest.mark.tiny
def test_a_node_computes_as_soon_as_its_inputs_have_values():
    x = pg.tensor([1.0, 2.0])
    y = x * 2
    assert_same(y.value, np.array([2.0, 4.0], np.float32))
    assert (y.shape, y.dtype, y.ndim, y.deferred) == ((2,), pg.float32, 1, False)


@pytest.mark.tiny
def test_in_an_open_graph_and_behind_a_placeholder_nothing_is_computed():
    with pg.Graph():
        waiting = pg.tensor(1.0) + 1
    behind = pg.placeholder((None, 3), dtype=pg.float64) + 1
    assert waiting.value is None
    assert waiting.deferred
    assert behind.value is None
    assert (behind.shape, behind.dtype) == ((None, 3), pg.float64)


def test_values_are_private_and_read_only():
    array = np.array([1.0, 2.0])
    for node in (pg.tensor(array), pg.Variable(array), pg.Constant(array), pg.add(array, 0.0)):
        array[0] = 1.0
        value = node.numpy()
        assert not value.flags.writeable
        assert not np.shares_memory(value, array)
        array[0] = 7.0
        assert value[0] == 1.0


def test_inputs_are_ordered_and_duplicates_count():
    x, y = pg.tensor(1.0), pg.tensor(2.0)
    assert [node is x for node in pg.subtract(x, y).inputs] == [True, False]
    double = x + x
    assert [node is x for node in double.inputs] == [True, True]
    assert [node is double for node in x.consumers] == [True, True]  # one for each edge


def test_consumers_are_known_without_being_kept_alive():
    x = pg.tensor(1.0)
    y = x + 1
    assert [node is y for node in x.consumers] == [True]
    del y
    gc.collect()
    assert x.consumers == ()


def test_deferred_consumers_are_known_without_being_kept_alive():
    x = pg.placeholder(())
    y = x + 1
    assert [node is y for node in x.consumers] == [True]
    assert held_in_lists(x) == 1
    del y
    for _ in range(1000):  # the dead don't pile up
        x + 1
    gc.collect()
    assert x.consumers == ()
    assert held_in_lists(x) < 100


def test_consumers_are_those_that_the_user_built():
    w = pg.Variable(2.0)
    y = pg.softplus(w * w)
    y.backward()
    assert [node.kind_name() for node in w.consumers] == ["multiply", "multiply"]


def held_in_lists(node):
    """The number of references in the lists that a node keeps: its consumers, dead and alive."""
    return sum(len(one) for one in vars(node).values() if type(one) is list)


def test_the_order_of_many_consumers_is_kept_while_the_dead_go():
    x = pg.tensor(1.0)
    kept = []
    for number in range(200):
        node = x + float(number)
        if number % 10 == 0:
            kept.append(node)
    del node
    gc.collect()
    assert list(map(id, x.consumers)) == list(map(id, kept))


@pytest.mark.tiny
def test_origin_is_the_line_that_built_the_node():
    here = inspect.currentframe()
    assert here is not None
    x, line = pg.tensor(1.0), here.f_lineno
    y = pg.sigmoid(
        x,
        name="y",
    )
    assert x.origin == (__file__, line)
    assert y.origin == (__file__, line + 1)
    assert str(x.origin) == f"test_node.py:{line}"


def test_nodes_of_a_gradient_say_where_the_forward_node_was_built():
    x = pg.Variable(2.0)
    y = pg.square(x)
    g = pg.gradients(y * 1.0, x)
    assert y.origin in [node.origin for node in pg.postorder(g)]
    assert all(node.origin is None or node.origin.file == __file__ for node in pg.postorder(g))


@pytest.mark.tiny
def test_kinds_and_names_are_words_in_lower_case():
    x = pg.tensor([[1.0]])
    assert x.name == "constant"
    assert pg.Variable(1.0).name == "variable"
    assert pg.placeholder().name == "placeholder"
    assert x.mT.name == "matrix_transpose"
    assert pg.any(x > 0).name == "any"
    assert pg.add(x, x, name="total").name == "total"
    with pg.name_scope("outer"), pg.name_scope("inner"):
        assert pg.add(x, x, name="total").name == "outer/inner/total"


@pytest.mark.tiny
def test_repr_shows_kind_value_name_shape_and_dtype():
    assert repr(pg.tensor([1.0, 2.0], name="x")) == (
        "Constant([1., 2.], name='x', shape=(2,), dtype=float32)"
    )
    assert repr(pg.tensor(3)) == "Constant(3, dtype=int64)"
    assert repr(pg.placeholder((None, 2))) == "Placeholder(shape=(?, 2), dtype=?)"
    assert repr(pg.placeholder()) == "Placeholder(shape=?, dtype=?)"
    long = repr(pg.tensor(np.arange(1000.0)))
    assert "..." in long
    assert len(long) < 200


def test_a_value_is_what_numpy_and_python_ask_for():
    x = pg.tensor(np.array([1.5, 2.5]))
    assert_same(np.asarray(x), np.array([1.5, 2.5]))
    assert_same(np.array(x, dtype=np.float32), np.array([1.5, 2.5], np.float32))
    assert np.array(x, copy=True).flags.writeable
    assert len(x) == 2
    assert (float(x[0]), int(x[1]), x[0].item()) == (1.5, 2, 1.5)
    assert complex(pg.tensor(np.array(1 + 2j))) == 1 + 2j
    assert [10, 20, 30][pg.tensor(1)] == 20
    assert bool(pg.tensor(0.0)) is False
    assert x.numpy() is x.value


def test_an_array_on_the_left_leaves_the_operator_to_the_node():
    x = pg.tensor(np.array([1.0, 2.0]))
    for y in (np.array([3.0, 4.0]) - x, np.float64(3.0) - x, np.array([1.0, 2.0]) @ x):
        assert isinstance(y, pg.Node)
    assert_same((np.array([3.0, 4.0]) - x).numpy(), np.array([2.0, 2.0]))


def test_sets_and_dicts_hold_nodes_by_identity():
    x, y = pg.tensor(1.0), pg.tensor(1.0)
    assert len({x, y, x}) == 2
    assert {x: "x", y: "y"}[y] == "y"


@pytest.mark.tiny
def test_a_node_without_a_value_says_what_to_do():
    x = pg.placeholder(name="x")
    for ask in (x.numpy, x.item, lambda: float(x), lambda: np.asarray(x)):
        with pytest.raises(
            GraphError, match=r"placeholder 'x' has no value yet \(built at test_node.py:\d+\)"
        ):
            ask()
    with pytest.raises(GraphError, match=r"can't decide an `if`; use pg.where"):
        bool(x > 0)
    with pytest.raises(TypeError, match="no known length"):
        len(x)
    with pytest.raises(GraphError, match="can't be iterated over"):
        list(x)


def test_what_can_be_no_array_says_so():
    x = pg.tensor(1.0)
    assert (x == None) is False  # noqa: E711
    assert (x != "abc") is True
    assert None not in [x]
    with pytest.raises(DTypeError, match="less: expected numbers, got NoneType"):
        x < None  # noqa: B015
    with pytest.raises(TypeError, match="no axes to iterate over"):
        list(x)
    with pytest.raises(TypeError, match="has no length"):
        len(x)
