"""Multi-head attention."""

from __future__ import annotations

from typing import Any

from ...errors import ArgumentError, ShapeError
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...messages.checks import flag, whole
from ...shapes import Shape, text
from .. import init
from ..dropout import Dropout
from ..linear import Linear
from ..module import Module
from .cache import KeyValueCache
from .rotary import rotary


class MultiHeadAttention(Module):
    """y = concat of heads softmax(q kᵀ/√depth + mask) v, times a matrix: x (batch, time, width) to
    the same shape (Vaswani et al. 2017). depth = width/heads.

    key_value_heads: fewer heads for keys and values, each shared by heads/key_value_heads of the
    queries (Ainslie et al. 2023). causal: a position sees itself and those before. rotary: queries
    and keys are rotated by their positions. dropout: of the result.

    A call takes `context` (batch, positions, width), which keys and values come from in the place
    of x; `mask`, which broadcasts to (batch, heads, time, positions): booleans, True where a query
    sees a key, or numbers that are added; and a `cache`, which makes the result (y, new cache) for
    x the positions that follow those in it.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        key_value_heads: int | None = None,
        causal: bool = False,
        rotary: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
        initializer: init.Initializer = init.glorot_uniform,
        seed: int | None = None,
        dtype: Any = None,
    ) -> None:
        width = whole("MultiHeadAttention: width", width, least=1, like=64)
        heads = whole("MultiHeadAttention: heads", heads, least=1, like=4)
        if width % heads:
            fits = [n for n in range(1, heads + 1) if width % n == 0]
            raise ArgumentError(
                f"MultiHeadAttention: {heads} heads don't divide width {width}.",
                hint=f"Write pg.nn.MultiHeadAttention({width}, {fits[-1]}).",
            )
        shared = heads if key_value_heads is None else key_value_heads
        shared = whole("MultiHeadAttention: key_value_heads", shared, least=1, like=1)
        if heads % shared:
            raise ArgumentError(
                f"MultiHeadAttention: {shared} heads of keys don't divide {heads} heads.",
                hint="Write key_value_heads=1, for one that all share.",
            )
        self.width, self.heads, self.shared = width, heads, shared
        self.causal = flag("MultiHeadAttention: causal", causal)
        self.rotary = flag("MultiHeadAttention: rotary", rotary)
        self.depth = width // heads
        if self.rotary and self.depth % 2:
            raise ArgumentError(f"MultiHeadAttention: rotary positions need an even depth, which "
                                f"is {width}/{heads} = {self.depth}.",
                                hint="Take other numbers of heads.")  # fmt: skip
        second = None if seed is None else seed + 1
        packed = width + 2 * shared * self.depth  # queries, then keys, then values
        options: dict[str, Any] = dict(bias=bias, initializer=initializer, dtype=dtype)
        self.qkv = Linear(width, packed, seed=seed, **options)
        self.output = Linear(width, width, seed=second, **options)
        self.dropout = Dropout(dropout, seed=seed) if dropout else None

    def empty_cache(self, batch: int, capacity: int) -> KeyValueCache:
        """A cache of no positions, for at most `capacity`."""
        dtype = self.qkv.weight.numpy().dtype
        return KeyValueCache.empty(batch, self.shared, capacity, self.depth, dtype=dtype)

    def _hint(self, shape: Shape) -> str:
        return f" x is (batch, time, {self.width})."

    def forward(
        self,
        x: Any,
        context: Any = None,
        *,
        mask: Any = None,
        cache: KeyValueCache | None = None,
        training: bool,
    ) -> Any:
        x = as_node(x)
        if x.shape is not None and len(x.shape) != 3:
            raise ShapeError(f"expected x (batch, time, width), got {text(x.shape)}")
        if cache is not None and context is not None:
            raise ArgumentError("MultiHeadAttention: a cache is for attention to x itself.",
                                hint="Leave out cache=, or the context.")  # fmt: skip
        q, k, v = self._parts(x, context, training)  # (batch, heads, time, depth)
        if self.rotary:
            first = 0 if cache is None else cache.length
            q, k = (self._turned(part, first) for part in (q, k))
        causal = self.causal
        if cache is not None:
            cache = cache.extended(k, v)
            k, v = cache.keys, cache.values
            seen = cache.visible(_steps(x))  # (time, capacity)
            mask, causal = (seen if mask is None else ops.logical_and(seen, mask)), False
        if self.shared < self.heads:  # (batch, heads, positions, depth)
            k, v = (ops.repeat(part, self.heads // self.shared, axis=1) for part in (k, v))
        y = ops.scaled_dot_product_attention(q, k, v, mask=mask, causal=causal)
        y = ops.reshape(ops.swapaxes(y, 1, 2), (*_lead(x), self.width))  # (batch, time, width)
        y = self.output(y, training=training)
        if self.dropout is not None:
            y = self.dropout(y, training=training)
        return y if cache is None else (y, cache)

    def _parts(self, x: Node, context: Any, training: bool) -> tuple[Node, Node, Node]:
        """Queries, keys and values, (batch, heads, time, depth) each."""
        ends = self.width, self.width + self.shared * self.depth
        packed: Any = self.qkv(x, training=training)  # (batch, time, width + 2·shared·depth)
        other = packed
        if context is not None:
            other = self.qkv(as_node(context), training=training)
        q = packed[..., : ends[0]]
        k, v = other[..., ends[0] : ends[1]], other[..., ends[1] :]
        return self._split(q, self.heads), self._split(k, self.shared), self._split(v, self.shared)

    def _split(self, x: Node, heads: int) -> Node:
        return ops.swapaxes(ops.reshape(x, (*_lead(x), heads, self.depth)), 1, 2)

    def _turned(self, x: Node, first: Any) -> Node:
        return rotary(x, first + ops.arange(_steps(x, -2)))


def _lead(x: Node) -> tuple[int, int]:
    """(batch, time) for a reshape; at most the batch may be unknown."""
    batch = x.shape[0] if x.shape is not None else None
    return (-1 if batch is None else batch), _steps(x, 1)


def _steps(x: Node, axis: int = 1) -> int:
    steps = None if x.shape is None else x.shape[axis]
    if steps is None:
        raise ShapeError(
            "MultiHeadAttention: the number of steps isn't known yet.",
            hint="Give the placeholder a shape, such as (None, 64, 128).",
        )
    return steps
