"""Leaves are edited on their cards; edits live in the address; curves and exports show them."""

from __future__ import annotations

import csv
import io
import struct
from typing import Any
from xml.dom.minidom import parseString

import numpy as np
import pytest

import palingrad as pg
from tolerances import near


def small() -> Any:
    """float32 scalars and a small array; e = Σ tanh(w) · a² + a."""
    a, w = pg.Variable(1.5), pg.Variable(np.array([0.25, -0.5, 2.0], np.float32))
    e = pg.sum(pg.tanh(w)) * a * a + a
    return e


def place(page: Any, name: str) -> int:
    return page.js("name => palingrad.nodes.findIndex((node) => node.n === name)", name)


def number_at(page: Any, name: str) -> tuple[float, float]:
    """Where the number of a leaf's card is on the screen."""
    x, y = page.js(
        "k => { const b = palingrad.boxFor(k);"
        "return palingrad.toScreen(b.x - b.w / 4, b.y + b.h / 4); }",
        place(page, name),
    )
    box = page.page.locator("#canvas").bounding_box()
    return box["x"] + x, box["y"] + y


def bits(page: Any) -> list[str]:
    """The bits of every value and total derivative."""
    return page.js(BITS)


BITS = """() => palingrad.nodes.flatMap((_, k) => [palingrad.valueOf(k), palingrad.totalOf(k)]
  .flatMap((one) => one ? [...one.data].map((x) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, x);
    return view.getBigUint64(0).toString(16);
  }) : ["none"]))"""


def test_a_number_is_dragged_on_its_card_and_a_click_there_chooses(graph_scope):
    page = graph_scope(small())
    a = place(page, "a")
    x, y = number_at(page, "a")
    view = page.js("({...palingrad.camera})")
    page.page.mouse.move(x, y)
    assert page.js("document.getElementById('canvas').style.cursor") == "ew-resize"
    page.page.mouse.down()
    page.page.mouse.move(x + 40, y)
    page.page.mouse.up()
    value = page.js("k => palingrad.valueOf(k).data[0]", a)
    assert value == near(1.5 + 40 / 20, np.float32)
    assert page.js("({...palingrad.camera})") == view  # the graph was not moved
    tanh = float(np.tanh(np.array([0.25, -0.5, 2.0])).sum())
    assert page.js("palingrad.valueOf(palingrad.data.result).data[0]") == pytest.approx(
        tanh * value * value + value, rel=1e-6
    )
    page.page.mouse.click(x, y)
    assert page.js("palingrad.state.node") == a


def test_a_number_is_typed_on_its_card_beside_the_curve_with_its_tangent(graph_scope):
    page = graph_scope(small())
    x, y = number_at(page, "a")
    page.page.mouse.dblclick(x, y)
    field = page.page.locator("#card-editor input")
    field.fill("1/4")
    assert page.js("k => palingrad.valueOf(k).data[0]", place(page, "a")) == 0.25
    field.fill("1/")
    assert "wrong" in (field.get_attribute("class") or "")
    assert page.js("k => palingrad.valueOf(k).data[0]", place(page, "a")) == 0.25
    assert page.page.locator("#card-editor .tiny").count() == 2
    page.page.keyboard.press("Escape")
    assert not page.page.locator("#card-editor").is_visible()
    page.js("k => palingrad.openEditor(k)", place(page, "w"))
    cells = page.page.locator("#card-editor input")
    assert cells.count() == 3
    cells.nth(1).fill("3")
    assert "w[1]" in page.text("#card-plots figcaption")
    assert page.js("k => [...palingrad.valueOf(k).data]", place(page, "w")) == [0.25, 3, 2]


