"""Every control of the page, clicked in a real browser."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from tolerances import near


def small() -> Any:
    """e = σ(s) + s·s with s = a·x + b: s is shared, and used by one operation twice."""
    a, b, x = pg.Variable(2.0), pg.Variable(-1.0), pg.tensor(3.0)
    s = a * x + b
    e = pg.sigmoid(s) + s * s
    return e


def scoped() -> Any:
    """Two scopes, of which one lies in a third; x is used in one and outside."""
    x = pg.Variable(1.5, dtype=pg.float64, name="x")
    with pg.name_scope("outer"):
        with pg.name_scope("inner"):
            h = pg.tanh(x, name="h")
        k = pg.multiply(h, x, name="k")
    return pg.add(k, pg.square(x, name="sq"), name="y")


def place(page: Any, name: str) -> int:
    return page.js("name => palingrad.nodes.findIndex(n => n.n === name)", name)


def click_node(page: Any, name: str) -> None:
    """Click the middle of a node's card on the canvas."""
    x, y = page.js(
        "k => { const b = palingrad.boxFor(k); return palingrad.toScreen(b.x, b.y); }",
        place(page, name),
    )
    page.page.locator("#canvas").click(position={"x": x, "y": y})


def click_edge(page: Any, source: str, target: str) -> None:
    """Click an edge where it leaves its source's card, a little below."""
    x, y = page.js(
        """([a, b]) => { const e = palingrad.edges.find((e) => e.a === a && e.b === b);
        return palingrad.toScreen(e.q[0], e.q[1] + 3); }""",
        [place(page, source), place(page, target)],
    )
    page.page.locator("#canvas").click(position={"x": x, "y": y})


def test_a_clicked_node_shows_its_details(graph_scope):
    page = graph_scope(small())
    click_node(page, "s")
    text = page.text("#details")
    for part in ("add", "float32", "Value", "∂e / ∂s", "Inputs", "Used 3 times", "s = a * x + b"):
        assert part in text
    assert page.page.locator("#details .formula math").count() == 1
    assert page.page.locator("#tree [aria-selected=true]").inner_text().startswith("s")


def test_a_clicked_edge_shows_the_numbers_that_multiply(graph_scope):
    page = graph_scope(small())
    click_edge(page, "a", "multiply")
    assert page.number("#factor") == 3.0
    assert page.number("#passed") == page.number("#arrives") * 3.0
    total = page.js("palingrad.totalOf(0).data[0]")
    # The page shows all digits of a float64 and adds two terms: few roundings.
    assert page.number("#passed") == pytest.approx(total, rel=1e-15)


def test_local_derivatives_are_matrices_with_their_structure_named(graph_scope):
    w = pg.Variable(np.arange(6.0).reshape(2, 3))
    x = pg.Variable(np.array([1.0, -2.0, 0.5]))
    h = pg.tanh(w @ x)
    page = graph_scope(pg.sum(pg.concat([h, h[:1]])))
    found = {}
    for number in range(page.js("palingrad.edges.length")):
        page.js("n => palingrad.choose({edge: n})", number)
        target = page.js("n => palingrad.nodes[palingrad.edges[n].b].o", number)
        found[target, page.js("n => palingrad.edges[n].i", number)] = page.text("#structure")
    assert found["tanh", 0] == "diagonal"
    assert found["slice", 0] == "selection"
    assert found["sum", 0] == "row"
    assert found["matmul", 0] == "sparse blocks"
    assert page.page.locator("#details .matrix").count() > 0


def test_the_timeline_steps_either_way_through_three_phases(graph_scope):
    page = graph_scope(small(), address="#step=0")
    assert page.text("#phase") == "start"
    phases = []
    for _ in range(page.js("palingrad.schedule.steps.length")):
        ready = page.page.locator("#ready li").first
        expected = ready.get_attribute("data-node")
        page.page.locator("#next").click()
        step = page.js("palingrad.schedule.steps[palingrad.state.step - 1]")
        assert expected == page.js("k => palingrad.nodes[k].k", step["node"])
        phases.append(step["phase"])
    assert phases == ["forward"] * 5 + ["backward"] * 6 + ["update"] * 2
    assert page.text("#ready") == "empty: finished"
    page.page.locator("#back").click()
    assert page.text("#phase").startswith("update")
    page.page.locator("#first").click()
    assert page.js("palingrad.state.step") == 0
    page.page.locator("#last").click()
    assert page.js("palingrad.state.step") == 13


