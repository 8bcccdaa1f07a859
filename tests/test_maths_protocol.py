"""`m`, declared once: all who bring one compute as NumPy does, function by function.

Every function and operator, on every pair of dtypes, with numbers that are special.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import formulas as table
import palingrad as pg
from formulas import BINARY, DTYPES, ROUNDED, UNARY, combinations, numbers, own, pairs, same
from palingrad.engines.formulas import Formula, Number, Refused, read
from palingrad.engines.native.plan.lower import NodeMaths
from palingrad.maths import numpy_maths
from palingrad.maths.operands import BINARY as OPERATORS, COMPARISONS
from palingrad.maths.protocol import ARRAYS, ELEMENTWISE, LIBRARY, Maths
from palingrad.view.page.trace import IN_PAGE, Tape, Traced
from palingrad.view.reading.source.code import Writer, atom

COMPARED = set(COMPARISONS.values())
SCALARS = [True, 2, 300, -1, 0.5, np.float32(0.5), np.float64(3.0), np.int16(2), np.array(2.0)]


def test_numpys_functions_are_those_that_are_declared():
    declared = {*ELEMENTWISE, *ARRAYS, *LIBRARY}
    assert set(vars(numpy_maths)) == declared
    assert len(declared) == len(ELEMENTWISE) + len(ARRAYS) + len(LIBRARY)
    for name in declared:
        rule = getattr(Maths, name)
        assert inspect.getdoc(rule), name
        assert len(inspect.signature(rule).parameters) > 1, name


# ---------------------------------------------------------------- formulas that are read


def calculated(operation: Any, *arrays: Any) -> Any:
    """What NumPy computes, or None where it refuses."""
    try:
        with np.errstate(all="ignore"):
            return np.asarray(operation.f(numpy_maths, *arrays))
    except (TypeError, ValueError, OverflowError):
        return None


def replayed(formula: Formula, arrays: Any) -> Any:
    """The steps of a formula, each by NumPy on arrays of one dtype."""
    places = list(arrays)
    with np.errstate(all="ignore"):
        for step in formula.steps:
            given: list[Any] = [
                (x.value if isinstance(x, Number) else places[x]).astype(dtype)
                for x, dtype in step.taken()
            ]
            options = (step.result,) if step.name == "cast" else ()
            places.append(np.asarray(getattr(numpy_maths, step.name)(*given, *options)))
            assert places[-1].dtype == step.result
    if isinstance(formula.result, Number):
        return np.full(np.broadcast_shapes(*(x.shape for x in arrays)), formula.result.value)
    return places[formula.result]


def node_of(operation: Any, *arrays: Any) -> Any:
    with pg.Graph():
        return operation(*(pg.placeholder(x.shape, dtype=x.dtype) for x in arrays))


class Mixed(pg.Elementwise):
    """A base of operations on inputs of several dtypes."""

    promotes = False


def mixed(formula: Any) -> Any:
    return type("Mixed", (Mixed,), {"f": formula})


def read_like_numpy(operation: Any, arrays: Any, units: float = 0) -> str:
    """What is wrong with how the formula is read, in words."""
    expected = calculated(operation, *arrays)
    try:
        formula = read(node_of(operation, *arrays))
    except Refused as refused:
        return "" if expected is None else f"refused: {refused}"
    if expected is None:
        return "" if formula.steps[-1].name == "power" else "read, but NumPy refuses it"
    return same(replayed(formula, arrays), expected, units)


def operands(name: str, x: Any, y: Any) -> list[Any]:
    """Numbers of two dtypes; whole exponents that aren't negative."""
    first, second = pairs(numbers(x), numbers(y))
    return [first, second & 3 if name == "power" and y.kind in "iu" else second]


