"""Derivatives are shown simplified: the same values, the user's nodes as they are, true names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.dtypes import is_complex
from palingrad.graph.context import graph_scope, level_of
from palingrad.graph.kinds import Random
from palingrad.graph.node import Node
from palingrad.graph.traversal.order import postorder
from palingrad.graph.traversal.replay import replay
from palingrad.proof.battery import shipped
from palingrad.proof.case import Case, eager, is_float
from palingrad.view.drawing.model import picture
from palingrad.view.rewriting import of_derivative, tidied
from palingrad.view.simplified import simplified

GUARDS = {"bitwise_and", "bitwise_invert", "where", "equal", "ones_like", "positive"}


def computed(roots: tuple[Node, ...]) -> list[Any]:
    """The values of nodes, computed anew from their leaves."""
    with graph_scope(None, hidden=True, observed=False):
        anew = replay(
            postorder(*roots),
            lambda node, inputs: node if isinstance(node, Random) else node.rebuild(inputs),
        )
    return [anew[root].numpy() for root in roots]


def kinds(node: Node, **options: Any) -> list[str]:
    return [item.node.kind_name() for item in picture(node, simplify=True, **options).items]


def labels(what: Any) -> list[str]:
    """The labels of a list of nodes; a node of its own would be bound to `what`."""
    return [item.label for item in picture(what, simplify=True).items]


def slopes(f: Callable[[Any], Any], order: int = 1, at: float = 1.5) -> tuple[Node, Node]:
    """A Variable called x and the derivative of f at it."""
    x = pg.Variable(np.float64(at), name="x")
    y = f(x)
    for _ in range(order):
        y = pg.gradients(y, x)
    return x, y


# ---------------------------------------------------------------- values


def test_gradients_of_all_operations_keep_their_values():
    """First and second derivatives of every operation, by its first sample: as they were, and
    computed anew from the simplified graph."""
    seen = shorter = 0
    for operation in shipped():
        for sample in operation.samples[:1]:
            case = Case(operation, sample)
            xs, _, roots = eager(case, case.arrays(np.float32))
            wanted = [x for x in xs if is_float(x)]
            if not roots or any(is_complex(x.dtype) for x in (*wanted, *roots)):
                continue
            total = sum((pg.sum(one * one) for one in roots), start=pg.tensor(np.float32(0)))
            roots += pg.gradients(total, wanted)
            simple = simplified(roots)
            if simple is None:
                assert not any(level_of(node._origin) for node in postorder(*roots))
                continue
            seen += 1
            shorter += len(postorder(*simple.roots)) < len(postorder(*roots))
            for old, new, anew in zip(roots, simple.roots, computed(simple.roots), strict=True):
                np.testing.assert_array_equal(new.numpy(), old.numpy(), str(operation))
                np.testing.assert_array_equal(anew, old.numpy(), str(operation))
    assert seen > 200
    assert shorter > 0.9 * seen


@pytest.mark.parametrize("at", [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-320, 3.0])
def test_values_where_rules_guard_against_them(at: float):
    for f in (
        lambda x: x**3, lambda x: x**0.5, lambda x: pg.abs(x) * x, lambda x: x * x / 2,
        lambda x: pg.log(x) * x, lambda x: pg.sqrt(x) - x, lambda x: x / (x - 3),
    ):  # fmt: skip
        for order in (1, 2, 3):
            _, g = slopes(f, order, at)
            simple = simplified([g])
            if simple is not None:  # None: the derivative is 0
                np.testing.assert_array_equal(computed(simple.roots)[0], g.numpy())
                np.testing.assert_array_equal(simple.roots[0].numpy(), g.numpy())


def test_random_numbers_are_not_drawn_again():
    pg.random.seed(3)
    x = pg.Variable(np.ones(40))
    y = pg.grad(lambda x: pg.sum(pg.dropout(pg.sin(x), 0.5)))(x)
    simple = simplified([y])
    assert simple is not None
    np.testing.assert_array_equal(simple.roots[0].numpy(), y.numpy())


# ---------------------------------------------------------------- what is shown


def test_the_second_derivative_reads_as_mathematics():
    x = pg.Variable(2.0)
    y = x**3 + pg.sin(x)
    dy = pg.gradients(y, x)
    d2y = pg.gradients(dy, x)
    assert kinds(d2y) == ["variable", "sin", "constant", "multiply", "subtract"]
    assert kinds(dy) == ["variable", "cos", "constant", "square", "multiply", "add"]
    last = picture(d2y, simplify=True).items[-1]
    assert (last.label, last.derivative) == ("d2y", "∂²y/∂x²")
    assert pg.latex(d2y).text == "d2y = ∂²y/∂x² = 6x − sin x"
    shown = pg.latex(pg.gradients(x**3, x))
    assert shown == r"\frac{\partial y}{\partial x} = 3x^2"
    assert "∂dy/∂x = 6x − sin x" in str(pg.derivation(dy, x))
    assert "np.where" not in pg.source(d2y)
    assert len(picture(d2y).items) > 40
    assert d2y.draw(simplified=False).text().count("where") > 1
    assert "cases" in pg.latex(d2y, simplified=False)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: x**4, lambda x: x**2 * pg.exp(x), lambda x: pg.sin(x) * pg.cos(x),
        lambda x: 1 / x, lambda x: pg.tanh(x), lambda x: pg.sigmoid(2 * x), lambda x: x * x * x,
        lambda x: pg.exp(-x * x / 2), lambda x: pg.log(x) ** 2, lambda x: pg.sqrt(x),
    ],
)  # fmt: skip
def test_nothing_is_left_that_rewriting_can_remove(f: Callable[[Any], Any], order: int):
    _, g = slopes(f, order)
    shown = picture(g, simplify=True)
    for item in shown.items:
        constant = [x for x in item.node.inputs if isinstance(x, pg.Constant)]
        if level_of(item.node._origin):
            assert item.node.kind_name() not in GUARDS
            assert len(constant) < len(item.node.inputs) or not constant
    assert len(shown.items) < len(picture(g).items)
    assert "cases" not in pg.latex(g)


def test_the_bodies_of_loops_are_simplified_too():
    w = pg.Variable(0.5)

    def body(carry: Any, x: Any) -> Any:
        carry = pg.tanh(carry * w + x) ** 2
        return carry, carry

    last, _ = pg.scan(body, pg.tensor(0.0), pg.tensor(np.arange(3.0, dtype=np.float32)))
    g = pg.gradients(last, w)
    found = [item.node.kind_name() for item in picture(g, regions=True, simplify=True).items]
    assert "where" in [item.node.kind_name() for item in picture(g, regions=True).items]
    assert not GUARDS.intersection(found)
    assert {"tanh", "pow", "loop"} <= set(found)
    simple = simplified([g])
    assert simple is not None
    np.testing.assert_array_equal(computed(simple.roots)[0], g.numpy())


def test_what_the_user_built_stays():
    x = pg.Variable(np.array([1.0, 2.0]), name="x")
    one = x**2
    same = x**2  # equal, but written twice
    zero = one * 1 + 0.0
    y = pg.sum(pg.sin(zero) * same)
    g = pg.gradients(y, x)
    shown = {item.node for item in picture([y, g], simplify=True).items}
    assert {x, one, same, zero, y} <= shown
    assert all(node in shown for node in postorder(y))
    assert simplified([y]) is None
    before = postorder(g)
    assert simplified([g]) is not None
    assert postorder(g) == before  # nothing that it is given changes
    assert g._name is None


def test_a_number_of_the_user_is_not_taken_for_one_of_the_derivative():
    c = pg.tensor(2.0, name="c")
    x = pg.Variable(3.0, name="x")
    g = pg.gradients(c * x + x**2, x)
    assert pg.latex(g).text == "g = ∂y/∂x = 2x + c"
    one, zero = pg.tensor(1.0, name="one"), pg.tensor(0.0, name="zero")
    slope = pg.gradients(x * one + (x - zero) ** 2, x)
    assert pg.latex(slope).text == "slope = ∂y/∂x = 2 (x − zero) + one"
    data = pg.tensor(np.zeros(3), name="data")
    w = pg.Variable(np.ones(3), name="w")
    assert {"data", "w"} <= set(labels([pg.gradients(pg.sum(data * pg.exp(w)), w)]))


def test_values_and_gradients_are_those_of_the_nodes_that_are_replaced():
    x = pg.Variable(1.5, name="x")
    y = x**3
    g = pg.gradients(y, x)
    z = g * g
    z.backward()
    assert x.grad is not None
    assert g.grad is not None
    rows = {row.split()[0]: row for row in z.draw().text().splitlines()}
    assert rows["g"].endswith("6.75   ∂ 13.5")
    assert rows["x"].endswith("1.5   ∂ 121.5")


# ---------------------------------------------------------------- names


def test_results_are_named_as_derivatives():
    x, w = pg.Variable(2.0, name="x"), pg.Variable(3.0, name="w")
    y = pg.sin(x * w)
    assert labels([pg.gradients(y, x)])[-1] == "∂y/∂x"
    assert labels([pg.gradients(pg.gradients(y, x), x)])[-1] == "∂²y/∂x²"
    assert labels([pg.gradients(pg.gradients(y, x), w)])[-1] == "∂²y/∂w∂x"
    assert labels([pg.gradients(pg.sin(x * w), w)])[-1] == "∂y/∂w"  # a result without a name
    third = pg.gradients(pg.gradients(pg.gradients(y, x), x), w)
    assert pg.latex(third).text.startswith("third = ∂³y/(∂w ∂x²) = ")
    assert labels([pg.gradients(y, x, gradient=2.0)])[-1] != "∂y/∂x"  # it isn't


def test_terms_are_not_named_as_the_whole():
    x = pg.Variable(2.0, name="x")
    y = pg.sin(x) * pg.exp(x)
    for simplify in (True, False):
        found = [item.label for item in picture(pg.gradients(y, x), simplify=simplify).items]
        assert [one for one in found if one.startswith("∂")][-1] == "∂y/∂x"
        assert found.count("∂y/∂x") == 1


def test_each_of_several_results_is_shown():
    a, b = pg.Variable(2.0, name="a"), pg.Variable(3.0, name="b")
    y = a + b
    ga, gb = pg.gradients(y, [a, b])
    half = pg.gradients(a * a / 2, a)
    shown = picture([ga, gb, half], simplify=True)
    assert {"half", "a"} <= {item.label for item in shown.items}
    assert pg.latex(half).text == "half = ∂y/∂a = a"
    cube = a * pg.stop_gradient(b)
    assert picture([cube, pg.gradients(cube, a)], simplify=True).items[-1].node is not b


def test_graphs_and_programs_are_simplified_too():
    with pg.Graph() as graph:
        x = pg.Variable(2.0)
        y = x**3
        g = pg.gradients(y, x)
    assert g in graph
    found = [item.node.kind_name() for item in picture(graph, simplify=True).items]
    assert not GUARDS.intersection(found)
    assert {"pow", "square"} <= set(found)

    @pg.function
    def step(x):
        return pg.grad(lambda x: x**3)(x)

    program = step.program(np.float32(2))
    assert not GUARDS.intersection(
        item.node.kind_name() for item in picture(program, simplify=True).items
    )


def test_a_graph_whose_sizes_are_not_known_is_drawn_as_it_is():
    with pg.Graph():
        x = pg.placeholder((None,), dtype=pg.float64)
        g = pg.gradients(pg.sum(x**3), x)
    assert simplified([g]) is None
    assert labels([g])[-1] == "g"


def test_tidying_changes_only_what_the_reverse_pass_built():
    from palingrad.passes.program import Program

    x = pg.Variable(2.0)
    mine = 3 * (2 * x) + (-x)
    assert not of_derivative(mine)
    program = Program((), (mine,))
    assert tidied(program) is program


@pytest.mark.parametrize(
    ("f", "written"),
    [
        (lambda a: a**3, "6a"),
        (lambda a: a**5, "20a³"),
        (lambda a: a**2.5, "3.75 √a"),
        (lambda a: a**-2, "6a⁻⁴"),
    ],
)
def test_exponents_of_second_derivatives_of_arrays_are_computed(f, written):
    a = pg.Variable(np.array([0.5, 1.3, 2.0]), name="a")
    first = pg.gradients(pg.sum(f(a)), [a])[0]
    second = pg.gradients(pg.sum(first), [a])[0]
    assert pg.latex(second).text == f"second = ∂y/∂a = {written}"
    simple = simplified([second])
    assert simple is not None
    np.testing.assert_array_equal(computed(simple.roots)[0], second.numpy())


def test_a_shape_that_only_a_spread_number_has_stays():
    a = pg.Variable(np.array(1.5), name="a")
    y = pg.sum(pg.broadcast_to(a, (3,)) ** 3 * np.arange(3.0))
    second = pg.gradients(pg.gradients(y, [a])[0], [a])[0]
    simple = simplified([second])
    assert simple is not None
    np.testing.assert_allclose(computed(simple.roots)[0], 6 * 1.5 * 3, rtol=1e-15)
