"""Large graphs: a readable first screen, boxes that open in place, and a budget for numbers."""

from __future__ import annotations

import cProfile
import pstats
import re
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.models import gpt
from palingrad.session import last_feeds
from palingrad.view.drawing.model import picture
from palingrad.view.page.export import Export, Options
from palingrad.view.page.hierarchy import hierarchy
from palingrad.view.script import graph_in
from tolerances import near

# The sizes of all text that the page draws, in pixels of the screen.
SIZES = """() => { const g = document.querySelector('#canvas').getContext('2d');
    const fill = g.fillText; const found = [];
    g.fillText = function (text, ...a) {
        found.push(parseFloat(/([\\d.]+)px/.exec(this.font)[1]) * palingrad.camera.scale);
        return fill.call(this, text, ...a); };
    palingrad.paint(); g.fillText = fill; return found; }"""
TITLES = "Object.fromEntries(Object.entries(palingrad.data.boxes).map(([k, v]) => [v.t, k]))"
OPEN = (
    "p => palingrad.set({collapsed: new Set([...palingrad.state.collapsed].filter(x => x !== p))})"
)


def layers(count: int, width: int = 4) -> Any:
    chain = [layer for k in range(count) for layer in (pg.nn.Linear(width, width, seed=k), pg.tanh)]
    x = pg.tensor(np.linspace(-1, 1, 2 * width, dtype=np.float32).reshape(2, width), name="x")
    out = pg.nn.Sequential(*chain)(x)
    return pg.mean((out - 1.0) ** 2)


def scalars(count: int) -> Any:
    """A network of single numbers, as a loop in Python builds it."""
    w = [pg.Variable(0.1 * (k % 7) - 0.3, name=f"w{k}") for k in range(60)]
    h: list[Any] = [pg.tensor(0.1 * k) for k in range(6)]
    used = 0
    while used < count:
        new: list[Any] = []
        for _ in range(6):
            s: Any = w[used % 60]
            for x in h:
                s = s + w[used % 60] * x
                used += 2
            new.append(pg.tanh(s))
        h = new
    return sum(h[1:], h[0])


@pytest.fixture(scope="module")
def training_step() -> Any:
    """The recorded training step of a GPT."""
    model = gpt(17, context=8, layers=6, heads=2, width=8, seed=1)
    tokens = np.arange(16).reshape(2, 8) % 17
    optimizer = pg.optim.Adam(1e-3)
    with pg.record() as tape:
        loss = pg.cross_entropy(model(tokens), tokens)
        optimizer.minimize(loss)
    return tape.graph()


def result_of(export: Export) -> int:
    assert export.result is not None
    return export.first[export.result]


def on_first_screen(page: Any) -> None:
    """At most 40 cards, all in sight, with text of 11 pixels and more; the result is among them."""
    boxes = page.js("palingrad.scene().boxes")
    assert 3 <= len(boxes) <= 40
    stage = page.page.locator("#stage").bounding_box()
    for box in boxes:
        x, y = page.js("b => palingrad.toScreen(b.x, b.y)", box)
        assert 0 < x < stage["width"]
        assert 0 < y < stage["height"]
    assert page.js("palingrad.boxFor(palingrad.data.result).node") == page.js(
        "palingrad.data.result"
    )
    sizes = page.js(SIZES)
    assert len(sizes) > 5
    assert min(sizes) >= 11


