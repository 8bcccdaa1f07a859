"""Builds the nodes of an ONNX graph, one after the other, by the table of rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper

from ...errors import OnnxError, PalingradError
from ...graph.context import apart, context, set_open
from ...graph.node import Node
from ...graph.promotion import as_node
from . import (
    control,
    elementwise,
    indexing,
    nets,
    quantised,
    recurrent,
    reductions,
    resize,
    shapes,
    windows,
)
from .elementwise import _NUMBERS as NUMBERS
from .files import array_of
from .table import RULES, Call, NeedsValue

_MODULES = (
    control, elementwise, indexing, nets, quantised, recurrent, reductions, resize, shapes, windows,
)  # fmt: skip
_DOMAINS = ("", "ai.onnx")
_DEPTH = 100  # functions within functions
_STEPS = 200_000  # nodes that are built, those of loops and functions each time
_FOLDED = 2**28  # the product of the inputs' sizes up to which a known result is computed at once
_WHOLE = 2**33  # elements of a result: a file of a few bytes can ask for more
Scope = dict[str, Any]


class Evaluation:
    """One building of a model's graph."""

    def __init__(
        self, opsets: Mapping[str, int], functions: Mapping[Any, Any], folder: Any
    ) -> None:
        self.opsets, self.functions, self.folder = dict(opsets), functions, folder
        self._depth = self._steps = 0

    def graph(self, graph: Any, scope: Scope) -> list[Any]:
        """The outputs of a graph, whose inputs and outer values are in `scope`."""
        for tensor in graph.initializer:
            if tensor.name not in scope:
                scope[tensor.name] = array_of(tensor, self.folder)
        if graph.sparse_initializer:
            raise OnnxError("onnx.load: sparse tensors aren't read.")
        self.nodes(graph.node, scope)
        return [self._of(scope, one.name, "the outputs") for one in graph.output]

    def nodes(self, nodes: Sequence[Any], scope: Scope) -> None:
        """Compute nodes in order, into `scope`."""
        for node in nodes:
            self._steps += 1
            if self._steps > _STEPS:
                raise OnnxError(f"onnx.load: the model, with its loops and functions written out, "
                                f"has more than {_STEPS:,} nodes.")  # fmt: skip
            inputs = [None if not name else self._of(scope, name, node.op_type)
                      for name in node.input]  # fmt: skip
            try:
                found = self._node(node, inputs, scope)
            except OnnxError:
                raise
            except PalingradError as error:
                name = f" ({node.name})" if node.name else ""
                raise OnnxError(f"onnx.load: {node.op_type}{name}: {error.fact}",
                                hint=error.hint) from error  # fmt: skip
            except (TypeError, ValueError, IndexError, KeyError, AttributeError,
                    ZeroDivisionError, OverflowError) as error:  # fmt: skip
                name = f" ({node.name})" if node.name else ""
                forms = ", ".join("none" if x is None else f"{x.dtype} {x.shape}" for x in inputs)
                raise OnnxError(f"onnx.load: {node.op_type}{name} doesn't fit its inputs, "
                                f"{forms or 'none'}: {error}") from error  # fmt: skip
            for name, value in zip(node.output, found, strict=False):
                if name:
                    scope[name] = _bounded(node, value)

    def _of(self, scope: Scope, name: str, reader: str) -> Any:
        if name not in scope:
            raise OnnxError(f"onnx.load: {reader} reads {name!r:.80}, which nothing computes.")
        return scope[name]

    def _node(self, node: Any, inputs: list[Any], scope: Scope) -> Sequence[Any]:
        key = (node.domain, node.op_type)
        if key in self.functions:
            return self._called(self.functions[key], node, inputs)
        rule = RULES.get(node.op_type) if node.domain in _DOMAINS else None
        if rule is None:
            return self._defined(node, inputs)
        call = self._call(node, scope)
        while inputs and inputs[-1] is None:
            inputs.pop()
        known = all(x is None or isinstance(x, np.ndarray) for x in inputs)
        known = known and math.prod(max(x.size, 1) for x in inputs if x is not None) <= _FOLDED
        if known and not _has_graphs(node):
            found = _computed(rule, call, inputs)
        else:
            found = rule(call, *_as_nodes(node.op_type, inputs))
        return found if isinstance(found, (tuple, list)) else (found,)

    def _call(self, node: Any, scope: Scope) -> Call:
        attributes = {one.name: self._attribute(one) for one in node.attribute}
        graphs = {one.name: one.g for one in node.attribute if one.HasField("g")}

        def run(name: str, *inputs: Any) -> list[Any]:
            graph = graphs[name]
            if len(inputs) != len(graph.input):
                raise OnnxError(f"onnx.load: the {name} of {node.op_type} takes "
                                f"{len(graph.input)} inputs, not {len(inputs)}.")  # fmt: skip
            inner = dict(scope)
            inner.update(zip((one.name for one in graph.input), inputs, strict=True))
            return self.graph(graph, inner)

        opset = self._opset(node.domain)
        return Call(node.op_type, node.name, opset, attributes, list(node.output), run)

    def _opset(self, domain: str) -> int:
        if domain in _DOMAINS:
            return self.opsets.get("", self.opsets.get("ai.onnx", 1))
        return self.opsets.get(domain, 1)

    def _attribute(self, one: Any) -> Any:
        if one.ref_attr_name:
            raise OnnxError(f"onnx.load: attribute {one.name!r:.60} refers to a function's.")
        if one.HasField("t"):
            return array_of(one.t, self.folder)
        value = helper.get_attribute_value(one) if one.type != onnx.AttributeProto.GRAPH else None
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if isinstance(value, (list, tuple)) and value and isinstance(value[0], bytes):
            return [part.decode("utf-8", "replace") for part in value]
        return value

    # ---------------------------------------------------------------- functions

    def _called(self, function: Any, node: Any, inputs: Sequence[Any]) -> list[Any]:
        """The outputs of a function for these inputs."""
        if self._depth >= _DEPTH:
            raise OnnxError(f"onnx.load: functions call one another more than {_DEPTH} deep.")
        given = {one.name: one for one in function.attribute_proto}
        given.update({one.name: one for one in node.attribute})
        outer = self.opsets
        self.opsets = {**outer, **{one.domain: one.version for one in function.opset_import}}
        self._depth += 1
        scope: Scope = dict.fromkeys(function.input)
        scope.update(zip(function.input, inputs, strict=False))
        try:
            self.nodes([_with_attributes(one, given) for one in function.node], scope)
        finally:
            self.opsets = outer
            self._depth -= 1
        return [scope.get(name) for name in function.output]

    def _defined(self, node: Any, inputs: Sequence[Any]) -> list[Any]:
        """An operator without a rule, by ONNX's own definition of it as a function."""
        opset = self._opset(node.domain)
        name = f"{node.domain}.{node.op_type}" if node.domain else f"ONNX's {node.op_type}"
        lacking = OnnxError(f"onnx.load: palingrad has no operation for {name:.120} "
                            f"(opset {opset}).")  # fmt: skip
        try:
            schema: Any = onnx.defs.get_schema(node.op_type, opset, node.domain)
        except onnx.defs.SchemaError as error:
            raise lacking from error
        function = onnx.FunctionProto()
        full = onnx.NodeProto()
        full.CopyFrom(node)
        have = {one.name for one in node.attribute}
        for name, one in schema.attributes.items():
            if name not in have and one.default_value.name:
                full.attribute.append(one.default_value)
        if schema.context_dependent_function_opset_versions:
            version = max(v for v in schema.context_dependent_function_opset_versions)
            text = schema.get_context_dependent_function_with_opset_version(
                version, full.SerializeToString(), [_type_of(x) for x in inputs]
            )
        elif schema.function_opset_versions:
            fitting = [v for v in schema.function_opset_versions if v <= opset]
            text = schema.get_function_with_opset_version(max(fitting))
        else:
            raise lacking
        function.ParseFromString(text)
        if not function.node:
            raise lacking
        return self._called(function, full, inputs)


