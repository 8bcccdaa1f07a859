"""palingrad: layers and an optimizer in one `pg.function`."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from networks import RATE, Conv, Dense, Network
from transformer import Continuation, Transformer, loss as transformer_loss
from transforms import TRANSFORMS

import palingrad as pg
from contenders import Step, chain, problems_in_palingrad, transformer_in_palingrad
from contenders.eager import EAGER

FORMULAS = {
    "matmul": pg.matmul,
    "add": pg.add,
    "softmax": pg.softmax,
    "layer_norm": pg.layer_norm,
    "gelu": pg.gelu,
    "logsumexp": lambda x: pg.logsumexp(x, axis=-1),
    "chain": lambda x: chain(pg, x),
    "einsum": lambda x, y: pg.einsum("ij,kj->ik", x, y),
    "attention": lambda x, y: pg.einsum("bhid,bhjd->bhij", x, y),
    "gather": lambda x, i: x[i],
    "scatter": lambda x, i, y: x.at[i].add(y),
    "cumsum": lambda x: pg.cumsum(x, -1),
    "cumsum, columns": lambda x: pg.cumsum(x, 0),
    "sort": lambda x: pg.sort(x, -1),
    "solve": lambda a, b: pg.linalg.solve(a, b),
    "cholesky": lambda a: pg.linalg.cholesky(a),
    "svd": lambda a: pg.linalg.svdvals(a),
}


class Framework:
    def __init__(self, threads: int, engine: str, gradient: bool = False) -> None:
        self.engine = engine
        self.gradient = gradient
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

    def train_transformer(self, network: Transformer) -> Step:
        weights = {name: pg.Variable(one) for name, one in network.weights().items()}
        adam, m = pg.optim.Adam(RATE), transformer_in_palingrad.Functions()

        @pg.function(engine=self.engine)
        def step(texts: Any, labels: Any) -> Any:
            loss = transformer_loss(m, network, weights, texts, labels)
            adam.minimize(loss)
            return loss

        batches = itertools.cycle(network.batches())
        return lambda: float(step(*next(batches)))

    def infer(self, network: Network) -> Step:
        model = built(network)
        x = network.batches()[0][0]
        scores = pg.function(lambda x: model(x, training=False), engine=self.engine)
        return lambda: scores(x)

    def generate(self, given: Continuation) -> Step:
        network = given.network
        model = pg.models.gpt(network.vocabulary, context=network.tokens, layers=network.layers,
                              heads=network.heads, width=network.width)  # fmt: skip
        named = {transformer_in_palingrad.name_in_gpt(name): one
                 for name, one in network.weights().items()}  # fmt: skip
        for name, variable in model.parameters().items():
            variable.assign(named[name])
        prompt, count = given.text(), given.count
        return lambda: pg.models.generate(model, prompt, count, temperature=0, engine=self.engine)

    def formula(self, name: str, *arrays: np.ndarray) -> Step:
        f = FORMULAS[name]
        if self.gradient:
            floats = [n for n, one in enumerate(arrays) if one.dtype.kind == "f"]
            f = pg.grad(lambda *x: pg.sum(FORMULAS[name](*x)), floats)
        f = pg.function(f, engine=self.engine)
        return lambda: f(*arrays)

    def transform(self, name: str, *arrays: np.ndarray) -> Step:
        f = pg.function(TRANSFORMS[name](pg), engine=self.engine)
        return lambda: f(*arrays)

    def eager(self, name: str, *arrays: np.ndarray) -> Step:
        f, tensors = FORMULAS[name], [pg.tensor(one) for one in arrays]
        return lambda: f(*tensors)

    def eager_gradient(self, name: str, *arrays: np.ndarray) -> Step:
        f, (x, *others) = EAGER[name], [pg.Variable(one) for one in arrays]

        def step() -> Any:
            f(pg, x, *others).backward()
            return x.grad

        return step

    def eager_train(self, network: Network) -> Step:
        model, adam = built(network), pg.optim.Adam(RATE)
        batches = itertools.cycle(
            (pg.tensor(x), pg.tensor(labels)) for x, labels in network.batches()
        )

        def step() -> float:
            x, labels = next(batches)
            loss = pg.cross_entropy(model(x, training=True), labels)
            adam.minimize(loss)
            return loss.item()

        return step

    def problem(self, solve: Any, arrays: Any) -> Step:
        m = problems_in_palingrad.NAMESPACE
        return problems_in_palingrad.compiled(solve(m), arrays, self.engine)


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
