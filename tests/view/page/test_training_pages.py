"""The report and the recording's page in a real browser: controls, keyboard, no console errors."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from playwright.sync_api import Browser

import palingrad as pg
from chromium import OFFLINE, Opened
from palingrad import cli, nn
from palingrad.train import fit
from palingrad.view.training.recording import Recording


@pytest.fixture(scope="module")
def steps_page(tmp_path_factory):
    """The page of a training of twelve steps."""
    rng = np.random.default_rng(1)
    data = rng.normal(size=(96, 8)).astype(np.float32), rng.integers(0, 3, 96)
    model = nn.Sequential(nn.Linear(8, 6, seed=1), pg.relu, nn.Linear(6, 3, seed=2))
    path = tmp_path_factory.mktemp("pages") / "steps.html"
    fit(model, data, optimizer=pg.optim.Adam(), epochs=2, batch_size=16, record=Recording(path))
    return path


def test_the_slider_goes_through_the_steps(steps_page, tab):
    page = Opened(tab, steps_page)
    assert page.text("#where").startswith("step 12 of 12 · epoch 2")
    bars = page.js("document.querySelector('.bars').innerHTML")
    tab.locator("#slider").focus()
    for _ in range(5):
        tab.keyboard.press("ArrowLeft")
    assert page.text("#where").startswith("step 7 of 12 · epoch 2")
    assert page.js("document.querySelector('.bars').innerHTML") != bars
    tab.locator("#back").click()
    assert page.text("#where").startswith("step 6 of 12 · epoch 1")
    tab.locator("#next").click()
    tab.locator("#next").click()
    assert page.text("#where").startswith("step 8 of 12")
    assert page.js("location.hash") == "#group=parameters&step=8"
    page.check()


def test_tabs_show_parameters_gradients_and_activations(steps_page, tab):
    page = Opened(tab, steps_page, "#group=gradients&step=3")
    assert page.text("#where").startswith("step 3 of 12")
    assert page.js("document.querySelectorAll('.track').length") == 4
    tab.locator("#tab-activations").click()
    names = [one.split()[0] for one in tab.locator(".track h2").all_inner_texts()]
    assert names == ["Linear_0", "relu", "Linear_2"]
    assert page.text("#where").startswith("step 3 of 12")
    page.check()


def test_clicks_on_the_loss_and_on_a_heat_map_select_that_step(steps_page, tab):
    page = Opened(tab, steps_page)
    box = tab.locator("#loss").bounding_box()
    tab.mouse.click(box["x"] + box["width"] * 0.04, box["y"] + 40)
    assert page.text("#where").startswith("step 1 of 12")
    box = tab.locator(".trail").first.bounding_box()
    tab.mouse.click(box["x"] + box["width"] * 0.96, box["y"] + 10)
    assert page.text("#where").startswith("step 12 of 12")
    page.check()


def test_play_goes_on_and_stops(steps_page, tab):
    page = Opened(tab, steps_page, "#step=10")
    tab.locator("#play").click()
    tab.wait_for_function("document.getElementById('where').textContent.startsWith('step 12')")
    tab.wait_for_function("document.getElementById('play').textContent === '▶'")
    page.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_of_palingrad_train(scheme, browser: Browser, tmp_path, monkeypatch):
    monkeypatch.setattr(
        sys, "argv", ["palingrad", "train", "digits", "--epochs", "2", "--out", str(tmp_path / "r")]
    )
    with pytest.raises(SystemExit):
        cli.main()
    context = browser.new_context(**OFFLINE, color_scheme=scheme)
    tab = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto((tmp_path / "r" / "report.html").as_uri())
    assert tab.locator(".chart").count() == 5
    assert tab.locator(".matrix td").count() == 100
    widths = tab.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    background = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(16, 20, 26)") == (scheme == "dark")
    tab.locator("iframe").scroll_into_view_if_needed()
    inside = tab.frame_locator("iframe")
    inside.locator("html[data-ready=yes]").wait_for(state="attached")
    inside.get_by_text("relu").first.click()
    assert inside.get_by_text("matmul").count() >= 3
    tab.set_viewport_size({"width": 420, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 420
    assert complaints == []
    assert all(url.startswith(("file:", "data:", "about:")) for url in requests)
    context.close()


def test_a_tape_is_a_page_with_a_slider_through_its_runs(tab, tmp_path):
    w = pg.Variable(3.0, name="w")
    with pg.record() as tape:
        for _ in range(5):
            loss = w * w
            loss.backward()
            w.assign(w - 0.1 * w.grad)
    path = tape.view(tmp_path / "tape.html", open=False).path
    page = Opened(tab, path)
    place = page.js("palingrad.nodes.findIndex((node) => node.n === 'loss')")
    value = f"palingrad.valueOf({place}).data[0]"
    total = "[...palingrad.nodes.keys()].filter((k) => palingrad.nodes[k].n === 'w')[0]"
    assert page.text("#run-name") == "run 4"
    assert page.js(value) == tape.history("loss")[4]
    tab.locator("#run-slider").focus()
    for run in (3, 2, 1, 0):
        tab.keyboard.press("ArrowLeft")
        assert page.text("#run-name") == f"run {run}"
        assert page.js(value) == tape.history("loss")[run]
        slope = page.js(f"palingrad.totalOf({total}).data[0]")
        assert slope == 2 * tape.history("w")[run]
    for _ in range(4):
        tab.keyboard.press("ArrowRight")
    assert page.text("#run-name") == "run 4"
    assert page.js(value) == tape.history("loss")[4]
    page.check()
