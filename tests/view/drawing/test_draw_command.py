"""palingrad draw: from a file of Python code to a picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from palingrad.cli import app
from palingrad.errors import GraphError, WriteError
from palingrad.view.script import graph_in

CODE = """
import palingrad as pg

with pg.Graph() as graph:
    x = pg.placeholder(name="x")
    y = pg.square(x)

a = pg.Variable(2.0)
b = pg.sin(a)

def build():
    return a * b

if __name__ == "__main__":
    raise SystemExit("the main guard was entered")
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.py"
    path.write_text(CODE)
    return path


@pytest.mark.parametrize(
    ("what", "title", "shown"),
    [
        ("model.py", "model", "square(x)"),
        ("model.py:b", "b", "sin(a)"),
        ("model.py:build", "build", "×"),
    ],
)
def test_a_graph_a_node_or_a_function_is_drawn(file: Path, what: str, title: str, shown: str):
    done = CliRunner().invoke(app, ["draw", what])
    assert done.exit_code == 0, done.output
    assert done.output.strip() == f"{title}.svg"
    assert f">{shown}</text>" in (file.parent / f"{title}.svg").read_text()


def test_options_reach_the_picture(file: Path):
    out = file.parent / "out.txt"
    assert CliRunner().invoke(app, ["draw", "model.py:b", "--out", str(out)]).exit_code == 0
    assert out.read_text().splitlines()[-1].split()[:3] == ["b", "=", "sin(a)"]
    args = ["draw", "model.py", "--nodes", "values", "--style", "dark", "--right", "--no-fold"]
    assert CliRunner().invoke(app, args).exit_code == 0
    assert "#12171c" in (file.parent / "model.svg").read_text()


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("nowhere.py", "there is no file 'nowhere.py'"),
        ("model.py:z", "has no 'z'; it has .*graph, x, y, a, b, build"),
        ("empty.py", "no graph and no node at its top level; assign one to a variable"),
        ("fails.py", r"fails.py:2 stopped with ZeroDivisionError: .*`python fails.py`"),
        ("syntax.py", r"syntax.py:1 stopped with SyntaxError"),
    ],
)
def test_what_is_not_there_is_said(file: Path, what: str, message: str):
    (file.parent / "empty.py").write_text("n = 3\n")
    (file.parent / "fails.py").write_text("n = 0\n1 / n\n")
    (file.parent / "syntax.py").write_text("def (\n")
    with pytest.raises(GraphError, match=message):
        graph_in(what)


@pytest.mark.parametrize("command", [["draw"], ["view", "--no-open"]])
def test_a_file_that_cannot_be_written_is_one_line(file: Path, command: list[str]):
    done = CliRunner().invoke(app, [*command, "model.py:b", "--out", "nowhere/b.html"])
    assert isinstance(done.exception, WriteError)
    assert str(done.exception) == (
        "nowhere/b.html can't be written: No such file or directory. "
        "Create the folder first, or choose another path."
    )
