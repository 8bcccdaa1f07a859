"""Graphs as JSON: operations by name, with attributes, shapes and dtypes. Reading executes no code.

Only the library's own operations are written and read. Each node's shape and dtype is inferred
again when it is read, and must be the one that was written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import CheckpointError, PalingradError, printable
from ..graph.context import graph_scope
from ..graph.kinds import AnonymousGraph, Assign, Random
from ..graph.leaves import Constant, Placeholder, Variable
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.regions.key import attribute_key
from ..graph.regions.region import Region, parameter
from ..graph.registry import is_shipped, later, name_of, operations
from ..graph.state.imports import imported
from ..graph.traversal.order import postorder
from .attributes import decoded, dtype_named, encoded

Written = dict[str, Any]
_INLINE = 16  # elements of an array of numbers that is written into the JSON
# What reading JSON of another structure, or attributes that an operation doesn't take, raises.
MALFORMED = (PalingradError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError,
             AssertionError, NotImplementedError, RecursionError, MemoryError)  # fmt: skip


class Writer:
    """Writes graphs. `arrays` are the values of Variables and large constants, by name."""

    def __init__(self, names: Mapping[Variable, str]) -> None:
        self.arrays: dict[str, Any] = {}
        self._names = dict(names)

    def graph(self, parameters: Sequence[Node], results: Sequence[Node]) -> Written:
        """The graph as JSON: its nodes, inputs first, and the numbers of the results."""
        order = postorder(*results)
        given = set(parameters)
        nodes = [*parameters, *(node for node in order if node not in given)]
        places = {node: place for place, node in enumerate(nodes)}
        return {
            "parameters": len(parameters),
            "nodes": [self._node(node, places, node in given) for node in nodes],
            "results": [places[node] for node in results],
        }

    def _node(self, node: Node, places: Mapping[Node, int], is_parameter: bool) -> Written:
        if is_parameter:
            return {"input": node._name, **_form(node), "weak": encoded(node.weak)}
        if isinstance(node, Variable):
            name = self._names.setdefault(node, self._free(node._name or "variable"))
            self.arrays[name] = node
            return {"variable": name, "trainable": node.trainable}
        if isinstance(node, Constant):
            return self._constant(node)
        if not isinstance(node, Operation):
            raise CheckpointError(f"save_model: {node.label()}{node.built()} isn't an input.",
                                  hint="Pass it to the model as an argument.")  # fmt: skip
        self._check_kind(node)
        return {
            "operation": name_of(type(node)),
            "inputs": [places[x] for x in node.inputs],
            "attributes": {key: self._attribute(node, x) for key, x in node.attributes.items()},
            **_form(node),
        }

    def _free(self, name: str) -> str:
        taken = {*self._names.values()}
        number, found = 1, name
        while found in taken:
            number += 1
            found = f"{name}_{number}"
        return found

    def _constant(self, node: Constant) -> Written:
        if node.weak is not None:
            return {"number": encoded(node.weak)}
        return {"constant": self._array(node.numpy())}

    def _array(self, value: Array) -> Written:
        if value.size <= _INLINE:
            values = [encoded(x) for x in value.ravel().tolist()]
            return {"dtype": value.dtype.name, "shape": list(value.shape), "values": values}
        name = f"constant {len(self.arrays)}"
        self.arrays[name] = value
        return {"array": name}

    @staticmethod
    def _check_kind(node: Operation) -> None:
        if isinstance(node, (Assign, Random)):
            what = "draws random numbers" if isinstance(node, Random) else "assigns a Variable"
            raise CheckpointError(f"save_model: {node.label()} {what}{node.built()}, which a "
                                  "saved model can't.",
                                  hint="Pass random numbers as an input; save it as it is in "
                                  "evaluation.")  # fmt: skip
        if not is_shipped(type(node)):
            raise CheckpointError(
                f"save_model: {type(node).__name__} isn't one of palingrad's operations"
                f"{node.built()}: its formula is code, which isn't saved.",
                hint="Write it by functions of pg.",
            )

    def _attribute(self, node: Operation, value: Any) -> Any:
        if isinstance(value, tuple) and value and all(type(x) is Region for x in value):
            return {"regions": [self.graph(x.parameters, x.results) for x in value]}
        if isinstance(value, np.ndarray):
            return {"constant": self._array(value)}
        written = encoded(value)
        try:
            same = attribute_key(decoded(written)) == attribute_key(value)
        except MALFORMED:
            same = False
        if not same:
            raise CheckpointError(f"save_model: {node.label()}{node.built()} has an attribute that "
                                  f"can't be saved: {value!r:.60}.")  # fmt: skip
        return written


class Reader:
    """Reads graphs that Writer wrote, or others wrote. `variables` are those that were read."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = arrays
        self.variables: dict[str, Variable] = {}

    def graph(self, written: Any) -> Region:
        """The graph. Raises CheckpointError, or one of MALFORMED, if it is none."""
        nodes: list[Node] = []
        count = written["parameters"]
        with graph_scope(AnonymousGraph(), hidden=True):
            for place, one in enumerate(written["nodes"]):
                try:
                    nodes.append(self._node(one, nodes, place < count))
                except MALFORMED as error:
                    fact = error.fact if isinstance(error, PalingradError) else str(error)
                    raise CheckpointError(f"node {place}: {printable(fact) or type(error).__name__}"
                                          ) from error  # fmt: skip
        results = tuple(_at(nodes, place) for place in written["results"])
        return Region(tuple(nodes[:count]), results)  # pyright: ignore[reportArgumentType]

    def _node(self, one: Any, nodes: Sequence[Node], is_parameter: bool) -> Node:
        if is_parameter:
            return _parameter(one)
        if "variable" in one:
            return self._variable(one["variable"], one["trainable"])
        if "number" in one:
            number = decoded(one["number"])
            if type(number) not in (bool, int, float, complex):
                raise ValueError(f"{number!r:.40} is no number")
            return Constant(number)
        if "constant" in one:
            return Constant.holding(self._array(one["constant"]))
        operation = _operation(one["operation"])
        inputs = [_at(nodes, place) for place in one["inputs"]]
        attributes = {_checked(key): self._attribute(x)
                      for key, x in one["attributes"].items()}  # fmt: skip
        node = operation.applied(inputs, attributes)
        if _form(node) != {"shape": one["shape"], "dtype": one["dtype"]}:
            raise ValueError(f"{node.label()} has shape and dtype {_form(node)}, not "
                             f"{one['shape']!r:.60} {one['dtype']!r:.60}")  # fmt: skip
        return node

    def _variable(self, name: Any, trainable: Any) -> Variable:
        if name not in self.variables:
            if type(trainable) is not bool:
                raise ValueError(f"trainable is {trainable!r:.40}")
            array = self._arrays[name]
            with graph_scope(None):
                made = Variable(array, trainable=trainable, name=name)
            self.variables[name] = made
        return self.variables[name]

    def _array(self, written: Any) -> Array:
        if "array" in written:
            return self._arrays[written["array"]]
        values = [decoded(x) for x in written["values"]]
        dtype, shape = dtype_named(written["dtype"]), tuple(written["shape"])
        array = np.array(values, dtype).reshape(shape)
        if array.size != len(values) or -1 in shape:
            raise ValueError(f"{len(values)} values don't have shape {shape}")
        array.setflags(write=False)
        return array

    def _attribute(self, written: Any) -> Any:
        if isinstance(written, dict) and "regions" in written:
            return tuple(self.graph(one) for one in written["regions"])
        if isinstance(written, dict) and "constant" in written:
            return self._array(written["constant"])
        return decoded(written)


