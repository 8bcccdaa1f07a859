"""No label overprints another label, a card or a line; colours keep their contrast."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.view.drawing.canvas import Text
from palingrad.view.drawing.labels import Rect, Room, beside_line
from palingrad.view.drawing.style import PALETTES
from palingrad.view.drawings import draw
from view.drawing.overprints import overprints

GALLERY = Path(__file__).resolve().parents[3] / "examples" / "gallery"
PICTURES = sorted(GALLERY.glob("*.svg"))


def graphs() -> Iterator[tuple[str, Any]]:
    """Graphs whose pictures have many labels."""
    x = pg.Variable(1.5)
    s = x * x
    y = pg.sin(s) * pg.exp(s)
    y.backward()
    yield "two edges between the same cards", y
    x = pg.Variable(2.0)
    y = x**3 + pg.sin(x)
    dy = pg.gradients(y, x)
    yield "derivatives", [y, dy, pg.gradients(dy, x)]
    a, b = pg.Variable(2.0), pg.Variable(-3.0)
    c = a * b
    e = pg.tanh(c + 10.0) * c - a
    e.backward()
    yield "long edges", e
    first, second = pg.nn.Linear(3, 4), pg.nn.Linear(4, 2)
    yield "frames", second(pg.relu(first(pg.tensor(np.ones((1, 3), np.float32)))))
    terms = [pg.Variable(float(n), name=f"x{n}") for n in range(4)]
    total = terms[0]
    for term in terms[1:]:
        total = total * term + term - total
    total.backward()
    yield "crossings", total
    attention = pg.nn.MultiHeadAttention(8, 2)
    yield "a wide graph", attention(pg.tensor(np.ones((1, 3, 8), np.float32)))


GRAPHS = list(graphs())


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_no_label_in_the_gallery_overprints_anything(path: Path):
    assert overprints(path.read_text()) == []


@pytest.mark.parametrize("direction", ["down", "right"])
@pytest.mark.parametrize("nodes", ["operations", "values", "bipartite"])
@pytest.mark.parametrize("case", GRAPHS, ids=[name for name, _ in GRAPHS])
def test_no_label_overprints_anything(case: tuple[str, Any], nodes: Any, direction: str):
    shown = draw(case[1], nodes=nodes, direction=direction)
    assert overprints(shown.svg()) == []


def test_the_labels_are_all_there():
    drawn = draw(GRAPHS[0][1]).svg()
    texts = re.findall(r">([^<>]*)</text>", drawn)
    for number in ("1.5", "9.488", "−0.6282", "0.7781"):  # local derivatives
        assert [text for text in texts if text[1:] == f" {number}"]
    assert len([text for text in texts if text[1:] == " 1.5"]) == 2
    assert "2×" in texts


def svg(*elements: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(elements)}</svg>'


TEXT = '<text x="50" y="50" font-size="12" text-anchor="start">label</text>'


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ('<path d="M40,46L100,46" fill="none"/>', "", True),
        ('<path d="M40,80L100,80" fill="none"/>', "", False),
        ("", '<text x="55" y="55" font-size="12" text-anchor="start">other</text>', True),
        ('<path d="M40,30L60,30 60,80 40,80Z" fill="#fff"/>', "", True),  # a card's border
        ('<path d="M30,20L120,20 120,80 30,80Z" fill="#fff"/>', "", False),  # inside a card
        ("", '<path d="M30,20L120,20 120,80 30,80Z" fill="#fff"/>', True),  # under a card
        (
            '<path d="M40,46L100,46" fill="none"/>'
            '<path d="M30,20L120,20 120,80 30,80Z" fill="#fff"/>',
            "", False,
        ),  # a line behind the card
        ('<path d="M20,46C40,46 60,46 100,46" fill="none"/>', "", True),
    ],
)  # fmt: skip
def test_the_check_finds_what_overprints(before: str, after: str, found: bool):
    assert bool(overprints(svg(before, TEXT, after))) is found


def test_a_label_without_a_free_place_overprints_least():
    room = Room()
    for x in range(0, 400, 6):
        room.add_line([(x, -400), (x, 400)])
    room.add_card(Rect(-500, -500, 190, 500))
    text = Text((0, 0), "label", 12.0)
    chosen = room.put(beside_line(text, [(200, 0), (200, 100)], right=False))
    assert chosen.at[0] > 200


# ---------------------------------------------------------------- contrast


def luminance(colour: str) -> float:
    """The relative luminance of #rrggbb (WCAG 2.1)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("style", ["light", "dark", "print"])
def test_edges_and_texts_stand_out_from_what_is_behind_them(style: str):
    palette = PALETTES[style]
    behind = [tone for tone in palette if tone == "paper" or tone.endswith("frame-fill")]
    edges = ["line", "backward", "update", "strong", "weak"]
    borders = ["operation", "variable", "placeholder", "constant", "backward", "update"]
    for tone in {*edges, *borders}:
        for other in behind:
            assert contrast(palette[tone], palette[other]) >= 3, (tone, other)
    for tone in borders:
        assert contrast(palette[tone], palette[f"{tone}-fill"]) >= 3, tone
    fills = ["paper", *(tone for tone in palette if tone.endswith("fill"))]
    for tone in ("ink", "soft", "backward"):
        for other in fills:
            assert contrast(palette[tone], palette[other]) >= 4.5, (tone, other)
