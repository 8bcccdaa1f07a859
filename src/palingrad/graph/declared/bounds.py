"""What an operation's integers must be for a run not to fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...classes import NamedTuple
from ...errors import OutOfRangeError, PalingradError
from ...shapes import Shape
from ..leaves import Constant
from ..node import Node


class Bounds(NamedTuple):
    """Every element of the integers x is in low … high − 1; without `high`, from `low` on.

    `error` makes what is raised otherwise, from the least and the largest of them.
    """

    x: Node
    low: int
    high: int | None
    error: Callable[[int, int], Exception]

    def allow(self, least: int, most: int) -> bool:
        """Whether integers from least to most are in the bounds."""
        return self.low <= least and (self.high is None or most < self.high)

    def check_constant(self) -> None:
        """Raise the error if x is a constant with an integer that isn't in the bounds."""
        if isinstance(self.x, Constant) and self.x._value.size:
            least, most = int(self.x._value.min()), int(self.x._value.max())
            if not self.allow(least, most):
                raise self.error(least, most)


def explained(node: Any) -> list[Bounds]:
    """The bounds that an operation declares, whose errors name it, its inputs and its origin."""

    def named(one: Bounds) -> Bounds:
        def error(least: int, most: int) -> Exception:
            found = one.error(least, most)
            return (
                node._explained(found, node.inputs) if isinstance(found, PalingradError) else found
            )

        return one._replace(error=error)

    return [named(one) for one in node.bounds()]


def rows_of_axes(
    indices: Sequence[Node], shape: Shape, axis: int, *, named: Sequence[int] | None = None,
    negative: bool = True,
) -> list[Bounds]:  # fmt: skip
    """The bounds of indices, one for each axis from `axis` on of an array of `shape`, where the
    size is known. `negative` ones count from the end. Errors call the axes as `named` does."""
    names = named or range(axis, axis + len(indices))
    return [
        _on_axis(x, size, name, negative)
        for x, size, name in zip(indices, shape[axis:], names)
        if size is not None
    ]


def _on_axis(x: Node, size: int, axis: int, negative: bool) -> Bounds:
    def error(least: int, most: int) -> Exception:
        wrong = most if most >= size else least
        hint = f"Rows count from 0 to {size - 1}; a table for index {most} has {most + 1}."
        if wrong < 0:
            hint = f"Negative ones count from the end, down to -{size}." if negative else ""
        return OutOfRangeError(
            f"indices {least} … {most} for {size} rows, on axis {axis}",
            hint=hint if size else "The axis is empty.",
        )

    return Bounds(x, -size if negative else 0, size, error)
