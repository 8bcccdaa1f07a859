"""Objects that stand for a node: those of other libraries' names, such as a home's scalars."""

from __future__ import annotations

from typing import Any


def node_of(what: Any) -> Any:
    """The node that an object stands for, by its property `__palingrad_node__`; any other object
    unchanged."""
    if hasattr(type(what), "__palingrad_node__"):
        return what.__palingrad_node__
    return what
