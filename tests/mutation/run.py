"""Runs the battery on an operation whose rule is replaced by a mutant."""

from __future__ import annotations

import ast
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import numpy as np

from mutation.mutants import Mutant
from mutation.rules import Rule
from palingrad.autodiff.check import Levels
from palingrad.autodiff.reverse import reverse
from palingrad.graph.node import Node
from palingrad.graph.operation import Operation
from palingrad.graph.registry import ops
from palingrad.graph.samples import Sample
from palingrad.proof.accuracy import half_floats_are_rounded_once, narrow_floats_are_accurate
from palingrad.proof.battery import subject_of
from palingrad.proof.case import Case
from palingrad.proof.checks import Check, each
from palingrad.proof.derivatives import (
    MOST_DIRECTIONS,
    broadcasting_is_undone,
    derivatives_are_slopes,
    forward_is_the_transpose_of_reverse,
    gradients_keep_shape_and_dtype,
    inputs_may_be_related,
    order_of,
    slopes_at_kinks_are_as_told,
    tangents_can_be_differentiated,
    third_derivatives_are_slopes,
)
from palingrad.proof.results import empty_arrays_agree

SECONDS = 5.0  # of CPU time on one operation, after which a mutant counts as caught


@each
def _first_derivatives_are_slopes(case: Case) -> None:
    """The first half of `derivatives_are_slopes`, which is quickest and catches most."""
    if order_of(case):
        Levels(case.outputs, case.arrays()).check(1, recorded=True, probed=True)


@each
def _second_derivatives_are_slopes(case: Case) -> None:
    """The other half, which may catch what is right at the first order."""
    if order_of(case):
        case.levels.check(2, recorded=True, most=MOST_DIRECTIONS)


# Those that look at derivatives, the quickest first.
ORDER: tuple[Check, ...] = (
    gradients_keep_shape_and_dtype,
    forward_is_the_transpose_of_reverse,
    _first_derivatives_are_slopes,
    _second_derivatives_are_slopes,
    slopes_at_kinks_are_as_told,
    tangents_can_be_differentiated,
    inputs_may_be_related,
    broadcasting_is_undone,
    narrow_floats_are_accurate,
    half_floats_are_rounded_once,
    third_derivatives_are_slopes,
    empty_arrays_agree,
)
# Those that catch most of a kind come before; for any other kind, what all mutants may fail.
FIRST: dict[str, tuple[Check, ...]] = {
    "dtype": (gradients_keep_shape_and_dtype,),
    "second order": (_second_derivatives_are_slopes, tangents_can_be_differentiated),
}
OTHERWISE = (_first_derivatives_are_slopes, slopes_at_kinks_are_as_told)


class Applied:
    """Whether a mutant's own helper changed anything.

    `precise` looks whether a constant cuts a derivative that isn't 0, which takes longer.
    """

    def __init__(self, precise: bool = False) -> None:
        self.once, self.precise = False, precise

    def stop(self, value: Any) -> Any:
        """`value` as a constant: right at the first order, without derivatives of its own."""
        if not isinstance(value, Node) or value.dtype is None or value.dtype.kind != "f":
            return value
        self.once = self.once or not self.precise or _has_derivative(value)
        return ops.stop_gradient(value)

    def narrow(self, value: Any) -> Any:
        return self._cast(value, np.float32 if _is(value, np.float64) else np.float16)

    def widen(self, value: Any) -> Any:
        return value if _is(value, np.float64) else self._cast(value, np.float64)

    def _cast(self, value: Any, dtype: Any) -> Any:
        if not isinstance(value, Node) or value.dtype is None or value.dtype.kind != "f":
            return value
        self.once = True
        return ops.cast(value, np.dtype(dtype))


@np.errstate(all="ignore")
def _has_derivative(value: Node) -> bool:
    """Whether a value depends on a leaf that isn't a bare number, or is one itself.

    A value in a graph isn't looked at: eager code computes the same.
    """
    if not isinstance(value, Operation):
        return True
    if value.deferred:
        return False
    cotangents = reverse({value: ops.ones_like(value)})
    leaves = [x for x in cotangents if not isinstance(x, Operation) and x.weak is None]
    return any(np.any(cotangents[x].numpy()) for x in leaves)