def test_a_shared_node_accumulates_its_contributions(graph_scope):
    page = graph_scope(small(), address="#step=7")
    page.js("k => palingrad.choose({node: k})", place(page, "s"))
    assert "Contributions: 0 of 3 arrived" in page.text("#details")
    seen = []
    for _ in range(2):
        page.page.locator("#next").click()
        seen.append(page.text("#details"))
    assert "Contributions: 2 of 3 arrived" in seen[0]
    assert "Σ 10" in seen[0]
    assert "Contributions: 3 of 3 arrived" in seen[1]
    assert "Σ 10.007" in seen[1]


def test_only_what_is_ready_may_run(graph_scope):
    page = graph_scope(scoped())
    steps = page.js("palingrad.schedule.steps.length")
    done: set[int] = set(page.js(LEAVES))
    for step in range(steps):
        now = page.js("k => palingrad.schedule.steps[k]", step)
        queue = page.js("k => palingrad.readyQueue(k)", step)
        assert now["node"] in queue
        if now["phase"] == "forward":
            inputs = page.js(
                "k => palingrad.edges.filter(e => e.b === k).map(e => e.a)", now["node"]
            )
            assert done >= set(inputs)
            done.add(now["node"])


LEAVES = """palingrad.nodes.map((n, k) => k)
    .filter((k) => !palingrad.edges.some((e) => e.b === k))"""


def test_play_runs_to_the_end_and_pause_stops(graph_scope):
    page = graph_scope(small())
    page.page.locator("#speed").select_option("10")
    page.page.locator("#play").click()
    assert page.page.locator("#play").get_attribute("aria-label") == "Pause"
    page.page.wait_for_function("palingrad.state.step > 2 && palingrad.state.step < 13")
    page.page.locator("#play").click()
    stopped = page.js("palingrad.state.step")
    assert page.page.locator("#play").get_attribute("aria-label") == "Play"
    page.page.locator("#play").click()
    page.page.wait_for_function("palingrad.state.step === 13")
    assert 2 < stopped <= 13


def test_what_if_recomputes_what_depends_on_the_edit_and_nothing_else(graph_scope):
    page = graph_scope(small(), address="#tab=whatif")
    page.page.locator('[data-leaf="n3"]').fill("1")  # b
    page.page.keyboard.press("Tab")
    b, a, x = 1.0, 2.0, 3.0
    s = a * x + b
    # The page computes in float32 and rounds once an operation: a tenth of the dtype's tolerance.
    assert page.number("#now .number") == pytest.approx(1 / (1 + np.exp(-s)) + s * s, rel=1e-7)
    assert page.page.locator("#recomputed").get_attribute("data-count") == "4"
    sigma = 1 / (1 + np.exp(-s))
    slope = sigma * (1 - sigma) + 2 * s
    assert page.js("palingrad.totalOf(3).data[0]") == pytest.approx(slope, rel=1e-6)
    page.page.locator("#descend").click()
    assert page.js("palingrad.valueOf(3).data[0]") == pytest.approx(b - 0.1 * slope, rel=1e-6)
    page.page.locator("#reset").click()
    assert page.js("palingrad.valueOf(3).data[0]") == -1
    slider = page.page.locator('[data-slide="n0"]')
    slider.fill("3")
    assert page.js("palingrad.valueOf(0).data[0]") == 3


