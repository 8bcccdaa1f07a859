"""Loops whose steps run one after another inside one native call.

The body is compiled as a Program of its own. Between steps the generated `run` moves the pointers
to its arrays: forwards or backwards by a row along arrays that are sliced or stacked, and back and
forth between the two halves of a carry's memory, one of which a step reads while it writes the
other. A carry of which a step only replaces some rows, such as a cache, is changed where it is. So
a step allocates nothing and calls no Python, and the code doesn't depend on their number.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from ...dtypes import Array
from ...graph.context import graph_scope
from ...graph.declared.bounds import Bounds
from ...graph.kinds import AnonymousGraph, Contract, Elementwise, Layout, Reduce, ScatterUpdate
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import Item, Operation
from ...graph.regions.region import Region
from ...graph.regions.regional import Body, Regional, Steps
from ...graph.registry import ops
from ...passes.program import Program
from ...shapes import sizes
from ..numpy import body_of, formula
from .kernels import control
from .kernels.movement.gather_scatter import Scatter
from .llvm.strided_view import layout_view, whole
from .plan.index_checks import hold_of
from .runtime.aligned_alloc import placed
from .runtime.buffers import HELD, Memory, is_as_made

TIMES = 3  # the word of a block that holds the number of repetitions
_CALL_SECONDS = 0.05  # of one native call, so that an interrupt needn't wait for long
_FIRST = 1024  # steps of the first call at most

_compilers: list[tuple[Callable[..., Any], type[Any]]] = []


class StepFailed(Exception):
    """A step of a loop has failed; the error is that of the step, taken again by itself."""


def compile_with(compile: Callable[..., Any], native: type[Any]) -> None:
    """Register what compiles a body, and the class of the executables that have machine code."""
    _compilers[:] = [(compile, native)]


def formula_of(node: Operation) -> Callable[..., Any]:
    """The function that computes a node without a kernel: NumPy's formula; for a loop or a branch
    one whose bodies are machine code."""
    return _looped(node) if isinstance(node, Regional) else formula(node)


def _looped(node: Regional) -> Callable[..., Any]:
    steps = node.steps()
    if steps is not None:
        executable, native = _steps_compiled(node, steps)
        body = node.regions[0]
        if isinstance(executable, native) and why_not_inside(node, steps, executable) is None:
            loop = NativeLoop(body, steps, executable)
            return lambda *values: _taken(node, loop, values)
    bodies = [_body(region) for region in node.regions]
    return lambda *values: node.run(bodies, *values)


def _steps_compiled(node: Regional, steps: Steps) -> tuple[Any, type[Any]]:
    """The executable of a step, and the class of those with machine code. Steps that go backwards
    are mostly a gradient's, whose cotangents shrink until subnormal numbers make them slow."""
    compile, native = _compilers[0]
    program = region_program(node.regions[0])
    return compile(program, inside=True, flushes=steps.reverse), native


def _taken(node: Regional, loop: NativeLoop, values: Sequence[Array]) -> Sequence[Any]:
    """All steps of a loop; if one fails, they are taken again one by one, for its error."""
    try:
        return loop(*values)
    except StepFailed:
        return node.run([_body(region) for region in node.regions], *values)


def how_run(node: Regional) -> str:
    """How the bodies of an operation with regions are run, for `explain()`."""
    taken = node.steps()
    if taken is None:
        why = control.planned(node, inside=False)
        return f"Python chooses and repeats, and each body is a native call, because {why}"
    executable, native = _steps_compiled(node, taken)
    steps = f"{taken.length:,} steps"
    if not isinstance(executable, native):
        return f"{steps}, by NumPy, because nothing in the body has a kernel"
    why = why_not_inside(node, taken, executable)
    if why is not None:
        return f"{steps}, of one native call each, because {why}"
    kernels = len(executable.schedule.kernels)
    alone = sum(changed_in_place(executable, taken.carries))
    how = f"; {alone} carr{'ies change' if alone > 1 else 'y changes'} in place" if alone else ""
    return f"{steps} of {kernels} kernel{'s' if kernels > 1 else ''} within one native call{how}"


