"""pg.derivation: worked derivations by the chain rule, whose numbers equal the gradients."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings

import palingrad as pg
from palingrad.errors import GradientError, GraphError
from palingrad.graph.kinds import Random
from palingrad.proof import shipped
from palingrad.proof.case import Case, weighted_sum
from test_random_graphs import ARRAYS, GRAPHS, build as build_arrays
from tolerances import assert_close, near
from view.reading.evaluate import is_drawn, value_of
from view.reading.test_latex import STEPS, build


def scalars() -> list[Any]:
    return [
        pg.tensor(np.float64(n), name=name) for n, name in ((0.7, "x"), (1.3, "y"), (-0.4, "z"))
    ]


# ---------------------------------------------------------------- the numbers


@given(STEPS)
def test_paths_of_numbers_add_up_to_the_gradient(steps):
    xs = scalars()
    node = build(steps, xs)
    for x in xs:
        found = pg.derivation(node, x)
        expected = pg.gradients(node, x).numpy()
        assert found.value == near(expected)


@given(STEPS)
def test_each_line_means_its_number(steps):
    """Each printed derivative, parsed without knowledge of the graph, has the printed value; so has
    the derivative as one expression."""
    xs = scalars()
    node = build(steps, xs)
    found = pg.derivation(node, xs[0])
    values = {"x": 0.7, "y": 1.3, "z": -0.4}
    for step in found.steps:
        if step.kind not in ("expression", "local"):
            continue
        name, text, *_ = step.latex.split(" = ")
        value = value_of(text, values)
        assert step.value is not None
        # What the line was computed from is written above it with five digits.
        assert value == pytest.approx(float(step.value), rel=1e-3, abs=1e-3)
        if step.kind == "expression":
            values[name] = float(step.value)
    if found.result and found.value is not None:
        assert value_of(found.result, values) == near(float(found.value))


@settings(max_examples=40)
@given(GRAPHS)
def test_cotangents_of_arrays_add_up_to_the_gradient(steps):
    xs = [pg.tensor(array, name=f"x{n}") for n, array in enumerate(ARRAYS)]
    node = build_arrays(steps, xs)
    for x in xs:
        found = pg.derivation(node, x)
        assert found.value is not None
        assert_close(found.value, pg.gradients(node, x).numpy())


def test_every_operation_can_be_derived():
    for operation in shipped():
        if issubclass(operation, Random) or not operation.samples:
            continue
        case = Case(operation, operation.samples[0])
        xs = [pg.tensor(array, name=f"x{n}") for n, array in enumerate(case.arrays())]
        ys = case.outputs(*xs)
        total = weighted_sum(ys, ys)
        for x in xs:
            if total is None or x.dtype.kind != "f":
                continue
            found = pg.derivation(total, x)
            expected = pg.gradients(total, x).numpy()
            assert found.value is not None, operation
            if found.value.shape == expected.shape:
                assert_close(found.value, expected, operation.__name__)
            else:  # there is no path
                assert not found.value.any()
                assert not expected.any()
            for step in found.steps:
                assert is_drawn(step.latex), step.latex
                assert "\\" not in step.text, step.text
            ElementTree.fromstring(found._repr_html_().replace("&nbsp;", " "))


def test_a_jacobian_of_vectors():
    W = pg.Variable(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    x = pg.tensor(np.array([0.5, -1.0]))
    y = pg.tanh(W @ x)
    found = pg.derivation(y, x)
    assert_close(found.value, pg.jacobian(lambda x: pg.tanh(W.numpy() @ x))(x.numpy()))


def test_with_respect_to_a_node_on_the_way():
    x, y, z = scalars()
    u = x * y
    e = pg.sin(u) * u + z
    found = pg.derivation(e, u)
    assert found.value == near(pg.gradients(e, u).numpy())
    assert "x" not in {step.latex for step in found.steps}


# ---------------------------------------------------------------- how it reads


def test_a_sigmoid_of_a_line():
    a, b = pg.Variable(2.0), pg.Variable(-1.0)
    x = pg.tensor(3.0)
    e = pg.sigmoid(a * x + b)
    assert (
        str(pg.derivation(e, a))
        == """\
∂e/∂a

What is computed
  v₁ = a x = 6
  v₂ = v₁ + b = 5
  e = σ(v₂) = 0.9933

The derivative of each step
  ∂e/∂v₂ = e (1 − e) = 0.006648
  ∂v₂/∂v₁ = 1
  ∂v₁/∂a = x = 3

Along each path the derivatives multiply
  ∂e/∂v₂ ∂v₂/∂v₁ ∂v₁/∂a = e (1 − e) · x = 0.006648 · 1 · 3 = 0.01994

