"""The xla engine: dtypes, Variables on the device, control flow, bounds, and what goes wrong."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.selection import get_engine

jax = pytest.importorskip("jax", reason="JAX isn't installed: make test-scale")

rng = np.random.default_rng(5)


def on_both(f: Any, *arrays: Any) -> tuple[list[Any], list[Any]]:
    """What XLA and NumPy compute of a function."""
    both = [pg.function(f, engine=name)(*arrays) for name in ("xla", "numpy")]
    first, second = [list(x) if isinstance(x, (list, tuple)) else [x] for x in both]
    return [x.numpy() for x in map(pg.tensor, first)], [x.numpy() for x in map(pg.tensor, second)]


def agree(f: Any, *arrays: Any) -> None:
    for a, b in zip(*on_both(f, *arrays), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-6 if b.dtype == np.float32 else 1e-13)


def test_float64_stays_float64_and_the_users_settings_of_jax_stay():
    before = jax.config.jax_enable_x64
    with jax.numpy_dtype_promotion("strict"):
        y = pg.function(lambda x: pg.exp(x) * 2, engine="xla")(np.array([1 / 3]))
    assert y.dtype == np.float64
    assert abs(float(y[0]) - 2 * np.exp(1 / 3)) < 1e-15
    assert jax.config.jax_enable_x64 is before is False
    assert jax.numpy.ones(2).dtype == np.float32


def test_it_is_asked_for_by_name_only():
    assert "xla" not in pg.engine_names()
    assert get_engine("xla").name == "xla"
    pg.set_engine("xla")
    assert "xla:" in pg.function(pg.sin).explain(1.0)


# ---------------------------------------------------------------- random numbers


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_uniform_numbers_have_the_bits_of_the_other_engines(dtype):
    def draws(engine: str) -> Any:
        pg.set_seed(11)
        f = pg.function(lambda: pg.uniform((7, 3), dtype=dtype), engine=engine)
        return [np.array(f()) for _ in range(3)]

    assert np.array_equal(draws("xla"), draws("numpy"))


def test_normal_numbers_are_those_of_the_other_engines_but_for_roundings():
    def draws(engine: str) -> Any:
        pg.set_seed(11)
        return np.array(pg.function(lambda: pg.normal((50,)), engine=engine)())

    np.testing.assert_allclose(draws("xla"), draws("numpy"), rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------- Variables


def training(engine: str, steps: int = 5) -> tuple[list[float], Any, Any]:
    """Losses of a small network trained with Adam, its weights, and the step."""
    pg.set_seed(3)
    x = np.random.default_rng(1).normal(size=(16, 4)).astype(np.float32)
    y = np.sin(x.sum(1, keepdims=True))
    model = pg.nn.Sequential(pg.nn.Linear(4, 8), pg.nn.Tanh(), pg.nn.Linear(8, 1))
    optimizer = pg.optim.Adam(0.05)

    @pg.function(engine=engine)
    def step(x: Any, y: Any) -> Any:
        loss = pg.mean((model(x) - y) ** 2)
        optimizer.minimize(loss)
        return loss

    losses = [float(step(x, y)) for _ in range(steps)]
    return losses, [v.value for v in model.parameters().values()], step


def test_training_is_that_of_numpy():
    (found, weights, _), (expected, others, _) = training("xla"), training("numpy")
    np.testing.assert_allclose(found, expected, rtol=2e-5)
    assert found[-1] < found[0]
    for a, b in zip(weights, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-6)


def test_variables_stay_on_the_device_until_they_are_read():
    v = pg.Variable(np.array([1.0, 2.0]))

    @pg.function(engine="xla")
    def step(x: Any) -> Any:
        v.assign(v * x + 1)
        return pg.sum(v)

    first = v.value
    assert float(step(2.0)) == 8.0
    assert v._array is None, "still on the device"
    value = v._lease.value
    assert float(step(2.0)) == 18.0
    assert value.is_deleted(), "its memory was donated"
    assert first.tolist() == [1.0, 2.0], "what was read before isn't written over"
    kept = v.value
    assert kept.tolist() == [7.0, 11.0]
    assert not kept.flags.writeable
    step(2.0)
    assert kept.tolist() == [7.0, 11.0]
    v.assign([0.0, 1.0])
    assert float(step(1.0)) == 3.0
    assert "donated" in step.explain(1.0)


def test_engines_share_a_variable():
    v = pg.Variable(np.float64(1.0))

    def step() -> Any:
        v.assign(v * 2)
        return v + 0

    both = [pg.function(step, engine=name) for name in ("xla", "native", "numpy")]
    values = [float(f()) for _ in range(4) for f in both]
    assert values == [2.0**n for n in range(1, 13)]
    assert float(v.value) == 2.0**12


def test_programs_and_assignments_between_runs_are_seen():
    v, rate = pg.Variable(np.float64(1.0)), pg.Variable(np.float64(1.0))

    @pg.function(engine="xla")
    def grow() -> Any:
        v.assign(v + rate)
        return v + 0

    @pg.function(engine="xla")
    def double() -> Any:
        v.assign(v * 2)
        return v + 0

    seen = [float(f()) for f in (grow, grow, double, grow, double, double, grow)]
    assert seen == [2.0, 3.0, 6.0, 7.0, 14.0, 28.0, 29.0]
    rate.assign(0.5)
    assert float(grow()) == 29.5
    assert float(v.value) == 29.5
    assert [float(grow()), float(grow())] == [30.0, 30.5]
    v.assign(0.0)
    rate.assign(2.0)
    assert [float(grow()), float(grow()), float(double())] == [2.0, 4.0, 8.0]


def test_a_run_that_fails_on_the_device_leaves_variables_as_they_were(monkeypatch):
    v = pg.Variable(np.array([1.0]))

    @pg.function(engine="xla")
    def step(x: Any) -> Any:
        v.assign(v + x)
        return pg.sum(v)

    step(1.0)
    step(1.0)
    from palingrad.engines.xla.executable import XlaExecutable

    def fails(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(XlaExecutable, "_run", fails)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                step(1.0)
    assert v.value.tolist() == [3.0]
    assert float(step(1.0)) == 4.0
    v._lease.value.delete()  # as after a run that began to write over it, and then failed
    for read in (lambda: v.value, lambda: step(1.0)):
        with pytest.raises(pg.errors.EngineError, match="Assign it, or restore a checkpoint"):
            read()
    v.assign([1.0])
    assert float(step(1.0)) == 2.0


def test_a_variable_that_is_assigned_another_has_memory_of_its_own():
    v, w = pg.Variable(np.array([1.0])), pg.Variable(np.array([2.0]))

    @pg.function(engine="xla")
    def swap() -> Any:
        a, b = v + 0, w + 0
        v.assign(b)
        w.assign(a)

    @pg.function(engine="xla")
    def same() -> Any:
        w.assign(v)

    for _ in range(3):
        swap()
    assert (v.value[0], w.value[0]) == (2.0, 1.0)
    same()
    same()
    swap()
    assert (v.value[0], w.value[0]) == (2.0, 2.0)


def test_threads_lose_no_update():
    v = pg.Variable(np.int64(0))

    @pg.function(engine="xla")
    def step() -> Any:
        v.assign(v + 1)
        return v + 0

    step()
    seen: list[int] = []

    def work() -> None:
        for _ in range(40):
            step()
            seen.append(int(v.value))

    read = pg.function(lambda: v + 0, engine="xla")

    def look() -> None:
        last = 0
        for _ in range(150):
            now = int(read())
            assert now >= last
            last = now

    threads = [threading.Thread(target=one) for one in (work, work, work, look)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert int(v.value) == 121
    assert len(seen) == 120


def test_repeat_is_one_scan_on_the_device():
    rows = rng.normal(size=(5, 2))
    results: list[Any] = []
    for engine in ("xla", "numpy"):
        v = pg.Variable(np.array([1.0, 2.0]))

        def step(x: Any, a: Any, v: Any = v) -> Any:
            before = pg.sum(v * x)
            v.assign(v * a + x)
            return before

        f = pg.function(step, engine=engine)
        for _ in range(2):
            found = f.repeat(rows, np.array(0.5), along=(0,))
        assert v._array is None or engine == "numpy"
        results.append((found, v.value))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


# ---------------------------------------------------------------- control flow


def test_loops_and_branches():
    x = rng.normal(size=(6, 3))
    agree(lambda x: pg.scan(lambda c, r: (c * 0.5 + r, pg.sum(c)), np.zeros(3), x), x)
    agree(pg.grad(lambda x: pg.sum(pg.scan(lambda c, r: (pg.tanh(c) + r, c), np.zeros(3), x)[1])),
          x)  # fmt: skip
    agree(lambda x: pg.scan(lambda c, r: (c + r, c), np.zeros(3), x, reverse=True), x)
    agree(lambda x: pg.while_loop(lambda c: pg.sum(c) < 100, lambda c: c * 2 + 1, x), abs(x))
    agree(lambda x: pg.while_loop(lambda c: c < 100, lambda c: c * 2, x, max_steps=3), 1.5)
    for number in range(3):
        agree(lambda i, x: pg.switch(i, [pg.sin, pg.cos, lambda x: x * x], x), number, x)
    agree(lambda x: pg.cond(pg.sum(x) > 0, pg.exp, pg.negative, x), x)


def test_a_branch_that_does_not_exist_is_the_operations_error():
    f = pg.function(lambda i, x: pg.switch(i, [pg.sin, pg.cos], x), engine="xla")
    assert float(f(1, 0.0)) == 1.0
    with pytest.raises(pg.errors.ArgumentError, match="index 2 for 2 branches"):
        f(2, 0.0)


# ---------------------------------------------------------------- integers out of bounds


def test_fed_and_computed_integers_out_of_range_are_refused_and_change_nothing():
    v = pg.Variable(np.zeros(1))
    table = np.arange(6.0).reshape(3, 2)

    @pg.function(engine="xla")
    def fed(i: Any) -> Any:
        v.assign(v + 1)
        return pg.take(table, i, axis=0)

    @pg.function(engine="xla")
    def computed(i: Any) -> Any:
        v.assign(v + 1)
        return pg.take(table, i * 2 - 1, axis=0)

    @pg.function(engine="xla")
    def in_a_loop(i: Any) -> Any:
        v.assign(v + 1)
        return pg.fori_loop(0, 3, lambda k, c: c + pg.take(table, i + k, axis=0), np.zeros(2))

    assert fed(np.array([0, -1])).tolist() == [[0.0, 1.0], [4.0, 5.0]]
    assert computed(np.array([1])).tolist() == [[2.0, 3.0]]
    assert in_a_loop(0).tolist() == [6.0, 9.0]
    assert v.value.tolist() == [3.0]
    for f, wrong in ((fed, np.array([0, 3])), (computed, np.array([2])), (in_a_loop, 1)):
        with pytest.raises(pg.errors.OutOfRangeError, match="3 rows"):
            f(wrong)
        assert v.value.tolist() == [3.0]


# ---------------------------------------------------------------- operations of NumPy's


class Doubled(pg.Custom):
    """A user's operation, which fails for negative numbers."""

    def compute(self, x: Any) -> Any:
        if (x < 0).any():
            raise ValueError("negative")
        return x * 2