def region_program(region: Region) -> Program:
    """The region as a Program each of whose results is computed, in an array of its own."""
    results: list[Node] = []
    with graph_scope(AnonymousGraph(), hidden=True, observed=False):
        seen: set[Node] = set()
        for y in region.results:
            results.append(y if _is_alone(y) and y not in seen else ops.cast(y, y.dtype))  # a copy
            seen.add(y)
    return Program(region.parameters, tuple(results))


def _is_alone(y: Node) -> bool:
    """Whether the node's value is in memory of its own, not a leaf's or another's."""
    if isinstance(y, Layout):
        return layout_view(y, whole(y.inputs[0])) is None
    if isinstance(y, ScatterUpdate):  # constant indices may make it another operation
        return not all(isinstance(index, Constant) for index in y.inputs[2:])
    return isinstance(y, (Elementwise, Reduce, Contract, Item))


def _body(region: Region) -> Body:
    compile, native = _compilers[0]
    executable = compile(Program(region.parameters, region.results))
    if not isinstance(executable, native):
        return body_of(region)
    return lambda values: executable([np.asarray(value) for value in values])


def why_not_inside(node: Regional, steps: Steps, executable: Any) -> str | None:
    """Why the steps can't be taken within one native call; None if they can."""
    if executable._rest or executable._lease is not None:
        return "NumPy computes a part of its body"
    slots = [one.slot for one in executable._outputs]
    if any(slot not in executable._result_slots for slot in slots) or len({*slots}) < len(slots):
        return "a result of its body isn't in an array of its own"
    carried = [one for one in executable.buffers.checks if one[0] < steps.carries]
    results = node.regions[0].results
    if not all(
        hold_of(check, results[slot]) or _counts_within(check, node, slot)
        for slot, check in carried
    ):
        return "a carry is an index, which is checked before each step"
    return None


def _counts_within(bounds: Bounds, node: Regional, carry: int) -> bool:
    """Whether a carry is a counter that stays in the bounds."""
    counts = node.counter(carry)
    return counts is not None and bounds.allow(min(counts), max(counts))


def changed_in_place(executable: Any, carries: int) -> list[bool]:
    """For each carry, whether the next one can be written over it: it is an update of its rows, and
    nothing else reads the carry."""
    schedule, program = executable.schedule, executable.program
    views = schedule.views
    readers: dict[Node, int] = {}
    updates: dict[Node, Scatter] = {}
    for kernel in (one.kernel for one in schedule.kernels):
        for base in [views[x].base for x in kernel.reads() if x in views]:
            readers[base] = readers.get(base, 0) + 1
        if isinstance(kernel, Scatter):
            updates[kernel.fused.first] = kernel
    found: list[bool] = []
    for carry, y in zip(program.feeds[:carries], program.outputs[:carries], strict=True):
        kernel = updates.get(views[y].base)
        columns = None if kernel is None else kernel.columns
        found.append(columns is not None and columns.x is not None and columns.x.base is carry
                     and columns.x_is_whole and readers[carry] == 1)  # fmt: skip
    return found


