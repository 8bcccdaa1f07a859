"""What is proved of an operation: the columns of `palingrad check`, each with its checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..dtypes import is_inexact
from ..graph.kinds import Reduce
from ..graph.operation import Operation
from ..graph.promotion import tensor
from .accuracy import half_floats_are_rounded_once, narrow_floats_are_accurate, worst_ulps
from .battery import CHECKS, subject_of
from .case import Case
from .checks import FLOATS, Check, Fault, Subject
from .derivatives import (
    broadcasting_is_undone,
    broadcasts,
    derivatives_are_slopes,
    forward_is_the_transpose_of_reverse,
    gradients_keep_shape_and_dtype,
    inputs_may_be_related,
    order_of,
    related,
    slopes_at_kinks_are_as_told,
    tangents_can_be_differentiated,
    third_derivatives_are_slopes,
)
from .laws import a_reduction_is_made_of_its_parts
from .results import (
    OTHER_DTYPES,
    emptied,
    empty_arrays_agree,
    engines_agree,
    layout_does_not_matter,
    nothing_is_written_to,
    other_dtypes_follow_the_rule,
    outputs_or_refusal,
    rules_tell_shape_and_dtype,
    styles_agree,
    varies,
)

YES, NO = "✓", "–"
_IN_JSON = {YES: True, NO: None, "": False}


@dataclass(frozen=True)
class Column:
    """A heading, the checks that belong to it, and what they cover: "–" if an operation's samples
    give them nothing to check."""

    name: str
    checks: tuple[Check, ...]
    covers: Callable[[Subject, Sequence[Check]], str]


def _orders(subject: Subject, checks: Sequence[Check]) -> str:
    most = max(map(order_of, subject.cases))
    if third_derivatives_are_slopes not in checks:
        most = min(most, 2)
    return " ".join(map(str, range(1, most + 1))) or NO


def _dtypes(subject: Subject, checks: Sequence[Check]) -> str:
    """The dtypes of inputs that the operation accepts, among those tried: "f2 f4" for floats."""
    accepted: set[Any] = set()
    for case in subject.cases:
        dtypes = (*FLOATS, *OTHER_DTYPES) if varies(case) else FLOATS
        for dtype in dtypes:
            arrays = case.arrays(dtype)
            if outputs_or_refusal(case, list(map(tensor, arrays))) is not None:
                accepted |= {dtype} if varies(case) else {x.dtype for x in arrays}
    order = sorted(accepted, key=lambda dtype: ("fciub".index(dtype.kind), dtype.itemsize))
    return " ".join(dtype.str[1:] for dtype in order) or NO


def _differentiated(case: Case) -> bool:
    """Whether a case has floats that a derivative leads to and from."""
    floats = any(is_inexact(x.dtype) for x in case.arrays())
    return floats and any(is_inexact(y.dtype) for y in case.outputs(*case.arrays()))


def _if_any(holds: Callable[[Case], bool]) -> Callable[[Subject, Sequence[Check]], str]:
    return lambda subject, checks: YES if any(map(holds, subject.cases)) else NO


def _is_by_parts(operation: type[Operation]) -> bool:
    return issubclass(operation, Reduce) and operation.by_parts


def _always(subject: Subject, checks: Sequence[Check]) -> str:
    return YES


COLUMNS = (
    Column("orders", (derivatives_are_slopes, third_derivatives_are_slopes), _orders),
    Column(
        "forward",
        (forward_is_the_transpose_of_reverse, tangents_can_be_differentiated),
        _if_any(_differentiated),
    ),
    Column("kinks", (slopes_at_kinks_are_as_told,), _if_any(lambda case: bool(case.sample.slopes))),
    Column(
        "dtypes",
        (
            rules_tell_shape_and_dtype,
            gradients_keep_shape_and_dtype,
            other_dtypes_follow_the_rule,
            narrow_floats_are_accurate,
            half_floats_are_rounded_once,
        ),
        _dtypes,
    ),
    Column("broadcast", (broadcasting_is_undone,), _if_any(broadcasts)),
    Column("twice", (inputs_may_be_related,), _if_any(lambda case: bool(related(case)))),
    Column("empty", (empty_arrays_agree,), lambda s, _: YES if emptied(s) else NO),
    Column("strided", (layout_does_not_matter,), _always),
    Column("read-only", (nothing_is_written_to,), _always),
    Column("engines", (engines_agree, styles_agree), _always),
    Column(
        "parts",
        (a_reduction_is_made_of_its_parts,),
        lambda subject, _: YES if _is_by_parts(subject.operation) else NO,
    ),
)
QUICK = tuple(check for check in CHECKS if check is not third_derivatives_are_slopes)


@dataclass(frozen=True)
class Report:
    """What was proved of one operation, and its faults."""

    operation: type[Operation]
    facts: dict[str, str]  # by column; "" where a check failed
    faults: tuple[Fault, ...]
    ulps: dict[str, float] = field(default_factory=dict[str, float])  # by engine, in float32

    def as_json(self) -> dict[str, Any]:
        """The report as values of JSON, without the programs that show the faults: for each column
        true, what is proved in words, false where a check failed, or null where none applies."""
        return {
            "operation": self.operation._kind_name,
            "class": f"{self.operation.__module__}:{self.operation.__qualname__}",
            "samples": len(self.operation.samples),
            **{name: _IN_JSON.get(fact, fact) for name, fact in self.facts.items()},
            "ulp": {engine: round(worst, 2) for engine, worst in self.ulps.items()},
        }


def checked(
    operation: type[Operation], engines: Sequence[str] = (), checks: Sequence[Check] = CHECKS
) -> Report:
    """Run the checks on an operation's samples, on these engines or else on all."""
    try:
        subject = subject_of(operation, engines)
    except AssertionError as error:
        nothing = {column.name: NO for column in COLUMNS}
        return Report(operation, nothing, (Fault("samples", None, error),))
    faults = [fault for check in checks if (fault := check.fault(subject))]
    failed = {fault.check for fault in faults}
    facts: dict[str, str] = {}
    for column in COLUMNS:
        if failed.intersection(check.name for check in column.checks):
            facts[column.name] = ""
        else:
            facts[column.name] = column.covers(subject, checks)
    measured = {} if faults or checks is QUICK else worst_ulps(subject)
    return Report(operation, facts, tuple(faults), measured)


def claimed(operation: type[Operation]) -> dict[str, str]:
    """What the checks cover, by column, without running them."""
    subject = subject_of(operation)
    with np.errstate(all="ignore"):
        return {column.name: column.covers(subject, CHECKS) for column in COLUMNS}
