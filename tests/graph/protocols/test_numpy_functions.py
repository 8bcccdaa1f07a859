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
Q = X @ X.T  # symmetric and positive definite

# Calls whose results are nodes; x, v, s and q are X, V, S and Q as tensors.
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
np.fmax.reduce(x)
np.vecdot(x, x, axis=0)
np.fmin.reduce(x, axis=1)
np.multiply.outer(v, V)
np.subtract.outer(V, v)
special.erf(x)
special.expit(x)
np.concatenate((x, x), axis=None)
np.concatenate([x, x], 1)
np.concatenate([x, X], dtype=np.float32)
np.stack((v, V), -1)
np.max(x, initial=9.)
np.max(x, axis=0, where=X>0, initial=-1)
np.transpose(x, axes=(1,0))
np.squeeze(x[None], axis=(0,))
np.linalg.norm(x, ord='nuc')
np.linalg.norm(x, np.inf)
np.linalg.norm(v, np.inf)
np.mean(x, axis=0, dtype=np.float64, keepdims=True)
np.mean(x, (0, 1))
np.reshape(x, shape=(3,2))
np.reshape(x, (3,2), copy=True)
np.sort(x, kind='stable')
np.sort(x, axis=None)
np.sort(x, 0)
np.argsort(-x)
np.argsort(x, axis=0)
np.take(x, 0, axis=1)
np.take(x, [5, 6], mode='clip')
np.round(x, decimals=1)
np.histogram(x, bins=3)
np.quantile(x, [0.1, .5], method="nearest")
np.quantile(x, .5, axis=1, keepdims=True)
np.pad(x, ((0,1),(1,0)), 'reflect')
np.einsum(x, [0,1], [1])
np.einsum('ij,jk', x, X.T)
np.tensordot(x, X, axes=([0],[0]))
np.linalg.qr(x, mode='r')
np.isin(x, [1.2, 3.])
np.broadcast_to(x, (3,2,3))
np.nan_to_num(x, nan=1.)
np.cumsum(x, dtype=np.float32)
np.cumsum(x, 0)
np.diff(x, n=2)
np.diff(x, axis=0)
np.diff(v, prepend=0.)
np.gradient(x, axis=0)
np.gradient(v, 2.)
np.trapezoid(v, dx=.5)
np.trapezoid(x, axis=0)
np.roll(x, (1, 1), axis=(0, 1))
np.flip(x, axis=(0,1))
np.rot90(x, 2)
np.tile(x, 2)
np.repeat(x, [1, 2], axis=0)
np.meshgrid(v, V, sparse=True)
np.triu(x, k=1)
np.trace(x, offset=1)
np.diagonal(x, offset=1)
np.where(x > 2)
np.where([True, False, True], v, 0.)
np.clip(X, x, 5.)
np.clip(v, None, 2.)
np.average(x, axis=0, weights=[1., 3.])
np.average(x, returned=True)
np.cov(x, rowvar=False)
np.count_nonzero(x > 1)
np.argmax(x, axis=1, keepdims=True)
np.any(x, axis=1)
np.ptp(x, axis=0)
np.add.reduce(x, (0, 1))
np.add.reduce(x, 0, keepdims=True)
np.add.reduce(x, initial=5.)
np.multiply.accumulate(v)
np.maximum.accumulate(x, axis=1)
np.logical_or.reduce(x > 4)
np.power(2, x)
np.float32(2) ** v
np.true_divide(1, x)
np.ldexp(v, 2)
np.searchsorted([0., 1., 2.], v, side='right')
np.digitize(v, [0., 1.5], right=True)
np.interp(1.5, v[::-1] * 0 + np.array([1., 2., 3.]), v)
np.convolve(v, V, mode='same')
np.linalg.solve(q, np.array([1., 2.]))
np.linalg.lstsq(x.T, v)[0]
np.linalg.inv(q[None])
np.linalg.matrix_rank(x, tol=1e-3)
np.kron(x, v)
np.vander(v, 2)
np.arange(3, like=v)
np.zeros_like(x, dtype=np.float32)
np.ones_like(v, shape=(2,))
np.full_like(v, 7)
np.insert(v, [0, 2], [8., 9.])
np.delete(x, 0, axis=1)
np.array_split(x, 2, axis=1)
np.dsplit(x[None], 3)
np.broadcast_arrays(v, x)
np.atleast_2d(v, s)
np.fft.fft(v, n=4, norm='ortho')
np.fft.fftn(x)
np.fft.rfft2(x)
np.fft.ifftshift(v)
np.compress([True, False, True], v)
np.compress([False, True], x, axis=0)
np.extract(np.array([True, False, True]), v)
np.sort(v)
np.argsort(v)
np.partition(v, 1)
np.median(x, axis=1)
np.quantile(v, 0.3)
np.percentile(v, 30)
np.ptp(v)
np.average(v, weights=[1.0, 2, 3])
np.nansum(v)
np.nanstd(x, ddof=1)
np.cov(x)
np.corrcoef(x)
np.diff(v)
np.gradient(v)
np.trapezoid(v)
np.convolve(v, V)
np.correlate(v, V)
np.interp(v, [0, 5], [1, 2])
np.vander(v)
np.sinc(v)
np.i0(v)
np.count_nonzero(x, axis=0)
np.linalg.norm(v, 1)
np.linalg.vector_norm(x, axis=1)
np.fft.fft(v)
np.fft.rfft(v)
np.fft.irfft(v, 4)
np.fft.fft2(x)
np.fft.fftshift(v)
np.einsum('ij->i', x)
np.einsum('ij,j->i', X, v)
np.einsum('ij,j->i', X, v, optimize=True)
np.cumsum(v)
np.cumsum(x)
np.cumsum(x, axis=1)
np.cumprod(v)
np.trace(x)
np.trace(x, 1)
np.diag(v)
np.diag(v, 1)
np.diag(x)
np.diagflat(v)
np.diagonal(x)
np.triu(x)
np.tril(x, -1)
np.tile(v, 2)
np.tile(v, (2, 2))
np.repeat(v, 2)
np.repeat(x, 2, axis=1)
np.flip(v)
np.flip(x, 0)
np.fliplr(x)
np.flipud(x)
np.rot90(x)
np.roll(v, 1)
np.roll(x, 1, axis=1)
np.moveaxis(x, 0, 1)
np.swapaxes(x, 0, 1)
np.rollaxis(x, 1)
np.meshgrid(v, v)
np.meshgrid(v, v, indexing='ij')
np.kron(v, v)
np.cross(v, V)
np.tensordot(x, x, 2)
np.tensordot(x, X.T, 1)
np.inner(v, V)
np.vdot(v, V)
np.pad(v, 1)
np.pad(v, 1, mode='edge')
np.pad(v, (1, 2), constant_values=3.)
np.nan_to_num(v)
np.isclose(v, V)
np.heaviside(x, 0.5)
np.copysign(x, -1.)
np.real(x)
np.imag(x)
np.conj(x)
np.angle(x)
np.fmax(x, 1)
np.fmod(x, 2)
np.signbit(x)
np.degrees(x)
np.deg2rad(x)
np.nextafter(v, 0.)
np.frexp(v)
np.ldexp(v, 2)
np.logaddexp2(v, v)
np.float_power(v, 2)
np.unique(v)
np.nonzero(v)
np.flatnonzero(v)
np.argwhere(v)
np.bincount(np.array([0, 1, 1]), weights=v)
np.digitize(v, [0., 1.5])
np.take_along_axis(x, np.array([[0],[1]]), 1)
np.take_along_axis(x, np.array([[0],[1]]), axis=1)
np.select([x > 1, x < 0], [x, -x], 0)
np.choose(np.array([0, 0, 1]), [v, 2*v])
np.array_split(v, 2)
np.hsplit(x, 3)
np.vsplit(x, 2)
np.block([[x], [x]])
np.insert(v, 1, 5.)
np.delete(v, 1)
np.trim_zeros(v)
np.lib.stride_tricks.sliding_window_view(v, 2)
np.lib.stride_tricks.sliding_window_view(x, (1, 2), axis=(1, 0))
np.lib.stride_tricks.sliding_window_view(x, (1, 2), axis=(-1, -1))
np.resize(v, (2, 3))
np.broadcast_arrays(v, x)
np.isin(v, [1.])
np.histogram(v)
np.ediff1d(v)
np.polyval([1., 2], v)
np.linalg.norm(v)
np.linalg.norm(x, 'fro')
np.linalg.norm(x, axis=1)
np.linalg.norm(x, ord=2)
np.linalg.norm(x, axis=1, keepdims=True)
np.linalg.inv(q)
np.linalg.solve(q, X)
np.linalg.solve(X @ X.T, x)
np.linalg.det(q)
np.linalg.slogdet(q)
np.linalg.cholesky(q)
np.linalg.eigvalsh(q)
np.linalg.eigh(q)[0]
np.linalg.eigh(q, 'U')[0]
np.linalg.svd(x, compute_uv=False)
np.linalg.svd(x, full_matrices=False)[1]
np.linalg.svdvals(x)
np.linalg.qr(x)[1]
np.linalg.pinv(x)
np.linalg.lstsq(x, np.array([1., 2.]))[0]
np.linalg.lstsq(x, np.array([1., 2.]), rcond=None)[0]
np.linalg.matrix_power(q, 2)
np.linalg.matrix_rank(x)
np.linalg.multi_dot([X.T, x, v])
np.linalg.cond(q)
np.linalg.matrix_norm(x)
np.linalg.trace(q)
np.linalg.diagonal(q)
np.linalg.cross(v, V)
np.linalg.outer(v, V)
np.linalg.tensordot(x, x, axes=2)
np.linalg.matrix_transpose(x)
np.linalg.matmul(x, V)
np.linalg.tensorsolve(q, np.array([1., 2.]))
np.linalg.tensorinv(q[None, :, :, None][0, :, :, 0], ind=1)
special.gammaln(v)
special.gamma(v)
special.psi(v)
special.erfinv(v / 5)
special.logit(v / 5)
special.log_expit(v)
special.ndtr(v)
special.xlogy(v, v)
special.jv(1, v)
special.i0(v)
special.beta(v, V)
special.betainc(v, V, .5)
special.gammainc(v, V)
special.zeta(v + 2)
special.entr(v)
special.rel_entr(v, V)
special.expm1(v)
special.log1p(v)
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
    names = {"x": made(X), "v": made(V), "s": made(S), "q": made(Q), "X": X, "V": V}
    return eval(call, {"np": np, "special": special, **names})