def _form(node: Any) -> Written:
    """Shape and dtype as JSON."""
    dtype = node.dtype
    several = isinstance(dtype, tuple)
    names: Any = [one.name for one in dtype] if several else None if dtype is None else dtype.name
    return {"shape": _listed(node.shape), "dtype": names}


def _listed(shape: Any) -> Any:
    if not isinstance(shape, tuple):
        return shape
    sizes: list[Any] = [_listed(size) for size in shape]
    return sizes


def _parameter(one: Any) -> Placeholder:
    shape = one["shape"]
    if shape is not None:
        shape = tuple(shape)
        if not all(x is None or (type(x) is int and 0 <= x < 2**63) for x in shape):
            raise ValueError(f"no input has shape {shape!r:.60}")
    name = one["input"]
    if not (name is None or isinstance(name, str)):
        raise ValueError(f"no input is called {name!r:.40}")
    weak = decoded(one.get("weak"))
    if type(weak) not in (bool, int, float, complex, type(None)):
        raise ValueError(f"{weak!r:.40} is no number")
    dtype = None if one["dtype"] is None else dtype_named(one["dtype"])
    return parameter((shape, dtype, weak), name=name)


def _at(nodes: Sequence[Node], place: Any) -> Node:
    if type(place) is not int or not 0 <= place < len(nodes):
        raise ValueError(f"there is no node {place!r:.40} before it")
    return nodes[place]


def _operation(name: Any) -> type[Operation]:
    """The library's operation of this name. Its module is imported only if it is one of those that
    the library lists."""
    found = operations.get(name) if isinstance(name, str) else None
    if found is None and isinstance(name, str):
        for module in sorted(set(later.values())):
            imported(module)
        found = operations.get(name)
    if found is None or not is_shipped(found) or issubclass(found, (Assign, Random)):
        raise ValueError(f"there is no operation {name!r:.80}")
    return found


def _checked(key: Any) -> str:
    """The name of an attribute, unless it would replace a method or what every node has."""
    if not isinstance(key, str) or not key.isidentifier() or key[0] == "_" or key in _RESERVED:
        raise ValueError(f"{key!r:.40} is no attribute")
    return key


_STATE = {"inputs", "graph", "attributes", "weak", "units", "jacobian", "grad", "name"}
_RESERVED = _STATE.union(x for x in dir(Operation) if callable(getattr(Operation, x, None)))
