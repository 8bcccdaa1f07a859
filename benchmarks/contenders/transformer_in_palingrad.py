"""palingrad: the functions of the transformer's formula."""

from __future__ import annotations

from typing import Any

import palingrad as pg

_PARTS = {
    "attention": "attention.qkv",
    "projection": "attention.output",
    "up": "feed_forward.up",
    "down": "feed_forward.down",
}


def name_in_gpt(name: str) -> str:
    """The name in `pg.models.gpt` of one of the formula's weights."""
    first, *rest = name.split(".")
    if not first.isdecimal():
        return f"{name}.table" if not rest else name
    part, last = rest
    return f"blocks.{first}.{_PARTS.get(part, part)}.{last}"


class Functions:
    """See `transformer.Functions`."""

    def rows(self, table: Any, indices: Any) -> Any:
        return pg.take(table, indices, axis=0)

    def norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return pg.layer_norm(x, scale, offset)

    def linear(self, x: Any, weight: Any, bias: Any) -> Any:
        return x @ weight + bias

    def attention(self, x: Any, heads: int) -> Any:
        batch, tokens, size = x.shape
        split = x.reshape(batch, tokens, 3, heads, size // (3 * heads))
        q, k, v = (split[:, :, part].transpose(0, 2, 1, 3) for part in range(3))
        y = pg.scaled_dot_product_attention(q, k, v, causal=True)  # (batch, heads, tokens, depth)
        return y.transpose(0, 2, 1, 3).reshape(batch, tokens, size // 3)

    def gelu(self, x: Any) -> Any:
        return pg.gelu(x)

    def scores(self, x: Any, embedding: Any) -> Any:
        return x @ embedding.T

    def cross_entropy(self, scores: Any, labels: Any) -> Any:
        return pg.cross_entropy(scores, labels)
