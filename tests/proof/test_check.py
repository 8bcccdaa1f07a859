"""`palingrad check` prints what is proved, and each fault as a program that fails alike."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import palingrad as pg
from palingrad import cli
from palingrad.errors import GradientError, GraphError
from palingrad.graph.operation import Operation
from palingrad.ops.elementwise.arithmetic import Sqrt
from palingrad.ops.elementwise.comparison import Equal
from palingrad.ops.reduction.reduce import Sum
from palingrad.ops.reduction.softmax import Softmax
from palingrad.proof import CHECKS, prove, shipped
from palingrad.proof.accuracy import worst_ulps
from palingrad.proof.battery import subject_of
from palingrad.proof.fault import shown
from palingrad.proof.find import find
from palingrad.proof.report import COLUMNS, checked, claimed

OWN = """
import numpy as np
import palingrad as pg


class Cube(pg.Elementwise):
    samples = [pg.case((3, 4)), pg.case((0, 2))]

    def f(m, x):
        return x * x * x

    def d(y, x):
        return [3 * x * x]


class Base(pg.Elementwise):
    samples = [pg.case((2,))]


class SecondOrder(Cube):
    def d(y, x):
        return [3 * x * pg.stop_gradient(x)]


class Layout(Cube):
    def f(m, x):
        return x * x * x if np.asarray(x).flags.c_contiguous else -x * x * x


class Swapped(pg.Elementwise):
    samples = [pg.case((5, 8), (5, 8)), pg.case((2, 1), (3,))]

    def f(m, x, y):
        return x * y

    def d(z, x, y):
        return [x, y]


class Twice(pg.Composite):
    samples = [pg.case((3, 4), axis=np.int64(0))]

    def expand(y, x):
        return pg.concat([x, x], axis=y.axis)

    def vjp(y, g, x):
        return [g[:3]]


class Bare(Cube):
    samples = []
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with `own.py`, to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    Path("own.py").write_text(OWN)
    Path("plain.py").write_text("n = 3\n")
    yield tmp_path
    sys.modules.pop("own", None)


@pytest.fixture
def check(here, monkeypatch, capsys):
    """Runs `palingrad check` in this process: the exit status and what was printed."""

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["palingrad", "check", *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code or 0
        return code, capsys.readouterr().out

    return run


def test_what_is_right_is_a_row_of_the_table(check):
    code, output = check("own.py:Cube", "softmax")
    assert code == 0
    heading, cube, softmax, total = output.strip().splitlines()
    assert heading.split()[:5] == ["operation", "orders", "forward", "kinks", "dtypes"]
    assert cube.split()[:13] == "cube 1 2 3 ✓ – f2 f4 f8 i4 i8 u1 b1".split()
    assert softmax.split()[:4] == "softmax 1 2 3".split()
    assert total.startswith("2 operations on 9 samples, engines ")
    assert total.endswith("none with faults")


def test_json_has_the_same_and_quick_says_that_it_does_less(check):
    code, output = check("own:Cube", "--json", "--quick")
    found = json.loads(output)
    assert code == 0
    assert found["engines"] == ["numpy"]
    assert found["operations"][0]["orders"] == "1 2"
    assert found["operations"][0]["ulp"] == {}
    assert found["operations"][0]["forward"] is True
    assert found["operations"][0]["kinks"] is None
    assert found["faults"] == []


FAULTS = {
    "second_order": {"derivatives_are_slopes", "third_derivatives_are_slopes"},
    "layout": {"layout_does_not_matter"},
    "swapped": {"derivatives_are_slopes"},
    "twice": {"derivatives_are_slopes"},
    "bare": {"samples"},
}


def test_each_fault_is_a_program_that_shows_it(check):
    code, output = check("own.py", "--json")
    found = json.loads(output)
    assert code == 1
    assert [one["operation"] for one in found["operations"]] == ["cube", *FAULTS]
    assert found["operations"][1]["orders"] is False
    caught: dict[str, set[str]] = {}
    for one in found["faults"]:
        caught.setdefault(one["operation"], set()).add(one["check"])
        assert len(one["program"].splitlines()) < 15
        with pytest.raises((AssertionError, GradientError)):
            exec(one["program"], {})
    assert caught.keys() == FAULTS.keys()
    assert all(expected <= caught[name] for name, expected in FAULTS.items())


def test_the_program_of_an_elementwise_fault_has_one_element(check):
    _, output = check("own.py:SecondOrder", "--json")
    text = json.loads(output)["faults"][0]["program"]
    assert text.splitlines()[-2].startswith("x = np.array([0.5478467492")
    assert (
        text.splitlines()[-1]
        == "pg.check_gradients(lambda x: (y := SecondOrder(x)) * (1 + y), x, order=2)"
    )


def test_without_samples_no_check_is_called_a_fault(check):
    code, output = check("own.py:Bare")
    assert code == 1
    _, bare, total, _, fact, *_ = output.splitlines()
    assert bare.split() == ["bare", *"–" * len(COLUMNS)]
    assert total.startswith("1 operation on 0 samples, engines ")
    assert fact.startswith("# Bare has no samples: ")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("sofmax", "no operation is called 'sofmax'. Did you mean softmax"),
        ("own.py:Cub", "own.py has no operation 'Cub'; its operations are Cube, SecondOrder"),
        ("own.py:Base", "own.py has no operation 'Base'"),
        ("nowhere.py", "there is no file 'nowhere.py'"),
        ("plain.py", "plain.py has no operation. An operation is a class"),
        ("nowhere:Cube", "there is no module 'nowhere'"),
        ("json:Cube", "json has no operation 'Cube', nor any other."),
    ],
)
def test_what_isnt_there_is_said(here, place, said):
    with pytest.raises(GraphError, match=said.replace("(", r"\(")):
        find([place])


