"""Observers: objects that are notified of the values that their thread computes.

Recording and the NaN search are built on them. Observers are notified when a value is computed,
read by the user, differentiated or assigned. Without observers the only cost is the test that a
list is empty.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..context import context, opened

if TYPE_CHECKING:
    from ..leaves import Variable
    from ..node import Node

Change = tuple["Variable", Any, Any]  # the Variable, its new array, and what it was assigned

watching: list[Observer] = []  # the observers of all threads; while empty, no event is sent


class Observer:
    """Receives the events of its thread. The methods do nothing by default."""

    def computed(self, node: Node) -> None:
        """An operation has computed its value eagerly; `context().hidden` is False if the user
        built it."""

    def read(self, node: Node) -> None:
        """The user reads the value of an operation."""

    def differentiated(self, y: Node, found: Mapping[Node, Node]) -> None:
        """`y.backward()` is about to set these gradients, which still have their inputs."""

    def detached(self, gradient: Node, kept: Node) -> None:
        """`kept`, a constant with the value of `gradient`, replaces it."""

    def assigned(self, changes: Sequence[Change]) -> None:
        """Variables are about to be assigned eagerly, all in one atomic step."""

    def ran(self, program: Any, values: Mapping[Node, Any]) -> None:
        """A program has computed every node's value and is about to write its updates."""


@contextmanager
def observed(observer: Observer) -> Generator[None]:
    """Notify `observer` of this thread's events until the end of the `with`; observers nest."""
    with opened(observers=(*context().observers, observer)):
        try:
            watching.append(observer)
            yield
        finally:
            if observer in watching:
                watching.remove(observer)


def tell_computed(node: Node) -> None:
    """Notify this thread's observers that a value was computed eagerly."""
    for observer in context().observers:
        observer.computed(node)


def tell_read(node: Node) -> None:
    """Notify this thread's observers that the user reads a value."""
    for observer in context().observers:
        observer.read(node)


def tell_assigned(changes: Iterable[Change]) -> None:
    """Notify this thread's observers of assignments that are about to happen."""
    if context().observers:
        assignments = list(changes)
        for observer in context().observers:
            observer.assigned(assignments)
