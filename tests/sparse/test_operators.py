"""Operators: each operation's local Jacobian is the matrix that its rules give, and the algebra
of operators is that of their matrices."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.dtypes import is_floating
from palingrad.errors import ArgumentError, GradientError, ShapeError
from palingrad.proof import shipped
from palingrad.proof.case import Case
from palingrad.sparse.operators.local import local_jacobian
from palingrad.sparse.operators.structured import (
    Block,
    Dense,
    Diagonal,
    Kronecker,
    LowRank,
    Outer,
    Selection,
    Sparse,
    Zero,
)

OPERATIONS = [operation for operation in shipped() if operation.samples]
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_the_local_jacobian_is_that_of_the_rules(operation):
    for sample in list(operation.samples)[:3]:
        case = Case(operation, sample)
        arrays = case.arrays()
        outputs = case.outputs(*map(pg.tensor, arrays))
        for place, y in enumerate(outputs):
            for number, array in enumerate(arrays):
                if not is_floating(array.dtype) or not is_floating(y.dtype):
                    continue

                def f(x, place=place, number=number, arrays=arrays, case=case):
                    return case.outputs(*arrays[:number], x, *arrays[number + 1 :])[place]

                found = local_jacobian(y, number)
                expected = np.asarray(pg.jacobian(f)(array)).reshape(found.shape)
                np.testing.assert_allclose(
                    found.dense(), expected, rtol=1e-8, atol=1e-10, err_msg=sample.text
                )


MATRICES = {
    "zero": Zero((6, 6), np.float64),
    "diagonal": Diagonal(RNG.normal(size=6)),
    "selection": Selection(np.array([3, -1, 0, 0, 5, 2]), 6, None, np.float64),
    "weighted selection": Selection(np.array([3, 3, 0, -1, 5, 2]), 6, RNG.normal(size=6), None),
    "scatter": Selection(np.array([1, -1, 0, 0, 5, 2]), 6, RNG.normal(size=6), None).T,
    "kronecker": Kronecker(RNG.normal(size=(2, 2)), RNG.normal(size=(3, 3)), np.float64),
    "identity and matrix": Kronecker(3, RNG.normal(size=(2, 2)), np.float64),
    "matrix and identity": Kronecker(RNG.normal(size=(2, 2)), 3, np.float64),
    "blocks": Block(RNG.normal(size=(2, 3, 3))),
    "low rank": LowRank(RNG.normal(size=(6, 2)), RNG.normal(size=(6, 2))),
    "outer": Outer(RNG.normal(size=6), RNG.normal(size=6)),
    "sparse": Sparse(pg.sparse_jacobian(lambda x: x * x + pg.roll(x, 1), np.arange(6.0))),
    "dense": Dense(RNG.normal(size=(6, 6))),
}
MATRICES["composed"] = MATRICES["kronecker"] @ MATRICES["scatter"]
MATRICES["sum"] = MATRICES["kronecker"] + MATRICES["selection"]


@pytest.mark.parametrize("name", MATRICES)
def test_products_transposes_and_sparse_forms_are_those_of_the_matrix(name):
    operator = MATRICES[name]
    full = operator.dense()
    vector, matrix = RNG.normal(size=6), RNG.normal(size=(6, 4))
    np.testing.assert_allclose(operator @ vector, full @ vector, atol=1e-14)
    np.testing.assert_allclose(operator @ matrix, full @ matrix, atol=1e-14)
    np.testing.assert_allclose(vector @ operator, vector @ full, atol=1e-14)
    np.testing.assert_allclose(matrix.T @ operator, matrix.T @ full, atol=1e-14)
    np.testing.assert_allclose(operator.T.dense(), full.T, atol=1e-14)
    np.testing.assert_allclose(operator.T @ vector, full.T @ vector, atol=1e-14)
    np.testing.assert_allclose(operator.sparse().toarray(), full, atol=1e-14)
    assert operator.shape == full.shape
    assert operator.dense_nbytes == full.nbytes


@pytest.mark.parametrize("first", MATRICES)
@pytest.mark.parametrize("second", MATRICES)
def test_compositions_and_sums_are_those_of_the_matrices(first, second):
    one, other = MATRICES[first], MATRICES[second]
    np.testing.assert_allclose((one @ other).dense(), one.dense() @ other.dense(), atol=1e-13)
    np.testing.assert_allclose((one + other).dense(), one.dense() + other.dense(), atol=1e-13)


def test_structures_are_kept_where_they_are_known():
    x, w = pg.tensor(RNG.normal(size=(4, 3))), pg.tensor(RNG.normal(size=(3, 2)))
    assert isinstance(pg.local_jacobian(x @ w, 0), Kronecker)
    assert isinstance(pg.local_jacobian(x @ w, 1), Kronecker)
    assert isinstance(pg.local_jacobian(pg.tanh(x)), Diagonal)
    assert isinstance(pg.local_jacobian(x + w[:, 0], 1), Selection)
    assert isinstance(pg.local_jacobian(pg.sum(x)), Outer)
    assert isinstance(pg.local_jacobian(x[1:]), Selection)
    assert isinstance(pg.local_jacobian(pg.softmax(x)), Block)
    assert isinstance(pg.local_jacobian(pg.floor(x)), Zero)
    twice = pg.local_jacobian(pg.tanh(x)) @ pg.local_jacobian(pg.exp(x))
    assert isinstance(twice, Diagonal)
    spread = pg.local_jacobian(pg.broadcast_to(pg.sum(x), (5,))) @ pg.local_jacobian(pg.sum(x))
    assert isinstance(spread, LowRank)
    assert repr(pg.local_jacobian(pg.tanh(x))) == "Diagonal(12 × 12 float64, 96 B)"


def test_the_chain_rule_by_operators_gives_the_gradient():
    x, w = RNG.normal(size=(5, 4)), RNG.normal(size=(4, 3))
    given = pg.tensor(w)
    product = pg.tensor(x) @ given
    hidden = pg.tanh(product)
    loss = pg.sum(hidden)
    row = pg.local_jacobian(loss) @ pg.local_jacobian(hidden) @ pg.local_jacobian(product, 1)
    expected = pg.grad(lambda w: pg.sum(pg.tanh(x @ w)))(w)
    np.testing.assert_allclose(row.dense().reshape(4, 3), expected, rtol=1e-13)


def test_a_matrix_larger_than_the_budget_is_refused_with_its_size():
    x, w = pg.tensor(np.ones((2000, 100))), pg.tensor(np.ones((100, 50)))
    slope = pg.local_jacobian(x @ w, 0)
    assert slope.nbytes == 100 * 50 * 8
    assert slope.dense_nbytes == 100_000 * 200_000 * 8
    with pytest.raises(ArgumentError, match=r"160 GB.*budget is 1\.07 GB.*40 kB"):
        slope.dense()
    assert slope.T.shape == (200_000, 100_000)
    with pytest.raises(ArgumentError, match="budget is 10 B"):
        pg.local_jacobian(pg.tanh(pg.tensor(np.ones(3)))).dense(budget=10)


def test_what_has_no_local_jacobian_is_refused():
    with pytest.raises(ArgumentError, match="an operation computed"):
        pg.local_jacobian(pg.tensor(1.0))
    with pytest.raises(ArgumentError, match="has 1 inputs"):
        pg.local_jacobian(pg.tanh(pg.tensor(1.0)), 1)
    with pytest.raises(ArgumentError, match="position is -1"):
        pg.local_jacobian(pg.tanh(pg.tensor(1.0)), -1)
    with pytest.raises(ArgumentError, match=r"has 2 outputs.*items\[0\]"):
        pg.local_jacobian(pg.linalg.eigh(pg.tensor(np.eye(2)))[0].inputs[0])
    with pytest.raises(GradientError, match="has no value"):
        with pg.Graph():
            pg.local_jacobian(pg.tanh(pg.placeholder(shape=(2,))))
    with pytest.raises(GradientError, match="complex64"):
        pg.local_jacobian(pg.exp(pg.tensor(1j)))
    with pytest.raises(ShapeError, match="doesn't fit"):
        MATRICES["dense"] @ np.ones(5)
