"""Captions are true: each right side, evaluated by a reader apart from the page, is the value that
is shown, and that value is the library's."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from captions.evaluator import FUNCTIONS, Evaluator, number
from captions.graphs import GRAPHS
from chromium import Frames
from palingrad.graph.kinds import Elementwise
from palingrad.graph.registry import operations
from palingrad.ops.families import import_families
from palingrad.view.page import export, html
from palingrad.view.page.export import Export, Options

READ = """() => [...Array(palingrad.schedule.steps.length).keys()].map((step) => {
  palingrad.set({step: step + 1});
  const text = (e, part) => e.querySelector(part)?.textContent;
  return {
    step: palingrad.schedule.steps[step],
    equations: [...document.querySelectorAll("#story .equation")].map((e) => ({
      all: e.textContent, numbers: text(e, ".numbers"), shown: text(e, ".shown"),
      node: Number(e.dataset.node.slice(1)), entry: e.dataset.entry, row: e.dataset.row,
      digits: Number(e.dataset.digits), sign: e.dataset.sign, kind: e.className.split(" ")[1],
      note: text(e, "small") || "",
    })),
  };
})"""
SYMBOLIC = {"seed of multiply"}  # without numbers on the right side: the identity matrix


def same(found: float, shown: float, digits: int) -> bool:
    """Whether a number is the one that is shown rounded to `digits`."""
    if not math.isfinite(found) or not math.isfinite(shown):
        return found == shown or (math.isnan(found) and math.isnan(shown))
    last = 10.0 ** (math.floor(math.log10(abs(shown))) - digits + 1) if shown else 1e-12
    return abs(found - shown) <= 0.52 * last


def test_every_caption_of_forty_graphs_evaluates_to_the_value_shown(tab, tmp_path, monkeypatch):
    frames = Frames(tab, tmp_path)
    monkeypatch.setattr(export, "worked", lambda *_: {})  # derivations take most of the time
    assert len(GRAPHS) == 40
    wrong: list[str] = []
    symbolic: set[str] = set()
    short = 0
    for name, build in GRAPHS.items():
        y = build()
        shown = Export(y, Options(time=False))  # derivatives are shown simplified
        order = shown.order
        frame = frames.show(html(y, time=False))
        expected = Expected(shown.shown(y), order)
        for one in frame.evaluate(READ):
            assert one["equations"], (name, one)
            if all(e["shown"] is None for e in one["equations"]):
                symbolic.add(f"{one['step']['kind']} of {order[one['step']['node']].kind_name()}")
            for equation in one["equations"]:
                short += equation["numbers"] is not None and equation["digits"] < 4
                wrong += [f"{name}: {word}" for word in faults(equation, expected)]
    assert wrong == [], "\n".join(wrong)
    assert symbolic == SYMBOLIC
    assert short <= 2  # differences of nearly equal float32 numbers
    frames.check()


def faults(equation: Any, expected: Expected) -> list[str]:
    """What is wrong with an equation: its right side, or the value that it shows."""
    if equation["shown"] is None:
        return []
    shown = number(equation["shown"])
    wrong: list[str] = []
    if equation["numbers"] is not None:
        found = Evaluator(equation["numbers"]).value()
        if not same(found, shown, equation["digits"]):
            wrong.append(f"{equation['all']}: the right side is {found}")
        wrong += wrong_sign(equation)
    value = expected.of(equation)
    if value is not None and not same(value, shown, equation["digits"]):
        wrong.append(f"{equation['all']}: the library has {value}")
    return wrong


class Exact(Evaluator):
    """The exact value of a formula of rational numbers, as it is written."""

    def atom(self) -> Any:
        token = self.peek()
        if re.fullmatch(r"\d+\.?\d*", token):
            return Fraction(self.take())
        if token not in ("(", "|"):
            raise ValueError(token)
        return super().atom() if token == "(" else abs(self._within())

    def _within(self) -> Any:
        self.take("|")
        found = self.sum()
        self.take("|")
        return found


def wrong_sign(equation: Any) -> list[str]:
    """A sign = between numbers that aren't equal as they are written, or ≈ between equal ones."""
    try:
        found = Exact(equation["numbers"]).value()
    except (ValueError, ZeroDivisionError):
        return [] if equation["sign"] in "=≈→" else [f"{equation['all']}: the sign"]
    if equation["shown"].lstrip("−") == "∞":
        expected = "→"
    else:
        expected = "=" if found == Exact(equation["shown"]).value() else "≈"
    return [] if equation["sign"] == expected else [f"{equation['all']}: it should be {expected}"]


