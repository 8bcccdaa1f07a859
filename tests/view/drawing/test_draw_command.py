"""palingrad draw: from a file of Python code to a picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from palingrad.cli import app
from palingrad.errors import GraphError, WriteError
from palingrad.view.drawing.model import picture
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


SCRIPTS = {
    "the last result, not a variable of a loop": (
        """
W, b = pg.Variable(2.0), pg.Variable(1.0)
loss = pg.square(W * 3.0 + b)
loss.backward()
for v in (W, b):
    v.assign(v - 0.5 * v.grad)
""",
        "loss",
    ),
    "what was computed last, wherever its name was first bound": (
        """
loss = pg.tensor(0.0)
w = pg.Variable(2.0)
for step in range(2):
    prediction = w * 3.0
    loss = pg.square(prediction)
""",
        "loss",
    ),
    "a result of a loop before a leaf": (
        """
x = pg.Variable(1.0)
for _, y in enumerate([pg.sin(x), pg.cos(x)]):
    pass
""",
        "y",
    ),
    "a leaf that is there before one that a loop holds": (
        """
x = pg.Variable(1.0)
for y in [pg.Variable(2.0)]:
    pass
""",
        "x",
    ),
    "a result of a function has its variable's name": (
        """
def made(x):
    return pg.sin(x) + 1
out = made(pg.Variable(1.0))
""",
        "out",
    ),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_file_shows_the_graph_that_ends_in_its_last_result(name: str, tmp_path: Path):
    text, expected = SCRIPTS[name]
    (tmp_path / "script.py").write_text(f"import palingrad as pg\n{text}")
    items = picture(graph_in(str(tmp_path / "script.py"))[1]).items  # a local name would be shown
    assert items[-1].label == expected
