"""A Program as an ONNX graph: each operation by its rule, its formula or its expansion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...autodiff.ruled import Ruled
from ...errors import OnnxError, PalingradError
from ...graph.kinds import Composite, Custom
from ...graph.leaves import Constant, Placeholder, Variable
from ...graph.node import Node
from ...graph.operation import Item, MultipleOutputs
from ...graph.regions.region import Region
from ...graph.scan import Scan
from ...graph.traversal.order import postorder
from ...ops.control.branch import Switch
from ...ops.control.loop import Loop
from ...ops.control.while_loop import WhileLoop
from . import control
from .maths import OnnxMaths
from .operations import RULES
from .values import TYPES, Value


class Translator:
    """Writes nodes into the graph of `m`; `values` holds the results so far."""

    def __init__(self, opset: int, general: bool) -> None:
        self.m: Any = OnnxMaths(opset, general)
        self.values: dict[Node, Any] = {}

    def given(self, node: Node, name: str) -> Value:
        """An input of the graph for a placeholder, or for a Variable that keeps its value."""
        shape: Any = node.shape
        value = Value(self.m, name, shape, supported(node, node.dtype))
        self.values[node] = value
        return value

    def region(self, region: Region, inputs: Sequence[Value]) -> list[Value]:
        """The results of a region for these inputs, in the open subgraph."""
        outer = self.values
        self.values = dict(zip(region.parameters, inputs, strict=True))
        try:
            return [self.of(node) for node in region.results]
        finally:
            self.values = outer

    def of(self, node: Node) -> Any:
        """The value of a node; what it depends on is written first."""
        if node not in self.values:
            known = self.values
            for one in postorder(node, inputs=lambda x: () if x in known else x.inputs):
                if one not in known:
                    known[one] = self._written(one)
        return self.values[node]

    def _written(self, node: Node) -> Any:
        if isinstance(node, Constant):
            supported(node, node.dtype)
            return self.m.constant(node.numpy())
        if isinstance(node, Variable):
            raise OnnxError(f"{node.label()} is read in a region that doesn't have it as an input")
        if isinstance(node, Placeholder):
            raise OnnxError(f"{node.label()} isn't an argument of the exported function")
        outer, self.m.label = self.m.label, node.label()
        try:
            return self._operation(node)
        except PalingradError as error:
            if isinstance(error, OnnxError):
                raise
            raise refused(node, error.fact) from error
        except (NotImplementedError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise refused(node, str(error)) from error
        finally:
            self.m.label = outer

    def _operation(self, node: Any) -> Any:
        inputs = [self.values[x] for x in node.inputs]
        m = self.m
        for dtype in node.dtype if isinstance(node.dtype, tuple) else (node.dtype,):
            supported(node, dtype)
        if (rule := RULES.get(type(node))) is not None:
            found = rule(m, node, inputs)
            if found is not None:
                return found
        if isinstance(node, Item) and isinstance(node.inputs[0], Ruled):
            return inputs[0][node.attributes["index"]]
        if isinstance(node, Ruled):
            return [self.values[node.passed(place)] for place in range(node.count)]
        if isinstance(node, (Switch, Loop, WhileLoop)):
            return self._controlled(node, inputs)
        if isinstance(node, Composite):
            return self._expanded(node)
        if isinstance(node, Custom) or not node._plain:
            raise refused(node, "it is computed by Python code")
        return self._by_formula(node, inputs)

    def _controlled(self, node: Any, inputs: list[Value]) -> Any:
        if isinstance(node, Switch):
            return control.switch(self.m, node, inputs, self.region)
        if isinstance(node, Loop):
            return control.loop(self.m, node, inputs, self.region)
        return control.while_loop(self.m, node, inputs, self.region)

    def _expanded(self, node: Composite) -> Any:
        return self.of(node.expansion)

    def _by_formula(self, node: Any, inputs: list[Value]) -> Any:
        if isinstance(node, Scan) and _combines(node):
            return control.running(self.m, node, inputs)
        found = node.f(self.m, *inputs, **node.attributes)
        if isinstance(node, MultipleOutputs):
            return [self.m.lift(y, dtype) for y, dtype in zip(found, node.dtype, strict=True)]
        found = self.m.lift(found, node.dtype)
        if found.shape != node.shape:
            found = self.m.broadcast_to(found, node.shape)
        return found


def _combines(node: Any) -> bool:
    """Whether running totals are to be combined by ONNX's Scan: there is no operator for them."""
    return type(node).__name__ != "Cumsum"


def supported(node: Node, dtype: Any) -> Any:
    """The dtype. Raises OnnxError for one that ONNX's operators don't take."""
    if dtype is None or np.dtype(dtype).name not in TYPES:
        raise refused(node, f"ONNX's operators don't take {dtype}")
    return dtype


def refused(node: Node, why: str) -> OnnxError:
    """The error that names an operation that can't be written."""
    name = type(node).__name__
    return OnnxError(f"ONNX can't express {name} ({node.label()}): {why}{node.built()}.",
                     hint="Compute it outside of the exported function.")  # fmt: skip
