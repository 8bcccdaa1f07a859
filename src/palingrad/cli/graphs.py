"""The commands that show graphs: view, draw, lesson, translate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ..errors import GraphError
from ..graph.graph import Graph
from ..onnx import load
from ..session import last_feeds
from ..train.trained_graph import trained_graph
from ..view import page
from ..view.drawing.model import nodes_of
from ..view.drawings import draw as drawn
from ..view.lessons.lesson import lesson as made_lesson
from ..view.page.show import Theme
from ..view.reading.translation import Style, translate as translated
from ..view.script import graph_in
from .app import Command, DataFolder, app, console
from .saved_graph import is_saved_model, saved_graph


@app.command(cls=Command)
def view(
    what: Annotated[
        str,
        typer.Argument(
            help="file.py, file.py:name for one of its nodes, a run folder, a saved model's, or "
            "file.onnx."
        ),
    ],
    out: Annotated[str | None, typer.Option(help="HTML file to write.")] = None,
    theme: Annotated[Theme, typer.Option(help="Colours of the page.")] = "auto",
    browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the browser.")] = True,
    folder: DataFolder = None,
) -> None:
    """Make an interactive HTML page of a graph: values, derivatives, both passes step by step."""
    notes: list[str] = []
    with last_feeds() as feeds:
        if what.endswith(".onnx"):
            title, graph = Path(what).stem, load(what).shown()
        elif is_saved_model(what):
            title, graph, note = saved_graph(what)
            notes.append(note)
        else:
            title, graph = trained_graph(what, folder) if os.path.isdir(what) else graph_in(what)
    fed = {x: value for x, value in feeds.items() if x in nodes_of(graph)}
    if fed:
        notes.append("The values are those for the feeds of the session's last run, and the "
                     "Variables as they are after it.")  # fmt: skip
    text = page.html(graph, title=title, theme=theme, time=True, notes=notes, feeds=fed or None)
    shown = page.Page(text)
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
def lesson(
    what: Annotated[
        str, typer.Argument(help="file.py, or file.py:name for the loss, a single number.")
    ],
    ask: Annotated[
        list[str], typer.Option(help='A question, such as "∂L/∂a", "dL/da" or "h"; repeat it.')
    ],
    out: Annotated[str | None, typer.Option(help="HTML file to write.")] = None,
    sheet: Annotated[
        str | None, typer.Option(help="PDF to write: the questions, and the answers at the end.")
    ] = None,
    values: Annotated[
        bool, typer.Option("--values/--no-values", help="Show the values of operations.")
    ] = True,
    learning_rate: Annotated[
        float, typer.Option(help="Learning rate by which an answer may be off.")
    ] = 0.1,
    theme: Annotated[Theme, typer.Option(help="Colours of the page.")] = "auto",
) -> None:
    """Make an HTML page that asks for derivatives of a graph and explains wrong answers."""
    title, graph = graph_in(what)
    made = made_lesson(_only(graph), ask, values=values, learning_rate=learning_rate, theme=theme)
    made.save(out or f"{title}.html")
    console.print(f"{made.path}  {len(made.text) / 1000:,.0f} kB", highlight=False, soft_wrap=True)
    if sheet is not None:
        console.print(made.sheet(sheet), highlight=False, markup=False, soft_wrap=True)


def _only(graph: Any) -> Any:
    """The one result of a Graph; anything else as it is."""
    if isinstance(graph, Graph):
        used = {id(x) for node in graph.nodes for x in node.inputs}
        ends = [node for node in graph.nodes if node.inputs and id(node) not in used]
        if len(ends) == 1:
            return ends[0]
        names = ", ".join(node.name for node in ends[:6]) or "none"
        raise GraphError(
            f"lesson: the graph has {len(ends)} results: {names}.",
            hint="Name the loss: palingrad lesson file.py:loss.",
        )
    return graph


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
