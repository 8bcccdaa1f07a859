"""A step in blocks: the same bits on any number of devices, and as by gradient accumulation."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.ops.control.blocks import of_blocks

jax = pytest.importorskip("jax", reason="JAX isn't installed: make test-scale")


def model_of(kind: str) -> tuple[Any, Any, Any]:
    """A model, inputs and labels, 16 examples."""
    labels = np.arange(16) % 4
    if kind == "gpt":
        tokens = np.arange(64).reshape(16, 4) * 7 % 12
        model: Any = pg.models.gpt(12, context=4, layers=1, heads=2, width=8, seed=0)
        return model, tokens, (tokens + 1) % 12
    if kind == "cnn":
        layers = (pg.nn.Conv2D(1, 2, 3, seed=1), pg.relu, pg.nn.MaxPool2D(2), pg.nn.Flatten(),
                  pg.nn.Linear(8, 4, seed=2))  # fmt: skip
        images = np.sin(np.arange(16 * 36.0)).reshape(16, 1, 6, 6).astype(np.float32)
        return pg.nn.Sequential(*layers), images, labels
    layers = (pg.nn.Linear(4, 8, seed=1), pg.tanh, pg.nn.Linear(8, 4, seed=2))
    return pg.nn.Sequential(*layers), np.sin(np.arange(64.0, dtype="f")).reshape(16, 4), labels


def in_blocks(kind: str, engine: str | None = None, steps: int = 3) -> list[Any]:
    """Losses, then weights, of a few steps in blocks."""
    model, x, y = model_of(kind)
    optimizer = pg.optim.Adam(0.05, clip_norm=1.0)

    @pg.function(engine=engine)
    def step(x: Any, y: Any) -> Any:
        def loss(x: Any, y: Any) -> Any:
            return pg.cross_entropy(model(x, training=True), y)

        return pg.scale.minimize(optimizer, loss, x, y)

    losses = [np.asarray(step(x, y)) for _ in range(steps)]
    return [*losses, *(v.value for v in model.variables().values())]


def on_mesh(kind: str, axes: dict[str, int], sharding: Any = "replicated") -> list[Any]:
    with pg.scale.use(pg.scale.mesh(axes), sharding=sharding, deterministic=True):
        return in_blocks(kind)


def accumulated(kind: str) -> list[Any]:
    """The same by gradient accumulation, in one process on one device."""
    model, x, y = model_of(kind)
    optimizer = pg.optim.Adam(0.05, clip_norm=1.0)

    @pg.function(engine="xla")
    def add(x: Any, y: Any) -> Any:
        loss = pg.cross_entropy(model(x, training=True), y)
        optimizer.accumulate(loss, weight=2.0)
        return loss

    apply = pg.function(lambda: optimizer.apply(), engine="xla")
    losses: list[Any] = []
    for _ in range(3):
        parts = [float(add(x[n : n + 2], y[n : n + 2])) for n in range(0, 16, 2)]
        losses.append(np.asarray(sum(parts) / 8))
        apply()
    return [*losses, *(v.value for v in model.variables().values())]


def same_bits(a: list[Any], b: list[Any]) -> bool:
    return all(x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True))


def test_numbers_of_an_mlp_are_the_same_on_1_2_4_and_8_devices_however_it_is_cut():
    expected = on_mesh("mlp", {"data": 1})
    for count in (2, 4, 8):
        assert same_bits(on_mesh("mlp", {"data": count}), expected), count
    both = on_mesh("mlp", {"data": 4, "model": 2}, ["tensor", "fully_sharded"])
    assert same_bits(both, expected)
    assert same_bits(accumulated("mlp"), expected)


def test_numbers_of_a_cnn_are_the_same_on_1_and_8_devices():
    expected = on_mesh("cnn", {"data": 1})
    assert same_bits(on_mesh("cnn", {"data": 8}, "fully_sharded"), expected)


def test_numbers_of_a_gpt_on_8_devices_are_those_of_accumulation_on_one():
    assert same_bits(on_mesh("gpt", {"data": 8}, "fully_sharded"), accumulated("gpt"))


def test_numbers_are_the_same_however_they_are_cut_where_xla_optimises():
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    script = Path(__file__).with_name("optimised.py")
    done = subprocess.run([sys.executable, script], env={**os.environ, **flags}, text=True,
                          capture_output=True, timeout=120)  # fmt: skip
    assert done.stdout.split() == ["True", "True", "True"], done.stderr


def test_other_engines_compute_blocks_too():
    expected = in_blocks("mlp", "numpy")
    for found, wanted in zip(in_blocks("mlp", "native"), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_devices_share_the_blocks_and_gradients_pass_through_them():
    def of_rows(x: Any) -> Any:
        return of_blocks(lambda row: pg.sum(row**3), x)

    x = np.arange(16.0).reshape(8, 2)
    f = pg.function(of_rows)
    with pg.scale.use(pg.scale.mesh({"data": 4}), deterministic=True):
        assert np.array_equal(f(x), (x**3).sum(1))
        assert re.search(r"collectives: 1 all-gather", f.explain(x))
        assert np.array_equal(f(x[:3]), (x[:3] ** 3).sum(1)), "three rows can't be shared"
    assert np.array_equal(pg.grad(lambda x: pg.sum(of_rows(x)))(x), 3 * x**2)


def test_what_blocks_cannot_hold_is_refused_by_name():
    mesh, x = pg.scale.mesh({"data": 2}), np.ones((16, 4), np.float32)
    wrong = "a step in blocks can't draw random numbers or assign Variables"
    for layer in (pg.nn.Dropout(0.5), pg.nn.BatchNorm(4)):
        model = pg.nn.Sequential(pg.nn.Linear(4, 4), layer)
        with pytest.raises(pg.errors.GraphError, match=wrong):
            pg.train.fit(model, (x, np.zeros(16, int)), optimizer=pg.optim.Adam(0.1), mesh=mesh,
                         batch_size=16, deterministic=True)  # fmt: skip
    model = pg.nn.Sequential(pg.nn.Linear(4, 4))
    fit = {"optimizer": pg.optim.Adam(0.1), "mesh": mesh, "deterministic": True}
    for options, says in (
        ({"batch_size": 12}, "batch_size=12 isn't a multiple of the 8 blocks.*batch_size=16"),
        ({"batch_size": 16, "accumulate": 2}, "Write a larger batch_size"),
        ({"mesh": None}, "are for a mesh.*--mesh data=4"),
        ({"deterministic": False, "batch_size": 7}, "isn't a multiple of the 2 devices"),
        ({"engine": "numpy"}, "the numpy engine knows no meshes"),
    ):
        with pytest.raises(pg.errors.PalingradError, match=says):
            pg.train.fit(model, (x, np.zeros(16, int)), **{**fit, **options})  # pyright: ignore
    with pg.scale.use(mesh), pytest.raises(pg.errors.ArgumentError, match=r"Write them in use\("):
        pg.train.fit(model, (x, np.zeros(16, int)), optimizer=pg.optim.Adam(0.1), sharding="tensor")
    with pytest.raises(pg.errors.ShapeError, match="one row for each example"):
        pg.scale.minimize(pg.optim.Adam(0.1), lambda a, b: a, x, x[:3])
    no_step: list[Any] = [(3, pg.sum), (pg.optim.Adam(0.1), 2.0)]
    for optimizer, loss in no_step:
        with pytest.raises(pg.errors.ArgumentError, match="an optimizer and a function"):
            pg.scale.minimize(optimizer, loss, x)


def test_fit_and_the_command_train_on_a_mesh(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from palingrad.cli.app import app

    monkeypatch.chdir(tmp_path)
    command = ["train", "digits", "--epochs", "1", "--batch-size", "512", "--model", "logistic"]
    losses: list[str] = []
    for extra in (["--mesh", "data=2"], ["--mesh", "data=4", "--sharding", "fully_sharded"]):
        done = CliRunner().invoke(app, [*command, *extra, "--deterministic", "--out", extra[1]])
        assert done.exit_code == 0, done.output
        losses += re.findall(r"loss (\d+\.\d+)", done.output)
    assert "on Mesh(data=4), fully_sharded, deterministic" in done.output
    assert len(losses) == 2
    assert losses[0] == losses[1]
    for option, says in ((["--engine", "native"], "--mesh is for the xla engine"),
                         (["--mesh", "data=16"], "JAX has 8"), (["--mesh", "data"], "isn't a mesh"),
                         ):  # fmt: skip
        done = CliRunner().invoke(app, [*command, "--mesh", "data=2", *option])
        assert says in str(done.exception)
