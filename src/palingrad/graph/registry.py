"""Two tables: all operation classes, and the library's functions by name.

Operators and methods of nodes, and derivative rules of every family, call functions as `ops.name`.
So `graph/` needs no import of what stands above it, and no family needs one of another. A user's
function isn't in `ops`, and nothing there is ever replaced: the library's rules call the library's
functions, whatever a user's operation is called. What shows
nodes stands above as well: the package's `__init__` hands it in, to be imported when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from ..errors import GraphError

if TYPE_CHECKING:
    from .operation import Operation

F = TypeVar("F", bound=Callable[..., Any])
_PACKAGE = __name__.partition(".")[0] + "."

# By module and qualified name; of classes that are defined again, the newest. A user's class lives
# no longer than its nodes and names, so that a notebook may define one as often as it likes.
operations: WeakValueDictionary[str, type[Operation]] = WeakValueDictionary()
ops: Any = SimpleNamespace()


class Viewer(Protocol):
    """What shows nodes, graphs and programs: drawings, and what a notebook displays."""

    def draw(self, what: Any, path: Any = None, **options: Any) -> Any:
        """A picture of `what`, written to `path` if that is given."""

    def html_of(self, what: Any) -> str | None:
        """`what` as HTML, or None where it is too large to be shown unasked."""

    def svg_of(self, what: Any) -> str | None:
        """The same as SVG."""

    def binarized(self, graph: Any) -> Any:
        """An equivalent graph in which no node has more than two inputs."""

    def unbinarized(self, graph: Any) -> Any:
        """The graph that `binarized` made this one from."""


_viewers: list[Callable[[], Any]] = []


def show_with(load: Callable[[], Any]) -> None:
    """Let nodes be shown by the Viewer that `load` returns; it is called when one is shown."""
    _viewers[:] = [load]


def viewer() -> Viewer:
    """What shows nodes."""
    return _viewers[0]()


def name_of(operation: type[Any]) -> str:
    """The name of a class in `operations`."""
    return f"{operation.__module__}:{operation.__qualname__}"


def is_shipped(operation: type[Operation]) -> bool:
    """Whether a class is the library's own."""
    return operation.__module__.startswith(_PACKAGE)


def register(function: F) -> F:
    """Make `function` known under its name in `ops`. Raises GraphError if another has that name."""
    name = function.__name__
    if name in vars(ops):
        raise GraphError(
            f"register: the library has a function {name!r} already, and its rules call that one.",
            hint="Use the function itself, as pg.unary returns it; or give it another name=.",
        )
    setattr(ops, name, function)
    return function
