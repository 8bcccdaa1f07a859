"""Training on a mesh of eight devices computes what one device does, and lies as promised."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import palingrad as pg

jax = pytest.importorskip("jax", reason="JAX isn't installed: make test-scale")

rng = np.random.default_rng(7)


class Training:
    """A small network, its optimizer and its step."""

    def __init__(self, kind: str = "mlp") -> None:
        pg.set_seed(3)
        self.labels = np.arange(16) % 4
        if kind == "gpt":
            self.model: Any = pg.models.gpt(12, context=4, layers=1, heads=2, width=8, seed=0)
            self.inputs = np.arange(64).reshape(16, 4) * 7 % 12
            self.labels = (self.inputs + 1) % 12
        elif kind == "cnn":
            layers = (pg.nn.Conv2D(1, 2, 3, seed=1), pg.relu, pg.nn.MaxPool2D(2), pg.nn.Flatten(),
                      pg.nn.Linear(8, 4, seed=2))  # fmt: skip
            self.model = pg.nn.Sequential(*layers)
            self.inputs = np.sin(np.arange(16 * 36.0)).reshape(16, 1, 6, 6).astype(np.float32)
        else:
            self.model = pg.nn.Sequential(pg.nn.Linear(4, 8, seed=1), pg.tanh,
                                          pg.nn.Linear(8, 4, seed=2))  # fmt: skip
            self.inputs = np.sin(np.arange(64.0)).reshape(16, 4).astype(np.float32)
        self.optimizer = pg.optim.Momentum(0.1)
        self.step = pg.function(self._step, engine="xla")

    def loss(self, x: Any, y: Any) -> Any:
        return pg.cross_entropy(self.model(x, training=True), y)

    def _step(self, x: Any, y: Any) -> Any:
        loss = self.loss(x, y)
        self.optimizer.minimize(loss)
        return loss

    def run(self, steps: int) -> list[float]:
        return [float(self.step(self.inputs, self.labels)) for _ in range(steps)]

    def values(self) -> list[Any]:
        return [v.value for v in self.model.variables().values()]


def shards(variable: Any) -> list[tuple[int, ...]]:
    return [part.data.shape for part in variable._lease.value.addressable_shards]


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    """Losses and weights on one device."""
    found: dict[str, Any] = {}
    for kind in ("mlp", "cnn", "gpt"):
        training = Training(kind)
        found[kind] = training.run(4), training.values()
    return found


# Sums are in another order. Adam would divide what is 0 but for rounding by what is, too.
def agree(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    for a, b in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("kind", "axes", "sharding"),
    [
        ("mlp", {"data": 8}, "replicated"),
        ("cnn", {"data": 8}, "fully_sharded"),
        ("gpt", {"data": 4, "model": 2}, ["tensor", "fully_sharded"]),
    ],
)
def test_steps_are_those_of_one_device(alone, kind, axes, sharding):
    training = Training(kind)
    with pg.scale.use(pg.scale.mesh(axes), sharding=sharding, model=training.model):
        losses = training.run(4)
        text = training.step.explain(training.inputs, training.labels)
    agree((losses, training.values()), alone[kind])
    assert "all-reduce" in text
    assert f"on Mesh({', '.join(f'{k}={v}' for k, v in axes.items())}) of cpu" in text


def test_memory_on_a_device_is_what_explain_says_and_values_move_between_programs(alone):
    training = Training()
    weight, bias = training.model.layers[0].weight, training.model.layers[0].bias
    eight = pg.scale.mesh({"data": 8})
    with pg.scale.use(eight, sharding="fully_sharded", model=training.model):
        losses = training.run(1)
        text = training.step.explain(training.inputs, training.labels)
        assert shards(weight) == [(4, 1)] * 8
        assert shards(bias) == [(1,)] * 8
    held = [v for v in (*training.model.variables().values(),
                        *training.optimizer.variables().values())]  # fmt: skip
    here = sum(v._lease.value.addressable_shards[0].data.nbytes for v in held)
    # Weights (4, 8), (8,), (8, 4) are cut in eight and (4,) is whole, each with its velocity; two
    # numbers of the optimizer are of eight bytes.
    assert here == 2 * 4 * ((32 + 8 + 32) // 8 + 4) + 2 * 8
    assert f"the optimizer keeps of it: {here} on a device, {2 * 4 * 76 + 16} in all" in text
    assert "Variable: layers.0.weight (4, 8): cut over (·, data), 32 bytes" in text
    losses += training.run(1)  # on one device
    assert len(weight._lease.value.sharding.device_set) == 1
    two = pg.scale.mesh({"data": 2, "model": 4})
    with pg.scale.use(two, sharding={"*.0.weight": ("model", "data")}, model=training.model):
        inputs = [np.stack([x, x]) for x in (training.inputs, training.labels)]
        losses += training.step.repeat(*inputs, along=(0, 1)).tolist()
        assert shards(weight) == [(1, 4)] * 8
        value = weight._lease.value
        assert np.array_equal(weight.value, np.asarray(value))
        weight.assign(weight.value)
    agree((losses, training.values()), alone["mlp"])


def test_threads_that_share_a_mesh_lose_no_update():
    shared, mesh = pg.Variable(np.zeros(8)), pg.scale.mesh({"data": 8})

    @pg.function
    def step(x: Any) -> Any:
        shared.assign(shared + x)

    read = pg.function(lambda: pg.sum(shared))

    def work() -> None:
        with pg.scale.use(mesh, sharding="fully_sharded"):
            for _ in range(20):
                step(np.ones(8))
                read()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert shared.value.tolist() == [60.0] * 8


class Refusing(pg.Custom):
    """A user's operation, which fails for negative numbers."""

    def compute(self, x: Any) -> Any:
        if (x < 0).any():
            raise ValueError("negative")
        return x * 2


@pytest.mark.parametrize("deterministic", [False, True])
def test_what_may_fail_fails_on_a_mesh_too_and_changes_nothing(deterministic):
    v, table = pg.Variable(np.zeros(1)), np.arange(6.0).reshape(3, 2)

    @pg.function
    def step(x: Any, i: Any) -> Any:
        v.assign(v + 1)
        return Refusing(x), pg.take(table, i * 2 - 1, axis=0)

    one = np.ones(8, int)
    with pg.scale.use(pg.scale.mesh({"data": 8}), deterministic=deterministic):
        doubled, rows = step(np.ones(8), one)
        assert doubled.tolist() == [2.0] * 8
        assert rows.tolist() == [[2.0, 3.0]] * 8
        with pytest.raises(ValueError, match="negative"):
            step(-np.ones(8), one)
        with pytest.raises(pg.errors.OutOfRangeError, match="3 rows"):
            step(np.ones(8), np.array([1] * 7 + [2]))
    assert v.value.tolist() == [1.0]


def test_random_numbers_are_the_same_on_a_mesh():
    pg.set_seed(11)
    expected = pg.function(lambda x: pg.uniform((16, 3)) * x, engine="numpy")(np.ones((16, 1)))
    pg.set_seed(11)
    with pg.scale.use(pg.scale.mesh({"data": 8})):
        found = pg.function(lambda x: pg.uniform((16, 3)) * x)(np.ones((16, 1)))
    assert np.array_equal(found, expected)
