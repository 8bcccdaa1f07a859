"""pg.latex: readable expressions whose value is that of the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import palingrad as pg
from palingrad.errors import GraphError
from palingrad.proof import shipped
from palingrad.proof.case import Case
from palingrad.view.reading.mathematics.latex import Formula
from palingrad.view.reading.mathematics.mathml import mathml
from palingrad.view.reading.mathematics.plain import plain
from palingrad.view.reading.mathematics.symbols import number, symbol
from tolerances import near
from view.reading.evaluate import is_drawn, value_of

A = pg.Variable(np.ones((3, 2)), name="A")
v = pg.Variable(np.ones(2), name="v")
x = pg.tensor(np.float64(0.7), name="x")
y = pg.tensor(np.float64(1.3), name="y")
z = pg.tensor(np.float64(-0.4), name="z")


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("node", "latex", "text"),
    [
        (lambda: x * y + z, r"x\,y + z", "x y + z"),
        (lambda: x * 3, "3x", "3x"),
        (lambda: (x + y) * z, r"\left(x + y\right)\,z", "(x + y) z"),
        (lambda: x - (y - z), r"x - \left(y - z\right)", "x − (y − z)"),
        (lambda: x - (-y), "x + y", "x + y"),
        (lambda: -(x + y) * -z, r"\left(x + y\right)\,z", "(x + y) z"),
        (lambda: x / (y + z), r"\frac{x}{y + z}", "x/(y + z)"),
        (lambda: (x / y) ** 2, r"\left(\frac{x}{y}\right)^{2}", "(x/y)²"),
        (lambda: pg.exp(-x * x / 2), r"e^{-\frac{x^2}{2}}", "e^(−x²/2)"),
        (lambda: pg.sin(2 * x), r"\sin \left(2x\right)", "sin (2x)"),
        (lambda: pg.sigmoid(x * y), r"\sigma(x\,y)", "σ(x y)"),
        (lambda: pg.sqrt(x + 1), r"\sqrt{x + 1}", "√(x + 1)"),
        (lambda: pg.abs(x), r"\left|x\right|", "|x|"),
        (lambda: A @ v, r"A\,v", "A v"),
        (lambda: (A * A) @ v, r"A^{\odot 2}\,v", "A^(⊙ 2) v"),  # not A A v
        (lambda: (A * pg.exp(A)) @ v, r"\left(A \odot e^{A}\right)\,v", "(A ⊙ e^A) v"),
        (lambda: A.T, "A^T", "Aᵀ"),
        (lambda: v @ v, "v^T v", "vᵀ v"),
        (lambda: pg.sum(A, axis=0), r"\sum_{0} A", "Σ₀ A"),
        (lambda: pg.sum(A), r"\sum A", "Σ A"),
        (lambda: pg.mean(v * v), r"\operatorname{mean}\left(v^2\right)", "mean(v²)"),
        (lambda: A[0, 1:], "A_{[0, 1:]}", "A[0, 1:]"),
        (lambda: pg.sum(v) * v, r"\left(\sum v\right)\,v", "(Σ v) v"),
        (lambda: pg.log(v) * pg.sum(v), r"\log v \cdot \sum v", "log v · Σ v"),
        (lambda: 0.5 * (-(x / (y + z)) - x / (y - z)),
         r"0.5 \left(-\frac{x}{y + z} - \frac{x}{y - z}\right)",
         "0.5 (−x/(y + z) − x/(y − z))"),
        (lambda: pg.special.xlogy(x, y * z), r"x\,\log \left(y\,z\right)", "x log (y z)"),
        (lambda: pg.tanhshrink(x + y), r"x + y - \tanh \left(x + y\right)",
         "x + y − tanh (x + y)"),
        (lambda: pg.mse(v, A[0] - v),
         r"\operatorname{mean}\left((v - \left(A_{[0]} - v\right))^2\right)",
         "mean((v − (A[0] − v))²)"),
        (lambda: 2 * (x % y), r"2 \left(x \bmod y\right)", "2 (x mod y)"),
        (lambda: pg.special.binom(x, y), r"\binom{x}{y}", "C(x, y)"),
        (lambda: pg.conj(x + 1j), "\\left(x + i\\right)^{*}", "(x + i)∗"),
        (lambda: pg.flip(pg.cumsum(v, 0)), r"\operatorname{flip}(\operatorname{cumsum} v)",
         "flip(cumsum v)"),
        (lambda: pg.linalg.expm(A.mT @ A), r"\operatorname{expm}(A^T\,A)", "expm(Aᵀ A)"),
        (lambda: (x / y) / z * y, r"\frac{\frac{x}{y}}{z}\,y", "((x/y)/z) y"),
        (lambda: x ** (y**2), r"x^{y^{2}}", "x^(y²)"),
        (lambda: x * np.float64(1 / 6), r"\frac{x}{6}", "x/6"),
        (lambda: 0.5 * (x * 2), "x", "x"),
        (lambda: 2 * (0.25 * x), "0.5x", "0.5x"),
        (lambda: v - pg.sum(A, axis=1, keepdims=True),
         r"v - \left(\sum_{1} A\right)_{[:, \mathrm{new}]}", "v − (Σ₁ A)[:, new]"),
        (lambda: pg.sum(A, axis=1) + pg.sum(A), r"\sum_{1} A + \sum A", "Σ₁ A + Σ A"),
        (lambda: pg.squeeze(v[:, None], axis=1), "v", "v"),
        (lambda: pg.squeeze(A[:, :1], axis=1), r"{A_{[:, :1]}}_{[:, 0]}", "A[:, :1][:, 0]"),
        (lambda: pg.broadcast_to(v, (3, 2)), r"\mathbf{1}_{3 \times 2} \odot v", "𝟏₃ₓ₂ ⊙ v"),
        (lambda: pg.sum(A, axis=1) ** 2, r"\left(\sum_{1} A\right)^{2}", "(Σ₁ A)²"),
        (lambda: pg.sort(A, axis=0, descending=True),
         r"\operatorname{sort}_{0;\ \mathrm{descending}} A", "sort_(0; descending) A"),
        (lambda: pg.roll(v, 1), r"\operatorname{roll}_{1}(v)", "roll₁(v)"),
        (lambda: pg.where(x > y, x, 0.0), r"\left[x > y\right]\,x", "[x > y] x"),
    ],
)  # fmt: skip
def test_what_is_written(node, latex, text):
    found = pg.latex(node())
    assert found.split(" = ", 1)[-1] == latex
    assert found.text.split(" = ", 1)[-1] == text


@pytest.mark.tiny
def test_text_tells_written_elements_from_sums_and_steps_from_powers():
    x = pg.Variable(np.zeros(3), name="x")
    slope = str(pg.derivation(x[0] * x[1], x))
    assert "x̄ = (𝟎₃[1] ← v̄₂) + (𝟎₃[0] ← v̄₁)" in slope
    assert "v̄ = 𝟎₃[0] ← w" == plain(r"\bar{v} = {\mathbf{0}_{3}}_{[0] \leftarrow w}")
    assert plain(r"f\left({\mathbf{0}_{3}}_{[0] \leftarrow w}\right) + 1") == "f(𝟎₃[0] ← w) + 1"
    assert plain("y^{(v_2)} + y^{(t)} + y^{v_2}") == "y⁽v₂⁾ + y⁽ᵗ⁾ + y^v₂"


def test_a_variable_of_python_is_the_name():
    energy = pg.square(x)
    larger = x > y  # not larger = x > y, a chain of relations
    assert pg.latex(larger) == r"\mathrm{larger} = \left(x > y\right)"
    theta = pg.Variable(np.float64(0.5))
    h1 = pg.sin(theta)
    assert pg.latex(energy) == r"\mathrm{energy} = x^2"
    assert pg.latex(h1) == r"h_1 = \sin \theta"


@pytest.mark.tiny
def test_long_expressions_are_broken_at_names_and_at_what_is_used_twice():
    total = x
    for _ in range(30):
        total = pg.sin(total) * total + y
    found = pg.latex(total)
    assert len(found.lines) >= 30
    assert found.startswith(r"\begin{aligned}")
    assert max(map(len, found.text.splitlines())) < 90
    chain = x
    for _ in range(5000):
        chain = pg.sin(chain)
    assert len(pg.latex(chain).lines) > 300


NODES: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / (2.5 + pg.sin(b)),
    "negative": lambda a, b: -a,
    "square": lambda a, b: a**2,
    "power": lambda a, b: (1.5 + pg.sin(a)) ** pg.sin(b),
    "sin": lambda a, b: pg.sin(a),
    "tanh": lambda a, b: pg.tanh(a * b),
    "sigmoid": lambda a, b: pg.sigmoid(a),
    "exp": lambda a, b: pg.exp(pg.sin(a)),
    "root": lambda a, b: pg.sqrt(1 + pg.square(a)),
    "log": lambda a, b: pg.log(2 + pg.cos(a)),
    "abs": lambda a, b: pg.abs(a) * 3,
    "half": lambda a, b: 0.5 * a,
    "from one": lambda a, b: 1 - a,
    "gradient": lambda a, b: pg.gradients(pg.sin(a) * b, a),
}
STEPS = st.lists(
    st.tuples(st.sampled_from([*NODES]), st.integers(0, 9), st.integers(0, 9)),
    min_size=1, max_size=9,
)  # fmt: skip


def build(steps: Any, leaves: Any) -> Any:
    values = list(leaves)
    for name, i, j in steps:
        values.append(NODES[name](values[-1 - i % len(values)], values[-1 - j % len(values)]))
    return values[-1]


@given(STEPS)
def test_what_is_written_means_what_is_computed(steps):
    """The LaTeX, read by a reader that knows nothing of the graph, has the graph's value."""
    node = build(steps, [x, y, z])
    values = {"x": x.item(), "y": y.item(), "z": z.item()}
    *lines, last = pg.latex(node).lines
    for line in lines:
        name, text = line.split(" = ", 1)
        values[name] = value_of(text, values)
    found = value_of(last.split(" = ", 1)[-1], values)
    assert found == near(node.item())


