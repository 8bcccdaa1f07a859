"""A module finds its Variables and names them by where they are."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad import nn
from palingrad.errors import ArgumentError
from palingrad.optim import GradientDescent

pytestmark = pytest.mark.tiny


class Affine(nn.Module):
    """y = slope·x + offset, and two Variables that training leaves alone."""

    def __init__(self) -> None:
        self.slope, self.offset = pg.Variable(2.0), pg.Variable(1.0)
        self.frozen = pg.Variable(1.0, trainable=False)
        self.count = pg.Variable(0)
        self.title, self.function, self.nothing = "affine", pg.relu, None

    def forward(self, x, *, training):
        return self.slope * x + self.offset + (100 if training else 0)


class Nested(nn.Module):
    """Modules and Variables in lists, tuples and dicts."""

    def __init__(self) -> None:
        self.list = [Affine(), pg.Variable(1.0)]
        self.dict = {"first": nn.Linear(2, 3), "second": (pg.Variable(2.0), [pg.Variable(3.0)])}


def test_parameters_are_named_by_attribute():
    model = Affine()
    assert list(model.parameters()) == ["slope", "offset"]
    assert model.parameters()["slope"] is model.slope


def test_variables_count_those_that_are_not_trained_too():
    assert list(Affine().variables()) == ["slope", "offset", "frozen", "count"]


def test_names_lead_through_lists_tuples_dicts_and_modules():
    assert list(Nested().parameters()) == [
        "list.0.slope",
        "list.0.offset",
        "list.1",
        "dict.first.weight",
        "dict.first.bias",
        "dict.second.0",
        "dict.second.1.0",
    ]


def test_sequential_s_parameters_are_named_by_place():
    model = nn.Sequential(nn.Linear(4, 3), pg.relu, nn.Sequential(nn.Linear(3, 2, bias=False)))
    names = ["layers.0.weight", "layers.0.bias", "layers.2.layers.0.weight"]
    assert list(model.parameters()) == names


def test_a_shared_layer_is_named_once():
    shared = nn.Linear(3, 3)
    model = nn.Sequential(shared, pg.relu, shared)
    assert list(model.parameters()) == ["layers.0.weight", "layers.0.bias"]


def test_a_shared_variable_has_its_first_name():
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    model = nn.Sequential(first, second)
    assert list(model.parameters()) == ["layers.0.weight", "layers.0.bias", "layers.1.bias"]


def test_a_shared_layer_s_gradient_counts_all_its_uses():
    shared = nn.Linear(1, 1, bias=False, initializer=nn.init.zeros, dtype=pg.float64)
    weight = shared.weight.assign([[3.0]])
    nn.Sequential(shared, shared)([[2.0]]).backward()
    assert weight.grad is not None
    assert weight.grad.item() == 12  # ∂(w²·2)/∂w = 4w


class Child(nn.Module):
    def __init__(self, parent: nn.Module) -> None:
        self.parent, self.size = parent, pg.Variable(1.0)


class Parent(nn.Module):
    def __init__(self) -> None:
        self.children = [Child(self), Child(self)]
        self.size = pg.Variable(2.0)


def test_a_module_that_leads_back_to_itself_is_no_endless_loop():
    names = ["children.0.size", "children.1.size", "size"]
    assert list(Parent().parameters()) == names


def test_a_model_without_variables_has_no_names():
    assert nn.Sequential(nn.Flatten(), nn.Tanh(), pg.relu).variables() == {}


def test_a_call_evaluates_unless_told_to_train():
    model = Affine()
    assert (model(3.0).item(), model(3.0, training=True).item()) == (7, 107)


def test_sequential_tells_its_modules_whether_they_train():
    model = nn.Sequential(Affine(), nn.Sequential(Affine()))
    assert (model(0.0).item(), model(0.0, training=True).item()) == (3, 303)


def test_a_module_without_forward_says_what_it_needs():
    with pytest.raises(NotImplementedError, match=r"Nested needs forward\(self, x, \*, training\)"):
        Nested()(1.0)


def test_a_module_prints_its_parameters_shapes():
    assert repr(Affine()) == "Affine(slope=(), offset=())"


def test_any_module_can_be_trained():
    model = Affine()
    sgd = GradientDescent(0.1)
    for _ in range(200):
        sgd.minimize(pg.mse(model(pg.tensor([0.0, 1.0, 2.0])), pg.tensor([5.0, 4.0, 3.0])))
    assert model.slope.item() == pytest.approx(-1, abs=1e-3)
    assert model.offset.item() == pytest.approx(5, abs=1e-3)


def test_a_dot_in_a_key_is_no_level_of_names():
    class Net(nn.Module):
        def __init__(self):
            self.parts = {"a.b": pg.Variable(1.0), "a": {"b": pg.Variable(2.0)}, "a%2Eb": [9]}

    found = Net().variables()
    assert {name: v.item() for name, v in found.items()} == {"parts.a%2Eb": 1, "parts.a.b": 2}


def test_two_keys_of_one_name_are_an_error():
    class Net(nn.Module):
        def __init__(self):
            self.parts = {1: pg.Variable(1.0), "1": pg.Variable(2.0)}

    with pytest.raises(ArgumentError, match=r"Net: two Variables are called 'parts\.1'"):
        Net().variables()


def test_a_variable_isn_t_replaced_by_what_can_t_be_trained():
    layer = nn.Linear(2, 1)
    with pytest.raises(ArgumentError, match=r"self.weight is a Variable.*weight.assign\(value"):
        layer.weight = np.ones((2, 1))
    layer.weight = pg.Variable(np.ones((2, 1)))  # another one may take its place
    layer.bias = None
    assert layer(np.ones((1, 2))).item() == 2


# ---------------------------------------------------------------- freezing, walking, showing


def test_a_frozen_part_stays_in_a_compiled_step_and_thaws_again():
    """A step that was traced before the freeze is traced again."""
    model = nn.Sequential(nn.Linear(2, 2, seed=1), nn.Linear(2, 1, seed=2))
    optimizer = GradientDescent(0.01)

    @pg.function
    def step(x):
        loss = pg.sum(model(x, training=True) ** 2)
        optimizer.minimize(loss)
        return loss

    def moved():
        before = {name: v.numpy() for name, v in model.variables().items()}
        step(np.ones((3, 2)))
        return [name for name, v in model.variables().items() if (v.numpy() != before[name]).any()]

    names = list(model.variables())
    assert moved() == names
    model.layers[0].freeze()
    assert moved() == list(model.parameters()) == names[2:]
    assert model.unfreeze() is model
    assert moved() == names


def test_unfreeze_leaves_what_was_never_trained():
    model = nn.BatchNorm(3).freeze()
    assert list(model.parameters()) == []
    assert list(model.unfreeze().parameters()) == ["scale", "offset"]


def test_integers_can_not_be_made_trainable():
    count = pg.Variable(0, trainable=False)
    with pytest.raises(pg.errors.DTypeError, match=r"holds int64, which isn't trained"):
        count.trainable = True


def test_apply_calls_inner_modules_first():
    seen = []
    model = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Tanh()))
    assert model.apply(lambda one: seen.append(type(one).__name__)) is model
    assert seen == ["Tanh", "Sequential", "Linear", "Sequential"]
    assert list(model.modules()) == ["", "layers.0", "layers.1", "layers.1.layers.0"]


def test_the_text_of_a_module_is_a_tree_in_which_repetitions_are_counted():
    class Net(nn.Module):
        def __init__(self):
            self.scale = pg.Variable(1.0)
            self.blocks = [nn.Linear(2, 2) for _ in range(3)]
            self.head = nn.Linear(2, 1)

    assert repr(Net()) == (
        "Net(\n"
        "  scale: (),\n"
        "  blocks.0 … blocks.2: 3 × Linear(weight=(2, 2), bias=(2,)),\n"
        "  head: Linear(weight=(2, 1), bias=(1,)),\n"
        ")"
    )


def test_a_call_gets_several_inputs_and_options():
    class Mix(nn.Module):
        def forward(self, x, y, *, training, scale=1.0):
            return (x + y) * scale

    assert Mix()(1.0, 2.0, scale=3.0) == 9
    with pytest.raises(ArgumentError, match=r"Mix.forward .* can't be called as forward\(x, tra"):
        Mix()(1.0)


def test_a_summary_counts_each_module_once_for_each_call():
    shared = nn.Linear(4, 4)
    model = nn.Sequential(shared, pg.relu, shared, nn.Linear(4, 2))
    found = model.summary((5, 4))
    assert [(row.label, row.depth, row.shapes) for row in found.rows] == [
        ("", 0, ((5, 2),)),
        ("layers.0", 1, ((5, 4),)),
        ("layers.0", 1, ((5, 4),)),
        ("layers.3", 1, ((5, 2),)),
    ]
    assert (found.parameters, found.nbytes) == (4 * 4 + 4 + 4 * 2 + 2, 4 * (20 + 10))
    # 2·m·n·k of each product, one for each bias and each element of relu
    assert found.flops == 2 * (2 * 5 * 4 * 4 + 20) + 20 + 2 * 5 * 4 * 2 + 10
    with pytest.raises(ArgumentError, match="summary: an input is 'x'; expected a shape"):
        model.summary("x")
