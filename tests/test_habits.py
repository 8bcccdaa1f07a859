"""What users of NumPy, PyTorch and JAX type in their first hour: it works as there, or the error
says what to write."""

import json
import math
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq, minimize

import palingrad as pg
from palingrad.errors import PalingradError

WORKS = """
x.sum(0) = [3, 5, 7]
pg.sum(x, 0) = [3, 5, 7]
pg.max(x, 1) = [2, 5]
pg.mean(x, axis=(0, 1), dtype='float32') = 2.5
pg.sum(x, where=x > 1) = 14
x.argmax() = 5
x.prod() = 0
x.any() = True
(x == x).all() = True
x.size = 6
x.flatten() = [0, 1, 2, 3, 4, 5]
x.transpose(1, 0) = [[0, 3], [1, 4], [2, 5]]
x[None].squeeze() = [[0, 1, 2], [3, 4, 5]]
x.swapaxes(0, 1) = [[0, 3], [1, 4], [2, 5]]
pg.transpose(x) = [[0, 3], [1, 4], [2, 5]]
x.tolist() = [[0, 1, 2], [3, 4, 5]]
x.reshape(shape=(3, 2)) = [[0, 1], [2, 3], [4, 5]]
pg.reshape(x, 3, 2) = [[0, 1], [2, 3], [4, 5]]
x.clip(0, 1) = [[0, 1, 1], [1, 1, 1]]
x.detach() = [[0, 1, 2], [3, 4, 5]]
x.clone() = [[0, 1, 2], [3, 4, 5]]
x.abs() = [[0, 1, 2], [3, 4, 5]]
x.square().sum() = 55
x.diagonal() = [0, 4]
x.nonzero()[1] = [1, 2, 0, 1, 2]
x.cumsum() = [0, 1, 3, 6, 10, 15]
x.repeat(2, 1)[0] = [0, 0, 1, 1, 2, 2]
x.real = [[0, 1, 2], [3, 4, 5]]
x.imag = [[0, 0, 0], [0, 0, 0]]
round(s, 1) = 2
divmod(v, 2)[1] = [1, 1, 0]
pg.asarray([1.0, 2.0]) = [1, 2]
pg.arange(3) = [0, 1, 2]
pg.full((2,), 7.0) = [7, 7]
pg.eye(2)[pg.newaxis] = [[[1, 0], [0, 1]]]
pg.random.randn(3).shape = (3,)
pg.isclose(x, x).all() = True
pg.array_equal(x, x) = True
pg.trace(x) = 4
pg.diag(v)[0] = [3, 0, 0]
pg.concatenate([v, v], 0) = [3, 1, 2, 3, 1, 2]
pg.hstack([v, v]) = [3, 1, 2, 3, 1, 2]
pg.absolute(-v) = [3, 1, 2]
pg.argmax(x, 1) = [2, 2]
pg.stack((v, v), 1).shape = (3, 2)
pg.squeeze(x[None], 0).shape = (2, 3)
pg.softmax(x, -1).shape = (2, 3)
pg.round(pg.tensor(2.5), 0) = 2
v == None = False
v != 'abc' = True
None in [v] = False
v in [v, x] = True
pg.sin(0.0) = 0
math.trunc(s + 0.7) = 2
repr(pg.any(x)) = 'Any(True, dtype=bool)'
windows(v, 2) = [[3, 1], [1, 2]]
windows(x, (1, 2), axis=(1, 0))[0, 1] = [[1, 4]]
pg.grad(lambda t: t.sum() if np.isrealobj(t) else t)(np.ones(2)) = [1, 1]
'dtype: that of the result' in pg.sum.__doc__ = True
'initial' in pg.any.__doc__ = False
np.histogram2d(v, v, bins=1)[0] = [[3]]
np.histogram_bin_edges(v, 2) = [1, 2, 3]
np.broadcast_arrays(v, None, 'red')[0] = [3, 1, 2]
pg.union1d(v, [7.0]) = [1, 2, 3, 7]
pg.random.randn((2, 3)).shape = (2, 3)
pg.split(v, indices_or_sections=[1])[1] = [1, 2]
pg.polyfit(v, 2 * v, 0) = 4
np.testing.assert_allclose(x, x.numpy()) = None
json.dumps(v.tolist()) = '[3.0, 1.0, 2.0]'
sorted(v, key=lambda a: -a)[0] = 3
[*v][1] = 1
sum(v) = 6
[10, 20, 30][pg.argmax(v)] = 10
f'{s:.2f}' = '2.00'
'%.1f' % s = '2.0'
s == pytest.approx(2.0) = True
minimize(pg.value_and_grad(lambda t: pg.sum((t - 1) ** 2)), np.zeros(2), jac=True).x = [1, 1]
brentq(lambda t: pg.sin(t - 1), 0.0, 2.0) = 1
'sums' in dir(pg) or 'RANDOM' in dir(pg.random) or 'LAYERS' in dir(pg.nn) = False
"""

