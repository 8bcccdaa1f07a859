"""Formulas as users write them: both engines give NumPy's numbers, and say what NumPy is for."""

from __future__ import annotations

import math
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

import palingrad as pg
from formulas import own, same
from palingrad.engines.native.llvm.target import machine_code
from palingrad.errors import DTypeError, ShapeError
from palingrad.graph.kinds import Contract, Reduce
from palingrad.maths import numpy_maths

X = {
    "float32": np.array([-2.5, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0, 40.0], np.float32),
    "float64": np.array([-2.5, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0, 40.0]),
    "int64": np.arange(-3, 5),
    "int8": np.arange(-128, 128, 17, dtype=np.int8),
    "uint8": np.arange(0, 256, 23, dtype=np.uint8),
    "bool": np.array([True, False, True]),
}
scale = np.float64(0.1)

# Each is compiled, or NumPy computes it: for every dtype that NumPy takes.
FORMULAS = {
    "leaky": lambda m, x: x * (0.1 + 0.9 * (x > 0)),
    "half of a mask": lambda m, x: (x > 0) * 0.5,
    "one less a mask": lambda m, x: 1 - (x > 0),
    "two masks": lambda m, x: (x > 0) + (x < 2),
    "mask times mask": lambda m, x: (x > 0) * (x < 2),
    "halved": lambda m, x: x * 0.5,
    "divided": lambda m, x: x / 2,
    "inverse": lambda m, x: 1 / (x + 3),
    "root": lambda m, x: m.sqrt(x * x),
    "root of x": lambda m, x: m.sqrt(x),
    "square root by power": lambda m, x: x**0.5,
    "square": lambda m, x: x**2,
    "cube": lambda m, x: x**3,
    "cube by a float": lambda m, x: x**3.0,
    "polynomial": lambda m, x: 3 * x**2 - 2 * x + 1,
    "swish": lambda m, x: x / (1 + m.exp(-x)),
    "mish": lambda m, x: x * m.tanh(m.log1p(m.exp(x))),
    "relu": lambda m, x: m.maximum(x, 0) + 0,
    "relu of a float": lambda m, x: m.maximum(x, 0.0) + 0,
    "hinge": lambda m, x: m.maximum(0, 1 - x),
    "chosen": lambda m, x: m.where(x > 0, x, 0.1 * x),
    "chosen numbers": lambda m, x: m.where(x > 0, 1, -1),
    "chosen of two kinds": lambda m, x: m.where(x > 0, 1, 0.5),
    "chosen by numbers": lambda m, x: m.where(x, 1.0, x),
    "clipped": lambda m, x: m.minimum(m.maximum(x, -1), 1),
    "modulo": lambda m, x: x % 3,
    "modulo of a float": lambda m, x: x % 1.5,
    "whole": lambda m, x: x // 2,
    "whole of a float": lambda m, x: x // 0.5,
    "parity": lambda m, x: m.mod(m.floor(x), 2) == 0,
    "bits": lambda m, x: (x & 3) | 4,
    "shifted": lambda m, x: (x << 1) ^ (x >> 1),
    "neither": lambda m, x: ~(x > 0) & (x == x),
    "above a fraction": lambda m, x: x > 0.5,
    "counted": lambda m, x: (x > 0) + 1,
    "angle": lambda m, x: m.arctan2(x, 2),
    "length": lambda m, x: m.hypot(x, 3),
    "soft": lambda m, x: m.logaddexp(x, 0),
    "sign": lambda m, x: m.sign(x) * m.absolute(x),
    "size": lambda m, x: abs(x) + (+x),
    "NumPy's own sine": lambda m, x: np.sin(x),
    "NumPy's own choice": lambda m, x: np.where(x > 0, x, 0),
    "by a root of NumPy's": lambda m, x: x / np.sqrt(2),
    "by a double": lambda m, x: scale * x,
    "by Python's pi": lambda m, x: x * math.pi,
    "by a small integer": lambda m, x: x * np.int8(2),
    "cast": lambda m, x: m.cast(x, np.float32) * 0.5,
    "of another dtype": lambda m, x: x.astype("float64") + (x > 0),
    "by its dtype": lambda m, x: x + (0.5 if x.dtype.kind == "f" else 1),
    "number": lambda m, x: 2.5,
    "ones": lambda m, x: m.ones_like(x) + m.zeros_like(x),
    "itself": lambda m, x: x,
    "whole part": lambda m, x: m.trunc(x) + m.rint(x),
    "finite": lambda m, x: m.isfinite(1 / x) & ~m.isnan(x),
    "steps over": lambda m, x: _in_place(x),
    "by values": lambda m, x: x if x[0] > 1 else x + 1,
    "total": lambda m, x: x / m.sum(x),
    "with a dtype": lambda m, x: m.add(x, x, dtype=np.float64),
    "caught": lambda m, x: _caught(x),
}


