"""The page by keyboard alone, and its roles and names for screen readers."""

from __future__ import annotations

from typing import Any

import numpy as np

import palingrad as pg


def graph() -> Any:
    x = pg.Variable(1.5, dtype=pg.float64, name="x")
    with pg.name_scope("block"):
        h = pg.tanh(x, name="h")
        k = pg.multiply(h, x, name="k")
    return pg.add(k, x, name="y")


def test_everything_can_be_reached_and_done_without_a_pointer(graph_scope):
    page = graph_scope(graph())
    press = page.page.keyboard.press
    chosen = "palingrad.state.node === null ? null : palingrad.nodes[palingrad.state.node].n"

    press("/")  # find
    page.page.keyboard.type("tanh")
    press("Enter")
    assert page.js(chosen) == "h"
    press("Tab")
    page.page.locator("#canvas").focus()
    press("ArrowDown")  # along an edge
    assert page.js(chosen) == "k"
    press("ArrowUp")
    assert page.js(chosen) in ("h", "x")
    press("e")
    assert page.js("palingrad.state.edge") is not None
    press("Escape")
    assert page.js("[palingrad.state.node, palingrad.state.edge]") == [None, None]

    press("Home")  # the timeline
    assert page.text("#phase") == "start"
    press(".")
    press(".")
    press(",")
    assert page.js("palingrad.state.step") == 1
    press("Space")
    page.page.wait_for_function("palingrad.state.step > 1")
    press("Space")
    press("End")
    assert page.text("#phase").startswith("update")

    for key, name in (("p", "paths"), ("w", "whatif"), ("c", "compare"), ("d", "details")):
        press(key)
        assert page.page.locator(f"#{name}").is_visible()
    scale = page.js("palingrad.camera.scale")
    press("-")
    assert page.js("palingrad.camera.scale") < scale
    press("0")
    press("o")
    assert page.js("palingrad.state.overlay") == "gradient"
    press("t")
    assert page.js("document.documentElement.dataset.theme") == "dark"
    press("?")
    assert page.page.locator("#keys").is_visible()
    press("Escape")
    assert not page.page.locator("#keys").is_visible()


def test_scopes_fold_in_the_tree_and_collapse_with_g(graph_scope):
    page = graph_scope(graph())
    press = page.page.keyboard.press
    page.page.locator("#skip").focus()
    press("Enter")
    focused = "document.activeElement.getAttribute('aria-label')"
    assert page.js(focused).startswith("x, variable, value 1.5")
    press("ArrowDown")
    assert page.js(focused) == "scope block, 2 nodes"
    press("ArrowLeft")
    assert page.js("document.activeElement.getAttribute('aria-expanded')") == "false"
    press("ArrowRight")
    press("ArrowRight")
    assert page.js(focused).startswith("h, tanh of x")
    press("Enter")
    assert page.js("palingrad.nodes[palingrad.state.node].n") == "h"
    press("g")
    assert page.js("[...palingrad.state.collapsed]") == ["block"]
    press("g")
    assert page.js("palingrad.state.collapsed.size") == 0
    press("End")
    assert "gradient 1" in page.js(focused)


def test_tab_reaches_all_parts_of_the_page_in_their_order(graph_scope):
    page = graph_scope(graph())
    seen: list[str] = []
    for _ in range(40):
        page.page.keyboard.press("Tab")
        where = page.js("document.activeElement.id || document.activeElement.getAttribute('role')")
        if where and where not in seen:
            seen.append(where)
    wanted = ["skip", "search", "overlay", "theme", "help", "collapse", "expand", "canvas"]
    wanted += ["zoom-in", "tab-details", "first", "back", "play", "next", "last", "step"]
    assert [one for one in seen if one in wanted] == wanted


def test_focus_is_visible(graph_scope):
    page = graph_scope(graph())
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Tab")
    outline = page.js("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_roles_and_names_for_screen_readers(graph_scope):
    page = graph_scope(graph())
    tree = page.page.get_by_role("tree", name="Nodes")
    assert tree.count() == 1
    items = page.page.get_by_role("treeitem").all()
    assert [one.get_attribute("aria-level") for one in items] == ["1", "1", "2", "2", "1"]
    assert [one.get_attribute("aria-setsize") for one in items] == ["3", "3", "2", "2", "3"]
    assert page.page.get_by_role("tab", name="Paths").get_attribute("aria-selected") == "false"
    page.page.get_by_role("button", name="One step back").click()
    assert page.page.get_by_role("slider", name="Step").get_attribute("aria-valuetext")
    unnamed = page.js(
        """[...document.querySelectorAll('button, input, select, [role=group], canvas')]
        .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length))
        .map((e) => e.outerHTML)"""
    )
    assert unnamed == []


def test_text_is_dark_enough_in_light_and_dark(graph_scope):
    page = graph_scope(graph())
    for theme in ("light", "dark"):
        page.js("t => document.documentElement.dataset.theme = t", theme)
        for ink in ("ink", "soft", "forward", "backward", "update"):
            assert contrast(page, ink) >= 4.5, (theme, ink)


def contrast(page: Any, ink: str) -> float:
    """The ratio of WCAG 2 between a colour of the style and the panels' ground."""

    def luminance(name: str) -> float:
        text = page.js(
            "n => getComputedStyle(document.documentElement).getPropertyValue('--' + n).trim()",
            name,
        )
        channels = np.array([int(text[k : k + 2], 16) for k in (1, 3, 5)]) / 255
        linear = np.where(
            channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return float(linear @ [0.2126, 0.7152, 0.0722])

    light, dark = sorted([luminance(ink), luminance("surface")], reverse=True)
    return (light + 0.05) / (dark + 0.05)