def _is(value: Any, dtype: Any) -> bool:
    return isinstance(value, Node) and value.dtype == dtype


def outcome(rule: Rule, mutant: Mutant) -> str:
    """The check that catches a mutant, "" if none does, "same" if it changed nothing."""
    found, changed = _tried(rule, mutant, precise=False)
    if found or not mutant.has_helper:
        return found
    if changed and mutant.kind == "second order":
        _, changed = _tried(rule, mutant, precise=True)
    return "" if changed else "same"


def _tried(rule: Rule, mutant: Mutant, precise: bool) -> tuple[str, bool]:
    """The check that catches a mutant, if one does, and whether it changed anything.

    A precise trial, of a mutant that no check catches, ends once something has changed.
    """
    applied = Applied(precise)
    function = _compiled(rule, mutant, applied)
    with _instead(rule, function):
        for check in _ordered(mutant.kind):
            if check is third_derivatives_are_slopes and mutant.has_helper and not applied.once:
                continue  # which takes longest, and meets nothing that the first two orders don't
            for operation in rule.operations:
                if _fails(check, operation):
                    return _name(check), True
                if precise and applied.once:
                    return "", True
    return "", applied.once


def _ordered(kind: str) -> list[Check]:
    first = FIRST.get(kind, OTHERWISE)
    return [*first, *(check for check in ORDER if check not in first)]


def _name(check: Check) -> str:
    parts = (_first_derivatives_are_slopes, _second_derivatives_are_slopes)
    return (derivatives_are_slopes if check in parts else check).name


_caught_last: dict[type[Operation], Sample] = {}


def _fails(check: Check, operation: type[Operation]) -> bool:
    """Whether an operation fails a check; the sample that found the last fault is tried first."""
    samples = list(operation.samples)
    last = _caught_last.get(operation)
    if last is not None and check is not empty_arrays_agree:  # which looks at the first two
        samples.sort(key=lambda sample: sample is not last)
    with _limited():
        fault = check.fault(subject_of(operation, ["numpy"], samples))
    if fault is not None and fault.case is not None:
        _caught_last[operation] = fault.case.sample
    return fault is not None


def _compiled(rule: Rule, mutant: Mutant, applied: Applied) -> FunctionType:
    """The mutant's function, in its module's global names."""
    names = {
        "__stop__": applied.stop,
        "__narrow__": applied.narrow,
        "__widen__": applied.widen,
        "__ops__": ops,
    }
    outer = ast.parse(f"def make({', '.join(names)}):\n    return 0").body[0]
    assert isinstance(outer, ast.FunctionDef)
    tree = mutant.tree
    tree.decorator_list = []
    outer.body = [tree, ast.Return(ast.Name(tree.name, ast.Load()))]
    module = ast.Module([ast.ImportFrom("__future__", [ast.alias("annotations")], 0), outer], [])
    ast.fix_missing_locations(module)
    space: dict[str, Any] = {}
    exec(compile(module, rule.function.__code__.co_filename, "exec"), vars(rule.module), space)
    return space["make"](**names)


@contextmanager
def _instead(rule: Rule, function: FunctionType) -> Iterator[None]:
    """`function` in the rule's place, wherever it was imported, and in tables of its module."""
    places: list[Any] = [rule.owner]
    tables: list[tuple[dict[Any, Any], Any]] = []
    if not isinstance(rule.owner, type):
        places = [
            module
            for name, module in list(sys.modules.items())
            if name.startswith("palingrad") and getattr(module, rule.name, None) is rule.function
        ]
        places += [ops] if getattr(ops, rule.name, None) is rule.function else []
        tables = [
            (table, key)
            for table in vars(rule.module).values()
            if isinstance(table, dict)
            for key, one in table.items()
            if one is rule.function and table is not vars(rule.module)
        ]
    try:
        _put(function, rule.name, places, tables)
        yield
    finally:
        _put(rule.function, rule.name, places, tables)


def _put(
    function: Any, name: str, places: list[Any], tables: list[tuple[dict[Any, Any], Any]]
) -> None:
    for place in places:
        setattr(place, name, function)
    for table, key in tables:
        table[key] = function


@contextmanager
def _limited() -> Iterator[None]:
    """TimeoutError where the code takes too long: a mutant may loop for ever."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"more than {SECONDS:g} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