@pytest.mark.parametrize("call", CALLS)
def test_the_result_is_a_node_with_numpys_value(call):
    got, expected = _run(call, nodes=True), _run(call, nodes=False)
    if not isinstance(got, (list, tuple)):
        got, expected = [got], [expected]
    for node, value in zip(got, expected, strict=True):
        assert isinstance(node, pg.Node)
        np.testing.assert_allclose(node.numpy(), value, rtol=1e-12, atol=1e-12)
        assert (node.shape, node.dtype) == (np.shape(value), np.asarray(value).dtype)


@pytest.mark.parametrize("call", PLAIN)
def test_what_has_no_gradient_is_numpys_own_result(call):
    got = _run(call, nodes=True)
    assert not isinstance(got, pg.Node)
    assert got == _run(call, nodes=False)


def test_a_ufunc_of_ones_own_is_not_taken_for_the_librarys():
    def add(x, y):
        return x * y

    own = np.frompyfunc(add, 2, 1)
    with pytest.raises(ArgumentError, match="add takes arrays, not nodes"):
        own(pg.tensor(V), 1)
    assert pg.tensor(V).shape == V.clip(pg.tensor(1.5), 2).shape  # arrays' own method


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
        ("np.emath.sqrt(x)", "np.lib.scimath.sqrt takes arrays"),
        ("np.lib.stride_tricks.sliding_window_view(v, 2, axis=0, writeable=True)", "writeable"),
        ("np.frompyfunc(lambda a: a, 1, 1)(v)", "<lambda> takes arrays"),
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
