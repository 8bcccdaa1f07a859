"""Samples: the inputs that each operation brings for its own proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array


class Sample(NamedTuple):
    """One call of an operation: how to make its inputs, and its attributes."""

    inputs: Callable[[np.random.Generator], tuple[Any, ...]]
    attributes: Mapping[str, Any]
    smooth: bool  # whether derivatives are compared with differences here
    text: str  # for the names of tests


def case(*shapes: Any, low: float = -2.0, high: float = 2.0, **attributes: Any) -> Sample:
    """Inputs drawn from [low, high), one for each shape; an array stands for itself.

    Derivatives are compared with central differences, so keep kinks and poles outside the range.
    """

    def draw(rng: np.random.Generator) -> tuple[Any, ...]:
        return tuple(
            rng.uniform(low, high, shape) if isinstance(shape, tuple) else np.asarray(shape)
            for shape in shapes
        )

    shown = ", ".join(str(s) if isinstance(s, tuple) else f"array{np.shape(s)}" for s in shapes)
    return Sample(draw, attributes, True, f"case({shown})" + _options(attributes))


def edge(*values: Any, inputs: int = 1, **attributes: Any) -> Sample:
    """Special values, compared on every engine; derivatives aren't compared with differences.

    With several inputs every pair of values meets.
    """

    def draw(rng: np.random.Generator) -> tuple[Any, ...]:
        grid = np.meshgrid(*[np.asarray(values, np.float64)] * inputs, indexing="ij")
        return tuple(np.ascontiguousarray(one.ravel()) for one in grid)

    return Sample(draw, attributes, False, f"edge{values}" + _options(attributes))


def spread(shape: tuple[int, ...], **attributes: Any) -> Sample:
    """One input whose elements all differ by 0.1 or more, in random order: for max, sort, …."""

    def draw(rng: np.random.Generator) -> tuple[Array, ...]:
        size = int(np.prod(shape))
        return (rng.permutation(0.1 * np.arange(size) - 0.05 * size).reshape(shape),)

    return Sample(draw, attributes, True, f"spread({shape})" + _options(attributes))


def _options(attributes: Mapping[str, Any]) -> str:
    return "".join(f" {key}={value}" for key, value in attributes.items())