def test_all_operations_with_samples_are_found():
    assert [one.operation for one in find([])] == [one for one in shipped() if one.samples]


# ---------------------------------------------------------------- the machinery


def test_every_check_belongs_to_one_column():
    listed = [check.name for column in COLUMNS for check in column.checks]
    assert sorted(listed) == sorted(check.name for check in CHECKS)


class Coarse(pg.Elementwise):
    """y = x + 1, off by about 40 units in float32."""

    samples = [pg.case((3,), low=0.5, high=0.9)]

    def f(m, x):
        return (x + 1) * (1 + 4e-6) if x.dtype == np.float32 else x + 1

    def d(y, x):
        return [1]


def test_errors_are_counted_in_units_in_the_last_place():
    found = worst_ulps(subject_of(Coarse, ["numpy"]))
    assert 50 < found["numpy"] < 70
    assert worst_ulps(subject_of(Sqrt, ["numpy"]))["numpy"] <= 0.5


class HalfOverflows(pg.Elementwise):
    """y = x, by way of a square, which overflows in float16 at 256."""

    samples = [pg.case((3,), low=300, high=400)]

    def f(m, x):
        return x * x / x

    def d(y, x):
        return [1]


def test_float16_that_overflows_is_caught():
    faults = checked(HalfOverflows, ["numpy"]).faults
    assert [fault.check for fault in faults] == ["narrow_floats_are_accurate"]


def test_claims_are_what_is_proved():
    for operation in (Softmax, Sum, Equal):
        assert checked(operation).facts == claimed(operation)


class Ramp(pg.Elementwise):
    """y = max(x, 0), with another slope at 0 than its sample tells."""

    samples = [pg.kink([0.0, 1.0], slopes=[[0.0, 1.0]])]

    def f(m, x):
        return m.maximum(x, 0)

    def d(y, x):
        return [x >= 0]


class LosesTheCotangent(pg.Elementwise):
    """y = 2x, whose second derivative is 0, with a gradient that doesn't depend on g's inputs."""

    samples = [pg.case((3,))]

    def f(m, x):
        return 2 * x

    def vjp(y, g, x):
        return [2 * pg.stop_gradient(g)]


class StopsTangents(pg.Elementwise):
    """y = x², whose tangent is right, but can't be differentiated."""

    samples = [pg.case((3,))]

    def f(m, x):
        return x * x

    def d(y, x):
        return [2 * x]

    def jvp(y, tangents, *x):
        return 2 * pg.stop_gradient(x[0]) * tangents[0]


class TruncatesTangents(pg.Elementwise):
    """y = ⌊x⌋ as an integer, which has no derivative, with a tangent."""

    samples = [pg.case((3,), low=1.1, high=1.9)]

    def f(m, x):
        return m.cast(m.floor(x), np.int64)

    def dtype_rule(y, *dtypes):
        return pg.int64

    def d(y, x):
        return [0]

    def jvp(y, tangents, *x):
        return pg.cast(tangents[0], pg.int64)


@pytest.mark.parametrize(
    ("operation", "check"),
    [
        (Ramp, "slopes_at_kinks_are_as_told"),
        (LosesTheCotangent, "derivatives_are_slopes"),
        (StopsTangents, "tangents_can_be_differentiated"),
        (TruncatesTangents, "forward_is_the_transpose_of_reverse"),
    ],
)
def test_what_first_derivatives_of_smooth_samples_dont_show_is_caught(operation, check):
    assert check in [fault.check for fault in checked(operation, ["numpy"]).faults]


class Overflows(pg.Elementwise):
    """Fails with an error of its own: the program shows it too."""

    samples = [pg.case((2, 2))]

    def f(m, x):
        raise OverflowError("too large")

    def d(y, x):
        return [1]


def test_any_exception_is_a_fault():
    faults = checked(Overflows, ["numpy"]).faults
    assert "OverflowError('too large')" in str(faults[0].error)
    assert "samples=[pg.case(np.array([0." in shown(faults[0], Overflows, "", ["numpy"])
    with pytest.raises(AssertionError, match="too large"):
        prove(Overflows)
    assert issubclass(Overflows, Operation)
