"""What to show of a file of Python code: a graph, a node or a function's result in it."""

from __future__ import annotations

import runpy
import traceback
from pathlib import Path
from typing import Any

from ..errors import GraphError
from ..graph.graph import Graph
from ..graph.node import Node
from ..passes.program import Program

_SHOWN = (Graph, Node, Program)


def graph_in(place: str) -> tuple[str, Any]:
    """A title, and the graph or node that `FILE.py` or `FILE.py:name` stands for; the file is run.

    The name is a Graph, a node, a list of nodes, or a function of no arguments that returns one.
    Without it: the file's last Graph, else its last node. A main guard isn't entered. Raises
    GraphError where the file fails, or has nothing to draw, with the names that there are.
    """
    path, name = _split(place)
    if not path.is_file():
        raise GraphError(f"there is no file {str(path)!r}")
    space = _run(path)
    if name:
        if name not in space:
            raise GraphError(f"{path.name} has no {name!r}; {_choices(space)}")
        found = space[name]
        return name, found if _drawable(found) or not callable(found) else found()
    for kind in (Graph, Program, Node):
        named = [value for value in space.values() if isinstance(value, kind)]
        if named:
            return path.stem, named[-1]
    raise GraphError(f"{path.name} has no graph and no node at its top level; {_choices(space)}")


def _run(path: Path) -> dict[str, Any]:
    """The file's names after it has run. What it raises is told with the line that did."""
    try:
        return runpy.run_path(str(path), run_name="__palingrad__")
    except Exception as error:
        own = [
            one for one in traceback.extract_tb(error.__traceback__) if one.filename == str(path)
        ]
        line = own[-1].lineno if own else getattr(error, "lineno", None)
        at = f"{path.name}:{line}" if line else path.name
        raise GraphError(
            f"{at} stopped with {type(error).__name__}: {error}.",
            hint=f"`python {path.name}` shows where.",
        ) from error


def _split(place: str) -> tuple[Path, str]:
    path, colon, name = place.rpartition(":")
    return (Path(path), name) if colon and name.isidentifier() else (Path(place), "")


def _drawable(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(one, Node) for one in value)
    return isinstance(value, _SHOWN)


def _choices(space: dict[str, Any]) -> str:
    names = [
        name
        for name, value in space.items()
        if not name.startswith("_")
        and (_drawable(value) or getattr(value, "__module__", "") == "__palingrad__")
    ]
    return f"it has {', '.join(names)}" if names else "it has nothing that can be drawn"