def test_a_graph_that_waits_computes_once_its_leaves_are_filled_in(graph_scope):
    with pg.Graph():
        x = pg.placeholder((), dtype=pg.float64)
        y = pg.sin(x) * 2.0
    page = graph_scope(y, address="#tab=whatif")
    page.page.locator('[data-leaf="n0"]').fill("0.5")
    page.page.keyboard.press("Tab")
    assert page.js("palingrad.valueOf(palingrad.data.result).data[0]") == 2 * np.sin(0.5)
    # One product of a cosine: a browser's cosine may be one rounding from NumPy's.
    assert page.js("palingrad.totalOf(0).data[0]") == pytest.approx(2 * np.cos(0.5), rel=1e-15)


def test_collapsed_scopes_close_up_and_have_right_boundary_gradients(graph_scope):
    page = graph_scope(scoped())
    names = ["x", "sq", "y"]
    at = "names => names.map(n => palingrad.boxFor(palingrad.nodes.findIndex(o => o.n === n)))"
    before, height = page.js(at, names), page.js("palingrad.scene().height")
    page.page.locator("#collapse").click()
    assert page.js("[...palingrad.state.collapsed]") == ["outer"]
    assert page.js("palingrad.scene().boxes.length") == len(names) + 1
    assert page.js("palingrad.scene().height") < height  # no hole where the scope was
    assert page.js("palingrad.frames.size") == 0
    page.page.locator("#tree [role=treeitem]", has_text="outer").click()
    through = float(page.page.locator("#boundary-in .gradient").get_attribute("data-through"))
    x, h = 1.5, np.tanh(1.5)
    assert through == near(h + x * (1 - h * h))  # without what flows past it
    assert page.js("palingrad.totalOf(palingrad.nodes.findIndex(n => n.n === 'x')).data[0]") == (
        near(through + 2 * x)
    )
    page.page.locator("#toggle-group").click()
    assert page.js("palingrad.state.collapsed.size") == 0
    assert page.js(at, names) == before


FOUND = {
    "sig": ["sigmoid"],
    "isnan": ["bad", "sum"],
    "(2, 3)": ["W", "bad"],
    "2x3": ["W", "bad"],
    "isinf": [],
    "zzz": [],
}


def test_search_by_name_operation_shape_and_isnan(graph_scope):
    W = pg.Variable([[1.0, -1.0, 2.0], [1.0, 1.0, 1.0]], name="W")
    bad = pg.log(W, name="bad")
    y = pg.sigmoid(pg.Variable(1.0)) + pg.sum(bad)
    page = graph_scope(y)
    for query, found in FOUND.items():
        page.js("palingrad.choose({})")
        names = page.js("q => palingrad.find(q).map(k => palingrad.nodes[k].n)", query)
        assert names[: len(found)] == found, query  # then what has it in its line of source
        assert bool(names) == bool(found), query
        page.page.locator("#search").fill(query)
        page.page.keyboard.press("Enter")
        chosen = page.js(
            "palingrad.state.node === null ? null : palingrad.nodes[palingrad.state.node].n"
        )
        assert chosen == (names[0] if names else None), query


def test_overlays_colour_by_norm_nan_dead_units_time_memory_and_own_numbers(graph_scope):
    rng = np.random.default_rng(0)
    x, w = pg.tensor(rng.normal(size=(6, 3))), pg.Variable(rng.normal(size=(3, 4)))
    h = pg.relu(x @ w - np.array([0.0, 0.0, 0.0, 100.0]))
    y = pg.sum(pg.log(h))
    page = graph_scope(y, overlay={w: 1.0, h: 3.0}, time=True)
    select = page.page.locator("#overlay")
    legends = {}
    for value in select.locator("option").evaluate_all("all => all.map(o => o.value)"):
        select.select_option(value)
        legends[value] = page.text("#legend") if value != "none" else ""
    assert "gradient norm" in legends["gradient"]
    assert "2 nodes hold NaN or ∞" in legends["nan"]
    assert "25 %" in legends["dead"]
    assert "time" in legends["time"]
    assert "memory" in legends["memory"]
    assert "your numbers" in legends["own0"]


