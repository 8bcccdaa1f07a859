"""Tables filled at import: operation classes, public functions by name, and what shows nodes.

Operators and methods of nodes, and derivative rules of every family, call functions as `ops.name`.
So `graph/` needs no import of what stands above it, and no family needs one of another. What shows
nodes stands above as well: the package's `__init__` hands it in, to be imported when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from .operation import Operation

F = TypeVar("F", bound=Callable[..., Any])

operations: list[type[Operation]] = []
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


def register(function: F) -> F:
    """Make `function` known under its name in `ops`."""
    setattr(ops, function.__name__, function)
    return function
