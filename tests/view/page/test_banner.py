"""The banner of a NaN: its sentence, where it began, and the repaired run in the same file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import NonFiniteError
from palingrad.view.page import html
from palingrad.view.page.show import Page


def faulty() -> Any:
    logits = pg.Variable(np.array([[2.0, -200.0, 0.5]], np.float32))
    p = pg.softmax(logits)
    loss = pg.mean(-pg.log(p))
    return loss


def test_the_banner_says_what_debug_nans_says_and_goes_there(graph_scope):
    with pytest.raises(NonFiniteError) as caught, pg.debug_nans():
        float(faulty())
    page = graph_scope(faulty())
    said = page.text("#banner p")
    assert str(caught.value.args[0]).split(" It began")[0] in said
    assert "log[0, 1] at test_banner.py:" in said
    page.page.locator("#show-fault").click()
    assert page.js("palingrad.nodes[palingrad.state.node].o") == "log"
    assert "log[0, 1]" in page.text("#show-fault")
    page.page.locator("#close-banner").click()
    assert not page.page.locator("#banner").is_visible()


def test_the_repaired_run_is_a_page_of_its_own_and_leads_back(graph_scope):
    page = graph_scope(faulty())
    page.page.locator("#show-repaired").click()
    page.page.wait_for_selector("#show-original")
    assert "pg.log_softmax(x)" in page.text("#banner")
    logits = np.array([2.0, -200.0, 0.5])
    expected = np.mean(np.log(np.exp(logits - 2).sum()) + 2 - logits)
    found = page.js("palingrad.valueOf(palingrad.data.result).data[0]")
    assert found == pytest.approx(expected, rel=1e-6)
    page.js("palingrad.edit(0, [0, -300, 0])")  # what-if computes with the rewrite
    assert page.js("palingrad.valueOf(palingrad.data.result).data[0]") == pytest.approx(
        100 + np.log(2), rel=1e-6
    )
    page.page.locator("#show-original").click()
    page.page.wait_for_selector("#show-repaired")
    assert page.js("palingrad.valueOf(palingrad.data.result).data[0]") is not None
    assert page.js("String(palingrad.valueOf(palingrad.data.result).data[0])") == "Infinity"


def test_a_notebooks_frame_switches_to_the_repaired_run(browser, tmp_path):
    path = tmp_path / "notebook.html"
    shown = Page(html(faulty()))._repr_html_()
    path.write_text(f"<!doctype html><body>{shown}</body>", encoding="utf-8")
    context = browser.new_context(offline=True)
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(path.as_uri())
    frame = tab.frame_locator("iframe")
    frame.locator("#show-repaired").click()
    frame.locator("#show-original").click()
    frame.locator("#show-repaired").wait_for()
    assert complaints == []
    context.close()


def test_an_edit_that_gives_a_nan_raises_the_banner(graph_scope):
    x = pg.Variable(2.0)
    y = pg.log(x) * 3.0
    page = graph_scope(y)
    assert not page.page.locator("#banner").is_visible()
    page.js("palingrad.edit(0, [-1])")
    said = page.text("#banner p")
    assert "After this edit, log at test_banner.py:" in said
    assert "is NaN: log of −1." in said
    page.js("palingrad.resetEdits()")
    assert not page.page.locator("#banner").is_visible()


def test_a_nan_made_of_infinite_data_raises_the_banner(graph_scope):
    x = pg.Variable(np.inf, name="x")
    page = graph_scope(pg.multiply(x, 0.0))
    said = page.text("#banner p")
    assert "NaN in multiply: ∞ × 0, where variable 'x' holds ∞. It began in multiply" in said
    assert "in the forward pass" in said
    assert "repaired run" not in said
    page.page.locator("#show-fault").click()
    assert page.js("palingrad.nodes[palingrad.state.node].o") == "multiply"


def test_data_that_hold_a_nan_raise_the_banner_and_a_mask_does_not(graph_scope):
    x = pg.Variable(np.array([1.0, np.nan]), name="x")
    page = graph_scope(pg.sum(x * 2.0))
    assert "variable 'x' holds NaN. It began in variable 'x'[1]" in page.text("#banner p")
    assert page.text("#show-fault") == "Show x[1]"
    masked = pg.where(pg.tensor([True, False]), pg.Variable(np.ones(2)), -np.inf)
    assert not graph_scope(masked * 2).page.locator("#banner").is_visible()


def test_the_gradients_of_a_fed_graph_raise_the_banner(graph_scope):
    with pg.Graph():
        a = pg.placeholder((2,), name="a")
        w = pg.Variable([1.0, 2.0], name="w")
        y = pg.sum(pg.sqrt(a * w), name="y")
    page = graph_scope(y, feeds={a: np.array([0.0, 1.0], np.float32)})
    said = page.text("#banner p")
    assert "NaN in the gradient of variable 'w': 0 · ∞ in the derivative of sqrt at 0" in said
    assert "in the backward pass" in said
    page.page.locator("#show-repaired").click()
    page.page.wait_for_selector("#show-original")
    w = page.js("palingrad.nodes.findIndex((node) => node.n === 'w')")
    assert np.isfinite(page.js(f"Array.from(palingrad.totalOf({w}).data)")).all()
    other = graph_scope(pg.log(pg.Variable(-1.0)))  # in the same tab
    assert "log of −1" in other.text("#banner p")


def test_an_edit_to_infinity_names_the_product_with_zero(graph_scope):
    x, w = pg.Variable(2.0, name="x"), pg.Variable(0.0, name="w")
    page = graph_scope(pg.exp(x * w) + x)
    page.js("palingrad.edit(palingrad.nodes.findIndex((node) => node.n === 'x'), [Infinity])")
    said = page.text("#banner p")
    assert "is NaN: multiply of ∞ and 0." in said