class Expected:
    """The library's values and gradients."""

    def __init__(self, y: Any, order: Any) -> None:
        self.order = order
        floats = [x for x in order if np.asarray(x.value).dtype.kind == "f"]
        value = np.asarray(y.value)
        self.rows: dict[int, Any] = {}
        for row in range(value.size):
            seed = np.zeros(value.shape, value.dtype)
            seed.flat[row] = 1
            found = pg.gradients(y, floats, gradient=seed)
            self.rows[row] = {id(x): g for x, g in zip(floats, found, strict=True)}

    def of(self, equation: Any) -> float | None:
        node, entry = self.order[equation["node"]], int(equation["entry"] or 0)
        value = float(np.ravel(node.value)[entry])
        if equation["kind"] == "forward":
            return value
        gradient = self.rows[int(equation["row"] or 0)][id(node)]
        slope = 0.0 if gradient is None else float(np.ravel(gradient.numpy())[entry])
        if equation["kind"] == "update":
            return value - 0.1 * slope
        arrived = re.search(r"(\d+) of (\d+) contributions", equation["note"])
        if arrived and arrived[1] != arrived[2]:
            return None  # a part of the gradient
        return slope


def test_the_evaluator_reads_as_a_reader_does():
    assert Evaluator("−2² + 3·(−1.5)/3").value() == -5.5
    assert Evaluator("e^(0) + √4 + |−3| + (781 more: −1)").value() == 5.0
    assert Evaluator("tanh (−0.5)").value() == math.tanh(-0.5)
    assert number("−1.5·10⁻⁷") == -1.5e-7
    with pytest.raises(AssertionError):
        Evaluator("2 3").value()


def test_elementwise_formulas_are_true_for_every_sample(graph_scope):
    """All operations in one graph: the caption of each, if the evaluator knows its function."""
    import_families()
    nodes: list[Any] = []
    for operation in list(operations.values()):
        built_in = operation.__module__.startswith("palingrad.ops") and operation.math
        if not built_in or not issubclass(operation, Elementwise):
            continue
        for sample in operation.samples[:2]:
            values = sample.inputs(np.random.default_rng(0))
            nodes.append(operation(*[pg.tensor(v) for v in values], **sample.attributes))
    page = graph_scope(nodes, time=False, budget=10**8)
    names = {f"n{place}": node for place, node in enumerate(pg.postorder(*nodes))}
    wrong: list[str] = []
    checked = set[str]()
    for one in page.js(EQUATIONS):
        node = names[one["node"]]
        array = np.asarray(node.value)
        words = set(FORMULA_WORDS.findall(one["numbers"])) - {"e", "more"}
        if not words <= set(FUNCTIONS) or np.iscomplexobj(array) or "dtype" in one["numbers"]:
            continue
        if "⁻" in one["numbers"]:  # 1 + 10⁻²⁰ is 1 to the evaluator, not to log1p
            continue
        try:
            found, shown = Evaluator(one["numbers"]).value(), number(one["shown"])
        except (AssertionError, ValueError, TypeError) as error:
            wrong.append(f"{node.kind_name()}: {one['numbers']} can't be read: {error}")
            continue
        checked.add(node.kind_name())
        if not same(found, shown, one["digits"]):
            wrong.append(f"{node.kind_name()}: {one['numbers']} is {found}, not {one['shown']}")
        value = float(array.ravel()[one["entry"]])
        if not same(value, shown, one["digits"]):
            wrong.append(f"{node.kind_name()}: {one['shown']} is shown for {value}")
    assert wrong == [], "\n".join(wrong)
    assert len(checked) > 55, sorted(checked)


FORMULA_WORDS = re.compile(r"[a-zσ_]+[a-zσ_\d]*")
EQUATIONS = """() => palingrad.nodes.flatMap((node, k) => {
  const step = palingrad.schedule.steps.findIndex((one) => one.node === k && one.kind === "run");
  return step < 0 ? [] : palingrad.equationsOf(step + 1).filter((e) => e.numbers)
    .map(({digits, numbers, shown, entry}) => ({node: node.k, digits, numbers, shown, entry}));
})"""


