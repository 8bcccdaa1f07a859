"""What the tests of tapes record: a network's compiled step, and a loop by hand."""

from __future__ import annotations

import numpy as np

import palingrad as pg

rng = np.random.default_rng(0)
INPUTS = rng.normal(size=(32, 8)).astype(np.float32)
LABELS = rng.integers(0, 3, 32)


def network():
    return pg.nn.Sequential(
        pg.nn.Linear(8, 6, seed=1), pg.relu, pg.nn.Dropout(0.2, seed=3), pg.nn.Linear(6, 3, seed=2)
    )


def compiled_step(model):
    optimizer = pg.optim.Adam(0.01)

    @pg.function
    def step(x, y):
        loss = pg.cross_entropy(model(x, training=True), y)
        optimizer.minimize(loss)
        return loss

    return step


def eager_loop(steps):
    w = pg.Variable(3.0, name="w")
    for _ in range(steps):
        loss = w * w
        loss.backward()
        w.assign(w - 0.1 * w.grad)
    return w
