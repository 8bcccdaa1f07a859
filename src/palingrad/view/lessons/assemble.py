"""Assembles the lesson's HTML file from its assets, the page's arithmetic, and the sealed data."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from ..page.assemble import asset
from .sealing import sealed

# In loading order: a script uses only the scripts before it.
SHARED = (
    "arithmetic/numbers.js", "graph/graph.js", "arithmetic/tensor.js", "arithmetic/maths.js",
    "arithmetic/windows.js", "arithmetic/machine.js", "arithmetic/paths.js",
)  # fmt: skip
OWN = ("worlds.js", "reader.js", "mistakes.js", "judge.js", "words.js", "cards.js", "main.js")


@cache
def own_asset(name: str) -> str:
    """The text of a file in this folder's `assets`."""
    return (files(__package__ or __name__) / "assets" / name).read_text(encoding="utf-8")


def page(data: dict[str, Any], theme: str) -> str:
    """The HTML text of a lesson with this data."""
    scripts = [own_asset("unseal.js"), *map(asset, SHARED), *map(own_asset, OWN)]
    parts = {
        "title": escape(data["title"]),
        "theme": theme,
        "style": asset("page.css") + own_asset("lesson.css"),
        "data": sealed(data),
        "script": "\n".join(scripts),
    }
    pieces = own_asset("lesson.html").split("@@")  # text, name, text, name, …
    return "".join(parts[piece] if n % 2 else piece for n, piece in enumerate(pieces))
