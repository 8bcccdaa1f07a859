"""A graph built again on other inputs: one loop for engines, Jacobians, drawings and the page."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.autodiff.gradients import expanding_gradients
from palingrad.graph.context import graph_scope
from palingrad.graph.operation import Operation
from palingrad.graph.traversal.replay import replay
from tolerances import assert_same


@pytest.mark.tiny
def test_a_replay_builds_every_operation_on_its_operands_counterparts():
    with pg.Graph():
        x, y = pg.placeholder(), pg.tensor(2.0)
        z = pg.exp(x) * y + x
    given: dict[pg.Node, pg.Node] = {x: pg.tensor(3.0)}
    with graph_scope(None):
        built = replay(pg.postorder(z), Operation.rebuild, given)
    assert_same(built[z].numpy(), np.exp(np.float32(3)) * 2 + np.float32(3))
    assert built[x] is given[x]
    assert built[y] is y
    assert list(given) == [x]  # a replay changes nothing that it is given
    assert built[z].origin == z.origin


@pytest.mark.tiny
def test_a_replay_keeps_promised_gradients_where_shapes_are_known():
    with pg.Graph():
        x = pg.placeholder()
        slope = pg.gradients(x**3, x)
    with graph_scope(None):
        built = replay(
            pg.postorder(slope), expanding_gradients(Operation.rebuild), {x: pg.tensor(2.0)}
        )
    assert_same(built[slope].numpy(), np.float32(12))


def test_a_rule_that_raises_leaves_no_origin_behind():
    def rule(node, inputs):
        raise ZeroDivisionError

    y = pg.exp(pg.tensor(1.0))
    with pytest.raises(ZeroDivisionError):
        replay(pg.postorder(y), rule)
    here = pg.tensor(1.0).origin
    assert here is not None
    assert here != y.origin