def test_every_operation_is_written_and_drawn():
    """mathtext draws every formula, and plain text and MathML leave no LaTeX behind."""
    for operation in shipped():
        for sample in operation.samples[:2]:
            case = Case(operation, sample)
            xs = [pg.tensor(array, name=f"x{n}") for n, array in enumerate(case.arrays())]
            for node in case.outputs(*xs):
                found = pg.latex(node)
                for line in found.lines:
                    assert is_drawn(line), line
                    assert "\\" not in plain(line), (line, plain(line))
                    assert "\\" not in mathml(line), (line, mathml(line))


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("x", "x"), ("x1", "x_1"), ("x₁", "x_1"), ("W_12", "W_{12}"), ("theta", r"\theta"),
        ("θ", r"\theta"), ("loss", r"\mathrm{loss}"), ("a_b", r"\mathrm{a\_b}"),
        ('<b>"50%"', r'\mathrm{‘<b>"50\%"’}'), ("a b", r"\mathrm{‘a\ b’}"),
        ("x^2", r"\mathrm{‘xˆ2’}"), ("数", r"\mathrm{数}"), ("a-b", r"\mathrm{‘a‐b’}"),
        ("größe", r"\mathrm{größe}"),
    ],
)  # fmt: skip
def test_names(name, latex):
    assert symbol(name) == latex
    assert "\\" not in plain(latex)
    assert "%" in latex or is_drawn(latex)