ALL = [*DTYPES, np.dtype(np.float16)]


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number_are_read_with_numpys_dtypes(name):
    operation = own(lambda m, x: getattr(m, name)(x))
    for dtype in ALL:
        assert read_like_numpy(operation, [numbers(dtype)]) == "", dtype


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_numbers_are_read_with_numpys_dtypes(name):
    operation = mixed(lambda m, x, y: getattr(m, name)(x, y))
    for x, y in combinations(ALL, ALL):
        wrong = read_like_numpy(operation, operands(name, x, y))
        both = {x.name, y.name}
        if name in COMPARED and "uint64" in both and both & {"int8", "int16", "int32", "int64"}:
            assert wrong.startswith(f"refused: calls m.{name} on "), (x, y)
        else:
            assert wrong == "", (x, y)


@pytest.mark.parametrize("scalar", SCALARS, ids=lambda one: f"{type(one).__name__} {one}")
@pytest.mark.parametrize("sign", OPERATORS)
def test_operators_with_numbers_have_numpys_dtypes(sign, scalar):
    if sign == "matmul":
        return
    right = mixed(lambda m, x: getattr(x, f"__{sign}__")(scalar))
    left = mixed(lambda m, x: getattr(x, f"__r{sign}__")(scalar))
    for operation, dtype in combinations([right, left], ALL):
        x = numbers(dtype)
        x = x & 3 if sign == "pow" and dtype.kind in "iu" else x
        assert read_like_numpy(operation, [x], 4 * (sign == "pow")) == "", (
            dtype,
            operation is left,
        )


@pytest.mark.parametrize("scalar", SCALARS, ids=lambda one: f"{type(one).__name__} {one}")
def test_comparisons_and_choices_with_numbers_have_numpys_dtypes(scalar):
    for name, dtype in combinations(["less", "equal", "maximum", "where"], ALL):
        x = numbers(dtype)
        operation = own(
            lambda m, x, name=name: (
                m.where(x > 1, x, scalar) if name == "where" else getattr(m, name)(x, scalar)
            )
        )
        wrong = read_like_numpy(operation, [x])
        if wrong.startswith("refused"):  # a number beyond x's dtype, which compares all the same
            assert name in COMPARED | {"where"}, wrong
            assert "OverflowError" in wrong or "uint64 and int64" in wrong
        else:
            assert wrong == "", (name, dtype)


# ---------------------------------------------------------------- machine code

# Dtypes for which also those functions are compiled that take floats: the others' are cast.
FUNCTIONS = {np.dtype(np.int64), np.dtype(np.int16), np.dtype(np.float32), np.dtype(np.float64)}


def programmed(dtype: Any) -> list[tuple[str, Any, list[Any]]]:
    """(name, operation, inputs) for all functions that can be compiled for a dtype."""
    found: list[tuple[str, Any, list[Any]]] = []
    for name in (*UNARY, *BINARY):
        function = own(
            (lambda m, x, name=name: getattr(m, name)(x))
            if name in UNARY
            else (lambda m, x, y, name=name: getattr(m, name)(x, y))
        )
        arrays = [numbers(dtype)] if name in UNARY else operands(name, dtype, dtype)
        if calculated(function, *arrays) is not None and (
            name not in ROUNDED or dtype in FUNCTIONS
        ):
            found.append((name, function, arrays))
    return found


def without_rounding(found: Any, expected: Any, *inputs: Any) -> list[Any]:
    """Zeros where the two differ by no more than roundings of the inputs."""
    with np.errstate(all="ignore"):
        sizes = np.fmax(*(np.abs(x.astype(expected.dtype)) for x in inputs))
        near = np.isfinite(sizes) & (np.abs(found - expected) <= 4 * np.spacing(sizes))
    return [np.where(near, 0, x) for x in (found, expected)]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_machine_code_computes_every_function_as_numpy_does(dtype):
    cases = programmed(dtype)
    with pg.Graph():
        inputs = [[pg.placeholder(x.shape, dtype=dtype) for x in arrays] for *_, arrays in cases]
        outputs = [function(*given) for (_, function, _), given in zip(cases, inputs, strict=True)]
    feeds = {
        x: value
        for given, (*_, arrays) in zip(inputs, cases, strict=True)
        for x, value in zip(given, arrays, strict=True)
    }
    found = pg.Session(engine="native").run(outputs, feeds)
    wrong: dict[str, str] = {}
    for (name, function, arrays), one in zip(cases, found, strict=True):
        expected = calculated(function, *arrays)
        if name == "logaddexp":  # its error is beside the largest of the three
            one, expected = without_rounding(one, expected, *arrays)
        if word := same(one, expected, 4 * (name in ROUNDED)):
            wrong[name] = word
    assert wrong == {}


