"""Every operation of the library passes every check of the battery, on every engine."""

from __future__ import annotations

import pytest

from palingrad.autodiff.gradients import Gradient
from palingrad.engines.native.plan.accumulate import Accumulate
from palingrad.graph.operation import Item
from palingrad.ops.control.branch import Switch
from palingrad.ops.control.loop import Loop
from palingrad.ops.control.while_loop import WhileLoop
from palingrad.ops.linalg.spectral import Eig
from palingrad.ops.state import AssignVariable, Group
from palingrad.proof import shipped
from palingrad.proof.battery import CHECKS, subject_of

# What changes state or steers a run has no inputs that a sample could give; see the tests named.
PROVEN_ELSEWHERE = {
    Accumulate: "test_own_reduction.py",
    AssignVariable: "test_session.py",
    Group: "test_session.py",
    Eig: "test_linalg.py, because the phases of its vectors aren't determined",
    Gradient: "test_gradients.py",
    Item: "test_battery.py, with Split",
    Loop: "control/test_scan.py",
    Switch: "control/test_branches.py",
    WhileLoop: "control/test_branches.py",
}
OPERATIONS = [operation for operation in shipped() if operation not in PROVEN_ELSEWHERE]


def test_every_operation_brings_samples():
    assert [operation.__name__ for operation in OPERATIONS if not operation.samples] == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_battery(operation):
    subject = subject_of(operation)
    faults = [fault for check in CHECKS if (fault := check.fault(subject))]
    assert [(fault.check, *fault.error.__notes__, fault.error) for fault in faults] == []
