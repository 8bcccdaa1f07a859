"""The transformer of the benchmarks: its sizes, initial weights, batches and formula.

A decoder as in GPT-2 (Radford et al. 2019): learned positions, blocks of layer norm, causal
attention, layer norm and a GELU layer, each added to its input, and scores by the embedding's
transpose. No dropout. The sizes are those of nanoGPT for characters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from networks import BATCHES, Array


@dataclass(frozen=True)
class Transformer:
    layers: int
    heads: int
    width: int
    tokens: int  # length of a text
    batch: int
    vocabulary: int = 65

    def weights(self) -> dict[str, Array]:
        """Initial weights by name, from one seed; those of linear layers are (inputs, outputs)."""
        rng, width = np.random.default_rng(1), self.width
        found: dict[str, Array] = {
            "embedding": _normal(rng, self.vocabulary, width),
            "positions": _normal(rng, self.tokens, width),
        }
        for layer in range(self.layers):
            found |= _norm(f"{layer}.norm1", width) | _norm(f"{layer}.norm2", width)
            for name, inputs, outputs in (
                ("attention", width, 3 * width),
                ("projection", width, width),
                ("up", width, 4 * width),
                ("down", 4 * width, width),
            ):
                found[f"{layer}.{name}.weight"] = _normal(rng, inputs, outputs)
                found[f"{layer}.{name}.bias"] = np.zeros(outputs, np.float32)
        return found | _norm("norm", width)

    def batches(self) -> list[tuple[Array, Array]]:
        """Texts and the tokens that follow: integers (batch, tokens)."""
        rng = np.random.default_rng(0)
        shape = self.batch, self.tokens + 1
        texts = [rng.integers(0, self.vocabulary, shape) for _ in range(BATCHES)]
        return [(one[:, :-1].copy(), one[:, 1:].copy()) for one in texts]

    def flops(self) -> float:
        """The floating-point operations of matrix products in one step: forward, and backward for
        both operands. Attention is counted whole, as if it weren't causal."""
        rows, width = self.batch * self.tokens, self.width
        terms = self.layers * (12 * width * width + 2 * self.tokens * width)
        return 3 * 2.0 * rows * (terms + width * self.vocabulary)


@dataclass(frozen=True)
class Continuation:
    """Texts of `prompt` tokens that a transformer continues up to its length."""

    network: Transformer
    prompt: int

    @property
    def count(self) -> int:
        """The number of tokens to write."""
        return self.network.tokens - self.prompt

    def text(self) -> Array:
        """The prompt: integers (batch, prompt)."""
        return self.network.batches()[0][0][:, : self.prompt].copy()


def _normal(rng: Any, *shape: int) -> Array:
    return (0.02 * rng.standard_normal(shape)).astype(np.float32)


def _norm(name: str, width: int) -> dict[str, Array]:
    return {
        f"{name}.scale": np.ones(width, np.float32),
        f"{name}.offset": np.zeros(width, np.float32),
    }


class Functions(Protocol):
    """The functions of a framework that the formula calls."""

    def rows(self, table: Any, indices: Any) -> Any: ...

    def norm(self, x: Any, scale: Any, offset: Any) -> Any: ...

    def linear(self, x: Any, weight: Any, bias: Any) -> Any: ...

    def attention(self, x: Any, heads: int) -> Any:
        """Causal attention of `heads` heads: x (batch, tokens, 3 · width) has queries, keys and
        values."""

    def gelu(self, x: Any) -> Any: ...

    def scores(self, x: Any, embedding: Any) -> Any: ...

    def cross_entropy(self, scores: Any, labels: Any) -> Any: ...


def loss(m: Functions, network: Transformer, weights: Any, texts: Any, labels: Any) -> Any:
    """The mean cross-entropy of the tokens that follow each token of the texts."""

    def linear(name: str, x: Any) -> Any:
        return m.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(name: str, x: Any) -> Any:
        return m.norm(x, weights[f"{name}.scale"], weights[f"{name}.offset"])

    x = m.rows(weights["embedding"], texts) + weights["positions"]  # (batch, tokens, width)
    for layer in range(network.layers):
        packed = linear(f"{layer}.attention", norm(f"{layer}.norm1", x))
        x = x + linear(f"{layer}.projection", m.attention(packed, network.heads))
        hidden = m.gelu(linear(f"{layer}.up", norm(f"{layer}.norm2", x)))
        x = x + linear(f"{layer}.down", hidden)
    scores = m.scores(norm("norm", x), weights["embedding"])  # (batch, tokens, vocabulary)
    return m.cross_entropy(scores, labels)
