"""JAX: the functions of the transformer's formula."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp


def layer_norm(x: Any, scale: Any, offset: Any) -> Any:
    mean = x.mean(-1, keepdims=True)
    variance = x.var(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * scale + offset


class Functions:
    """See `transformer.Functions`."""

    def rows(self, table: Any, indices: Any) -> Any:
        return table[indices]

    def norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return layer_norm(x, scale, offset)

    def linear(self, x: Any, weight: Any, bias: Any) -> Any:
        return x @ weight + bias

    def attention(self, x: Any, heads: int) -> Any:
        batch, tokens, size = x.shape
        q, k, v = (one.reshape(batch, tokens, heads, -1) for one in jnp.split(x, 3, axis=-1))
        y = jax.nn.dot_product_attention(q, k, v, is_causal=True)
        return y.reshape(batch, tokens, size // 3)

    def gelu(self, x: Any) -> Any:
        return jax.nn.gelu(x, approximate=False)

    def scores(self, x: Any, embedding: Any) -> Any:
        return x @ embedding.T

    def cross_entropy(self, scores: Any, labels: Any) -> Any:
        chosen = jnp.take_along_axis(scores, labels[..., None], axis=-1)[..., 0]
        return jnp.mean(jax.nn.logsumexp(scores, axis=-1) - chosen)
