"""A long LSTM whose weight matrices are diagonal: its loss over a sequence, and the gradient."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from problems.problem import Array, Problem

WIDTH = 14


def loss(m: Any, main: Any, extra: Any, state: Any, sequence: Any) -> Any:
    layers, width = main.shape[0] // 2, state.shape[1]

    def step(carry: Any, given: Any) -> Any:
        (states, total), (x, gold) = carry, given
        x, found = x * extra[0], []
        for layer in range(layers):
            weights, biases = main[2 * layer], main[2 * layer + 1]
            h, cell = states[2 * layer], states[2 * layer + 1]
            gates = m.concatenate([x, h, x, h]) * weights + biases
            forget, admit, out = (m.sigmoid(gates[i * width : (i + 1) * width]) for i in range(3))
            cell = cell * forget + admit * m.tanh(gates[3 * width :])
            x = out * m.tanh(cell)
            found += [x, cell]
        y = x * extra[1] + extra[2]
        total = total + m.sum(gold * (y - m.log(2 + m.sum(m.exp(y)))))
        return (tuple(found), total), None

    start = tuple(state[row] for row in range(2 * layers)), m.constant(np.zeros(()))
    (_, total), _ = m.scan(step, start, (sequence[:-1], sequence[1:]))
    return -total / ((len(sequence) - 1) * width)


def gradient(m: Any, *given: Any) -> Any:
    by_main, by_extra = m.grad(lambda *given: loss(m, *given), (0, 1))(*given)
    return m.concatenate([by_main.reshape(-1), by_extra.reshape(-1)])


def arrays(size: tuple[int, int]) -> tuple[Array, ...]:
    layers, length = size
    rng = np.random.default_rng(0)
    shapes = (2 * layers, 4 * WIDTH), (3, WIDTH), (2 * layers, WIDTH)
    sequence = rng.integers(0, 2, (length, WIDTH)).astype(float)
    return *(rng.random(shape) for shape in shapes), sequence


def reference(
    part: str, size: Any, main: Array, extra: Array, state: Array, sequence: Array
) -> Any:
    """The loss by a Python loop; of the gradient 24 numbers, by complex steps in one loop."""
    flat = np.concatenate([main.ravel(), extra.ravel()])
    places = np.random.default_rng(1).choice(len(flat), min(24, len(flat)), replace=False)
    if part == "value":
        return _loss(flat[None], main.shape, state, sequence)[0]
    moved = np.repeat(flat[None].astype(complex), len(places), 0)
    moved[np.arange(len(places)), places] += 1e-30j
    found = np.full(len(flat), np.nan)
    found[places] = np.imag(_loss(moved, main.shape, state, sequence)) / 1e-30
    return found


def _loss(flat: Array, shape: tuple[int, int], state: Array, sequence: Array) -> Array:
    """The losses for several rows of parameters (rows, …)."""
    layers, width = shape[0] // 2, state.shape[1]
    main = flat[:, : shape[0] * shape[1]].reshape(-1, *shape)
    extra = flat[:, shape[0] * shape[1] :].reshape(-1, 3, width)
    states = [np.repeat(row[None].astype(flat.dtype), len(flat), 0) for row in state]
    total = 0.0
    for now, gold in pairwise(sequence):
        x = now * extra[:, 0]
        for layer in range(layers):
            h, cell = states[2 * layer : 2 * layer + 2]
            joined = np.concatenate([x, h, x, h], 1)
            gates = joined * main[:, 2 * layer] + main[:, 2 * layer + 1]
            *opened, change = np.split(gates, 4, 1)
            forget, admit, out = (1 / (1 + np.exp(-gate)) for gate in opened)
            cell = cell * forget + admit * np.tanh(change)
            x = out * np.tanh(cell)
            states[2 * layer : 2 * layer + 2] = x, cell
        y = x * extra[:, 1] + extra[:, 2]
        total = total + (gold * (y - np.log(2 + np.exp(y).sum(1, keepdims=True)))).sum(1)
    return -total / ((len(sequence) - 1) * width)


PROBLEM = Problem(
    sizes={
        f"{layers} layers, {length:,} steps": (layers, length)
        for layers, length in ((2, 1_024), (4, 1_024), (2, 4_096), (6, 8_192))
    },
    tiny=(2, 5),
    arrays=arrays,
    value=lambda m, size: lambda *given: loss(m, *given),
    derivative=lambda m, size: lambda *given: gradient(m, *given),
    reference=reference,
    peers=("JAX",),
)
