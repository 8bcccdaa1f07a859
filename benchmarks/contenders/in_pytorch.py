"""PyTorch: eager with fused Adam, or compiled; images channels-last."""

from __future__ import annotations

import itertools
import logging
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from networks import BETA1, BETA2, EPSILON, RATE, Conv, Dense, Network
from torch import nn
from transformer import Continuation, Transformer, loss as transformer_loss

from contenders import (
    Step,
    chain,
    generation_in_pytorch,
    problems_in_pytorch,
    transformer_in_pytorch,
)
from contenders.eager import EAGER

FORMULAS = {
    "matmul": torch.matmul,
    "add": torch.add,
    "softmax": lambda x: torch.softmax(x, -1),
    "layer_norm": lambda x, scale, offset: F.layer_norm(x, x.shape[-1:], scale, offset),
    "gelu": F.gelu,
    "logsumexp": lambda x: torch.logsumexp(x, -1),
    "chain": lambda x: chain(torch, x),
    "einsum": lambda x, y: torch.einsum("ij,kj->ik", x, y),
    "attention": lambda x, y: torch.einsum("bhid,bhjd->bhij", x, y),
    "gather": lambda x, i: x[i],
    "scatter": lambda x, i, y: torch.index_add(x, 0, i, y),
    "cumsum": lambda x: torch.cumsum(x, -1),
    "cumsum, columns": lambda x: torch.cumsum(x, 0),
    "sort": lambda x: torch.sort(x, -1).values,
    "solve": torch.linalg.solve,
    "cholesky": torch.linalg.cholesky,
    "svd": torch.linalg.svdvals,
}


class Framework:
    def __init__(self, threads: int, compiled: bool = False) -> None:
        self.compiled = compiled
        torch.set_num_threads(threads)
        logging.getLogger("torch").setLevel(logging.ERROR)

    def train(self, network: Network) -> Step:
        torch.set_grad_enabled(True)
        model = built(network)

        def loss_of(x: Any, labels: Any) -> Any:
            scores = model(x)
            if network.classes == 1:
                return F.binary_cross_entropy_with_logits(scores[:, 0], labels)
            return F.cross_entropy(scores, labels)

        batches = [
            (laid_out(torch.from_numpy(x)), torch.from_numpy(labels))
            for x, labels in network.batches()
        ]
        return self._trained(loss_of, model.parameters(), batches)

    def train_transformer(self, network: Transformer) -> Step:
        torch.set_grad_enabled(True)
        weights = transformer_in_pytorch.parameters(network.weights())
        m = transformer_in_pytorch.Functions()

        def loss_of(texts: Any, labels: Any) -> Any:
            return transformer_loss(m, network, weights, texts, labels)

        batches = [tuple(map(torch.from_numpy, pair)) for pair in network.batches()]
        return self._trained(loss_of, weights.values(), batches)

    def _trained(self, loss_of: Any, parameters: Any, given: list[Any]) -> Step:
        """A step of Adam that lowers the loss of the next batch."""
        adam = torch.optim.Adam(parameters, RATE, betas=(BETA1, BETA2), eps=EPSILON, fused=True)
        compiled, batches = self._compiled(loss_of), itertools.cycle(given)

        def step() -> float:
            adam.zero_grad(set_to_none=True)
            loss = compiled(*next(batches))
            loss.backward()
            adam.step()
            return loss.item()

        return step

    def infer(self, network: Network) -> Step:
        torch.set_grad_enabled(False)
        model = self._compiled(built(network).eval(), options={"freezing": True})
        x = laid_out(torch.from_numpy(network.batches()[0][0]))
        return lambda: model(x).numpy()

    def generate(self, given: Continuation) -> Step:
        torch.set_grad_enabled(False)
        return generation_in_pytorch.continued(
            given, lambda f: self._compiled(f, options={"cpp_wrapper": True})
        )

    def formula(self, name: str, *arrays: np.ndarray) -> Step:
        torch.set_grad_enabled(False)
        f = self._compiled(FORMULAS[name])
        tensors = [torch.from_numpy(one) for one in arrays]
        return lambda: f(*tensors)

    def eager(self, name: str, *arrays: np.ndarray) -> Step:
        f: Any = FORMULAS[name]
        tensors = [torch.from_numpy(one) for one in arrays]
        return lambda: f(*tensors)

    def eager_gradient(self, name: str, *arrays: np.ndarray) -> Step:
        f: Any = EAGER[name]
        x, *others = [torch.tensor(one) for one in arrays]
        for one in (x, *others):
            one.requires_grad_()

        def step() -> Any:
            for one in (x, *others):
                one.grad = None
            f(torch, x, *others).backward()
            return x.grad

        return step

    def eager_train(self, network: Network) -> Step:
        return self.train(network)

    def problem(self, solve: Any, arrays: Any) -> Step:
        f = self._compiled(solve(problems_in_pytorch.NAMESPACE))
        return problems_in_pytorch.step(f, arrays)

    def _compiled(self, f: Any, *, options: Any = None) -> Any:
        if not self.compiled:
            return f
        torch.compiler.reset()
        return torch.compile(f, dynamic=False, options=options)


def laid_out(x: Any) -> Any:
    """Images channels-last, for which oneDNN's convolutions are fastest."""
    return x.to(memory_format=torch.channels_last) if x.ndim == 4 else x


def built(network: Network) -> nn.Module:
    layers: list[Any] = []
    flat = len(network.inputs) == 1
    last = len(network.layers) - 1
    parts = zip(network.layers, network.shapes(), network.weights(), strict=False)
    for place, (layer, shape, start) in enumerate(parts):
        if start is None:
            layers.append(nn.MaxPool2d(2))
            continue
        weight, bias = map(torch.from_numpy, start)
        if isinstance(layer, Conv):
            made: Any = nn.Conv2d(shape[0], layer.outputs, layer.size, padding=layer.size // 2)
        else:
            assert isinstance(layer, Dense)
            if not flat:
                layers.append(nn.Flatten())
                flat = True
            made = nn.Linear(weight.shape[0], weight.shape[1])
            weight = weight.T.contiguous()
        with torch.no_grad():
            made.weight.copy_(weight)
            made.bias.copy_(bias)
        layers.append(made)
        if place != last:
            layers.append(nn.ReLU())
    model: Any = nn.Sequential(*layers)
    return model if len(network.inputs) == 1 else model.to(memory_format=torch.channels_last)