def test_comparing_two_runs_marks_the_first_difference(graph_scope):
    def run(a: float) -> Any:
        x = pg.Variable(1.0)
        y = pg.sin(x)
        z = y * pg.tensor(a)
        return z + x

    page = graph_scope(
        run(2.0), compare={"same": run(2.0), "other": run(3.0)}, address="#tab=compare"
    )
    page.page.locator("#run").select_option("0")
    assert "No difference" in page.text("#difference")
    page.page.locator("#run").select_option("1")
    assert "2 ↔ 3" in page.text("#first-difference")
    assert page.js("[...palingrad.state.raw.keys()].length") == 3


def test_comparing_before_and_after_an_edit(graph_scope):
    page = graph_scope(small())
    page.js("palingrad.edit(3, [0])")
    page.page.locator("#tab-compare").click()
    page.page.locator("#run").select_option("before")
    assert page.text("#first-difference").startswith("b")


def test_deep_links_restore_the_selection(graph_scope):
    e = small()
    page = graph_scope(e, address="#node=n4&step=3")
    assert page.js("[palingrad.state.node, palingrad.state.step]") == [4, 3]
    page.page.locator("#next").click()
    page.js("palingrad.choose({edge: 2})")
    page.page.wait_for_function(
        "location.hash.includes('edge=2') && location.hash.includes('step=4')"
    )
    again = graph_scope(e, address=page.js("location.hash"))
    assert again.js("[palingrad.state.edge, palingrad.state.step]") == [2, 4]


def test_zoom_theme_help_and_tabs(graph_scope):
    page = graph_scope(small())
    scale = page.js("palingrad.camera.scale")
    page.page.locator("#zoom-in").click()
    assert page.js("palingrad.camera.scale") > scale
    page.page.locator("#zoom-out").click()
    page.page.locator("#fit").click()
    assert page.js("palingrad.camera.scale") == near(scale)
    page.page.locator("#theme").click()
    assert page.js("document.documentElement.dataset.theme") == "dark"
    page.page.locator("#help").click()
    assert page.page.locator("#keys").is_visible()
    page.page.get_by_role("button", name="Close").click()
    for name in ("paths", "whatif", "compare", "details"):
        page.page.locator(f"#tab-{name}").click()
        assert page.page.locator(f"#{name}").is_visible()
        assert page.page.locator("[role=tabpanel]:visible").count() == 1


def test_dragging_and_the_wheel_move_the_view(graph_scope):
    page = graph_scope(small())
    before = page.js("({...palingrad.camera})")
    page.page.mouse.move(400, 700)
    page.page.mouse.down()
    page.page.mouse.move(460, 660)
    page.page.mouse.up()
    after = page.js("({...palingrad.camera})")
    assert after["x"] == near(before["x"] - 60 / before["scale"])
    page.page.mouse.wheel(0, -200)
    page.page.wait_for_function("s => palingrad.camera.scale > s", arg=before["scale"])


def test_program_of_a_training_step_shows_its_own_backward_pass_and_update(graph_scope):
    with pg.Graph():
        w = pg.Variable(2.0, name="w")
        x = pg.placeholder((), dtype=pg.float32, name="x")
        loss = pg.square(w * x - 1.0, name="loss")
        train = pg.optim.GradientDescent(0.1).minimize(loss)
    page = graph_scope([loss, train], feeds={x: 3.0}, of=loss)
    phases = page.js("palingrad.schedule.steps.map(s => s.phase)")
    assert sorted(set(phases), key=phases.index) == ["forward", "backward", "update"]
    page.page.locator("#tab-details").click()
    assert w.numpy() == 2.0  # looking changed nothing


def test_a_node_has_its_chain_rule_step_by_step_until_values_are_edited(graph_scope):
    a, b, x = pg.Variable(2.0), pg.Variable(-1.0), pg.tensor(3.0)
    e = pg.sigmoid(a * x + b)
    page = graph_scope(e)
    click_node(page, "a")
    assert page.text(".worked summary") == "The chain rule, step by step"
    text = page.text(".worked")
    assert "Along each path the derivatives multiply" in text
    assert page.page.locator(".worked math").count() == len(pg.derivation(e, a).steps)
    page.js("k => palingrad.edit(k, [4])", place(page, "x"))
    assert page.page.locator(".worked").count() == 0
