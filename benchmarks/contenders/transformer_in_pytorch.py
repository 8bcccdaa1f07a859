"""PyTorch: the functions of the transformer's formula, and its weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F


def parameters(weights: dict[str, np.ndarray]) -> dict[str, Any]:
    """The weights by name, those of linear layers as (outputs, inputs), as in `nn.Linear`."""
    found: dict[str, Any] = {}
    for name, one in weights.items():
        value = torch.from_numpy(one.T.copy() if name.endswith(".weight") else one.copy())
        found[name] = value.requires_grad_()
    return found


class Functions:
    """See `transformer.Functions`."""

    def rows(self, table: Any, indices: Any) -> Any:
        return F.embedding(indices, table)

    def norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return F.layer_norm(x, x.shape[-1:], scale, offset)

    def linear(self, x: Any, weight: Any, bias: Any) -> Any:
        return F.linear(x, weight, bias)

    def attention(self, x: Any, heads: int) -> Any:
        batch, tokens, size = x.shape
        parts = x.split(size // 3, dim=2)
        q, k, v = (one.view(batch, tokens, heads, -1).transpose(1, 2) for one in parts)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return y.transpose(1, 2).contiguous().view(batch, tokens, size // 3)

    def gelu(self, x: Any) -> Any:
        return F.gelu(x)

    def scores(self, x: Any, embedding: Any) -> Any:
        return F.linear(x, embedding)

    def cross_entropy(self, scores: Any, labels: Any) -> Any:
        return F.cross_entropy(scores.flatten(0, 1), labels.flatten())
