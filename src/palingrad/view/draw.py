"""draw: a picture of a graph, written to a file by its ending, or shown in a notebook."""

from __future__ import annotations

from typing import Any


class Drawing:
    """A picture that a notebook shows."""


def draw(what: Any, path: Any = None, **options: Any) -> Any:
    """A picture of `what`."""
    raise NotImplementedError


def html_of(what: Any) -> str | None:
    """What a notebook shows."""
    return None


def svg_of(what: Any) -> str | None:
    """What a notebook shows."""
    return None
