"""bfloat16 compute with float32 state: near to float32's results, and float32 where it must be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg

pytest.importorskip("jax", reason="JAX isn't installed: make test-scale")

rng = np.random.default_rng(3)
EPSILON = 2.0**-8  # of bfloat16: half a unit in the last place of 1


def floats(*shape: int) -> Any:
    return rng.normal(size=shape).astype(np.float32)


def both(f: Any, *arrays: Any) -> tuple[Any, Any]:
    exact = pg.function(f, engine="xla")(*arrays)
    return exact, pg.function(f, engine="xla", precision="bfloat16")(*arrays)


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (lambda x, w: x @ w, [(40, 64), (64, 30)]),
        (lambda x, w: pg.softmax(x @ w), [(40, 64), (64, 30)]),
        (lambda x, w: pg.relu(pg.conv2d(x, w, padding="same")), [(2, 3, 8, 8), (4, 3, 3, 3)]),
        (pg.grad(lambda x, w: pg.mean(pg.gelu(x @ w) ** 2), (0, 1)), [(4, 5, 16), (16, 8)]),
        (lambda x, w: pg.scan(lambda c, r: (pg.tanh(c @ w + r), c), x[0], x), [(6, 3, 8), (8, 8)]),
    ],
    ids=["product", "softmax", "convolution", "gradient", "loop"],
)
def test_results_are_those_of_float32_but_for_bfloat16s_roundings(f: Any, shapes: Any):
    arrays = [floats(*shape) for shape in shapes]
    exact, found = both(f, *arrays)
    pairs = [(exact, found)] if isinstance(exact, np.ndarray) else list(zip(exact, found))
    for a, b in pairs:
        a, b = np.asarray(a), np.asarray(b)
        assert b.dtype == np.float32
        error = abs(a - b).max() / abs(a).max()
        assert 0 < error < 8 * EPSILON


def test_sums_and_what_is_computed_of_them_are_float32():
    """A sum of 4,096 ones in bfloat16 would stop at 256."""
    x, w = np.ones((4096, 1), np.float32), np.ones((1, 1), np.float32) * 2
    f = pg.function(lambda x, w: pg.sum(pg.relu(x @ w)) + 1, engine="xla", precision="bfloat16")
    assert float(f(x, w)) == 8193.0
    y = pg.function(lambda x: pg.exp(x) * 3, engine="xla", precision="bfloat16")
    z = floats(5)  # nothing is multiplied as matrices, so nothing is rounded to bfloat16
    np.testing.assert_allclose(y(z), np.exp(z) * 3, rtol=1e-6)


def test_parameters_and_the_optimizers_state_are_float32():
    """Steps of 2⁻¹² of the parameter, which bfloat16 could not take."""
    v = pg.Variable(np.ones((1, 1), np.float32))
    optimizer = pg.optim.GradientDescent(2.0**-12)

    @pg.function(engine="xla", precision="bfloat16")
    def step(x: Any) -> Any:
        loss = pg.sum(x @ v)
        optimizer.minimize(loss)
        return loss

    for _ in range(8):
        step(np.ones((1, 1), np.float32))
    assert v.value.dtype == np.float32
    assert float(v.value[0, 0]) == 1 - 8 * 2.0**-12


def test_digits_are_learned_as_well():
    digits = pg.data.load("digits")
    scores: list[float] = []
    for precision in (None, "bfloat16"):
        pg.set_seed(1)
        model = pg.nn.Sequential(pg.nn.Linear(64, 32), pg.relu, pg.nn.Linear(32, 10))
        optimizer = pg.optim.Adam(0.01)

        def train(x: Any, y: Any, model: Any = model, optimizer: Any = optimizer) -> Any:
            loss = pg.cross_entropy(model(x), y)
            optimizer.minimize(loss)
            return loss

        step = pg.function(train, engine="xla", precision=precision)
        for number in range(100):
            rows = slice(50 * (number % 28), 50 * (number % 28) + 50)
            step(digits.train.inputs[rows], digits.train.labels[rows])
        found = np.argmax(model(digits.test.inputs).value, axis=-1)
        scores.append(float(np.mean(found == digits.test.labels)))
    assert scores[0] > 0.9
    assert scores[1] > scores[0] - 0.015


def test_it_is_refused_by_name_where_it_is_not_there():
    x = np.ones((2, 2), np.float32)
    for engine in ("numpy", "native", None):
        f = pg.function(lambda x: x @ x, engine=engine, precision="bfloat16")
        with pytest.raises(pg.errors.EngineError, match=r"has no precision='bfloat16'.*xla"):
            f(x)
    with pytest.raises(pg.errors.EngineError, match="'bfloat16'"):
        pg.function(lambda x: x, engine="xla", precision="float8")(x)
    f = pg.function(lambda x: x @ x, engine="xla", precision="bfloat16")
    with pytest.raises(pg.errors.EngineError, match=r"float64.*float32"):
        f(np.ones((2, 2)))
    node = pg.placeholder((2, 2), dtype="float32")
    session = pg.Session(engine="xla", precision="bfloat16")
    assert session.run(node @ node, {node: x}).dtype == np.float32
    pg.set_engine("xla")
    try:
        assert "precision: bfloat16" in pg.function(lambda x: x @ x, precision="bfloat16").explain(
            x
        )
    finally:
        pg.set_engine(None)
