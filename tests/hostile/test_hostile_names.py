"""Whatever a name contains, each format escapes or shortens it: its text parses, nothing leaks out.

`CONTROLS` may stand in no text that palingrad makes; what it makes can be encoded as UTF-8.
"""

from __future__ import annotations

import ast
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import palingrad as pg
from hostile.names import NAMES
from palingrad.errors import CheckpointError, PalingradError
from palingrad.graph.context import name_scope
from palingrad.view.training.events import Events

CONTROLS = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
FEED = np.ones((2, 2))
LONG = 60_000  # characters of a text with a few names


@pytest.fixture(params=NAMES.values(), ids=NAMES.keys())
def name(request: Any) -> str:
    return request.param


@pytest.fixture
def graph(name: str) -> dict[str, Any]:
    """A graph in which everything has the name."""
    with pg.Graph() as graph, name_scope(name):
        w = pg.Variable(np.ones((2, 2)), name=name)
        x = pg.placeholder((2, 2), name=f"{name}x")
        y = pg.tanh(pg.matmul(w, x, name=f"{name}m"), name=f"{name}t")
        z = pg.sum(y, name=name)
    return {"graph": graph, "w": w, "x": x, "z": z}


def clean(text: str) -> str:
    """The text, checked."""
    found = CONTROLS.search(text)
    assert found is None, f"{found!r} in {text[max(found.start() - 40, 0) :][:80]!r}"
    assert len(text) < LONG
    return text


