"""The signature of a kernel: two kernels of equal signatures have equal code.

A deep network repeats a layer, and so its kernels, which differ only in the buffers that they use.
Such kernels are emitted and compiled once. The signature is everything that `emit` can read: the
kernel's class and plan; its nodes with their operations, attributes, shapes and dtypes; and the
views of all values. Nodes and kernels are replaced by numbers in the order of their first
occurrence, so the signature says which of them are the same but not which they are. A value that
the kernel reads from memory is described by its shape, dtype and view, not by its producer; a
single constant number, which becomes part of the code, by its bits. The regions of loops and
branches are described by all of their nodes and the bits of their constants.

Anything that isn't known here raises `Unshared`: then the kernel has code of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from functools import cache
from types import EllipsisType, FunctionType, MethodType
from typing import Any

import numpy as np

from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import Operation
from ....graph.regions.region import Region
from ....passes.program import Program
from .formula import is_number
from .kernel import Fused, Kernel, Views

_PLAIN = (bool, int, float, complex, str, bytes, type(None), EllipsisType, type, np.dtype)


class Unshared(Exception):
    """The kernel has a part that can't be compared with others."""


class Signature:
    """The signature of one kernel: `key`, and `owners`, the nodes and kernels by their numbers."""

    def __init__(self, kernel: Kernel, views: Views, whole: bool, *others: Any) -> None:
        """`whole`: whether each call is for all items; `others`: owners that every kernel may use.
        Raises Unshared."""
        self.owners: list[Any] = [*others]
        self._views = views
        self._numbers: dict[Any, int] = {owner: number for number, owner in enumerate(others)}
        self._described: set[Node] = set()
        self._plans: dict[int, int] = {}  # by identity: the place of each plan's description
        self._words: list[Hashable] = [whole]
        self._put(kernel)
        self.key = tuple(self._words)

    def number(self, owner: Any) -> int:
        """The number of a node or a kernel. Raises Unshared if it is no part of the signature."""
        try:
            return self._numbers[owner]
        except KeyError:
            raise Unshared(f"{owner!r} is outside the signature") from None

    def _put(self, value: Any) -> None:
        words = self._words
        if isinstance(value, _PLAIN):
            # The type distinguishes 1, 1.0 and True, the text 0.0 and −0.0, and NaN equals NaN.
            floats = isinstance(value, (float, complex))
            words.append((type(value), repr(value) if floats else value))
        elif isinstance(value, Node):
            self._node(value)
        elif isinstance(value, (tuple, list)):
            words.append((type(value), len(value)))
            for one in value:
                self._put(one)
        elif dataclasses.is_dataclass(value):
            self._plan(value)
        elif isinstance(value, Mapping):
            words.append((dict, len(value)))
            for key, one in value.items():
                self._put(key)
                self._put(one)
        elif isinstance(value, frozenset):
            self._members(value)
        elif isinstance(value, slice):
            words.append(slice)
            for one in (value.start, value.stop, value.step):
                self._put(one)
        elif isinstance(value, (np.ndarray, np.generic)):
            words.append((value.dtype, value.shape, value.tobytes()))
        elif isinstance(value, FunctionType) and value.__closure__ is None:
            words.append(value)
        elif isinstance(value, MethodType):
            words.append(value.__func__)
            self._put(value.__self__)
        else:
            raise Unshared(f"a {type(value).__name__}")

    def _members(self, values: frozenset[Any]) -> None:
        """A set of nodes, of which code only asks for members."""
        known = [self._numbers[one] for one in values if one in self._numbers]
        self._words.append((frozenset, tuple(sorted(known))))

    def _plan(self, value: Any) -> None:
        """A kernel, a plan or a view, by its fields; later occurrences by the first one's place."""
        found = self._plans.get(id(value))
        if found is not None:
            self._words.append(("again", found))
            return
        self._plans[id(value)] = len(self._words)
        self._words.append(type(value))
        if isinstance(value, Kernel):
            self._new(value)
        if isinstance(value, Fused):
            for node in value.nodes:
                self._own(node)
        if isinstance(value, (Region, Program)):
            for node in value.order:
                self._own(node)
                if isinstance(node, Constant) and not is_number(node):
                    self._put(node.numpy())  # which is part of the code
        for name in _fields(type(value)):
            self._put(getattr(value, name))

    def _new(self, owner: Any) -> int:
        number = self._numbers.setdefault(owner, len(self.owners))
        if number == len(self.owners):
            self.owners.append(owner)
        self._words.append(number)
        return number

    def _node(self, node: Node) -> None:
        """A node by its number; at its first occurrence also its shape, dtype and view."""
        new = node not in self._numbers
        self._new(node)
        if not new:
            return
        self._words += (node.shape, node.dtype)
        if is_number(node):
            self._words.append(node.numpy().tobytes())
        else:
            self._words.append(isinstance(node, Constant))
        view = self._views.get(node)
        if view is None:
            self._words.append(None)
        else:
            self._words += (view.shape, view.strides, view.offset)
            self._node(view.base)

    def _own(self, node: Node) -> None:
        """A node that the kernel computes: also its operation, attributes and inputs."""
        self._node(node)
        if node in self._described or not isinstance(node, Operation):
            return
        self._described.add(node)
        self._words += (type(node), len(node.inputs))
        for x in node.inputs:
            self._node(x)
        attributes = node.attributes
        self._words.append(tuple(attributes))
        for value in attributes.values():
            self._put(value)


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    """The names of a dataclass's fields."""
    return tuple(one.name for one in dataclasses.fields(kind))
