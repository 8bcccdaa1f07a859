"""Updates in place: a kernel writes a Variable's new value over its old value.

Every other kernel that reads the old value must run before. Where that is impossible for one
Variable, the program writes all new values to new arrays.
"""

from __future__ import annotations

from ....graph.leaves import Variable
from ....graph.node import Node
from ....graph.state.records import dataclass, field
from ....passes.program import Program
from ..kernels.family import Group
from ..kernels.movement.copy import copy_over
from ..llvm.strided_view import whole
from .groups import Groups


@dataclass(frozen=True, eq=False)
class Updates:
    """The values that are written over a Variable's, by the kernels that compute them."""

    alias: dict[Node, Variable] = field(default_factory=dict[Node, Variable])


def updates_in_place(program: Program, groups: Groups) -> Updates | None:
    """The plan that updates all Variables in place, with copy kernels where needed; None if there
    is none. Changes the groups only if there is one."""
    if not program.updates or not all(group.family.is_native for group in groups.listed):
        return None
    if any(group.family.lets_signals_in for group in groups.listed):
        return None  # a handler may read a Variable, and would wait for the end of the run
    variables = {variable for variable, _ in program.updates}
    views = groups.views
    results = {views[x].base for x in program.outputs if x in views}
    if results & variables:
        return None
    trial = _Trial(groups)
    found = Updates()
    for variable, value in program.updates:
        base = views[value].base if value in views else None
        if base is None:
            return None
        if base is variable and views[value].plain:
            continue  # the Variable is assigned its own value
        # What is a result too is written to the result's array, and copied.
        is_free = base not in found.alias and base not in results
        if is_free and trial.writes(value, variable):
            found.alias[value] = variable
        elif not trial.copies(value, variable):
            return None
    trial.commit()
    return found


class _Trial:
    """The changes that the updates need, tried on a copy of the dependencies."""

    def __init__(self, groups: Groups) -> None:
        self.groups, self.views = groups, groups.views
        self.dependencies = groups.dependencies.copy()
        self.new: list[Group] = []
        self.plain: list[Node] = []  # values to be written in row-major order
        self.readers: dict[Node, list[Group]] = {}
        # Bounds checks must run before any Variable changes: a run that fails changes nothing.
        self.checks = [group for group in groups.listed if group.family.may_fail]
        self.needs = {group: group.needs(self.views) for group in groups.listed}
        for group, needs in self.needs.items():
            for x in needs:
                if x in self.views:
                    self.readers.setdefault(self.views[x].base, []).append(group)

    def writes(self, value: Node, variable: Variable) -> bool:
        """Tries to let the kernel that computes `value` write it over the Variable's."""
        group = self.groups.producer.get(value)
        view = self.views[value]
        if group is None or view.base is not value:
            return False
        family = group.family
        if not view.plain and (self.readers.get(value) or family.fixes_layout(group, value)):
            return False
        own_reads = [x for x in self.needs[group] if self.views[x].base is variable]
        if own_reads and not (
            family.updates_in_place(group, value, variable, self.views)
            and all(self.views[x].plain and x.shape == variable.shape for x in own_reads)
        ):
            return False
        others = [reader for reader in self.readers.get(variable, []) if reader is not group]
        if not self._after(group.number, [*others, *self.checks]):
            return False
        if not view.plain:
            self.plain.append(value)
        return True

    def copies(self, value: Node, variable: Variable) -> bool:
        """Tries to add a kernel that copies the value over the Variable's."""
        base = self.views[value].base
        if isinstance(base, Variable):
            return False  # this run may update that Variable too
        if any(node is base for node in self.plain) and value is not base:
            return False  # the base's layout changes, so the value's view becomes invalid
        number = self.dependencies.new()
        group = Group(copy_over(variable, value), (), number, sources=(value,))
        producer = self.groups.producer.get(base)
        if producer is not None:
            self.dependencies.add(number, [producer.number])
        self.readers.setdefault(base, []).append(group)
        self.new.append(group)
        return self._after(number, [*self.readers.get(variable, []), *self.checks])

    def _after(self, number: int, others: list[Group]) -> bool:
        """Makes the group `number` depend on `others`; False if one of them depends on it."""
        numbers = [group.number for group in others]
        if not self.dependencies.permits(number, numbers):
            return False
        self.dependencies.add(number, numbers)
        return True

    def commit(self) -> None:
        """Applies the trial's changes to the groups."""
        self.groups.listed += self.new
        self.groups.dependencies = self.dependencies
        for value in self.plain:
            self.views[value] = whole(value)