def test_constants_are_written_out_only_where_four_digits_are_exact():
    x = pg.Variable(2.0, dtype=pg.float64, name="x")
    data = Export(x * 0.25 + x * 0.123456789, Options()).data()
    formulas = {data["captions"][node["c"]]["w"] for node in data["nodes"] if "c" in node}
    assert any("0.25" in text for text in formulas)
    assert not any("0.12" in text for text in formulas)


def test_an_entry_of_a_large_product_is_the_sum_of_its_terms(graph_scope):
    rng = np.random.default_rng(0)
    x = pg.tensor(rng.uniform(size=(2, 784)).astype(np.float32), name="x")
    w = pg.Variable(rng.normal(size=(784, 16)).astype(np.float32), name="w")
    page = graph_scope(pg.sum(x @ w), address="#step=1", time=False)
    text = page.text("#story .equation:last-child .numbers")
    assert "781 more" in text
    assert same(Evaluator(text).value(), number(page.text("#story .shown")), 4)
    assert same(float((x @ w).numpy()[0, 0]), number(page.text("#story .shown")), 4)
    assert "from x[0,:] and w[:,0]" in page.text("#story")


def test_a_caption_follows_an_edit(graph_scope):
    a, x = pg.Variable(2.0), pg.tensor(3.0)
    page = graph_scope(a * x + 1.0, address="#step=1")
    assert page.text("#story") == "v₁ = a · x = 2 · 3 = 6"
    page.js("palingrad.edit(0, [-4])")
    assert page.text("#story") == "v₁ = a · x = −4 · 3 = −12"
    page.js("palingrad.set({step: 2})")
    assert page.text("#story").endswith("= v₁ + 1 = −12 + 1 = −11")
    page.js("palingrad.edit(palingrad.nodes.findIndex(n => n.n === '1'), [5])")
    assert page.text("#story").endswith("= −7")
    assert "+ 1" not in page.text("#story")


def test_a_sign_says_whether_what_is_written_is_true(graph_scope):
    one, two, three = (pg.Variable(np.float64(value)) for value in (1.0, 2.25, 3.0))
    count = pg.tensor(np.array(7))
    nodes = {
        "lost": pg.tensor(np.float64(1e16)) + np.float64(1),
        "over": pg.tensor(np.float64(1e150)) * pg.tensor(np.float64(1e200)),
        "third": pg.tensor(np.float64(1 / 3)) * pg.tensor(np.float64(3)),
        "exact": two + three * -one,
        "integers": count // 2 + count * 3,
        "divided": pg.tensor(np.float64(1)) / pg.tensor(np.float64(8)),
        "zero": pg.tensor(np.float64(1)) / pg.tensor(np.float64(0)),
        "same": pg.positive(pg.tensor(np.float64(1.58333))),
        "root": pg.sqrt(pg.tensor(np.float64(4))),
        "irrational": pg.sqrt(pg.tensor(np.float64(2))),
        "narrow": pg.tensor(np.float32(1e38)) * pg.tensor(np.float32(100)),
    }
    for name, node in nodes.items():
        node._name = name
    page = graph_scope(list(nodes.values()), time=False)
    texts = {
        text.split(" = ")[0].split(" ≈ ")[0]: text
        for text in page.js(
            """[...Array(palingrad.schedule.steps.length).keys()].map((step) => {
              palingrad.set({step: step + 1});
              return document.querySelector("#story").textContent; })"""
        )
    }
    ends = {
        "lost": "= 10¹⁶ + 1 ≈ 10¹⁶",
        "over": "= 10¹⁵⁰ · (10²⁰⁰) → ∞ (overflow: more than float64 holds)",
        "third": "third ≈ 3 · 0.3333 ≈ 1", "exact": "= 2.25 + (−3) = −0.75",
        "integers": "= 3 + 21 = 24", "divided": "= 1/8 = 0.125",
        "zero": "= 1/0 → ∞ (a division by 0)", "root": "= √4 = 2", "irrational": "= √2 ≈ 1.414",
        "narrow": "→ ∞ (overflow: more than float32 holds)",
    }  # fmt: skip
    for name, end in ends.items():
        assert texts[name].endswith(end), texts
    assert texts["same"].count("1.583") == 1
