"""Saved models: a graph, its Variables and its signature in one folder.

`weights.safetensors` is the model: a checkpoint whose metadata is the graph and the signature, so
that both are replaced atomically and covered by its hash. `checkpoint.json` is a readable copy of
the metadata. Loading executes no code from the folder.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..dtypes import Array, DType, as_array, is_inexact
from ..errors import ArgumentError, CheckpointError, PalingradError, ShapeError
from ..files.atomic import path_text
from ..functions import function
from ..graph.context import context, graph_scope
from ..graph.kinds import AnonymousGraph
from ..graph.leaves import Placeholder, Variable
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.promotion import as_node
from ..graph.regions.region import Region
from ..graph.traversal.replay import replay
from ..messages.calls import public
from ..messages.checks import counted, flag
from ..shapes import Shape, same, text
from .checkpoint import WEIGHTS, Checkpoint, load_checkpoint, save_checkpoint
from .graph_json import MALFORMED, Reader, Writer

FORMAT = 1
_KEY = "saved_model"


@dataclass(frozen=True)
class Argument:
    """An input or output of a model: its name, its shape with None for any size, its dtype."""

    name: str
    shape: Shape | None
    dtype: DType

    def as_json(self) -> dict[str, Any]:
        """The argument for `/signature`."""
        shape = None if self.shape is None else list(self.shape)
        return {"name": self.name, "shape": shape, "dtype": self.dtype.name}


class LoadedModel:
    """What models that were loaded from files share: their Variables, and how they are called."""

    inputs: tuple[Argument, ...]
    _variables: dict[str, Variable]

    def variables(self) -> dict[str, Variable]:
        """All Variables by name."""
        return dict(self._variables)

    def parameters(self) -> dict[str, Variable]:
        """The trainable Variables by name."""
        return {name: x for name, x in self._variables.items() if x.trainable}

    def _joins(self, inputs: Sequence[Any]) -> bool:
        """Whether a call joins a graph, of which nodes are given or that is open. Raises
        ArgumentError for another number of inputs than the model has."""
        if len(inputs) != len(self.inputs):
            names = ", ".join(x.name for x in self.inputs)
            raise ArgumentError(f"the model takes {counted(len(self.inputs), 'input')} ({names}), "
                                f"got {len(inputs)}.")  # fmt: skip
        return context().graph is not None or any(isinstance(x, Node) for x in inputs)


class SavedModel(LoadedModel):
    """A model that was loaded from a folder: a function of arrays, compiled for each batch size.

    Called with nodes, or while a graph is open, it joins the surrounding graph, so that gradients
    flow. `inputs` and `outputs` are its signature.
    """

    def __init__(self, region: Region, form: str, names: Sequence[str],
                 variables: dict[str, Variable]) -> None:  # fmt: skip
        self._region, self._form, self._variables = region, form, variables
        self.inputs = tuple(_argument(x._name or "x", x) for x in region.parameters)
        self.outputs = tuple(_argument(*pair) for pair in zip(names, region.results, strict=True))
        self._compiled = function(self._built)

    def __call__(self, *inputs: Any) -> Any:
        if self._joins(inputs):
            return self._built(*inputs)
        accepted = [
            _input.accept(x) for _input, x in zip(self._region.parameters, inputs, strict=True)
        ]
        return self._compiled(*accepted)

    def _built(self, *inputs: Any) -> Any:
        """The result, built from nodes."""
        eager = context().graph is None
        given: dict[Node, Any] = {}
        for own, x in zip(self._region.parameters, inputs, strict=True):
            if not isinstance(x, Node):
                x = as_node(own.accept(x))
            else:
                _check_shape(own, x)
            given[own] = x

        def rule(node: Operation, inputs: list[Any]) -> Node:
            return node.rebuild(inputs) if eager else node.rewired(inputs)

        built = replay(self._region.order, rule, given)
        results = [built[node] for node in self._region.results]
        if self._form == "one":
            return results[0]
        if self._form == "dict":
            return dict(zip([x.name for x in self.outputs], results, strict=True))
        return tuple(results)

    def __repr__(self) -> str:
        shown = [", ".join(f"{x.name} {text(x.shape)} {x.dtype}" for x in side)
                 for side in (self.inputs, self.outputs)]  # fmt: skip
        return f"<SavedModel ({shown[0]}) → ({shown[1]}), {len(self._variables)} Variables>"


def _check_shape(own: Placeholder, x: Node) -> None:
    """Raise ShapeError unless the node may have the shape of the model's input."""
    if own.shape is None or x.shape is None:
        return
    if len(own.shape) != len(x.shape) or not all(map(same, own.shape, x.shape)):
        raise ShapeError(f"the saved model's {own.name} has shape {text(own.shape)}, got "
                         f"{x.label()} of shape {text(x.shape)}{x.built()}.")  # fmt: skip