def test_three_hundred_layers_open_as_one_box_that_opens_in_place(graph_scope):
    page = graph_scope(layers(300))
    on_first_screen(page)
    titles = page.js(TITLES)
    path = titles["(Linear · tanh) × 300"]
    assert "600 trainable Variables" in page.text("#parameters")
    assert page.js("palingrad.valueOf(palingrad.data.result).data.length") == 1
    centre = "p => { const [, x, y] = palingrad.placeOf(p); return palingrad.toScreen(x, y); }"
    before = page.js(centre, path)
    hidden = page.js("palingrad.boxFor(40).group")
    assert hidden == path
    page.js(OPEN, path)
    boxes = page.js("palingrad.scene().boxes.length")
    assert boxes <= 40
    assert page.js("p => palingrad.frames.has(p)", path)
    rectangle, *_ = page.js("p => palingrad.placeOf(p)", path)
    stage = page.page.locator("#stage").bounding_box()
    assert page.js("p => palingrad.toScreen(...palingrad.placeOf(p).slice(1))", path)[0] == (
        pytest.approx(before[0], abs=stage["width"] / 2)
    )
    assert rectangle["bottom"] > rectangle["top"]
    # The boxes inside open one by one, down to a layer; the row of boxes says where one is.
    page.js("palingrad.choose({node: 40})")
    for _ in range(9):
        group = page.js("palingrad.boxFor(40).group")
        if group is None:
            break
        page.js(OPEN, group)
    crumbs = page.text("#crumbs")
    assert "graph" in crumbs
    assert "Linear" in crumbs
    assert page.js("palingrad.scene().boxes.length") < 120
    # Closed again, the layout is that of the first screen: no holes.
    page.js("palingrad.set({collapsed: new Set(palingrad.data.folded)})")
    page.page.keyboard.press("0")
    assert page.js("palingrad.scene().boxes.length") < 20
    page.js("palingrad.paint()")
    assert min(page.js(SIZES)) >= 11


def test_thousands_of_numbers_are_repetitions(graph_scope):
    y = scalars(5000)
    page = graph_scope(y)
    assert page.js("palingrad.nodes.length") > 5000
    on_first_screen(page)
    assert any("×" in title for title in page.js(TITLES))


def test_an_export_takes_calls_in_proportion_to_the_nodes():
    def calls(count: int) -> int:
        profile = cProfile.Profile()
        profile.runcall(Export(scalars(count), Options()).data)
        return pstats.Stats(profile).total_calls  # pyright: ignore[reportAttributeAccessIssue]

    assert calls(2400) < 16 * calls(300)  # 64 × if quadratic


def test_a_training_step_opens_with_its_phases(graph_scope, training_step):
    page = graph_scope(training_step)
    assert page.js("palingrad.nodes.length") > 2500
    on_first_screen(page)
    cards = page.js("palingrad.scene().boxes.map(b => b.group)")
    assert "backward pass" in cards
    assert "update" in cards
    assert page.js("palingrad.frames.has('forward pass')")
    assert "TransformerBlock × 6" in page.js(TITLES)
    assert "76 trainable Variables" in page.text("#parameters")
    # The step of each Variable is a box; opened, its operations are beside the passes.
    titles = page.js(TITLES)
    assert sum(title.endswith("←") or "← (" in title for title in titles) > 70
    page.js(OPEN, "update")
    assert page.js("palingrad.scene().boxes.length") <= 60
    page.page.locator("#parts button", has_text="backward pass").click()
    assert "phase of" in page.text("#details")
    page.page.locator("#expand").click()
    assert 500 < page.js("palingrad.scene().boxes.length") <= 1000
    assert page.page.locator("#tree [role=treeitem]").count() < 80
    assert page.text("#crumbs").endswith("backward pass")


def test_choosing_a_visible_node_leaves_the_view_and_a_hidden_one_moves_it(graph_scope):
    page = graph_scope(layers(30))
    view = "({...palingrad.camera})"
    before = page.js(view)
    for place in page.js("palingrad.scene().boxes.map(b => b.node).filter(n => n !== null)"):
        page.js("k => palingrad.choose({node: k})", place)
        assert page.js(view) == before
    page.js("Object.assign(palingrad.camera, {scale: 1.25, x: 0, y: -9000}), palingrad.paint()")
    assert page.page.locator("#map").is_visible()
    page.js("palingrad.choose({}), palingrad.choose({node: palingrad.data.result})")
    x, y = page.js(
        "(({x, y}) => palingrad.toScreen(x, y))(palingrad.boxFor(palingrad.data.result))"
    )
    stage = page.page.locator("#stage").bounding_box()
    assert 0 < x < stage["width"]
    assert 0 < y < stage["height"]


def test_boxes_are_reached_and_opened_with_the_keyboard(graph_scope):
    page = graph_scope(layers(30))
    page.page.locator("#canvas").focus()
    press = page.page.keyboard.press
    press("ArrowUp")  # the result, then what leads to it
    path = None
    for _ in range(8):
        press("ArrowUp")
        path = path or page.js("palingrad.state.group")
        if path is not None:
            break
    assert path
    before = page.js("palingrad.scene().boxes.length")
    press("Enter")
    assert page.js("palingrad.scene().boxes.length") > before
    press("Enter")
    assert page.js("palingrad.scene().boxes.length") == before


