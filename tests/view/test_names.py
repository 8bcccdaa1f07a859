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


def test_nodes_of_a_loop_are_numbered_in_the_order_in_which_they_were_made():
    w, h = pg.Variable(0.5), pg.tensor(0.0)
    for t in range(3):
        x = pg.tensor(float(t))
        h = pg.tanh(x * w + h)
    found = {item.label: item.node.value for item in picture(h).items}
    assert [float(found[name]) for name in ("x₁", "x₂", "x₃")] == [0.0, 1.0, 2.0]  # pyright: ignore[reportArgumentType]
    made = [item.node._serial for item in picture(h).items if item.label.startswith("h")]
    assert made == sorted(made)
    assert len(made) == 4


def test_gradients_keep_the_names_of_variables_that_are_gone():
    def second() -> pg.Node:
        x = pg.Variable(2.0)
        y = x**3 + pg.sin(x)
        dy = pg.gradients(y, x)
        d2y = pg.gradients(dy, x)
        return d2y

    shown = labels(second())
    assert (shown.count("dy"), shown[-1]) == (1, "d2y")

    def several() -> list[pg.Node]:
        w, b = pg.Variable(2.0), pg.Variable(1.0)
        loss = pg.square(w * b + b)
        gw, gb = pg.gradients(loss, [w, b])
        return [gw, gb, loss]

    def transformed() -> list[pg.Node]:
        gw, gb = pg.grad(lambda w, b: pg.square(w * b + b), (0, 1))(
            pg.Variable(2.0), pg.Variable(1.0)
        )
        return [gw, gb]  # fmt: skip

    def with_value() -> list[pg.Node]:
        value, slope = pg.value_and_grad(lambda w: w**3)(pg.Variable(2.0))
        return [value, slope]

    for roots, expected in [(several(), ["gw", "gb", "loss"]), (transformed(), ["gw", "gb"])]:
        names = names_of(pg.postorder(*roots))
        assert [names[id(node)] for node in roots] == expected
    assert labels(*with_value())[-1] == "slope"


def test_the_argument_of_a_derivative_has_the_name_of_its_parameter():
    def f(t: pg.Node) -> pg.Node:
        return pg.sum(pg.sin(t) * t**2)

    g = pg.grad(f)(pg.Variable(np.array([0.5, 1.0, 2.0])))
    found = {item.label: item.node for item in picture(g).items}
    assert found["g"] is g
    assert found["t"].kind_name() == "positive"
    assert "\nt  " in g.draw().text()  # the copy isn't drawn: its name is the Variable's
    total = pg.grad(f)(pg.Variable(2.0)) + 1.0
    assert labels(total).count("∂y/∂t") == 1  # its terms are no totals
    t = pg.Variable(2.0)
    twice = pg.grad(pg.grad(lambda t: t**3))(t)
    shown = labels(twice)
    assert (shown[:3], shown[-1]) == (["t", "t₂", "t₃"], "twice")


def test_a_deferred_gradient_has_the_name_of_its_variable():
    def made() -> pg.Node:
        with pg.Graph():
            x = pg.placeholder()
            loss = pg.sum(pg.sin(x))
            slope = pg.gradients(loss, x)
        return slope

    assert labels(made())[-1] == "slope"


# ---------------------------------------------------------------- scopes


def scopes(*roots: pg.Node) -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for item in picture(list(roots)).items:
        found.setdefault(item.label, []).append(item.scope)
    return found


def test_two_layers_are_two_frames_and_an_input_is_in_neither():
    first, second = pg.nn.Linear(3, 4), pg.nn.Linear(4, 2)
    for x in (pg.tensor(np.ones((1, 3), np.float32)), pg.Variable(np.ones((1, 3), np.float32))):
        found = scopes(second(pg.relu(first(x))))
        assert found["x"] == found["relu"] == [()]
        assert found["weight"] == [("Linear₁",), ("Linear₂",)]
        assert found["matmul"] == [("Linear₁",), ("Linear₂",)]
    shared = scopes(first(pg.tensor(np.ones((1, 3), np.float32))) + first(x))
    assert shared["weight"] == [("Linear",)]
    with pg.Graph():
        x = pg.placeholder((None, 3), dtype=pg.float32)
        y = second(pg.relu(first(x)))
    found = scopes(y)
    assert (found["x"], found["weight"]) == ([()], [("Linear₁",), ("Linear₂",)])


def test_a_parameter_is_in_the_module_that_has_it_though_a_part_reads_it():
    class Tied(pg.nn.Module):
        def __init__(self) -> None:
            self.inner = pg.nn.Linear(3, 3)
            self.table = pg.Variable(np.ones((2, 3), np.float32))
            self.mask = pg.tensor(np.ones(3, np.float32))

        def forward(self, *, training: bool = False) -> pg.Node:
            return self.inner(self.table) * self.mask

    model = Tied()
    found = scopes(model())
    assert found["table"] == found["mask"] == [("Tied",)]
    assert found["weight"] == [("Tied", "inner")]


def test_the_layers_of_a_recorded_run_are_apart_too():
    first, second = pg.nn.Linear(3, 4), pg.nn.Linear(4, 2)
    with pg.record() as tape:
        y = second(pg.relu(first(pg.tensor(np.ones((1, 3), np.float32)))))
    assert y.shape == (1, 2)
    found = {item.scope for item in picture(tape.graph()).items}
    assert found == {(), ("Linear₁",), ("Linear₂",)}
