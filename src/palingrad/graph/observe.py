"""Observers: who hears of values as they come to be, in one thread, while somebody asks for it.

Recording and the search for NaNs are built on this, and nothing else is: values are reported where
they are computed, handed out, differentiated and assigned. While nobody observes, the only cost is
to see that a list is empty.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .context import context

if TYPE_CHECKING:
    from .leaves import Variable
    from .node import Node

Change = tuple["Variable", Any, Any]  # the Variable, its new array, and what it was assigned

watching: list[Observer] = []  # those of all threads; empty, nobody needs to be told anything


class Observer:
    """Hears what its thread computes. Every method may be left as it is."""

    def computed(self, node: Node) -> None:
        """An operation has computed its value eagerly; `context.hidden` tells the user's apart."""

    def read(self, node: Node) -> None:
        """The value of an operation is handed to the user."""

    def differentiated(self, y: Node, found: Mapping[Node, Node]) -> None:
        """`y.backward()` is about to set these gradients, which still know how they came about."""

    def detached(self, gradient: Node, kept: Node) -> None:
        """`kept` has the value of `gradient` and stands for it from now on."""

    def assigned(self, changes: Sequence[Change]) -> None:
        """Variables are about to take new values eagerly, all at one moment."""

    def ran(self, program: Any, values: Mapping[Node, Any]) -> None:
        """A program was run, each node's value is known, and its updates are about to land."""


@contextmanager
def observed(observer: Observer) -> Generator[None]:
    """Tell `observer` what this thread computes until the end of the `with`; observers nest."""
    before = context.observers
    context.observers = (*before, observer)
    watching.append(observer)
    try:
        yield
    finally:
        context.observers = before
        watching.remove(observer)


def tell_computed(node: Node) -> None:
    """Tell this thread's observers of a value that was computed eagerly."""
    for observer in context.observers:
        observer.computed(node)


def tell_read(node: Node) -> None:
    """Tell this thread's observers that a value is handed out."""
    for observer in context.observers:
        observer.read(node)


def tell_assigned(changes: Iterable[Change]) -> None:
    """Tell this thread's observers of assignments that are about to land."""
    if context.observers:
        told = list(changes)
        for observer in context.observers:
            observer.assigned(told)