def test_numpy_computes_what_has_no_mapping_and_explain_says_so():
    x = rng.normal(size=(3, 3)) + 4 * np.eye(3)
    f = pg.function(lambda x: pg.linalg.inv(x) @ x + pg.sort(x, axis=0) * 0, engine="xla")
    np.testing.assert_allclose(f(x), np.eye(3), atol=1e-14)
    text = f.explain(x)
    assert "by NumPy: inv" in text
    assert "by NumPy: sort" in text
    agree(lambda x: pg.special.lgamma(x) + 1j * x, abs(x))


def test_an_error_of_users_code_is_raised_and_nothing_changes():
    v = pg.Variable(np.zeros(1))

    @pg.function(engine="xla")
    def step(x: Any) -> Any:
        v.assign(v + 1)
        return Doubled(x)

    assert step(np.array([1 / 3])).tolist() == [2 / 3]  # all 64 bits went there and back
    with pytest.raises(ValueError, match="negative"):
        step(np.array([-1.0]))
    assert v.value.tolist() == [1.0]
    assert step(np.array([1.0])).tolist() == [2.0]


# ---------------------------------------------------------------- what goes wrong


def test_without_jax_it_says_what_to_install(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "jax" else find(name, *a)
    )
    for ask in (lambda: pg.set_engine("xla"), lambda: pg.function(pg.sin, engine="xla")(1.0)):
        with pytest.raises(pg.errors.EngineError, match=r"pip install palingrad\[xla\]"):
            ask()


@pytest.mark.parametrize("platform", ["cuda", "nonsense"])
def test_a_device_that_is_not_there_is_named_by_an_error(platform):
    code = "import palingrad as pg; pg.function(pg.sin, engine='xla')(1.0)"
    environment = {**os.environ, "JAX_PLATFORMS": platform}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if platform == "cuda" and not done.returncode:
        pytest.skip("there is a GPU")
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("palingrad.errors.EngineError: xla: JAX finds no such device"), last
    assert "JAX_PLATFORMS" in last


def test_errors_of_the_device_say_what_to_do():
    from palingrad.engines.xla.jaxlib import told

    for message, told_as in (
        ("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes", "Make the batch smaller"),
        ("Unable to initialize backend 'cuda': none", "JAX_PLATFORMS"),
    ):
        with pytest.raises(pg.errors.EngineError, match=told_as), told("run"):
            raise RuntimeError(message)


def test_info_names_the_devices():
    from palingrad.engines.xla.engine import describe

    ((name, text),) = describe()
    assert name == "xla"
    assert jax.__version__ in text
    assert "cpu:0" in text
