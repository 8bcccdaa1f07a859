"""Small trainings, on the native engine if not said otherwise, to be compared bit for bit.

As a script: a few steps of each, and a line with the hash of all losses and Variables, and whether
all its machine code came from the cache on disk.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

import palingrad as pg

Array = np.ndarray[Any, Any]


class Training:
    """A model, Adam, and one compiled step, which can be begun anew."""

    def __init__(self, model: Any, x: Array, engine: str) -> None:
        optimizer = pg.optim.Adam(0.003)
        self.x, self.labels = x, np.arange(len(x)) % 10

        @pg.function(engine=engine)
        def step(x: Any, labels: Any) -> Any:
            loss = pg.cross_entropy(model(x, training=True), labels)
            optimizer.minimize(loss)
            return loss

        self.step = step
        step(self.x, self.labels)  # which makes the optimizer's Variables
        state = {**model.variables(), **optimizer.variables()}
        self.variables: list[pg.Variable] = list(state.values())
        self.start = [variable.numpy() for variable in self.variables]

    def trained(self, steps: int) -> list[Array]:
        """Losses and all Variables after so many steps from the start."""
        for variable, value in zip(self.variables, self.start, strict=True):
            variable.assign(value)
        losses = [self.step(self.x, self.labels) for _ in range(steps)]
        return [np.stack(losses), *(variable.numpy() for variable in self.variables)]

    def from_cache(self) -> bool:
        """Whether the step's machine code was on disk."""
        return "code from the cache" in self.step.explain(self.x, self.labels)


def mlp(engine: str = "native") -> Training:
    """Three layers on 64 rows."""
    pg.set_seed(0)
    model = pg.nn.Sequential(
        pg.nn.Linear(150, 100), pg.relu, pg.nn.Linear(100, 30), pg.tanh, pg.nn.Linear(30, 10)
    )
    x = np.random.default_rng(0).normal(size=(64, 150)).astype(np.float32)
    return Training(model, x, engine)


def cnn(engine: str = "native") -> Training:
    """Two convolutions, max pooling and a layer on 20 images."""
    pg.set_seed(0)
    model = pg.nn.Sequential(
        pg.nn.Conv2D(1, 8, 3, padding=1), pg.relu, pg.nn.MaxPool2D(2),
        pg.nn.Conv2D(8, 20, 3), pg.relu, lambda x: pg.reshape(x, (x.shape[0], -1)),
        pg.nn.Linear(20 * 4 * 4, 10),
    )  # fmt: skip
    x = np.random.default_rng(0).normal(size=(20, 1, 12, 12)).astype(np.float32)
    return Training(model, x, engine)


def digest(arrays: list[Array]) -> str:
    """A hash of every bit, shape and dtype."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    for task in (mlp, cnn):
        training = task()
        print(task.__name__, digest(training.trained(20)), training.from_cache())
