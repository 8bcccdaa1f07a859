"""NumPy: hand-written forward pass, backward pass and update."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from networks import BETA1, BETA2, EPSILON, RATE, Dense, Network

from contenders import Step


def scatter(x: Any, i: Any, y: Any) -> Any:
    x = x.copy()
    np.add.at(x, i, y)
    return x


FORMULAS = {
    "matmul": np.matmul,
    "add": np.add,
    "einsum": lambda x, y: np.einsum("ij,kj->ik", x, y, optimize=True),
    "attention": lambda x, y: np.einsum("bhid,bhjd->bhij", x, y, optimize=True),
    "gather": lambda x, i: x[i],
    "scatter": scatter,
    "cumsum": lambda x: np.cumsum(x, -1),
    "cumsum, columns": lambda x: np.cumsum(x, 0),
    "sort": lambda x: np.sort(x, -1),
    "solve": np.linalg.solve,
    "cholesky": np.linalg.cholesky,
    "svd": np.linalg.svdvals,
}


class Framework:
    def __init__(self, threads: int) -> None:
        """NumPy takes its number of threads from the cores on which the process may run."""

    def train(self, network: Network) -> Step:
        network_by_hand = HandWritten(network)
        batches = itertools.cycle(network.batches())
        return lambda: network_by_hand.step(*next(batches))

    def infer(self, network: Network) -> Step:
        network_by_hand = HandWritten(network)
        x = network.batches()[0][0]
        return lambda: network_by_hand.activations(x)[-1]

    def formula(self, name: str, *arrays: Any) -> Step:
        f = FORMULAS[name]
        return lambda: f(*arrays)

    eager = formula


class HandWritten:
    """Dense layers: forward, backward and Adam, in place where that saves memory traffic."""

    def __init__(self, network: Network) -> None:
        assert all(isinstance(layer, Dense) for layer in network.layers)
        assert network.classes > 1
        self.weights = [pair[0] for pair in network.weights() if pair]
        self.biases = [pair[1] for pair in network.weights() if pair]
        self.parameters = [*self.weights, *self.biases]
        self.means = [np.zeros_like(p) for p in self.parameters]
        self.squares = [np.zeros_like(p) for p in self.parameters]
        self.steps = 0

    def activations(self, x: np.ndarray) -> list[np.ndarray]:
        found = [x]
        for weight, bias in zip(self.weights, self.biases, strict=True):
            y = found[-1] @ weight
            y += bias
            if len(found) < len(self.weights):
                np.maximum(y, 0, out=y)
            found.append(y)
        return found

    def step(self, x: np.ndarray, labels: np.ndarray) -> float:
        *into, scores = self.activations(x)
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        totals = chances.sum(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        loss = float(np.mean(np.log(totals[:, 0]) - scores[rows, labels]))
        chances /= totals
        chances[rows, labels] -= 1
        chances /= len(labels)
        g, gradients, last = chances, [], len(into) - 1
        for place in range(last, -1, -1):
            gradients.append((into[place].T @ g, g.sum(0)))
            if place:
                g = (g @ self.weights[place].T) * (into[place] > 0)
        pairs = gradients[::-1]
        self._adam([w for w, _ in pairs] + [b for _, b in pairs])
        return loss

    def _adam(self, gradients: list[np.ndarray]) -> None:
        self.steps += 1
        scaled = np.float32(RATE / (1 - BETA1**self.steps))
        root = np.float32(1 / np.sqrt(1 - BETA2**self.steps))
        for p, g, m, v in zip(self.parameters, gradients, self.means, self.squares, strict=True):
            m *= BETA1
            m += (1 - BETA1) * g
            v *= BETA2
            v += (1 - BETA2) * (g * g)
            bottom = np.sqrt(v)
            bottom *= root
            bottom += EPSILON
            p -= scaled * m / bottom
