"""palingrad: layers and an optimizer in one `pg.function`."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from networks import RATE, Conv, Dense, Network

import palingrad as pg
from contenders import Step, chain

FORMULAS = {
    "matmul": pg.matmul,
    "add": pg.add,
    "softmax": pg.softmax,
    "layer_norm": pg.layer_norm,
    "gelu": pg.gelu,
    "logsumexp": lambda x: pg.logsumexp(x, axis=-1),
    "chain": lambda x: chain(pg, x),
}


class Framework:
    def __init__(self, threads: int, engine: str) -> None:
        self.engine = engine
        pg.set_num_threads(threads)

    def train(self, network: Network) -> Step:
        model, adam = built(network), pg.optim.Adam(RATE)

        @pg.function(engine=self.engine)
        def step(x: Any, labels: Any) -> Any:
            scores = model(x, training=True)
            if network.classes == 1:
                loss = pg.mean(pg.softplus(scores[:, 0]) - labels * scores[:, 0])
            else:
                loss = pg.cross_entropy(scores, labels)
            adam.minimize(loss)
            return loss

        batches = itertools.cycle(network.batches())
        return lambda: float(step(*next(batches)))

    def infer(self, network: Network) -> Step:
        model = built(network)
        x = network.batches()[0][0]
        scores = pg.function(lambda x: model(x, training=False), engine=self.engine)
        return lambda: scores(x)

    def formula(self, name: str, *arrays: np.ndarray) -> Step:
        f = pg.function(FORMULAS[name], engine=self.engine)
        return lambda: f(*arrays)

    def eager(self, name: str, *arrays: np.ndarray) -> Step:
        f, tensors = FORMULAS[name], [pg.tensor(one) for one in arrays]
        return lambda: f(*tensors)


def built(network: Network) -> pg.nn.Module:
    """The network as layers, with the initial weights of all contenders."""
    layers: list[Any] = []
    flat = len(network.inputs) == 1
    last = len(network.layers) - 1
    parts = zip(network.layers, network.shapes(), network.weights(), strict=False)
    for place, (layer, shape, start) in enumerate(parts):
        if start is None:
            layers.append(pg.nn.MaxPool2D(2))
            continue
        weight, bias = start
        if isinstance(layer, Conv):
            made: Any = pg.nn.Conv2D(shape[0], layer.outputs, layer.size, padding="same")
            bias = bias.reshape(-1, 1, 1)
        else:
            assert isinstance(layer, Dense)
            if not flat:
                layers.append(pg.nn.Flatten())
                flat = True
            made = pg.nn.Linear(*weight.shape)
        made.weight.assign(weight)
        made.bias.assign(bias)
        layers.append(made)
        if place != last:
            layers.append(pg.relu)
    return pg.nn.Sequential(*layers)
