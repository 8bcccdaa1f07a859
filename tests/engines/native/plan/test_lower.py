"""Lowering: what has no kernel becomes operations that have one, with the same values, shapes and
dtypes; what has a kernel, or can't be traced, stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.plan import lower
from palingrad.engines.native.plan.lower import lowered
from palingrad.ops.contract import Matmul
from palingrad.passes.program import Program
from programs import program_of
from tolerances import assert_close, assert_same

X = np.random.default_rng(0).uniform(0.5, 1.5, (3, 4))


def kinds(program: Program) -> list[str]:
    return [node.kind_name() for node in program.order if isinstance(node, pg.Operation)]


def values(program: Program, *arrays: Any) -> list[Any]:
    return list(pg.Session(engine="numpy").run(program.outputs, dict(zip(program.feeds, arrays))))


class Bent(pg.Elementwise):
    """x² + tanh x, a user's own."""

    def f(m, x):
        return m.square(x) + m.tanh(x)


class Mirrored(pg.Custom):
    """What NumPy alone can compute."""

    def compute(y, x):
        return np.array(x[::-1])

    def shape_rule(y, x):
        return x


def test_a_users_formula_becomes_the_librarys_operations_step_by_step():
    before = program_of(lambda x: Bent(x), X)
    after = lowered(before)
    assert kinds(before) == ["bent"]
    assert kinds(after) == ["square", "tanh", "add"]
    assert_close(*values(before, X), *values(after, X))


def test_what_only_numpy_can_compute_stays():
    before = program_of(lambda x: Mirrored(x) * 2.0, X)
    assert "mirrored" in kinds(lowered(before))


def test_operations_with_kernels_stay_the_same_nodes():
    before = program_of(lambda x: pg.sum(pg.exp(x) @ x.mT, axis=0), X)
    assert lowered(before) is before


def test_parts_of_a_split_are_slices_with_the_dtype_and_shape_of_the_parts():
    before = program_of(lambda x: [2.0 * one for one in pg.split(x, sizes=(2, 2), axis=1)], X)
    after = lowered(before)
    assert "split" in kinds(before)
    assert "split" not in kinds(after)
    for one, other in zip(before.outputs, after.outputs, strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
    for one, other in zip(values(before, X), values(after, X), strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("length", [7, 8, 11, 16])
@pytest.mark.parametrize("shapes", [((2,), (3,)), ((), (3,)), ((2,), ()), ((), ())])
def test_a_long_product_is_a_sum_of_shorter_ones(monkeypatch, length, shapes):
    monkeypatch.setattr(lower, "TERMS", 4)  # terms that one kernel sums
    rows, columns = shapes
    rng = np.random.default_rng(length)
    x, y = rng.normal(size=(*rows, length)), rng.normal(size=(length, *columns))
    before = program_of(lambda x, y: x @ y, x, y)
    after = lowered(before)
    terms = [n.inputs[0].shape[-1] for n in after.order if isinstance(n, Matmul)]
    assert max(terms) <= (7 if length == 7 else 4)  # shorter than two parts: as it is
    assert after.outputs[0].shape == before.outputs[0].shape
    assert_close(*values(before, x, y), *values(after, x, y))


def gradient_of_a_weight(x, w):
    return pg.grad(lambda w: pg.sum(pg.square(x @ w)))(w)


@pytest.mark.parametrize("x", [(3, 2, 4), (2, 3, 5, 4)])
def test_the_gradient_of_a_weight_that_a_batch_shares_is_one_product(x):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=x), rng.normal(size=(4, 5))
    before = program_of(gradient_of_a_weight, x, w)
    after = lowered(before)
    assert kinds(before).count("sum") == kinds(after).count("sum") + 1
    last = [node for node in after.order if isinstance(node, Matmul)][-1]
    assert [node.shape for node in last.inputs] == [(4, x.size // 4), (x.size // 4, 5)]
    assert_close(*values(before, x, w), *values(after, x, w))


def test_batch_axes_that_are_not_summed_stay():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(3, 2, 6, 4)), rng.normal(size=(3, 2, 6, 5))
    before = program_of(lambda x, y: pg.sum(x.mT @ y, axis=1, keepdims=True), x, y)
    after = lowered(before)
    (product,) = [node for node in after.order if isinstance(node, Matmul)]
    assert product.shape == (3, 4, 5)
    assert after.outputs[0].shape == (3, 1, 4, 5)
    assert_close(*values(before, x, y), *values(after, x, y))


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: pg.sum(x @ y, axis=-1),  # not over the batch
        lambda x, y: pg.sum(x @ y, axis=(0, 1)),  # over rows too
        lambda x, y: pg.sum(x @ y[0], axis=0),  # one right operand for all
        lambda x, y: pg.max(x @ y, axis=0),
        lambda x, y: pg.sum(x.mT[:, ::-1].mT @ y, axis=0),  # terms that take a copy
    ],
)
def test_other_sums_of_products_stay(f):
    before = program_of(f, np.ones((3, 2, 4)), np.ones((3, 4, 2)))
    assert lowered(before) is before
