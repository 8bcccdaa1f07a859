"""Random numbers in generated code: the numpy engine's bits, and dropout in a step in place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.executable import NativeExecutable
from palingrad.engines.native.llvm.target import assembly, host
from palingrad.ops.random import Uniform
from tolerances import assert_close, assert_same

SHAPES = [(), (1,), (3,), (4,), (5,), (0, 2), (3, 5), (7, 9, 11), (64, 130)]


def drawn(draw: Any, engine: str) -> list[Any]:
    """The numbers of three runs from each seed on, by one compiled function."""
    run = pg.function(draw, engine=engine)
    found = []
    for seed in (0, 7, 2**64 - 1):
        pg.set_seed(seed)
        found += [run() for _ in range(3)]
    assert engine == "numpy" or "Fallback" not in run.explain()
    return found


@pytest.mark.parametrize("dtype", [pg.float32, pg.float64])
def test_numbers_are_the_numpy_engines(dtype):
    def both():
        uniform = [pg.uniform(shape, dtype=dtype) for shape in SHAPES]
        return uniform, [pg.normal(shape, dtype=dtype) for shape in SHAPES]

    found = drawn(both, "native")
    assert len({run[0][-1].tobytes() for run in found}) == 9
    for run, expected in zip(found, drawn(both, "numpy"), strict=True):
        for shape, one, other in zip(SHAPES, run[0], expected[0], strict=True):
            assert_same(one, other, f"uniform {shape}")
        for shape, one, other in zip(SHAPES, run[1], expected[1], strict=True):
            assert_close(one, other, f"normal {shape}")


def test_every_word_of_the_state_matters():
    """Runs beyond 2³² and seeds of 64 bits: the upper words are part of the counter and the key."""
    native, numpy = (
        pg.function(
            lambda state: Uniform(state, shape=(37,), stream=3, dtype=pg.float32), engine=engine
        )
        for engine in ("native", "numpy")
    )
    for state in ([2**63 + 1, 2**32 + 5], [5, 2**40], [2**32, 0]):
        source = np.array(state, np.uint64)
        assert_same(native(source), numpy(source))


def test_numbers_come_from_one_loop_of_32_bit_products():
    draw = pg.function(lambda: pg.uniform((64, 64)), engine="native")
    said = draw.explain()
    assert said.count("Elementwise ") == 3  # keys, numbers, the next state
    assert "updated in place" in said
    code = assembly(NativeExecutable(draw.program()).emitted())
    if host().family == "x86":
        assert "pmuludq" in code
        assert "vpmullq" not in code


def network(dropping: float) -> tuple[list[pg.Variable], Any]:
    """A perceptron with dropout, and its training step."""
    rng = np.random.default_rng(0)
    sizes = [(20, 150), (150,), (150, 3), (3,)]
    ws = [pg.Variable(rng.normal(size=size) * 0.1, dtype=pg.float32) for size in sizes]
    optimizer = pg.optim.Adam(learning_rate=0.01)

    def step(x, y):
        hidden = pg.dropout(pg.relu(x @ ws[0] + ws[1]), dropping)
        loss = pg.mean((hidden @ ws[2] + ws[3] - y) ** 2)
        optimizer.minimize(loss)
        return loss

    return ws, step


def batch() -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return tuple(rng.normal(size=size).astype(np.float32) for size in ((96, 20), (96, 3)))


def trained(engine: str) -> list[Any]:
    pg.set_seed(11)
    ws, step = network(0.4)
    run = pg.function(step, engine=engine)
    losses = [run(*batch()) for _ in range(20)]
    if engine == "native":
        said = run.explain(*batch())
        assert "Fallback" not in said
        assert "Variables updated in place" in said
    return [np.array(losses), *(w.numpy() for w in ws)]


def test_a_network_with_dropout_follows_the_numpy_engine():
    found, expected = trained("native")[0], trained("numpy")[0]
    assert found[-1] < found[0] / 2
    assert_close(found[0], expected[0])


def test_a_network_with_dropout_has_the_same_bits_for_any_number_of_threads():
    before = pg.get_num_threads()
    try:
        results = []
        for count in (1, 2, 4):
            pg.set_num_threads(count)
            results.append(trained("native"))
    finally:
        pg.set_num_threads(before)
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            assert_same(one, two)
