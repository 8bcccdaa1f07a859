"""Assembles the page's HTML file from its assets and the data; no server or build step needed."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

# In loading order: a script uses only the scripts before it.
SCRIPTS = (
    "arithmetic/numbers.js", "state.js", "graph/graph.js", "arithmetic/tensor.js",
    "arithmetic/maths.js", "arithmetic/windows.js", "arithmetic/machine.js", "arithmetic/sweep.js",
    "graph/schedule.js",
    "layout/ranks.js", "layout/network.js", "layout/orders.js", "layout/coordinates.js",
    "layout/layered.js", "graph/boxes.js", "graph/loops.js", "graph/scene.js", "graph/camera.js",
    "graph/overlays.js", "graph/cards.js", "graph/overview.js", "graph/motion.js", "graph/draw.js",
    "panels/matrix.js", "panels/tree.js", "panels/search.js", "panels/steps.js",
    "panels/details.js", "panels/edges.js", "panels/groups.js", "arithmetic/paths.js",
    "panels/pathpanel.js", "panels/timeline.js",
    "opening/text.js", "opening/exact.js", "opening/entries.js", "opening/captions.js",
    "opening/opening.js",
    "pictures/cells.js", "pictures/complex.js", "pictures/paint.js", "pictures/hover.js",
    "panels/whatif.js", "panels/compare.js", "panels/runs.js", "panels/keys.js",
    "panes/lighting.js", "panes/source.js", "panes/equation.js", "panes/plots.js",
    "panes/editor.js", "panes/panes.js", "panes/banner.js", "sharing/edits.js", "sharing/pen.js",
    "sharing/export.js", "sharing/tips.js", "main.js",
)  # fmt: skip


@cache
def asset(name: str) -> str:
    """The text of a file in the `assets` folder."""
    return (files(__package__ or __name__) / "assets" / name).read_text(encoding="utf-8")


def own_size() -> int:
    """The size in bytes of the page without data."""
    return len(page({}).encode())


def page(data: dict[str, Any]) -> str:
    """The HTML text of the page for this data."""
    script = "\n".join(asset(name) for name in SCRIPTS)
    numbers = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    parts = {
        "title": escape(str(data.get("title", ""))),
        "theme": escape(str(data.get("theme", "auto"))),
        "style": asset("page.css") + asset("panes/panes.css"),
        "data": numbers.replace("<", "\\u003c"),  # no "</script>" inside the data
        "script": script,
    }
    text = asset("page.html")
    pieces = text.split("@@")  # text, name, text, name, …
    return "".join(parts[piece] if n % 2 else piece for n, piece in enumerate(pieces))
