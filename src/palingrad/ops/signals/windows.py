"""Window functions of signal processing, as constants of the default float."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import default_dtype
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.registry import register
from ...messages.checks import whole


def _constant(kind: str, n: Any, *options: Any) -> Node:
    values = getattr(np, kind)(whole(f"{kind}: n", n, like=8), *options)
    return Constant(values.astype(default_dtype()))


@register
def bartlett(n: int) -> Node:
    """A triangle from 0 to 1 and back to 0, at n points."""
    return _constant("bartlett", n)


@register
def blackman(n: int) -> Node:
    """0.42 − 0.5·cos t + 0.08·cos 2t for n points t from 0 to 2π."""
    return _constant("blackman", n)


@register
def hamming(n: int) -> Node:
    """0.54 − 0.46·cos t for n points t from 0 to 2π."""
    return _constant("hamming", n)


@register
def hanning(n: int) -> Node:
    """½ − ½·cos t for n points t from 0 to 2π: Hann's window."""
    return _constant("hanning", n)


@register
def kaiser(n: int, beta: float) -> Node:
    """I₀(β√(1 − t²))/I₀(β) for n points t from −1 to 1 (Kaiser 1974)."""
    return _constant("kaiser", n, float(beta))