class NativeLoop:
    """The steps of an operation as machine code, within one native call or a few long ones."""

    def __init__(self, body: Region, steps: Steps, executable: Any) -> None:
        self.executable = executable
        executable.is_body = True
        self._first, self._slices, self._length, self._reverse = steps
        self._forms = [(sizes(y.shape), y.dtype) for y in body.results]
        self._slots = [output.slot for output in executable._outputs]
        self._halves = [2 - alone for alone in changed_in_place(executable, self._first)]
        seconds = 1e-9 * sum(one.kernel.cost for one in executable.schedule.kernels)  # of a step
        self._at_once = max(min(int(_CALL_SECONDS / max(seconds, 1e-9)), _FIRST), 1)
        self._kept: list[list[Any]] = []  # the stacks of earlier calls
        whole: list[tuple[tuple[int, ...], Any]] = [
            ((self._length, *shape), dtype) for shape, dtype in self._forms[self._first :]
        ]
        self._stacked = [
            (shape, np.empty(shape, dtype).strides if 0 not in shape else None, dtype)
            for shape, dtype in whole
        ]

    def __call__(self, *values: Array) -> Sequence[Any]:
        first, length = self._first, self._length
        if not length:
            empty = [np.empty((0, *shape), dtype) for shape, dtype in self._forms[first:]]
            return [*(np.array(c) for c in values[:first]), *empty]
        carries = [_places_of(x, count) for x, count in zip(values[:first], self._halves)]
        given = [np.require(value, requirements=["C", "A"]) for value in values[first:]]
        stacks = self._new_stacks()
        buffers = self.executable.buffers
        memory: Memory = buffers.taken()
        try:
            self._steps(memory, carries, given, stacks)
        finally:
            memory.block[TIMES] = 1
            for number in range(len(memory.moves)):
                memory.moves[number], memory.turns[number] = 0, 1
        buffers.idle.append(memory)
        self._kept.append(stacks)
        return [*(np.array(places[length % len(places), ...]) for places in carries), *stacks]

    def _new_stacks(self) -> list[Array]:
        """Memory for the stacks: an earlier call's where nobody holds it any more. A new array
        costs a page fault for every 4 kB, which is as long as a step of many bodies."""
        stacks: list[Any]
        try:
            stacks = self._kept.pop()
        except IndexError:
            stacks = [None] * len(self._stacked)
        for place, (shape, strides, dtype) in enumerate(self._stacked):
            array = stacks[place]
            if (
                array is None
                or sys.getrefcount(array) > HELD
                or not is_as_made(array, strides, dtype)
            ):
                stacks[place] = placed(shape, dtype, place)
        return stacks

    def _steps(
        self, memory: Memory, carries: list[Array], given: list[Array], stacks: list[Array]
    ) -> None:
        """Takes all steps, in calls of about `_CALL_SECONDS`."""
        first, slices, length = self._first, self._slices, self._length
        moves, turns, objects = memory.moves, memory.turns, memory.objects
        direction = -1 if self._reverse else 1
        done = 0
        while done < length:
            count = min(self._at_once, length - done)
            start = length - 1 - done if self._reverse else done
            held: dict[int, Array] = {}  # what `objects` points to must live until the call ends

            def show(number: int, array: Array, move: int, turn: int = 1, held: Any = held) -> None:
                held[number] = array
                objects[number] = id(array)
                moves[number], turns[number] = move, turn

            for number, places in enumerate(carries):
                here, there = done % len(places), (done + 1) % len(places)
                step = places[0].nbytes * (there - here)
                show(number, places[here, ...], step, -1)
                show(self._slots[number], places[there, ...], -step, -1)
            for number, array in enumerate(given[:slices], first):
                show(number, self._rows(number, array, start, count), direction * array[0].nbytes)
                if number in self._checked:
                    moves[number] = array[0].nbytes
            for number, array in enumerate(given[slices:], first + slices):
                show(number, array, 0)
            for slot, stack in zip(self._slots[first:], stacks, strict=True):
                show(slot, stack[start, ...], direction * stack[0].nbytes)
            memory.block[TIMES] = count
            begin = perf_counter()
            self.executable._call(memory, [held[n] for n in range(first + len(given))])
            seconds = max(perf_counter() - begin, 1e-9)
            done += count
            self._at_once = max(min(int(count * _CALL_SECONDS / seconds), 8 * self._at_once), 1)

    @property
    def _checked(self) -> set[int]:
        return {slot for slot, _ in self.executable.buffers.checks}

    def _rows(self, number: int, array: Array, start: int, count: int) -> Array:
        """The row of the first step; where integers are checked before the first, all rows, in the
        order of the steps."""
        if number not in self._checked:
            return array[start, ...]
        if not self._reverse:
            return array[start : start + count]
        return np.ascontiguousarray(array[start - count + 1 : start + 1][::-1])


def _places_of(value: Array, count: int) -> Array:
    """Memory for a carry, once or twice, of which the first is this one."""
    places = np.empty((count, *value.shape), value.dtype)
    places[0] = value
    return places
