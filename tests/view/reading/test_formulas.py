"""Formulas are true: read by a reader that knows nothing of palingrad, each has the value that the
operation computes, and each line of a derivation the value that the gradient has."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import PalingradError
from palingrad.graph.describe.notation import Piece, negated, power, product, subtracted
from palingrad.graph.operation import Item, MultipleOutputs, Operation
from palingrad.proof import shipped
from palingrad.proof.case import Case
from view.reading.reader.arrays import value_of
from view.reading.reader.tokens import Unread
from view.reading.reader.unread import DERIVATIVES, VALUES

LETTERS = "abcdfhkmnpqr"
OPERATIONS = sorted(shipped(), key=lambda one: (one.__module__, one.__name__))


def wide(x: Any) -> Any:
    """Numbers with room for what overflows in between."""
    return x.astype({"f": np.longdouble, "c": np.clongdouble}.get(x.dtype.kind, x.dtype))


def agrees(found: Any, expected: Any, *, digits: float) -> int:
    """How many numbers were compared; those that aren't finite, by IEEE rules, aren't read."""
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape:  # a number, or 𝟏 of no shape, stands for an array
        found = found.reshape(()) if found.size == 1 else found
        assert found.size == 1 or found.shape == expected.shape[expected.ndim - found.ndim :]
        found = np.broadcast_to(found, expected.shape)
    with np.errstate(all="ignore"):
        found = found.astype(np.complex128 if found.dtype.kind == "c" else np.float64)
    known = np.isfinite(found) & np.isfinite(expected)
    np.testing.assert_allclose(found[known], expected[known], rtol=digits, atol=digits)
    return int(known.sum())


def shown(operation: type[Operation]) -> Iterator[tuple[Piece, dict[str, Any], Any, Any]]:
    """For each sample the formula, the values of its names, the attributes, and the result."""
    for sample in operation.samples:
        case = Case(operation, sample)
        arrays = case.arrays()
        result = case.outputs(*map(pg.tensor, arrays))[0]
        node: Any = result.inputs[0] if isinstance(result, Item) else result
        if node is not result or result.numpy().size == 0:
            continue
        names = LETTERS[: len(arrays)]
        piece = node.notation(*map(Piece, names))
        options = {"whole": result.shape, "n_": (arrays[0].shape or (0,))[-1]}
        yield piece, dict(zip(names, map(wide, arrays))), options, result.numpy()


STARTS = ["abcd", "efghijkl", "mnop", "qrs", "tuvwxyz"]  # of the operations of one test


def chosen(starts: str, left_out: Any) -> list[type[Operation]]:
    found = [one for one in OPERATIONS if one.samples and one.__name__[0].lower() in starts]
    return [one for one in found if one.__name__ not in left_out]


@pytest.mark.parametrize("starts", STARTS)
def test_each_formula_has_the_value_that_is_computed(starts):
    for operation in chosen(starts, VALUES):
        check_values(operation)


def check_values(operation: type[Operation]) -> None:
    compared = 0
    for piece, values, options, result in shown(operation):
        latex = piece.latex
        digits = 1e-9 if result.dtype.itemsize >= 8 or result.dtype.kind != "f" else 2e-6
        expected = result
        if issubclass(operation, pg.Elementwise):  # where a reader's own rounding is no matter
            expected = np.where(moderate(values, result.shape), result, np.nan)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of NumPy's nan-functions
            found = value_of(latex, values, options)
        try:
            compared += agrees(found, expected, digits=digits)
        except AssertionError as error:
            message = f"{operation.__name__}: {latex} of {options}\n{error}"
            raise AssertionError(message) from None
    assert compared, f"{operation.__name__}: no number was compared"


def moderate(values: dict[str, Any], shape: Any) -> Any:
    """Where no input is so large or small that a sum forgets it."""
    fine = np.ones(shape, bool)
    for x in values.values():
        if x.dtype.kind in "fc":
            with np.errstate(all="ignore"):
                fine &= (x == 0) | ((np.abs(x) > 1e-12) & (np.abs(x) < 1e12))
    return fine


@pytest.mark.parametrize("table", [VALUES, DERIVATIVES], ids=["values", "derivatives"])
def test_what_the_tables_leave_out_has_a_reason_and_cannot_be_read(table):
    names = {operation.__name__: operation for operation in OPERATIONS}
    check = check_values if table is VALUES else check_derivations
    for name, reason in table.items():
        assert reason
        try:
            check(names[name])
        except (Unread, AssertionError, KeyError, TypeError, ValueError):
            continue
        raise AssertionError(f"{name} can be read: take it off the table")


def test_operations_that_differ_are_written_differently():
    """Two sets of options that give different numbers for one input give different formulas."""
    compared = 0
    alike: list[str] = []
    for operation in OPERATIONS:
        if not any(one.attributes for one in operation.samples):
            continue
        for sample in operation.samples[:2]:
            case = Case(operation, sample)
            found = [one for one in map(written_by(case), operation.samples) if one is not None]
            for n, (text, value) in enumerate(found):
                for other, another in found[:n]:
                    compared += 1
                    if text == other and not same_numbers(value, another):
                        alike.append(f"{operation.__name__}: {text}")
    assert sorted(set(alike)) == []
    assert compared > 300


def written_by(case: Case):
    """A function that applies the case's operation to its inputs, with the attributes of a sample:
    the formula and the results; None where they don't fit."""
    arrays = [pg.tensor(array) for array in case.arrays()]
    pieces = [Piece(name) for name in LETTERS[: len(arrays)]]

    def write(sample: Any) -> tuple[str, list[Any]] | None:
        try:
            with np.errstate(all="ignore"):
                node: Any = case.operation.applied(arrays, sample.attributes)
                outputs = node.items if isinstance(node, MultipleOutputs) else [node]
                return node.notation(*pieces).latex, [one.numpy() for one in outputs]
        except (PalingradError, ValueError, TypeError, IndexError, KeyError, AttributeError):
            return None

    return write