# The expression, and what its error says to write.
REFUSED = """
x.unsqueeze(0) => pg.expand_dims(x, axis=0)
x.float() => x.astype('float32')
x.double() => x.astype('float64')
x.to('cpu') => x.astype(dtype)
x.permute(1, 0) => pg.permute_dims(x, axes)
x.view(3, 2) => x.reshape(shape)
x.matmul(x.T) => x @ y
x.mm(x.T) => pg.matmul
x.norm() => pg.vector_norm(x)
x.softmax(0) => pg.softmax(x)
x.masked_fill(x > 1, 0) => pg.where(mask, value, x)
x.t() => x.T
x.numel() => x.size
x.requires_grad_() => pg.gradients(y, x)
x.add_(1) => x + y
x.relu_() => Nodes don't change
x.fill(0) => pg.where(mask, value, x)
x.put(0, 1) => x.at[index].set(values)
x.flat => x.ravel()
x.tobytes() => x.numpy().tobytes
x.block_until_ready() => nothing: values are there at once
pg.tensor([1.0], requires_grad=True) => every float has a gradient
pg.randn(3) => pg.random.randn
pg.no_grad() => pg.stop_gradient(x)
pg.cat([x, x]) => pg.concat
pg.mm(x, x) => pg.matmul
pg.jit(pg.sin) => pg.function
pg.jnp.sin(x) => pg.sin
pg.lax.scan => pg.where
pg.tree_map => pg.grad takes lists and dicts
pg.det(x) => pg.linalg.det
pg.foo => Did you mean
x.sun() => Did you mean x.sum?
pg.grad(v) => pg.gradients(y, x)
pg.grad(lambda t: (t**2).sum())([1.0, 2.0]) => np.array([1.0, 2.0])
pg.add(x, 1, out=x) => y = pg.add(…) is a new one
pg.zeros(2, 3) => pg.zeros((2, 3))
len(s) => x.shape
list(s) => [x]
v in [x, v] => any(x is y for y in nodes)
x.sum(0, True) => keepdims=True
pg.grad(lambda x: np.histogram2d(x, v)[0].sum())(np.ones(3)) => pg.stop_gradient(x)
pg.grad(lambda x: np.broadcast_arrays(x, None)[0].sum())(np.ones(3)) => pg.stop_gradient(x)
pg.hstack(v, v) => pg.hstack([x, y])
pg.stack(v, v) => pg.stack([x, y])
pg.tile(v, reps=2) => repetitions=2
pg.sin(x=v) => x is given by position
pg.linalg.norm(v, p=1) => ord=1
pg.random.default_rng(0).beta(1, 2) => np.random.default_rng(seed).beta
pg.grad(lambda x: {'loss': x.sum()})(np.ones(2)) => Return one of its values
pg.nn.SimpleRNN(2, 3) => pg.nn.RNN
windows(v, 4) => windows of 4 elements don't fit 3
windows(v, (1, 2)) => Name the axes
setattr(x, 'shape', (3, 2)) => x.reshape(shape) makes a new node
setattr(x, 'data', 1) => w.assign(value) changes a pg.Variable
setattr(x, 'requires_grad', False) => pg.stop_gradient(x) is a constant
setattr(x, 'real', 1) => pg.complex(real, imag)
pg.dtype('float32') => Write np.dtype.
pg.set_printoptions(precision=3) => Write np.set_printoptions.
pg.packbits(x) => np.packbits, of plain arrays
pg.PalingradError => pg.errors.PalingradError
pg.in1d(v, v) => pg.isin
pg.F.relu(v) => pg.relu
pg.compile(pg.sin) => pg.function
pg.derivative(pg.sin) => pg.grad
pg.mse_loss(v, v) => pg.mse(
pg.quantile(v, 0.5, interpolation='linear') => method='linear'
x.values => x.numpy()
x.H => x.mT.conj()
x.index(1.0) => pg.argmax(x == value)
"""


def variables() -> dict[str, Any]:
    x = pg.tensor(np.arange(6.0).reshape(2, 3))
    v = pg.tensor(np.array([3.0, 1.0, 2.0]))
    windows = np.lib.stride_tricks.sliding_window_view
    modules = {"pg": pg, "np": np, "math": math, "json": json, "pytest": pytest}
    functions = {"minimize": minimize, "brentq": brentq, "windows": windows}
    return {**modules, **functions, "x": x, "v": v, "s": pg.tensor(2.0)}


def rows(table: str, between: str) -> list[tuple[str, str]]:
    lines = [line for line in table.splitlines() if line]
    return [(a, b) for a, _, b in (line.rpartition(between) for line in lines)]


@pytest.mark.parametrize(("code", "expected"), rows(WORKS, " = "))
def test_it_works(code, expected):
    found, wanted = eval(code, variables()), eval(expected)
    if wanted is None or isinstance(wanted, (bool, str)):
        assert found == wanted
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-9)


@pytest.mark.parametrize(("code", "advice"), rows(REFUSED, " => "))
def test_it_is_refused_with_what_to_write(code, advice):
    with pytest.raises(PalingradError) as raised:
        eval(code, variables())
    assert advice in str(raised.value)