def _in_place(x: Any) -> Any:
    y = x + 0
    y += np.ones((), y.dtype)
    return y


def _caught(x: Any) -> Any:
    try:
        return x + 1 if x.sum() > 0 else x - 1
    except Exception:
        return x * 0


@pytest.mark.parametrize("dtype", X)
def test_both_engines_give_numpys_numbers_in_numpys_dtype(dtype):
    x = X[dtype]
    expected: dict[str, Any] = {}
    for name, formula in FORMULAS.items():
        try:
            with np.errstate(all="ignore"):
                found = np.asarray(formula(numpy_maths, x))
        except (TypeError, ValueError, OverflowError):
            continue
        expected[name] = np.broadcast_to(found, x.shape)
    if dtype != "bool":
        assert len(expected) > 45
    operations = [own(FORMULAS[name]) for name in expected]
    for engine in ("numpy", "native"):
        run = pg.function(lambda x: [one(x) for one in operations], engine=engine)
        found = dict(zip(expected, run(x), strict=True))
        wrong = {
            name: word
            for name, one in expected.items()
            if (word := same(found[name], one, units=4))
        }
        assert wrong == {}, engine
    with pg.Graph():
        place = pg.placeholder(x.shape, dtype=x.dtype)
        fetches = [one(place) for one in operations]
    assert [one.dtype for one in fetches] == [one.dtype for one in expected.values()]
    with pg.Graph():
        place = pg.placeholder()  # nothing is known before it is fed
        result = own(FORMULAS["leaky"])(place)
    assert same(pg.Session(engine="native").run(result, {place: x}), expected["leaky"]) == ""


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_the_engine_that_changes_over_gives_the_same_before_and_after(dtype):
    x = X[dtype]
    run = pg.function(own(FORMULAS["leaky"]), engine="auto")
    before = run(x)
    for _ in range(40_000):
        run(x)
    assert "native" in run.explain(x)
    assert same(run(x), before) == ""


# ---------------------------------------------------------------- what only NumPy can do


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (lambda m, x: x / m.sum(x), "calls m.sum, which sees more than one element"),
        (lambda m, x: x if x[0] > 1 else -x, "takes an index"),
        (lambda m, x: x if float(x.sum()) > 0 else -x, "asks for .sum"),
        (lambda m, x: np.clip(x, 0, 1), "calls np.clip"),
        (lambda m, x: np.log(x, where=x > 0, out=np.zeros(3)), "calls m.log with where=, out="),
        (lambda m, x: x * np.arange(3.0), "computes with ndarray"),
        (lambda m, x: _caught(x), "asks for .sum"),
        (lambda m, x: _in_place(x), "writes over an array"),
        (lambda m, x: np.interp(x, [0, 1], [0, 1]), "calls np.interp"),
        (
            lambda m, x: m.cast(m.sqrt(x > 0), x.dtype),
            "computes in float16, which generated code doesn't support",
        ),
        (lambda m, x: np.array([2 * float(v) for v in x]), "counts its elements"),
        (lambda m, x: 1.5, "gives float 1.5, which doesn't depend on its arguments"),
        (lambda m, x: x.clip(0, 1), "asks for .clip"),
    ],
)
def test_explain_says_what_numpy_is_needed_for(formula, words):
    x = np.array([0.5, -1.0, 2.0])
    run = pg.function(own(formula), engine="native")
    text = " ".join(run.explain(x).split())
    assert "numpy: 1 of the kernels" in text
    assert words in text
    with np.errstate(all="ignore"):
        expected = np.broadcast_to(np.asarray(formula(numpy_maths, x)), x.shape)
    assert same(run(x), expected) == ""