@pytest.mark.tiny
def test_variables_are_told_from_numbers_and_from_each_other():
    e, i = pg.Variable(2.0, name="e"), pg.Variable(3.0, name="i")
    one, other = pg.Variable(2.0, name="x"), pg.Variable(3.0, name="x")
    assert pg.latex(pg.exp(e) * e).text.endswith("e^‘e’ · ‘e’")
    assert pg.latex(pg.sigmoid(e) * e).text.endswith("σ(e) e")  # there is no number e
    assert "‘i’" in pg.latex(i * 1j).text
    assert pg.latex(one * other).text.endswith("x x'")
    prime = pg.Variable(5.0, name="x'")
    assert pg.latex(one * other + prime).text.endswith("x x'' + x'")
    assert pg.latex(one * one).text.endswith("x²")
    assert pg.latex(e * 0.50001).text.endswith("0.50001e")
    assert pg.latex(e * 1.000001).text.endswith("1.000001e")
    text = str(pg.derivation(pg.exp(e) * e, e))
    assert "e^‘e’" in text
    assert "(∂" not in text


@pytest.mark.tiny
def test_arrays_are_symbols():
    scores = pg.Variable(np.zeros((4, 3)), name="s")
    labels = np.array([0, 1, 2, 1])
    loss = pg.cross_entropy(scores, labels)
    assert pg.latex(loss).text.endswith("mean(−log softmax(s)[i, c₁ᵢ])")
    text = str(pg.derivation(loss, scores))
    assert "c₁ = [ 0 1 2 1 ]" in text
    assert "onehot_(depth=3)(c₁)" in text
    targets = np.linspace(0, 1, 12).reshape(4, 3)
    both = pg.sum(scores * targets + scores * (1 - targets))
    assert pg.latex(both).text.endswith("Σ (s ⊙ c₁ + s ⊙ c₂)")
    assert "norm" not in str(pg.derivation(both, scores)).split("Backwards")[1].split("[4 × 3]")[0]


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("value", "latex"),
    [
        (2.0, "2"), (0.5, "0.5"), (1e-7, "10^{-7}"), (2.5e-9, r"2.5 \cdot 10^{-9}"), (3, "3"),
        (float("nan"), r"\mathrm{NaN}"), (-float("inf"), r"-\infty"), (True, r"\mathrm{true}"),
        (np.float32(0.1), "0.1"),
    ],
)  # fmt: skip
def test_numbers(value, latex):
    assert number(value) == latex


