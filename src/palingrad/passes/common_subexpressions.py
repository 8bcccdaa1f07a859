"""Common subexpression elimination: the same operation on the same inputs is computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from math import copysign
from typing import Any

from numpy import floating

from ..graph.kinds import Assign, Control, Custom
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.regions.key import digest as digest_of
from .program import Program

_MOST = 1 << 22  # constants of at most this many elements are compared by value
_SHORT = 32  # bytes that are compared themselves, rather than a digest of them


def common_subexpressions(
    program: Program, *, where: Callable[[Node], bool] | None = None
) -> Program:
    """The program with equal subexpressions merged.

    `where` says which operations may be replaced by an equal one, and which constants are known by
    their values alone; by default all. With it, operations keep their own constants.
    """
    constants = _Constants()
    firsts: dict[Hashable, Node] = {}

    def merged(node: Operation) -> Node:
        inputs = node.inputs
        for number, x in enumerate(inputs):
            if isinstance(x, Constant) and (where is None or where(x)):
                first = constants.first(x)
                if first is not x:
                    inputs = (*inputs[:number], first, *inputs[number + 1 :])
        attributes = node.attributes
        key = (type(node), *inputs, _key(attributes) if attributes else ())
        if where is not None:
            first = firsts.setdefault(key, node)
            return first if where(node) else node
        first = firsts.get(key)
        if first is None:
            first = firsts[key] = node if inputs is node.inputs else node.rewired(inputs)
        return first

    kept = (Assign, Control, Custom)
    return program.rewritten(merged, only={x for x in program.kinds if not issubclass(x, kept)})


class _Constants:
    """The constants so far. Bytes are read only if another has the same dtype and shape."""

    def __init__(self) -> None:
        self._alike: dict[Hashable, Constant] = {}  # the first of each dtype and shape
        self._equal: dict[Hashable, Constant] = {}  # the first of each value
        self._digests: dict[Constant, str] = {}

    def first(self, node: Constant) -> Constant:
        """The first constant with the bits of this one, which may be itself."""
        value = node._value
        kind = value.dtype, value.shape
        if value.nbytes <= _SHORT and not value.dtype.hasobject:
            return self._equal.setdefault((kind, value.tobytes()), node)
        alike = self._alike.setdefault(kind, node)
        if alike is node or value.size > _MOST or value.dtype.hasobject:
            return node
        self._equal.setdefault((kind, self._digest(alike)), alike)
        return self._equal.setdefault((kind, self._digest(node)), node)

    def _digest(self, node: Constant) -> str:
        digest = self._digests.get(node)
        if digest is None:
            digest = self._digests[node] = digest_of(node._value.tobytes())
        return digest


def _key(value: Any) -> Hashable:
    """A hashable value that is equal only for equal attributes; 1, 1.0 and True differ, and
    so do 0.0 and -0.0."""
    if isinstance(value, Mapping):
        entries: Mapping[str, Any] = value
        return tuple((name, _key(entry)) for name, entry in sorted(entries.items()))
    if isinstance(value, (tuple, list)):
        return tuple(_key(element) for element in value)
    if isinstance(value, slice):
        return "slice", value.start, value.stop, value.step
    if isinstance(value, (float, floating)):
        return type(value), value, copysign(1, value)
    return type(value), value if isinstance(value, Hashable) else id(value)
