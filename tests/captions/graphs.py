"""Forty small graphs: scalars, arrays, many operations, reused nodes, sums of gradients, layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import palingrad as pg

GRAPHS: dict[str, Callable[[], Any]] = {}


def graph(build: Callable[[], Any]) -> Callable[[], Any]:
    GRAPHS[build.__name__] = build
    return build


def v(*numbers: float) -> Any:
    array = np.array(numbers)
    return pg.Variable(array if len(numbers) > 1 else array[0], dtype=pg.float64)


def random(*shape: int, seed: int = 0) -> Any:
    return pg.Variable(np.random.default_rng(seed).normal(size=shape))


def scalar(f: Callable[..., Any], *numbers: float) -> Callable[[], Any]:
    return lambda: f(*map(v, numbers))


def image(side: int) -> Any:
    return random(1, 1, side, side, seed=5)


SCALARS: dict[str, Callable[[], Any]] = {
    "line": scalar(lambda a, x: a * x, 2.0, -3.0),
    "neuron": scalar(lambda a, x, b: pg.sigmoid(a * x + b), 2.0, 3.0, -1.0),
    "square_twice": scalar(lambda x: x * x + x, -1.5),
    "polynomial": scalar(lambda x: x**3 - 2 * x**2 + x / 4, -2.5),
    "quotient": scalar(lambda x, y: (x - y) / (x + y), 0.25, -0.75),
    "waves": scalar(lambda x: pg.sin(x) * pg.cos(x) + pg.tan(x), 0.7),
    "powers": scalar(lambda x, y: x**y, 1.7, -0.3),
    "logs": scalar(lambda x: pg.log(1 + pg.exp(x)) - pg.log(x), 0.3),
    "roots": scalar(lambda x: pg.sqrt(x) + pg.abs(-x), 2.0),
    "hyperbola": scalar(lambda x: pg.sinh(x) / pg.cosh(x) - pg.tanh(x / 2), 1.2),
    "arcs": scalar(lambda x: pg.asin(x) + pg.acos(x) * pg.atan(x), 0.4),
    "kink": scalar(lambda x, y: pg.relu(x) + pg.maximum(x, y) - pg.minimum(x, y), -2.0, 3.0),
    "small_numbers": scalar(lambda x, y: x * y + x, 1.5e-7, -2.25e-5),
    "large_numbers": scalar(lambda x, y: x * y - y, 1.25e7, -3e9),
    "gelu": scalar(lambda x: pg.gelu(x) + pg.softplus(x) + pg.silu(x), -0.6),
    "leaky": scalar(lambda x: pg.leaky_relu(x) * pg.elu(x), -1.25),
    "cancel": scalar(lambda x, y: (x - y) * 1000, 1.23456, 1.23455),
    "reciprocal": scalar(lambda x: 1 / x - 1 / (x * x), -0.2),
    "erf": scalar(lambda x: pg.erf(x) * pg.square(x), 0.35),
    "infinite": scalar(lambda x: pg.exp(x) / x, -0.0),
    "shared_thrice": scalar(lambda a: a * a * a + a, -1.1),
    "chain": scalar(lambda x: pg.tanh(pg.tanh(pg.tanh(x * 3) * 3) * 3), 0.05),
    "float32": lambda: pg.sigmoid(pg.Variable(0.1) * pg.Variable(0.7)) * 0.3,
    "second_derivative": lambda: (lambda x: pg.gradients(pg.gradients(x**3, x), x))(v(2.0)),
}
GRAPHS.update(SCALARS)


@graph
def micrograd() -> Any:
    a, b = pg.Variable(-4.0), pg.Variable(2.0)
    c, d = a + b, a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + pg.relu(b + a)
    d = d + 3 * d + pg.relu(b - a)
    f = (c - d) ** 2
    return f / 2.0 + 10.0 / f


@graph
def dot() -> Any:
    return pg.sum(v(1.0, 2.0, -3.0) * v(0.5, 0.0, 2.0))


@graph
def matrix_times_vector() -> Any:
    return pg.sum(pg.tanh(random(2, 3) @ v(1.0, 0.0, 3.0) + v(0.1, -0.2)))


@graph
def broadcast() -> Any:
    return pg.mean((random(3, 4) + random(4, seed=1)) * random(3, 1, seed=2))


@graph
def two_layers() -> Any:
    x, w1, w2 = random(3, 5), random(5, 4, seed=1), random(4, 2, seed=2)
    h = pg.relu(x @ w1 + random(4, seed=3))
    return pg.mean(pg.square(h @ w2))


@graph
def wide_layer() -> Any:
    """Sums of more than six terms."""
    return pg.sum(pg.tanh(random(2, 30) @ random(30, 3, seed=1)))


@graph
def softmaxes() -> Any:
    z = random(2, 3)
    return pg.sum(pg.softmax(z, axis=-1) * pg.log_softmax(z, axis=-1)) + pg.logsumexp(z)


@graph
def attention() -> Any:
    q, k, u = (random(4, 3, seed=n) for n in range(3))
    return pg.sum(pg.softmax(q @ k.mT / 2.0) @ u)


@graph
def layouts() -> Any:
    x = random(2, 3)
    y = pg.concat([pg.transpose(x), pg.reshape(x, (3, 2))], axis=0)
    return pg.sum(y[1:, 0] * 2.0)


@graph
def gathered() -> Any:
    x = random(4, 2)
    return pg.sum(pg.take(x, np.array([2, 0, 2]), axis=0) ** 2)


@graph
def reductions() -> Any:
    x = random(3, 4)
    return pg.sum(pg.max(x, axis=1)) + pg.sum(pg.mean(x, axis=0)) - pg.min(x)


@graph
def convolution() -> Any:
    y = pg.conv2d(image(5), random(2, 1, 3, 3, seed=1))
    return pg.sum(pg.max_pool(pg.relu(y), 2))


@graph
def vector_result() -> Any:
    """A result with several elements: totals are Jacobians."""
    x = v(0.5, -1.0)
    return pg.sin(x) * x


@graph
def recurrent() -> Any:
    w, h = random(2, 2), v(0.1, 0.2)
    for x in (0.5, -0.5):
        h = pg.tanh(w @ h + x)
    return pg.sum(h)


@graph
def normalized() -> Any:
    x = random(2, 4)
    centred = x - pg.mean(x, axis=-1, keepdims=True)
    return pg.sum(centred / pg.sqrt(pg.mean(centred**2, axis=-1, keepdims=True) + 1e-5) * x)


@graph
def loss_of_classes() -> Any:
    return pg.cross_entropy(random(3, 4) @ random(4, 3, seed=1), np.array([0, 2, 1]))
