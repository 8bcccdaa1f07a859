"""What layers compute, in NumPy and float64: from x, and a layer's Variables in their order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def phi(x: Array) -> Array:
    """The normal distribution's Φ."""
    return (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def gelu(x: Array) -> Array:
    return x * phi(x)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def softmax(x: Array, axis: int) -> Array:
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


def convolution(x: Array, w: Array, b: Array) -> Array:
    """Output (n, o, *place): all of w[o] times the window of x[n] that starts at the place."""
    ndim = x.ndim - 2
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=range(2, x.ndim))
    taps = list(range(-ndim, 0))
    y = np.tensordot(windows, w, axes=([1, *taps], [1, *range(2, w.ndim)]))  # (n, *places, o)
    return np.moveaxis(y, -1, 1) + b


def transposed(x: Array, w: Array, b: Array) -> Array:
    """Each element of x adds w, times the element, to the window that starts at its place."""
    space = [n + k - 1 for n, k in zip(x.shape[2:], w.shape[2:], strict=True)]
    y = np.zeros((len(x), w.shape[1], *space))
    for place in np.ndindex(x.shape[2:]):
        window = tuple(slice(i, i + k) for i, k in zip(place, w.shape[2:], strict=True))
        y[(slice(None), slice(None), *window)] += np.tensordot(
            x[(slice(None), slice(None), *place)], w, axes=(1, 0)
        )
    return y + b


def locally_connected(x: Array, w: Array, b: Array) -> Array:
    """A convolution of one axis with weights w[place] (outputs, channels, size) of their own."""
    size = w.shape[-1]
    y = [np.tensordot(x[:, :, i : i + size], one, axes=([1, 2], [1, 2])) for i, one in enumerate(w)]
    return np.stack(y, axis=-1) + b


def tiles(x: Array) -> Array:
    """The windows of 2 along each axis of space, side by side: (n, c, *places, 2**axes)."""
    ndim = x.ndim - 2
    windows = np.lib.stride_tricks.sliding_window_view(x, (2,) * ndim, axis=range(2, x.ndim))
    every = (slice(None), slice(None), *(slice(None, None, 2),) * ndim)
    return windows[every].reshape(*windows[every].shape[: x.ndim], -1)


def layer_norm(x: Array, scale: Array, offset: Array) -> Array:
    apart = x - x.mean(axis=-1, keepdims=True)
    return scale * apart / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5) + offset


def rms_norm(x: Array, scale: Array) -> Array:
    return scale * x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5)


def group_norm(x: Array, scale: Array, offset: Array) -> Array:
    """Of images with two groups of one channel."""
    apart = x - x.mean(axis=(2, 3), keepdims=True)
    return (
        scale[:, None, None] * apart / np.sqrt(x.var(axis=(2, 3), keepdims=True) + 1e-5)
        + offset[:, None, None]
    )


# ---------------------------------------------------------------- recurrent layers


def rnn_step(x: Array, h: Array, w: Array, u: Array, b: Array) -> Array:
    return np.tanh(x @ w + h @ u + b)


def lstm_step(x: Array, h: Array, c: Array, w: Array, u: Array, b: Array) -> tuple[Array, Array]:
    admit, keep, new, emit = np.split(x @ w + h @ u + b, 4, axis=-1)
    c = sigmoid(keep) * c + sigmoid(admit) * np.tanh(new)
    return sigmoid(emit) * np.tanh(c), c


def gru_step(x: Array, h: Array, w: Array, u: Array, b: Array, inner: Array) -> Array:
    of_x, of_h = np.split(x @ w + b, 3, axis=-1), np.split(h @ u, 3, axis=-1)
    reset, update = sigmoid(of_x[0] + of_h[0]), sigmoid(of_x[1] + of_h[1])
    return (1 - update) * np.tanh(of_x[2] + reset * (of_h[2] + inner)) + update * h


def zeros(x: Array, u: Array) -> Array:
    """The first state of a cell with the recurrent matrix u, for one step x (…, inputs)."""
    return np.zeros((*x.shape[:-1], u.shape[0]))


def rnn(x: Array, w: Array, u: Array, b: Array) -> Array:
    h, ys = zeros(x[:, 0], u), []
    for t in range(x.shape[1]):
        h = rnn_step(x[:, t], h, w, u, b)
        ys.append(h)
    return np.stack(ys, axis=1)


def lstm(x: Array, w: Array, u: Array, b: Array) -> Array:
    h = c = zeros(x[:, 0], u)
    ys = []
    for t in range(x.shape[1]):
        h, c = lstm_step(x[:, t], h, c, w, u, b)
        ys.append(h)
    return np.stack(ys, axis=1)


def gru(x: Array, w: Array, u: Array, b: Array, inner: Array) -> Array:
    h, ys = zeros(x[:, 0], u), []
    for t in range(x.shape[1]):
        h = gru_step(x[:, t], h, w, u, b, inner)
        ys.append(h)
    return np.stack(ys, axis=1)


def both_ways(x: Array, *weights: Array) -> Array:
    """A bidirectional LSTM."""
    back = lstm(x[:, ::-1], *weights[3:])[:, ::-1]
    return np.concatenate([lstm(x, *weights[:3]), back], axis=-1)


# ---------------------------------------------------------------- attention


def attention(q: Array, k: Array, v: Array, *, causal: bool) -> Array:
    """softmax(q kᵀ/√depth) v for (batch, heads, time, depth)."""
    scores = q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1])
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    return softmax(scores, -1) @ v


def multi_head(
    x: Array, w: Array, b: Array, o: Array, p: Array, *, heads: int = 2, causal: bool = False
) -> Array:
    batch, time, width = x.shape
    q, k, v = (
        part.reshape(batch, time, heads, -1).swapaxes(1, 2) for part in np.split(x @ w + b, 3, -1)
    )
    y = attention(q, k, v, causal=causal).swapaxes(1, 2).reshape(batch, time, width)
    return y @ o + p


def feed_forward(x: Array, w: Array, b: Array, v: Array, c: Array) -> Array:
    return gelu(x @ w + b) @ v + c


def block(x: Array, *weights: Array) -> Array:
    """A causal block of the transformer with two heads."""
    x = x + multi_head(layer_norm(x, *weights[:2]), *weights[2:6], causal=True)
    return x + feed_forward(layer_norm(x, *weights[6:8]), *weights[8:])
