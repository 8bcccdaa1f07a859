"""Entries of a tape: for each node of a run, its operation and the entries of its inputs.

Entries hold no nodes and no values, so that runs of one program share them and files can hold them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...engines.base import sealed
from ...files.terminal import for_output
from ...graph.context import Origin, graph_scope
from ...graph.leaves import Constant
from ...graph.operation import Operation
from ...maths import numpy_maths
from ...shapes import text
from ..drawing.model import Kind, Role


@dataclass(frozen=True, eq=False)
class Formula:
    """An operation and its attributes, with which a value can be recomputed."""

    operation: type[Operation]
    attributes: Mapping[str, Any]

    def __call__(self, *values: Any) -> Any:
        """Returns the value for these input values, bit for bit as the operation computes it."""
        operation = self.operation
        if operation.compute is Operation.compute:
            with np.errstate(all="ignore"):
                return _sealed(operation.f(numpy_maths, *values, **self.attributes))
        with graph_scope(None, hidden=True, observed=False):
            inputs = [Constant.holding(value) for value in values]
            return operation.applied(inputs, self.attributes)._value


def _sealed(value: Any) -> Any:
    return tuple(map(sealed, value)) if isinstance(value, (tuple, list)) else sealed(value)


@dataclass(frozen=True, eq=False)
class Entry:
    """One node of a run. `place` is its index in the run, `inputs` are the indices of its inputs.

    An entry of kind "operation" with a `variable` is an assignment: it assigns the value of its
    input to the Variable with that number. If a node has several outputs, `shape` and `dtype` are
    tuples.
    """

    place: int
    kind: Kind
    operation: str
    name: str
    role: Role
    inputs: tuple[int, ...]
    shape: Any
    dtype: Any
    origin: Origin | None
    scope: str = ""
    formula: Formula | None = None
    variable: int | None = None
    gradient_of: int | None = None  # the number of the Variable to whose gradient it contributes
    literal: bool = False  # whether it is a number in an expression

    @property
    def assigns(self) -> bool:
        """Whether the entry is an assignment to a Variable."""
        return self.kind == "operation" and self.variable is not None

    def __str__(self) -> str:
        sign = "←" if self.assigns else "=" if self.kind == "operation" else ":"
        kind = self.operation if self.kind == "operation" else self.kind
        shape = text(self.shape) if isinstance(self.dtype, str) else self.shape
        where = "" if self.origin is None else f"  {self.origin}"
        return for_output(f"{self.name} {sign} {kind} {shape} {self.dtype}{where}")


@dataclass(frozen=True, eq=False)
class Script:
    """The entries of a run in the order of computation, inputs first."""

    title: str
    entries: tuple[Entry, ...]

    def __len__(self) -> int:
        return len(self.entries)


Source = tuple[int, int]  # (run, place in it): the entry from which a leaf takes its value


@dataclass(eq=False)
class Run:
    """One run: its script, the value of each entry, and the sources of leaves recorded earlier."""

    number: int
    script: Script
    values: list[Any]
    sources: Mapping[int, Source]
    whole: bool = True  # whether the budget left the values of operations as `keep` requests
    fed: bool = True  # whether the values of leaves are whole

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The run's entries, in the order of computation."""
        return self.script.entries


def with_roles(entries: Sequence[Entry], levels: Sequence[int]) -> tuple[Entry, ...]:
    """The entries with their roles: "backward" if the level of the origin is positive, "update" if
    only assignments use the value, otherwise "forward"."""
    users: list[list[int]] = [[] for _ in entries]
    for entry in entries:
        for x in entry.inputs:
            users[x].append(entry.place)
    roles: list[Role] = ["forward"] * len(entries)
    for entry in reversed(entries):
        used = users[entry.place]
        if entry.assigns:
            roles[entry.place] = "update"
        elif levels[entry.place]:
            roles[entry.place] = "backward"
        elif used and entry.kind != "variable":
            consumers: set[Role] = {roles[user] for user in used}
            if consumers == {"update"} or (entry.kind == "constant" and len(consumers) == 1):
                roles[entry.place] = consumers.pop()
    return tuple(replace(entry, role=roles[entry.place]) for entry in entries)
