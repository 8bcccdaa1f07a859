"""Nodes of a backward pass know it: drawings and generated sources tell the passes apart."""

from __future__ import annotations

import pytest

import palingrad as pg
from palingrad.graph.context import level_of, target_of

pytestmark = pytest.mark.tiny


def level(node: pg.Node) -> int:
    """0, or of which backward pass the node is. What reads it in the package reads the same name:
    reports, sources, drawings and the search for NaN."""
    return level_of(node._origin)


def levels(*nodes: pg.Node) -> dict[str, int]:
    return {
        node.kind_name(): level(node)
        for node in pg.postorder(*nodes)
        if isinstance(node, pg.Operation)
    }


def test_nodes_of_the_backward_pass_are_marked_and_the_users_are_not():
    x = pg.tensor([1.0, 2.0])
    y = pg.sum(pg.tanh(x))
    slope = pg.gradients(y, x)
    assert levels(y) == {"tanh": 0, "sum": 0}
    found = levels(slope)
    assert found["tanh"] == 0
    assert {found[name] for name in ("multiply", "subtract", "broadcast_to", "ones_like")} == {1}


def test_a_second_derivative_is_a_second_level():
    x = pg.tensor(2.0)
    first = pg.gradients(pg.sin(x), x)
    second = pg.gradients(first, x)
    assert level(first) == 1
    assert level(second) == 2


def test_marks_survive_a_trace_a_template_and_the_passes():
    from palingrad.passes.pipeline import optimise
    from palingrad.passes.specialise import specialise

    with pg.Graph():
        x = pg.placeholder()
        slope = pg.gradients(pg.sum(pg.sin(x) * x), x)
    program = specialise([slope], {x: ((3,), pg.float64)})
    for one in (program, optimise(program)):
        found = levels(*one.outputs)
        assert found["cos"] == 1
        assert found["sin"] == 0


def test_a_marked_node_has_the_source_line_of_the_differentiated_node():
    x = pg.tensor(2.0)
    y = pg.sin(x)
    slope = pg.gradients(y, x)
    assert slope.origin == y.origin


def test_a_composite_differentiated_through_its_expansion_is_in_the_same_pass():
    x = pg.tensor([1.0, 2.0])
    first = pg.gradients(pg.sum(pg.tanh(x)), x)
    second = pg.gradients(pg.mean(first), x)
    found = [level(n) for n in pg.postorder(second) if isinstance(n, pg.Operation)]
    assert set(found) == {0, 1, 2}


def test_a_gradient_names_its_target():
    with pg.Graph():
        x = pg.placeholder((2,), dtype=pg.float64, name="x")
        y = pg.sin(x, name="y")
        slope = pg.gradients(pg.sum(y * y), [x, y])
    assert [target_of(g._origin) for g in slope] == [x, y]
    assert target_of(y._origin) is None
