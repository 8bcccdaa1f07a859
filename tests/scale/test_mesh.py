"""Meshes, rules of shardings, and what is said of those that don't fit. Little is compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.placement import Mesh, Placement
from palingrad.engines.sharding import Specs
from palingrad.scale.mesh import parsed
from palingrad.scale.using import placed

jax = pytest.importorskip("jax", reason="JAX isn't installed: make test-scale")

FOUR_BY_TWO = Mesh(("data", "model"), (4, 2))


def specs_of(model: Any, sharding: Any) -> dict[str, Any]:
    specs = Specs(placed(FOUR_BY_TWO, sharding=sharding, model=model))
    return {name: specs.of(variable) for name, variable in model.variables().items()}


def test_a_mesh_has_the_devices_that_are_asked_for_or_those_left():
    assert pg.scale.mesh({"data": 4, "model": 2}) == FOUR_BY_TWO
    assert pg.scale.mesh({"data": -1, "model": 2}) == FOUR_BY_TWO
    assert pg.scale.mesh({"data": 1}).size == 1
    assert parsed("data=4, model=2") == FOUR_BY_TWO.shape == {"data": 4, "model": 2}


@pytest.mark.parametrize(
    ("axes", "says"),
    [
        ({"data": 16}, r"JAX has 8: cpu:0.*device_count=16"),
        ({"data": 3, "model": -1}, "a multiple of 3 devices"),
        ({"data": -1, "model": -1}, "more than one size"),
        ({"data": 0}, "mesh: data is 0"),
        ({"two words": 2}, "isn't a name"),
        ({}, "expected names and sizes"),
        (4, "expected names and sizes"),
    ],
)
def test_meshes_that_cannot_be(axes, says):
    with pytest.raises(pg.errors.PalingradError, match=says):
        pg.scale.mesh(axes)


@pytest.mark.parametrize("text", ["data", "data=x", "data=--2", "data=²", "data=2,data=2", ""])
def test_texts_that_are_no_mesh(text):
    with pytest.raises(pg.errors.ArgumentError, match="--mesh data=4"):
        parsed(text)


def test_schemes_cut_a_gpt_as_its_layers_ask():
    model = pg.models.gpt(66, context=8, layers=1, heads=2, width=8, seed=0)
    found = specs_of(model, "tensor")
    attention = "blocks.0.attention"
    assert found[f"{attention}.qkv.weight"] == (None, "model")
    assert found[f"{attention}.qkv.bias"] == ("model",)
    assert found[f"{attention}.output.weight"] == ("model",)
    assert found[f"{attention}.output.bias"] == ()
    assert found["blocks.0.feed_forward.up.weight"] == (None, "model")
    assert found["blocks.0.feed_forward.down.weight"] == ("model",)
    assert found["embedding.table"] == ("model",)
    assert [found[name] for name in found if "norm" in name] == [()] * 6
    found = specs_of(model, "fully_sharded")
    assert found["embedding.table"] == (None, "data"), "66 rows can't be cut in four"
    assert found["blocks.0.feed_forward.up.weight"] == (None, "data"), "the longer axis"
    both = specs_of(model, ["tensor", "fully_sharded"])
    assert both["embedding.table"] == ("model", "data")
    assert both["blocks.0.feed_forward.up.weight"] == ("data", "model")
    assert set(specs_of(model, "replicated").values()) == {()}


def test_rules_by_name_come_first_and_an_optimizers_state_follows():
    model = pg.nn.Sequential(pg.nn.Linear(4, 8), pg.relu, pg.nn.Linear(8, 3))
    rules = [{"layers.0.*": (("data", "model"),), "*.bias": None}, "fully_sharded"]
    with pytest.raises(pg.errors.ShapeError, match=r"axis 0 isn't a multiple of the 8 devices"):
        specs_of(model, rules)
    rules[0] = {"layers.0.weight": (None, ("data", "model")), "*.bias": None}
    found = specs_of(model, rules)
    assert found == {"layers.0.weight": (None, ("data", "model")), "layers.0.bias": (),
                     "layers.2.weight": ("data",), "layers.2.bias": ()}  # fmt: skip
    optimizer = pg.optim.Momentum(0.1)
    optimizer.prepare(model.parameters().values())
    specs = Specs(placed(FOUR_BY_TWO, sharding=rules, model=model))
    slots = optimizer.variables(model.parameters())
    assert specs.of(slots["layers.0.weight.velocity"]) == (None, ("data", "model"))
    assert specs.of(slots["steps"]) == ()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sharding": "fully_shared"}, "Did you mean 'fully_sharded'"),
        ({"sharding": {"*": ("rows",)}}, "Its axes are 'data', 'model'"),
        ({"sharding": {"*": ("data", "data")}}, "names an axis of the mesh twice"),
        ({"sharding": {"*": 3}}, "isn't a rule"),
        ({"sharding": {"layer.0.weight": ()}}, "fits no Variable; they are 'layers.0.weight'"),
        ({"sharding": {"*weight": (None, None, "data")}}, "is for 3 axes"),
        ({"sharding": {"*bias": ("data",)}}, "axis 0 isn't a multiple of the 4 devices"),
        ({"sharding": []}, "sharding is"),
        ({"inputs": ["x"]}, "expected a dict of rules"),
        ({"mesh": 8}, "expected a mesh, got 8"),
        ({"model": 8}, "the model is 8"),
        ({"mesh": Mesh(("data",), (4,)), "sharding": "tensor"}, "'model', which .* hasn't"),
        ({"mesh": Mesh(("model",), (4,)), "sharding": "fully_sharded"}, "'data', which"),
        ({"deterministic": "yes"}, "expected True or False"),
        ({"deterministic": True, "blocks": 0}, "blocks is 0"),
    ],
)
def test_rules_that_do_not_fit(options, says):
    model = pg.nn.Sequential(pg.nn.Linear(4, 6))
    given = {"mesh": FOUR_BY_TWO, "model": model, **options}
    with pytest.raises(pg.errors.PalingradError, match=says), pg.scale.use(given.pop("mesh"),
                                                                           **given):  # fmt: skip
        pass


def test_a_mesh_is_in_use_in_its_with_only():
    mesh = pg.scale.mesh({"data": 8})
    assert pg.scale.current() is None
    with pg.scale.use(mesh) as placement:
        assert pg.scale.current() is placement
        assert placement == Placement(mesh)
        with pytest.raises(pg.errors.ArgumentError, match="in use already"), pg.scale.use(mesh):
            pass
        with pytest.raises(pg.errors.EngineError, match="the native engine knows no meshes"):
            pg.function(lambda x: x + 1, engine="native")(np.ones(8))
        assert float((pg.Variable(2.0) * 3).value) == 6.0, "eager code runs where it did"
    assert pg.scale.current() is None


def test_what_is_fed_is_cut_or_said_to_be_whole():
    f = pg.function(lambda x, rate: pg.sum(x) * rate)
    mesh = pg.scale.mesh({"data": 8})
    with pg.scale.use(mesh):
        with pytest.raises(pg.errors.ShapeError, match=r"input 'x' \(9,\).*multiple of 8"):
            f(np.ones(9), 2.0)
        assert float(f(np.ones(16), 2.0)) == 32.0
        assert "fed: x (16,): cut over (data)" in f.explain(np.ones(16), 2.0)
    with pg.scale.use(mesh, inputs={"x": ()}):
        assert float(f(np.ones(9), 2.0)) == 18.0
    assert float(f(np.ones(9), 2.0)) == 18.0
    other = pg.scale.mesh({"rows": 2})
    with pytest.raises(pg.errors.ArgumentError, match="nothing is cut over"), pg.scale.use(other):
        raise AssertionError
    with pg.scale.use(other, inputs={"x": ("rows",)}):
        assert float(f(np.ones(16), 2.0)) == 32.0
    for options in ({}, {"deterministic": True}):
        unknown = pg.scale.use(mesh, inputs={"x": (), "rates": ()}, **options)
        said = "inputs: the pattern 'rates' fits no input; they are 'x', 'rate'.*mean 'rate'"
        with unknown, pytest.raises(pg.errors.ArgumentError, match=said):
            f(np.ones(16), 2.0)
    with pg.scale.use(mesh, inputs={"other": ()}):
        w = pg.Variable(np.ones(8))
        assert float(pg.function(lambda: pg.sum(w * 2))()) == 16.0, "a program without feeds"
    unknown = pg.scale.use(mesh, sharding={"nothing*": ("data",)})
    w = pg.Variable(np.ones(8), name="w")
    with unknown, pytest.raises(pg.errors.ArgumentError, match="fits no Variable; they are 'w'"):
        pg.function(lambda: pg.sum(w * 2))()
