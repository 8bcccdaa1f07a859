"""palingrad lesson: from a file of Python code to a page and a sheet."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from palingrad.cli import app
from palingrad.errors import GraphError

CODE = """
import palingrad as pg

a, b = pg.Variable(2.0), pg.Variable(-3.0)
e = a * b
L = pg.sin(e)
both = [e, L]

with pg.Graph() as graph:
    x = pg.tensor(1.5, name="x")
    y = pg.square(x, name="y")

with pg.Graph() as two:
    u, v = pg.sin(x), pg.cos(x)
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.py"
    path.write_text(CODE)
    return path


def test_a_page_and_a_sheet_are_written(file: Path):
    asked = ["--ask", "∂L/∂a", "--ask", "dL/db", "--ask", "e"]
    done = CliRunner().invoke(app, ["lesson", "model.py:L", *asked, "--sheet", "model.pdf"])
    assert done.exit_code == 0, done.output
    page, sheet = done.output.split("\n")[:2]
    assert page.startswith("L.html  ")
    assert sheet == "model.pdf"
    assert (file.parent / "L.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (file.parent / "model.pdf").read_bytes().startswith(b"%PDF-1.7")


def test_a_graph_has_one_result_or_its_name_is_asked_for(file: Path):
    done = CliRunner().invoke(
        app, ["lesson", "model.py:graph", "--ask", "∂y/∂x", "--out", "y.html"]
    )
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(app, ["lesson", "model.py:two", "--ask", "∂u/∂x"])
    assert isinstance(done.exception, GraphError)
    assert "the graph has 2 results: sin, cos. Name the loss" in str(done.exception)
    done = CliRunner().invoke(app, ["lesson", "model.py:both", "--ask", "∂L/∂a"])
    assert "the loss is a node, got list" in str(done.exception)


def test_without_a_question_there_is_no_lesson(file: Path):
    assert CliRunner().invoke(app, ["lesson", "model.py:L"]).exit_code == 2
