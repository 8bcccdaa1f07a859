"""The positions of the page's cards, and its initial view."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

import palingrad as pg
from palingrad.view.drawing.model import picture
from palingrad.view.page.placing import HEIGHT, placed


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


def test_an_optimizers_step_is_beside_both_passes_and_nothing_overlaps():
    shown = picture(training_step())
    drawn = placed(shown, {item.key: (120.0, HEIGHT) for item in shown.items})
    roles = {item.key: item.role for item in shown.items}
    step = [drawn.positions[key][0] for key in roles if roles[key] == "update"]
    passes = [drawn.positions[key][0] for key in roles if roles[key] != "update"]
    assert max(passes) < min(step)
    assert drawn.width < 3 * drawn.height
    for (a, b), (c, d) in combinations(drawn.positions.values(), 2):
        assert abs(a - c) > 120 or abs(b - d) > HEIGHT
    for link, path in zip(shown.links, drawn.paths, strict=True):
        (x, y), (u, v) = drawn.positions[link.source], drawn.positions[link.target]
        assert abs(path[0][0] - x) < 60
        assert abs(abs(path[0][1] - y) - HEIGHT / 2) < 1e-6
        assert abs(path[-1][0] - u) < 62
        assert abs(abs(path[-1][1] - v) - HEIGHT / 2) < 1e-6


def test_the_initial_view_is_legible(graph_scope):
    for graph in (training_step(), deep()):
        page = graph_scope(graph)
        assert page.js("palingrad.camera.scale") >= 0.35
        first = page.js("(({x, y}) => palingrad.toScreen(x, y))(palingrad.boxFor(0))")
        assert 0 < first[1] < 900
        page.page.keyboard.press("0")  # all of it
        assert page.js("palingrad.camera.scale") < 0.35
