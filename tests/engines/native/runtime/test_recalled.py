"""Programs recalled from disk without passes: the same Program is found, no other; it behaves as
one that was compiled, and is planned only for whoever asks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad import programs
from palingrad.engines.native.executable import NativeExecutable
from palingrad.engines.native.recalled import RecalledExecutable
from palingrad.engines.native.runtime.cache_key import template_key
from palingrad.errors import OutOfRangeError
from palingrad.graph.kinds import Elementwise
from palingrad.passes import simplify
from tolerances import assert_close

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", str(tmp_path))
    monkeypatch.setenv("PALINGRAD_VERIFY", "0")  # a verified Program takes all passes
    return tmp_path / "native"


@pytest.fixture
def optimised(monkeypatch) -> list[Any]:
    """The programs optimised since the test began."""
    made, optimise = [], programs.optimise
    monkeypatch.setattr(programs, "optimise", lambda one: made.append(one) or optimise(one))
    return made


def called(f: Callable[..., Any], *args: Any) -> tuple[Any, bool]:
    """The result of a new function, and whether its executable was recalled."""
    function = pg.function(f, engine="native")
    result = function(*args)
    (traced,) = function._programs.values()
    return result, type(traced.executable) is RecalledExecutable


def test_a_recalled_program_gives_the_same_bits_without_passes(optimised):
    def f(x):
        y = pg.softmax(x @ pg.matrix_transpose(x) * 2.0)
        return {"y": y, "slope": pg.gradients(pg.sum(y * y), x), "rest": (y + 1.0, "label")}

    (first, before), made = called(f, X), len(optimised)
    again, after = called(f, X)
    assert (before, after) == (False, True)
    assert len(optimised) == made == 1
    for one, other in (("y", "y"), ("slope", "slope")):
        assert first[one].tobytes() == again[other].tobytes()
    assert first["rest"][0].tobytes() == again["rest"][0].tobytes()
    assert again["rest"][1] == "label"
    assert not again["y"].flags.writeable


K = np.float32(0.5)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: pg.softmax(x * 3.0 + K), X),  # another number
        (lambda x: pg.softmax(x * np.float64(2) + K), X),  # a number of another kind
        (lambda x: pg.softmax(x * 2.0 + (K + K)), X),
        (lambda x: pg.softmax(x * 2.0 + K, axis=0), X),  # another attribute
        (lambda x: pg.softmax(x * 2.0 + K), X[:2]),  # another shape
        (lambda x: pg.softmax(x * 2.0 + K), X.astype(np.float64)),  # another dtype
        (lambda x: (pg.softmax(x * 2.0 + K), x * 2.0), X),  # another output
        (lambda x: pg.softmax(K + x * 2.0), X),  # another order
        (lambda x: pg.log_softmax(x * 2.0 + K), X),  # another operation
        (lambda x: pg.softmax(x * np.full(4, 2.0, np.float32) + K), X),  # an array
    ],
)
def test_another_program_is_not_recalled(f, x):
    called(lambda x: pg.softmax(x * 2.0 + K), X)
    result, recalled = called(f, x)
    assert not recalled
    expected = pg.function(f, engine="numpy")(x)
    for one, other in zip(*(y if isinstance(y, tuple) else (y,) for y in (result, expected))):
        assert_close(one, other)


def test_the_values_of_constants_count(optimised):
    table = np.arange(8, dtype=np.float32)
    results = []
    for change in (0.0, 0.0, 1.0):
        table[3] += change
        results.append(called(lambda x: pg.exp(x) + pg.take(pg.tensor(table), [3, 4]), X[:, :2]))
    assert [recalled for _, recalled in results] == [False, True, False]
    assert_close(results[2][0] - results[0][0], np.array([[1, 0]] * 3, np.float32))


@pytest.mark.parametrize(
    ("setting", "before"), [(pg.set_ieee_gradients, False), (pg.set_default_dtype, "float32")]
)
def test_settings_count(setting, before):
    def f(x):
        return pg.gradients(pg.sum(pg.sqrt(x)), x)

    called(f, X)
    setting(True if before is False else "float64")
    try:
        assert not called(f, X)[1]
    finally:
        setting(before)
    assert called(f, X)[1]


def test_variables_are_updated_in_place_and_stay_apart():
    def trained(start):
        w = pg.Variable(start, name="w")
        b = pg.Variable(0.0)
        optimizer = pg.optim.Adam(0.1)

        def step(x):
            loss = pg.sum((x @ w + b) ** 2)
            optimizer.minimize(loss)
            return loss

        function = pg.function(step, engine="native")
        losses = [float(function(X)) for _ in range(4)]
        (traced,) = function._programs.values()
        return losses, w, b, type(traced.executable) is RecalledExecutable

    start = np.linspace(1, 2, 4, dtype=np.float32)
    first, *old, _ = trained(start)
    again, *new, recalled = trained(start)
    other, w, _, also = trained(start + 1)
    assert recalled
    assert also
    assert first == again != other
    for one, same in zip(old, new, strict=True):
        assert one.numpy().tobytes() == same.numpy().tobytes()
    assert w.numpy().tobytes() != new[0].numpy().tobytes()


def test_random_numbers_advance_as_in_a_compiled_program():
    def drawn():
        generator = pg.random.default_rng(7)
        function = pg.function(lambda: generator.normal(size=4), engine="native")
        return [function().tolist() for _ in range(3)]

    first, again = drawn(), drawn()
    assert first == again
    assert first[0] != first[1]


def test_indices_out_of_range_are_refused_in_the_same_words():
    table = pg.Variable(np.eye(4, dtype=np.float32))

    def f(rows):
        return pg.exp(pg.take(table, rows, axis=0))

    def refused(function):
        with pytest.raises(OutOfRangeError) as caught:
            function(np.array([0, 4]))
        return str(caught.value)

    rows = np.array([1, 3])
    one, other = (pg.function(f, engine="native") for _ in range(2))
    first = one(rows), refused(one)
    again = other(rows), refused(other)
    (traced,) = other._programs.values()
    assert type(traced.executable) is RecalledExecutable
    assert first[0].tobytes() == again[0].tobytes()
    assert first[1] == again[1]
    assert "4" in first[1]
    assert other(rows).tobytes() == again[0].tobytes()


def test_repeat_runs_a_recalled_program():
    def total():
        w = pg.Variable(0.0)
        function = pg.function(lambda x: w.assign(w + pg.sum(x)), engine="native")
        return function.repeat(X, along=(0,)).tolist(), float(w)

    assert total() == total()


def test_who_asks_is_told_of_the_program(optimised):
    f = pg.function(lambda x: pg.tanh(x) * 3.0, engine="native")
    f(X)
    g = pg.function(lambda x: pg.tanh(x) * 3.0, engine="native")
    g(X)
    assert len(optimised) == 1
    assert "code from the cache" in g.explain(X)
    told = f.explain(X).replace("compiled now", "code from the cache")
    assert g.explain(X).splitlines()[1:] == told.splitlines()[1:]
    (traced,) = g._programs.values()
    assert traced.executable.emitted() == next(iter(f._programs.values())).executable.emitted()
    assert [type(node) for node in g.program(X).order] == [
        type(node) for node in f.program(X).order
    ]


# ---------------------------------------------------------------- what isn't kept


def key_of(f: Callable[..., Any], *args: Any) -> str | None:
    return template_key(pg.function(f).trace(*args).program)


def test_verified_programs_take_all_passes(monkeypatch):
    assert key_of(pg.exp, X) is not None
    monkeypatch.setenv("PALINGRAD_VERIFY", "1")
    assert key_of(pg.exp, X) is None


def test_rules_from_elsewhere_have_no_key(monkeypatch):
    class Own(Elementwise):
        samples = ()

        def f(m, x):
            return x * 2.0

    assert key_of(lambda x: Own(x), X) is None
    assert key_of(lambda x: pg.softmax(x), X) is not None
    with monkeypatch.context() as patch:
        patch.setattr(type(pg.softmax(X)), "expand", lambda y, x: x)
        assert key_of(lambda x: pg.softmax(x), X) is None
    with monkeypatch.context() as patch:
        patch.setitem(simplify.RULES, type(pg.exp(X)), lambda y, x: None)
        assert key_of(lambda x: pg.softmax(x), X) is None
    assert key_of(lambda x: pg.softmax(x), X) is not None


def test_a_replaced_rule_of_an_expansion_is_not_overlooked(monkeypatch):
    expected, _ = called(lambda x: pg.softmax(x) * 3.0, X)
    assert called(lambda x: pg.softmax(x) * 3.0, X)[1]
    replaced = staticmethod(lambda m, x: m.exp(2.0 * x))  # of an operation that softmax expands to
    monkeypatch.setattr(type(pg.exp(X)), "f", replaced)
    result, recalled = called(lambda x: pg.softmax(x) * 3.0, X)
    assert not recalled
    assert result.tobytes() != expected.tobytes()


def test_a_replaced_rule_in_the_body_of_a_loop_is_not_overlooked(monkeypatch):
    def f(x):
        return pg.scan(lambda c, row: (pg.exp(c) * 0.1 + row, None), x[0], x)[0]

    expected, _ = called(f, X)
    assert called(f, X)[1]
    monkeypatch.setattr(type(pg.exp(X)), "f", staticmethod(lambda m, x: m.exp(2.0 * x)))
    result, recalled = called(f, X)
    assert not recalled
    assert result.tobytes() != expected.tobytes()


def test_another_expansion_in_the_body_of_a_loop_is_not_overlooked(monkeypatch):
    def f(x):
        return pg.scan(lambda c, row: (pg.softmax(c) * 0.1 + row, None), x[0], x)[0]

    assert key_of(f, X) is not None
    monkeypatch.setattr(type(pg.softmax(X)), "expand", lambda y, x: x)
    assert key_of(f, X) is None


def test_large_constants_have_no_key():
    small, large = np.ones(100, np.float32), np.ones(1 << 19, np.float32)
    assert key_of(lambda x: x + pg.tensor(small), small) is not None
    assert key_of(lambda x: x + pg.tensor(large), large) is None


@pytest.mark.parametrize("damage", [b"", b"short", b"\0" * 5000])
def test_damaged_and_missing_entries_are_made_again(folder, damage):
    def f(x):
        return pg.exp(x) + 1.0

    expected, _ = called(f, X)
    for entry in folder.iterdir():
        content = entry.read_bytes()
        for harm in (lambda: entry.write_bytes(damage), entry.unlink):  # noqa: B023
            harm()
            result, recalled = called(f, X)
            assert not recalled
            assert result.tobytes() == expected.tobytes()
            entry.write_bytes(content)
    assert called(f, X)[1]


def hot(f: Callable[..., Any], *args: Any, runs: int = 10**6) -> tuple[Any, Any]:
    """The result of a new function of the default engine, and the executable that is run when it
    has been compiled."""
    function = pg.function(f, engine="auto", runs=runs)
    result = function(*args)
    (traced,) = function._programs.values()
    return result, traced.executable


def test_the_default_engine_recalls_it_when_a_program_is_hot():
    def f(x):
        return pg.softmax(x * 3.0 + 0.5)

    (first, before), (again, after) = hot(f, X), hot(f, X)
    assert type(before._now) is NativeExecutable
    assert type(after._now) is RecalledExecutable
    assert first.tobytes() == again.tobytes()
    assert after.explain() == before.explain().replace("compiled now", "from the cache")
    assert called(f, X)[1], "the engines share an entry"


def test_settings_that_changed_before_a_program_was_hot_do_not_reach_its_key():
    def f(x):
        return pg.softmax(x * 3.0 + 0.5)

    function = pg.function(f, engine="auto")
    function(X)
    (traced,) = function._programs.values()
    try:
        pg.set_default_dtype("float64")
        traced.executable.expect(10**6)  # compiles what was optimised for another default
        assert type(traced.executable._now) is NativeExecutable
        assert not called(f, X)[1]
    finally:
        pg.set_default_dtype("float32")


def test_another_process_recalls_it(folder):
    code = (
        "import sys, numpy as np, palingrad as pg\n"
        "f = pg.function(lambda x: pg.softmax(x * 2.0 + 0.25), engine='native')\n"
        "y = f(np.arange(6.0).reshape(2, 3))\n"
        "print(type(next(iter(f._programs.values())).executable).__name__, y.tobytes().hex())"
    )

    def run():
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    first, again = run(), run()
    assert (first[0], again[0]) == ("NativeExecutable", "RecalledExecutable")
    assert first[1] == again[1]
