"""An unnamed node is drawn with the name of the Python variable that it was bound to."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import palingrad as pg
from palingrad.view.drawing.model import picture
from palingrad.view.names import names_of, number

pytestmark = pytest.mark.tiny


def labels(*roots: pg.Node) -> list[str]:
    return [item.label for item in picture(list(roots)).items]


def test_a_node_is_called_after_its_variable_unasked():
    a, b = pg.Variable(2.0), pg.Variable(-1.0)
    x = pg.tensor(3.0)
    c = a * x
    e = pg.sigmoid(c + b)
    assert labels(e) == ["a", "x", "c", "b", "add", "e"]


def test_a_given_name_comes_first_and_loses_its_scope():
    with pg.Graph(), pg.name_scope("layer"):
        w = pg.Variable(1.0, name="weight")
        y = w * 2.0
    assert labels(y) == ["weight", "2", "y"]
    assert picture(y).items[0].scope == ("layer",)


def test_a_name_that_a_graph_made_up_is_no_name():
    with pg.Graph():
        x = pg.placeholder()
        y = pg.square(x)
    assert (y.name, labels(y)) == ("square", ["x", "y"])


def test_a_variable_that_held_several_nodes_numbers_them():
    h = pg.tensor([1.0], name="x")
    for _ in range(3):
        h = pg.tanh(h * 2.0)
    assert [name for name in labels(h) if name.startswith("h")] == ["h₁", "h₂", "h₃"]


def test_targets_of_every_form_are_found():
    class Holder:
        pass

    box, many = Holder(), [0]
    x = pg.tensor(1.0)
    p, q = pg.sin(x), pg.cos(x)
    box.field = pg.exp(x)
    many[0] = pg.log(x)
    typed: pg.Node = pg.sqrt(x)
    grown = pg.square(x)
    grown += 1.0
    (walrus := pg.tan(x)).numpy()
    either = pg.sinh(x) if x.ndim == 0 else pg.cosh(x)
    first, second = pg.split(pg.tensor([1.0, 2.0]), 2)
    y = [p, q, box.field, many[0], typed, grown, walrus, either, first, second]
    names = names_of(pg.postorder(*y))
    del p, q, typed, grown, walrus, either, first, second
    shown = [names[id(node)] for node in y]
    assert shown == ["p", "q", "field", "many[0]", "typed", "grown₂", "walrus", "either", "first",
                     "second"]  # fmt: skip


def made(x: pg.Node) -> pg.Node:
    return pg.exp(x)


def test_what_a_function_returned_is_called_after_the_variable_that_holds_it():
    x = pg.tensor(1.0)
    result = made(x)
    assert labels(result) == ["x", "result"]


def test_helpers_of_one_call_and_bare_numbers_take_no_name():
    with pg.Graph():
        x = pg.placeholder((3,), dtype=pg.int32)
        y = x + np.ones(3, np.float32)
    found = labels(y)
    assert found.count("y") == 1
    assert found[-1] == "y"
    assert labels(pg.tensor(1.0) * 2.0)[1] == "2"


def test_a_module_gives_only_its_result_a_name():
    model = pg.nn.Sequential(pg.nn.Linear(2, 2), pg.relu, pg.nn.Linear(2, 2))
    x = pg.placeholder((None, 2), dtype=pg.float32)
    y = model(x)
    del model
    assert labels(y) == ["x", "weight", "matmul", "bias", "add", "relu", "weight", "matmul",
                         "bias", "y"]  # fmt: skip
    scopes = {item.scope for item in picture(y).items}
    assert scopes == {(), ("Sequential",), ("Sequential", "Linear_0"), ("Sequential", "Linear_2")}


def test_gradients_say_of_what_they_are():
    with pg.Graph():
        x = pg.placeholder((2,), dtype=pg.float64)
        h = pg.sin(x)
        loss = pg.sum(h * h)
        g = pg.gradients(loss, x)
    found = labels(g)
    assert "∂loss/∂h" in found
    assert found[-1] == "g"


def test_a_deferred_gradient_in_a_template_is_named_as_a_quotient():
    with pg.Graph():
        x = pg.placeholder()
        loss = pg.sum(pg.sin(x))
        node = [pg.gradients(loss, x)]
    assert labels(node[0])[-1] == "∂loss/∂x"


def test_arguments_of_a_function_have_the_names_of_its_parameters():
    @pg.function
    def distance(left, right):
        return pg.sqrt(pg.sum((left - right) ** 2))

    result = distance(np.zeros(2), np.ones(2))
    assert result.shape == ()
    shown = [item.label for item in picture(distance.program(np.zeros(2), np.ones(2))).items]
    assert shown[:2] == ["left", "right"]


def test_naming_keeps_no_node_alive():
    def look() -> weakref.ref[pg.Node]:
        x = pg.tensor(1.0)
        y = pg.sin(x)
        assert labels(y) == ["x", "y"]
        seen = weakref.ref(y)
        del y
        gc.collect()
        assert seen() is None
        return weakref.ref(x)

    seen = look()
    gc.collect()
    assert seen() is None


def test_numbers_are_short_and_have_a_true_minus():
    assert [number(v) for v in (2.0, -0.5, 1e-8, 123456.0, 7, True)] == [
        "2", "−0.5", "1e−8", "1.235e5", "7", "True",
    ]  # fmt: skip
