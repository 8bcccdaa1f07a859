"""The page to try a model, in a browser: a drawing, a prompt, JSON, a row of a table."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
import uvicorn

import palingrad as pg
from chromium import launched
from palingrad.io.model import Argument
from palingrad.serving.app import application
from palingrad.serving.services import Arrays, Calls, Option

F32 = np.dtype(np.float32)


@contextmanager
def _served(service):
    """The address of a server in a thread."""
    app = application(service, body_limit=10**6, seconds=10.0)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@contextmanager
def _opened(browser, service):
    """The page of a service; nothing that it asks for comes from elsewhere, nothing is complained
    of."""
    complaints, asked = [], []
    with _served(service) as address:
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.wait_for_selector("#what:not(:empty)")
        yield page
        page.close()
    assert all(url.startswith(address) for url in asked)
    assert [one for one in complaints if "422" not in one and "favicon" not in one] == []


@pytest.mark.parametrize("shape", [(784,), (3, 28, 28)])
def test_a_drawing_is_centred_and_classified(browser, shape):
    seen = []

    def run(inputs):
        seen.append(inputs[0][-1].reshape(-1, 28, 28)[0])
        return {"probabilities": np.tile(np.float32([0.25, 0.75]), (len(inputs[0]), 1))}

    facts = {"kind": "image", "image": [len(shape), 28, 28]}
    service = Arrays(run, [Argument("x", (None, *shape), F32)], [], facts=facts,
                     classes=["<b>zero</b>", "one"])  # fmt: skip
    with _opened(browser, service) as page:
        box = page.locator("canvas").bounding_box()
        page.mouse.move(box["x"] + 40, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 40, box["y"] + 160, steps=5)
        page.mouse.up()
        page.wait_for_selector("meter")
        told = page.locator("#result").inner_text().split("\n")
        assert [one.strip() for one in told] == ["one 75.0 %", "<b>zero</b> 25.0 %"]
        page.get_by_text("Clear").click()
        assert page.locator("meter").count() == 0
    drawn = seen[-1]
    rows, columns = np.nonzero(drawn > 0.5)
    assert 18 <= np.ptp(rows) + 1 <= 21  # the box has 20 of 28 pixels
    assert abs(rows.mean() - 13.5) < 1
    assert abs(columns.mean() - 13.5) < 1
    assert drawn.max() > 0.95


def test_a_prompt_is_continued(browser):
    options = {
        "prompt": Option("string", ""),
        "count": Option("integer", 200, 1, 100_000),
        "temperature": Option("number", 0.8, 0, 100),
        "top_k": Option("integer", None, 1, 1000),
        "seed": Option("integer", 0, 0, 1000),
    }

    def generate(given):
        return {"prompt": given["prompt"], "text": f" <i>{given['count']}"}

    service = Calls("text", {}, options, generate)
    with _opened(browser, service) as page:
        page.locator("textarea").fill("once")
        page.get_by_text("Continue").click()
        page.wait_for_selector("pre")
        assert page.locator("pre").inner_text() == "once <i>200"
        page.get_by_label("seed").fill("-1")
        page.get_by_text("Continue").click()
        page.wait_for_selector("#fault:not(:empty)")
        assert "seed is -1, expected 0 to 1000" in page.locator("#fault").inner_text()


def test_arrays_and_rows_are_sent(browser):
    model = pg.function(lambda x: x + 1)
    service = Arrays(lambda inputs: {"y": model(*inputs)}, [Argument("x", (None, 2), F32)], [])
    with _opened(browser, service) as page:
        assert page.locator("textarea").input_value() == '{"x":[[0,0]]}'
        page.get_by_role("button", name="Predict").click()
        page.wait_for_selector("pre")
        assert json.loads(page.locator("pre").inner_text()) == {"y": [[1, 1]]}
    service = Calls("rows", {"columns": {"age": "number", "city": "category"}, "target": "y"},
                    {"rows": {"type": "array"}}, lambda given: {"rows": given["rows"]})  # fmt: skip
    with _opened(browser, service) as page:
        page.get_by_label("age").fill("30")
        page.get_by_label("city").fill("Oslo")
        page.get_by_role("button", name="Predict").click()
        page.wait_for_selector("pre")
        assert '"city": "Oslo"' in page.locator("pre").inner_text()
