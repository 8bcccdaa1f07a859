"""Every operation of the library passes every check of the battery, on every engine."""

from __future__ import annotations

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
from second_engine import registered

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
TOGETHER = 8  # operations in a Program
GROUPS = [OPERATIONS[n : n + TOGETHER] for n in range(0, len(OPERATIONS), TOGETHER)]


def test_every_operation_brings_samples():
    assert [operation.__name__ for operation in OPERATIONS if not operation.samples] == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_battery(operation):
    """The checks that look at one sample after the other."""
    assert faults([check for check in CHECKS if not check.together], subject_of(operation)) == []


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


def faults(checks, subject):
    """What the checks find, in words."""
    found = [fault for check in checks if (fault := check.fault(subject))]
    return [(fault.check, *getattr(fault.error, "__notes__", ()), fault.error) for fault in found]
