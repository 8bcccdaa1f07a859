"""Updates in place: a Variable's new value is written where the old one is, if nobody needs that.

Whoever reads the old value runs before; where that is impossible, the run makes new arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ....graph.leaves import Variable
from ....graph.node import Node
from ....passes.program import Program
from ..kernels.family import Group
from ..kernels.movement.copy import copy_over
from ..llvm.strided_view import whole
from .groups import Groups


@dataclass(frozen=True, eq=False)
class Updates:
    """Which values are written over a Variable's."""

    alias: dict[Node, Variable] = field(default_factory=dict[Node, Variable])


def updates_in_place(program: Program, groups: Groups) -> Updates | None:
    """How all updates land in place, with copies added where it takes one; None if they can't.

    Changes the groups only if they can.
    """
    if not program.updates or not all(group.family.is_native for group in groups.listed):
        return None
    variables = {variable for variable, _ in program.updates}
    views = groups.views
    if any(x in views and views[x].base in variables for x in program.outputs):
        return None
    trial = _Trial(groups)
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
    """What the updates need, tried on a copy of the dependencies."""

    def __init__(self, groups: Groups) -> None:
        self.groups, self.views = groups, groups.views
        self.dependencies = groups.dependencies.copy()
        self.new: list[Group] = []
        self.plain: list[Node] = []  # values that shall lie in row-major order
        self.readers: dict[Node, list[Group]] = {}
        # A kernel that may find integers wrong does so before any Variable changes.
        self.checks = [group for group in groups.listed if group.family.may_fail]
        self.needs = {group: group.needs(self.views) for group in groups.listed}
        for group, needs in self.needs.items():
            for x in needs:
                if x in self.views:
                    self.readers.setdefault(self.views[x].base, []).append(group)

    def writes(self, value: Node, variable: Variable) -> bool:
        """Let the kernel that makes `value` write it over the Variable's."""
        group = self.groups.producer.get(value)
        view = self.views[value]
        if group is None or view.base is not value:
            return False
        family = group.family
        if not view.plain and (self.readers.get(value) or family.fixes_layout(group, value)):
            return False
        mine = [x for x in self.needs[group] if self.views[x].base is variable]
        if mine and not (
            family.updates_in_place(group, value, variable, self.views)
            and all(self.views[x].plain and x.shape == variable.shape for x in mine)
        ):
            return False
        others = [one for one in self.readers.get(variable, []) if one is not group]
        if not self._after(group.number, [*others, *self.checks]):
            return False
        if not view.plain:
            self.plain.append(value)
        return True

    def copies(self, value: Node, variable: Variable) -> bool:
        """Let a kernel of its own copy the value over the Variable's."""
        base = self.views[value].base
        if isinstance(base, Variable):
            return False  # which may be updated itself
        if any(one is base for one in self.plain) and value is not base:
            return False  # seen where it won't be
        number = self.dependencies.new()
        group = Group(copy_over(variable, value), (), number, sources=(value,))
        producer = self.groups.producer.get(base)
        if producer is not None:
            self.dependencies.add(number, [producer.number])
        self.readers.setdefault(base, []).append(group)
        self.new.append(group)
        return self._after(number, [*self.readers.get(variable, []), *self.checks])

    def _after(self, number: int, others: list[Group]) -> bool:
        """Have the group `number` wait for these, unless one of them waits for it."""
        numbers = [one.number for one in others]
        if not self.dependencies.permits(number, numbers):
            return False
        self.dependencies.add(number, numbers)
        return True

    def commit(self) -> None:
        """Make it so."""
        self.groups.listed += self.new
        self.groups.dependencies = self.dependencies
        for value in self.plain:
            self.views[value] = whole(value)
