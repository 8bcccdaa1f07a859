"""Samples: the inputs on which each operation is tested, declared with the operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array


class Sample:
    """One call of an operation: a function that draws its inputs, and its attributes.

    `smooth` says whether derivatives are compared with central differences, and `slopes` for each
    input the derivatives of Σy that are expected, if told.
    """

    def __init__(
        self,
        inputs: Callable[[np.random.Generator], tuple[Any, ...]],
        attributes: Mapping[str, Any],
        smooth: bool,
        call: Callable[[], str],
        slopes: tuple[Any, ...] = (),
    ) -> None:
        self.inputs, self.attributes, self.smooth = inputs, attributes, smooth
        self.slopes = slopes
        self._call = call  # only tests ask for the text, so that it isn't made on import

    @property
    def text(self) -> str:
        """The call that made the sample, for the names of tests."""
        options = "".join(f" {key}={value}" for key, value in self.attributes.items())
        return self._call() + options

    def drawn_by(
        self, inputs: Callable[[np.random.Generator], tuple[Any, ...]], prefix: str
    ) -> Sample:
        """The same call of other inputs; its text begins with `prefix`."""
        call = self._call
        return Sample(inputs, self.attributes, self.smooth, lambda: prefix + call(), self.slopes)


def case(*shapes: Any, low: float = -2.0, high: float = 2.0, **attributes: Any) -> Sample:
    """Inputs drawn uniformly from [low, high), one for each shape; an array is used as it is.

    Derivatives are compared with central differences: keep kinks and poles outside the range.
    """

    def draw(rng: np.random.Generator) -> tuple[Any, ...]:
        return tuple(
            rng.uniform(low, high, shape) if isinstance(shape, tuple) else np.asarray(shape)
            for shape in shapes
        )

    return Sample(draw, attributes, True, lambda: f"case({_shapes(shapes)})")


def complex_case(*shapes: Any, low: float = -2.0, high: float = 2.0, **attributes: Any) -> Sample:
    """As `case`, with complex inputs for the shapes, whose parts are drawn from [low, high)."""

    def draw(rng: np.random.Generator) -> tuple[Any, ...]:
        return tuple(
            rng.uniform(low, high, shape) + 1j * rng.uniform(low, high, shape)
            if isinstance(shape, tuple)
            else np.asarray(shape)
            for shape in shapes
        )

    return case(*shapes, **attributes).drawn_by(draw, "complex_")


def complex_edge(*parts: float, inputs: int = 1, **attributes: Any) -> Sample:
    """As `edge`, of all complex numbers that have these parts."""
    numbers = [complex(x, y) for x in parts for y in parts]

    def draw(rng: np.random.Generator) -> tuple[Any, ...]:
        grid = np.meshgrid(*[np.asarray(numbers)] * inputs, indexing="ij")
        return tuple(np.ascontiguousarray(x.ravel()) for x in grid)

    return Sample(draw, attributes, False, lambda: f"complex_edge{parts}")


def edge(*values: Any, inputs: int = 1, **attributes: Any) -> Sample:
    """Special values, on which the engines are compared, without central differences.

    With several inputs, all combinations of the values are tested.
    """

    def draw(rng: np.random.Generator) -> tuple[Any, ...]:
        grid = np.meshgrid(*[np.asarray(values, np.float64)] * inputs, indexing="ij")
        return tuple(np.ascontiguousarray(x.ravel()) for x in grid)

    return Sample(draw, attributes, False, lambda: f"edge{values}")


def kink(*inputs: Any, slopes: Sequence[Any], **attributes: Any) -> Sample:
    """Inputs at a kink, a tie or a pole, where central differences don't exist, and for each input
    the derivatives of Σy that the operation promises there.
    """

    def draw(rng: np.random.Generator) -> tuple[Any, ...]:
        return tuple(np.asarray(x) for x in inputs)

    def text() -> str:
        shown = (str(x) if np.ndim(x) == 1 else f"array{np.shape(x)}" for x in inputs)
        return f"kink({', '.join(shown)})"

    return Sample(draw, attributes, False, text, tuple(slopes))


def spread(shape: tuple[int, ...], **attributes: Any) -> Sample:
    """One input whose elements differ by at least 0.1, in random order: for max, sort, …."""

    def draw(rng: np.random.Generator) -> tuple[Array, ...]:
        size = int(np.prod(shape))
        return (rng.permutation(0.1 * np.arange(size) - 0.05 * size).reshape(shape),)

    return Sample(draw, attributes, True, lambda: f"spread({shape})")


def _shapes(shapes: Sequence[Any]) -> str:
    return ", ".join(str(s) if isinstance(s, tuple) else f"array{np.shape(s)}" for s in shapes)
