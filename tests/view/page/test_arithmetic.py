"""The page's own arithmetic against NumPy and the library's rules, for all operations."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from formulas import BINARY, ROUNDED, UNARY, numbers, pairs, same
from palingrad.graph.operation import MultipleOutputs
from palingrad.graph.registry import operations
from palingrad.maths import numpy_maths
from palingrad.maths.library import LIBRARY
from palingrad.ops.families import import_families
from palingrad.view.page.assemble import asset
from palingrad.view.page.export import Export, Options
from palingrad.view.page.trace import IN_PAGE
from tolerances import near

REFUSED = {"uniform", "normal", "dropout"}  # what is drawn stays as it was drawn


def samples() -> list[Any]:
    """One node for each sample of each operation, float64 operands as Variables."""
    found: list[Any] = []
    import_families()
    for operation in list(operations.values()):
        built_in = operation.__module__.startswith("palingrad.ops") and operation.math
        if not built_in or operation._kind_name in REFUSED:
            continue
        for sample in operation.samples:
            values = sample.inputs(np.random.default_rng(0))
            inputs = [pg.Variable(v) if v.dtype.kind == "f" else pg.tensor(v) for v in values]
            found.append(operation(*inputs, **sample.attributes))
    return found


def test_values_and_derivatives_of_every_sample_are_those_of_the_library(graph_scope):
    nodes = [node for node in samples() if not isinstance(node, MultipleOutputs)]
    page = graph_scope(nodes, budget=10**8)
    places = {one["k"]: n for n, one in enumerate(page.js("palingrad.nodes.map(n => ({k: n.k}))"))}
    reasons = page.js("palingrad.nodes.map(n => n.why)")
    order = pg.postorder(*nodes)
    wrong: list[str] = []
    checked = 0
    found = page.js(COMPUTED)
    for place, node in enumerate(order):
        assert places[f"n{place}"] == place
        got = found[place]
        if got is None:
            if node.inputs and not _is_refused(reasons[place]):
                wrong.append(f"{node.kind_name()} isn't computed: {reasons[place]}")
            continue
        checked += 1
        value = np.asarray([decoded(x) for x in got["value"]]).reshape(np.shape(node.value))
        if not close(value, node.value):
            wrong.append(f"{node.kind_name()}: {value} for {node.value}")
        wrong += derivatives(node, got["back"])
    assert wrong == [], "\n".join(wrong)
    assert checked > 350


def derivatives(node: Any, back: Any) -> list[str]:
    """What is wrong with the cotangents that a node sends for ones."""
    floats = [x for x in node.inputs if x.dtype.kind == "f"]
    if back is None or node.dtype.kind != "f" or len(set(map(id, floats))) != len(floats):
        return []
    if not floats or not np.isfinite(node.value).all():
        return []
    expected = pg.gradients(node, floats, gradient=np.ones(np.shape(node.value)))
    sent = {id(x): c for x, c in zip(node.inputs, back, strict=True)}
    wrong: list[str] = []
    for x, g in zip(floats, expected, strict=True):
        c = sent[id(x)]
        got = np.zeros(g.shape) if c is None else np.reshape([decoded(v) for v in c], g.shape)
        if not close(got, g.value):
            wrong.append(f"∂{node.kind_name()}: {got} for {g.value}")
    return wrong


def close(got: Any, expected: Any) -> bool:
    """Equal to a few roundings beside the largest element: an eighth of the dtype's tolerance
    for float32, and 7 times that for float64, where a browser's functions are less exact."""
    rounding = 1e-13 if expected.dtype != np.float32 else 1e-6
    expected = expected.astype(np.float64)
    finite = expected[np.isfinite(expected)]
    size = max(1e-2, np.abs(finite).max()) if finite.size else 1.0
    return np.allclose(got, expected, rtol=rounding, atol=rounding * size, equal_nan=True)


def decoded(x: Any) -> float:
    return float(x) if not isinstance(x, str) else float(x.replace("Infinity", "inf"))


def _is_refused(reason: str | None) -> bool:
    """Whether the page says that it can't compute a node: of complex numbers, of the bits of
    integers, or by a function that NumPy alone computes."""
    if reason is None:
        return False
    missing = reason.removeprefix("the page has no ")
    return (
        missing in (*LIBRARY, "left_shift", "right_shift")
        or "complex numbers" in reason
        or "bitwise operations" in reason
    )


COMPUTED = """() => palingrad.nodes.map((node, k) => {
  const write = (data) => [...data].map((x) => Number.isFinite(x) ? x : String(x));
  const value = palingrad.computed(k);
  if (!value || node.parts) return null;
  const back = node.g ? palingrad.sentBack(k, new Float64Array(value.data.length).fill(1)) : null;
  return {value: write(value.data), back: back && back.map((c) => c && write(c))};
})"""


def test_the_page_has_every_function_that_python_says_it_has(graph_scope):
    page = graph_scope(pg.Variable(1.0) * 2)
    assert set(page.js("Object.keys(palingrad.m)")) == IN_PAGE
    text = asset("arithmetic/maths.js") + asset("arithmetic/windows.js")
    assert all(re.search(rf"\b{name}\b", text) for name in IN_PAGE)


