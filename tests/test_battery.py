"""Every operation of the library passes every check of the battery, on every engine."""

from __future__ import annotations

import pytest

from palingrad.autodiff.gradients import Gradient
from palingrad.engines.native.plan.accumulate import Accumulate
from palingrad.graph.kinds import Composite
from palingrad.graph.operation import Item, Operation
from palingrad.ops.linalg.general import Eig
from palingrad.ops.state import AssignVariable, Group
from palingrad.proof import shipped
from palingrad.proof.battery import CHECKS, subject_of
from palingrad.proof.derivatives import (
    tangents_can_be_differentiated,
    third_derivatives_are_slopes,
)

# What changes state or steers a run has no inputs that a sample could give; see the tests named.
PROVEN_ELSEWHERE = {
    Accumulate: "test_own_reduction.py",
    AssignVariable: "test_session.py",
    Group: "test_session.py",
    Eig: "test_linalg.py, because the phases of its vectors aren't determined",
    Gradient: "test_gradients.py",
    Item: "test_battery.py, with Split",
}
# A composite without rules of its own has the derivatives of its parts, which are checked there.
OF_RULES = (third_derivatives_are_slopes, tangents_can_be_differentiated)
OPERATIONS = [operation for operation in shipped() if operation not in PROVEN_ELSEWHERE]


def has_rules(operation: type[Operation]) -> bool:
    """Whether an operation is differentiated by rules of its own."""
    if not issubclass(operation, Composite):
        return True
    return operation.vjp is not Composite.vjp or operation.jvp is not Operation.jvp


def test_every_operation_brings_samples():
    assert [operation.__name__ for operation in OPERATIONS if not operation.samples] == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_battery(operation):
    subject = subject_of(operation)
    checks = [check for check in CHECKS if check not in OF_RULES or has_rules(operation)]
    faults = [fault for check in checks if (fault := check.fault(subject))]
    assert [(fault.check, *fault.error.__notes__, fault.error) for fault in faults] == []
