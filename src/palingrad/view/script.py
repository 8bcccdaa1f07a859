"""Runs a Python file and selects the graph, node or function result in it to draw."""

from __future__ import annotations

import linecache
import os
import runpy
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import GraphError, quoted
from ..files.reading import beside
from ..graph.graph import Graph
from ..graph.leaves import Placeholder
from ..graph.node import Node
from ..messages.checks import did_you_mean
from ..passes.program import Program
from ..session import telling_feeds

_SHOWN = (Graph, Node, Program)


def graph_in(place: str) -> tuple[str, Any]:
    """Runs `FILE.py` and returns a title and the graph or node that `FILE.py:name` refers to.

    `name` is a Graph, a Program, a node, a list of nodes, or a function without arguments that
    returns one. Without a name: the file's last Graph, else its last Program, else its last node.
    `__name__` is not "__main__". Raises GraphError if the file fails or has nothing to draw; the
    message lists the names that can be drawn.
    """
    path, name = split_place(place)
    space = names_in(path)
    if name:
        if name not in space:
            raise GraphError(
                f"{path.name} has no {name!r}; {_choices(space)}.",
                hint=did_you_mean(name, space, quoted=True),
            )
        value = space[name]
        return name, value if _drawable(value) or not callable(value) else value()
    for kind in (Graph, Program, Node):
        named = [value for value in space.values() if isinstance(value, kind)]
        if named:
            return path.stem, named[-1]
    raise GraphError(f"{path.name} has no graph and no node at its top level; {_choices(space)}")


def graph_with_feeds(place: str) -> tuple[str, Any, dict[Placeholder, Array]]:
    """The same, and what each placeholder was fed with in the last run of a Session."""
    feeds: dict[Placeholder, Array] = {}

    def note(fed: Mapping[Placeholder, Array]) -> None:
        feeds.update({node: np.array(value) for node, value in fed.items()})

    with telling_feeds(note):
        title, graph = graph_in(place)
    return title, graph, feeds


def names_in(path: Path) -> dict[str, Any]:
    """The file's global names after it has run. An exception is reported with its line."""
    if not os.path.isfile(path):
        raise GraphError(
            f"there is no file {quoted(str(path))}.",
            hint=did_you_mean(path.name, beside(path, ".py"), quoted=True)
            or "Give the path of a Python file.",
        )
    linecache.checkcache(str(path))  # the file may have changed since an earlier run
    try:
        return runpy.run_path(str(path), run_name="__palingrad__")
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(path)]
        line = lines[-1] if lines else getattr(error, "lineno", None)
        at = f"{path.name}:{line}" if line else path.name
        raise GraphError(
            f"{at} stopped with {type(error).__name__}: {error}.",
            hint=f"`python {path.name}` shows where.",
        ) from error


def split_place(place: str) -> tuple[Path, str]:
    """`FILE.py:name` as a path and a name, which is "" if there is none."""
    path, colon, name = place.rpartition(":")
    return (Path(path), name) if colon and name.isidentifier() else (Path(place), "")


def _drawable(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(item, Node) for item in value)
    return isinstance(value, _SHOWN)


def _choices(space: dict[str, Any]) -> str:
    names = [
        name
        for name, value in space.items()
        if not name.startswith("_")
        and (_drawable(value) or getattr(value, "__module__", "") == "__palingrad__")
    ]
    return f"it has {', '.join(names)}" if names else "assign one to a variable"
