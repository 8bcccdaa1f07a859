"""Trains in blocks with XLA's optimisations, which `conftest.py` turns off."""

from __future__ import annotations

from typing import Any

import numpy as np

import palingrad as pg


def trained(axes: dict[str, int], sharding: str) -> list[bytes]:
    """The weights after four steps of Adam."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(96, 8)).astype(np.float32), rng.integers(0, 3, 96)
    layers = (pg.nn.Linear(8, 16, seed=0), pg.relu, pg.nn.Linear(16, 3, seed=1))
    model, optimizer = pg.nn.Sequential(*layers), pg.optim.Adam(0.01)

    def loss(x: Any, y: Any) -> Any:
        return pg.cross_entropy(model(x, training=True), y)

    step = pg.function(lambda x, y: pg.scale.minimize(optimizer, loss, x, y))
    mesh = pg.scale.mesh(axes)
    with pg.scale.use(mesh, sharding=sharding, model=model, deterministic=True):
        for n in range(0, 96, 24):
            step(x[n : n + 24], y[n : n + 24])
    return [v.value.tobytes() for v in model.variables().values()]


expected = trained({"data": 1}, "replicated")
print(trained({"data": 2}, "replicated") == expected)
print(trained({"data": 2}, "fully_sharded") == expected)
print(trained({"model": 2}, "tensor") == expected)