@pytest.mark.parametrize("size", [(1000, 700), (390, 844)])
def test_small_screens_open_fewer_boxes(graph_scope, size):
    width, height = size
    page = graph_scope(layers(12), context={"viewport": {"width": width, "height": height}})
    on_first_screen(page)


def test_the_address_keeps_which_boxes_are_open(graph_scope):
    page = graph_scope(layers(30))
    path = page.js("palingrad.scene().boxes.find((box) => box.group).group")
    page.js(OPEN, path)
    page.page.wait_for_function("location.hash.includes('opened=')")
    again = graph_scope(layers(30), address=page.js("location.hash"))
    assert again.js("p => palingrad.frames.has(p)", path)


def test_derivations_are_worked_out_for_the_node_that_is_asked_for(graph_scope):
    page = graph_scope(scalars(300))
    place = page.js("palingrad.nodes.findIndex(n => n.n === 'w0')")
    page.js("k => palingrad.choose({node: k})", place)
    assert page.page.locator(".steps li").count() == 0
    page.page.locator(".worked summary").click()
    page.page.locator(".steps li").first.wait_for()
    lines = page.page.locator(".steps li").all_inner_texts()
    assert len(lines) == 31
    assert re.search(r"\d+ more steps", " ".join(lines))
    checked = 0
    for line in lines:
        *_, products, total = ["", *line.replace("−", "-").split(" = ")]
        if "·" not in products or "∂" in products:
            continue
        terms = [
            float(np.prod([float(x) for x in term.split(" · ")])) for term in products.split(" + ")
        ]
        checked += 1
        # Each number is rounded to six digits.
        assert sum(terms) == pytest.approx(float(total), abs=2e-5 * max(1, *map(abs, terms)))
    assert checked > 15
    assert float(lines[-1].replace("−", "-").rsplit(" = ", 1)[1]) == pytest.approx(
        page.js("k => palingrad.totalOf(k).data[0]", place), rel=1e-5
    )


def test_the_budget_keeps_the_result_and_the_parameters_whole():
    loss = layers(40, 16)
    export = Export(loss, Options(budget=130_000))
    data = export.data()
    assert export.budget.cut > 20  # some arrays don't fit
    result = data["nodes"][data["result"]]
    assert np.float32(result["v"]["f"][0]) == loss.numpy()
    trained = [node for node in data["nodes"] if node.get("tr")]
    assert len(trained) == 80
    assert all("s" not in node["v"] for node in trained)  # no summaries
    first = min(place for place, node in enumerate(data["nodes"]) if node.get("j"))
    path = [data["nodes"][place] for place in range(first, len(data["nodes"]))]
    assert any("s" in node["v"] for node in path if "v" in node)


def test_the_chosen_path_comes_before_what_is_beside_it():
    x = pg.Variable(np.ones(500), name="x")
    h: Any = x
    for k in range(30):
        h = h * 0.9 + pg.sin(h) * float(k)
    export = Export(pg.sum(h), Options(budget=800_000))
    data = export.data()
    path = export._first_path()
    whole = [data["nodes"][export.first[node]] for node in path]
    assert export.budget.cut > 20
    assert len(path) > 30
    assert all("s" not in node["v"] for node in whole if "v" in node)


def test_every_node_has_one_box_and_boxes_are_not_too_full(training_step):
    for what in (training_step, layers(300), scalars(3000)):
        shown = picture(what)
        forward = [n for n, item in enumerate(shown.items) if item.role == "forward"]
        result = max(n for n in forward if shown.items[n].kind == "operation")
        found = hierarchy(shown, result)
        members: dict[Any, int] = {}
        for path in found.paths:
            members[path] = members.get(path, 0) + 1
        for path in found.facts:
            members[path[:-1]] = members.get(path[:-1], 0) + 1
        assert max(members.values()) <= 40
        assert set(found.folded) | set(found.next) <= set(found.facts)
        for item, path in zip(shown.items, found.paths, strict=True):
            if item.kind == "operation" and item.role == "forward":
                kept = [name for name in path if name in item.scope]
                assert kept == list(item.scope)  # the module hierarchy is kept


