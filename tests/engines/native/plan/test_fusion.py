"""Which nodes become one kernel, and which groups wait for which."""

from __future__ import annotations

from typing import Any

import numpy as np

import palingrad as pg
from palingrad.engines.native.plan.fusion import fused
from palingrad.engines.native.plan.groups import Groups


def groups(f: Any, *arrays: Any) -> Groups:
    return fused(pg.function(f, engine="native").program(*arrays))


def kinds(found: Groups) -> list[list[str]]:
    """The operations of each group, by number."""
    return [[type(node).__name__ for node in group.nodes] for group in found.listed]


X, W = np.ones((8, 6)), np.ones((6, 6))


def test_what_follows_a_product_joins_its_group():
    found = groups(lambda x, w: pg.relu(x @ w + 1), X, W)
    assert kinds(found) == [["Matmul", "Add", "Relu"]]
    assert found.dependencies.masks == [0]


def test_a_group_waits_for_all_that_its_operands_wait_for():
    found = groups(lambda x, w: pg.tanh(pg.tanh(x @ w) @ w) @ w, X, W)
    assert kinds(found) == [["Matmul", "Tanh"], ["Matmul", "Tanh"], ["Matmul"]]
    assert found.dependencies.masks == [0b0, 0b1, 0b11]


def test_a_node_does_not_join_a_group_that_would_then_wait_for_itself():
    def f(x, w):
        first = x @ w
        return first + pg.sum(first @ w)

    found = groups(f, X, W)
    first, second = found.listed[:2]
    assert kinds(found)[:2] == [["Matmul"], ["Matmul"]]
    assert found.dependencies.waits(second.number, first.number)
    assert ["Add"] in kinds(found)


def test_a_node_made_from_leaves_is_computed_where_it_is_needed():
    found = groups(lambda x, w: x @ w + x * 2, X, W)
    assert kinds(found) == [["Matmul", "Multiply", "Add"]]
    assert not found.sinkable


def test_a_reduction_computes_again_what_another_group_writes():
    found = groups(lambda x: (pg.sum(x * 2, axis=0), x * 2), X)
    assert [len(group.nodes) for group in found.listed] == [2, 1]
    assert found.dependencies.masks == [0, 0]


def test_rows_are_taken_after_their_indices_were_checked():
    found = groups(lambda x, i: pg.take(x, i + 1, axis=0), X, np.zeros(3, np.int64))
    made, check, taken = found.listed
    assert check.family.may_fail
    assert check.needs(found.views) == [made.nodes[-1]]
    assert found.dependencies.of(taken.number) == [made.number, check.number]


def test_layouts_of_a_groups_own_nodes_are_not_read_from_memory():
    found = groups(lambda x: pg.reshape(pg.exp(x), (8, 6, 1))[:, :, 0] * x, X)
    (group,) = found.listed
    assert len(group.inner(found.views)) == 1
    assert [type(x).__name__ for x in group.needs(found.views)] == ["Placeholder"]
