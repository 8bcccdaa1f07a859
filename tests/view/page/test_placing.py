"""Where the cards of the page stand: its layout is that of drawings, and never leaves holes."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.view.drawing.layout.layered import layout
from palingrad.view.drawing.model import picture
from palingrad.view.page.hierarchy import hierarchy


def training_step() -> Any:
    """A graph with its forward pass, its backward pass and Adam's updates."""
    with pg.Graph() as graph:
        x = pg.placeholder((8, 4), dtype=pg.float32, name="x")
        labels = pg.placeholder((8,), dtype=pg.int64, name="labels")
        model = pg.nn.Sequential(pg.nn.Linear(4, 5), pg.tanh, pg.nn.Linear(5, 3))
        pg.optim.Adam(0.01).minimize(pg.cross_entropy(model(x), labels))
    return graph


def deep() -> Any:
    layers = [layer for _ in range(12) for layer in (pg.nn.Linear(4, 4), pg.relu)]
    return pg.sum(pg.nn.Sequential(*layers)(pg.tensor(np.ones((1, 4), np.float32))))


def drawn_at_random(seed: int) -> tuple[dict[str, Any], list[tuple[str, str]], dict[str, Any]]:
    """Boxes, edges that mostly lead onwards, and nested groups."""
    draw = random.Random(seed)
    count = draw.randrange(5, 60)
    widths, heights = [92.0, 130.0, 210.0], [46.0, 58.0]
    sizes = {f"n{k}": (draw.choice(widths), draw.choice(heights)) for k in range(count)}
    edges = [
        (f"n{draw.randrange(max(0, k - 9), k)}", f"n{k}") for k in range(1, count) for _ in range(2)
    ]
    edges += [(f"n{draw.randrange(count)}", f"n{draw.randrange(count)}") for _ in range(2)]
    groups: dict[str, Any] = {}
    for k in range(count):
        path = (f"g{k // 12}", f"h{k // 4}", f"i{k // 2}")[: draw.choice([0, 1, 2, 3])]
        if path:
            groups[f"n{k}"] = path
    return sizes, edges, groups


def test_the_pages_layout_is_that_of_drawings(graph_scope):
    page = graph_scope(pg.Variable(1.0) * 2.0)
    for seed in range(25):
        sizes, edges, groups = drawn_at_random(seed)
        weak = set(range(0, len(edges), 7))
        titles = {groups[key][:1]: 160.0 for key in groups}
        expected = layout(sizes, edges, groups=groups, weak=weak, titles=titles)
        keys = list(sizes)
        found = page.js(
            """([boxes, pairs, weak, titles]) => palingrad.layout(boxes, pairs,
            {weak: new Set(weak), titles: new Map(titles)})""",
            [
                [
                    {"w": w, "h": h, "path": list(groups.get(key, ()))}
                    for key, (w, h) in sizes.items()
                ],
                [[keys.index(a), keys.index(b)] for a, b in edges],
                sorted(weak),
                [["/".join(path), width] for path, width in titles.items()],
            ],
        )
        for key, position in zip(keys, found["positions"], strict=True):
            assert position == pytest.approx(expected.positions[key], abs=1e-6)
        for path, points in zip(expected.paths, found["paths"], strict=True):
            assert points[0] == pytest.approx(path[0], abs=1e-6)
            assert points[-1] == pytest.approx(path[-1], abs=1e-6)
        frames = {tuple(one[0].split("/")): one[1:] for one in found["frames"]}
        assert set(frames) == set(expected.frames)
        for group, frame in frames.items():
            assert frame == pytest.approx(expected.frames[group], abs=1e-6)
        assert [found["width"], found["height"]] == pytest.approx([expected.width, expected.height])


def overlaps(boxes: list[dict[str, Any]]) -> list[Any]:
    return [
        (a, b)
        for a, b in combinations(boxes, 2)
        if abs(a["x"] - b["x"]) < (a["w"] + b["w"]) / 2
        and abs(a["y"] - b["y"]) < (a["h"] + b["h"]) / 2
    ]


BOXES = "palingrad.scene().boxes.map(({x, y, w, h, role}) => ({x, y, w, h, role}))"
LINES = "palingrad.scene().lines.map(({from, to, points}) => ({from, to, points}))"


def test_an_optimizers_step_is_beside_both_passes_and_nothing_overlaps(graph_scope):
    page = graph_scope(training_step())
    assert page.js("palingrad.state.collapsed.has('update')")  # at first
    page.js("palingrad.set({collapsed: new Set()})")
    boxes = page.js(BOXES)
    step = [box["x"] for box in boxes if box["role"] == "update"]
    passes = [box["x"] for box in boxes if box["role"] != "update"]
    assert len(step) > 40
    assert max(passes) < min(step)
    assert overlaps(boxes) == []
    for line in page.js(LINES):
        (a, b), points = (boxes[line["from"]], boxes[line["to"]]), line["points"]
        assert abs(points[0] - a["x"]) <= a["w"] / 2
        assert abs(abs(points[1] - a["y"]) - a["h"] / 2) < 1e-6
        assert abs(points[-2] - b["x"]) <= b["w"] / 2
        assert abs(abs(points[-1] - b["y"]) - b["h"] / 2) < 1e-6


def test_everything_is_in_the_initial_view_and_key_0_shows_all_again(graph_scope):
    for graph in (training_step(), deep()):
        page = graph_scope(graph)
        corners = """() => { const s = palingrad.scene();
            return [palingrad.toScreen(0, 0), palingrad.toScreen(s.width, s.height)].flat(); }"""
        left, top, right, bottom = page.js(corners)
        stage = page.page.locator("#stage").bounding_box()
        assert left >= 0
        assert top >= 0
        assert right <= stage["width"]
        assert bottom <= stage["height"]
        page.js("Object.assign(palingrad.camera, {x: 1e4, y: 1e4, scale: 3})")
        page.page.keyboard.press("0")
        assert page.js(corners) == pytest.approx([left, top, right, bottom])


def test_each_variable_of_few_has_its_own_box_in_an_optimizers_step():
    """Numbers that all updates read, such as Adam's corrections, are in none of them."""
    with pg.Graph() as graph:
        x = pg.placeholder((4, 2), dtype=pg.float32, name="x")
        w, b = pg.Variable(np.ones(2, np.float32), name="w"), pg.Variable(0.5, name="b")
        pg.optim.Adam(0.1).minimize(pg.mean((x @ w + b - 3.0) ** 2))
    shown = picture(graph)
    found = Counter(hierarchy(shown, None).paths)
    assert found["update", "w ←"] == found["update", "b ←"] > 10
    own = {path for path in found if path[:1] == ("update",)}
    assert own == {("update",), ("update", "w ←"), ("update", "b ←")}
