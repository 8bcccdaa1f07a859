"""The sheet of a lesson: pages of a PDF with the questions, and the answers at the end."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, WriteError
from palingrad.view.drawing.canvas import Canvas, Text
from palingrad.view.drawing.formats.pdf import pages
from palingrad.view.drawing.typeface import Face, typeface


def pages_of(path: Path) -> list[str]:
    """The content of each page."""
    data = path.read_bytes()
    start = int(data.split(b"startxref\n")[1].split()[0])
    places = [int(row[:10]) for row in data[start:].splitlines()[3:] if row.endswith(b" n ")]
    found: list[str] = []
    for number in re.findall(rb"/Contents (\d+) 0 R", data):
        body = data[places[int(number) - 1] :]
        assert body.startswith(number + b" 0 obj")
        packed = re.search(rb">>stream\n(.*?)\nendstream", body, re.DOTALL)
        assert packed is not None
        found.append(zlib.decompress(packed[1]).decode("ascii"))
    return found


def has(page: str, text: str, face: Face = "sans") -> bool:
    """Whether the page shows the text."""
    return "".join(f"{typeface(face).glyph(c):04X}" for c in text) in page


def made() -> pg.Node:
    a, b = pg.Variable(2.0, name="a"), pg.Variable(-3.5, name="b")
    return pg.sin(pg.multiply(a, b, name="p") / 5.0, name="L")


def test_questions_come_first_and_answers_on_a_page_of_their_own(tmp_path: Path):
    lesson = pg.lesson(made(), ["∂L/∂a", "p"], title="The chain rule")
    path = lesson.sheet(tmp_path / "sheet.pdf")
    first, last = pages_of(path)
    assert has(first, "The chain rule", "bold")
    assert has(first, "L = sin v₁", "bold")
    assert has(first, "−3.5")
    answer = f"{-3.5 / 5 * np.cos(-1.4):.5g}".replace("-", "−")
    assert has(last, answer)
    assert has(last, "−7")
    assert not has(first, answer)
    assert not has(first, "−7")  # p is asked for, so its card shows a question mark
    for page in (first, last):
        assert has(page, "∂L/∂a =", "bold")


def test_without_the_key_there_are_no_answers(tmp_path: Path):
    lesson = pg.lesson(made(), ["∂L/∂a"])
    assert len(pages_of(lesson.sheet(tmp_path / "sheet.pdf", key=False))) == 1


def test_a_long_lesson_takes_as_many_pages_as_it_needs(tmp_path: Path):
    leaves = [pg.Variable(np.ones((3, 2)) * k, name=f"w{k}") for k in range(1, 13)]
    total = leaves[0]
    for leaf in leaves[1:]:
        total = total * leaf
    lesson = pg.lesson(pg.sum(total, name="L"), [f"∂L/∂w{k}" for k in range(1, 13)])
    found = pages_of(lesson.sheet(tmp_path / "sheet.pdf"))
    assert len(found) >= 4
    lowest = [
        float(y) for page in found for y in re.findall(r"Tm|1 0 0 -1 \S+ (\S+) Tm", page) if y
    ]
    assert max(lowest) <= 1123 - 40


def test_pages_keep_their_own_sizes(tmp_path: Path):
    canvases = [Canvas(100.0, 40.0), Canvas(200.0, 80.0)]
    canvases[1].add(Text((10.0, 10.0), "second", anchor="start"))
    path = tmp_path / "two.pdf"
    path.write_bytes(pages(canvases))
    sizes = re.findall(rb"MediaBox\[0 0 (\S+) (\S+)\]", path.read_bytes())
    assert sizes == [(b"75", b"30"), (b"150", b"60")]
    assert [has(page, "second") for page in pages_of(path)] == [False, True]


def test_what_can_t_be_written(tmp_path: Path):
    lesson = pg.lesson(made(), ["∂L/∂a"])
    with pytest.raises(WriteError):
        lesson.sheet(tmp_path / "missing" / "sheet.pdf")
    with pytest.raises(ArgumentError, match="key is 'yes'; expected True or False"):
        lesson.sheet(tmp_path / "sheet.pdf", key="yes")  # pyright: ignore[reportArgumentType]
