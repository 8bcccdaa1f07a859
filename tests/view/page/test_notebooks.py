"""Pages in notebooks: the frame and the still picture behind it; and pages of saved models."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from html import escape
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import palingrad as pg
from chromium import OFFLINE
from palingrad.cli import app
from palingrad.view.page.panes.spans import _shown_name
from palingrad.view.page.panes.still import still


def small() -> Any:
    x = pg.Variable(2.0)
    y = pg.sin(x) * x
    return y


def colours(png: bytes) -> int:
    return len(Image.open(io.BytesIO(png)).convert("RGB").getcolors(1 << 24) or [])


def alike(one: bytes, other: bytes) -> float:
    """The fraction of equal pixels."""
    a, b = (np.asarray(Image.open(io.BytesIO(x)).convert("RGB")) for x in (one, other))
    return float((a == b).all(axis=-1).mean())


def test_a_notebook_gets_html_a_png_and_text():
    bundle = pg.view(small())._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    picture = base64.b64decode(bundle["image/png"])
    assert colours(picture) > 10
    assert bundle["image/png"] in bundle["text/html"]  # also where frames are removed


def test_large_graphs_have_no_still_picture():
    x = pg.Variable(1.0)
    assert still(sum((pg.sin(x * float(k)) for k in range(500)), start=x)) is None


@pytest.mark.parametrize("what", ["nested", "stripped", "no scripts"])
def test_what_is_seen_where_frames_are_nested_removed_or_without_scripts(browser, tmp_path, what):
    shown = pg.view(small())._repr_html_()
    if what == "nested":  # as in Colab: the output is itself in a sandboxed frame
        inner = escape(f"<!doctype html><body>{shown}</body>")
        shown = f'<iframe sandbox="allow-scripts" srcdoc="{inner}" width="900" height="700">'
    elif what == "stripped":  # as on GitHub
        shown = re.sub(r"<iframe.*</iframe>", "", shown, flags=re.DOTALL)
    else:
        shown = shown.replace("allow-scripts allow-downloads", "")
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><body>{shown}</body>", encoding="utf-8")
    context = browser.new_context(**OFFLINE | {"viewport": {"width": 1000, "height": 760}})
    tab = context.new_page()
    tab.goto(path.as_uri())
    if what == "nested":
        frame = tab.frame_locator("iframe").frame_locator("iframe")
        frame.locator("html[data-ready=yes]").wait_for(state="attached")
        play = frame.locator("#play").bounding_box()
        assert play is not None
        assert play["y"] + play["height"] < 700  # the footer is in the frame
        frame.locator("#tree [role=treeitem]").first.wait_for(state="attached")
    else:
        tab.wait_for_function("document.querySelector('img').naturalWidth > 50")
        box = tab.locator("img").bounding_box()
        seen = tab.screenshot(clip=box)
        assert colours(seen) > 10
        tab.evaluate("document.querySelectorAll('iframe').forEach((frame) => frame.remove())")
        assert alike(seen, tab.screenshot(clip=box)) > 0.98  # the picture, and nothing over it
    context.close()


def test_a_cell_is_called_a_cell():
    assert _shown_name("/tmp/ipykernel_12/2716438566.py") == "notebook cell"
    assert _shown_name("/home/me/model.py") == "model.py"


def test_the_command_shows_a_saved_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    w = pg.Variable(np.eye(3, 2, dtype=np.float32), name="w")
    pg.io.save_model("model", lambda x: pg.softmax(x @ w), np.zeros((1, 3), np.float32))
    found = CliRunner().invoke(app, ["view", "model", "--no-open"])
    assert found.exit_code == 0, found.output
    text = (tmp_path / "model.html").read_text(encoding="utf-8")
    assert "The inputs are made up: standard normal numbers" in text
    assert '"o":"softmax"' in text
    assert '"sh":[4,2]' in text


def test_the_command_shows_the_feeds_of_the_last_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "step.py").write_text(STEP, encoding="utf-8")
    found = CliRunner().invoke(app, ["view", "step.py", "--no-open"])
    assert found.exit_code == 0, found.output
    text = (tmp_path / "step.html").read_text(encoding="utf-8")
    data = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    nodes = {node["n"]: node for node in json.loads(data[1])["nodes"]}
    assert nodes["x"]["v"] == {"f": [3.0]}
    assert nodes["w"]["v"]["f"] == [4.0]  # 10 − 1 − 2 − 3: the last update is done
    assert nodes["loss"]["v"] == {"f": [12.0]}
    assert nodes["w"]["j"] == {"f": [3.0]}
    assert "the feeds of the session's last run" in text


STEP = """
import palingrad as pg
with pg.Graph() as graph:
    x = pg.placeholder((), dtype=pg.float64, name="x")
    w = pg.Variable(10.0, dtype=pg.float64, name="w")
    loss = pg.multiply(w, x, name="loss")
    train = pg.optim.GradientDescent(1.0).minimize(loss)
session = pg.Session(graph)
for value in (1.0, 2.0, 3.0):
    session.run([loss, train], {x: value})
"""


def test_text_is_printed_where_the_terminal_lacks_its_signs(monkeypatch):
    a = pg.Variable([0.5, -1.0], name="θ→")
    y = pg.sum(pg.sigmoid(a) ** 2)
    y.backward()
    data = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(data, encoding="cp1252"))
    for one in (y.draw().text(), pg.derivation(y, a), pg.latex(y).text, a, y, pg.view(y)):
        print(one)
    sys.stdout.flush()
    said = data.getvalue().decode("cp1252")
    monkeypatch.undo()
    assert "theta->" in said
    assert "sigma(theta->)" in said
