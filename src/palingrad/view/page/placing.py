"""The widths of the page's cards; where they stand is computed in the page (assets/layout)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HEIGHT = 46.0  # of a card with two lines


def width(node: Mapping[str, Any]) -> float:
    """The width of a node's card, for two lines of about seven pixels per character."""
    unnamed = node["n"] == node["o"] or node["t"] != "operation"
    first = len(node["n"]) + (0 if unnamed else 2 + len(node["o"]))
    scalar = 28 if "z" in node else 17
    second = scalar if node["sh"] == [] else 12 + len(str(node["sh"] or ""))
    return float(min(210, max(92, 24 + 7.2 * max(first, 0.9 * second))))
