"""Functions that are another library's on arrays, and palingrad's on nodes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ...graph.node import Node
from ...trees import leaves


def has_nodes(args: Any, kwargs: Any) -> bool:
    """Whether an argument, or an element of one, is a node."""
    for arg in args:
        if isinstance(arg, Node):
            return True
    return any(isinstance(leaf, Node) for leaf in leaves([list(args), dict(kwargs)]))


def forwarding(original: Any, ours: Any) -> Callable[[str], Any]:
    """The `__getattr__` of a module: a function of `original`, a module or distribution, which for
    nodes is that of `ours` if there is one of its name."""
    known: dict[str, Any] = {}

    def attribute(name: str) -> Any:
        if name not in known:
            found = getattr(original, name)
            on_nodes: Any = getattr(ours, name, None)
            if not callable(found) or isinstance(found, type) or on_nodes is None:
                known[name] = found
            else:
                known[name] = either(found, on_nodes)
        return known[name]

    return attribute


def either(on_arrays: Callable[..., Any], on_nodes: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is one of two, by whether an argument is a node."""

    @functools.wraps(on_arrays)
    def function(*args: Any, **kwargs: Any) -> Any:
        return (on_nodes if has_nodes(args, kwargs) else on_arrays)(*args, **kwargs)

    return function