def test_equal_graphs_get_equal_boxes():
    one, other = (
        hierarchy(export.picture, result_of(export))
        for export in (Export(layers(20), Options()), Export(layers(20), Options()))
    )
    assert one == other


SCRIPT = """
import numpy as np
import palingrad as pg
with pg.Graph() as graph:
    x = pg.placeholder((None, 2), dtype=pg.float64, name="x")
    w = pg.Variable(np.array([1.0, 2.0]), name="w")
    loss = pg.mean((x @ w - 3.0) ** 2)
    step = pg.optim.Adam(0.1).minimize(loss)
with pg.Session(graph) as session:
    for k in range(3):
        session.run([step, loss], {x: np.full((4, 2), float(k))})
"""


def test_a_sessions_graph_has_the_last_feeds_and_a_folded_update(graph_scope, tmp_path):
    path = tmp_path / "adam.py"
    path.write_text(SCRIPT)
    with last_feeds() as feeds:
        _, graph = graph_in(str(path))
    ((x, fed),) = feeds.items()
    assert fed.tolist() == [[2.0, 2.0]] * 4
    page = graph_scope(graph, feeds=feeds)
    assert "(4, 2)" in page.text("#feeds")
    assert page.js("palingrad.state.collapsed.has('update')")
    w = graph["w"].value
    loss = page.js("palingrad.valueOf(palingrad.data.result).data[0]")
    assert loss == near((2 * w.sum() - 3) ** 2)
    place = page.js("palingrad.nodes.findIndex(n => n.n === 'w')")
    assert page.js("k => [...palingrad.totalOf(k).data]", place) == near(
        [4 * (2 * w.sum() - 3)] * 2
    )
    pg.Session().run(x, {x: np.zeros((1, 2))})  # nobody is told of later runs
    assert feeds[x].shape == (4, 2)


def test_boxes_move_to_their_places(graph_scope):
    page = graph_scope(layers(60), context={"reduced_motion": "no-preference"})
    path = page.js(TITLES)["(Linear · tanh) × 60"]
    where = "palingrad.scene().boxes.map((box) => [box.x, box.y])"
    page.js(OPEN, path)
    start = page.js("palingrad.scene().fade")
    page.page.wait_for_function("palingrad.scene().fade === 1")
    end = page.js(where)
    assert start < 1
    page.page.wait_for_function("p => !palingrad.state.collapsed.has(p)", arg=path)
    still = graph_scope(layers(60), context={"reduced_motion": "reduce"})
    still.js(OPEN, path)
    assert still.js("palingrad.scene().fade") == 1
    assert end == still.js(where)


def test_a_closed_box_has_the_colour_of_its_worst_member(graph_scope):
    x = pg.Variable(np.array([1.0, -1.0]), name="x")
    with pg.name_scope("block"):
        h = pg.log(x) + 1.0  # NaN
    with pg.name_scope("other"):
        k = pg.exp(x) * 2.0
    page = graph_scope(pg.sum(h) + pg.sum(k))
    page.js("palingrad.set({collapsed: new Set(['block', 'other']), overlay: 'nan'})")
    fill = "p => palingrad.fillOf(palingrad.scene().boxes[palingrad.scene().ofGroup.get(p)])"
    assert page.js(fill, "block") == "#d55e00"
    assert page.js(fill, "other") is None
    page.js("palingrad.set({overlay: 'memory'})")
    assert page.js(fill, "other").startswith("rgb")


def test_no_text_of_the_page_is_under_11_pixels(graph_scope):
    page = graph_scope(layers(30))
    small = page.js(
        """[...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() &&
        [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) &&
        !e.closest('script, style') && parseFloat(getComputedStyle(e).fontSize) < 11)
        .map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert small == []


def test_the_update_of_a_small_graph_is_folded_too(graph_scope):
    with pg.Graph() as graph:
        w = pg.Variable(2.0, name="w")
        pg.optim.Momentum(0.1).minimize(pg.square(w, name="loss"))
    page = graph_scope(graph)
    assert page.js("palingrad.nodes.length") < 40
    assert page.js("[...palingrad.state.collapsed]") == ["update"]
    assert page.js("palingrad.scene().boxes.filter(b => b.role === 'update').length") == 1
