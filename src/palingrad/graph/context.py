"""Thread-local state during graph construction: the open graph, name scope, origin, observers."""

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

from ..errors import printable

if TYPE_CHECKING:
    from .graph import Graph
    from .node import Node
    from .observe import Observer
    from .operation import Operation

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


# (code object, offset of the instruction, name scope). The line number is looked up on demand only,
# because the lookup is slow.
SourceLocation = tuple[CodeType, int, str]


class Backward(tuple[CodeType, int, str]):
    """The SourceLocation of a node of the backward pass: that of the node that is differentiated.

    `level` is 1 for a first derivative, 2 for a derivative of first derivatives, and so on.
    `target` refers weakly to the node whose cotangent, or a term of it, this node is; it is None
    for intermediate results. `pulled` is the class of the operation whose vjp built the node.
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
        location = cls(place)
        location.level = level
        location.pulled = pulled or pulled_of(place)
        if target is not None:
            location.target = weakref.ref(target)
        return location


def target_of(place: SourceLocation | None) -> Node | None:
    """The node whose cotangent, or a term of it, was built there; None once it was deleted."""
    target = place.target if type(place) is Backward else None
    return None if target is None else target()


def pulled_of(place: SourceLocation | None) -> type[Operation] | None:
    """The class of the operation whose vjp built a node there; None outside a backward pass."""
    return place.pulled if type(place) is Backward else None


def level_of(place: SourceLocation | None) -> int:
    """The level of the backward pass that built a node there; 0 for a node the user built."""
    return place.level if type(place) is Backward else 0


class Context(threading.local):
    """The calling thread's ambient state; one instance, `context`, serves all threads."""

    graph: Graph | None = None
    outer: Sequence[Graph | None] = ()  # for each active `with graph`, the graph open before it
    scope: str = ""
    origin: SourceLocation | None = None
    quiet: contextvars.Context | None = None  # see `quietly`
    hidden: bool = False  # True while an engine or an expansion builds nodes of its own
    observers: tuple[Observer, ...] = ()  # see observe.py


class Origin(NamedTuple):
    """A line of the user's code."""

    file: str
    line: int

    @classmethod
    def of(cls, place: SourceLocation) -> Origin:
        """The line that holds the instruction."""
        code, instruction, _ = place
        number = code.co_firstlineno
        for start, end, line in code.co_lines():
            if start <= instruction < end and line is not None:
                number = line
        return cls(code.co_filename, number)

    def __str__(self) -> str:
        return f"{printable(os.path.basename(self.file))}:{self.line}"


context = Context()


def quietly() -> contextvars.Context:
    """A `contextvars` context in which NumPy's floating-point warnings are off.

    Running a function in it is much cheaper than `np.errstate`, which costs more than a small
    addition. The context can't be entered again by code that runs in it.
    """
    if context.quiet is None:
        context.quiet = contextvars.copy_context()
        context.quiet.run(np.seterr, all="ignore")
    return context.quiet


def find_origin(depth: int) -> SourceLocation | None:
    """The innermost instruction outside this package, searched from `depth` callers up."""
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
    """Make `graph` the thread's open graph; None computes eagerly.

    With `hidden`, new nodes aren't listed among their inputs' consumers; with observed=False,
    observers aren't notified of computed values.
    """
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
    """Give all nodes built inside this origin, because they implement a node of the user's."""
    previous, context.origin = context.origin, place or context.origin
    try:
        yield
    finally:
        context.origin = previous
