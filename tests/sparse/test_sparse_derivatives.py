"""Sparse Jacobians and Hessians have the entries of the dense ones, in every mode and format."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import palingrad as pg
from palingrad.errors import ArgumentError, GradientError
from palingrad.sparse import compressed
from palingrad.sparse.sparsity import Compressed

X = np.random.default_rng(0).uniform(0.5, 1.5, 12)


def brusselator(z: Any) -> Any:
    """Two species on a periodic grid, coupled to their four neighbours."""
    u, v = z[0], z[1]

    def spread(w: Any) -> Any:
        around = pg.roll(w, 1, 0) + pg.roll(w, -1, 0) + pg.roll(w, 1, 1) + pg.roll(w, -1, 1)
        return around - 4 * w

    return pg.stack([1 + u * u * v - 4.4 * u + spread(u), 3.4 * u - u * u * v + spread(v)])


def rosenbrock(x: Any) -> Any:
    return pg.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


FUNCTIONS = {
    "diagonal": lambda x: pg.sin(x) * pg.exp(x),
    "neighbours": lambda x: x[1:] * x[:-1],
    "triangle": lambda x: pg.cumsum(x * x),
    "one row": lambda x: pg.sum(x**3),
    "one column": lambda x: x[:1] * np.arange(1.0, 8.0),
    "blocks": lambda x: pg.softmax(pg.reshape(x, (3, 4))),
    "arrow": lambda x: pg.concat([pg.sum(x, keepdims=True), x[1:] ** 2]),
    "constant": lambda x: 0 * x + 1,
    "linear": lambda x: 2 * x,
    "the argument": lambda x: x,
    "two axes": lambda x: brusselator(pg.reshape(pg.concat([x, x, x]), (2, 3, 6))),
}


@pytest.mark.parametrize("engine", ["numpy", "native"])
@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize("mode", [None, "forward", "reverse"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_entries_are_those_of_the_dense_jacobian(name, mode, format, engine):
    if engine == "native" and (format == "csc") == (mode is None):
        return  # each mode and format once
    pg.set_engine(engine)
    f = FUNCTIONS[name]
    found = pg.sparse_jacobian(f, mode=mode, format=format)
    for x in (X, X[::-1].copy()):
        matrix = found(x)
        expected = np.asarray(pg.jacobian(f)(x)).reshape(-1, x.size)
        assert matrix.format == format
        assert matrix.shape == expected.shape
        np.testing.assert_allclose(matrix.toarray(), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_many_colours_take_several_runs(at_once, monkeypatch):
    monkeypatch.setattr(compressed, "AT_ONCE", at_once)
    for mode in ("forward", "reverse"):
        found = pg.sparse_jacobian(FUNCTIONS["triangle"], X, mode=mode)
        np.testing.assert_allclose(found.toarray(), np.tri(12) * 2 * X, rtol=1e-13)
    hessian = pg.sparse_hessian(rosenbrock, X)
    np.testing.assert_allclose(hessian.toarray(), pg.hessian(rosenbrock)(X), rtol=1e-12)


def test_a_large_argument_has_no_constant_seeds(monkeypatch):
    monkeypatch.setattr(compressed, "_FOLDED", 0)
    hessian = pg.sparse_hessian(rosenbrock, X)
    np.testing.assert_allclose(hessian.toarray(), pg.hessian(rosenbrock)(X), rtol=1e-12)


def test_columns_or_rows_whichever_are_fewer():
    wide = pg.sparse_jacobian(lambda x: pg.sum(x**2)).plan(X)
    assert (wide.mode, wide.count) == ("reverse", 1)
    tall = pg.sparse_jacobian(lambda x: x[:1] * np.arange(1.0, 8.0)).plan(X)
    assert (tall.mode, tall.count) == ("forward", 1)
    assert pg.sparse_jacobian(FUNCTIONS["diagonal"]).plan(X).count == 1
    assert pg.sparse_jacobian(FUNCTIONS["neighbours"]).plan(X).count == 2


def test_the_hessian_of_rosenbrock_is_tridiagonal_and_needs_three_colours():
    found = pg.sparse_hessian(rosenbrock)
    assert found.plan(X).count <= 3
    expected = np.eye(12) + np.eye(12, k=1) + np.eye(12, k=-1)
    np.testing.assert_array_equal(found.sparsity(X).toarray(), expected != 0)
    np.testing.assert_allclose(found(X).toarray(), pg.hessian(rosenbrock)(X), rtol=1e-12)


def test_a_matrix_with_more_places_than_32_bits_count():
    x = np.linspace(0, 1, 70_000)
    found = pg.sparse_hessian(rosenbrock, x)
    direction = np.cos(np.arange(70_000.0))
    product = pg.jvp(pg.grad(rosenbrock), (x,), (direction,))[1]
    np.testing.assert_allclose(found @ direction, product, rtol=1e-9, atol=1e-9)


def test_an_arrow_shaped_hessian_needs_two_products():
    def f(x: Any) -> Any:
        return pg.sum(x[0] * x[1:] ** 2) + x[0] ** 3

    found = pg.sparse_hessian(f)
    assert found.plan(X).count == 2
    np.testing.assert_allclose(found(X).toarray(), pg.hessian(f)(X), rtol=1e-13)


def test_other_arguments_and_keywords_are_fed():
    def f(a: Any, x: Any, *, power: int = 2) -> Any:
        return a * x**power

    found = pg.sparse_jacobian(f, argnums=1)
    for a in (X, X + 1):
        np.testing.assert_allclose(found(a, X, power=3).toarray(), np.diag(3 * a * X**2))
    by_a = pg.sparse_jacobian(f, argnums=0)
    np.testing.assert_allclose(by_a(X, X).toarray(), np.diag(X**2))


def test_variables_and_outer_arrays_are_read_anew():
    scale, offset = pg.Variable(2.0, dtype="float64"), np.array([1.0, 0, 1])
    found = pg.sparse_jacobian(lambda x: scale * x * offset)
    assert found(np.ones(3)).toarray().tolist() == np.diag([2.0, 0, 2]).tolist()
    assert found.sparsity(np.ones(3)).nnz == 2
    scale.assign(3.0)
    assert found(np.ones(3)).toarray().tolist() == np.diag([3.0, 0, 3]).tolist()
    compiled = pg.sparse_jacobian(pg.function(lambda x: scale * x * offset))
    assert compiled(np.ones(3)).nnz == 2
    offset = np.array([1.0, 5, 1])  # another pattern
    for one in (found, compiled):
        assert one(np.ones(3)).toarray().tolist() == np.diag([3.0, 15, 3]).tolist()


def test_shapes_and_dtypes_have_patterns_of_their_own():
    found = pg.sparse_jacobian(lambda x: x * x)
    assert found(np.ones(3)).shape == (3, 3)
    assert found(np.ones(5)).shape == (5, 5)
    assert found(np.ones(3, np.float32)).dtype == np.float32
    assert found(2.0).toarray().tolist() == [[4.0]]
    assert found(np.zeros(0)).shape == (0, 0)


def test_the_branch_not_taken_poisons_nothing():
    def f(x: Any) -> Any:
        return pg.where(x > 0, pg.sqrt(x), 0) + pg.roll(x, 1)

    x = np.array([0.0, 1.0, -1.0, 4.0])
    np.testing.assert_array_equal(pg.sparse_jacobian(f, x).toarray(), pg.jacobian(f)(x))


def test_the_arrays_are_read_only_and_a_copy_is_not():
    found = pg.sparse_jacobian(lambda x: x * x)
    first = found(X)
    with pytest.raises(ValueError, match="read-only"):
        first.data[0] = 7
    own = first.copy()
    own.data[0] = 7
    own.eliminate_zeros()
    np.testing.assert_array_equal(found(X).toarray(), np.diag(2 * X))
    assert scipy.sparse.linalg.spsolve(first, X).tolist() == (X / (2 * X)).tolist()


def test_without_scipy_the_arrays_are_returned(monkeypatch):
    original = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "scipy" or name.startswith("scipy."):
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    found = pg.sparse_jacobian(lambda x: x[1:] * x[:-1], np.array([1.0, 2.0, 3.0]))
    assert isinstance(found, Compressed)
    assert found.data.tolist() == [2.0, 1.0, 3.0, 2.0]
    assert found.indices.tolist() == [0, 1, 1, 2]
    assert found.indptr.tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: pg.sparse_jacobian(3), ArgumentError, "expected a function, got int 3"),
        (lambda: pg.sparse_jacobian(pg.sin, argnums=(0,)), ArgumentError, "one number"),
        (lambda: pg.sparse_jacobian(pg.sin, mode="back"), ArgumentError, "mode"),
        (lambda: pg.sparse_jacobian(pg.sin, format="coo"), ArgumentError, "format"),
        (lambda: pg.sparse_jacobian(pg.sin, np.arange(3)), GradientError, "only floats"),
        (lambda: pg.sparse_jacobian(pg.sin, np.ones(3) * 1j), GradientError, "complex128"),
        (lambda: pg.sparse_jacobian(pg.sin, pg.tensor(X)), GradientError, "arrays, not nodes"),
        (lambda: pg.sparse_jacobian(pg.sin, [1.0, 2.0]), GradientError, "isn't one array"),
        (lambda: pg.sparse_jacobian(lambda x: (x, x), X), GradientError, "returned tuple"),
        (lambda: pg.sparse_jacobian(lambda x: x > 1, X), GradientError, "returned bool"),
        (lambda: pg.sparse_hessian(lambda x: x, X), GradientError, "expected a scalar"),
    ],
)
def test_what_has_no_sparse_derivative_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
