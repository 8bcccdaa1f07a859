"""Models of rows of categories and numbers: factorization machines, Wide & Deep, DeepFM.

An example is a row of categories, integers (batch, fields), and a row of numbers (batch, numbers);
a model has one of them or both. Its score (batch,) is a logit, or a prediction of a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import nn
from ..errors import ArgumentError
from ..graph.leaves import Variable
from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.checks import whole


class Fields(nn.Module):
    """A vector for each field: the row of a table for a category, a vector times the number for a
    number. Categories (batch, fields) and numbers (batch, numbers) give (batch, all fields, size).

    sizes: how many categories each field has. spread: the standard deviation of the first vectors.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        numbers: int,
        size: int,
        *,
        spread: float = 0.01,
        seed: int | None = None,
    ) -> None:
        self.sizes = [whole("Fields: a number of categories", n, least=1) for n in sizes]
        self.numbers = whole("Fields: numbers", numbers)
        if not self.sizes and not self.numbers:
            raise ArgumentError("a model needs fields: categories, numbers, or both.",
                                hint="Pass sizes=[…], numbers=…, or both.")  # fmt: skip
        draw, rows = nn.init.normal(spread), sum(self.sizes)
        self.table = Variable(draw((rows, size), seed=seed), name="table") if rows else None
        self.vectors = (
            Variable(draw((numbers, size), seed=seed), name="vectors") if numbers else None
        )
        self.first = np.cumsum([0, *self.sizes[:-1]])  # of each field's rows in the table

    def forward(self, categories: Any = None, numbers: Any = None, *, training: bool) -> Node:
        parts: list[Node] = []
        if self.table is not None:
            parts.append(ops.embedding(as_node(categories) + self.first, self.table))
        if self.vectors is not None:
            parts.append(ops.expand_dims(numbers, -1) * self.vectors)  # (batch, numbers, size)
        return parts[0] if len(parts) == 1 else ops.concat(parts, axis=1)


class Linear(nn.Module):
    """w₀ + Σ wᵢ xᵢ over the fields: (batch,)."""

    def __init__(self, sizes: Sequence[int], numbers: int, *, seed: int | None = None) -> None:
        self.weights = Fields(sizes, numbers, 1, seed=seed)
        self.bias = Variable(np.float32(0), name="bias")

    def forward(self, categories: Any = None, numbers: Any = None, *, training: bool) -> Node:
        each = self.weights(categories, numbers, training=training)  # (batch, fields, 1)
        return ops.sum(each, axis=(1, 2)) + self.bias


def pairwise(vectors: Any) -> Node:
    """Σ over pairs i < j of vᵢ·vⱼ, for vectors (batch, fields, size): (batch,).

    It is ½(|Σ vᵢ|² − Σ |vᵢ|²), lemma 3.1 of Rendle 2010.
    """
    total = ops.sum(vectors, axis=1)  # (batch, size)
    return 0.5 * (ops.sum(total * total, axis=-1) - ops.sum(vectors * vectors, axis=(1, 2)))


class FM(nn.Module):
    """A factorization machine, w₀ + Σ wᵢ xᵢ + Σ vᵢ·vⱼ xᵢ xⱼ over pairs (Rendle 2010)."""

    def __init__(
        self,
        sizes: Sequence[int] = (),
        *,
        numbers: int = 0,
        factors: int = 8,
        seed: int | None = None,
    ) -> None:
        self.linear = Linear(sizes, numbers, seed=seed)
        self.factors = Fields(sizes, numbers, whole("FM: factors", factors, least=1), seed=seed)

    def forward(self, categories: Any = None, numbers: Any = None, *, training: bool) -> Node:
        vectors = self.factors(categories, numbers, training=training)
        return self.linear(categories, numbers, training=training) + pairwise(vectors)


class WideDeep(nn.Module):
    """A linear model of the fields plus a perceptron of their vectors (Cheng et al. 2016)."""

    def __init__(
        self,
        sizes: Sequence[int] = (),
        *,
        numbers: int = 0,
        factors: int = 8,
        hidden: Sequence[int] = (64, 32),
        dropout: float = 0.0,
        seed: int | None = None,
    ) -> None:
        self.linear = Linear(sizes, numbers, seed=seed)
        self.factors = Fields(sizes, numbers, factors, seed=seed)
        self.deep = _perceptron((len(sizes) + numbers) * factors, hidden, dropout, seed)

    def forward(self, categories: Any = None, numbers: Any = None, *, training: bool) -> Node:
        vectors = self.factors(categories, numbers, training=training)
        deep: Any = self.deep(vectors, training=training)  # (batch, 1)
        return self.linear(categories, numbers, training=training) + deep[:, 0]


class DeepFM(WideDeep):
    """A factorization machine plus a perceptron of the same vectors (Guo et al. 2017)."""

    def forward(self, categories: Any = None, numbers: Any = None, *, training: bool) -> Node:
        vectors = self.factors(categories, numbers, training=training)
        deep: Any = self.deep(vectors, training=training)  # (batch, 1)
        linear = self.linear(categories, numbers, training=training)
        return linear + pairwise(vectors) + deep[:, 0]


def _perceptron(
    inputs: int, hidden: Sequence[int], dropout: float, seed: int | None
) -> nn.Sequential:
    layers: list[Any] = [nn.Flatten()]
    for number, outputs in enumerate((*hidden, 1)):
        own = None if seed is None else seed + number
        layers.append(nn.Linear(inputs, outputs, initializer=nn.init.he_normal, seed=own))
        if number < len(hidden):
            layers += [ops.relu, *([nn.Dropout(dropout)] if dropout else [])]
        inputs = outputs
    return nn.Sequential(*layers)
