"""Language models: a GPT and an LSTM, which predict the next token of a text."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from .. import nn
from ..errors import ShapeError
from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.checks import whole
from ..shapes import text
from .gpt2 import load_gpt2

Caches = tuple[nn.KeyValueCache, ...]


class GPT(nn.Module):
    """The decoder of GPT-2 (Radford et al. 2019): tokens (batch, time) to scores (batch, time,
    vocabulary), each of the token that follows.

    context: the most tokens that it sees. dropout: of the sum of both embeddings, and of what each
    part of a block adds. The table of the tokens is also the last layer's matrix.
    A call takes `caches`, one for each block, and then returns (scores, new caches).

    >>> import numpy as np
    >>> import palingrad as pg
    >>> model = pg.models.gpt(65, context=32, layers=2, heads=2, width=16)
    >>> model(np.zeros((1, 5), int)).shape
    (1, 5, 65)
    """

    def __init__(
        self,
        vocabulary: int,
        *,
        context: int = 64,
        layers: int = 4,
        heads: int = 4,
        width: int = 128,
        dropout: float = 0.0,
        seed: int | None = None,
    ) -> None:
        self.context = whole("GPT: context", context, least=1, like=64)
        layers = whole("GPT: layers", layers, least=1, like=4)
        draw = nn.init.normal(0.02)
        self.embedding = nn.Embedding(vocabulary, width, initializer=draw, seed=seed)
        following = None if seed is None else seed + 1
        self.positions = nn.Embedding(context, width, initializer=draw, seed=following)
        self.dropout = nn.Dropout(dropout, seed=seed) if dropout else None
        self.blocks = [
            nn.TransformerBlock(
                width, heads, causal=True, dropout=dropout, initializer=draw,
                activation=_gelu, seed=None if seed is None else seed + 4 * number + 2,
            )
            for number in range(layers)
        ]  # fmt: skip
        for block in self.blocks:  # what is added 2·layers times begins smaller (section 2.3)
            for layer in (block.attention.output, block.feed_forward.down):
                layer.weight.assign(layer.weight.numpy() / math.sqrt(2 * layers))
        self.norm = nn.LayerNorm(width)

    @classmethod
    def from_safetensors(cls, path: str | os.PathLike[str], *, heads: int | None = None) -> GPT:
        """The model whose weights a safetensors file holds under GPT-2's names; heads: by default
        width/64. Raises CheckpointError if the file isn't one."""
        arrays, sizes = load_gpt2(path, heads)
        model = cls(**sizes)
        arrays.assign(model.variables())
        return model

    def empty_caches(self, batch: int) -> Caches:
        """Caches of no tokens, for at most `context`."""
        return tuple(block.attention.empty_cache(batch, self.context) for block in self.blocks)

    def forward(self, x: Any, *, caches: Caches | None = None, training: bool) -> Any:
        tokens = as_node(x)
        if tokens.shape is None or len(tokens.shape) != 2 or tokens.shape[1] is None:
            raise ShapeError(f"GPT: expected tokens (batch, time), got {text(tokens.shape)}.")
        time, first = tokens.shape[1], 0 if caches is None else caches[0].length
        if time > self.context:
            raise ShapeError(f"GPT: {time} tokens, but the model sees {self.context} at most.",
                             hint=f"Pass the last ones: x[:, -{self.context}:].")  # fmt: skip
        places = first + np.arange(time)  # (time,)
        y: Any = self.embedding(tokens, training=training)
        y = y + self.positions(places, training=training)  # (batch, time, width)
        if self.dropout is not None:
            y = self.dropout(y, training=training)
        after: list[nn.KeyValueCache] = []
        for number, block in enumerate(self.blocks):
            if caches is None:
                y = block(y, training=training)
            else:
                y, cache = block(y, cache=caches[number], training=training)
                after.append(cache)
        y = self.norm(y, training=training)
        scores = ops.matmul(y, self.embedding.table.mT)  # (batch, time, vocabulary)
        return scores if caches is None else (scores, tuple(after))


def _gelu(x: Any) -> Node:
    return ops.gelu(x, approximate=True)  # GPT-2's, by tanh


class CharRNN(nn.Module):
    """An LSTM that reads tokens (batch, time) and scores the next ones, (batch, time, vocabulary)
    (Graves 2013, without his skip connections).

    dropout: of what goes into each layer and comes out of the last one, not of the states (Zaremba
    et al. 2014). A call with return_state=True returns (scores, state); `state` continues a text.
    """

    def __init__(
        self,
        vocabulary: int,
        *,
        width: int = 128,
        layers: int = 1,
        dropout: float = 0.0,
        seed: int | None = None,
    ) -> None:
        following = None if seed is None else seed + 1
        self.embedding = nn.Embedding(vocabulary, width, seed=seed)
        self.lstm = nn.LSTM(width, width, layers=layers, dropout=dropout, seed=following)
        self.dropout = nn.Dropout(dropout, seed=seed) if dropout else nn.Identity()
        self.head = nn.Linear(width, vocabulary, seed=seed)

    def forward(
        self, x: Any, state: Any = None, *, return_state: bool = False, training: bool
    ) -> Any:
        y = self.dropout(self.embedding(x, training=training), training=training)
        y, state = self.lstm(y, state, return_state=True, training=training)
        scores = self.head(self.dropout(y, training=training), training=training)
        return (scores, state) if return_state else scores
