"""A small training with every kind of state, which can be stopped anywhere and resumed."""

from __future__ import annotations

from typing import Any

import numpy as np

import palingrad as pg
from palingrad import nn
from palingrad.optim import Adam
from palingrad.train import Checkpoints, fit

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)


def network():
    pg.set_seed(11)
    return nn.Sequential(
        nn.Linear(4, 16, seed=1), pg.relu, nn.Dropout(0.2, seed=7), nn.Dropout(0.1),
        nn.Linear(16, 2, seed=2),
    )  # fmt: skip


def trained(folder: Any, **options: Any) -> Any:
    """A training with every kind of state: two generators, a schedule, slots, patience."""
    model = network()
    rate = pg.optim.cosine_decay(0.02, steps=60)
    optimizer = Adam(rate)
    saving = Checkpoints(folder, keep=options.pop("keep", 2), every=options.pop("every", 1))
    settings: dict[str, Any] = dict(
        batch_size=32, epochs=6, validation=0.2, patience=4, seed=5, checkpoint=saving
    )
    history = fit(model, (X, Y), optimizer=optimizer, **{**settings, **options})
    return model, optimizer, history


def state(model, optimizer):
    named = {**model.variables(), **optimizer.variables(model.parameters())}
    return {name: v.numpy() for name, v in named.items()}
