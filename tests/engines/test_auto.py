"""The default engine: NumPy first, machine code once a program has run often enough."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.auto import compile_cost
from palingrad.errors import EngineError, ShapeError
from palingrad.graph.operation import Operation
from tolerances import assert_close

X = np.linspace(0, 1, 3000, dtype=np.float32)


def started(f, *args, runs=0):
    """A function that has run once."""
    function = pg.function(f, engine="auto", runs=runs)
    function(*args)
    return function


def is_machine_code(function, *args):
    return "more runs" not in function.explain(*args)


def test_auto_is_the_default_engine(monkeypatch):
    monkeypatch.delenv("PALINGRAD_ENGINE", raising=False)
    pg.set_engine(None)
    assert pg.get_engine().name == "auto"


def test_a_program_switches_to_native_at_a_reproducible_count():
    counts = []
    for _ in range(2):
        function = started(lambda x: pg.sum(pg.exp(x) * x), X)
        count = 1
        while not is_machine_code(function, X):
            function(X)
            count += 1
        counts.append(count)
        assert_close(function(X), np.sum(np.exp(X) * X))
    assert counts[0] == counts[1] > 10


def test_a_program_run_once_is_not_compiled_and_explain_says_when_it_would_be():
    function = started(lambda x: pg.sin(x), X)
    assert "machine code after about" in function.explain(X)
    assert not is_machine_code(function, X)


def test_a_program_without_operations_is_explained():
    function = started(lambda x: x, X)
    assert function.explain(X) == "numpy: 0 operations, in sequence"
    function(X)
    assert function.explain(X) == "numpy: 0 operations, in sequence"  # there is nothing to compile


def test_an_announced_number_of_runs_compiles_at_once():
    function = started(lambda x: pg.sin(x), X, runs=1_000_000)
    assert is_machine_code(function, X)
    assert function.explain(X).startswith("native: 1 kernel")


def test_repeated_layers_are_estimated_to_compile_faster_than_different_ones():
    def cost(count: int, equal: bool) -> float:
        def f(x):
            for number in range(count):
                x = pg.tanh(pg.pad(x, (0, 0 if equal else number)) * 2)
            return x

        program = pg.function(f).program(X)
        return compile_cost([node for node in program.order if isinstance(node, Operation)])

    assert cost(40, equal=True) < 2 * cost(4, equal=True)
    assert cost(40, equal=False) > 5 * cost(4, equal=False)


@pytest.mark.parametrize("engine", ["numpy", "native", "auto"])
def test_repeat_equals_repeated_calls(engine):
    v = pg.Variable(np.ones(3, np.float32))
    f = pg.function(lambda x, k: (v.assign(v * 0.5 + x * k), pg.sum(v))[1], engine=engine)
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    k = np.array(2.0, np.float32)
    together = f.repeat(x, k, along=(0,))
    after = v.numpy()
    v.assign(np.ones(3, np.float32))
    single = [f(one, k) for one in x]
    np.testing.assert_array_equal(together, np.stack(single))
    np.testing.assert_array_equal(after, v.numpy())


@pytest.mark.parametrize("engine", ["numpy", "native", "auto"])
def test_repeat_stacks_a_single_call_too_and_runs_what_a_call_runs(engine):
    v, traces = pg.Variable(np.ones(3, np.float32)), []

    @pg.function(engine=engine)
    def f(x):
        traces.append(x)
        v.assign(v * 0.5 + x)
        return pg.sum(v)

    x = np.arange(3, dtype=np.float32)
    np.testing.assert_array_equal(f.repeat(x[None], along=(0,)), np.array([4.5], np.float32))
    f(x)
    assert len(traces) == 1


@pytest.mark.parametrize("engine", ["numpy", "native", "auto"])
def test_an_index_out_of_range_is_an_error_that_changes_nothing(engine):
    table = pg.Variable(np.arange(6.0, dtype=np.float32).reshape(3, 2))
    f = pg.function(
        lambda x, i: (table.assign(table + pg.sum(pg.take(x, i, axis=0))), pg.sum(table))[1],
        engine=engine,
    )
    x = np.ones((4, 2), np.float32)
    before = table.numpy().copy()
    with pytest.raises(IndexError, match="4"):
        f(x, np.array([0, 4]))
    np.testing.assert_array_equal(table.numpy(), before)
    f(x, np.array([0, -4]))
    assert table.numpy()[0, 0] == 4.0


def test_repeat_counts_negative_numbers_from_the_last_array():
    f, x = pg.function(lambda x, y: x * y), np.arange(3.0)
    np.testing.assert_array_equal(f.repeat(np.array(2.0), x, along=(-1,)), 2 * x)
    np.testing.assert_array_equal(f.repeat(x, x, along=(-1, 0)), x * x)


@pytest.mark.parametrize("along", [(2,), (-3,), 1, (0.0,), ("x",)])
def test_repeat_wants_numbers_of_its_arrays(along):
    f, x = pg.function(lambda x, y: x * y), np.arange(3.0)
    with pytest.raises(pg.errors.ArgumentError, match="expects as `along` numbers of its 2 arrays"):
        f.repeat(x, x, along=along)


def test_repeat_wants_an_axis_to_go_along():
    with pytest.raises(pg.errors.ShapeError, match="array 1, which has no axis"):
        pg.function(lambda x, y: x * y).repeat(np.arange(3.0), np.array(2.0), along=(0, 1))


def test_repeat_wants_arrays_of_one_length():
    f = pg.function(lambda x, y: x + y)
    with pytest.raises(ShapeError, match="one length"):
        f.repeat(X[:3], X[:4], along=(0, 1))


def test_repeat_of_nothing_says_so():
    f = pg.function(lambda x: x + 1.0)
    with pytest.raises(ShapeError, match="at least one"):
        f.repeat(np.zeros((0, 3), np.float32), along=(0,))


@pytest.mark.parametrize("count", [0, -1, 1.5, "2"])
def test_the_number_of_threads_is_a_positive_integer(count):
    with pytest.raises(EngineError, match="positive integer"):
        pg.set_num_threads(count)
