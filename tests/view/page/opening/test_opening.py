"""The first seconds of a page: it plays once, unless asked not to, and ends as if it hadn't."""

from __future__ import annotations

from typing import Any

import pytest

import palingrad as pg

MOVING = {"reduced_motion": "no-preference"}


def neuron() -> Any:
    a, x = pg.Variable(2.0), pg.tensor(3.0)
    return pg.tanh(a * x)


STATE = """() => ({
  step: palingrad.state.step, story: document.querySelector("#story").textContent,
  phase: document.querySelector("#phase").textContent, camera: {...palingrad.camera},
  hash: location.hash, lit: palingrad.litEntries().size,
  play: document.querySelector("#play").textContent,
})"""


def test_the_page_plays_once_and_ends_as_the_page_that_stays_still(graph_scope):
    y = neuron()
    still = graph_scope(y, address="?still", context=MOVING)
    assert not still.js("palingrad.opening.on")
    page = graph_scope(y, context=MOVING, stopped=True)
    assert page.js("[palingrad.state.step, palingrad.opening.on]") == [0, True]
    assert page.text("#phase") == "start"
    page.page.clock.resume()
    page.page.locator("#speed").select_option("10")
    page.page.wait_for_function("palingrad.state.step === 3")
    assert page.js("location.hash") == ""  # a reload plays again
    page.page.wait_for_function("palingrad.state.step === palingrad.schedule.steps.length")
    page.page.wait_for_function("document.querySelector('#play').textContent === '▶'")
    assert page.js(STATE) == still.js(STATE)


def test_the_opening_is_off_where_motion_is_reduced_or_a_step_is_asked_for(graph_scope):
    y = neuron()
    end = "palingrad.state.step === palingrad.schedule.steps.length"
    assert graph_scope(y).js(end)
    page = graph_scope(y, address="#step=2", context=MOVING)
    assert page.js("[palingrad.state.step, palingrad.opening.on]") == [2, False]


def test_a_long_timeline_doesnt_play_by_itself(graph_scope):
    y: Any = pg.Variable(0.5)
    for _ in range(31):
        y = pg.sin(y)
    page = graph_scope(y, context=MOVING, time=False)
    steps = page.js("palingrad.schedule.steps.length")
    assert steps == 64
    assert page.js("[palingrad.state.step, palingrad.opening.on]") == [steps, False]


@pytest.mark.parametrize("key", ["Escape", "d"])
def test_a_key_ends_the_opening_at_once(graph_scope, key):
    page = graph_scope(neuron(), context=MOVING)
    page.page.keyboard.press(key)
    assert page.js("[palingrad.state.step, palingrad.opening.on]") == [6, False]
    assert page.page.locator("#play").get_attribute("aria-label") == "Play"


def test_the_timelines_own_keys_take_over(graph_scope):
    page = graph_scope(neuron(), context=MOVING, stopped=True)
    page.page.keyboard.press(".")
    assert page.js("[palingrad.state.step, palingrad.opening.on]") == [1, False]


def test_what_the_colours_mean_is_said_until_it_is_closed(graph_scope):
    y = neuron()
    page = graph_scope(y, address="?still", context=MOVING)
    assert page.text("#colours").startswith("Blue: values, computed forward. Orange: derivatives")
    page.page.locator("#colours-close").click()
    assert not page.page.locator("#colours").is_visible()
    page.page.reload()
    page.page.wait_for_selector("html[data-ready=yes]", state="attached")
    assert not page.page.locator("#colours").is_visible()


def test_numbers_roll_along_the_edges_forward_and_back(graph_scope):
    """What the drawing writes while a step's numbers move: the operands, then the contribution."""
    page = graph_scope(neuron(), address="#step=0", context=MOVING)
    assert set(page.js(ROLLING, "forward")) == {"2", "3"}
    page.js("palingrad.set({step: 3})")
    assert page.js(ROLLING, "backward") == ["2.46e−5"]


ROLLING = """() => {
  document.querySelector("#next").click();
  const g = document.querySelector("#canvas").getContext("2d");
  const fill = g.fillText, texts = [];
  g.fillText = function (text, ...a) {
    if (/600 \\d+(\\.\\d+)?px/.test(this.font) && this.textAlign === "center") texts.push(text);
    return fill.call(this, text, ...a);
  };
  palingrad.paint();
  g.fillText = fill;
  return texts;
}"""
