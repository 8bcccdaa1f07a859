"""The graph of a saved model, on example inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..dtypes import is_floating
from ..errors import GraphError
from ..files.atomic import path_text
from ..graph.node import Node
from ..graph.promotion import tensor
from ..io.checkpoint import WEIGHTS
from ..io.model import Argument, load_model

BATCH = 4  # the size of an axis that may have any size


def is_saved_model(folder: str) -> bool:
    """Whether a folder holds weights and no run: a saved model, or a checkpoint without a graph."""
    path = Path(folder)
    return (path / WEIGHTS).is_file() and not (path / "run.json").is_file()


def saved_graph(folder: str) -> tuple[str, list[Node], str]:
    """(title, results, note) of the model that `pg.io.save_model` wrote to a folder.

    Its inputs are made up: standard normal numbers, zeros for integers and booleans; four examples
    where the batch may have any size.
    """
    model = load_model(folder)
    rng = np.random.default_rng(0)
    inputs = [tensor(_example(x, rng, folder), name=x.name) for x in model.inputs]
    result: Any = model(*inputs)
    results = list(result.values()) if isinstance(result, dict) else result
    title = Path(folder).resolve().name
    shown = [results] if isinstance(results, Node) else list(results)
    return title, shown, "The inputs are made up: standard normal numbers, zeros for integers."


def _example(x: Argument, rng: np.random.Generator, folder: str) -> Any:
    if x.shape is None:
        raise GraphError(
            f"{path_text(Path(folder))}: the shape of the model's input {x.name} isn't known.",
            hint="Load it with pg.io.load_model and pass pg.view its result on your own inputs.",
        )
    shape = tuple(BATCH if size is None else size for size in x.shape)
    if is_floating(x.dtype):
        return rng.standard_normal(shape).astype(x.dtype)
    return np.zeros(shape, x.dtype)