The result
  ∂e/∂a = e (1 − e) x = 0.01994"""
    )


def test_an_affine_map():
    """y = A x + b: Ā = ȳ xᵀ, x̄ = Aᵀ ȳ."""
    with pg.Graph():
        A = pg.placeholder((3, 2), dtype=pg.float64, name="A")
        x = pg.placeholder((2, 1), dtype=pg.float64, name="x")
        b = pg.placeholder((3, 1), dtype=pg.float64, name="b")
        y = pg.add(A @ x, b, name="y")
    lines = pg.derivation(y, x).latex.lines
    assert r"\bar{y} = \frac{\partial L}{\partial y}" in lines
    assert r"\bar{v}_1 = \bar{y}" in lines
    assert lines[-1] == r"\bar{x} = A^T\,\bar{v}_1"
    assert pg.derivation(y, A).latex.lines[-1] == r"\bar{A} = \bar{v}_1\,x^T"


def test_a_node_reached_on_two_paths_shows_both():
    x, *_ = scalars()
    node = pg.sin(x) * x
    found = pg.derivation(node, x)
    kinds = [step.kind for step in found.steps]
    assert kinds.count("path") == 2
    assert kinds.count("sum") == 1
    assert [step.value is not None for step in found.steps] == [True] * len(kinds)


def test_a_graph_without_values_is_symbolic_and_with_feeds_has_numbers():
    with pg.Graph():
        u = pg.placeholder(name="u")
        w = pg.multiply(u, pg.exp(u), name="w")
    with pytest.raises(GraphError, match=r"shape and dtype of placeholder 'u' aren't known.*feeds"):
        pg.derivation(w, u)
    found = pg.derivation(w, u, feeds={u: np.float64(1.5)})
    np.testing.assert_allclose(found.value, 2.5 * np.exp(1.5))
    assert u.value is None  # looking keeps nothing
    with pg.Graph():
        u = pg.placeholder((), dtype=pg.float64, name="u")
        w = pg.multiply(u, pg.exp(u), name="w")
    assert pg.derivation(w, u).value is None
    assert r"\frac{\partial w}{\partial u} = " in pg.derivation(w, u).latex.lines[-1]


def test_second_derivatives():
    x, *_ = scalars()
    first = pg.gradients(pg.sin(x) * x, x)
    found = pg.derivation(first, x)
    assert found.value == near(pg.gradients(first, x).numpy())


def test_without_a_path_it_is_zero_and_of_itself_it_is_one():
    x, y, _ = scalars()
    assert pg.derivation(x * 2, y).value == 0
    assert "no path" in str(pg.derivation(x * 2, y))
    assert pg.derivation(x, x).value == 1
    assert pg.derivation(pg.stop_gradient(x) * 2, x).value == 0


def test_a_long_chain_is_not_printed_whole():
    x, *_ = scalars()
    node = x
    for _ in range(300):
        node = pg.sin(node)
    found = pg.derivation(node, x)
    assert found.value == near(pg.gradients(node, x).numpy())
    assert len(str(found).splitlines()) < 120
    assert "more …" in str(found)


def test_in_notebooks():
    x, y, _ = scalars()
    found = pg.derivation(x * y, x)
    assert found._repr_latex_().startswith(r"$\displaystyle")
    assert "$$" in found._repr_markdown_()
    assert found._repr_html_().count("<math") >= len(found.steps)
    assert repr(found) == str(found)


def test_mistakes_raise_errors():
    x, *_ = scalars()
    with pytest.raises(GradientError, match="expected nodes"):
        pg.derivation(3, x)  # pyright: ignore[reportArgumentType]
    with pytest.raises(GradientError, match="only floats have gradients"):
        pg.derivation(x * 2, pg.tensor(3))
    with pytest.raises(GraphError, match="a dict of feeds"):
        pg.derivation(x * 2, x, feeds=[1])  # pyright: ignore[reportArgumentType]


def test_a_branch_that_is_not_taken_adds_nothing():
    x = pg.Variable(-1.0, name="x")
    y = pg.where(x > 0, pg.sqrt(x), x * x)
    found = pg.derivation(y, x)
    assert found.value == pg.gradients(y, x).item() == -2
    assert "0 · NaN = 0" in str(found)


def test_a_way_through_complex_numbers_is_derived_backwards_with_real_parts():
    x = pg.Variable(2.0, name="x")
    loss = pg.add(x * x, pg.abs(x * (1 + 1j)) ** 2, name="L")  # x² + 2x²
    steps = str(pg.derivation(loss, x))
    assert "Re" in steps
    assert steps.rstrip().endswith("= 12")


ABSORBS = "(a cotangent of 0 absorbs any slope)"


def test_where_a_cotangent_of_0_meets_infinity_it_is_said():
    x = pg.tensor(0.0, name="x")
    text = str(pg.derivation(pg.where(x > 1, pg.log(x), x * 2), x))
    assert f"0 · ∞ = 0 {ABSORBS}" in text
    assert text.count(ABSORBS) == 1
    assert ABSORBS not in str(pg.derivation(pg.where(x > 1, pg.log(x + 1), x * 2), x))
    y = pg.tensor([0.0, 1.0], name="y")
    text = str(pg.derivation(pg.sum(pg.where(y > 0.5, pg.sqrt(y), 0.0)), y))
    assert [line.strip()[0] for line in text.splitlines() if line.endswith(ABSORBS)] == ["y"]
    assert ABSORBS not in str(pg.derivation(pg.sum(pg.where(y > 0.5, pg.sqrt(y + 1), 0.0)), y))


@pytest.fixture
def ieee():
    pg.set_ieee_gradients(True)
    yield
    pg.set_ieee_gradients(False)


def test_with_products_of_ieee_it_isn_t_0(ieee):
    x = pg.tensor(0.0, name="x")
    found = pg.derivation(pg.where(x > 1, pg.log(x), x * 2), x)
    assert found.value is not None
    assert np.isnan(found.value)
    assert "0 · ∞ = NaN" in str(found)
    assert ABSORBS not in str(found)


def test_repeated_terms_of_a_cotangent_have_names():
    x = pg.tensor([1.0, 2.0, 3.0], name="x")
    text = str(pg.derivation(pg.prod(x), x))
    assert "  v₁ = [1; x[…, :−1]]\n  v₂ = v₁ ⊙ [1; v₁[…, :−1]]\n" in text
    assert max(map(len, text.splitlines())) < 100
    text = str(pg.derivation(pg.logsumexp(x), x))
    assert "  x̄ = v₁/(Σ v₁) = [ 0.09003 0.2447 0.6652 ]\n" in text
