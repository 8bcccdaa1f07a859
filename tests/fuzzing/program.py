"""A random graph as data: values computed from values, without nodes of the library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property
from typing import Any

import numpy as np

from palingrad.graph.operation import Operation

Array = np.ndarray[Any, Any]


class Role(Enum):
    """How a leaf enters a graph that is defined first and run later."""

    PLACEHOLDER = auto()
    VARIABLE = auto()
    CONSTANT = auto()


@dataclass(frozen=True, eq=False)
class Value:
    """Something that a graph computes or is given; values are compared by identity."""


@dataclass(frozen=True, eq=False)
class Leaf(Value):
    """An array; a placeholder may leave its shape, some sizes (None) or its dtype open."""

    array: Array
    role: Role = Role.PLACEHOLDER
    shape: tuple[int | None, ...] | None = None
    dtype: np.dtype[Any] | None = None

    @staticmethod
    def known(array: Array) -> Leaf:
        """A placeholder that says all of its shape and dtype."""
        return Leaf(array, Role.PLACEHOLDER, array.shape, array.dtype)


@dataclass(frozen=True, eq=False)
class Call(Value):
    """An operation on values and Python numbers."""

    operation: type[Operation]
    inputs: tuple[Any, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Piece(Value):
    """One output of an operation that has several."""

    call: Call
    index: int


@dataclass(frozen=True, eq=False)
class Program:
    """What is computed: outputs, new values of Variables, and derivatives of the float outputs."""

    outputs: tuple[Value, ...]
    updates: tuple[tuple[Leaf, Value], ...] = ()
    derivatives: int = 0  # the highest order of the gradients that are asked for
    threads: int = 1

    @property
    def roots(self) -> tuple[Value, ...]:
        """All values that are asked for."""
        return (*self.outputs, *(value for pair in self.updates for value in pair))

    @cached_property
    def order(self) -> list[Value]:
        """All values, inputs first."""
        return postorder(self.roots)

    @cached_property
    def leaves(self) -> list[Leaf]:
        """All leaves, in the order of their first use."""
        return [value for value in self.order if isinstance(value, Leaf)]

    @property
    def fed(self) -> list[Leaf]:
        """The leaves that each run is given."""
        return [leaf for leaf in self.leaves if leaf.role is Role.PLACEHOLDER]

    @property
    def differentiable(self) -> list[Leaf]:
        """The leaves that gradients are taken with respect to."""
        return [
            leaf
            for leaf in self.leaves
            if leaf.array.dtype.kind == "f" and leaf.role is not Role.CONSTANT
        ]

    def replaced(self, changes: Mapping[Value, Value]) -> Program:
        """The program with other values in place of some."""
        made: dict[Any, Any] = dict(changes)
        for value in self.order:
            if value not in made:
                made[value] = _rebuilt(value, made)
        updates = [
            (made[leaf], made[value])
            for leaf, value in self.updates
            if isinstance(made[leaf], Leaf) and made[leaf].role is Role.VARIABLE
        ]
        return replace(
            self, outputs=tuple(made[one] for one in self.outputs), updates=tuple(updates)
        )


def inputs_of(value: Value) -> tuple[Value, ...]:
    """The values that a value is computed from."""
    if isinstance(value, Call):
        return tuple(x for x in value.inputs if isinstance(x, Value))
    return (value.call,) if isinstance(value, Piece) else ()


def postorder(roots: Iterable[Value]) -> list[Value]:
    """All values that the roots need, inputs first."""
    found: dict[Value, None] = {}
    stack = [(root, False) for root in reversed(tuple(roots))]
    while stack:
        value, ready = stack.pop()
        if value in found:
            continue
        if ready:
            found[value] = None
        else:
            stack.append((value, True))
            stack.extend((x, False) for x in reversed(inputs_of(value)))
    return list(found)


def union(programs: Sequence[Program]) -> Program:
    """One program that computes what several do."""
    return Program(
        tuple(value for program in programs for value in program.outputs),
        tuple(pair for program in programs for pair in program.updates),
        max(program.derivatives for program in programs),
        max(program.threads for program in programs),
    )


def evaluated(program: Program, leaf: Callable[[Leaf], Any], call: Callable[..., Any]) -> Any:
    """For each value what `leaf` makes of a leaf and `call` of an operation's inputs."""
    made: dict[Value, Any] = {}
    for value in program.order:
        if isinstance(value, Leaf):
            made[value] = leaf(value)
        elif isinstance(value, Piece):
            made[value] = made[value.call].items[value.index]
        elif isinstance(value, Call):
            made[value] = call(
                value, *(made[x] if isinstance(x, Value) else x for x in value.inputs)
            )
    return made


def _rebuilt(value: Value, made: Mapping[Any, Any]) -> Value:
    if isinstance(value, Piece):
        same = made[value.call] is value.call
        return value if same else Piece(made[value.call], value.index)
    if isinstance(value, Call):
        inputs = tuple(made[x] if isinstance(x, Value) else x for x in value.inputs)
        same = all(a is b for a, b in zip(inputs, value.inputs, strict=True))
        return value if same else replace(value, inputs=inputs)
    return value