def same_numbers(found: list[Any], others: list[Any]) -> bool:
    """Whether the results are equal, except for axes of size 1 of a single number or a vector."""
    if len(found) != len(others):
        return False
    pairs = [(np.squeeze(a), np.squeeze(b)) for a, b in zip(found, others)]
    return all((a.ndim < 2 and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))
               or np.array_equal(x, y, equal_nan=x.dtype.kind in "fc")
               for (a, b), x, y in zip(pairs, found, others))  # fmt: skip


def as_operands(piece: Piece, result: Any) -> Iterator[tuple[str, Any]]:
    """Formulas in which a formula is an operand, with their values."""
    arrays, q = bool(result.ndim), Piece("q")
    with np.errstate(all="ignore"):
        yield power(piece, Piece("2")).latex, result**2
        yield product(piece, q, arrays=arrays).latex, result * 3
        yield product(q, piece, arrays=arrays).latex, result * 3
        yield subtracted(q, piece).latex, 3 - result
        yield negated(piece).latex, -result


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_formulas_keep_their_value_as_operands():
    """In a square, a product and a difference each formula has the brackets that it needs."""
    compared = 0
    for operation in OPERATIONS:
        if not operation.samples or operation.__name__ in VALUES:
            continue
        for piece, values, options, result in list(shown(operation))[:2]:
            if result.dtype.kind not in "fi":
                continue
            for text, expected in as_operands(piece, result):
                found = value_of(text, {**values, "q": np.full(result.shape, 3)}, options)
                known = np.isfinite(expected) & (np.abs(expected) < 1e12)
                compared += 1
                try:
                    agrees(found, np.where(known, expected, np.nan), digits=1e-5)
                except AssertionError as error:
                    raise AssertionError(f"{operation.__name__}: {text}\n{error}") from None
    assert compared > 1000


# ---------------------------------------------------------------- derivations


def sides(latex: str) -> list[str]:
    """The sides of an equation: what stands between signs = outside all brackets."""
    parts, depth = [""], 0
    for token in re.findall(
        r"\\left(?![a-z])|\\right(?![a-z])|\\[a-zA-Z]+|\\.| = |.", latex, re.DOTALL
    ):
        depth += token in ("{", "(", r"\left", r"\begin")
        depth -= token in ("}", ")", r"\right", r"\end")
        if token == " = " and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return [part.partition(r"\quad")[0] for part in parts]


def derived(operation: type[Operation]) -> Iterator[tuple[Any, dict[str, Any], dict[str, Any]]]:
    """Derivations of Σ y·G by each input, with the values of names and the attributes."""
    for sample in operation.samples:
        case = Case(operation, sample)
        arrays = case.arrays()
        floats = [one for one in arrays if one.dtype.kind == "f"]
        if not all(np.isfinite(one).all() and (np.abs(one) < 1e6).all() for one in floats):
            continue
        xs = [pg.tensor(array, name=LETTERS[n]) for n, array in enumerate(arrays)]
        outputs = case.outputs(*xs)
        y = outputs[0]
        if len(outputs) > 1 or y.dtype is None or y.dtype.kind != "f" or not y.numpy().size:
            continue
        y._name = "y"
        G = pg.tensor(np.random.default_rng(0).normal(size=y.shape), name="G")
        for x in xs:
            if x.dtype is not None and x.dtype.kind == "f":
                try:
                    with np.errstate(all="ignore"):
                        derivation = pg.derivation(pg.sum(y * G), x)
                except PalingradError:
                    continue  # it has no derivative
                values = {str(node._name): wide(node.numpy()) for node in (*xs, G)}
                yield derivation, values, {"n_": (arrays[0].shape or (0,))[-1]}
        return


@pytest.mark.parametrize("starts", STARTS)
def test_each_line_of_a_derivation_has_the_value_of_the_gradient(starts):
    for operation in chosen(starts, DERIVATIVES):
        check_derivations(operation)


def check_derivations(operation: type[Operation]) -> None:
    for derivation, values, options in derived(operation):
        for step in derivation.steps:
            check_line(operation.__name__, step, values, options)


def term_of(
    name: str, step: Any, rest: list[str], values: dict[str, Any], options: dict[str, Any]
) -> Any:
    """The value of a repeated term, by which the lines below it are checked."""
    try:
        with np.errstate(all="ignore"):
            return value_of(rest[0], values, {**options, "whole": ()})
    except Exception as error:
        raise AssertionError(f"{name}: {step.latex}\n{error!r}") from error


def check_line(name: str, step: Any, values: dict[str, Any], options: dict[str, Any]) -> None:
    left, *rest = sides(step.latex)
    if step.value is None:
        if step.kind == "adjoint" and r"\quad" not in step.latex and "^{(" not in left:
            values[left] = term_of(name, step, rest, values, options)
        return
    if step.kind in ("expression", "adjoint"):
        values[left] = wide(np.asarray(step.value))
    if len(rest) > 1:
        rest = rest[:-1]  # the value itself, of four digits
    for side in rest:
        if side.startswith((r"[", r"\bar", r"\dots", r"\frac{\partial")):
            continue
        digits = 2e-3 if re.search(r"\d\.\d{3}", side) else 1e-7  # of numbers that were rounded
        try:
            with np.errstate(all="ignore"):
                found = value_of(side, values, {**options, "whole": np.shape(step.value)})
            agrees(found, step.value, digits=digits)
        except Exception as error:
            raise AssertionError(f"{name}: {step.latex}\n{side}\n{error!r}") from error
