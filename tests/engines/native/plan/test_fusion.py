"""Which nodes become one kernel, and which groups depend on which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.plan.fusion import fused
from palingrad.engines.native.plan.groups import Groups
from palingrad.engines.native.plan.joining.sinking import Sinking
from tolerances import assert_same


def groups(f: Any, *arrays: Any) -> Groups:
    return fused(pg.function(f, engine="native").program(*arrays))


def kinds(found: Groups) -> list[list[str]]:
    """The operations of each group, by number."""
    return [[type(node).__name__ for node in group.nodes] for group in found.listed]


X, W = np.ones((8, 6)), np.ones((6, 6))


def test_elementwise_nodes_join_the_group_of_a_product():
    found = groups(lambda x, w: pg.relu(x @ w + 1), X, W)
    assert kinds(found) == [["Matmul", "Add", "Relu"]]
    assert found.dependencies.masks == [0]


def test_a_group_depends_on_all_dependencies_of_its_operands():
    found = groups(lambda x, w: pg.tanh(pg.tanh(x @ w) @ w) @ w, X, W)
    assert kinds(found) == [["Matmul", "Tanh"], ["Matmul", "Tanh"], ["Matmul"]]
    assert found.dependencies.masks == [0b0, 0b1, 0b11]


def test_a_node_does_not_join_a_group_if_that_would_form_a_cycle():
    def f(x, w):
        first = x @ w
        return first + pg.sum(first @ w)

    found = groups(f, X, W)
    first, second = found.listed[:2]
    assert kinds(found)[:2] == [["Matmul"], ["Matmul"]]
    assert found.dependencies.waits(second.number, first.number)
    assert ["Add"] in kinds(found)


def test_a_sinkable_node_is_computed_where_it_is_needed():
    found = groups(lambda x, w: x @ w + x * 2, X, W)
    assert kinds(found) == [["Matmul", "Multiply", "Add"]]
    assert not found.sinkable


def test_a_reduction_recomputes_sinkable_nodes():
    found = groups(lambda x: (pg.sum(x * 2, axis=0), x * 2), X)
    assert [len(group.nodes) for group in found.listed] == [2, 1]
    assert found.dependencies.masks == [0, 0]


def test_gathers_depend_on_the_bounds_check_of_their_indices():
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


def test_loops_that_only_one_node_reads_are_computed_with_it():
    def f(x, w, i):
        return w[i] * x + w[i + 1] * x[::-1]  # each product joins the loop of its own gather's use

    given = X, np.ones((9, 6)), np.arange(8)
    found = groups(f, *given)
    loops = [names for names in kinds(found) if "Multiply" in names]
    assert loops == [["Multiply", "Multiply", "Add"]]
    assert sum(group.is_merged for group in found.listed) == 1
    function = pg.function(f, engine="native")
    np.testing.assert_array_equal(function(*given), 2 * np.ones((8, 6)))


def test_loops_whose_values_others_read_stay_apart():
    def f(x, w, i):
        a, b = w[i] * x, w[i + 1] * x
        return a + b, pg.cumsum(a, 0) + b

    given = np.arange(48.0).reshape(8, 6), np.arange(54.0).reshape(9, 6), np.arange(8)
    function = pg.function(f, engine="native")
    a, b = given[1][:8] * given[0], given[1][1:] * given[0]
    for one, other in zip(function(*given), (a + b, np.cumsum(a, 0) + b), strict=True):
        np.testing.assert_allclose(one, other)


def slopes_of_layer_norm(x: Any, w: Any, scale: Any, offset: Any) -> Any:
    y = pg.layer_norm(x, scale, offset)
    return pg.gradients(pg.sum(pg.tanh(y @ w)), [x, scale, offset])


def norm_operands() -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.normal(0, 1, shape).astype(np.float32) for shape in ((9, 6), (6, 6), (6,), (6,))]


def test_what_only_reductions_need_of_a_product_is_computed_in_their_kernels():
    found = kinds(groups(slopes_of_layer_norm, *norm_operands()))
    assert found.count(["Matmul"]) == 1
    rows = next(group for group in found if "Sqrt" not in group and group.count("Sum") == 2)
    assert rows.count("AbsorbingProduct") >= 3
    assert ["AbsorbingProduct", "Sum"] in found


def test_the_bits_do_not_depend_on_where_it_is_computed(monkeypatch: pytest.MonkeyPatch):
    operands = norm_operands()
    together = pg.function(slopes_of_layer_norm, engine="native")(*operands)
    monkeypatch.setattr(Sinking, "sink_into_reductions", lambda self, node: False)
    monkeypatch.setenv("PALINGRAD_CACHE", "off")
    apart = pg.function(slopes_of_layer_norm, engine="native")
    assert ["Matmul"] not in kinds(fused(apart.program(*operands)))
    for one, other in zip(together, apart(*operands), strict=True):
        assert_same(one, other)


def test_what_other_nodes_read_stays_in_the_epilogue():
    def summed_and_returned(x: Any, w: Any) -> list[Any]:
        product = x @ w
        y = product * 2.0
        return [y, pg.sum(y, axis=-1), pg.sum(product, axis=0)]

    assert ["Matmul", "Multiply"] in kinds(groups(summed_and_returned, X, W))


def test_what_is_needed_of_a_product_that_nothing_else_reads_stays_in_the_epilogue():
    found = kinds(groups(lambda x, w: pg.sum(x @ w * 2.0, axis=-1), X, W))
    assert ["Matmul", "Multiply"] in found


def test_a_long_chain_over_elements_is_one_loop_however_many_values_live():
    """What registers can't hold stays in the first-level cache; 900 nodes are several loops."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 1003))

    def chain(x, y, count: int) -> Any:
        known = [x, y]
        for number in range(count):
            known.append(known[number] * 0.5 + pg.maximum(known[number // 2], known[-1]))
        return known[-50:]

    for count, least, most in ((150, 1, 1), (300, 2, 3)):
        found = pg.function(lambda x, y, n=count: chain(x, y, n), engine="native")
        expected = pg.function(lambda x, y, n=count: chain(x, y, n), engine="numpy")(x, y)
        for one, other in zip(found(x, y), expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)
        said = found.explain(x, y)
        assert least <= said.count("Elementwise ") <= most
