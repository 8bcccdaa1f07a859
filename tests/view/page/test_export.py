"""The page's file: its size, its numbers, its formulas, and the errors of its export."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.dom.minidom import parseString

import numpy as np
import pytest
from typer.testing import CliRunner

import palingrad as pg
from chromium import OFFLINE
from palingrad.cli import app
from palingrad.errors import FeedError, GraphError
from palingrad.proof import shipped
from palingrad.proof.case import Case
from palingrad.view.page import Page, html, write
from palingrad.view.page.arrays import Budget, encoded, numbers
from palingrad.view.page.assemble import own_size
from palingrad.view.page.export import Export, Options
from palingrad.view.reading.mathematics.mathml import formula


def three_lines() -> Any:
    x = pg.Variable(2.0)
    y = pg.sin(x) * x
    return y


def data_of(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_page_without_data_is_under_500_kilobytes():
    assert own_size() < 500_000


def test_one_file_that_names_no_other():
    text = html(three_lines())
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert "@import" not in text
    assert "http" not in re.sub(r"https?://www\.w3\.org/\S*", "", text)


def test_the_same_graph_gives_the_same_bytes():
    y = three_lines()
    assert html(y) == html(y)


def test_view_returns_a_page_and_opens_no_browser_in_a_script(tmp_path, monkeypatch):
    graph_scope: list[str] = []
    monkeypatch.setattr("webbrowser.open", graph_scope.append)
    page = pg.view(three_lines(), tmp_path / "a.html")
    assert isinstance(page, Page)
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == page.text
    assert graph_scope == []
    pg.view(three_lines(), open=True)
    assert len(graph_scope) == 1
    assert graph_scope[0].startswith("file:")
    Path(graph_scope[0].removeprefix("file://")).unlink()
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    pg.view(three_lines())
    assert len(graph_scope) == 1  # a notebook shows it in its cell


def test_a_notebook_shows_it_inline(browser, tmp_path):
    page = pg.view(three_lines())
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><body>{page._repr_html_()}</body>", encoding="utf-8")
    context = browser.new_context(**OFFLINE)
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(path.as_uri())
    frame = tab.frame_locator("iframe")
    frame.locator("html[data-ready=yes]").wait_for(state="attached")
    frame.locator("#next").click()
    frame.locator("#tab-paths").click()
    assert frame.locator("#path-list .path").count() == 2
    assert complaints == []
    context.close()


def test_graphs_and_nodes_draw_the_page(tmp_path):
    with pg.Graph() as graph:
        x = pg.placeholder((), dtype=pg.float64, name="x")
        pg.square(x, name="y")
    graph.draw(str(tmp_path / "g.html"))
    data = data_of((tmp_path / "g.html").read_text(encoding="utf-8"))
    assert [node["n"] for node in data["nodes"]] == ["x", "y"]
    assert "v" not in data["nodes"][1]
    fed = data_of(html(graph, feeds={x: 3.0}))
    assert fed["nodes"][1]["v"] == {"f": [9.0]}
    assert fed["nodes"][0]["j"] == {"f": [6.0]}
    assert x.value is None  # looking changed nothing


def test_a_feed_that_does_not_fit_is_an_error():
    x = pg.placeholder((2,), dtype=pg.float64)
    with pytest.raises(FeedError, match="has shape"):
        html(x * 2.0, feeds={x: [1.0, 2.0, 3.0]})
    with pytest.raises(FeedError, match="only placeholders are fed"):
        html(x * 2.0, feeds={pg.Variable(1.0): 2.0})


def test_errors_say_what_was_expected():
    y = three_lines()
    with pytest.raises(GraphError, match="isn't a node of this graph"):
        html(y, of=pg.Variable(1.0))
    with pytest.raises(GraphError, match="no node 'nothing'"):
        html(y, overlay={"nothing": 1.0})
    with pytest.raises(GraphError, match="differ in structure, first at node 1"):
        html(y, compare=pg.Variable(1.0) * 3.0)
    with pytest.raises(GraphError, match="the graph is empty"):
        html(pg.Graph())
    with pytest.raises(GraphError, match="of=3 isn't a node of this graph"):
        html(y, of=3)
    with pytest.raises(FeedError, match="expected a dict of feeds, got 3"):
        html(y, feeds=3)
    with pytest.raises(GraphError, match=r"got Function .* f\.program"):
        html(pg.function(lambda x: x))
    with pytest.raises(GraphError, match="theme must be"):
        pg.view(y, theme="pink")  # pyright: ignore[reportArgumentType]


def test_a_name_cannot_break_out_of_its_place(graph_scope):
    x = pg.Variable(1.0, name="</script><img src=x onerror=alert(1)>")
    page = graph_scope(pg.multiply(x, x, name='"><b>'), title="<i>&")
    page.js("palingrad.choose({node: 0})")
    assert page.page.locator("#details img, #title i, #details b b").count() == 0
    assert page.text("#title") == "<i>&"


@pytest.mark.parametrize(
    "array",
    [
        np.array([1.5, np.nan, np.inf, -np.inf]),
        np.array([0.1, 1e-45, 3.4e38], np.float32),
        np.array([True, False]),
        np.array([2**53 - 1, -3]),
        np.zeros((0, 3)),
    ],
)
def test_numbers_survive_json(array):
    text = json.dumps(numbers(array), allow_nan=False)
    back = [
        float(x.replace("Infinity", "inf")) if isinstance(x, str) else x for x in json.loads(text)
    ]
    np.testing.assert_array_equal(np.array(back, array.dtype), array.ravel())


def test_a_summary_has_the_numbers_of_the_array():
    array = np.random.default_rng(0).normal(size=(100, 100))
    array[3, 4], array[5, 6], array[7] = np.nan, np.inf, 0
    found = encoded(array, Budget(10**9))
    finite = array[np.isfinite(array)]
    assert found["s"]["min"] == finite.min()
    assert found["s"]["mean"] == finite.mean()
    assert (found["s"]["nan"], found["s"]["inf"], found["s"]["zeros"]) == (1, 1, 100)
    assert sum(found["s"]["hist"]) == finite.size
    assert found["c"][:2] == [16, 16]


def test_every_formula_is_well_formed_and_has_its_operands():
    seen = 0
    for operation in shipped():
        for sample in operation.samples[:1]:
            case = Case(operation, sample)
            for node in case.outputs(*map(pg.tensor, case.arrays())):
                text = formula(node)
                parseString(f"<math>{text}</math>")
                assert "\\" not in text
                seen += "{0}" in text
    assert seen > 80


def test_formulas_read_as_they_are_written():
    x, y = pg.tensor([1.0, 2.0]), pg.tensor([3.0, 4.0])
    plain = {
        "<mfrac><mrow><mi>{0}</mi></mrow><mrow><mi>{1}</mi></mrow></mfrac>": x / y,
        "<msup><mi>{0}</mi><mrow><mi>{1}</mi></mrow></msup>": x**y,
        "<mi>{0}</mi><mo>+</mo><mi>{1}</mi>": x + y,
        "<msqrt><mrow><mi>{0}</mi></mrow></msqrt>": pg.sqrt(x),
        "<msub><mi>{0}</mi><mrow><mo>[</mo><mi>{1}</mi><mo>]</mo></mrow></msub>": pg.take(
            x, [1, 0], axis=0
        ),
        "<mi>{0}</mi><mo>⊙</mo><mi>{1}</mi>": x * y,
        "<mi>{0}</mi><mo>·</mo><mi>{1}</mi>": x * 2.0,
    }
    assert [formula(node) for node in plain.values()] == list(plain)


def test_nothing_is_assigned_and_no_consumer_is_left_behind():
    w = pg.Variable(2.0)
    y = w * w
    before = len(w.consumers)
    Export(y, Options(time=True)).data()
    assert len(w.consumers) == before
    assert w.grad is None
    assert float(w.numpy()) == 2.0


def test_write_returns_where_it_wrote(tmp_path):
    assert write(three_lines(), tmp_path / "p.html") == tmp_path / "p.html"


def test_the_command_line_writes_the_page_of_a_file_and_of_a_run(tmp_path):
    source = tmp_path / "mine.py"
    source.write_text("import palingrad as pg\nx = pg.Variable(2.0)\ny = pg.sin(x) * x\n")
    out = tmp_path / "mine.html"
    result = CliRunner().invoke(app, ["view", str(source), "--no-open", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert data_of(out.read_text(encoding="utf-8"))["nodes"][-1]["n"] == "y"
    run = tmp_path / "run"
    CliRunner().invoke(app, ["train", "digits", "--epochs", "1", "--out", str(run)])
    result = CliRunner().invoke(app, ["view", str(run), "--no-open", "--out", str(out)])
    assert result.exit_code == 0, result.output
    data = data_of(out.read_text(encoding="utf-8"))
    assert data["title"] == "digits mlp"
    assert any(node["n"] == "images" for node in data["nodes"])


def test_a_template_with_several_outputs_is_shown():
    with pg.Graph():
        one, other = pg.split(pg.placeholder((4,), dtype=np.float32), 2)
        product = one * other
    data = Export(product, Options()).data()
    assert {"split", "multiply"} <= {node["o"] for node in data["nodes"]}


def test_a_result_without_a_derivative_is_shown_with_a_note():
    class Stepped(pg.Elementwise):
        def f(m, x):
            return m.floor(x)

        def d(y, x):
            raise pg.errors.GradientError("stepped has no derivative")

    data = Export(Stepped(pg.Variable([1.5])), Options()).data()
    assert "stepped has no derivative" in data["notes"][0]


def test_several_complex_outputs_have_no_numbers_on_the_page():
    eigenvalues, _ = pg.linalg.eig(pg.Variable(np.array([[0.0, 1.0], [-1.0, 0.0]])))
    data = Export(eigenvalues, Options()).data()
    (pair,) = (node for node in data["nodes"] if node["o"] == "eig")
    assert "v" not in pair
