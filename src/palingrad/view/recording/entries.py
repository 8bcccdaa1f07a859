"""What a tape knows of a node: what it computes and from which other entries of the same run.

Entries hold no nodes and no values, so runs of the same program share them, and they can be saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...engines.base import sealed
from ...graph.context import Origin, graph_scope
from ...graph.leaves import Constant
from ...graph.operation import Operation
from ...maths import numpy_maths
from ...shapes import text
from ..drawing.model import Kind, Role


@dataclass(frozen=True, eq=False)
class Formula:
    """An operation and its attributes: all it takes to compute a value again."""

    operation: type[Operation]
    attributes: Mapping[str, Any]

    def __call__(self, *values: Any) -> Any:
        """The value for these inputs' values, by the operation's own formula, bit for bit."""
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
    """One node of a run. `place` is its number there, `inputs` are the places of its inputs.

    An operation without a formula is an assignment: it gives the Variable number `variable` the
    value of its input. Shapes and dtypes of several outputs are tuples of them.
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
    gradient_of: int | None = None  # the number of the Variable whose gradient it is part of

    @property
    def assigns(self) -> bool:
        """Whether it gives a Variable a new value."""
        return self.kind == "operation" and self.variable is not None

    def __str__(self) -> str:
        what = "←" if self.assigns else "=" if self.kind == "operation" else ":"
        made = self.operation if self.kind == "operation" else self.kind
        shape = text(self.shape) if isinstance(self.dtype, str) else self.shape
        where = "" if self.origin is None else f"  {self.origin}"
        return f"{self.name} {what} {made} {shape} {self.dtype}{where}"


@dataclass(frozen=True, eq=False)
class Script:
    """The entries of a run in the order they were computed, inputs first."""

    title: str
    entries: tuple[Entry, ...]

    def __len__(self) -> int:
        return len(self.entries)


Source = tuple[int, int]  # the run and the place there that a leaf's value comes from


@dataclass(eq=False)
class Run:
    """One run: its script, a value for each entry, and where leaves got theirs, if on this tape."""

    number: int
    script: Script
    values: list[Any]
    sources: Mapping[int, Source]
    whole: bool = True  # whether what operations computed is kept as it was asked for
    fed: bool = True  # whether leaves are kept whole

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The run's entries, in the order they were computed."""
        return self.script.entries


def with_roles(entries: Sequence[Entry], levels: Sequence[int]) -> tuple[Entry, ...]:
    """The entries with their roles: backward by the level of their origin, update where only
    assignments need them, else forward."""
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
            found: set[Role] = {roles[user] for user in used}
            settled = found == {"update"} or (entry.kind == "constant" and len(found) == 1)
            if settled:
                roles[entry.place] = found.pop()
    return tuple(replace(entry, role=roles[entry.place]) for entry in entries)
