"""Fallbacks in a run: calls of NumPy between segments, and the arrays that they read.

What doesn't change from run to run is found once, when the Program is compiled: where each operand
is in a run's memory, and the function to call. So a call costs little more than NumPy's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...dtypes import Array
from ...graph.node import Node
from ...graph.operation import Item, MultipleOutputs, Operation
from ...shapes import sizes
from ..ufuncs import single_ufunc
from .llvm.strided_view import View
from .native_loops import formula_of
from .plan.schedule import Schedule
from .runtime.buffers import BufferTable, Memory

Call = Callable[[Memory], None]
Reader = Callable[[Memory], Any]


def reader(node: Node, schedule: Schedule, buffers: BufferTable) -> Reader:
    """The function that finds the node's value in the memory of a run."""
    view = schedule.views.get(node)
    if view is None:  # computed by NumPy: several outputs, or a dtype without native code
        return lambda memory: memory.tuple_results[node]
    number, _ = buffers.place(view.base)
    if number >= buffers.count:  # in the arena, whose address doesn't change

        def in_arena(memory: Memory) -> Array:
            array = memory.windows.get(node)
            if array is None:
                array = seen(buffers.buffer(view.base, memory), view)
                memory.windows[node] = array
            return array

        return in_arena
    if view.plain and view.shape == sizes(view.base.shape):
        return lambda memory: memory.arrays[number]
    return lambda memory: seen(memory.arrays[number], view)


def seen(array: Array, view: View) -> Array:
    """The elements of a buffer that a view shows."""
    if view.plain:
        return array.reshape(view.shape)
    if 0 in view.shape:
        return np.empty(view.shape, array.dtype)
    width = array.itemsize
    strides = [step * width for step in view.strides]
    flat = array.reshape(-1)
    shown = np.ndarray(view.shape, array.dtype, flat, view.offset * width, strides)
    shown.setflags(write=False)
    return shown


class Fallbacks:
    """The operations of a schedule that NumPy computes."""

    def __init__(self, schedule: Schedule, buffers: BufferTable) -> None:
        self._schedule, self._buffers = schedule, buffers
        views = schedule.views
        native = [one.kernel for one in schedule.kernels if one.kernel.is_native]
        # Generated code reads these, so their addresses must be in the table.
        self._read = {views[x].base for kernel in native for x in kernel.reads() if x in views}

    def are_handed_out(self, node: Node) -> bool:
        """Whether NumPy computes the node in an array that may be returned without a copy. A user's
        operation may keep what it returns, and change it later."""
        one = self._schedule.producer.get(node)
        if one is None or one.kernel.is_native or node not in self._schedule.views:
            return False
        return all(x._shipped for x in (node, *node.inputs[:1]) if isinstance(x, Operation))

    def call(self, node: Operation) -> Call:
        """The function that computes the node in the memory of a run."""
        readers = [reader(x, self._schedule, self._buffers) for x in node.inputs]
        if isinstance(node, Item):
            (whole,), index = readers, node.attributes["index"]
            return self._put(node, lambda memory: whole(memory)[index])  # in memory of its own
        function = single_ufunc(node) or formula_of(node)
        shipped = node._shipped
        if isinstance(node, MultipleOutputs):

            def several(memory: Memory) -> None:
                inputs = [one(memory) for one in readers]
                results = function(*inputs)
                memory.tuple_results[node] = [_apart(one, inputs, shipped) for one in results]

            return several

        def computed(memory: Memory) -> Array:
            inputs = [one(memory) for one in readers]
            return _apart(function(*inputs), inputs, shipped)

        return self._put(node, computed)

    def _put(self, node: Operation, compute: Reader) -> Call:
        """The function that puts what `compute` returns where the node's readers look for it."""
        if node not in self._schedule.views:  # a dtype that generated code doesn't support

            def keep(memory: Memory) -> None:
                memory.tuple_results[node] = compute(memory)

            return keep
        number, _ = self._buffers.place(node)
        shape, is_read = sizes(node.shape), node in self._read
        seals = self.are_handed_out(node)

        def put(memory: Memory) -> None:
            array = compute(memory)
            if array.shape != shape:
                array = array.reshape(shape)
            if seals:
                array.setflags(write=False)
            if is_read:
                memory.point(number, array)
            else:
                memory.arrays[number] = array

        return put


def _apart(result: Any, inputs: Sequence[Any], shipped: bool) -> Array:
    """`result` as a contiguous array in memory of its own: an input's memory is reused when its
    live range has ended. A result of the library's that owns its memory is new, or an input."""
    array = np.asarray(result, order="C")  # a scalar stays one
    owns = shipped and array.base is None
    for x in inputs:
        for part in x if isinstance(x, (tuple, list)) else (x,):
            if array is part or not (owns or not np.may_share_memory(array, part)):
                return array.copy()
    return array
