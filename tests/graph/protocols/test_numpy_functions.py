"""NumPy's functions called with nodes: the same values, as nodes, with their gradients."""

from typing import Any

import numpy as np
import pytest
import scipy.special as special

import palingrad as pg
from palingrad.errors import ArgumentError, DTypeError, GradientError

X = np.array([[0.5, 1.2, 2.0], [3.0, 4.0, -5.0]])
V = np.array([3.0, 1.0, 2.0])
S = np.array(2.0)

# Calls whose results are nodes; x, v and s are X, V and S as tensors.
CALLS = """
np.sin(x)
np.add(x, 1)
np.add(X, x)
np.add(x, 1, dtype=np.float32)
np.power(x, 2)
np.arctan2(x, 2.0)
np.absolute(x)
np.fabs(x)
np.rint(x)
np.maximum(x, 1)
np.hypot(x, 1)
np.isnan(v)
np.logical_and(x > 0, x < 1)
np.greater(x, 1)
np.divmod(v, 2)
np.modf(x)
np.sum(x, axis=0)
np.sum(x, 0)
np.sum(x, axis=1, keepdims=True)
np.mean(x, axis=0)
np.mean(x)
np.std(v)
np.std(v, ddof=1)
np.var(x, axis=1)
np.max(v)
np.amin(x, 1)
np.prod(x)
np.any(x > 1, axis=0)
np.all(x > 1)
np.argmax(v)
np.argmax(x, axis=1)
np.where(X > 2, x, 0)
np.where(x > 2, x, 0)
np.concatenate([x, X], axis=1)
np.concat([v, v])
np.stack([v, v], axis=1)
np.vstack([v, v])
np.hstack([v, v])
np.hstack([x, x])
np.dstack([x, x])
np.column_stack([v, V])
np.append(v, 1.0)
np.append(x, x, axis=0)
np.dot(X, v)
np.dot(x, x.T)
np.outer(v, V)
np.matmul(x, V)
np.clip(v, 1.5, 2.5)
np.clip(v, min=1.5)
np.clip(v, a_min=None, a_max=1.5)
np.reshape(x, (3, 2))
np.reshape(x, -1)
np.ravel(x)
np.transpose(x)
np.transpose(x, (1, 0))
np.squeeze(x[None], axis=0)
np.expand_dims(v, 1)
np.round(v)
np.split(v, 3)
np.split(x, [1, 2], axis=1)
np.split(v, [-1, 7])
np.linspace(0, s, 3)
np.linspace(v, 2 * v, 4, axis=-1)
np.linspace(0, s, 3, endpoint=False)
np.polyval([1.0, 2.0, 3.0], x)
np.take(x, [0, 1])
np.take(x, np.array([1]), axis=1)
np.broadcast_to(v, (2, 3))
np.atleast_1d(s)
np.atleast_2d(v)
np.atleast_3d(v)
np.zeros_like(x)
np.ones_like(x)
np.full_like(x, 2.0)
np.copy(x)
np.fix(x)
np.add.reduce(x)
np.add.reduce(x, axis=None)
np.multiply.reduce(v)
np.maximum.reduce(x, axis=1)
np.logaddexp.reduce(x)
np.multiply.outer(v, V)
np.subtract.outer(V, v)
special.erf(x)
special.expit(x)
""".split("\n")[1:-1]

# Calls whose results have no gradient: NumPy's own.
PLAIN = """
np.shape(x)
np.ndim(x)
np.size(x, 1)
np.result_type(x, np.float32)
np.can_cast(x, np.float32)
np.allclose(x, X)
np.array_equal(x, X)
np.array_repr(v)
np.iscomplexobj(x)
""".split("\n")[1:-1]


def _run(call: str, *, nodes: bool) -> Any:
    made = pg.tensor if nodes else np.asarray
    names = {"x": made(X), "v": made(V), "s": made(S), "X": X, "V": V}
    return eval(call, {"np": np, "special": special, **names})


@pytest.mark.parametrize("call", CALLS)
def test_the_result_is_a_node_with_numpys_value(call):
    got, expected = _run(call, nodes=True), _run(call, nodes=False)
    if not isinstance(got, (list, tuple)):
        got, expected = [got], [expected]
    for node, value in zip(got, expected, strict=True):
        assert isinstance(node, pg.Node)
        np.testing.assert_allclose(node.numpy(), value, rtol=1e-15, atol=1e-15)
        assert (node.shape, node.dtype) == (np.shape(value), np.asarray(value).dtype)


@pytest.mark.parametrize("call", PLAIN)
def test_what_has_no_gradient_is_numpys_own_result(call):
    got = _run(call, nodes=True)
    assert not isinstance(got, pg.Node)
    assert got == _run(call, nodes=False)


