"""What is open while nodes are built: the graph, name scope, origin, module, observers.

It is a context variable, so that each asyncio task and each thread has its own. Its values are
never changed, because tasks share the values that they inherit.
"""

from __future__ import annotations

import contextvars
import os
import sys
import threading
import weakref
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from threading import get_ident
from types import CodeType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..classes import NamedTuple
from ..errors import printable

if TYPE_CHECKING:
    from .graph import Graph
    from .node import Node
    from .operation import Operation
    from .state.observe import Observer

R = TypeVar("R")
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Scope(str):
    """A name scope that says which modules its parts are of: two layers of one class are two.

    `modules` refers weakly to them, with None for a part that `name_scope` opened.
    """

    modules: tuple[weakref.ref[Any] | None, ...] = ()

    @classmethod
    def within(cls, outer: str, name: str, module: Any = None) -> Scope:
        """The scope `name` in the scope `outer`, opened by a module or by `name_scope`."""
        scope = cls(f"{outer}{name}/")
        held = modules_of(outer) + (None,) * name.count("/")
        scope.modules = (*held, None if module is None else weakref.ref(module))
        return scope


def modules_of(scope: str) -> tuple[weakref.ref[Any] | None, ...]:
    """For each part of a scope a reference to its module, or None."""
    return scope.modules if isinstance(scope, Scope) else (None,) * scope.count("/")


# (code object, offset of the instruction, name scope). The line number is looked up on demand only,
# because the lookup is slow.
SourceLocation = tuple[CodeType, int, str]


class Backward(tuple[CodeType, int, str]):
    """The SourceLocation of a node of the backward pass: that of the node that is differentiated.

    `level` is 1 for a first derivative, 2 for a derivative of first derivatives, and so on.
    `target` refers weakly to the node whose cotangent, or a term of it, this node is; it is None
    for intermediate results. `pulled` is the class of the operation whose vjp built the node.
    `result` refers weakly to the node y whose gradient ∂y/∂target this is; it is None where the
    reverse pass had another initial cotangent than 1.
    `returned` says which user's call returned the node; see `mark_returned`.
    """

    level: int = 1
    pulled: type[Operation] | None = None
    target: weakref.ref[Node] | None = None
    result: weakref.ref[Node] | None = None
    returned: tuple[CodeType, int, int | None] | None = None

    @classmethod
    def of(
        cls,
        place: SourceLocation,
        level: int,
        target: Node | None = None,
        *,
        pulled: type[Operation] | None = None,
        result: weakref.ref[Node] | None = None,
    ) -> Backward:
        """The same instruction, in a backward pass of this level.

        With a target, `result` is that of `place`.
        """
        location = cls(place)
        location.level = level
        location.pulled = pulled or pulled_of(place)
        location.result = result
        if target is not None:
            location.target = weakref.ref(target)
            location.result = place.result if isinstance(place, Backward) else None
        return location


def target_of(place: SourceLocation | None) -> Node | None:
    """The node whose cotangent, or a term of it, was built there; None once it was deleted."""
    target = place.target if type(place) is Backward else None
    return None if target is None else target()


def result_of(place: SourceLocation | None) -> Node | None:
    """The node y if the gradient ∂y/∂target, or a term of it, was built there."""
    result = place.result if type(place) is Backward else None
    return None if result is None else result()


def mark_returned(nodes: Sequence[Node], positions: Sequence[int | None], depth: int) -> None:
    """Record that gradients are the results of the call at this depth, if user code made it.

    The call returned each at a position of a tuple or list, or alone (None). So a drawing can name
    them after the variables to which the call's statement assigns them.
    """
    frame = sys._getframe(depth)
    if frame.f_code.co_filename.startswith(PACKAGE):
        return
    for node, position in zip(nodes, positions, strict=True):
        place = node._origin
        if type(place) is Backward and place.returned is None:
            own = Backward.of(place, place.level, target_of(place), pulled=place.pulled)
            own.returned = frame.f_code, frame.f_lasti, position
            node._origin = own


def pulled_of(place: SourceLocation | None) -> type[Operation] | None:
    """The class of the operation whose vjp built a node there; None outside a backward pass."""
    return place.pulled if type(place) is Backward else None


def level_of(place: SourceLocation | None) -> int:
    """The level of the backward pass that built a node there; 0 for a node the user built."""
    return place.level if type(place) is Backward else 0


class Ambient:
    """What is open: an immutable value of the context variable."""

    __slots__ = (
        "eager",
        "graph",
        "hidden",
        "module",
        "observers",
        "origin",
        "outer",
        "placement",
        "scope",
        "thread",
    )  # fmt: skip

    graph: Graph | None
    outer: tuple[Ambient, ...]  # for each active `with graph`, what the variable held before it
    scope: str
    origin: SourceLocation | None
    module: Any  # whose `forward` is being executed
    hidden: bool  # True while an engine or an expansion builds nodes of its own
    observers: tuple[Observer, ...]  # see observe.py
    placement: Any  # of arrays on several devices: see `engines/placement.py`
    thread: int  # that opened it: other threads start with nothing open
    eager: bool  # whether no graph is open

    def having(self, **changes: Any) -> Ambient:
        """The same for the calling thread, with these changes."""
        new = object.__new__(Ambient)
        new.graph, new.outer, new.scope, new.origin = (
            self.graph,
            self.outer,
            self.scope,
            self.origin,
        )
        new.module, new.hidden, new.observers = self.module, self.hidden, self.observers
        new.placement = self.placement
        new.thread = get_ident()
        for name, value in changes.items():
            setattr(new, name, value)
        new.eager = new.graph is None
        return new

    def inside(self, module: Any, scope: str) -> Ambient:
        """The same while the `forward` of a module is executed, in this name scope."""
        new = object.__new__(Ambient)
        new.graph, new.outer, new.origin = self.graph, self.outer, self.origin
        new.hidden, new.observers, new.eager = self.hidden, self.observers, self.eager
        new.placement = self.placement
        new.module, new.scope, new.thread = module, scope, get_ident()
        return new


