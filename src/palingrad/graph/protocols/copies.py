"""Pickled and copied nodes: a value without its graph.

A node's value travels, with its dtype and name; its inputs, and so its derivatives, don't: what is
loaded, or copied by `copy.deepcopy`, is a Constant. `copy.copy(x)` is x itself: values never
change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...errors import GraphError
from ..registry import ops

if TYPE_CHECKING:
    from ..node import Node


class Copies:
    """How nodes are pickled and copied."""

    def __copy__(self) -> Any:
        return self

    def __reduce__(self: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        if self.deferred:
            raise GraphError(
                f"{self.label()} has no value yet{self.built()}; graphs aren't pickled or copied.",
                hint="Pickle what a run returns, pg.Session().run(x, feeds), or the function that "
                "builds the graph; Variables are saved by pg.io.save_checkpoint.",
            )
        return detached, (self.numpy(), self._name, self.weak)


def detached(value: Any, name: str | None, weak: Any) -> Node:
    """A Constant outside any graph that holds this value, without copying it."""
    return ops.detached(value, name, weak)


def refuse_pickling(what: str, instead: str) -> Any:
    """The `__reduce__` of a class whose objects belong to a process."""

    def __reduce__(self: Any) -> Any:
        raise GraphError(f"{what} can't be pickled or copied.", hint=instead)

    return __reduce__
