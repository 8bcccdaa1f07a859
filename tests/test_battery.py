"""Every operation of the library passes every check of the battery, on every engine."""

from __future__ import annotations

import numpy as np
import pytest

from palingrad.autodiff.gradients import Gradient
from palingrad.autodiff.ruled import RuledBackward, RuledForward
from palingrad.engines.native.plan.accumulate import Accumulate
from palingrad.graph.operation import Item
from palingrad.ops.control.blocks import Blocks
from palingrad.ops.control.branch import Switch
from palingrad.ops.control.loop import Loop
from palingrad.ops.control.while_loop import WhileLoop
from palingrad.ops.linalg.spectral import Eig
from palingrad.ops.state import AssignVariable, Group
from palingrad.proof import shipped
from palingrad.proof.battery import CHECKS, subject_of, subject_of_all
from palingrad.proof.checks import Subject
from palingrad.proof.derivatives import (
    order_of,
    tangents_can_be_differentiated,
    third_derivatives_are_slopes,
)
from second_engine import registered
from whole import in_turn

# What changes state or steers a run has no inputs that a sample could give; see the tests named.
PROVEN_ELSEWHERE = {
    Accumulate: "test_own_reduction.py",
    AssignVariable: "test_session.py",
    Group: "test_session.py",
    Eig: "test_linalg.py, because the phases of its vectors aren't determined",
    Gradient: "test_gradients.py",
    Item: "test_battery.py, with Split",
    RuledBackward: "test_custom.py, whose functions bring the rule",
    RuledForward: "test_custom.py",
    Blocks: "scale/test_blocks.py",
    Loop: "control/test_scan.py",
    Switch: "control/test_branches.py",
    WhileLoop: "control/test_branches.py",
}
OPERATIONS = [operation for operation in shipped() if operation not in PROVEN_ELSEWHERE]
# A quarter of the time: derivatives of rules whose values and slopes are compared on all samples.
DEALT = (third_derivatives_are_slopes, tangents_can_be_differentiated)
TOGETHER = 8  # operations in a Program
GROUPS = [OPERATIONS[n : n + TOGETHER] for n in range(0, len(OPERATIONS), TOGETHER)]


def test_every_operation_brings_samples():
    assert [operation.__name__ for operation in OPERATIONS if not operation.samples] == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_battery(operation):
    """The checks that look at one sample after the other. Those that are dealt look at every third
    real one and every third complex one, at least one of each, or with PALINGRAD_TESTS=whole at
    all."""
    subject = subject_of(operation)
    found = faults([one for one in CHECKS if not (one.together or one in DEALT)], subject)
    for check in DEALT:
        found += faults([check], dealt(subject, check))
    assert found == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{group[0].__name__}…")
def test_battery_on_every_engine(group):
    """The checks that compute all samples in one Program, here those of several operations, which
    share kernels; where it fails, the operations are looked at one after the other."""
    checks = [check for check in CHECKS if check.together]
    with registered():  # an engine of a user's beside the library's
        found = faults(checks, subject_of_all(group))
        if found:
            alone = [fault for one in group for fault in faults(checks, subject_of(one))]
            assert (alone or found) == []


def dealt(subject, check):
    """The cases that a check looks at here, among those that have such derivatives."""
    deep = [case for case in subject.cases if order_of(case)] or subject.cases
    alike = ([case for case in deep if is_turned(case) == turned] for turned in (False, True))
    name = f"{subject.operation.__name__} {check.name}"
    return Subject([case for cases in alike for case in in_turn(cases, name)], subject.engines)


def is_turned(case):
    """Whether a case has complex numbers."""
    return any(map(np.iscomplexobj, case.arrays()))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 10])
def test_some_things_have_their_turn_at_each_name_and_all_at_some(count, monkeypatch):
    things = range(count)
    monkeypatch.setattr("whole.WHOLE", False)
    taken = [in_turn(things, f"name {number}") for number in range(50)]
    assert all(count // 3 <= len(one) <= (count + 2) // 3 for one in taken)
    assert min(map(len, taken)) >= 1
    assert {one for some in taken for one in some} == set(things)
    monkeypatch.setattr("whole.WHOLE", True)
    assert in_turn(things, "name") == things


def faults(checks, subject):
    """What the checks find, in words."""
    found = [fault for check in checks if (fault := check.fault(subject))]
    return [(fault.check, *getattr(fault.error, "__notes__", ()), fault.error) for fault in found]
