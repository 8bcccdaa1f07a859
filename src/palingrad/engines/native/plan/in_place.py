"""Updates in place: a Variable's new value is written where the old one is, if nobody needs that.

Whoever reads the old value runs before; where that is impossible, the run makes new arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ....graph.leaves import Variable
from ....graph.node import Node
from ....passes.program import Program
from ..kernels.copy import Copy
from ..kernels.elementwise import Loop
from ..kernels.gemm.small import Product
from ..llvm.strided_view import whole
from .fusion import Fusion, Group


@dataclass(eq=False)
class Updates:
    """Which values are written over a Variable's."""

    alias: dict[Node, Variable] = field(default_factory=dict[Node, Variable])


def updates_in_place(program: Program, fusion: Fusion, units: dict[Group, Any]) -> Updates | None:
    """How all updates land in place, with copies added where it takes one; None if they can't.

    Changes the fusion only if they can.
    """
    if not program.updates or any(group.kind == "fallback" for group in fusion.groups):
        return None
    variables = {variable for variable, _ in program.updates}
    views = fusion.views
    if any(x in views and views[x].base in variables for x in program.outputs):
        return None
    trial = _Trial(fusion, units)
    found = Updates()
    for variable, value in program.updates:
        base = views[value].base if value in views else None
        if base is None:
            return None
        if base is variable and views[value].plain:
            continue  # stays as it is
        if base not in found.alias and trial.writes(value, variable):
            found.alias[value] = variable
        elif not trial.copies(value, variable):
            return None
    if any(views[x].base in found.alias for x in program.outputs if x in views):
        return None
    trial.commit()
    return found


class _Trial:
    """Edges that the updates need, tried on copies of what waits for what."""

    def __init__(self, fusion: Fusion, units: dict[Group, Any]) -> None:
        self.fusion, self.units = fusion, units
        self.groups = list(fusion.groups)
        self.dependencies = [group.dependencies for group in self.groups]
        self.readers: dict[Node, list[Group]] = {}
        self.plain: list[Node] = []  # values that shall lie in row-major order
        self.new: dict[Group, Any] = {}
        # Who looks at integers, which may be wrong, does so before any Variable changes.
        self.bounds_checks = [group for group in self.groups if group.kind == "look"]
        for group in self.groups:
            for x in units[group].needs():
                if x in fusion.views:
                    self.readers.setdefault(fusion.views[x].base, []).append(group)

    def writes(self, value: Node, variable: Variable) -> bool:
        """Let the kernel that makes `value` write it over the Variable's."""
        group = self.fusion.producer.get(value)
        view = self.fusion.views[value]
        if group is None or view.base is not value:
            return False
        unit = self.units[group]
        if not view.plain and (self.readers.get(value) or self._has_order(group, value)):
            return False
        reads_here = variable in {self.fusion.views[x].base for x in unit.needs()}
        if reads_here and not self._same_place(unit, value, variable):
            return False
        others = [one for one in self.readers.get(variable, []) if one is not group]
        if not self._after(group.number, [*others, *self.bounds_checks]):
            return False
        if not view.plain:
            self.plain.append(value)
        return True

    def _has_order(self, group: Group, value: Node) -> bool:
        """Whether the kernel that makes the value writes it in an order of its own."""
        return group.kind == "window" and value is group.nodes[0]

    def _same_place(self, unit: Any, value: Node, variable: Variable) -> bool:
        """Whether every element of the old value is read where the new one is written."""
        if not isinstance(unit, (Loop, Product)):
            return False
        if isinstance(unit, Product):
            gemm_problem = [self.fusion.views[x].base for x in unit.node.inputs]
            if any(base is variable for base in gemm_problem):
                return False
            if value is unit.node and unit.needs_buffer(self.fusion.views):
                return False  # its sums so far would lie over the old value
        mine = [x for x in unit.reads() if self.fusion.views[x].base is variable]
        return all(self.fusion.views[x].plain and x.shape == variable.shape for x in mine)

    def copies(self, value: Node, variable: Variable) -> bool:
        """Let a kernel of its own copy the value over the Variable's."""
        group = Group("copy", (), len(self.groups))
        unit = Copy([value], into=variable)  # pyright: ignore[reportArgumentType]
        base = self.fusion.views[value].base
        if isinstance(base, Variable):
            return False  # which may be updated itself
        if any(one is base for one in self.plain) and value is not base:
            return False  # seen where it won't be
        producer = self.fusion.producer.get(base)
        before = (
            0 if producer is None else self.dependencies[producer.number] | 1 << producer.number
        )
        self.groups.append(group)
        self.dependencies.append(before)
        self.readers.setdefault(base, []).append(group)
        self.new[group] = unit
        return self._after(group.number, [*self.readers.get(variable, []), *self.bounds_checks])

    def _after(self, number: int, others: list[Group]) -> bool:
        """Have the group `number` wait for these, unless one of them waits for it."""
        if any(self.dependencies[one.number] >> number & 1 for one in others):
            return False
        more = self.dependencies[number]
        for one in others:
            more |= self.dependencies[one.number] | 1 << one.number
        if more >> number & 1:
            return False
        if more != self.dependencies[number]:
            self.dependencies[number] = more
            for other, mask in enumerate(self.dependencies):
                if mask >> number & 1:
                    self.dependencies[other] = mask | more
        return True

    def commit(self) -> None:
        """Make it so."""
        self.fusion.groups[:] = self.groups
        for group, mask in zip(self.groups, self.dependencies, strict=True):
            group.dependencies = mask
        self.units.update(self.new)
        for value in self.plain:
            self.fusion.views[value] = whole(value)