@pytest.mark.tiny
def test_a_value_that_is_not_a_node_is_refused():
    with pytest.raises(GraphError, match="latex: expected a node, got int"):
        pg.latex(3)  # pyright: ignore[reportArgumentType]


@pytest.mark.tiny
def test_in_a_notebook_it_is_drawn():
    found = pg.latex(x * y)
    assert found._repr_latex_() == f"$\\displaystyle {found}$"
    assert "<math" in found._repr_html_()


@pytest.mark.tiny
def test_long_equations_are_broken_at_their_terms():
    total = sum((pg.sin(x * y) * pg.cos(y * z * n) for n in range(1, 9)), x)
    found = pg.latex(total)
    rows = str(found).splitlines()
    assert rows[0] == r"\begin{aligned}"
    assert all(len(plain(row.replace("&", ""))) < 110 for row in rows[1:-1])
    long = Formula.of(
        [r"y = \left(" + " + ".join("abcdefgh" * 4) + r"\right) + x" + r" - \sin z" * 20]
    )
    parts = str(long).splitlines()[1:-1]
    assert len(parts) > 2
    assert all(part.startswith((r"y &= \left(", r"&\quad - ", r"&\quad + ")) for part in parts)
    assert long.lines[0].count(r"\\") == 0


def test_draws_of_two_streams_are_two_terms():
    x = pg.Variable(np.ones((2, 3)), name="x")
    masks: list[Any] = [pg.dropout(x, 0.5) for _ in range(2)]
    first, second = (mask.attributes["stream"] for mask in masks)
    text = pg.latex(pg.add(*masks, name="y")).text
    assert (
        text
        == f"y = dropout_(rate=0.5; stream={first})(x) + dropout_(rate=0.5; stream={second})(x)"
    )
    text = pg.latex(pg.add(masks[0], masks[0], name="y")).text
    assert text == f"y = 2 dropout_(rate=0.5; stream={first})(x)"
