"""Graphs of all operations agree in every style; and the fuzzer finds, shrinks and shows faults."""

from __future__ import annotations

import contextlib
import io
import re
from typing import Any

import numpy as np
import pytest

from fuzzing.check import failing
from fuzzing.compare import STYLES, examined, styles_of
from fuzzing.formulas import FUNCTIONS, TEXTS, operation, random_formula
from fuzzing.generate import ELSEWHERE, drawn, operations
from fuzzing.place import Pool, place
from fuzzing.program import Array, Call, Leaf, Program, Value, inputs_of, union
from fuzzing.run import Results, eager, in_session
from fuzzing.shrink import shrunk
from fuzzing.slopes import checked_slope
from fuzzing.values import Palette
from fuzzing.write import script
from palingrad.engines.native.llvm.maths import NativeMaths
from palingrad.ops.elementwise.arithmetic import Add
from palingrad.ops.elementwise.discrete import Floor
from palingrad.ops.elementwise.exponential import Exp
from palingrad.ops.elementwise.trigonometric import Sin, Tanh

SEEDS = 200
EACH = 25  # programs of a test


@pytest.mark.parametrize("first", range(0, SEEDS, EACH))
def test_every_style_computes_what_eager_code_does(first):
    """On numpy all, natively every other one; `python -m fuzzing` goes on from there."""
    for seed in range(first, first + EACH):
        styles = styles_of(seed)[: 1 + seed // 2 % 2]
        text = failing(drawn(seed, most=12), styles, seed)
        assert text is None, f"python -m fuzzing --seed {seed} --most 12\n{text}"


@pytest.mark.parametrize("seed", range(1000, 1012))
def test_a_graph_is_the_same_in_the_body_of_a_loop(seed):
    text = failing(drawn(seed, most=6, formulas=0.0, half=False), ["loop on native"], seed)
    assert text is None, text


@pytest.mark.parametrize("one", operations(), ids=lambda one: one.__name__)
def test_every_operation_finds_a_place(one):
    """Among values of all kinds, and alone; a new operation does with its samples."""
    pool = Pool(np.random.default_rng(0), Palette.drawn(np.random.default_rng(0)))
    for _ in range(4):
        assert place(pool, one)


def test_what_is_never_placed_says_why():
    assert all(reason for reason in ELSEWHERE.values())
    assert not set(ELSEWHERE) & set(operations())


def test_formulas_call_every_function_that_generated_code_has():
    texts = " ".join(one.text for one in FUNCTIONS.values())
    names = {name for name in vars(NativeMaths) if not name.startswith("_")}
    assert names - set(FUNCTIONS) - set(re.findall(r"m\.(\w+)", texts)) == set()


def test_a_seed_gives_the_same_program_every_time():
    for seed in range(5):
        assert script(drawn(seed), "session on numpy") == script(drawn(seed), "session on numpy")


def test_a_wrong_engine_is_caught_and_the_program_made_small(monkeypatch):
    """An engine that takes sin for tanh: what is left of a graph of 65 values is a tanh."""

    def wrong(program: Program, like: Any) -> Results:
        changes: dict[Value, Value] = {
            value: Call(Sin, value.inputs, {})
            for value in program.order
            if isinstance(value, Call) and value.operation is Tanh
        }
        return in_session(program.replaced(changes), "numpy", like)

    monkeypatch.setitem(STYLES, "wrong", wrong)
    program = next(
        program
        for program in (drawn(seed, most=20) for seed in range(1000))
        if any(isinstance(value, Call) and value.operation is Tanh for value in program.order)
        and examined(program, ["wrong"])
    )
    failure = examined(program, ["wrong"])
    assert failure is not None
    small = shrunk(failure, lambda program: examined(program, ["wrong"])).program
    calls = [value for value in small.order if isinstance(value, Call)]
    assert [call.operation for call in calls] == [Tanh]
    assert all(leaf.array.size <= 1 for leaf in small.leaves)


@pytest.mark.parametrize("off", [0.0, 1e-6, 1e-4])
def test_roundings_are_allowed_and_no_more(monkeypatch, off):
    """exp may be off by some units in the last place, ⌊exp⌋ by nothing."""
    x = Leaf.known(np.array([1.1, 3.0], np.float32))
    y = Call(Exp, (x,), {})
    program = Program((y, Call(Floor, (y,), {})))

    def off_by(program: Program, like: list[Array]) -> Results:
        return Results([like[0] * np.float32(1 + off), like[1]], [])

    monkeypatch.setitem(STYLES, "off", off_by)
    failure = examined(program, ["off"])
    assert (failure is not None) == (off > 1e-5)


def test_what_is_exact_must_have_the_same_bits(monkeypatch):
    x = Leaf.known(np.array([0.1, 0.2], np.float32))
    program = Program((Call(Add, (x, 0.3), {}),))
    monkeypatch.setitem(
        STYLES, "off", lambda program, like: Results([np.nextafter(like[0], np.float32(9))], [])
    )
    failure = examined(program, ["off"])
    assert failure is not None
    assert failure.what == "bits"


@pytest.mark.parametrize("style", STYLES)
def test_a_printed_program_runs_by_itself_and_gives_what_the_style_gave(style):
    program = drawn(11, most=8)
    results = STYLES[style](program, like=eager(program).arrays)
    space: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(script(program, style), space)
    for one, other in zip(results.arrays, space["found"], strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(eager(program).arrays, space["expected"], strict=True):
        np.testing.assert_array_equal(one, other)


def test_programs_are_joined_and_values_replaced():
    one, other = drawn(1, most=5), drawn(2, most=5)
    both = union([one, other])
    assert len(both.outputs) == len(one.outputs) + len(other.outputs)
    leaf = one.leaves[0]
    new = Leaf.known(leaf.array)
    replaced = one.replaced({leaf: new})
    assert leaf not in replaced.order
    assert any(new in inputs_of(value) for value in replaced.order)


def test_formulas_have_the_derivatives_that_they_say():
    """Along a direction; where the formula is smooth there."""
    for seed in range(100):
        made = operation(random_formula(np.random.default_rng(seed)))
        count = made.f.__code__.co_argcount - 1
        inputs = np.random.default_rng(seed).uniform(0.2, 2, (count, 5))
        call = Call(made, tuple(map(Leaf.known, inputs)), {})
        with contextlib.suppress(TypeError):  # a formula of bits takes no floats
            assert checked_slope(Program((call,)), seed) is None, TEXTS[made]


def test_a_wrong_derivative_is_caught():
    text = "class Wrong(pg.Elementwise):\n    def f(m, x):\n        return m.sin(x)\n\n"
    text += "    def d(out, x):\n        return [pg.sin(x)]\n"
    x = Leaf.known(np.array([0.3, 1.0], np.float32))
    failure = checked_slope(Program((Call(operation(text), (x,), {}),)), 0)
    assert failure is not None
    assert failure.what == "slope"
