"""How captions say things: powers, calls, assignments, branches, sums of rules, names."""

from __future__ import annotations

import numpy as np

import palingrad as pg

TEXTS = """() => [...Array(palingrad.schedule.steps.length).keys()].map((step) => {
  palingrad.set({step: step + 1});
  return document.querySelector("#story").innerText;
}).join("\\n")"""


def test_captions_are_written_as_mathematics(graph_scope):
    x = pg.Variable(np.array(-2.0), name="x")
    power = graph_scope(pg.add(x**4 * 1e-8, x**-3, name="y"), time=False).js(TEXTS)
    assert "= x⁻³ = (−2)⁻³ = −0.125" in power
    assert "· (10⁻⁸)" in power
    assert "pow(" not in power
    e = pg.Variable(np.arange(6.0).reshape(2, 3), name="E")
    half = pg.reshape(e, (3, 2)) * np.float64(0.3)
    rows = graph_scope(pg.add(pg.sum(half), pg.sum(e[0]) + pg.sum(e[1]), name="y"), time=False)
    texts = rows.js(TEXTS)
    assert "reshape_(3, 2)(E)" in texts
    assert "… + (𝟎₂ₓ₃[" in texts
    assert "∂0.3" not in texts  # no derivative by a number
    named = graph_scope(pg.multiply(x, 3.0, name="∂z"), time=False).js(TEXTS)
    assert "∂(∂z)/∂x = ∂(∂z)/∂∂z · 3" in named
    slope = pg.gradients(x**2, x)
    raw = graph_scope(slope, time=False, simplified=False).js(TEXTS)
    assert "bitwise_and(0, 0) = 0" in raw
    assert "ones_like(4) = 1" in raw
    branch = graph_scope(pg.cond(x > 0, lambda: x, lambda: x * x) * 2, time=False).js(TEXTS)
    assert "v₂: switch of v₁, x." in branch
    assert "switch[0]" not in branch


def test_an_assignment_names_its_variable_and_what_it_gets(graph_scope):
    with pg.Graph() as graph:
        v, w = (pg.Variable(np.array(number), name="m") for number in (1.0, 2.0))
        pg.optim.Adam(learning_rate=0.5).minimize(pg.add(v * v, w * w, name="loss"))
    texts = graph_scope(graph, time=False).js(TEXTS)
    found = [line.split(" ← ")[0] for line in texts.splitlines() if " ← v" in line]
    assert found == ["steps", "m", "mean", "square", "m_1", "mean′", "square′"]
    assert "← =" not in texts
