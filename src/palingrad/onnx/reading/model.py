"""`OnnxModel`: an ONNX graph as a function of arrays or nodes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from ...dtypes import Array, as_array, is_floating
from ...errors import ArgumentError, OnnxError, ShapeError
from ...functions import function
from ...graph.graph import Graph
from ...graph.leaves import Placeholder, Variable
from ...graph.node import Node
from ...graph.promotion import as_node, tensor
from ...io.model import Argument, LoadedModel
from ...messages.checks import flag
from ...shapes import text
from .elementwise import _NUMBERS as NUMBERS
from .evaluate import Evaluation
from .files import array_of, check_graph, model_in
from .table import NeedsValue

# Inputs that are settings or statistics, not weights: they aren't trained.
_SETTINGS = {
    "BatchNormalization": (3, 4), "Resize": (1, 2, 3), "Upsample": (1,), "Pad": (2,),
    "Clip": (1, 2), "OneHot": (2,), "Dropout": (1,), "Range": (0, 1, 2), "Loop": (0, 1),
    "QuantizeLinear": (1, 2), "DequantizeLinear": (1, 2),
}  # fmt: skip


_KEPT = 64  # compiled graphs, one for each value of the inputs that the graph depends on


class OnnxModel(LoadedModel):
    """A model that was loaded from an ONNX file.

    Called with arrays it is compiled for each batch size; called with nodes, or while a graph is
    open, it joins the surrounding graph, so that gradients flow. `inputs` and `outputs` are its
    signature. A training step that was exported assigns its Variables.
    """

    def __init__(self, model: Any, folder: Path | None, trainable: bool) -> None:
        self._graph, self._folder = model.graph, folder
        self._opsets = {one.domain: one.version for one in model.opset_import}
        self._functions = {(one.domain, one.name): one for one in model.functions}
        check_graph(model.graph)
        for one in model.functions:
            check_graph(_body(one))
        notes = {one.key: one.value for one in model.metadata_props}
        self._updates = _noted(notes, "palingrad.updates", dict)
        self._variables, self._constants = self._initial(notes, trainable)
        given = [x for x in model.graph.input if x.name not in self._variables]
        given = [x for x in given if x.name not in self._constants]
        self.inputs = tuple(map(_argument, given))
        new = set(self._updates.values())
        self.outputs = tuple(_argument(y) for y in model.graph.output if y.name not in new)
        self._static: set[str] = set()  # inputs whose values the graph depends on
        self._compiled: dict[Any, Any] = {}

    def _initial(
        self, notes: Mapping[str, str], trainable: bool
    ) -> tuple[dict[str, Variable], dict[str, Array]]:
        """The Variables and the constants among the initializers."""
        told = _noted(notes, "palingrad.trainable", list)
        fixed = {
            node.input[place]
            for node in self._graph.node
            for place in _SETTINGS.get(node.op_type, ())
            if place < len(node.input)
        }
        variables: dict[str, Variable] = {}
        constants: dict[str, Array] = {}
        for one in self._graph.initializer:
            array = array_of(one, self._folder)
            weight = is_floating(array.dtype) and array.ndim > 0 and one.name not in fixed
            if "palingrad.trainable" in notes:
                weight = one.name in told
            if weight or one.name in self._updates:
                train = trainable and weight and is_floating(array.dtype)
                variables[one.name] = Variable(array, name=one.name, trainable=train)
            else:
                constants[one.name] = array
        return variables, constants

    def __call__(self, *inputs: Any) -> Any:
        if self._joins(inputs):
            return self._built(dict(zip((x.name for x in self.inputs), inputs, strict=True)))
        arrays = [as_array(x) for x in inputs]
        for x, one in zip(arrays, self.inputs, strict=True):
            _check(x, one)
        while True:
            try:
                return self._run(arrays)
            except NeedsValue as error:
                names = {x.name for x in error.inputs} & {x.name for x in self.inputs}
                if not names - self._static:
                    raise
                self._static |= names

    def _run(self, arrays: Sequence[Array]) -> Any:
        """The compiled graph's results; inputs in `_static` are parts of the key."""
        names = [x.name for x in self.inputs]
        fixed = {n: x for n, x in zip(names, arrays, strict=True) if n in self._static}
        key = tuple((n, x.shape, x.dtype.str, x.tobytes()) for n, x in fixed.items())
        if key not in self._compiled:
            free = [n for n in names if n not in fixed]

            def build(*nodes: Any) -> Any:
                for node, name in zip(nodes, free, strict=True):
                    if isinstance(node, Placeholder):
                        node._name = name
                return self._built({**fixed, **dict(zip(free, nodes, strict=True))})

            if len(self._compiled) >= _KEPT:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[key] = function(build)
        return self._compiled[key](*(x for n, x in zip(names, arrays, strict=True)
                                     if n not in fixed))  # fmt: skip

    def _built(self, given: Mapping[str, Any]) -> Any:
        """The result, built from nodes."""
        scope: dict[str, Any] = dict(self._constants)
        scope.update(self._variables)
        for one in self.inputs:
            x = given[one.name]
            if isinstance(x, Node):
                _check(x, one)
            scope[one.name] = x if isinstance(x, np.ndarray) else as_node(x)
        evaluation = Evaluation(self._opsets, self._functions, self._folder)
        evaluation.graph(self._graph, scope)
        results = [as_node(scope[y.name]) for y in self.outputs]
        for name, output in self._updates.items():
            if name in self._variables and output in scope:
                self._variables[name].assign(scope[output])
        return results[0] if len(results) == 1 else tuple(results)

    def example(self, *, seed: int = 0) -> tuple[Array, ...]:
        """Inputs that fit: random floats, and integers 0; axes of any size have size 1."""
        rng = np.random.default_rng(seed)
        found: list[Array] = []
        for one in self.inputs:
            if one.shape is None:
                raise ShapeError(f"the model's {one.name} has no shape.",
                                 hint="Call it with arrays of yours.")  # fmt: skip
            shape = tuple(1 if size is None else size for size in one.shape)
            drawn = rng.normal(size=shape) if is_floating(one.dtype) else np.zeros(shape)
            found.append(drawn.astype(one.dtype))
        return tuple(found)

    def graph(self) -> Graph:
        """The model's graph of nodes, for placeholders with the shapes of `example`."""
        graph = Graph()
        with graph:
            self(*(Placeholder(x.shape, dtype=x.dtype, name=one.name)
                   for x, one in zip(self.example(), self.inputs, strict=True)))  # fmt: skip
        return graph

    def shown(self) -> list[Node]:
        """The results of `example`, as nodes with values: what `palingrad view` shows."""
        named = [tensor(x, name=one.name)
                 for x, one in zip(self.example(), self.inputs, strict=True)]  # fmt: skip
        found = self(*named)
        return list(found) if isinstance(found, tuple) else [found]

    def draw(self, path: Any = None, **options: Any) -> Any:
        """A drawing of the graph, written to `path` if given; see `pg.Graph.draw`."""
        return self.graph().draw(path, **options)

    def __repr__(self) -> str:
        shown = [", ".join(f"{x.name} {text(x.shape)} {x.dtype}" for x in side)
                 for side in (self.inputs, self.outputs)]  # fmt: skip
        return f"<OnnxModel ({shown[0]}) → ({shown[1]}), {len(self._variables)} Variables>"


