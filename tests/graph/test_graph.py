"""Graphs: opening them, finding what is in them, and keeping them apart."""

from __future__ import annotations

import threading

import pytest

import palingrad as pg
from palingrad.errors import GraphError


@pytest.mark.tiny
def test_a_graph_lists_what_is_built_while_it_is_open():
    with pg.Graph() as graph:
        x = pg.placeholder()
        w = pg.Variable(1.0)
        y = x * w
    after = w * 2.0
    assert list(map(id, graph.nodes)) == [id(x), id(w), id(y)]
    assert (graph.placeholders, graph.variables, graph.operations) == ([x], [w], [y])
    assert len(graph) == 3
    assert y in graph
    assert after not in graph
    assert after.value == 2.0
    assert repr(graph) == "Graph(1 operations, 1 variables, 1 placeholders)"


@pytest.mark.tiny
def test_names_are_unique_and_found():
    with pg.Graph() as graph:
        first, second = pg.Variable(1.0), pg.Variable(2.0)
        taken = pg.Variable(3.0, name="variable_2")
        third = pg.Variable(4.0)
        named = [pg.add(first, second, name="total") for _ in range(3)]
    assert [node.name for node in (first, second, taken, third)] == [
        "variable", "variable_1", "variable_2", "variable_3",
    ]  # fmt: skip
    assert [node.name for node in named] == ["total", "total_1", "total_2"]
    assert graph["total_1"] is named[1]
    assert "total_1" in graph
    assert "total_9" not in graph


def test_a_node_gets_another_name_that_is_unique_too():
    with pg.Graph() as graph:
        x, y = pg.placeholder(name="x"), pg.placeholder(name="y")
        graph.rename(y, "z")
        graph.rename(x, "z")
    assert (graph["z"], graph["z_1"]) == (y, x)
    assert "x" not in graph


def test_a_name_that_is_not_there_comes_with_the_nearest():
    with pg.Graph() as graph:
        pg.Variable(1.0, name="weights")
    with pytest.raises(
        GraphError, match=r"the graph has no node named 'weigths'. Did you mean 'weights'\?"
    ):
        graph["weigths"]
    with pytest.raises(GraphError, match=r"the graph has no node named 'z'.$"):
        graph["z"]


def test_scopes_put_their_name_before():
    with pg.Graph() as graph:
        with pg.name_scope("layer"):
            with pg.name_scope("inner") as scope:
                w = pg.Variable(1.0, name="w")
                y = w * 2.0
            assert scope == "layer/inner/"
        after = pg.Variable(1.0, name="w")
    assert (w.name, y.name, after.name) == ("layer/inner/w", "layer/inner/multiply", "w")
    assert graph["layer/inner/multiply"] is y


def test_a_scope_ends_when_what_is_inside_fails():
    with pytest.raises(ZeroDivisionError), pg.name_scope("layer"):
        1 / 0  # noqa: B018
    assert pg.Variable(1.0, name="w").name == "w"


@pytest.mark.tiny
def test_as_default_opens_for_good_or_until_the_end_of_a_with():
    assert pg.get_default_graph() is None
    outer, inner = pg.Graph(), pg.Graph()
    outer.as_default()
    assert pg.get_default_graph() is outer
    with inner.as_default() as graph_scope:
        assert graph_scope is inner
        assert pg.get_default_graph() is inner
    assert pg.get_default_graph() is outer
    pg.reset_default_graph()
    assert pg.get_default_graph() is None


def test_graphs_nest_and_close_when_what_is_inside_fails():
    with pg.Graph() as outer:
        inner = pg.Graph()
        with pytest.raises(ZeroDivisionError), inner:
            pg.Variable(1.0 / 0)
        assert pg.get_default_graph() is outer
        with inner:  # opened again
            pg.Variable(2.0)
    assert pg.get_default_graph() is None
    assert (len(outer), len(inner)) == (0, 1)


def test_each_thread_has_its_own_open_graph():
    seen = []
    with pg.Graph():
        thread = threading.Thread(target=lambda: seen.append(pg.get_default_graph()))
        thread.start()
        thread.join()
    assert seen == [None]


@pytest.mark.tiny
def test_a_node_that_waits_in_another_graph_is_refused():
    with pg.Graph():
        x = pg.placeholder(name="x")
    with pg.Graph(), pytest.raises(GraphError, match=r"placeholder 'x' belongs to another graph"):
        x + 1


def test_values_and_variables_are_shared_between_graphs():
    w, y = pg.Variable(2.0), pg.tensor(3.0)
    with pg.Graph() as one:
        a = w * y
    with pg.Graph() as two:
        b = w + y
    assert (pg.Session(one).run(a), pg.Session(two).run(b)) == (6.0, 5.0)


def test_what_waits_goes_on_in_its_graph_when_that_is_closed():
    with pg.Graph() as graph:
        x = pg.placeholder(())
    y = x * 3.0
    assert y in graph
    assert pg.Session(graph).run(y, {x: 2.0}) == 6.0
    assert pg.gradients(y, x) in graph


def test_composites_are_one_node_in_the_graph():
    with pg.Graph() as graph:
        x = pg.placeholder((3, 4), dtype=pg.float32)
        y = pg.outer(x[0], pg.softmax(x)[1])
    assert [node.name for node in graph.operations] == ["slice", "softmax", "slice_1", "outer"]
    assert y.shape == (4, 4)


def test_postorder_gives_inputs_first_and_each_node_once():
    x = pg.tensor(1.0)
    a = x * x
    b = a + x
    order = pg.postorder(b, a)
    assert list(map(id, order)) == [id(x), id(a), id(b)]
    assert list(map(id, pg.postorder(a, b))) == [id(x), id(a), id(b)]
    assert pg.postorder() == []
