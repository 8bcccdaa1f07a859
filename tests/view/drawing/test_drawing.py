"""Drawings: every format, every convention, true to the graph, the same bytes each time."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import palingrad as pg
from palingrad.errors import GraphError
from palingrad.view.drawing.conventions import BACKWARD, UPDATE, scene_of
from palingrad.view.drawing.facts import slopes
from palingrad.view.drawing.model import picture
from palingrad.view.drawing.style import PALETTES
from palingrad.view.drawing.typeface import typeface, width
from palingrad.view.drawings import INLINE, draw


def affine() -> pg.Graph:
    with pg.Graph() as graph:
        A = pg.Variable([[1, 0], [0, -1]])
        b = pg.Variable([1, 1])
        x = pg.placeholder((2,), dtype=pg.int64)
        y = A @ x
        z = y + b
    assert z in graph
    return graph


def trained() -> pg.Graph:
    """A graph with all three parts, a template and a scope."""
    with pg.Graph() as graph:
        x = pg.placeholder((4, 3), dtype=pg.float32)
        with pg.name_scope("layer"):
            w = pg.Variable(np.ones((3, 2), np.float32))
            h = pg.tanh(x @ w)
        loss = pg.sum(h * h)
        step = pg.optim.Adam(0.1).minimize(loss)
    assert step is not None
    return graph


# ---------------------------------------------------------------- what is shown


def test_a_picture_has_every_node_once_and_every_edge():
    x = pg.tensor([1.0])
    y = x + x
    z = y - x
    shown = picture(z)
    assert [item.key for item in shown.items] == ["n0", "n1", "n2"]
    edges = [(link.source, link.target, link.position) for link in shown.links]
    assert edges == [("n0", "n1", 0), ("n0", "n1", 1), ("n1", "n2", 0), ("n0", "n2", 1)]


def test_forward_backward_and_update_are_distinguished():
    shown = picture(trained())
    roles = {role: [i for i in shown.items if i.role == role] for role in
             ("forward", "backward", "update")}  # fmt: skip
    assert [item.label for item in roles["forward"]] == [
        "x",
        "w",
        "matmul",
        "h",
        "multiply",
        "loss",
    ]
    assert all(item.kind in ("operation", "constant") for item in roles["backward"])
    assert {"w ←", "steps ←"} <= {item.label for item in roles["update"]}
    scene = scene_of(shown)
    groups = {box.role: box.group[:1] for box in scene.boxes if not box.group[:1] == ("layer",)}
    assert groups == {"forward": (), "backward": (BACKWARD,), "update": (UPDATE,)}
    forms = {box.form for box in scene.boxes if box.role == "update"}
    assert "cut" in forms  # by shape, not by colour alone


def test_a_program_is_drawn_with_what_it_assigns():
    w = pg.Variable([1.0, 2.0])
    sgd = pg.optim.GradientDescent(0.1)

    @pg.function
    def step(x):
        loss = pg.sum((w * x) ** 2)
        sgd.minimize(loss)
        return loss

    shown = picture(step.program(np.ones(2, np.float32)))
    assert {item.label for item in shown.items if item.key.startswith("u")} == {"w ←", "steps ←"}


def test_what_can_not_be_drawn_is_refused():
    with pytest.raises(GraphError, match=r"a list of nodes, a Graph or a Program, got int"):
        draw(3)
    with pytest.raises(GraphError, match="nodes is one of 'operations'"):
        draw(affine(), nodes="ops")  # pyright: ignore[reportArgumentType]


# ---------------------------------------------------------------- formats


@pytest.mark.parametrize("nodes", ["operations", "values", "bipartite"])
@pytest.mark.parametrize("direction", ["down", "right"])
@pytest.mark.parametrize("style", ["auto", "light", "dark", "print"])
def test_svg_is_well_formed_complete_and_the_same_each_time(nodes, direction, style):
    graph = trained()
    one = draw(graph, nodes=nodes, direction=direction, style=style).svg()
    assert one == draw(graph, nodes=nodes, direction=direction, style=style).svg()
    root = ElementTree.fromstring(one)
    keys = {element.get("id") for element in root.iter() if element.get("id")}
    assert {item.key for item in picture(graph, simplify=True).items} <= keys
    assert "http" not in one.replace("http://www.w3.org/2000/svg", "")
    tones = set(re.findall(r"var\(--([a-z-]+)\)", one))
    assert tones <= set(PALETTES["light"])


def test_same_graph_same_bytes_in_another_process(tmp_path: Path):
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_drawing as t;" \
           "print(t.draw(t.trained()).svg(), end='')"  # fmt: skip
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    runs = [subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2)]
    assert runs[0] == runs[1] == draw(trained()).svg().encode()


def test_png_shows_the_tones_of_its_style(tmp_path: Path):
    path = tmp_path / "g.png"
    affine().draw(path, style="light")
    image = Image.open(io.BytesIO(path.read_bytes())).convert("RGB")
    colours = {colour for _, colour in image.getcolors(2**24) or []}
    for tone in ("paper", "operation", "variable-fill", "placeholder-fill"):
        value = PALETTES["light"][tone]
        assert tuple(int(value[at : at + 2], 16) for at in (1, 3, 5)) in colours
    affine().draw(tmp_path / "dark.png", style="dark")
    assert Image.open(tmp_path / "dark.png").convert("RGB").getpixel((0, 0)) == (0x12, 0x17, 0x1C)


def test_pdf_is_one_page_whose_text_is_text(tmp_path: Path):
    path = tmp_path / "g.pdf"
    affine().draw(path)
    data = path.read_bytes()
    assert data.startswith(b"%PDF-1.7")
    start = int(data.split(b"startxref\n")[1].split()[0])
    assert data[start : start + 4] == b"xref"
    places = [int(row[:10]) for row in data[start:].splitlines()[3:] if row.endswith(b" n ")]
    assert all(data[at:].startswith(b"%d 0 obj" % (n + 1)) for n, at in enumerate(places))
    streams = re.findall(rb"FlateDecode[^>]*>>stream\n(.*?)\nendstream", data, re.DOTALL)
    texts = [zlib.decompress(one) for one in streams]
    glyphs = "".join(f"{typeface('sans').glyph(c):04X}" for c in "A @ x")
    assert glyphs.encode() in texts[0]
    assert any(b"beginbfchar" in text and b"<0040>" in text for text in texts)


def test_dot_and_mermaid_have_every_node_and_edge(tmp_path: Path):
    graph = trained()
    shown = picture(graph, simplify=True)
    graph.draw(tmp_path / "g.dot")
    graph.draw(tmp_path / "g.mmd")
    dot, mermaid = (tmp_path / "g.dot").read_text(), (tmp_path / "g.mmd").read_text()
    assert dot.count(" -> ") == len(shown.links)
    assert dot.count("{") == dot.count("}")
    assert 'label="layer"' in dot
    assert len(re.findall(r"--?>|-\.->", mermaid)) == len(shown.links)
    assert mermaid.count("subgraph") == mermaid.count("\n  end") == 4
    assert all(re.search(rf"^  {item.key}\W", text, re.M) for item in shown.items
               for text in (dot, mermaid))  # fmt: skip


def test_text_reads_like_the_program():
    a, b = pg.Variable(2.0), pg.Variable(-1.0)
    c = a * 3.0
    d = c - b
    d.backward()
    lines = [line.split() for line in draw(d).text().splitlines()]
    assert lines[0] == ["#", "forward"]
    assert lines[3] == ["c", "=", "a", "×", "3", "()", "6", "∂", "1"]
    assert lines[5] == ["d", "=", "c", "−", "b", "()", "7", "∂", "1"]


def test_an_unknown_suffix_lists_the_supported_ones(tmp_path: Path):
    with pytest.raises(GraphError, match=r"'g.gif' ends in '.gif'.*\.svg, \.png, \.pdf, \.html"):
        affine().draw(tmp_path / "g.gif")


def test_html_is_the_page(tmp_path: Path):
    affine().draw(tmp_path / "g.html")
    assert (tmp_path / "g.html").read_text().lstrip().lower().startswith("<!doctype html>")


# ---------------------------------------------------------------- true to the graph


def texts(what: object, **options: object) -> list[str]:
    root = ElementTree.fromstring(draw(what, **options).svg())  # pyright: ignore[reportArgumentType]
    return [element.text or "" for element in root.iter() if element.tag.endswith("text")]


def test_operands_are_numbered_where_their_order_counts():
    x, y = pg.tensor(5.0), pg.tensor(3.0)
    assert {"1", "2"} <= set(texts(x - y, values=False))
    assert not {"1", "2"} & set(texts(x + y, values=False))


def test_duplicate_edges_are_two_lines():
    x = pg.tensor(5.0)
    y = x + x
    assert draw(y, style="light").svg().count('class="f-line"') == 2  # arrow heads


def test_a_variable_used_twice_is_marked():
    w = pg.Variable(2.0)
    x = pg.tensor(1.0)
    assert "2×" in texts(pg.sin(w * x) * w)
    assert "2×" not in texts(w * x)


def test_values_gradients_and_local_derivatives_are_shown_when_known():
    a, x = pg.Variable(2.0), pg.tensor(3.0)
    c = a * x
    d = pg.square(c)
    assert "∂ 36" not in texts(d)
    d.backward()
    found = texts(d)
    assert {"6", "36", "∂ 12", "∂ 36", "∂ 24", "× 12", "× 3", "× 2"} <= set(found)
    assert slopes(c) == [3.0, 2.0]
    assert slopes(d) == [12.0]
    assert not {"6", "36"} & set(texts(d, values=False))


def test_no_derivative_by_a_number_in_an_expression_is_shown():
    e = pg.Variable(-7.0)
    f = e**2  # its derivative by the exponent would be NaN
    f.backward()
    assert slopes(f) == [-14.0, None]
    assert not any("nan" in text.lower() for text in texts(f))
    assert "× −14" in texts(f)


def test_jacobians_that_a_graph_keeps_are_shown():
    with pg.Graph() as graph:
        u = pg.Variable(2.0)
        v = u * 3.0
        w = pg.square(v)
    graph.jacobians(w)
    assert {"∂ 36", "∂ 12", "∂ 1"} <= set(texts(graph))


def test_shapes_are_written_beside_edges():
    assert "(2, 2)" in texts(affine())
    assert "(2, 2)" not in texts(affine(), shapes=False)


def test_the_backward_pass_runs_up_beside_the_forward_pass():
    with pg.Graph():
        x = pg.placeholder((2,), dtype=pg.float64)
        y = pg.sum(pg.sin(pg.cos(x)))
        g = pg.gradients(y, x)
    wires = scene_of(picture(g)).wires
    assert any(wire.upward for wire in wires)
    assert not any(wire.upward for wire in scene_of(picture(g), beside=False).wires)


# ---------------------------------------------------------------- notebooks, size


def test_notebooks_show_graphs_but_not_lone_values_or_very_large_graphs():
    graph = affine()
    assert "<svg" in (graph._repr_svg_() or "")
    assert "Graph(2 operations" in (graph._repr_html_() or "")
    assert pg.tensor(2.0)._repr_html_() is None
    x = pg.tensor(1.0)
    for _ in range(INLINE + 1):
        x = pg.sin(x)
    assert x._repr_svg_() is None
    assert "Drawing(" in repr(draw(graph))


def test_a_chain_of_ten_thousand_folds_and_one_of_two_thousand_is_drawn():
    x = y = pg.tensor(1.0)
    for number in range(10_000):
        x = pg.sin(x)
        y = x if number < 2000 else y
    small = draw(x).svg()
    assert "× 10000" in small
    assert len(small) < 10_000
    assert draw(y, fold=False).svg().count("<g id=") == 2001


def test_repeated_blocks_fold_into_one_frame():
    h = pg.tensor(np.ones(3, np.float32), name="x")
    for _ in range(12):
        w = pg.Variable(np.ones(3, np.float32))
        h = pg.tanh(h * w) + h
    boxes = scene_of(picture(h)).boxes
    folded = texts(h, fold=True)
    assert "× 12" in folded
    assert len(boxes) == 1 + 12 * 4
    assert draw(h, fold=True).svg().count("<g id=") == 1 + 4
    assert "× 12" not in texts(h)


def test_blocks_that_differ_in_wiring_do_not_fold():
    """Every third block reads x again: only the first three, where h was x, are alike."""
    x = h = pg.tensor(np.ones(3, np.float32), name="x")
    for number in range(6):
        h = pg.tanh(h) * (h if number % 3 else x)
    assert [text for text in texts(h, fold=True) if text.startswith("× ")] == ["× 3"]


@pytest.mark.parametrize("ending", ["svg", "png", "pdf", "dot", "mmd", "txt"])
def test_any_name_can_be_drawn(tmp_path: Path, ending: str):
    x = pg.Variable(1.0, name="a\"b<c>&'é∂𝒳\n\t\x00\x1b]]>-->")
    path = tmp_path / f"x.{ending}"
    draw(pg.exp(x, name="e" * 2000), path)
    assert path.stat().st_size > 50
    if ending == "svg":
        shown = "".join(ElementTree.parse(path).getroot().itertext())
        assert 'a"b<c>&' in shown


def test_widths_are_those_of_the_typeface():
    assert width("Wi", 10.0) == pytest.approx((1933 + 455) / 2048 * 10)
    assert width("W", 10.0, "bold") == width("W", 20.0, "bold") / 2
    assert typeface("sans").glyph("∂") != 0
    assert typeface("sans").glyph("字") == 0
