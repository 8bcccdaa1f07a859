"""Drawings of loops and branches: each region is a frame that holds its body."""

from __future__ import annotations

import re

import numpy as np
import pytest

import palingrad as pg
from palingrad.view.drawing.model import OPENED, picture
from palingrad.view.drawing.opened import frame_title
from palingrad.view.drawings import draw


def nested():
    """A scan whose body has a branch, and a while loop of its result."""
    with pg.Graph():
        h = pg.placeholder((3,), dtype="float64", name="h")
        xs = pg.placeholder((5, 3), dtype="float64", name="xs")

        def step(h, x):
            z = h * x
            return pg.cond(pg.sum(z) > 0, lambda: pg.tanh(z), lambda: z), None

        last, _ = pg.scan(step, h, xs)
        return pg.while_loop(lambda v: v < 100, lambda v: 2 * v, pg.sum(last), max_steps=5)


def frames(found):
    return {tuple(map(frame_title, item.scope)) for item in found.items}


def test_a_region_is_a_frame_inside_its_own():
    found = picture(nested(), regions=True)
    loop = "loop, 5 steps"
    expected = {(), (loop,), (loop, "if true"), (loop, "if false")}
    assert frames(found) == expected | {("condition",), ("while, at most 5 steps",)}
    by_label = {item.label: item for item in found.items}
    assert by_label["xs[t]"].kind == "placeholder"
    labels = {item.key: item.label for item in found.items}
    edges = {(labels[link.source], labels[link.target]) for link in found.links}
    assert {("xs", "xs[t]"), ("h", "h"), ("greater", "switch"), ("tanh", "switch")} <= edges
    assert ("xs", "loop") not in edges  # it enters by the body


def test_links_lead_from_earlier_items_to_later_ones():
    def loss(h, xs):
        return pg.sum(pg.scan(lambda h, x: (pg.tanh(h * x), h), h, xs)[0])

    program = pg.function(pg.grad(loss)).program(np.ones(3), np.ones((5, 3)))
    for what in (nested(), program):
        found = picture(what, regions=True)
        place = {item.key: number for number, item in enumerate(found.items)}
        assert len(place) == len(found.items)
        assert all(place[link.source] < place[link.target] for link in found.links)
    assert ("loop, 5 steps, last first",) in frames(found)


def test_two_loops_of_one_title_have_two_frames():
    x = pg.Variable(np.ones(2))
    a, b = (pg.fori_loop(0, 3, lambda i, v: v * 2, x) for _ in range(2))
    scopes = {item.scope for item in picture(a + b, regions=True).items} - {()}
    assert len(scopes) == 2
    assert frames(picture(a + b, regions=True)) == {(), ("loop, 3 steps",)}


def test_large_pictures_keep_them_closed():
    def body(i, v):
        for _ in range(OPENED):
            v = pg.sin(v)
        return v

    y = pg.fori_loop(0, 3, body, pg.Variable(np.ones(2)))
    assert frames(picture(y, regions=None)) == {()}
    assert frames(picture(y, regions=True)) == {(), ("loop, 3 steps",)}
    assert frames(picture(nested(), regions=False)) == {()}


@pytest.mark.parametrize("nodes", ["operations", "values", "bipartite"])
@pytest.mark.parametrize("backward", ["beside", "below"])
def test_every_format_has_the_frames(tmp_path, nodes, backward):
    drawing = draw(nested(), nodes=nodes, backward=backward)
    for ending in ("svg", "png", "pdf", "dot", "mmd", "txt"):
        drawing.save(tmp_path / f"graph.{ending}")
    for ending in ("svg", "dot", "mmd", "txt"):
        text = (tmp_path / f"graph.{ending}").read_text()
        assert "\0" not in text
        text = re.sub(r"<[^>]*>", "", text) if ending == "svg" else text
        for title in ("loop, 5 steps", "if true", "if false", "while, at most 5 steps"):
            assert title in text, ending


def test_a_template_of_unknown_length():
    with pg.Graph():
        xs = pg.placeholder()
        y = pg.scan(lambda c, x: (c + x, c), 0.0, xs)[0]
    assert frames(picture(y, regions=True)) == {(), ("loop, ? steps",)}
    assert draw(y).svg()


def test_text_indents_what_a_loop_holds():
    text = draw(nested()).text()
    assert re.search(r"^# loop, 5 steps$", text, re.MULTILINE)
    assert re.search(r"^    xs\[t\] +=", text, re.MULTILINE)
    assert re.search(r"^    # if true$", text, re.MULTILINE)
    assert re.search(r"^        tanh +=", text, re.MULTILINE)