def test_the_curve_is_the_result_over_the_leaf_and_changes_nothing(graph_scope):
    page = graph_scope(small())
    before = bits(page)
    curve = page.js("k => palingrad.curveOver(k, 1)", place(page, "w"))
    xs, ys = np.array(curve["xs"]), np.array(curve["ys"])
    w = np.stack([np.full_like(xs, 0.25), xs, np.full_like(xs, 2.0)])
    assert len(xs) > 8
    assert xs[len(xs) // 2] == -0.5
    assert ys == pytest.approx(np.tanh(w).sum(axis=0) * 2.25 + 1.5, rel=3e-6)
    assert bits(page) == before


def test_difference_quotients_approach_the_derivative(graph_scope):
    page = graph_scope(small())
    rows = page.js("k => palingrad.quotientsOver(k, 0)", place(page, "a"))
    slope = page.js("k => palingrad.totalOf(k).data[0]", place(page, "a"))
    error = {round(-np.log10(h), 1): (abs(one - slope), abs(two - slope)) for h, one, two in rows}
    # The result is quadratic: the one-sided error is h · Σ tanh w, the central one rounding alone.
    # (float32 leaves, read in double precision, differ from the shown slope by its rounding.)
    assert error[1.0][0] == pytest.approx(0.1 * np.tanh([0.25, -0.5, 2.0]).sum(), rel=1e-4)
    assert error[4.0][0] < 2e-4
    assert error[4.0][1] < 1e-5
    assert error[12.0][0] > error[8.0][0]  # rounding


def test_edits_come_back_from_the_address_bit_for_bit(graph_scope):
    a, w = pg.Variable(1.5, dtype=pg.float64), pg.Variable(np.array([0.25, -0.5, 2.0]))
    e = pg.sum(pg.tanh(w)) * a * a
    page = graph_scope(e)
    third = struct.unpack("<d", struct.pack("<d", 1 / 3))[0]
    page.js("([k, x]) => palingrad.edit(k, [x])", [place(page, "a"), third])
    page.js("k => palingrad.edit(k, [-0, 5e-324, 0.1 + 0.2])", place(page, "w"))
    expected = bits(page)
    page.page.wait_for_function("location.hash.includes('edits=')")
    page.page.reload()
    page.page.wait_for_selector("html[data-ready=yes]", state="attached")
    assert bits(page) == expected
    assert page.js("palingrad.state.version") > 0
    again = graph_scope(e, address=page.js("location.hash"))
    assert bits(again) == expected
    again.js("palingrad.resetEdits()")
    again.page.wait_for_function("!location.hash.includes('edits=')")


def test_larger_leaves_are_packed_and_a_foreign_link_is_reported(graph_scope):
    w = pg.Variable(np.linspace(-1, 1, 40))
    page = graph_scope(pg.sum(w * w))
    page.js("k => palingrad.edit(k, Array.from({length: 40}, (_, n) => Math.sin(n) / 3))",
            place(page, "w"))  # fmt: skip
    expected = bits(page)
    text = page.js("palingrad.writtenEdits()")
    assert "~" in text
    page = graph_scope(pg.sum(w * w), address=f"#edits={text}")
    assert bits(page) == expected
    page = graph_scope(small())
    key = page.js("palingrad.nodes.find((node) => node.n === 'a').k")
    page = graph_scope(small(), address=f"#edits={text};{key}:7;n99:1;n0:x,1,2")
    assert page.js("palingrad.writtenEdits()") == f"{key}:7"
    assert "don't fit this graph and were left out" in page.text("#notice")


def _text(node: Any) -> str:
    return node.firstChild.nodeValue


def test_the_exported_svg_has_plain_colours_and_what_the_cards_say(graph_scope):
    page = graph_scope(small())
    page.js("k => palingrad.edit(k, [2])", place(page, "a"))
    page.page.locator("#export").click()
    with page.page.expect_download() as found:
        page.page.locator("#export-svg").click()
    assert found.value.suggested_filename == "e.svg"
    text = found.value.path().read_text(encoding="utf-8")
    root = parseString(text).documentElement
    assert root is not None
    assert "var(--" not in text
    words = {_text(node) for node in root.getElementsByTagName("text")}
    assert {"a", "w", "e", "2"} <= words
    fills = {node.getAttribute("fill") for node in root.getElementsByTagName("path")}
    assert any(fill.startswith("#") for fill in fills)
    assert "undefined" not in text
    assert "NaN" not in text
    view = [float(x) for x in root.getAttribute("viewBox").split()]
    for node in root.getElementsByTagName("text"):
        assert view[0] <= float(node.getAttribute("x")) <= view[0] + view[2]


def test_the_exported_numbers_are_those_of_the_page(graph_scope):
    page = graph_scope(small())
    page.js("k => palingrad.edit(k, [1 / 3])", place(page, "a"))
    page.page.locator("#export").click()
    with page.page.expect_download() as found:
        page.page.locator("#export-csv").click()
    rows = list(csv.DictReader(io.StringIO(found.value.path().read_text(encoding="utf-8"))))
    names = [row["name"] for row in rows]
    assert names.count("w") == 3
    w = [float(row["value"]) for row in rows if row["name"] == "w"]
    assert w == [0.25, -0.5, 2.0]
    a = next(row for row in rows if row["name"] == "a")
    assert np.float32(a["value"]) == np.float32(1 / 3)
    assert float(a["gradient"]) == page.js("palingrad.totalOf(palingrad.nodes.findIndex"
                                           "((n) => n.n === 'a')).data[0]")  # fmt: skip
    with page.page.expect_download() as found:
        page.page.locator("#export").click()
        page.page.locator("#export-png").click()
    assert found.value.path().read_bytes()[:4] == b"\x89PNG"


def test_a_link_has_the_edits(graph_scope):
    page = graph_scope(small())
    page.js("k => palingrad.edit(k, [7])", place(page, "a"))
    page.page.locator("#export").click()
    page.page.locator("#export-link").click()
    link = page.page.locator("#export-address").input_value()
    assert link.startswith("file:")
    assert "edits=" in link


def test_every_control_has_a_tooltip(graph_scope):
    def run() -> Any:
        with pg.name_scope("part"):
            return small()

    page = graph_scope(run(), compare={"other": run()})
    for tab in ("details", "paths", "whatif", "compare"):
        page.page.locator(f"#tab-{tab}").click()
        for what in ({}, {"node": place(page, "a")}, {"edge": 0}, {"group": "part"}):
            page.js("what => palingrad.choose(what)", what)
            page.js("() => new Promise((done) => setTimeout(done))")
            bare = page.js(
                "[...document.querySelectorAll('button, select, input, summary')]"
                ".filter((one) => !one.title.trim()).map((one) => one.outerHTML)"
            )
            assert bare == []


@pytest.mark.parametrize("size", [(390, 844), (844, 390), (1000, 640)])
def test_a_phone_and_a_notebook_have_room_for_everything(graph_scope, size):
    wide, high = size
    touch = {"has_touch": True, "is_mobile": True} if wide < 1000 else {}
    page = graph_scope(
        small(), context={"viewport": {"width": wide, "height": high}, **touch}, title="e" * 90
    )
    assert page.js("document.documentElement.scrollWidth") <= wide
    inside = "() => [...document.querySelectorAll('.bar *, .time *')].filter((one) => {" \
             "const b = one.getBoundingClientRect();" \
             "return b.width && getComputedStyle(one).visibility === 'visible' && !one.closest" \
             "('#ready, .mark, [aria-hidden=true], h1 span') && (b.left < -1 || b.right >" \
             " innerWidth + 1); }).map((one) => one.id || one.className)"  # fmt: skip
    assert page.js(inside) == []
    for selector in ("#play", "#step", "#search", "#overlay", "#export", "#tab-compare"):
        box = page.page.locator(selector).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= wide, selector
        assert box["width"] >= 24, selector
    play = page.page.locator("#play").bounding_box()
    assert play["y"] + play["height"] <= high  # the timeline is on the first screen
    page.page.locator("#fit").click()
    page.page.wait_for_function(
        """() => palingrad.scene().boxes.every((b) => {
        const [left, top] = palingrad.toScreen(b.x - b.w / 2, b.y - b.h / 2);
        const [right, bottom] = palingrad.toScreen(b.x + b.w / 2, b.y + b.h / 2);
        const stage = document.getElementById("stage").getBoundingClientRect();
        return left >= 0 && top >= 0 && right <= stage.width && bottom <= stage.height;
        })"""
    )
    page.js("k => palingrad.openEditor(k)", place(page, "a"))
    page.js("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    box = page.page.locator("#card-editor").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= wide


def test_touch_pans_pinches_and_taps(graph_scope):
    page = graph_scope(
        small(),
        context={"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    )
    box = page.page.locator("#canvas").bounding_box()
    session = page.page.context.new_cdp_session(page.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": box["x"] + x, "y": box["y"] + y, "id": n} for n, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    before = page.js("({...palingrad.camera})")
    touch("touchStart", (20, 20))
    for step in range(1, 6):
        touch("touchMove", (20 + 10 * step, 20 + 6 * step))
    touch("touchEnd")
    after = page.js("({...palingrad.camera})")
    assert after["x"] == pytest.approx(before["x"] - 50 / before["scale"], abs=12)
    assert after["y"] < before["y"]
    touch("touchStart", (150, 200), (200, 200))
    for step in range(1, 6):
        touch("touchMove", (150 - 10 * step, 200), (200 + 10 * step, 200))
    touch("touchEnd")
    assert page.js("palingrad.camera.scale") > 1.5 * after["scale"]
    page.page.locator("#fit").tap()
    x, y = page.js(
        "k => palingrad.toScreen(palingrad.boxFor(k).x, palingrad.boxFor(k).y - 12)",
        place(page, "e"),
    )
    page.page.touchscreen.tap(box["x"] + x, box["y"] + y)
    assert page.js("palingrad.state.node") == place(page, "e")
