"""Values of an ONNX graph that is being written, and the list of its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from ...dtypes import Array, DType
from ...errors import GraphError
from ...maths.operands import Operand


class Value(Operand):
    """An array in the graph: its name, and its shape and dtype, both known.

    Operators and indices call functions of `m`, as those of arrays call NumPy's.
    """

    __array_ufunc__ = None  # NumPy's scalars leave `scalar * value` to this class

    def __init__(self, m: Any, name: str, shape: Sequence[int], dtype: Any) -> None:
        self.m, self.name = m, name
        self.shape, self.dtype = tuple(map(int, shape)), np.dtype(dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def applied(self, name: str, *operands: Any) -> Any:
        return getattr(self.m, name)(*operands)

    def __getitem__(self, index: Any) -> Value:
        return self.m.slice_of(self, index)

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        raise GraphError("a formula reads a value, which is known only when the model runs")

    def __repr__(self) -> str:
        return f"<{self.name} {self.shape} {self.dtype}>"


@dataclass
class Entry:
    """One node of the graph. An attribute that is a `Block` is a subgraph."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    label: str = ""  # the node of palingrad that it computes


@dataclass
class Block:
    """A graph or subgraph: entries in order, constants by name, and the names of its ends."""

    inputs: list[Value] = field(default_factory=list[Value])
    outputs: list[Value] = field(default_factory=list[Value])
    entries: list[Entry] = field(default_factory=list[Entry])
    constants: dict[str, Array] = field(default_factory=dict[str, Array])
    known: dict[Any, Any] = field(default_factory=dict[Any, Any])  # results by what computes them
    parent: Block | None = None

    def find(self, key: Any) -> Any:
        """The results of an equal computation here or in an outer graph, or None."""
        block: Block | None = self
        while block is not None:
            if key in block.known:
                return block.known[key]
            block = block.parent
        return None


class Writer:
    """Adds nodes to the innermost open block. Equal computations are written once."""

    if TYPE_CHECKING:  # the functions of `m` are those of the subclasses

        def __getattr__(self, name: str) -> Any: ...

    def __init__(self, opset: int, general: bool = False) -> None:
        self.opset = opset
        self.general = general  # whether the graph must not depend on which sizes are equal
        self.block = Block()
        self.label = ""  # of the node of palingrad that is being written
        self._numbers = count()

    def fresh(self, hint: str) -> str:
        """A name that no other value has."""
        return f"{hint}_{next(self._numbers)}"

    def constant(self, array: Any) -> Value:
        """A constant of the graph."""
        array = np.asarray(array)
        key = ("constant", array.dtype.str, array.shape, array.tobytes())
        found = None if self.general else self.block.find(key)
        if found is None:
            found = Value(self, self.fresh("constant"), array.shape, array.dtype)
            self.block.constants[found.name] = array
            self.block.known[key] = found
        return found

    def op(
        self, op: str, *inputs: Value | None, shape: Any, dtype: Any, **attributes: Any
    ) -> Value:
        """The result of an ONNX operator. An input of None is an optional one that is left out."""
        return self.ops(op, *inputs, forms=[(shape, dtype)], **attributes)[0]

    def ops(
        self, op: str, *inputs: Value | None, forms: Sequence[tuple[Any, Any]], **attributes: Any
    ) -> list[Value]:
        """The results of an ONNX operator, of these shapes and dtypes."""
        names = tuple("" if x is None else x.name for x in inputs)
        plain = not any(isinstance(one, Block) for one in attributes.values())
        key = (op, names, repr(sorted(attributes.items()))) if plain else None
        found = None if key is None else self.block.find(key)
        if found is None:
            found = [Value(self, self.fresh(op.lower()), *form) for form in forms]
            outputs = tuple(y.name for y in found)
            self.block.entries.append(Entry(op, names, outputs, attributes, self.label))
            if key is not None:
                self.block.known[key] = found
        return found

    def cast_to(self, x: Value, dtype: DType) -> Value:
        """x in another dtype by ONNX's own rules; x itself if it has it."""
        if x.dtype == dtype:
            return x
        return self.op("Cast", x, shape=x.shape, dtype=dtype, to=TYPES[np.dtype(dtype).name])


# The numbers of dtypes in ONNX's TensorProto.DataType.
TYPES = {
    "float32": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7,
    "bool": 9, "float16": 10, "float64": 11, "uint32": 12, "uint64": 13,
}  # fmt: skip
