"""Pages of gradients: simplified, with the numbers that were computed."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import GraphError
from palingrad.graph.traversal.order import postorder
from palingrad.view.page.export import Export, Options


def cubic() -> tuple[pg.Node, pg.Node, pg.Node, pg.Node]:
    x = pg.Variable(np.float64(1.3), name="x")
    y = x**3 + pg.sin(x)
    dy = pg.gradients(y, [x])[0]
    return x, y, dy, pg.gradients(dy, [x])[0]


def exported(what: Any, **options: Any) -> tuple[Export, dict[str, Any]]:
    export = Export(what, Options(**options))
    return export, export.data()


def test_a_second_derivative_is_five_nodes_and_names_what_it_is():
    x, y, _, d2y = cubic()
    export, data = exported(d2y)
    assert len(data["nodes"]) == 5
    assert data["title"].endswith("= ∂²y/∂x²")
    assert export.result is not None
    np.testing.assert_allclose(export.values[export.result], 6 * 1.3 - np.sin(1.3), rtol=1e-15)
    np.testing.assert_allclose(export.totals[x], 6 - np.cos(1.3), rtol=1e-12)
    raw, data = exported(d2y, simplified=False)
    assert len(data["nodes"]) > 30
    assert raw.result is y


def test_what_is_given_by_its_node_is_found_after_simplifying():
    x, y, dy, _ = cubic()
    export, data = exported([y, dy], of=dy, overlay={dy: 2.0, y: 1.0})
    assert export.result is export.shown(dy)
    np.testing.assert_allclose(export.totals[x], 6 * 1.3 - np.sin(1.3), rtol=1e-12)
    assert sorted(data["overlays"][0]["at"].values()) == [1.0, 2.0]
    both, _ = exported([y, dy])
    assert both.result is y  # the forward pass's result, as without simplifying


def test_a_graph_and_a_graph_without_derivatives_stay_as_they_are():
    with pg.Graph() as graph:
        a = pg.placeholder((3,), name="a")
        loss = pg.sum(pg.relu(a) ** 2)
        slope = pg.gradients(loss, [a])[0]
    export, _ = exported(graph, feeds={a: np.ones(3)})
    assert slope in export.first
    x = pg.Variable(2.0, name="x")
    y = pg.exp(x)
    assert exported(y)[0].order == [x, y]


def test_of_a_node_that_is_simplified_away_nothing_is_differentiated():
    _, y, dy, d2y = cubic()
    inner = next(node for node in postorder(d2y) if node.kind_name() == "ones_like")
    assert exported(d2y, of=inner, simplified=False)[0].result is inner
    with pytest.raises(GraphError, match="isn't a node of this graph"):
        exported(d2y, of=inner)
    assert y.shape == dy.shape == ()


def test_a_letter_of_a_word_isn_t_marked_as_the_node_of_that_name():
    with pg.Graph():
        a = pg.placeholder((3,), name="a")
        slope = pg.gradients(pg.sum(a * a), [a])[0]
    _, data = exported(slope, feeds={a: np.ones(3)}, simplified=False)
    texts = [re.sub(r"<[^>]+>", "", text) for _, text in data["equations"]]
    assert any("gradient" in text for text in texts)
    assert not any("&lt;" in text for text in texts)


def test_a_bold_1_isn_t_marked_as_the_node_1():
    with pg.Graph():
        a = pg.Variable(np.array([-1.0, 0.5, 2.0]), name="a")
        (slope,) = pg.gradients(pg.sum(pg.tanh(a)), [a])
        (twice,) = pg.gradients(pg.sum(a * a), [a])
        second = slope + pg.gradients(pg.sum(twice), [a])[0]
    _, data = exported(second)
    texts = [re.sub(r"<[^>]+>", "", text) for _, text in data["equations"]]
    assert any("𝟏" in text for text in texts)
    assert not any("&lt;" in text for text in texts)


def test_a_result_without_a_name_isn_t_called_as_a_node_behind_it_is():
    a = pg.Variable(np.array([-1.0, 0.5]), name="a")
    y = pg.sum(pg.sin(a))
    second = pg.gradients(pg.sum(pg.gradients(y, [a])[0]), [a])[0]  # −sin a: not ∂y/∂a
    assert "∂y" not in exported(second)[1]["title"]
    assert "∂y" not in pg.latex(second).text
    first = pg.gradients(pg.sum(pg.cos(a) * a), [a])[0]
    assert exported(first)[1]["title"].endswith("∂y/∂a")


def test_no_two_equations_have_the_same_left_side():
    w = pg.Variable(np.array([[1.0, 2.0], [0.5, -1.0]]), name="w")
    x = pg.Variable(np.array([[1.0, -2.0]]), name="x")
    loss = pg.cross_entropy(pg.relu(x @ w) @ w, np.array([0]))
    _, data = exported(list(pg.gradients(loss, [w, x])))
    sides = [re.sub(r"<[^>]+>", "", text).split("=")[0] for _, text in data["equations"]]
    assert len(sides) > 3
    assert len(set(sides)) == len(sides), sides


def title_of(*results: pg.Node) -> str:  # without a variable that holds the node
    return exported(list(results))[1]["title"]


def test_titles_say_of_what_a_result_and_a_derivative_are():
    a = pg.Variable(2.0, name="a")
    assert title_of(pg.cond(a > 0, lambda p: p * 2, lambda p: p + 1, a)) == "switch"
    assert title_of(pg.split(np.ones(4), 2)[1]) == "result 1 of split"
    y = pg.Variable(3.0, name="y")
    assert title_of(pg.gradients(y * pg.sin(a), [a])[0]) == "∂z/∂a"
    slopes = [pg.gradients(a * pg.sin(a), [a])[0]]
    slopes.append(pg.gradients(pg.exp(slopes[0]), [a])[0])
    assert title_of(slopes[1]) == "derivative by a"


def equations_of(*results: pg.Node) -> list[str]:
    texts = [re.sub(r"<[^>]+>", "", text) for _, text in exported(list(results))[1]["equations"]]
    return [re.sub(r"\s", "", text) for text in texts]


def test_equations_call_a_derivative_as_its_card_does():
    w1 = pg.Variable(np.ones((2, 2)), name="W1")
    loss = pg.sum(pg.tanh(w1 @ w1), name="l")
    found = equations_of((lambda g: g * pg.sin(g))(pg.gradients(loss, [w1])[0]))
    assert found[-1].endswith("∂l∂W1⊙sin(∂l∂W1)")
    assert any(text.startswith("∂l∂W1=") for text in found)
    squared = equations_of((lambda g: g**2 + g)(pg.gradients(loss, [w1])[0]))
    assert squared[-1].endswith("(∂l∂W1)2+∂l∂W1")


def test_equations_write_branches_as_cases():
    a = pg.Variable(2.0, name="a")
    result = pg.cond(a > 0, lambda p: (p * 2, p), lambda p: (p + 1, p), a)[0] * 3
    export, data = exported(result)
    assert equations_of(result)[-1].endswith("=3{2aifa&gt;0a+1else")
    places = {int(n) for _, text in data["equations"] for n in re.findall(r'data-n="(\d+)"', text)}
    assert places == set(range(len(export.order))), "a node has no term"
