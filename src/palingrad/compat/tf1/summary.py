"""Summaries for TensorBoard, written by palingrad's event files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...view.recording.retention import summary_of
from ...view.training.events import Events
from .framework.convert import convert_to_tensor
from .framework.graph import Graph, GraphKeys, Operation, Text, get_default_graph, missing


@dataclass(frozen=True)
class Summary:
    """What a run of a summary gives: (kind, tag, value) of each number or array."""

    values: tuple[tuple[str, str, Any], ...]


def _noted(kind: str, name: str, tensor: Any, collections: Any, family: str | None) -> Text:
    graph = get_default_graph()
    tag = graph.unique_name(_tidy(f"{family}/{name}" if family else name))
    op = Operation(graph, tag, kind)
    value = convert_to_tensor(tensor)
    made = Text(op, lambda array: Summary(((kind, tag, array),)), [value])
    for key in [GraphKeys.SUMMARIES] if collections is None else collections:
        graph.add_to_collection(key, made)
    return made


def _tidy(name: str) -> str:
    """A name without the characters that TensorFlow's names don't have."""
    return "".join(one if one.isalnum() or one in "-./_" else "_" for one in name)


def scalar(name: str, tensor: Any, collections: Any = None, family: str | None = None) -> Text:
    """A number, shown as a curve over the steps."""
    return _noted("ScalarSummary", name, tensor, collections, family)


def histogram(name: str, values: Any, collections: Any = None, family: str | None = None) -> Text:
    """The distribution of an array's elements."""
    return _noted("HistogramSummary", name, values, collections, family)


def merge(inputs: Sequence[Text], collections: Any = None, name: str | None = None) -> Text:
    """Several summaries as one."""
    graph = get_default_graph()
    op = Operation(graph, graph.unique_name(name or "Merge/MergeSummary"), "MergeSummary")

    def together(*summaries: Summary) -> Summary:
        return Summary(tuple(one for summary in summaries for one in summary.values))

    return Text(op, together, inputs)


def merge_all(
    key: str = GraphKeys.SUMMARIES, scope: str | None = None, name: str | None = None
) -> Text | None:
    """All summaries of the default graph as one, or None if there are none."""
    found = get_default_graph().get_collection(key, scope)
    return merge(found, name=name) if found else None


class FileWriter:
    """Writes summaries into an event file in a folder. A graph isn't written: `graph.built.draw()`
    shows it. Raises EngineError without tensorboardX."""

    def __init__(self, logdir: Any, graph: Graph | None = None, *_: Any, **options: Any) -> None:
        self._events = Events(os.fspath(logdir))
        self._logdir = os.fspath(logdir)

    def get_logdir(self) -> str:
        """The folder."""
        return self._logdir

    def add_summary(self, summary: Summary, global_step: Any = None) -> None:
        """Writes what a run of a summary gave, at a step."""
        step = 0 if global_step is None else int(global_step)
        for kind, tag, value in summary.values:
            if kind == "ScalarSummary":
                self._events.scalars({tag: float(value)}, step)
            else:
                self._events.histogram(tag, summary_of(np.asarray(value)), step)

    def add_graph(self, graph: Any, global_step: Any = None) -> None:
        """Does nothing: `graph.built.draw()` shows the graph."""

    def flush(self) -> None:
        """Writes everything to the disk."""
        self._events.flush()

    def close(self) -> None:
        """Writes everything and closes the file."""
        self._events.close()

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_NAMES = ("FileWriter", "Summary", "histogram", "merge", "merge_all", "scalar")


def __getattr__(name: str) -> Any:
    raise missing("tf.summary", name, _NAMES)
