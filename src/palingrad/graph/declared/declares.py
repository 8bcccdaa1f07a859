"""What any operation may say of itself to engines and readers that don't know it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..node import Node
from .bounds import Bounds


class Declares:
    """The answers of an operation that has nothing to say."""

    complexes: ClassVar[bool] = False  # whether it takes complex numbers; asked if it promotes

    # How it is computed for many examples at once, batched(y, batch): see batching/batch.py; None:
    # one by one.
    batched: Any = None

    def bounds(self) -> Sequence[Bounds]:
        """What the integers of inputs must be, for `f` to compute the result without an error."""
        return ()

    def below(self) -> int | None:
        """The n for which all elements of y are integers from 0 to n − 1, whatever the inputs."""
        return None

    def simpler(self, *x: Node) -> Node | None:
        """The same made of other operations, for engines that don't know this one."""
        return None

    def structure(self, position: int, size: int, out: int) -> str:
        """The structure of the matrix ∂y/∂x (out × size) for one input, in a few words."""
        return "general"
