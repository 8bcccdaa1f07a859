"""A small GPT for the benchmarks of the first call, written with palingrad's operations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import palingrad as pg

RATE = 0.001


@dataclass(frozen=True)
class Sizes:
    """The sizes of a transformer and of its batch."""

    layers: int
    width: int = 128
    heads: int = 4
    tokens: int = 64
    batch: int = 12
    vocabulary: int = 65


class Weights:
    """Makes Variables of normally distributed numbers, from one seed."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(1)

    def matrix(self, rows: int, columns: int) -> pg.Variable:
        start = 0.02 * self._rng.standard_normal((rows, columns), dtype=np.float32)
        return pg.Variable(start)

    def linear(self, rows: int, columns: int) -> Callable[[Any], Any]:
        weight, bias = self.matrix(rows, columns), pg.Variable(np.zeros(columns, np.float32))
        return lambda x: x @ weight + bias

    def norm(self, width: int) -> Callable[[Any], Any]:
        scale = pg.Variable(np.ones(width, np.float32))
        shift = pg.Variable(np.zeros(width, np.float32))
        return lambda x: pg.layer_norm(x) * scale + shift


def block(weights: Weights, size: Sizes) -> Callable[[Any], Any]:
    """Causal attention and a GELU layer, each added to its input."""
    width, heads, tokens = size.width, size.heads, size.tokens
    depth = width // heads
    future = np.triu(np.full((tokens, tokens), -1e9, np.float32), 1)
    norm_1, norm_2 = weights.norm(width), weights.norm(width)
    into, out = weights.linear(width, 3 * width), weights.linear(width, width)
    up, down = weights.linear(width, 4 * width), weights.linear(4 * width, width)

    def heads_of(x: Any) -> Any:
        x = pg.reshape(x, (size.batch, tokens, heads, depth))
        return pg.transpose(x, (0, 2, 1, 3))  # (batch, heads, tokens, depth)

    def attention(x: Any) -> Any:
        joined = into(norm_1(x))  # (batch, tokens, 3·width)
        q, k, v = (heads_of(joined[:, :, n * width : (n + 1) * width]) for n in range(3))
        scores = q @ pg.transpose(k, (0, 1, 3, 2)) / math.sqrt(depth)
        values = pg.softmax(scores + future) @ v  # (batch, heads, tokens, depth)
        values = pg.reshape(pg.transpose(values, (0, 2, 1, 3)), (size.batch, tokens, width))
        return x + out(values)

    def one(x: Any) -> Any:
        x = attention(x)
        return x + down(pg.gelu(up(norm_2(x))))

    return one


def gpt_step(size: Sizes, engine: str = "native") -> Callable[[], float]:
    """A training step with Adam on random tokens; returns the loss."""
    weights = Weights()
    embedding = weights.matrix(size.vocabulary, size.width)
    position = weights.matrix(size.tokens, size.width)
    blocks = [block(weights, size) for _ in range(size.layers)]
    norm, head = weights.norm(size.width), weights.linear(size.width, size.vocabulary)
    adam = pg.optim.Adam(RATE)

    @pg.function(engine=engine)
    def step(tokens: Any, following: Any) -> Any:
        x = embedding[tokens] + position
        for one in blocks:
            x = one(x)
        scores = pg.reshape(head(norm(x)), (size.batch * size.tokens, size.vocabulary))
        loss = pg.cross_entropy(scores, pg.reshape(following, (size.batch * size.tokens,)))
        adam.minimize(loss)
        return loss

    rng = np.random.default_rng(0)
    tokens, following = rng.integers(0, size.vocabulary, (2, size.batch, size.tokens))
    return lambda: float(step(tokens, following))