def test_the_pages_functions_are_numpys_at_special_numbers(graph_scope):
    page = graph_scope(pg.Variable(1.0) * 2)
    wrong: dict[str, str] = {}
    for name in sorted({*UNARY, *BINARY} & IN_PAGE):
        dtype = np.dtype(np.bool_ if name.startswith("bitwise") else np.float64)
        inputs = [numbers(dtype)] if name in UNARY else pairs(numbers(dtype), numbers(dtype))
        with np.errstate(all="ignore"):
            expected = np.asarray(getattr(numpy_maths, name)(*inputs)).astype(np.float64)
        given = [[str(float(v)).replace("inf", "Infinity") for v in x] for x in inputs]
        found = np.array([decoded(v) for v in page.js(APPLIED, [name, given])])
        if name in ("maximum", "minimum"):  # of two zeros either
            found, expected = found + 0.0, expected + 0.0
        if word := same(found, expected, 32 * (name in ROUNDED)):
            wrong[name] = word
    assert wrong == {}


APPLIED = """([name, inputs]) => {
  const tensors = inputs.map((x) => ({shape: [x.length], data: Float64Array.from(x, Number)}));
  return [...palingrad.m[name](...tensors).data].map((x) => Object.is(x, -0) ? "-0.0" : String(x));
}"""


def test_split_and_its_items_are_computed_and_pulled_back(graph_scope):
    x = pg.Variable(np.arange(1.0, 6.0))
    first, second = pg.split(x * x, sizes=(2, 3))
    y = pg.sum(first) * pg.sum(second)
    page = graph_scope(y)
    page.js("palingrad.edit(0, [1, 2, 3, 4, 6])")
    assert page.js("palingrad.valueOf(palingrad.data.result).data[0]") == 5 * (9 + 16 + 36)
    gradient = page.js("[...palingrad.totalOf(0).data]")
    assert gradient == [2 * 61, 4 * 61, 6 * 5, 8 * 5, 12 * 5]


def test_edits_agree_with_running_the_graph_again(graph_scope):
    rng = np.random.default_rng(0)
    w, b, x = (rng.normal(size=shape) for shape in ((3, 5), (5,), (4, 3)))
    labels = np.array([0, 4, 1, 2])

    def build(w: Any, b: Any) -> tuple[Any, Any, Any]:
        weight, bias = pg.Variable(w), pg.Variable(b)
        h = pg.layer_norm(pg.tensor(x) @ weight + bias)
        return weight, bias, pg.cross_entropy(pg.gelu(h), labels)

    page = graph_scope(build(w, b)[2])
    new = rng.normal(size=(3, 5))
    place = page.js("palingrad.nodes.findIndex(n => n.n === 'weight')")
    page.js("([place, numbers]) => palingrad.edit(place, numbers)", [place, new.ravel().tolist()])
    weight, _, loss = build(new, b)
    loss.backward()
    assert page.js("palingrad.valueOf(palingrad.data.result).data[0]") == near(float(loss))
    got = page.js("place => [...palingrad.totalOf(place).data]", place)
    # The gradients of a layer norm cancel: an element keeps the roundings of larger ones.
    np.testing.assert_allclose(got, weight.grad.numpy().ravel(), rtol=1e-11, atol=1e-15)


def test_float32_stays_float32_after_an_edit(graph_scope):
    x = pg.Variable(0.1)
    page = graph_scope(pg.sin(x) + pg.square(x))
    page.js("palingrad.edit(0, [0.3])")
    again = pg.Variable(0.3)
    value = page.js("palingrad.valueOf(palingrad.data.result).data[0]")
    # Two roundings to float32; the exact float64 would be further from either.
    assert value == pytest.approx(float(pg.sin(again) + pg.square(again)), rel=2e-7)
    assert np.float32(value) == value


class Opaque(pg.Custom):
    """y = 2x, in code that only Python runs."""

    samples = (pg.case((3,)),)

    def compute(self, x: Any) -> Any:
        return x * 2

    def vjp(self, g: Any, x: Any) -> Any:
        return [g * 2]


def test_what_the_page_cannot_compute_is_greyed_and_says_so(graph_scope):
    x = pg.Variable([1.0, 2.0], dtype=pg.float64)
    y = pg.sum(Opaque(pg.tanh(x)) * 3.0)
    page = graph_scope(y, address="#tab=whatif")
    assert "its own Python code can't run in the page" in page.text("#whatif")
    page.js("palingrad.edit(0, [1, 3])")
    assert page.js("palingrad.valueOf(1).data[1]") == near(np.tanh(3.0))
    assert page.js("palingrad.valueOf(palingrad.data.result)") is None
    assert "greyed" in page.text("#recomputed")
    page.js("palingrad.set({tab: 'details'}); palingrad.choose({node: palingrad.data.result})")
    assert "its own Python code can't run in the page" in page.text("#details")
    page.js("palingrad.resetEdits()")
    assert page.js("palingrad.valueOf(palingrad.data.result).data[0]") == float(y)


def test_derivatives_of_what_the_page_cannot_compute_come_from_the_library(graph_scope):
    x = pg.Variable([1.0, 2.0], dtype=pg.float64)
    page = graph_scope(pg.sum(Opaque(x)))
    assert page.js("[...palingrad.localOf(0).data]") == [2, 0, 0, 2]
    assert page.js("palingrad.contributionOf(0).data[1]") == 2


def test_nodes_of_one_operation_share_a_block():
    y: Any = pg.Variable(0.5)
    for _ in range(1000):
        y = pg.tanh(y) + 0.1
    data = Export(y, Options()).data()
    assert len(data["blocks"]) == 2
