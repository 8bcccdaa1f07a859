"""Loaded models compute, differentiate, train and compile as the exported functions do."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

import palingrad as pg
from onnx_running import results, session
from palingrad.errors import ArgumentError, OnnxError, ShapeError

RNG = np.random.default_rng(0)
TOKENS = RNG.integers(0, 5, (2, 8))
FIELDS = RNG.integers(0, 3, (4, 2))
MODELS = {
    "mlp": (pg.models.mlp(12, 8, 3, seed=1), RNG.normal(size=(4, 12)).astype("f4")),
    "lenet": (pg.models.lenet(side=16), RNG.normal(size=(2, 1, 16, 16)).astype("f4")),
    "resnet20": (pg.models.resnet20(width=2), RNG.normal(size=(2, 3, 8, 8)).astype("f4")),
    "gpt": (pg.models.gpt(5, context=64, layers=2, heads=2, width=8, seed=3), TOKENS),
    "char_rnn": (pg.models.char_rnn(5, width=8, layers=2, seed=3), TOKENS),
    "fm": (pg.models.fm([3, 3]), FIELDS),
    "wide_deep": (pg.models.wide_deep([3, 3]), FIELDS),
    "deepfm": (pg.models.deepfm([3, 3]), FIELDS),
}


def test_all_models_are_here():
    assert set(MODELS) == set(pg.models.__all__) - {"generate"}


@pytest.mark.parametrize("name", MODELS)
def test_models_export_for_any_batch_and_load(name, tmp_path):
    model, x = MODELS[name]
    path = pg.onnx.export(model, x, tmp_path / "m.onnx", dynamic_axes="batch")
    written = onnx.load(path)
    (first,) = written.graph.input
    (last,) = written.graph.output
    assert first.type.tensor_type.shape.dim[0].dim_param == "batch"
    assert last.type.tensor_type.shape.dim[0].dim_param == "batch"
    loaded = pg.onnx.load(path)
    assert set(loaded.parameters()) == set(model.parameters())
    for rows in (1, len(x), 3):
        given = np.concatenate([x] * 3)[:rows]
        expected = np.asarray(model(given))
        (found,) = results(written, {first.name: given}).values()
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(loaded(given), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["gpt", "char_rnn"])
def test_texts_of_any_length(name):
    model, x = MODELS[name]
    name = pg.onnx.export(model, x).graph.input[0].name
    written = pg.onnx.export(model, x, dynamic_axes={name: {0: "batch", 1: "time"}})
    longer = np.concatenate([x, x[:, :5]], axis=1)[:1]
    (found,) = results(written, {name: longer}).values()
    np.testing.assert_allclose(found, np.asarray(model(longer)), rtol=1e-5, atol=1e-6)


def test_a_loaded_model_is_differentiated_trained_and_drawn(tmp_path):
    model, x = MODELS["mlp"]
    target = np.array([0, 1, 2, 1])
    loaded = pg.onnx.load(pg.onnx.export(model, x, tmp_path / "m.onnx", dynamic_axes="batch"))

    def loss_of(f):
        return lambda v: pg.mean(pg.cross_entropy(f(v), target))

    np.testing.assert_allclose(
        pg.grad(loss_of(loaded))(x), pg.grad(loss_of(model))(x), rtol=1e-5, atol=1e-7
    )
    optimizer = pg.optim.GradientDescent(0.1)
    losses = []
    for _ in range(5):
        loss = loss_of(loaded)(pg.tensor(x))
        optimizer.minimize(loss)
        losses.append(float(loss))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] - 0.01
    assert "<svg" in str(loaded.draw(tmp_path / "m.svg") and (tmp_path / "m.svg").read_text())
    compiled = pg.function(loaded)
    np.testing.assert_allclose(compiled(x), loaded(x), rtol=1e-6, atol=1e-7)


def test_a_training_step_is_exported_and_trains_the_same(tmp_path):
    x, y = RNG.normal(size=(6, 12)).astype("f4"), RNG.integers(0, 3, 6)
    model, optimizer = pg.models.mlp(12, 8, 3, seed=5), pg.optim.Adam(0.01)

    class Step:
        __name__ = "step"

        def variables(self):
            return model.variables()

        def __call__(self, x, y):
            loss = pg.mean(pg.cross_entropy(model(x), y))
            optimizer.minimize(loss)
            return {"loss": loss}

    step = Step()
    path = pg.onnx.export(step, (x, y), tmp_path / "step.onnx", dynamic_axes="batch")
    written = onnx.load(path)
    again = pg.onnx.load(path)  # assigns its Variables
    runner, state = session(written), {}
    own = pg.function(step)
    for rows in (6, 4, 5):
        found = dict(
            zip(
                [one.name for one in runner.get_outputs()],
                runner.run(None, {"x": x[:rows], "y": y[:rows], **state}),
                strict=True,
            )
        )
        state = {name[:-4]: one for name, one in found.items() if name.endswith(".new")}
        expected = float(own(x[:rows], y[:rows])["loss"])
        np.testing.assert_allclose(found["loss"], expected, rtol=1e-5)
        np.testing.assert_allclose(float(again(x[:rows], y[:rows])), expected, rtol=1e-5)
    for name, variable in model.variables().items():
        np.testing.assert_allclose(state[name], variable.numpy(), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(again.variables()[name].numpy(), state[name], atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_the_training_step_of_every_model(name):
    model, x = MODELS[name]
    optimizer = pg.optim.GradientDescent(0.1)
    before = {key: one.numpy() for key, one in model.variables().items()}

    class Step:
        def variables(self):
            return model.variables()

        def __call__(self, x):
            scores = model(x, training=True)
            loss = pg.mean(scores * scores)
            optimizer.minimize(loss)
            return loss

    axes = "batch" if name in ("lenet", "gpt") else None
    written = pg.onnx.export(Step(), x, dynamic_axes=axes)
    found = results(written, {written.graph.input[0].name: x})
    expected = float(pg.function(Step())(x))
    np.testing.assert_allclose(found[written.graph.output[0].name], expected, rtol=1e-5)
    for key, variable in model.variables().items():
        np.testing.assert_allclose(found[f"{key}.new"], variable.numpy(), rtol=1e-4, atol=1e-6)
        variable.assign(before[key])


def test_random_numbers_are_the_same_bits():
    zeros = np.zeros(3, np.float32)

    def drawing():
        generator = pg.random.Generator(7)
        return lambda x: x + pg.cast(generator.uniform(size=3), "float32")

    written = pg.onnx.export(drawing(), zeros)
    runner, own = session(written), pg.function(drawing())
    names = [one.name for one in runner.get_outputs()]
    state = {}
    for _ in range(3):
        found = dict(zip(names, runner.run(None, {"x": zeros, **state}), strict=True))
        np.testing.assert_array_equal(found["y"], own(zeros))
        state = {name[:-4]: one for name, one in found.items() if name.endswith(".new")}
    assert state


def test_an_export_leaves_later_draws_alone():
    pg.set_seed(3)
    expected = pg.uniform(4).numpy()
    pg.set_seed(3)
    pg.onnx.export(lambda x: x + pg.uniform(4), np.zeros(4, np.float32))
    np.testing.assert_array_equal(pg.uniform(4).numpy(), expected)


def test_dropout_draws_anew_in_each_step():
    ones = np.ones(64, np.float32)
    written = pg.onnx.export(lambda x: pg.dropout(x, 0.5, seed=3), ones)
    (variable,) = [x.name for x in written.graph.input if x.name != "x"]
    first = results(written, {"x": ones})
    second = results(written, {"x": ones, variable: first[f"{variable}.new"]})
    assert set(np.unique(first["y"])) == {0.0, 2.0}
    assert (first["y"] != second["y"]).any()


def test_loops_and_branches_go_both_ways():
    x = RNG.normal(size=(5, 3)).astype("f4")

    def f(x):
        last, ys = pg.scan(lambda c, row: (c * 0.5 + row, c), pg.zeros((3,)), x, reverse=True)
        doubled = pg.cond(pg.sum(x) > 0, lambda v: v * 2, lambda v: v - 1, last)
        _, grown = pg.while_loop(
            lambda s: s[0] < 4, lambda s: [s[0] + 1, s[1] * 1.5], [pg.tensor(0), doubled]
        )
        return [ys, pg.cumprod(x, axis=0), grown, pg.cumulative_max(x, axis=1)]

    written = pg.onnx.export(f, x)
    assert {"If", "Loop", "Scan"} <= {node.op_type for node in written.graph.node}
    loaded = pg.onnx.load(written)
    for given in (x, -x):
        expected = pg.function(f)(given)
        for found, one, wanted in zip(
            results(written, {"x": given}).values(), loaded(given), expected, strict=True
        ):
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)
            np.testing.assert_allclose(one, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("opset", [13, 17, 18, 21])
def test_older_opsets(opset):
    model, x = MODELS["lenet"]
    written = pg.onnx.export(model, x, opset=opset)
    assert written.opset_import[0].version == opset
    (found,) = results(written, {"inputs": x}).values()
    np.testing.assert_allclose(found, np.asarray(model(x)), rtol=1e-5, atol=1e-5)


def test_what_depends_on_the_size_otherwise_is_refused():
    x = np.zeros((4, 3), np.float32)
    with pytest.raises(OnnxError, match=r"depends on the size of a dynamic axis.*constant array"):
        pg.onnx.export(lambda x: x + np.arange(x.shape[0])[:, None] ** 2, x, dynamic_axes="n")
    with pytest.raises(OnnxError, match=r"number that isn't 1/n"):
        pg.onnx.export(lambda x: x * float(np.sqrt(x.shape[0])), x, dynamic_axes="n")
    with pytest.raises(OnnxError, match="computes in another way"):
        pg.onnx.export(lambda x: pg.sin(x) if x.shape[0] % 3 else x, x, dynamic_axes="n")


def test_wrong_arguments_say_what_to_write(tmp_path):
    x = np.zeros((2, 3), np.float32)
    with pytest.raises(ArgumentError, match=r"opset=99 isn't one of 13"):
        pg.onnx.export(pg.sin, x, opset=99)
    with pytest.raises(ArgumentError, match="expected a function or a model"):
        pg.onnx.export(x, x)
    with pytest.raises(ArgumentError, match=r"dynamic_axes names 'z'.*1 input: x"):
        pg.onnx.export(lambda x: x, x, dynamic_axes={"z": {0: "n"}})
    with pytest.raises(ArgumentError, match="x has no axis 5"):
        pg.onnx.export(lambda x: x, x, dynamic_axes={"x": {5: "n"}})
    loaded = pg.onnx.load(pg.onnx.export(lambda x: pg.sin(x), x))
    with pytest.raises(ArgumentError, match="takes 1 input"):
        loaded(x, x)
    with pytest.raises(ArgumentError, match="is float32, got float64"):
        loaded(x.astype("f8"))
    with pytest.raises(ShapeError, match=r"has shape \(2, 3\), got shape \(3, 2\)"):
        loaded(x.T)


def test_operators_without_an_operation_are_named():
    node = helper.make_node("StringNormalizer", ["x"], ["y"])
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", 1, [2])],
        [helper.make_tensor_value_info("y", 1, [2])],
    )  # fmt: skip
    model = pg.onnx.load(helper.make_model(graph))
    with pytest.raises(OnnxError, match="no operation for ONNX's StringNormalizer"):
        model(np.zeros(2, np.float32))
