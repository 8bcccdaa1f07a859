"""One training step of 784-100-20-10 (ReLU, softmax, Adam): against hand-written NumPy."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import numpy as np

import palingrad as pg

SIZES = (784, 100, 20, 10)
BATCH = 64
STEPS = 200


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.random((BATCH, SIZES[0]), dtype=np.float32)
    return x, rng.integers(0, SIZES[-1], BATCH)


def weights() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    found: list[np.ndarray] = []
    for inputs, outputs in itertools.pairwise(SIZES):
        spread = np.sqrt(2 / inputs)
        found.append((spread * rng.standard_normal((inputs, outputs))).astype(np.float32))
        found.append(np.zeros(outputs, np.float32))
    return found


class HandWritten:
    """The step as somebody who knows NumPy writes it: in place where that saves memory traffic."""

    def __init__(self) -> None:
        self.parameters = weights()
        self.means = [np.zeros_like(p) for p in self.parameters]
        self.squares = [np.zeros_like(p) for p in self.parameters]
        self.steps = 0

    def step(self, x: np.ndarray, labels: np.ndarray) -> float:
        w1, b1, w2, b2, w3, b3 = self.parameters
        h1 = np.maximum(x @ w1 + b1, 0)
        h2 = np.maximum(h1 @ w2 + b2, 0)
        scores = h2 @ w3 + b3
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        totals = chances.sum(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        loss = float(np.mean(np.log(totals[:, 0]) - scores[rows, labels]))
        chances /= totals
        chances[rows, labels] -= 1
        chances /= len(labels)
        g3 = chances
        g2 = (g3 @ w3.T) * (h2 > 0)
        g1 = (g2 @ w2.T) * (h1 > 0)
        self._adam([x.T @ g1, g1.sum(0), h1.T @ g2, g2.sum(0), h2.T @ g3, g3.sum(0)])
        return loss

    def _adam(self, gradients: list[np.ndarray], rate=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.steps += 1
        scaled = rate / (1 - beta1**self.steps)
        root = 1 / np.sqrt(1 - beta2**self.steps)
        for p, g, m, v in zip(self.parameters, gradients, self.means, self.squares, strict=True):
            m *= beta1
            m += (1 - beta1) * g
            v *= beta2
            v += (1 - beta2) * (g * g)
            bottom = np.sqrt(v)
            bottom *= np.float32(root)
            bottom += eps
            p -= np.float32(scaled) * m / bottom


class Compiled:
    """The same step as a function that palingrad compiles."""

    def __init__(self, engine: str) -> None:
        self.parameters = [pg.Variable(w) for w in weights()]
        optimizer = pg.optim.Adam(0.001)

        def step(x, labels):
            w1, b1, w2, b2, w3, b3 = self.parameters
            h1 = pg.relu(x @ w1 + b1)
            h2 = pg.relu(h1 @ w2 + b2)
            loss = pg.cross_entropy(h2 @ w3 + b3, labels)
            optimizer.minimize(loss)
            return loss

        self._step = pg.function(step, engine=engine)

    def step(self, x: np.ndarray, labels: np.ndarray) -> float:
        return float(self._step(x, labels))


def timed(step: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[], float]:
    x, labels = data()

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(STEPS):
            step(x, labels)
        return (time.perf_counter() - start) / STEPS

    return measure


def agree(engine: str) -> None:
    """Both compute the same thing: the losses of 20 steps agree."""
    x, labels = data()
    one, other = HandWritten(), Compiled(engine)
    for _ in range(20):
        np.testing.assert_allclose(one.step(x, labels), other.step(x, labels), rtol=1e-4)


def contenders() -> dict[str, Callable[[], float]]:
    others = [name for name in pg.engine_names() if name != "numpy"]
    for name in ("numpy", *others):
        agree(name)
    return {
        "palingrad, numpy engine": timed(Compiled("numpy").step),
        **{f"palingrad, {name} engine": timed(Compiled(name).step) for name in others},
        "hand-written NumPy": timed(HandWritten().step),
    }
