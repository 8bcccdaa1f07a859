"""What is ambient while a graph is built, for each thread: open graph, name scope, origin."""

from __future__ import annotations

import contextvars
import os
import sys
import threading
import weakref
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import CodeType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from .graph import Graph
    from .node import Node
    from .observe import Observer
    from .operation import Operation

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


# An instruction, whose line is looked up only when somebody asks, and the name scope open then.
SourceLocation = tuple[CodeType, int, str]


class Backward(tuple[CodeType, int, str]):
    """The Place of a node of the backward pass: the instruction whose node was pulled back.

    `level` is 1 for a first derivative, 2 for a node that came of differentiating such nodes, ….
    `target` refers to the node whose gradient the node is, or a part of it; None for what is
    computed on the way there. `pulled` is the class of the operation that was pulled back.
    """

    level: int = 1
    pulled: type[Operation] | None = None
    target: weakref.ref[Node] | None = None

    @classmethod
    def of(
        cls,
        place: SourceLocation,
        level: int,
        target: Node | None = None,
        *,
        pulled: type[Operation] | None = None,
    ) -> Backward:
        """The same instruction, in a backward pass of this level."""
        made = cls(place)
        made.level = level
        made.pulled = pulled or pulled_of(place)
        if target is not None:
            made.target = weakref.ref(target)
        return made


def target_of(place: SourceLocation | None) -> Node | None:
    """The node whose gradient, or a part of it, was made there, while that node lives."""
    target = place.target if type(place) is Backward else None
    return None if target is None else target()


def pulled_of(place: SourceLocation | None) -> type[Operation] | None:
    """The class that was pulled back where a node of the backward pass was made, else None."""
    return place.pulled if type(place) is Backward else None


def level_of(place: SourceLocation | None) -> int:
    """0 for what the user built, else the level of the backward pass that it was made by."""
    return place.level if type(place) is Backward else 0


class Context(threading.local):
    """The calling thread's ambient state; one instance, `context`, serves all threads."""

    graph: Graph | None = None
    outer: Sequence[Graph | None] = ()  # what was open before each `with` that is entered now
    scope: str = ""
    origin: SourceLocation | None = None
    quiet: contextvars.Context | None = None  # see `quietly`
    hidden: bool = False  # nodes built now belong to an engine or an expansion, not to the user
    observers: tuple[Observer, ...] = ()  # see observe.py


class Origin(NamedTuple):
    """A line of the user's code."""

    file: str
    line: int

    @classmethod
    def of(cls, place: SourceLocation) -> Origin:
        """The line that holds the instruction."""
        code, instruction, _ = place
        found = code.co_firstlineno
        for start, end, line in code.co_lines():
            if start <= instruction < end and line is not None:
                found = line
        return cls(code.co_filename, found)

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.line}"


context = Context()


def quietly() -> contextvars.Context:
    """A context in which NumPy warns of nothing: to run in it costs next to nothing, where an
    `np.errstate` costs more than a small addition. What runs in it must not enter it again."""
    if context.quiet is None:
        context.quiet = contextvars.copy_context()
        context.quiet.run(np.seterr, all="ignore")
    return context.quiet


def find_origin(depth: int) -> SourceLocation | None:
    """The innermost instruction outside this package, from `depth` callers up, and the scope."""
    if context.origin is not None:
        return context.origin
    frame = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGE):
            return code, frame.f_lasti, context.scope
        frame = frame.f_back
    return None


@contextmanager
def graph_scope(
    graph: Graph | None, *, hidden: bool | None = None, observed: bool = True
) -> Generator[None]:
    """Make `graph` the thread's open graph; None computes eagerly. `hidden` leaves no consumers;
    with observed=False no observer hears of what is computed."""
    before = context.graph, context.hidden, context.observers
    context.graph = graph
    context.hidden = context.hidden if hidden is None else hidden
    context.observers = context.observers if observed else ()
    try:
        yield
    finally:
        context.graph, context.hidden, context.observers = before


@contextmanager
def name_scope(name: str) -> Generator[str]:
    """Put `name/` before the names of all nodes built inside; scopes nest.

    >>> import palingrad as pg
    >>> with pg.Graph():
    ...     with pg.name_scope("hidden"):
    ...         print(pg.Variable(1.0, name="bias").name)
    hidden/bias
    """
    previous, context.scope = context.scope, f"{context.scope}{name}/"
    try:
        yield context.scope
    finally:
        context.scope = previous


@contextmanager
def built_at(place: SourceLocation | None) -> Generator[None]:
    """Give all nodes built inside this origin: they stand for a node of the user's."""
    previous, context.origin = context.origin, place or context.origin
    try:
        yield
    finally:
        context.origin = previous
