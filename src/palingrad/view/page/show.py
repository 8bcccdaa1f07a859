"""pg.view: the page of a graph, written to a file, opened in a browser, or inline in a notebook."""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, Literal

from ...errors import GraphError
from ...graph.node import Node
from .assemble import page
from .export import Export, Options

Theme = Literal["auto", "light", "dark"]


class Page:
    """A page that was made: in a notebook it shows itself, `save` writes it, `open` opens it."""

    def __init__(self, text: str, *, height: int = 640) -> None:
        self.text = text
        self.height = height
        self.path: Path | None = None

    def save(self, path: Any) -> Path:
        """Write the page to `path`."""
        self.path = Path(path)
        self.path.write_text(self.text, encoding="utf-8")
        return self.path

    def open(self) -> Path:
        """Show the page in the browser, from a file of its own if it wasn't saved."""
        if self.path is None:
            handle, name = tempfile.mkstemp(prefix="palingrad-", suffix=".html")
            os.close(handle)
            self.save(name)
        assert self.path is not None
        webbrowser.open(self.path.resolve().as_uri())
        return self.path

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.text)}" width="100%" height="{self.height}" '
            'style="border:1px solid #8884;border-radius:8px" '
            'sandbox="allow-scripts allow-downloads" title="palingrad"></iframe>'
        )

    def __repr__(self) -> str:
        where = "not saved" if self.path is None else str(self.path)
        return f"Page({len(self.text.encode()) / 1000:,.0f} kB, {where})"


def html(what: Any, **options: Any) -> str:
    """The text of the page about `what`; options as for `show`."""
    return page(Export(what, Options(**options)).data())


def write(what: Any, path: Any, **options: Any) -> Path:
    """Write the page about `what` to `path`; options as for `show`."""
    return Page(html(what, **options)).save(path)


def show(
    what: Any,
    path: Any = None,
    *,
    of: Node | None = None,
    feeds: Mapping[Any, Any] | None = None,
    title: str | None = None,
    overlay: Any = None,
    compare: Any = None,
    time: bool = True,
    budget: int = 8_000_000,
    theme: Theme = "auto",
    open: bool | None = None,
) -> Page:
    """The page about a node and all it depends on, about several nodes, a Graph or a Program.

    It is one HTML file without any network: the graph with its values, gradients and local
    derivatives, every path of the chain rule, both passes step by step, and what would happen if.

    path: where to write it; else a file in the temporary folder. In a notebook it shows itself.
    of: the node that is differentiated, where the graph doesn't end in one number.
    feeds: values for placeholders, so that a graph that waits shows numbers.
    overlay: numbers by node or name that colour the graph, {node: number}, or several of these by
    name.
    compare: another run of the same graph (a node, or values by node), or several by name.
    time: measure what each operation takes.
    budget: bytes of numbers that the page may hold; what is over is shown as a summary and a slice.
    theme: 'auto', 'light' or 'dark'.
    open: open the browser; by default where Python is interactive and no notebook shows the page.

    Raises GraphError for what isn't a graph, FeedError for a feed that doesn't fit.
    """
    if theme not in ("auto", "light", "dark"):
        raise GraphError(f"view: theme must be 'auto', 'light' or 'dark', got {theme!r}")
    made = Page(
        html(
            what, of=of, feeds=feeds, title=title, overlay=overlay, compare=compare, time=time,
            budget=budget, theme=theme,
        )
    )  # fmt: skip
    if path is not None:
        made.save(path)
    if open if open is not None else _interactive() and not in_notebook():
        made.open()
    return made


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs us."""
    return "ipykernel" in sys.modules


def _interactive() -> bool:
    return hasattr(sys, "ps1") or bool(sys.flags.interactive)
