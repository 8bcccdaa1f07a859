"""The commands that show graphs: view, draw, translate."""

from __future__ import annotations

import os
from typing import Annotated, Literal

import typer

from ..errors import GraphError
from ..train.trained_graph import trained_graph
from ..view import page
from ..view.drawings import draw as drawn
from ..view.page.show import Theme
from ..view.reading.translation import Style, translate as translated
from ..view.script import graph_in, graph_with_feeds
from .app import Command, DataFolder, app, console

LAST_FEEDS = "Computed with the feeds of the last run, and the Variables as they are after it."


@app.command(cls=Command)
def view(
    what: Annotated[
        str,
        typer.Argument(help="file.py, file.py:name for one of its nodes, or a run folder."),
    ],
    out: Annotated[str | None, typer.Option(help="HTML file to write.")] = None,
    theme: Annotated[Theme, typer.Option(help="Colours of the page.")] = "auto",
    browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the browser.")] = True,
    folder: DataFolder = None,
) -> None:
    """Make an interactive HTML page of a graph: values, derivatives, both passes step by step."""
    if os.path.isdir(what):
        title, graph = trained_graph(what, folder)
        shown = page.show(graph, title=title, theme=theme, open=False)
    else:
        title, graph, feeds = graph_with_feeds(what)
        notes = [LAST_FEEDS] if feeds else []
        shown = page.show(graph, title=title, theme=theme, feeds=feeds, notes=notes, open=False)
    if out or not browser:
        shown.save(out or f"{title}.html")
    path = shown.open() if browser else shown.path
    console.print(f"{path}  {len(shown.text) / 1000:,.0f} kB", highlight=False, soft_wrap=True)


@app.command(cls=Command)
def draw(
    what: Annotated[
        str, typer.Argument(help="file.py, or file.py:name for one of its graphs or nodes.")
    ],
    out: Annotated[
        str | None, typer.Option(help="File to write: .svg .png .pdf .html .dot .mmd .txt")
    ] = None,
    nodes: Annotated[
        Literal["operations", "values", "bipartite", "neurons"],
        typer.Option(help="What each box represents."),
    ] = "operations",
    granularity: Annotated[
        Literal["tensor", "vector", "scalar"], typer.Option(help="One node per tensor, …")
    ] = "tensor",
    style: Annotated[
        Literal["auto", "light", "dark", "print"], typer.Option(help="Colours.")
    ] = "auto",
    right: Annotated[bool, typer.Option("--right", help="Draw from left to right.")] = False,
    fold: Annotated[
        bool | None, typer.Option("--fold/--no-fold", help="Draw repeated blocks once.")
    ] = None,
) -> None:
    """Draw a graph that a Python file builds."""
    title, graph = graph_in(what)
    path = out or f"{title}.svg"
    drawn(
        graph,
        path,
        nodes=nodes,
        granularity=granularity,
        style=style,
        direction="right" if right else "down",
        fold=fold,
    )
    console.print(path, highlight=False, markup=False, soft_wrap=True)


@app.command(cls=Command)
def translate(
    what: Annotated[
        str, typer.Argument(help="file.py, or file.py:name for one of its graphs or nodes.")
    ],
    to: Annotated[Style, typer.Option(help="How the written code computes.")],
    out: Annotated[
        str | None, typer.Option(help="File to write (.py); default: standard output.")
    ] = None,
) -> None:
    """Print a graph that a Python file builds as palingrad's code in another style."""
    title, graph = graph_in(what)
    text = translated(graph, to=to, name=title)
    if out is not None:
        text.save(out)
        console.print(out, highlight=False, markup=False, soft_wrap=True)
    elif text.arrays:
        raise GraphError(
            f"translate: {', '.join(text.arrays)} would take more than 1,000 numbers of text.",
            hint="Write --out FILE.py: arrays are saved beside it, in FILE.npz.",
        )
    else:
        print(text, end="")
