"""Comments of statements: the source line that built a node, and its derivative in words."""

from __future__ import annotations

import linecache
import re

from ....graph.context import pulled_of
from ....graph.node import Node
from ....graph.operation import Operation


def where_built(node: Node) -> str:
    """The source line that built the node; for a gradient also the operation and its derivative."""
    origin = node.origin
    if origin is None:
        return ""
    line = linecache.getline(origin.file, origin.line).strip()
    line = "".join(c if c.isprintable() else " " for c in line)
    pulled = pulled_of(node._origin)
    if pulled is None:
        return f"{origin}: {line}" if line else str(origin)
    rule = _derivative(pulled)
    return f"{origin}, back through {pulled._kind_name}" + (f": {rule}" if rule else "")


def _derivative(operation: type[Operation]) -> str:
    """The sentences about the derivative in the docstring of an operation."""
    doc = " ".join((operation.__doc__ or "").split())
    parts = [part for part in re.split(r"(?<=[.;]) ", doc) if "∂" in part]
    return " ".join(parts).rstrip(".")
