"""The pattern of a Jacobian never misses an entry: every operation, and graphs at random."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

import palingrad as pg
from palingrad.dtypes import is_floating
from palingrad.graph.context import graph_scope
from palingrad.graph.kinds import AnonymousGraph
from palingrad.graph.leaves import Constant, placeholder
from palingrad.proof import shipped
from palingrad.proof.case import Case
from palingrad.sparse import index_sets
from palingrad.sparse.propagate import dependence
from test_random_graphs import ARRAYS, GRAPHS, build

OPERATIONS = [operation for operation in shipped() if operation.samples]
SAMPLES = 4  # of each operation


def pattern(f: Any, arrays: list[Any], number: int, *, known: bool) -> Any:
    """The pattern of ∂f/∂(array); the other arrays are constants, or fed."""
    with graph_scope(AnonymousGraph(), hidden=True):
        nodes = [
            Constant(one) if known and place != number else placeholder(one.shape, dtype=one.dtype)
            for place, one in enumerate(arrays)
        ]
        y = f(*nodes)
        starts, items = dependence(y, nodes[number])
    full = np.zeros((len(starts) - 1, arrays[number].size), bool)
    full[np.repeat(np.arange(len(full)), np.diff(starts)), items] = True
    return full


def missed(f: Any, arrays: list[Any], number: int) -> int:
    """How many nonzero entries of the Jacobian are outside of the pattern."""
    of_one = [*arrays[:number], None, *arrays[number + 1 :]]
    jacobian = pg.jacobian(lambda x: f(*[x if one is None else one for one in of_one]))
    found = np.asarray(jacobian(arrays[number]))
    nonzero = (found != 0) & ~np.isnan(found)
    total = 0
    for known in (True, False):
        places = pattern(f, arrays, number, known=known)
        total += int((nonzero.reshape(places.shape) & ~places).sum())
    return total


def one_output(case: Case, place: int) -> Any:
    return lambda *xs: case.outputs(*xs)[place]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_no_operation_has_a_slope_outside_of_its_pattern(operation):
    for sample in list(operation.samples)[:SAMPLES]:
        case = Case(operation, sample)
        arrays = case.arrays()
        outputs = case.outputs(*map(pg.tensor, arrays))
        for place, output in enumerate(outputs):
            for number, array in enumerate(arrays):
                if is_floating(array.dtype) and array.size and is_floating(output.dtype):
                    assert missed(one_output(case, place), arrays, number) == 0, sample.text


@given(GRAPHS)
def test_no_graph_has_a_slope_outside_of_its_pattern(steps):
    for number in range(len(ARRAYS)):

        def slopes(*xs: Any, number: int = number) -> Any:
            nodes = [pg.tensor(x) if isinstance(x, np.ndarray) else x for x in xs]
            return pg.gradients(build(steps, nodes), nodes[number])

        assert missed(slopes, list(ARRAYS), number) == 0


@given(GRAPHS)
def test_hessians_of_graphs_are_those_of_the_dense_transform(steps):
    def f(x: Any) -> Any:
        return build(steps, [pg.tensor(ARRAYS[0]), x, pg.tensor(ARRAYS[2]), x[:, None] * x])

    found = pg.sparse_hessian(f, ARRAYS[1])
    np.testing.assert_allclose(found.toarray(), pg.hessian(f)(ARRAYS[1]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: pg.sin(x) * x, np.eye(4)),
        (lambda x: x[1:] - x[:-1], np.eye(3, 4) + np.eye(3, 4, k=1)),
        (lambda x: pg.cumsum(x), np.tri(4)),
        (lambda x: pg.sum(x), np.ones((1, 4))),
        (lambda x: pg.reshape(x, (2, 2)) @ np.ones(2), np.kron(np.eye(2), np.ones((1, 2)))),
        (lambda x: np.diag([1.0, 2, 0, 4]) @ x, np.diag([1, 1, 0, 1])),  # a matrix that is known
        (lambda x: x * np.array([1.0, 0, 1, 1]), np.diag([1, 0, 1, 1])),
        (lambda x: pg.where(np.array([True, False, True, True]), x, 1), np.diag([1, 0, 1, 1])),
        (lambda x: x[np.array([3, 3, 0])], np.eye(4)[[3, 3, 0]]),
        (lambda x: pg.stop_gradient(x) * x, np.eye(4)),
        (lambda x: pg.stop_gradient(x) + 0 * x, np.zeros((4, 4))),
        (lambda x: pg.pad(x, 1), np.pad(np.eye(4), ((1, 1), (0, 0)))),
        (lambda x: pg.convolve(x, np.ones(2), mode="valid"), np.eye(3, 4) + np.eye(3, 4, k=1)),
        (lambda x: pg.cast(pg.cast(x, "int64"), "float64"), np.zeros((4, 4))),
        (lambda x: pg.softmax(pg.reshape(x, (2, 2))), np.kron(np.eye(2), np.ones((2, 2)))),
    ],
)
def test_the_pattern_is_as_sparse_as_it_can_be(f, expected):
    found = pg.sparsity_pattern(f, np.arange(1.0, 5.0))
    np.testing.assert_array_equal(found.toarray(), np.asarray(expected) != 0)


def test_what_is_unknown_depends_on_everything():
    class Reversed(pg.Custom):
        def compute(self, x):
            return x[::-1].copy()

        def vjp(self, g, x):
            return [g[::-1]]

    found = pg.sparsity_pattern(lambda x: Reversed(x), np.ones(3))
    assert found.toarray().all()
    assert found.density == 1


def test_a_composite_with_a_rule_of_its_own_depends_on_everything():
    class Doubled(pg.Composite):
        def expand(y, x):
            return 2 * x

    class Ruled(Doubled):
        def vjp(y, g, x):
            return [pg.cumsum(g)]

    assert pg.sparsity_pattern(lambda x: Doubled(x), np.ones(3)).nnz == 3
    assert pg.sparsity_pattern(lambda x: Ruled(x), np.ones(3)).nnz == 9


def test_a_custom_straight_through_rule_keeps_its_entries():
    def straight_through(x: Any) -> Any:
        return x + pg.stop_gradient(pg.round(x) - x)

    assert pg.sparsity_pattern(straight_through, np.ones(3)).nnz == 3


def test_a_pattern_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(index_sets, "BUDGET", 100_000)
    assert pg.sparsity_pattern(lambda x: pg.cumsum(x), np.ones(200)).nnz == 20_100
    with pytest.raises(pg.errors.GradientError, match=r"budget.*nearly dense.*pg\.jvp"):
        pg.sparsity_pattern(lambda x: pg.cumsum(x), np.ones(2000))


def test_a_pattern_is_drawn(tmp_path):
    found = pg.sparsity_pattern(lambda x: x[1:] * x[:-1], np.ones(400))
    found.draw(tmp_path / "pattern.svg")
    text = (tmp_path / "pattern.svg").read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert "798 places in 399 × 400" in text
    assert text == found._repr_svg_()
    assert repr(found) == "Sparsity(399 × 400, 798 places, 0.50%)"