def _bounded(node: Any, value: Any) -> Any:
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and None not in shape and math.prod(shape) > _WHOLE:
        raise OnnxError(f"onnx.load: the result of {node.op_type} {node.name!r:.60}, of shape "
                        f"{shape}, isn't made: at most {_WHOLE:,} elements are.")  # fmt: skip
    return value


def _type_of(x: Any) -> bytes:
    if x is None:
        return onnx.TypeProto().SerializeToString()
    number = {name: one for one, name in NUMBERS.items()}[np.dtype(x.dtype).name]
    return helper.make_tensor_type_proto(number, list(x.shape)).SerializeToString()


def _with_attributes(node: Any, given: Mapping[str, Any]) -> Any:
    """A node of a function, with the attributes that refer to those of the call."""
    refers = any(one.ref_attr_name or one.HasField("g") for one in node.attribute)
    if not refers:
        return node
    new = onnx.NodeProto()
    new.CopyFrom(node)
    del new.attribute[:]
    for one in node.attribute:
        if one.ref_attr_name:
            if one.ref_attr_name in given:
                copy = new.attribute.add()
                copy.CopyFrom(given[one.ref_attr_name])
                copy.name = one.name
        else:
            copy = new.attribute.add()
            copy.CopyFrom(one)
            if one.HasField("g"):
                inner = [_with_attributes(part, given) for part in one.g.node]
                del copy.g.node[:]
                copy.g.node.extend(inner)
    return new


def _has_graphs(node: Any) -> bool:
    return any(one.HasField("g") for one in node.attribute)


def _as_nodes(op: str, inputs: Sequence[Any]) -> list[Any]:
    """Known arrays as nodes, where they are computed with."""
    return [
        as_node(x) if isinstance(x, np.ndarray) and _is_data(op, place) else x
        for place, x in enumerate(inputs)
    ]


def _is_data(op: str, place: int) -> bool:
    """Whether an input is computed with, so that an array becomes a node."""
    return op != "CastLike" and (place == 0 or op not in _SETTINGS)


# Operators whose further inputs are settings (shapes, axes, bounds), which stay arrays.
_SETTINGS = frozenset(
    "Reshape Squeeze Unsqueeze Expand Split Slice Tile Pad Trilu OneHot TopK Resize Upsample "
    "ReduceSum ReduceProd ReduceMean ReduceMax ReduceMin ReduceL1 ReduceL2 ReduceSumSquare "
    "ReduceLogSum ReduceLogSumExp CumSum CumProd Range ConstantOfShape Dropout Compress Col2Im DFT "
    "MaxUnpool Loop".split()
)


def _computed(rule: Callable[..., Any], call: Call, inputs: Sequence[Any]) -> Any:
    """The result for known inputs, as arrays."""
    state = context().having(graph=None, hidden=True, observers=())
    return apart(_eagerly, state, rule, call, inputs)


def _eagerly(state: Any, rule: Callable[..., Any], call: Call, inputs: Sequence[Any]) -> Any:
    set_open(state)
    found = rule(call, *_as_nodes(call.op, inputs))
    many = found if isinstance(found, (tuple, list)) else (found,)
    return tuple(x.numpy() if isinstance(x, Node) else x for x in many)


__all__ = ["Evaluation", "NeedsValue"]
assert all(_MODULES)  # they fill the table