def _nothing() -> Ambient:
    new = object.__new__(Ambient)
    new.graph = new.origin = new.module = new.placement = None
    new.outer, new.scope, new.hidden, new.observers, new.thread = (), "", False, (), 0
    new.eager = True
    return new


nothing_open = _nothing()
_state: ContextVar[Ambient] = ContextVar("palingrad", default=nothing_open)
_get = _state.get


class _Thread(threading.local):
    default: Ambient = nothing_open  # see `open_for_good`


class Quiet(threading.local):
    """`run` calls a function in this thread's `contextvars` context in which NumPy's floating-point
    warnings are off and nothing is open.

    Running a function in it is much cheaper than `np.errstate`, which costs more than a small
    addition. The context can't be entered again by code that runs in it.
    """

    def __init__(self) -> None:
        self.run = contextvars.copy_context().run
        self.run(_state.set, nothing_open)
        self.run(np.seterr, all="ignore")


_thread = _Thread()
quiet_here = Quiet()


def _first_run(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """`quiet_here.run`, which `quiet_run` returns from now on."""
    _quiet_run.set(run := quiet_here.run)
    return run(function, *arguments, **options)


_quiet_run: ContextVar[Callable[..., Any]] = ContextVar("palingrad.quiet", default=_first_run)


def _own_run() -> Callable[..., Any]:
    return quiet_here.run


# Returns `quiet_here.run`: a context variable is read 0.1 µs faster than an attribute of a thread.
# Another thread that runs in a copy of the context gets the same `run`, which raises RuntimeError
# while it is in use: the GIL makes that certain.
quiet_run = _quiet_run.get if getattr(sys, "_is_gil_enabled", lambda: True)() else _own_run
defaults: set[int] = set()  # the threads that have a default, by their identifiers


def context() -> Ambient:
    """What is open for the calling task and thread."""
    state = _get()
    if state is not nothing_open and state.thread == get_ident():
        return state
    return _thread.default if defaults else nothing_open


held = _get  # what the variable holds; `context` is what that means for the calling thread


def set_open(state: Ambient) -> Ambient:
    """Set the variable, and return what it held, for `set_open` to restore."""
    before = _get()
    _state.set(state)
    return before


def open_for_good(graph: Graph | None) -> tuple[Ambient, Ambient]:
    """Make `graph` the open graph, also for tasks of this thread that open nothing themselves: a
    notebook may run each cell in a context of its own. Returns what the variable held before, for
    `set_open`, and the thread's default before, for `set_default`."""
    default = _thread.default
    state = context().having(graph=graph)
    if all(getattr(state, name) == getattr(nothing_open, name) for name in Ambient.__slots__[:-2]):
        state = nothing_open  # so that a graph opened later in this thread shows in copies of this
    before = set_open(state)
    set_default(state)
    return before, default


def set_default(state: Ambient) -> None:
    """Make this what is open where the thread's tasks open nothing."""
    _thread.default = state
    if state is nothing_open:
        defaults.discard(get_ident())
    else:
        defaults.add(get_ident())


def apart(function: Callable[..., R], *arguments: Any) -> R:
    """The function's result, in a copy of the context: what it opens is closed again even if an
    interrupt comes before the function can."""
    return contextvars.copy_context().run(function, *arguments)


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


is_outside: dict[str, bool] = {}  # by file name, whether code of that file isn't this package's
_FILES = 10_000  # file names that are remembered


def find_origin(depth: int, state: Ambient | None = None) -> SourceLocation | None:
    """The innermost instruction outside this package, searched from `depth` callers up."""
    state = state or context()
    if state.origin is not None:
        return state.origin
    frame = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        outside = is_outside.get(code.co_filename)
        if outside is None:
            if len(is_outside) >= _FILES:
                is_outside.clear()
            outside = not code.co_filename.startswith(PACKAGE)
            is_outside[code.co_filename] = outside
        if outside:
            return code, frame.f_lasti, state.scope
        frame = frame.f_back
    return None


@contextmanager
def opened(**changes: Any) -> Generator[None]:
    """Change what is open until the end of the `with`."""
    mine = context().having(**changes)
    before = set_open(mine)
    try:
        yield
    except GeneratorExit:  # an interrupt came before the `with` had begun
        if _get() is mine:
            _state.set(before)
        raise
    except BaseException:
        _state.set(before)
        raise
    else:
        _state.set(before)


def graph_scope(
    graph: Graph | None, *, hidden: bool | None = None, observed: bool = True
) -> AbstractContextManager[None]:
    """Make `graph` the open graph; None computes eagerly.

    With `hidden`, new nodes aren't listed among their inputs' consumers; with observed=False,
    observers aren't notified of computed values.
    """
    changes: dict[str, Any] = {"graph": graph}
    if hidden is not None:
        changes["hidden"] = hidden
    if not observed:
        changes["observers"] = ()
    return opened(**changes)


@contextmanager
def name_scope(name: str) -> Generator[str]:
    """Put `name/` before the names of all nodes built inside; scopes nest.

    >>> import palingrad as pg
    >>> with pg.Graph():
    ...     with pg.name_scope("hidden"):
    ...         print(pg.Variable(1.0, name="bias").name)
    hidden/bias
    """
    scope = Scope.within(context().scope, name)
    with opened(scope=scope):
        yield scope


def built_at(place: SourceLocation | None) -> AbstractContextManager[None]:
    """Give all nodes built inside this origin, because they implement a node of the user's."""
    return opened(origin=place) if place else nullcontext()
