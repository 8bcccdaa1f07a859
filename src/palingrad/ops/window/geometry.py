"""The geometry of convolution and pooling: sizes, strides, padding, dilation."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from ...errors import ShapeError
from ...messages.checks import did_you_mean, last_word
from ...shapes import Dim

Padding = int | str | Sequence[int] | Sequence[tuple[int, int]]


def several(value: Any, ndim: int, what: str, *, least: int = 1) -> tuple[int, ...]:
    """One integer per spatial axis, given one integer for all `ndim` axes or one per axis.

    Raises ShapeError, naming the argument as `what`, for other values and values below `least`.
    """
    given = value if isinstance(value, (tuple, list)) else (value,) * ndim
    try:
        integers = tuple(index(item) for item in given)
    except TypeError:
        fact = f"{what} must be an integer or one per axis, got {value!r}"
        raise ShapeError(fact, hint=f"Write {last_word(what)}={max(least, 1)}.") from None
    if len(integers) != ndim or any(item < least for item in integers):
        raise ShapeError(
            f"{what} needs {ndim} integers ≥ {least}, got {value!r}",
            hint=f"Write {last_word(what)}={max(least, 1)}, for all of them.",
        )
    return integers


def pads(
    padding: Padding, size: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """The padding (before, after) of each spatial axis.

    'valid' is no padding. 'same', which needs stride 1, makes as many places as the axis is long;
    an odd total puts the extra element after. An integer pads both sides.
    """
    if padding == "valid":
        return ((0, 0),) * len(size)
    if padding == "same":
        if any(step != 1 for step in stride):
            raise ShapeError("padding 'same' needs stride 1", hint="Give the padding as integers.")
        spans = [(k - 1) * d for k, d in zip(size, dilation, strict=True)]
        return tuple((span // 2, span - span // 2) for span in spans)
    if isinstance(padding, str):
        raise ShapeError(
            f"padding must be 'valid', 'same' or integers, got {padding!r}",
            hint=did_you_mean(padding, ("valid", "same"), quoted=True),
        )
    if isinstance(padding, (tuple, list)) and padding and isinstance(padding[0], (tuple, list)):
        pairs = tuple(several(pair, 2, "padding of an axis", least=0) for pair in padding)
        if len(pairs) != len(size):
            raise ShapeError(f"padding needs {len(size)} pairs, got {padding!r}")
        return tuple((before, after) for before, after in pairs)
    return tuple((width, width) for width in several(padding, len(size), "padding", least=0))


def places(length: Dim, k: Dim, s: int, pad: tuple[int, int], d: int) -> Dim:
    """The number of windows of k taps, stride s and dilation d that fit on a padded axis."""
    if length is None or k is None:
        return None
    slack = length + sum(pad) - (k - 1) * d - 1
    if slack < 0:
        raise ShapeError(
            f"a window of {k} taps (dilation {d}) doesn't fit {length} + {sum(pad)}",
            hint="Take a smaller window, or padding='same'.",
        )
    return slack // s + 1
