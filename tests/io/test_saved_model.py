"""Saved models: they compute what the model computed, learn, and hostile files are refused."""

from __future__ import annotations

import copy
import itertools
import json
import random
import subprocess
import sys

import numpy as np
import pytest

import palingrad as pg
from palingrad import nn
from palingrad.errors import ArgumentError, CheckpointError, FeedError, ShapeError
from palingrad.graph.registry import name_of

rng = np.random.default_rng(0)


def _floats(*shape):
    return rng.normal(size=shape).astype(np.float32)


MODELS = {
    "mlp": (lambda: pg.models.mlp(7, 5, 3), [_floats(2, 7)]),
    "lenet": (pg.models.lenet, [_floats(2, 1, 28, 28)]),
    "lstm": (lambda: nn.LSTM(4, 3, layers=2, bidirectional=True, seed=0), [_floats(2, 5, 4)]),
    "gpt": (
        lambda: pg.models.gpt(65, context=8, layers=1, heads=2, width=8, seed=0),
        [np.array([[1, 2, 3]])],
    ),
    "deepfm": (
        lambda: pg.models.deepfm([3, 4], numbers=2),
        [np.array([[1, 2], [0, 1]]), _floats(2, 2)],
    ),
    "norms": (
        lambda: nn.Sequential(nn.Linear(4, 8), nn.BatchNorm(8), pg.relu, nn.Dropout(0.5)),
        [_floats(2, 4)],
    ),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", [1, 6])
def test_a_saved_model_computes_the_bits_of_the_model(tmp_path, name, size):
    make, examples = MODELS[name]
    model = make()
    pg.io.save_model(tmp_path, model, *examples)
    loaded = pg.io.load_model(tmp_path)
    assert list(loaded.variables()) != []
    assert {*loaded.variables()} <= {*model.variables()}
    inputs = [np.resize(x, (size, *x.shape[1:])) for x in examples]
    expected = pg.function(model)(*inputs)
    np.testing.assert_array_equal(loaded(*inputs), expected, strict=True)


def test_the_class_that_made_it_is_not_needed(tmp_path):
    script = """
import sys, numpy as np, palingrad as pg
class Own(pg.nn.Module):
    def __init__(self): self.w = pg.Variable([[1.0, 2.0], [3.0, 4.0]])
    def forward(self, x, *, training): return pg.scan(lambda c, r: (c + r, c * r), x[:, 0], x.mT)[1]
pg.io.save_model(sys.argv[1], Own(), np.ones((1, 2), np.float32), batch=False)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    got = pg.io.load_model(tmp_path)(np.array([[2, 5]], np.float32))
    np.testing.assert_array_equal(got, [[4.0], [20.0]])


def test_it_goes_on_learning(tmp_path):
    model = pg.models.mlp(4, 8, 2)
    x, y = _floats(16, 4), rng.integers(0, 2, 16)
    pg.io.save_model(tmp_path, model, x)
    loaded = pg.io.load_model(tmp_path)
    for one in (model, loaded):
        parameters = one.parameters()
        optimizer = pg.optim.GradientDescent(0.1)
        for _ in range(3):
            loss = pg.mean(pg.cross_entropy(one(pg.tensor(x)), y))
            optimizer.minimize(loss, parameters)
    for name, value in loaded.parameters().items():
        np.testing.assert_allclose(value.numpy(), model.parameters()[name].numpy(), rtol=1e-6)


def test_several_outputs_keep_their_names(tmp_path):
    pg.io.save_model(tmp_path, lambda x: {"up": x + 1, "down": x - 1}, _floats(1, 2))
    got = pg.io.load_model(tmp_path)(np.zeros((2, 2), np.float32))
    assert list(got) == ["up", "down"]
    assert got["down"].max() == -1


def test_what_cannot_be_saved_is_refused_by_name(tmp_path):
    x, counter, numbers = _floats(1, 3), pg.Variable(0.0), itertools.count()
    folder = tmp_path / "model"

    class Mine(pg.Elementwise):
        def f(m, x):
            return x

    cases = {
        "draws random numbers": lambda x: x + pg.random.normal((3,)),
        "assigned|assigns": lambda x: x + counter.assign(1.0),
        "Mine isn't one of palingrad's": lambda x: Mine(x),
        "what was read back differs": lambda x: x + next(numbers),
        "returned str": lambda x: "y",
        "can't be built for inputs of shape": lambda x: x * x.shape[0],
    }
    for message, model in cases.items():
        with pytest.raises((CheckpointError, pg.errors.GraphError), match=message):
            pg.io.save_model(folder, model, x)
        assert not folder.exists()
    pg.io.save_checkpoint(folder, {"w": counter}, meta={"model": "mlp"})
    with pytest.raises(CheckpointError, match="checkpoint of a training"):
        pg.io.save_model(folder, lambda x: x + 1, x)
    with pytest.raises(CheckpointError, match="without a graph"):
        pg.io.load_model(folder)


def test_wrong_inputs_are_told_by_name(tmp_path):
    pg.io.save_model(tmp_path, pg.models.mlp(4, 2), _floats(1, 4))
    loaded = pg.io.load_model(tmp_path)
    with pytest.raises(FeedError, match=r"'x' has shape \(\?, 4\), fed \(1, 3\)"):
        loaded(_floats(1, 3))
    with pytest.raises(ArgumentError, match=r"1 input \(x\), got 2"):
        loaded(_floats(1, 4), 1)


def test_it_is_differentiated_and_joins_graphs(tmp_path):
    model = pg.models.mlp(4, 5, 2)
    x = _floats(3, 4)
    pg.io.save_model(tmp_path, model, x)
    loaded = pg.io.load_model(tmp_path)
    slopes = [pg.grad(lambda x, f=f: pg.sum(f(x) ** 2))(x) for f in (model, loaded)]
    np.testing.assert_allclose(*slopes, rtol=1e-5, atol=1e-6)
    both = pg.function(lambda x: loaded(x) - model(x))(x)
    assert not both.any()
    with pytest.raises(ShapeError, match=r"x has shape \(\?, 4\), got"):
        loaded(pg.tensor(_floats(3, 5)))
    with pytest.raises(ShapeError, match=r"x has shape \(\?, 4\), got"):
        pg.function(loaded)(_floats(5))


def test_nodes_and_arrays_may_be_mixed(tmp_path):
    x, y = _floats(2, 3), _floats(2, 3)
    pg.io.save_model(tmp_path, lambda x, y: x * y + 1, x, y)
    loaded = pg.io.load_model(tmp_path)
    for one in (loaded(pg.tensor(x), y), pg.function(lambda x: loaded(x, y))(x), loaded(x, y)):
        np.testing.assert_allclose(np.asarray(one), x * y + 1, rtol=1e-6)


# ---------------------------------------------------------------- hostile files


class Unreachable(pg.Elementwise):
    """An operation of this process that a file must not reach."""

    def f(m, x):
        raise AssertionError("code ran")

    def shape_rule(y, *shapes):
        raise AssertionError("code ran")


@pytest.fixture
def meta(tmp_path):
    make, examples = MODELS["lstm"]
    pg.io.save_model(tmp_path / "good", make(), *examples)
    return pg.io.load_checkpoint(tmp_path / "good")


def _loads(folder, checkpoint, meta):
    pg.io.save_checkpoint(folder, checkpoint.arrays, meta=meta)  # with the hash of the change
    return pg.io.load_model(folder)


def _operation(meta):
    return next(one for one in meta["graph"]["nodes"] if one.get("attributes"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: _operation(m).update(operation="os:system"), "no operation 'os:system'"),
        (lambda m: _operation(m).update(operation="builtins:eval"), "no operation"),
        (lambda m: _operation(m).update(operation=name_of(Unreachable)), "no operation"),
        (lambda m: _operation(m)["attributes"].update(inputs=[]), "'inputs' is no attribute"),
        (lambda m: _operation(m).update(operation=["x"]), "no operation"),
        (lambda m: _operation(m)["attributes"].update(compute="x"), "'compute' is no attribute"),
        (lambda m: _operation(m)["attributes"].update(_value=1), "'_value' is no attribute"),
        (lambda m: _operation(m).update(shape=[1, 1]), "has shape and dtype"),
        (lambda m: _operation(m).update(inputs=[10**6]), "no node 1000000 before it"),
        (lambda m: m["graph"].update(results=[-1]), "no node -1"),
        (lambda m: m["graph"]["nodes"][0].update(dtype="object"), "no dtype 'object'"),
        (lambda m: m["graph"].update(nodes=3), "can't be read"),
        (lambda m: m.update(saved_model=2), "model format 2"),
    ],
)  # fmt: skip
def test_a_changed_graph_is_refused(tmp_path, meta, change, message):
    changed = copy.deepcopy(meta.meta)
    change(changed)
    with pytest.raises(CheckpointError, match=message):
        _loads(tmp_path / "bad", meta, changed)


def _places(tree, path=()):
    yield path
    if isinstance(tree, (dict, list)):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield from _places(tree[key], (*path, key))


_JUNK = [None, -1, 3, 10**30, "x", "inputs", [], {}, [None], {"tuple": [1]}, True, 0.5]


def test_random_changes_load_or_raise_a_checkpoint_error(tmp_path, meta):
    draw = random.Random(0)
    places = [path for path in _places(meta.meta) if path]
    refused = 0
    for _ in range(150):
        changed = copy.deepcopy(meta.meta)
        *path, last = draw.choice(places)
        inner = changed
        for key in path:
            inner = inner[key]
        inner[last] = draw.choice(_JUNK)
        try:
            _loads(tmp_path / "bad", meta, changed)
        except CheckpointError:
            refused += 1
    assert refused > 75


def test_a_damaged_file_is_refused(tmp_path, meta):
    path = tmp_path / "good" / "weights.safetensors"
    content = bytearray(path.read_bytes())
    place = content.index(b"palingrad.ops")
    content[place : place + 9] = b"pallngrad"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="hash differs"):
        pg.io.load_model(tmp_path / "good")
    readable = json.loads((tmp_path / "good" / "checkpoint.json").read_text())
    assert readable["meta"]["graph"]["nodes"][0]["input"] == "x"
