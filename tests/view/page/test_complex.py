"""Complex values and gradients on the page: on cards, in details and in the export; no editing."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

import palingrad as pg
from chromium import Opened


def graph() -> pg.Node:
    z = pg.Variable(np.complex128(1 + 2j), name="z")
    w = pg.Variable(np.array([1 - 1j, 2 + 0.5j, -0.5j]), name="w")
    h = pg.multiply(z, w, name="h")
    return pg.sum(pg.abs(h) ** 2, name="L")


@pytest.fixture
def page(graph_scope) -> Opened:
    return graph_scope(graph())


def at(page: Opened, name: str) -> int:
    return page.js("(name) => palingrad.nodes.findIndex((node) => node.n === name)", name)


def test_values_and_gradients_are_shown_by_the_documented_convention(page: Opened):
    z, w = np.complex128(1 + 2j), np.array([1 - 1j, 2 + 0.5j, -0.5j])
    by_z = 2 * np.conj(z) * (abs(w) ** 2).sum()  # ∂/∂a − i ∂/∂b of |z|²·Σ|w|²
    by_w = 2 * np.conj(w) * abs(z) ** 2
    assert page.js(f"palingrad.cardText({at(page, 'z')})[0]") == "1+2i"
    assert page.js(f"palingrad.cardText({at(page, 'z')})[1]") == f"∂ {by_z.real:g}−{-by_z.imag:g}i"
    shown = page.js(f"palingrad.complexTexts({at(page, 'w')}, true, (x) => String(x), true)")
    found = [complex(text.replace("i", "j").replace("+-", "-")) for text in shown]
    np.testing.assert_allclose(found, by_w, rtol=1e-12)
    page.js(f"palingrad.choose({{ node: {at(page, 'w')} }})")
    details = page.text("#details")
    assert "1−1i" in details
    assert "∂L / ∂w" in details
    assert "∂/∂a − i·∂/∂b" in details
    assert "can't be edited here" in details
    assert page.page.locator("#edit-on-card").count() == 0
    page.js(f"palingrad.choose({{ node: {at(page, 'h')} }})")
    assert "3+1i" in page.text("#details")


def test_complex_leaves_are_refused_where_numbers_are_edited(page: Opened):
    page.js("palingrad.set({ tab: 'whatif' })")
    assert "2 leaves are complex and can't be edited" in page.text("#whatif")
    page.js("palingrad.set({ tab: 'details' })")
    edge = page.js(
        f"palingrad.edges.findIndex((edge) => edge.a === {at(page, 'w')})",
    )
    page.js(f"palingrad.choose({{ edge: {edge} }})")
    assert "no local derivatives of complex numbers" in page.text("#details")


def test_the_export_has_complex_numbers_as_python_reads_them(page: Opened):
    rows = list(csv.DictReader(io.StringIO(page.js("palingrad.csvText()[0]"))))
    w = [row for row in rows if row["name"] == "w"]
    assert [complex(row["value"]) for row in w] == [1 - 1j, 2 + 0.5j, -0.5j]
    np.testing.assert_allclose(
        [complex(row["gradient"]) for row in w], 10 * np.conj([1 - 1j, 2 + 0.5j, -0.5j])
    )
    assert page.js("palingrad.csvText()[1]") == 0


def test_real_leaves_behind_complex_numbers_have_their_gradients(graph_scope):
    x = pg.Variable(np.array([1.0, 2.0, 3.0, 4.0]), name="x")
    power = pg.sum(pg.abs(pg.fft.fft(x)) ** 2, name="P")
    page = graph_scope(power)
    assert page.js(f"palingrad.hasGradient({at(page, 'x')}, palingrad.state.step)")
    found = page.js(f"Array.from(palingrad.totalOf({at(page, 'x')}).data)")
    np.testing.assert_allclose(found, 2 * 4 * np.arange(1.0, 5))
    assert "x" in page.text("#details")
    page.js(f"palingrad.edit({at(page, 'x')}, [1, 2, 3, 5])")
    assert (
        page.js(f"palingrad.complexTexts({at(page, 'fft')}, false)") is None
    )  # not computed: greyed out
    page.js("palingrad.resetEdits()")


def test_paths_past_complex_numbers_are_no_whole_sum(graph_scope):
    x = pg.Variable(2.0, name="x")
    page = graph_scope(pg.add(x * x, pg.abs(x * 1j) ** 2, name="L"))
    page.js("palingrad.set({ tab: 'paths', from: 0, to: palingrad.data.result })")
    assert "Others lead through complex numbers" in page.text("#path-count")
    assert page.text("#path-check") == "the rest comes through complex numbers"
    assert page.number("#path-sum") == 4
    assert page.number("#path-total") == 8


def test_a_complex_result_and_a_large_array_say_what_the_page_lacks(graph_scope):
    z = pg.Variable(np.complex64(0.5 - 2j), name="z")
    page = graph_scope(pg.exp(z, name="f"))
    page.js(f"palingrad.choose({{ node: {at(page, 'f')} }})")
    assert f"{np.exp(0.5 - 2j).real:.4f}"[:6].replace("-", "−") in page.text("#details")
    assert "1.649" not in page.text("#details")
    big = pg.Variable(np.ones(5000, np.complex64), name="big")
    page = graph_scope(pg.sum(pg.abs(big), name="L"))
    page.js("palingrad.choose({ node: 0 })")
    assert "Too large for the page" in page.text("#details")