@pytest.mark.parametrize(
    ("formula", "x", "error"),
    [
        (lambda m, x: -(x > 0), np.ones(3), TypeError),
        (lambda m, x: x - (x > 0) - True, np.array([True]), TypeError),
        (lambda m, x: x + 300, np.ones(3, np.uint8), OverflowError),
        (lambda m, x: x ** (x - 4), np.arange(3), ValueError),
        (lambda m, x: m.no_such_function(x), np.ones(3), AttributeError),
        (lambda m, x: 1 // 0, np.ones(3), ZeroDivisionError),
        (lambda m, x: x if x > 0 else -x, np.ones(3), ValueError),
    ],
)
@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_what_numpy_refuses_is_refused_by_every_engine(formula, x, error, engine):
    run = pg.function(own(formula), engine=engine)
    with pytest.raises(error):
        run(x)


def test_code_that_llvm_refuses_is_an_error_and_not_the_end_of_the_process():
    llvm.initialize_native_target()
    text = """
        declare i64 @llvm.sqrt.i64(i64)
        define i64 @go(i64 %x) {
          %y = call i64 @llvm.sqrt.i64(i64 %x)
          ret i64 %y
        }"""
    with pytest.raises(RuntimeError, match="Intrinsic"):
        machine_code(text)


# ---------------------------------------------------------------- what a formula depends on


class Shaped(pg.Elementwise):
    """x, or what only NumPy can do."""

    def f(m, x, *, order):
        return x + order if order < 2 else m.sum(x) + 0 * x


@pytest.mark.parametrize("orders", [(1, 2), (2, 1)])
def test_what_compiles_depends_on_attributes_too(orders):
    x = np.array([1.0, 2.0])
    for order in orders:
        run = pg.function(lambda x, order=order: Shaped(x, order=order), engine="native")
        np.testing.assert_array_equal(run(x), x + order if order < 2 else [3.0, 3.0])
        assert ("numpy:" in run.explain(x)) == (order == 2)


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_a_formula_that_reads_something_else_is_read_anew_for_each_program(engine):
    mode = ["sin"]
    operation = own(lambda m, x: getattr(m, mode[0])(x))
    x = np.array([0.5, 1.0])
    found = pg.function(operation, engine=engine)(x)
    np.testing.assert_allclose(found, np.sin(x), rtol=1e-15)  # 2 ULP at most, in native.md
    mode[0] = "exp"
    found = pg.function(operation, engine=engine)(x)
    np.testing.assert_allclose(found, np.exp(x), rtol=1e-15)  # 2 ULP at most, in native.md


def test_a_users_code_runs_once_for_a_program_in_generated_code():
    calls: list[Any] = []
    operation = own(lambda m, x: calls.append(type(x)) or x * 2 + 1)
    x = np.arange(1000.0)
    run = pg.function(lambda x: pg.sum(operation(x)), engine="native")
    assert run(x) == 1000 * 1000
    found = len(calls)
    run(x)
    assert len(calls) == found


# ---------------------------------------------------------------- rules


@pytest.mark.parametrize("engine", ["eager", "numpy", "native"])
def test_a_result_that_is_not_what_the_rules_say_is_an_error(engine):
    def run(operation: Any) -> Any:
        x = np.ones(3, np.float32)
        return (
            operation(pg.tensor(x))
            if engine == "eager"
            else pg.function(operation, engine=engine)(x)
        )

    doubled = own(lambda m, x: x * np.float64(2), dtype_rule=lambda y, *dtypes: dtypes[0])
    with pytest.raises(DTypeError, match="f returned float64, dtype_rule says float32"):
        run(doubled)
    with pytest.raises(ShapeError, match="shape_rule says"):
        run(own(lambda m, x: np.ones(5, np.float32)))


class Twice(Contract):
    """z = 2·x @ y."""

    def f(m, x, y):
        return 2 * m.matmul(x, y)

    def shape_rule(z, *shapes):
        return (*shapes[0][:-1], shapes[1][-1])


class Last(Reduce):
    """The last element of each row."""

    def f(m, x, *, axis, keepdims):
        return x[..., -1]


def test_a_users_operation_of_another_kind_is_its_own_formula():
    x, y = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    for engine in ("numpy", "native"):
        run = pg.function(lambda x, y: Twice(x, y), engine=engine)
        np.testing.assert_array_equal(run(x, y), 2 * (x @ y))
        last = pg.function(lambda x: Last(x, axis=-1, keepdims=False) + 1, engine=engine)
        np.testing.assert_array_equal(last(x), x[:, -1] + 1)


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_derivatives_of_a_formula_that_widens_are_as_wide_as_the_input(engine):
    operation = own(
        lambda m, x: x * (0.1 + 0.9 * (x > 0)), d=lambda y, x: [pg.where(x > 0, 1.0, 0.1)]
    )
    x = X["float32"]
    found = pg.function(pg.grad(lambda x: pg.sum(operation(x))), engine=engine)(x)
    assert same(found, np.where(x > 0, 1, 0.1).astype(np.float32), units=4) == ""


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("slope", "fact"),
    [
        (lambda x: x[:, None] * np.ones(3), r"a slope of shape \(3, 3\) for a result"),
        (lambda x: x[:2], r"a slope of shape \(2,\) for a result of shape \(3,\)"),
        (lambda x: True, "True, not a node or a number"),
        (lambda x: lambda: "2x", "'2x', not a node or a number"),
    ],
)
def test_a_slope_that_is_not_a_number_for_each_element_is_refused(slope, fact):
    class Crooked(pg.Elementwise):
        def f(m, x):
            return x * x

        def d(y, x):
            return [slope(x)]

    x = np.array([0.5, 1.0, 2.0])
    with pytest.raises(pg.errors.GradientError, match=f"crooked: d returned {fact}"):
        pg.grad(lambda x: pg.sum(Crooked(x)))(x)
    with pytest.raises(pg.errors.GradientError, match=f"crooked: d returned {fact}"):
        pg.jvp(lambda x: Crooked(x), (x,), (x,))
