"""Reductions: sums, products and extremes over any axes of any view."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dtypes import DType
from ...graph.node import Node
from ...graph.operation import Operation
from ...ops.reduce import All, Any_, Max, Min, Prod, Sum
from ...shapes import axes_in, sizes
from .loops import collapsed, integer, loop, nest, read, typed, write
from .maths import NativeMaths
from .target import host
from .values import Value
from .views import View, row_major

_maths = NativeMaths()
_STREAMS = 4  # sums that run side by side, so that one needn't wait for the other

# How two partial results become one, and what an empty one is.
COMBINE: dict[type, Callable[[Any, Any], Value]] = {
    Sum: lambda a, b: a + b,
    Prod: lambda a, b: a * b,
    Max: _maths.maximum,
    Min: _maths.minimum,
    Any_: lambda a, b: a | b,
    All: lambda a, b: a & b,
}


def start_of(operation: type, dtype: DType) -> Any:
    """The number that changes nothing when combined."""
    if operation in (Max, Min):
        if dtype.kind == "f":
            return -math.inf if operation is Max else math.inf
        if dtype.kind == "b":
            return operation is Min
        return np.iinfo(dtype).min if operation is Max else np.iinfo(dtype).max
    return {Sum: 0, Prod: 1, Any_: 0, All: 1}[operation]


@dataclass(frozen=True)
class Reduction:
    """One reduction of a view."""

    node: Operation

    def emit(self, builder: Any, pointer: Any, views: dict[Node, View]) -> None:
        """The reduction's code. `pointer(node)` gives the start of a node's buffer."""
        x = views[self.node.inputs[0]]
        shape = sizes(self.node.inputs[0].shape)
        gone = set(axes_in(self.node.attributes["axis"], len(shape)))
        kept = [axis for axis in range(len(shape)) if axis not in gone]
        if 0 in [shape[axis] for axis in kept]:
            return
        kept_sizes = tuple(shape[axis] for axis in kept)
        outer, outer_steps = collapsed(
            kept_sizes, [[x.strides[axis] for axis in kept], row_major(kept_sizes)]
        )
        inner, (inner_steps,) = collapsed(
            [shape[axis] for axis in sorted(gone)], [[x.strides[axis] for axis in sorted(gone)]]
        )
        bases = pointer(x.base), pointer(self.node)
        starts = [integer(x.offset), integer(0)]
        emitter = _Emitter(builder, self.node, bases, inner, inner_steps)
        along = outer and outer_steps[0][-1] == 1 and outer_steps[1][-1] == 1
        if along and not (inner_steps and inner_steps[-1] == 1):
            # Neighbouring results lie side by side in x: each lane of a vector is one result.
            length = outer[-1]
            steps = [step[:-1] for step in outer_steps]
            lanes = emitter.lanes if length >= emitter.lanes else 1
            nest(builder, outer[:-1], steps, starts, lambda at: emitter.beside(at, length, lanes))
        else:
            nest(builder, outer, outer_steps, starts, emitter.single)


class _Emitter:
    """Code for the results of one reduction, one or a vector of them at a time."""

    def __init__(
        self, builder: Any, node: Operation, bases: Any, inner: list[int], steps: list[int]
    ) -> None:
        source = node.inputs[0].dtype
        assert source is not None
        assert node.dtype is not None
        self.builder, self.node, self.bases = builder, node, bases
        self.inner, self.steps, self.source, self.dtype = inner, steps, source, node.dtype
        self.lanes = host().lanes(max(source.itemsize, node.dtype.itemsize))
        self.combine = COMBINE[type(node)]

    def beside(self, places: list[Any], length: int, lanes: int) -> None:
        """`length` neighbouring results, in vectors."""
        b = self.builder
        main = length // lanes * lanes
        for start, stop, width in ((0, main, lanes), (main, length, 1)):
            if start == stop:
                continue
            with loop(b, integer(start), integer(stop), width) as index:
                at = b.add(places[0], index)
                total = self._total(at, self.inner, self.steps, width, 1)
                write(b, self.bases[1], total, b.add(places[1], index))

    def single(self, places: list[Any]) -> None:
        """One result; along a contiguous last axis it is summed in vectors."""
        contiguous = bool(self.steps) and self.steps[-1] == 1
        if contiguous and self.inner[-1] >= self.lanes:
            total = self._row(places[0])
        else:
            total = self._total(places[0], self.inner, self.steps, 1, 1)
        write(self.builder, self.bases[1], total, places[1])

    def _read(self, place: Any, lanes: int, step: int) -> Value:
        value = read(self.builder, self.bases[0], self.source, place, lanes, step)
        return value.cast(self.dtype)

    def _start(self, lanes: int) -> Value:
        empty = Value(self.builder, None, self.dtype, lanes)
        return empty.number(start_of(type(self.node), self.dtype))

    def _total(
        self, place: Any, inner: list[int], steps: list[int], lanes: int, step: int
    ) -> Value:
        """Everything from `place` on, combined in order."""
        slot = self._slot(lanes)
        self.builder.store(self._start(lanes).code, slot)

        def add(at: list[Any]) -> None:
            self._combine_into(slot, self._read(at[0], lanes, step), lanes)

        nest(self.builder, inner, [steps], [place], add)
        return Value(self.builder, self.builder.load(slot), self.dtype, lanes)

    def _row(self, place: Any) -> Value:
        """The same along rows: several vectors side by side, then their lanes, then the rest."""
        b, lanes, length = self.builder, self.lanes, self.inner[-1]
        streams = _STREAMS if length >= _STREAMS * lanes else 1
        slots = [self._slot(lanes) for _ in range(streams)]
        rest = self._slot(1)
        for slot in slots:
            b.store(self._start(lanes).code, slot)
        b.store(self._start(1).code, rest)
        main = length // (streams * lanes) * streams * lanes

        def row(at: list[Any]) -> None:
            with loop(b, integer(0), integer(main), streams * lanes) as index:
                for number, slot in enumerate(slots):
                    there = b.add(b.add(at[0], index), integer(number * lanes))
                    self._combine_into(slot, self._read(there, lanes, 1), lanes)
            with loop(b, integer(main), integer(length)) as index:
                self._combine_into(rest, self._read(b.add(at[0], index), 1, 1), 1)

        nest(b, self.inner[:-1], [self.steps[:-1]], [place], row)
        parts = [Value(b, b.load(slot), self.dtype, lanes) for slot in slots]
        while len(parts) > 1:
            parts = [self.combine(a, c) for a, c in zip(parts[::2], parts[1::2], strict=True)]
        return self.combine(self._across(parts[0]), Value(b, b.load(rest), self.dtype, 1))

    def _across(self, vector: Value) -> Value:
        """All lanes combined, neighbours first."""
        b = self.builder
        parts = [
            Value(b, b.extract_element(vector.code, integer(lane)), self.dtype, 1)
            for lane in range(vector.lanes)
        ]
        while len(parts) > 1:
            parts = [self.combine(a, c) for a, c in zip(parts[::2], parts[1::2], strict=True)]
        return parts[0]

    def _slot(self, lanes: int) -> Any:
        with self.builder.goto_entry_block():
            slot = self.builder.alloca(typed(self.dtype, lanes))
        return slot

    def _combine_into(self, slot: Any, value: Value, lanes: int) -> None:
        before = Value(self.builder, self.builder.load(slot), self.dtype, lanes)
        self.builder.store(self.combine(before, value).code, slot)


def fits(node: Operation) -> bool:
    """Whether the reduction is one that generated code can do."""
    return type(node) in COMBINE