class Page(HTMLParser):
    """The tags of a page, and the texts of its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, Any]] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script":
            self.scripts.append(data)


def parsed(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    return page


# ---------------------------------------------------------------- drawings and the page


@pytest.mark.parametrize("nodes", ["operations", "values", "bipartite", "neurons"])
def test_an_svg_is_xml(graph, nodes):
    svg = pg.view.draw(graph["z"], nodes=nodes).svg()
    root = ElementTree.fromstring(clean(svg))
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "style", "rect", "g", "title", "text", "path"}
    assert float(root.attrib["width"]) < 4000


def test_every_format_is_written(graph, name, tmp_path: Path):
    forms = ["svg", "pdf", "dot", "mmd", "txt"]
    if name in (NAMES["surrogate"], NAMES["long"], NAMES["right to left"]):
        forms.append("png")  # the other names are letters as well
    for form in forms:
        file = tmp_path / f"graph.{form}"
        pg.view.draw(graph["z"], file)
        content = file.read_bytes()
        if form in ("dot", "mmd", "txt"):
            clean(content.decode())
        assert len(content) < 1_000_000


STRING = re.compile(r'"(?:[^"\\\n]|\\[\\n"])*"')


def test_dot_and_mermaid_consist_of_strings_and_known_words(graph, tmp_path: Path):
    for form in ("dot", "mmd"):
        pg.view.draw(graph["z"], tmp_path / f"graph.{form}")
    dot = STRING.sub("S", (tmp_path / "graph.dot").read_text())
    known = (
        r"[ {}\[\],=;>-]|\b(digraph|palingrad|graph|node|edge|subgraph|cluster_\d+_\d+|label|shape"
    )
    known += r"|style|rankdir|TB|fontname|fontsize|fontcolor|color|fillcolor|bgcolor|penwidth"
    known += r"|arrowsize|0\.7|\d+|S|n\d+|box|ellipse|dotted|dashed)\b"
    assert re.sub(known, "", dot).split() == []
    mermaid = (tmp_path / "graph.mmd").read_text()
    for string in re.findall(r'"([^"\n]*)"', mermaid):
        assert not re.search(r"[<>&`%\\]", string.replace("<br/>", ""))
        assert not re.search(r"#(?!\d+;)", string)
    mermaid = re.sub(r'"[^"\n]*"', "S", mermaid)
    colours = r"(?:,?(?:fill|stroke|color|stroke-width|stroke-dasharray):[#\w]+(?: \d)?)+"
    known = rf"(?:style s\d+|classDef c\d+|linkStyle [\d,]+) {colours}|class [n\d,]+ c\d+"
    known += r"|flowchart TD|subgraph s\d+\[S\]|\bend\b|n\d+|[(\[/]+S[)\]/]+|-->|\|\d+\|"
    assert re.sub(known, "", mermaid).split() == []


def test_a_text_has_a_line_for_each_node(graph):
    lines = pg.view.draw(graph["z"]).text().split("\n")
    assert len(clean("\n".join(lines)).split("\n")) == len(lines) == 5 + 1 + 1


def test_the_page_has_the_same_elements_whatever_the_name(graph, name, tmp_path: Path):
    given = {"title": name, "overlay": {name: {graph["w"]: 1.0}}}
    pg.view(graph["z"], tmp_path / "page.html", open=False, feeds={graph["x"]: FEED}, **given)
    text = (tmp_path / "page.html").read_text()
    plain = pg.view(pg.Variable(1.0, name="w") * 2.0, open=False).text
    page, other = parsed(text), parsed(plain)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in other.tags]
    data = next(json.loads(script) for script in page.scripts if script.startswith("{"))
    assert len(data["nodes"]) == 5
    assert "\0" not in text


# ---------------------------------------------------------------- mathematics and source


def test_latex_and_derivations_are_balanced(graph):
    clean(str(pg.latex(graph["z"])))
    derived = pg.derivation(graph["z"], graph["w"], feeds={graph["x"]: FEED})
    clean(str(derived))
    ElementTree.fromstring(clean(derived.html()))
    for step in derived.steps:
        bare = re.sub(r"\\[\\{}$&_%#]", "", step.latex)
        assert bare.count("{") == bare.count("}")
        assert not re.search(r"\$|\\(input|end\{(?!pmatrix))", bare)


def test_source_is_python_that_does_nothing_else(graph, tmp_path: Path):
    source = pg.source(graph["z"], {graph["x"]: FEED})
    tree = ast.parse(clean(str(source)))
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert [alias.name for node in imports for alias in node.names] == ["numpy"]
    source.save(tmp_path / "module.py")
    compile((tmp_path / "module.py").read_bytes(), "module.py", "exec")


def test_a_function_of_the_name_is_explained(name):
    def f(x):
        return pg.sum(x * 2.0)

    f.__name__ = f.__qualname__ = name
    traced = pg.function(f, engine="native")
    assert traced(np.ones(3)) == 6
    clean(repr(traced))
    clean(traced.explain(np.ones(3)))
    ast.parse(clean(str(pg.source(traced, np.ones(3)))))


def test_a_key_of_the_name_is_written_and_read(name):
    source = str(pg.source(lambda d: {name: d[name] * 2.0}, {name: np.ones(3)}))
    if name != NAMES["long"]:
        clean(source)
    space: dict[str, Any] = {}
    exec(source, space)
    assert list(space["function"](np.ones(3))) == [name]


def test_drawings_and_pages_of_other_names(name):
    x = pg.Variable(np.ones(2)) * 2.0
    pg.view(x, overlay={name: {x: 1.0}}, compare={name: {x: FEED[0]}}, open=False).text.encode()
    for mistake in (
        lambda: pg.view.draw(x, name),
        lambda: pg.view.draw(x, nodes=name),
        lambda: pg.view(x, of=name, open=False),
        lambda: pg.set_default_dtype(name),
        lambda: pg.data.load(name),
        lambda: pg.set_engine(name),
    ):
        with pytest.raises(PalingradError) as caught:
            mistake()
        assert len(clean(str(caught.value))) < 3000


# ---------------------------------------------------------------- messages


def test_messages_and_reprs_are_printable_and_short(graph, name):
    w, x, z = graph["w"], graph["x"], graph["z"]
    for text in (repr(w), str(z), w.label(), repr(graph["graph"])):
        assert len(clean(text)) < 400
    session = pg.Session(graph["graph"])
    wrong = pg.Variable(np.ones((3, 3)), name=name)
    for mistake in (
        lambda: session.run(z),
        lambda: session.run(z, {x: np.ones(3)}),
        lambda: session.run(z, {name: FEED}),
        lambda: graph["graph"][f"{name}?"],
        lambda: pg.matmul(w, wrong),
        lambda: pg.Session(pg.Graph()).run(z, {x: FEED}),
    ):
        with pytest.raises(PalingradError) as caught:
            mistake()
        assert len(clean(str(caught.value))) < 3000


# ---------------------------------------------------------------- files


def test_a_checkpoint_returns_the_name_or_refuses_it(graph, name, tmp_path: Path):
    if name == NAMES["surrogate"]:
        with pytest.raises(CheckpointError, match=r"'a\\ud800b\\udc00' can't be the name"):
            pg.io.save_checkpoint(tmp_path, {name: graph["w"]})
        return
    pg.io.save_checkpoint(tmp_path, {name: graph["w"]}, meta={name: name})
    checkpoint = pg.io.load_checkpoint(tmp_path)
    assert list(checkpoint.arrays) == [name]
    assert checkpoint.meta == {name: name}
    pg.io.restore({name: graph["w"]}, checkpoint)
    with pytest.raises(CheckpointError) as caught:
        pg.io.restore({f"{name}?": graph["w"]}, checkpoint)
    assert len(clean(str(caught.value))) < 3000


def test_a_tape_is_saved_searched_and_shown(name, tmp_path: Path):
    with pg.record() as tape:
        w = pg.Variable(2.0, name=name)
        pg.sigmoid(pg.multiply(w, 3.0, name=f"{name}z"), name=name).backward()
    tape.save(tmp_path / "tape")
    again = pg.load_tape(tmp_path / "tape")
    for moment in again.moments():
        clean(str(moment))
    if name.strip("/ ") and "/" not in name:
        assert again.value(f"{name}z") == 6
    again.view(tmp_path / "tape.html", open=False)


class Named(pg.nn.Module):
    """A module whose layer has the name."""

    def __init__(self, name: str) -> None:
        self.name = name
        setattr(self, name, pg.nn.Linear(2, 2))

    def forward(self, x: Any, *, training: bool = False) -> Any:
        return getattr(self, self.name)(x)


def test_a_training_is_recorded(name, tmp_path: Path):
    model = Named(name)
    clean(repr(model))
    pg.train.fit(
        model,
        (np.ones((4, 2), np.float32), np.zeros(4, int)),
        optimizer=pg.optim.GradientDescent(0.1),
        epochs=1,
        record=pg.view.Recording(tmp_path / "page.html", tensorboard=tmp_path / "events"),
        engine="numpy",
    )
    page = parsed((tmp_path / "page.html").read_text())
    assert [tag for tag, _ in page.tags].count("script") == 1
    events = Events(str(tmp_path / "events"))
    events.scalars({name: 1.0}, 1)
    events.close()