def _argument(name: str, node: Any) -> Argument:
    return Argument(name, node.shape, node.dtype)


@public
def save_model(
    folder: str | os.PathLike[str], model: Callable[..., Any], *examples: Any, batch: bool = True
) -> Path:
    """Write a model, or a function, with its graph, Variables and signature; returns the folder.

    `examples` are inputs of it: their shapes and dtypes are the signature, in which the first axis
    may have any size, unless `batch` is False. The model returns a node, a tuple or a dict of them.
    Raises CheckpointError if it contains code (an operation of yours), draws random numbers or
    assigns Variables; what is saved is read back and compared before a file is written.

    >>> import tempfile
    >>> import numpy as np
    >>> import palingrad as pg
    >>> w = pg.Variable([1.0, 2.0], name="w")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pg.io.save_model(folder, lambda x: pg.exp(x * w), np.zeros((1, 2), np.float32))
    ...     model = pg.io.load_model(folder)
    >>> model
    <SavedModel (x (?, 2) float32) → (y (?, 2) float32), 1 Variables>
    >>> model(np.zeros((3, 2), np.float32)).shape
    (3, 2)
    """
    batch = flag("save_model: batch", batch)
    arrays = [as_array(x) for x in examples]
    if batch and any(not x.ndim for x in arrays):
        raise CheckpointError("save_model: an example that is a number has no batch axis.",
                              hint="Pass batch=False, or a batch of examples.")  # fmt: skip
    names = _names(model, len(arrays))
    inputs = [
        Placeholder.unchecked({"_shape": (None, *x.shape[1:]) if batch else x.shape,
                               "_dtype": x.dtype, "_name": name, "fed_by": "a saved model"})
        for x, name in zip(arrays, names, strict=True)
    ]  # fmt: skip
    try:
        with graph_scope(AnonymousGraph(), hidden=True):
            result = model(*inputs)
    except (PalingradError, TypeError) as error:  # Python code that takes None for a number
        raise CheckpointError(
            f"save_model: the model can't be built for inputs of shape "
            f"{', '.join(text(x.shape) for x in inputs)}: {getattr(error, 'fact', error)}",
            hint="batch=False saves it for the shapes of the examples alone." if batch else "",
        ) from error
    form, outputs = _outputs(result)
    found = getattr(model, "variables", None)
    known: dict[str, Variable] = dict(found()) if callable(found) else {}  # pyright: ignore
    writer = Writer({variable: name for name, variable in known.items()})
    written = writer.graph(inputs, list(outputs.values()))
    meta = {_KEY: FORMAT, "outputs": {"form": form, "names": list(outputs)}, "graph": written}
    meta = json.loads(json.dumps(meta))
    values = {name: x.numpy() if isinstance(x, Node) else x for name, x in writer.arrays.items()}
    _compare(model, _read(meta, values), arrays)
    _check_free(Path(os.path.expanduser(folder)))
    return save_checkpoint(folder, writer.arrays, meta=meta)


@public
def load_model(folder: str | os.PathLike[str]) -> SavedModel:
    """The model that `save_model` wrote. The class that made it isn't needed.

    Raises CheckpointError if there is none, it was changed, or it has operations that this
    palingrad doesn't have.
    """
    checkpoint = load_checkpoint(folder)
    return loaded(checkpoint)


