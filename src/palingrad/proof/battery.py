"""The proof battery: what every operation must do, checked on the samples that it brings.

A user's own operation is checked in the same way as a built-in one.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..engines.selection import engine_names
from ..errors import GraphError
from ..graph.kinds import Composite
from ..graph.operation import Operation
from ..graph.regions.regional import Regional
from ..graph.registry import operations
from ..graph.samples import Sample
from ..ops.families import import_families
from .accuracy import half_floats_are_rounded_once, narrow_floats_are_accurate
from .case import Case
from .checks import Check, Subject
from .complexes import complex_cases
from .derivatives import (
    broadcasting_is_undone,
    derivatives_are_slopes,
    forward_is_the_transpose_of_reverse,
    gradients_keep_shape_and_dtype,
    inputs_may_be_related,
    slopes_at_kinks_are_as_told,
    tangents_can_be_differentiated,
    third_derivatives_are_slopes,
)
from .laws import a_reduction_is_made_of_its_parts
from .results import (
    empty_arrays_agree,
    engines_agree,
    layout_does_not_matter,
    nothing_is_written_to,
    other_dtypes_follow_the_rule,
    rules_tell_shape_and_dtype,
    styles_agree,
)

CHECKS = (
    rules_tell_shape_and_dtype,
    engines_agree,
    styles_agree,
    derivatives_are_slopes,
    third_derivatives_are_slopes,
    slopes_at_kinks_are_as_told,
    forward_is_the_transpose_of_reverse,
    tangents_can_be_differentiated,
    gradients_keep_shape_and_dtype,
    inputs_may_be_related,
    broadcasting_is_undone,
    layout_does_not_matter,
    nothing_is_written_to,
    other_dtypes_follow_the_rule,
    narrow_floats_are_accurate,
    half_floats_are_rounded_once,
    empty_arrays_agree,
    a_reduction_is_made_of_its_parts,
)


def shipped() -> list[type[Operation]]:
    """Every operation of the library that computes something, not the bases that they share."""
    import_families()
    return [one for one in operations.values() if one._shipped and computes(one)]


def computes(operation: type[Operation]) -> bool:
    """Whether an operation computes something, rather than being a base for others."""
    return operation is not Regional and (
        operation.f is not Operation.f
        or getattr(operation, "expand", None) not in (None, Composite.expand)
        or operation.compute not in (Operation.compute, Composite.compute)
    )


def subject_of(
    operation: type[Operation], engines: Sequence[str] = (), samples: Sequence[Sample] = ()
) -> Subject:
    """An operation with these samples or else its own, on these engines or else on all.

    Raises AssertionError if it has no samples.
    """
    return Subject(_cases(operation, samples), engines or engine_names())


def subject_of_all(operations: Sequence[type[Operation]], engines: Sequence[str] = ()) -> Subject:
    """Several operations with their own samples, for the checks that compute all cases together:
    kernels that several operations need are compiled once."""
    cases = [case for operation in operations for case in _cases(operation)]
    return Subject(cases, engines or engine_names())


def _cases(operation: type[Operation], samples: Sequence[Sample] = ()) -> list[Case]:
    if samples:
        return [Case(operation, sample) for sample in samples]
    if not operation.samples:
        raise AssertionError(
            f"{operation.__name__} has no samples: give it some, for instance "
            "samples = [pg.case((3, 4))]"
        )
    return [*(Case(operation, sample) for sample in operation.samples), *complex_cases(operation)]


def prove(operation: type[Operation], engines: Sequence[str] = ()) -> None:
    """Raise AssertionError or GradientError unless an operation passes every check on its samples,
    on these engines or else on all."""
    subject = subject_of(operation, engines)
    for check in CHECKS:
        _raise(check, subject)


def examine(
    operation: type[Operation],
    check: Check | str,
    engines: Sequence[str] = (),
    samples: Sequence[Sample] = (),
) -> None:
    """Raise AssertionError or GradientError unless an operation passes one check, also given by
    name, on these samples or else its own, on these engines or else on all."""
    chosen = check if isinstance(check, Check) else check_named(check)
    _raise(chosen, subject_of(operation, engines, samples))


def check_named(name: str) -> Check:
    """The check of this name. Raises GraphError if there is none."""
    for check in CHECKS:
        if check.name == name:
            return check
    raise GraphError(f"no check is called {name!r}; they are {', '.join(c.name for c in CHECKS)}")


def _raise(check: Check, subject: Subject) -> None:
    fault = check.fault(subject)
    if fault is not None:
        raise fault.error
