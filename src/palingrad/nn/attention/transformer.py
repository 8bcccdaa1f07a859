"""The transformer's block, and positions as sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import ArgumentError
from ...graph.node import Node
from ...graph.registry import ops
from ...messages.checks import one_of, shown, whole
from .. import init
from ..dropout import Dropout
from ..linear import Linear
from ..module import Module
from ..norms import LayerNorm, RMSNorm
from .cache import KeyValueCache
from .multi_head import MultiHeadAttention

_NORMS: dict[str, type[LayerNorm | RMSNorm]] = {"layer": LayerNorm, "rms": RMSNorm}


class FeedForward(Module):
    """y = activation(x W + b) V + c: x (…, width), through `hidden` numbers, to (…, width)."""

    def __init__(
        self,
        width: int,
        hidden: int | None = None,
        *,
        activation: Callable[[Any], Node] | None = None,
        dropout: float = 0.0,
        bias: bool = True,
        initializer: init.Initializer = init.glorot_uniform,
        seed: int | None = None,
        dtype: Any = None,
    ) -> None:
        width = whole("FeedForward: width", width, least=1, like=64)
        hidden = 4 * width if hidden is None else hidden
        if activation is not None and not callable(activation):
            raise ArgumentError(f"FeedForward: activation is {shown(activation)}; expected a "
                                "function.", hint="Write activation=pg.relu.")  # fmt: skip
        options: dict[str, Any] = dict(bias=bias, initializer=initializer, dtype=dtype)
        self.up = Linear(width, hidden, seed=seed, **options)
        self.down = Linear(hidden, width, seed=None if seed is None else seed + 1, **options)
        self.activation = activation
        self.dropout = Dropout(dropout, seed=seed) if dropout else None

    def forward(self, x: Any, *, training: bool) -> Node:
        hidden = self.up(x, training=training)
        hidden = ops.gelu(hidden) if self.activation is None else self.activation(hidden)
        y = self.down(hidden, training=training)
        return y if self.dropout is None else self.dropout(y, training=training)


class TransformerBlock(Module):
    """x + attention(norm x), then that + feed_forward(norm of it): x (batch, time, width) to the
    same shape, normalised first as in GPT-2 (Radford et al. 2019).

    hidden: the width inside the feed-forward part, 4·width by default. norm: 'layer' or 'rms'.
    Options of attention: causal, rotary, key_value_heads. A call takes a `mask` and a `cache`, as
    MultiHeadAttention does.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        hidden: int | None = None,
        causal: bool = False,
        rotary: bool = False,
        key_value_heads: int | None = None,
        norm: str = "layer",
        activation: Callable[[Any], Node] | None = None,
        dropout: float = 0.0,
        bias: bool = True,
        initializer: init.Initializer = init.glorot_uniform,
        seed: int | None = None,
        dtype: Any = None,
    ) -> None:
        kind = _NORMS[one_of("TransformerBlock: norm", norm, _NORMS)]
        options: dict[str, Any] = dict(
            dropout=dropout, bias=bias, initializer=initializer, dtype=dtype
        )
        self.norm1 = kind(width, dtype=dtype)
        self.attention = MultiHeadAttention(
            width, heads, causal=causal, rotary=rotary, key_value_heads=key_value_heads,
            seed=seed, **options,
        )  # fmt: skip
        self.norm2 = kind(width, dtype=dtype)
        third = None if seed is None else seed + 2
        self.feed_forward = FeedForward(width, hidden, activation=activation, seed=third, **options)

    def forward(
        self, x: Any, *, mask: Any = None, cache: KeyValueCache | None = None, training: bool
    ) -> Any:
        y: Any = self.norm1(x, training=training)
        y = self.attention(y, mask=mask, cache=cache, training=training)
        if cache is not None:
            y, cache = y
        x = x + y
        x = x + self.feed_forward(self.norm2(x, training=training), training=training)
        return x if cache is None else (x, cache)
