"""`pg.view`: the page of a graph, as a file, in a browser, or inline in a notebook."""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ...errors import GraphError
from ...files.atomic import explained, write_atomically
from ...graph.node import Node
from .assemble import page
from .export import Export, Options
from .panes.still import framed, still

Theme = Literal["auto", "light", "dark"]


class Page:
    """A page: notebooks display it, `save` writes it to a file, `open` opens it in a browser.

    `what` is the graph, of which a notebook gets a still picture too.
    """

    def __init__(self, text: str, *, height: int = 640, what: Any = None) -> None:
        self.text = text
        self.height = height
        self.path: Path | None = None
        self._what = what
        self._image: bytes | None = None

    def save(self, path: Any) -> Path:
        """Write the page to `path`. Raises WriteError."""
        write_atomically(path, self.text)
        self.path = Path(path)
        return self.path

    def open(self) -> Path:
        """Open the page in the browser, from a temporary file if it wasn't saved."""
        if self.path is None:
            with explained(tempfile.gettempdir()):
                handle, name = tempfile.mkstemp(prefix="palingrad-", suffix=".html")
                os.close(handle)
            self.save(name)
        assert self.path is not None
        webbrowser.open(self.path.resolve().as_uri())
        return self.path

    def _still(self) -> bytes | None:
        if self._image is None and self._what is not None:
            self._image = still(self._what)
            self._what = None  # keeps no arrays alive
        return self._image

    def _repr_html_(self) -> str:
        return framed(self.text, "palingrad", self.height, self._still())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """HTML for notebooks, and a PNG for viewers without it, such as exports to PDF."""
        bundle = {"text/plain": repr(self), "text/html": self._repr_html_()}
        image = self._still()
        if image is not None:
            bundle["image/png"] = b64encode(image).decode()
        return bundle

    def __repr__(self) -> str:
        where = "not saved" if self.path is None else str(self.path)
        return f"Page({len(self.text.encode()) / 1000:,.0f} kB, {where})"


def html(what: Any, **options: Any) -> str:
    """The HTML text of the page; options as for `show`."""
    return page(Export(what, Options(**options)).data())


def write(what: Any, path: Any, **options: Any) -> Path:
    """Write the page to `path`; options as for `show`."""
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
    simplified: bool = True,
    time: bool = True,
    budget: int = 8_000_000,
    theme: Theme = "auto",
    notes: Sequence[str] = (),
    open: bool | None = None,
) -> Page:
    """Returns the page of nodes and everything they depend on, of a Graph or of a Program.

    The page is a self-contained HTML file: the graph with values, gradients and local derivatives,
    every path of the chain rule, both passes step by step, and edits of leaf values.

    path: the file to write; by default a temporary file, once the page is opened.
    of: the node to differentiate; by default the last output, preferably a scalar.
    feeds: values for placeholders, so that a deferred graph shows numbers.
    overlay: numbers that colour the graph, {node or name: number}, or several such dicts by name.
    compare: another run of the same graph (a node, or values by node), or several by name.
    simplified: show derivatives among the nodes without what only the reverse pass needed, as
        drawings do; a Graph and a Program are shown with every node.
    time: measure the time of each operation.
    budget: bytes of numbers in the page; arrays beyond it are shown as a summary and a slice.
    theme: 'auto', 'light' or 'dark'.
    notes: sentences that the page shows first.
    open: open the browser; by default if Python is interactive and not in a notebook.

    Raises GraphError if `what` is no graph, FeedError if a feed doesn't fit its placeholder.
    """
    if theme not in ("auto", "light", "dark"):
        raise GraphError(f"view: theme must be 'auto', 'light' or 'dark', got {theme!r}")
    shown = Page(
        html(
            what, of=of, feeds=feeds, title=title, overlay=overlay, compare=compare,
            simplified=simplified, time=time, budget=budget, theme=theme, notes=list(notes),
        ),
        what=what,
    )  # fmt: skip
    if path is not None:
        shown.save(path)
    if open if open is not None else _interactive() and not in_notebook():
        shown.open()
    return shown


def in_notebook() -> bool:
    """Whether the process is a Jupyter kernel."""
    return "ipykernel" in sys.modules


def _interactive() -> bool:
    return hasattr(sys, "ps1") or bool(sys.flags.interactive)