# ---------------------------------------------------------------- the other implementers


@pytest.mark.parametrize("dtype", ["bool", "int64", "float64"])
def test_functions_of_nodes_are_numpys(dtype):
    for name in (*UNARY, *BINARY):

        def function(m: Any, *x: Any, name: str = name) -> Any:
            return getattr(m, name)(*x)

        arrays = operands(name, np.dtype(dtype), np.dtype(dtype))[: table.ARITY[name]]
        expected = calculated(own(function), *arrays)
        if expected is None or expected.dtype == np.float16:
            continue
        try:
            found = function(NodeMaths(), *map(pg.tensor, arrays)).numpy()
        except pg.errors.PalingradError:
            continue
        if found.dtype == expected.dtype:  # else a formula with it stays NumPy's
            assert same(found, expected, 4 * (name in ROUNDED)) == "", name


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "float64"])
def test_formulas_written_as_text_compute_what_numpy_does(dtype):
    lacking = [name for name in (*UNARY, *BINARY) if not hasattr(np, name)]
    space = {"np": np} | {name: getattr(numpy_maths, name) for name in lacking}
    formulas: dict[str, Any] = {
        name: (lambda m, *x, name=name: getattr(m, name)(*x)) for name in (*UNARY, *BINARY)
    }
    for sign in OPERATORS.keys() - {"matmul"}:
        formulas[f"x {sign} y"] = lambda m, x, y, sign=sign: getattr(x, f"__{sign}__")(y)
        for number in (2, 0.5, np.float32(0.5), np.float64(0.5)):
            formulas[f"{number!r} {sign} x"] = lambda m, x, sign=sign, number=number: getattr(
                x, f"__r{sign}__"
            )(number)
    for text, formula in formulas.items():
        count = 2 if text in BINARY or text.endswith("y") else 1
        name = "power" if "pow" in text else text
        arrays = operands(name, np.dtype(dtype), np.dtype(dtype))[:count]
        expected = calculated(own(formula), *arrays)
        if expected is not None:
            names = ["x", "y"][:count]
            code = written(formula(Writer(lambda name: name), *map(atom, names)))
            with np.errstate(all="ignore"):
                found = eval(code, space | dict(zip(names, arrays, strict=True)))
            assert same(found, expected) == "", (text, code)


def written(code: Any) -> str:
    """The text of an expression."""

    def text(one: Any) -> Any:
        return one.write(*map(text, one.operands))

    return text(code).flat


def test_the_pages_trace_computes_as_numpy_and_notes_every_function():
    for name, dtype in combinations(sorted(set(UNARY + BINARY) & IN_PAGE), ["bool", "float32"]):
        arrays = operands(name, np.dtype(dtype), np.dtype(dtype))[: table.ARITY[name]]
        function = own(lambda m, *x, name=name: getattr(m, name)(*x))
        expected = calculated(function, *arrays)
        if expected is not None:
            tape = Tape(len(arrays))
            inputs = [Traced(tape, place, x) for place, x in enumerate(arrays)]
            found = function.f(tape, *inputs)
            steps = [step[0] for step in tape.steps]
            of_integers = name in ("floor_divide", "mod") and dtype == "bool"
            assert steps == ([name, "equal", "where"] if of_integers else [name])
            assert same(found.value, expected) == "", name
