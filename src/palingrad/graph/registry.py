"""Two registries: all operation classes, and the library's functions by name.

Methods of nodes and derivative rules call functions as `ops.name`, so `graph/` imports no higher
layer and no family of operations imports another. Entries of `ops` are never replaced and users'
functions aren't added, so the library's rules always call the library's functions. The viewer, a
higher layer too, is registered by the package's `__init__` and imported on first use.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from ..classes import Protocol
from ..errors import GraphError
from ..messages.calls import public
from .state.imports import imported

if TYPE_CHECKING:
    from .operation import Operation

F = TypeVar("F", bound=Callable[..., Any])
_PACKAGE = __name__.partition(".")[0] + "."
_HOMES = f"{_PACKAGE}compat."  # their operations run code of users

# By module and qualified name; a class that is defined again replaces the old one. The references
# are weak, so that a class redefined in a notebook is freed with its nodes.
operations: WeakValueDictionary[str, type[Operation]] = WeakValueDictionary()


class _Functions(SimpleNamespace):
    """The library's functions by name; a family in `later` is imported when one is first used."""

    def __getattr__(self, name: str) -> Any:
        if name in aliases:
            return getattr(self, aliases[name])
        module = later.get(name) or private.get(name)
        if module is None:
            raise AttributeError(f"there is no function {name!r}")
        imported(module)
        return vars(self)[name]


later: dict[str, str] = {}  # functions whose families are imported on first use, and those modules
private: dict[str, str] = {}  # the same, of functions of higher layers that users don't call
aliases: dict[str, str] = {}  # second names of functions, and the first
ops: Any = _Functions()


def functions_called(name: str) -> dict[str, Any]:
    """The library's function of this name, if there is one, by its name."""
    exists = name in vars(ops) or name in later or name in aliases
    return {name: getattr(ops, name)} if exists else {}


class Viewer(Protocol):
    """Displays nodes, graphs and programs, in drawings and in notebooks."""

    def draw(self, what: Any, path: Any = None, **options: Any) -> Any:
        """A drawing of `what`, written to `path` if given."""

    def html_of(self, what: Any) -> str | None:
        """`what` as HTML for a notebook, or None if it is too large to be displayed there."""

    def svg_of(self, what: Any) -> str | None:
        """`what` as SVG for a notebook, or None if it is too large to be displayed there."""

    def binarized(self, graph: Any) -> Any:
        """An equivalent graph in which no node has more than two inputs."""

    def unbinarized(self, graph: Any) -> Any:
        """The graph from which `binarized` made this one."""


_viewers: list[Callable[[], Any]] = []


def show_with(load: Callable[[], Any]) -> None:
    """Register the function that loads the Viewer, called whenever a node is displayed."""
    _viewers[:] = [load]


def viewer() -> Viewer:
    """The registered Viewer."""
    return _viewers[0]()


def name_of(operation: type[Any]) -> str:
    """The key of a class in `operations`."""
    return f"{operation.__module__}:{operation.__qualname__}"


def is_shipped(operation: type[Operation]) -> bool:
    """Whether a class belongs to the library rather than to the user."""
    module = operation.__module__
    return module.startswith(_PACKAGE) and not module.startswith(_HOMES)


def register(function: F) -> F:
    """Add `function` to `ops` under its name. Raises GraphError if the name is taken.

    The result is the function for users, which explains calls that don't fit its signature.
    """
    name = function.__name__
    home = later.get(name) or private.get(name)
    if name in vars(ops) or (home is not None and home != function.__module__):
        raise GraphError(
            f"register: the library's own rules call its function {name!r}, which can't be "
            "replaced.",
            hint="Call the function that pg.unary returned, or give it another name=.",
        )
    setattr(ops, name, function)
    return function if getattr(function, "explains", False) else public(function)