def test_functions_of_nodes_without_values_are_deferred():
    x = pg.placeholder((2, 3), dtype="float64")
    y = np.sum(np.sin(x), axis=0)
    assert (y.shape, np.shape(x), np.ndim(x), np.size(x)) == ((3,), (2, 3), 2, 6)
    np.testing.assert_allclose(pg.Session().run(y, {x: X}), np.sin(X).sum(0))
    np.testing.assert_allclose(pg.function(lambda a: np.where(a > 0, a, 0))(X), X * (X > 0))


M = np.array([[1.0, 2.0], [3.0, 5.0]])
W = np.array([3.0, 4.0])


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda v: pg.sum(np.dot(M, v) * v), (M + M.T) @ W),
        (lambda v: np.dot(v, v) + v[0], 2 * W + [1, 0]),
        (lambda v: np.sum(np.sin(v) ** 2), np.sin(2 * W)),
        (lambda v: pg.sum(v * np.where(v > 0, v, 0)), 2 * W),
        (lambda v: np.sum(np.multiply.outer(v, v)), [14.0, 14.0]),
        (lambda v: np.sum(np.linspace(0, v, 3)), [1.5, 1.5]),
        (lambda v: np.polyval([1.0, 0.0, 0.0], v).sum(), 2 * W),
        (lambda v: np.sum(np.append(v, 1.0) * np.array([1.0, 2.0, 3.0])), [1.0, 2.0]),
        (lambda v: np.sum(np.subtract(np.float64(2), v)), [-1.0, -1.0]),
    ],
)
def test_gradients_flow_through_numpys_functions(f, expected):
    np.testing.assert_allclose(pg.grad(f)(W), expected, rtol=1e-12)
    v: Any = pg.Variable(W)
    f(v).backward()
    np.testing.assert_allclose(v.grad.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("np.sin(x, out=X)", "in place"),
        ("np.sum(x, out=V)", "in place"),
        ("np.copyto(X, x)", r"x.at\[index\].set"),
        ("np.fill_diagonal(x, 1)", r"x.at\[index\].set"),
        ("np.add.at(V, [0], v)", r"x.at\[indices\].add"),
        ("np.add.reduceat(v, [0, 1])", r"np.add.reduceat\(x.numpy\(\)\)"),
        ("np.sin(x, where=X > 0)", r"pg.where\(mask, np.sin\(x\), other\)"),
        ("np.spacing(x)", r"np.spacing takes arrays, not nodes. Write np.spacing\(x.numpy\(\)\)"),
        ("np.apply_along_axis(np.sum, 0, x)", "with axis="),
        ("np.reshape(x, (3, 2), order='F')", "order='F'"),
        ("np.sum(x, nonsense=1)", "nonsense"),
        ("special.pbdv(1, x)", "scipy.special.pbdv takes arrays"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(call, says):
    with pytest.raises((ArgumentError, TypeError), match=says):
        _run(call, nodes=True)


def test_in_place_operators_of_arrays_are_refused():
    total = np.zeros(3)
    with pytest.raises(ArgumentError, match="total = total \\+ x"):
        total += pg.tensor(V)
    assert not total.any()


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # np.matrix
def test_subclasses_with_an_arithmetic_of_their_own_are_refused():
    class Quantity(np.ndarray):
        def __array_ufunc__(self, *args, **kwargs):
            return NotImplemented

    m: Any = np.asmatrix(M)
    x: Any = pg.tensor(M)
    for call in (lambda: m * x, lambda: x * m, lambda: x**m, lambda: m**x):
        with pytest.raises((DTypeError, TypeError)):
            call()
    with pytest.raises(DTypeError, match=r"np.asarray\(m\)"):
        pg.add(m, x)
    with pytest.raises(DTypeError, match="units or rules of its own"):
        pg.multiply(x, M.view(Quantity))
    np.testing.assert_array_equal(pg.tensor(m).numpy(), M)


def test_masked_arrays_leave_the_operator_to_the_node():
    x: Any = pg.tensor(V)
    np.testing.assert_array_equal((np.ma.array(V) * x).numpy(), V * V)
    for call in (lambda a: a * x, lambda a: x * a, lambda a: np.add(a, x)):
        with pytest.raises(DTypeError, match="1 of 3 elements of a masked array are masked"):
            call(np.ma.array(V, mask=[False, True, False]))


def test_plain_values_are_refused_while_they_are_differentiated():
    for f in (
        lambda v: np.sum(v) * np.allclose(v, W),
        lambda v: np.sum(v) * len(np.array_repr(v)),
        lambda v: np.sum(np.full(2, v[0]) * v),
        lambda v: np.sum(np.mean([v[0], v[1]]) * v),
    ):
        with pytest.raises(GradientError, match="stop_gradient"):
            pg.grad(f)(W)