def _noted(notes: Mapping[str, str], key: str, kind: type) -> Any:
    """What an exported model says of itself; empty if it says nothing, or nonsense."""
    try:
        found = json.loads(notes.get(key, "null"))
    except ValueError:
        return kind()
    values = found.values() if isinstance(found, dict) else found
    fits = isinstance(found, kind) and all(isinstance(one, str) for one in values or ())
    return found if fits else kind()


def _body(function: Any) -> Any:
    """The nodes of a function, as far as `check_graph` looks at them."""

    graph = onnx.GraphProto()
    graph.node.extend(function.node)
    for name in function.input:
        graph.input.add().name = name
    return graph


def _argument(info: Any) -> Argument:
    kind = info.type.tensor_type
    if not info.type.HasField("tensor_type"):
        raise OnnxError(f"onnx.load: {info.name!r:.60} is a sequence, map or optional, not an "
                        "array.")  # fmt: skip
    if kind.elem_type not in NUMBERS:
        raise OnnxError(f"onnx.load: {info.name!r:.60} has ONNX's type number {kind.elem_type}, "
                        "for which palingrad has no dtype.")  # fmt: skip
    shape: Any = None
    if kind.HasField("shape"):
        shape = tuple(one.dim_value if one.HasField("dim_value") and one.dim_value >= 0 else None
                      for one in kind.shape.dim)  # fmt: skip
    return Argument(info.name, shape, np.dtype(NUMBERS[kind.elem_type]))


def _check(x: Any, one: Argument) -> None:
    """Raise ShapeError or ArgumentError unless an array or node fits an input."""
    if x.dtype is not None and x.dtype != one.dtype:
        raise ArgumentError(f"the model's {one.name} is {one.dtype}, got {x.dtype}.",
                            hint=f"pg.cast(x, {one.dtype.name!r})")  # fmt: skip
    if one.shape is None or x.shape is None:
        return
    fits = len(x.shape) == len(one.shape)
    if not fits or any(a not in (None, b) and b is not None
                       for a, b in zip(one.shape, x.shape, strict=True)):  # fmt: skip
        raise ShapeError(f"the model's {one.name} has shape {text(one.shape)}, got shape "
                         f"{text(x.shape)}.")  # fmt: skip


def load(path: Any, trainable: bool) -> OnnxModel:
    """The model in a file; see `palingrad.onnx.load`."""
    trainable = flag("onnx.load: trainable", trainable)
    model, folder = model_in(path)
    return OnnxModel(model, folder, trainable)
