"""A lesson that can't be made is refused by name, with what to write instead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, GraphError


def loss() -> pg.Node:
    a, b = pg.Variable(2.0, name="a"), pg.Variable(-3.0, name="b")
    return pg.sin(pg.multiply(a, b, name="e"), name="L")


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        ([], r"ask is a list of questions, got \[\]. Write ask=\['∂L/∂a'\]"),
        ("∂L/∂a", r"ask is a list of questions, got '∂L/∂a'. Write ask=\['∂L/∂a'\]"),
        ([3], "a question is a text, got 3"),
        (["∂L/∂c"], r"no node is named 'c'. Did you mean '∂L/∂e'\?"),
        (["∂M/∂a"], "differentiates M, but this lesson is on L. Ask for ∂L/∂a"),
        (["slope"], "'slope' is no derivative ∂L/∂x and no name of a node. Ask for ∂L/∂a, ∂L/∂b"),
        (["a"], "'a' is given, so its value can't be asked for. Ask for the value of an operation"),
        (["∂L/∂L"], "∂L/∂L is 1 in every graph"),
        (["∂L/∂a", "dL/da"], "∂L/∂a is asked twice"),
    ],
)
def test_a_question_that_is_none(ask: Any, says: str):
    with pytest.raises(GraphError, match=says):
        pg.lesson(loss(), ask)


def test_a_node_without_a_derivative():
    a = pg.Variable(2.0, name="a")
    s = pg.stop_gradient(a * 3.0)
    y = pg.multiply(a, s, name="y")
    n = pg.tensor(3, dtype="int64", name="n")
    with pytest.raises(GraphError, match=r"L has no derivative by n. Ask for ∂L/∂a"):
        pg.lesson(pg.multiply(y, pg.cast(n, "float32"), name="L"), ["∂L/∂n"])


def complex_loss() -> pg.Node:
    z = pg.tensor(1 + 2j, name="z")
    return pg.abs(z * 2)


def looping() -> pg.Node:
    x = pg.Variable(2.0, name="x")
    return pg.sum(pg.fori_loop(0, 3, lambda i, c: c * x, x))


def long() -> pg.Node:
    x = pg.Variable(2.0, name="x")
    y = x
    for _ in range(80):
        y = pg.sin(y)
    return y


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: 3.0, "the loss is a node, got float 3.0. Write pg.lesson"),
        (lambda: pg.Variable(2.0, name="a"), "variable 'a' depends on nothing"),
        (
            lambda: pg.multiply(pg.Variable(np.ones(3)), 2.0, name="y"),
            r"multiply 'y' has shape \(3,\); a lesson is on the derivatives of a single real number"
            r".*Write pg.lesson\(pg.sum\(y\), …\)",
        ),
        (lambda: pg.argmax(pg.Variable(np.ones(3))), r"argmax has shape \(\) of int64"),
        (complex_loss, "is complex; a lesson is on real numbers.*two nodes"),
        (looping, "is a loop or branch, whose steps no card shows.*Write its steps as operations"),
        (long, "depends on 81 nodes, more than the 60 of a lesson.*part of the graph"),
        (
            lambda: pg.sum(pg.Variable(np.ones(2000), name="w") * 2.0),
            "variable 'w' has 2000 numbers, more than the 1024 of a lesson",
        ),
    ],
)
def test_a_graph_that_no_lesson_can_show(made: Any, says: str):
    with pytest.raises(GraphError, match=says):
        pg.lesson(made(), ["∂L/∂x"])


def test_an_answer_too_long_to_type():
    w = pg.Variable(np.ones((9, 9)), name="w")
    with pytest.raises(GraphError, match="∂L/∂w has 81 numbers, more than the 64"):
        pg.lesson(pg.sum(w * 2.0, name="L"), ["∂L/∂w"])


def test_answers_that_cannot_be_typed_are_refused():
    x = pg.Variable([1.0, 0.0], name="x")
    with pytest.raises(GraphError, match="∂L/∂x has a NaN or an infinity"):
        pg.lesson(pg.multiply(pg.sum(pg.log(x)), 1.0, name="L"), ["∂L/∂x"])
    e = pg.Variable(np.zeros((0, 3)), name="e")
    with pytest.raises(GraphError, match="∂L/∂e has no elements"):
        pg.lesson(pg.add(pg.sum(e * 2), 1.0, name="L"), ["∂L/∂e"])


def test_values_that_are_missing_or_that_the_page_can_t_compute():
    with pg.Graph():
        x = pg.placeholder((), name="x")
        y = pg.sin(x, name="L")
    with pytest.raises(GraphError, match=r"placeholder 'x' has no value.*feeds=\{x: 1.5\}"):
        pg.lesson(y, ["∂L/∂x"])
    assert pg.lesson(y, ["∂L/∂x"], feeds={x: 1.5}).questions == ("∂L/∂x",)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"learning_rate": 0}, "learning_rate is 0; expected a finite number above 0"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast'"),
        ({"values": "no"}, "values is 'no'; expected True or False"),
        ({"theme": "black"}, "theme is 'black'; expected 'auto' or 'light' or 'dark'"),
        ({"colour": "dark"}, "colour"),
    ],
)
def test_an_option_that_is_none(options: dict[str, Any], says: str):
    with pytest.raises(ArgumentError, match=says):
        pg.lesson(loss(), ["∂L/∂a"], **options)


def test_names_may_be_typed_in_other_ways():
    h1, h2 = pg.Variable(2.0, name="h1"), pg.Variable(3.0, name="h₂")
    made = pg.lesson(pg.multiply(h1, h2, name="L"), ["dL/dh₁", " ∂L / ∂h_2 "])
    assert made.questions == ("∂L/∂h1", "∂L/∂h₂")


def test_equal_names_are_numbered_and_asking_for_one_of_them_is_ambiguous():
    a, b = pg.Variable(2.0, name="a"), pg.Variable(3.0, name="a")
    loss = pg.multiply(a, b, name="L")
    made = pg.lesson(loss, ["∂L/∂a_1", "∂L/∂a_2"])
    assert made.questions == ("∂L/∂a_1", "∂L/∂a_2")
    for asked in ("∂L/∂a", "a", "dL/da"):
        with pytest.raises(GraphError) as caught:
            pg.lesson(loss, [asked])
        said = str(caught.value)
        assert f"'{asked}' is ambiguous: 2 nodes are named a. On the cards they are a_1" in said
        assert "(variable at test_lesson_errors.py:" in said
        assert "Ask for ∂L/∂a_1 or ∂L/∂a_2, or give the nodes other names." in said


def test_numbers_of_equal_names_keep_clear_of_other_names_and_of_the_loss():
    a, b = pg.Variable(2.0, name="a"), pg.Variable(3.0, name="a")
    loss = pg.multiply(a * b, pg.Variable(4.0, name="a1"), name="a")
    made = pg.lesson(loss, ["∂a/∂a1", "∂a/∂a_2", "da/da3"])
    assert made.questions == ("∂a_4/∂a1", "∂a_4/∂a_2", "∂a_4/∂a_3")


def test_names_become_ones_that_can_be_typed():
    a, b = pg.Variable(2.0, name="layer 1"), pg.Variable(3.0, name="x²")
    made = pg.lesson(pg.multiply(a, b, name="L"), ["∂L/∂layer_1", "∂L/∂x_"])
    assert made.questions == ("∂L/∂layer_1", "∂L/∂x_")


def test_a_random_node_is_refused_by_name():
    w = pg.Variable(np.ones(3), name="w")
    noise = pg.random.normal(size=(3,))
    with pytest.raises(GraphError, match=r"can't be checked in the page, as .*random"):
        pg.lesson(pg.sum(w * noise, name="L"), ["∂L/∂w"])
