"""Boxes: the nodes that stand for the arguments that are being differentiated."""

from __future__ import annotations

from typing import Any

from ...graph.node import Node
from .extension import notrace_primitive, primitive

Box = Node

__all__ = ["Box", "getval", "isbox", "notrace_primitive", "primitive"]


def isbox(x: Any) -> bool:
    """Whether x is a node rather than a plain value."""
    return isinstance(x, Node)


def getval(x: Any) -> Any:
    """The plain value of a node; anything else unchanged."""
    return x._value[()] if isinstance(x, Node) else x