def loaded(checkpoint: Checkpoint) -> SavedModel:
    """The model in a checkpoint."""
    where = path_text(checkpoint.path)
    if _KEY not in checkpoint.meta:
        raise CheckpointError(f"{where} is a checkpoint without a graph.",
                              hint="pg.io.load_checkpoint reads it; save_model writes models.",
                              )  # fmt: skip
    if checkpoint.meta[_KEY] != FORMAT:
        raise CheckpointError(f"{where} has model format {checkpoint.meta[_KEY]!r:.20}; this "
                              f"palingrad reads format {FORMAT}.", hint="Update palingrad.",
                              )  # fmt: skip
    try:
        return _read(checkpoint.meta, checkpoint.arrays)
    except MALFORMED as error:
        fact = error.fact if isinstance(error, PalingradError) else f"{error!r:.120}"
        raise CheckpointError(f"{where}: its graph can't be read: {fact}.",
                              hint="Take the file from a backup, or save the model again.",
                              ) from error  # fmt: skip


def _read(meta: Any, arrays: Any) -> SavedModel:
    form, names = meta["outputs"]["form"], meta["outputs"]["names"]
    if form not in ("one", "tuple", "dict") or not all(isinstance(x, str) for x in names):
        raise ValueError("its outputs have no names")
    reader = Reader(arrays)
    region = reader.graph(meta["graph"])
    inputs = [x._name for x in region.parameters]
    if len(set(inputs)) < len(inputs) or not all(inputs):
        raise ValueError("its inputs have no names of their own")
    if any(not isinstance(x.dtype, np.dtype) for x in (*region.parameters, *region.results)):
        raise ValueError("a dtype of an input or output is unknown")
    if len(set(names)) < len(names) or len(names) != len(region.results) or not names:
        raise ValueError("its outputs have no names of their own")
    return SavedModel(region, form, names, reader.variables)


def _outputs(result: Any) -> tuple[str, dict[str, Node]]:
    """How the results are returned, and each by its name."""
    if isinstance(result, Node):
        return "one", {"y": result}
    if isinstance(result, dict):
        form, named = "dict", {str(key): x for key, x in result.items()}
    elif isinstance(result, (tuple, list)):
        form, named = "tuple", {f"y{number}": x for number, x in enumerate(result)}
    else:
        form, named = "", {}
    if not named or not all(isinstance(x, Node) for x in named.values()):
        raise CheckpointError(f"save_model: the model returned {type(result).__name__}; expected a "
                              "node, or a tuple or dict of nodes.")  # fmt: skip
    return form, named


def _names(model: Any, count: int) -> list[str]:
    """The names of the model's inputs, from its signature where that has them."""
    try:
        parameters = list(inspect.signature(getattr(model, "forward", model)).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [x.name for x in parameters if x.kind in kinds][:count]
    while len(names) < count:
        names.append("x" if count == 1 else f"x{len(names)}")
    return names


def _compare(model: Any, read: SavedModel, examples: Sequence[Array]) -> None:
    """Raise CheckpointError unless the model that was read back computes the same bits."""

    def arrays(f: Any) -> list[Any]:
        found = function(f, engine="numpy")(*examples)
        return list(found.values()) if isinstance(found, dict) else (
            list(found) if isinstance(found, (tuple, list)) else [found])  # fmt: skip

    for name, a, b in zip(read.outputs, arrays(model), arrays(read._built), strict=True):
        if a.dtype != b.dtype or a.shape != b.shape or not _same(a, b):
            raise CheckpointError(f"save_model: {name.name} of what was read back differs.",
                                  hint="Its Python code must build the same graph each time; if "
                                  "it does, please report this.")  # fmt: skip


def _same(a: Array, b: Array) -> bool:
    return bool(np.array_equal(a, b, equal_nan=is_inexact(a.dtype)))


def _check_free(folder: Path) -> None:
    """Raise CheckpointError if the folder has weights that aren't a saved model's."""
    if os.path.exists(folder / WEIGHTS) and _KEY not in load_checkpoint(folder).meta:
        raise CheckpointError(f"{path_text(folder)} has a checkpoint of a training.",
                              hint="Save the model to another folder.")  # fmt: skip
