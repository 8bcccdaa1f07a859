"""Sums of exponentials with SciPy's signatures: all elements by default, weights, signs."""

from __future__ import annotations

import math
from typing import Any

from ...graph.functions import frozen
from ...graph.node import Node
from ...graph.promotion import as_nodes
from ...graph.registry import ops
from ...messages.calls import public
from ...messages.checks import flag
from ...shapes import axes_in


@public
def logsumexp(
    a: Any,
    axis: Any = None,
    b: Any = None,
    keepdims: bool = False,
    return_sign: bool = False,
    *,
    name: str | None = None,
) -> Any:
    """y = log Σ b·eᵃ over `axis`, without overflow; the weights b are 1 by default.

    b may be negative; where the sum is, y is NaN, or with `return_sign` the pair (log |Σ|, sign).
    A weight of 0 drops its element, whatever that is. ∂y/∂a = b·eᵃ/Σ, ∂y/∂b = eᵃ/Σ.
    """
    keepdims, signed = flag("logsumexp: keepdims", keepdims), flag("return_sign", return_sign)
    axis = frozen(axis)
    if b is None:
        y = ops.logsumexp(a, axis=axis, keepdims=keepdims, name=name)
        return (y, ops.ones_like(y)) if signed else y
    a, b = map(ops.positive, as_nodes(a, b))
    whole = a + ops.zeros_like(b)
    part = ops.where(b == 0, -math.inf, whole)
    top = ops.stop_gradient(ops.max(part, axis=axis, keepdims=True))
    top = ops.where(ops.isfinite(top), top, 0)
    terms = ops.absorbing_product(b, ops.exp(ops.where(b == 0, 0, whole - top)))
    total = ops.sum(terms, axis=axis, keepdims=True)
    y = ops.log(ops.abs(total) if signed else total) + top
    sign = ops.sign(total)
    if not keepdims:
        axes = axes_in(axis, whole.ndim)
        y, sign = ops.squeeze(y, axis=axes), ops.squeeze(sign, axis=axes)
    y = y if name is None else ops.positive(y, name=name)
    return (y, sign) if signed else y


@public
def softmax(x: Any, axis: Any = None, *, name: str | None = None) -> Node:
    """yᵢ = eˣⁱ / Σⱼ eˣʲ over `axis`, by default over all elements, as in SciPy.

    pg.softmax is over the last axis by default.
    """
    return _over(ops.softmax, x, axis, name)


@public
def log_softmax(x: Any, axis: Any = None, *, name: str | None = None) -> Node:
    """y = x − log Σ eˣ over `axis`, by default over all elements, as in SciPy.

    pg.log_softmax is over the last axis by default.
    """
    return _over(ops.log_softmax, x, axis, name)


def _over(function: Any, x: Any, axis: Any, name: str | None) -> Node:
    if axis is not None:
        return function(x, axis=frozen(axis), name=name)
    x = ops.positive(x)
    return ops.reshape(function(ops.reshape(x, (-1,)), axis=-1), x.shape, name=name)
