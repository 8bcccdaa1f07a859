"""The code of control flow in registers.

A region's operations are straight-line code on vectors. Carries go from step to step in registers,
and what is the same in all steps stays there; rows of xs are read, and rows of stacks written,
where they are in memory. A branch jumps, and its results meet after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from .....dtypes import DType
from .....graph.kinds import Elementwise
from .....graph.leaves import Constant
from .....graph.node import Node
from .....graph.operation import Item, Operation
from .....graph.regions.regional import Regional, Repeats, Steps
from .....graph.state.records import dataclass
from .....shapes import sizes
from ...llvm.builder import INT
from ...llvm.loops import integer, loop, read, write
from ...llvm.strided_view import View, row_major
from ...llvm.values import Value
from ..formula import dtype_of, is_number
from .operations import computed
from .plan import Flow, RegistersPlan, Straight, cost_of
from .registers import Form, Registers

Look = Callable[[float], None]  # emits a look at signals after so many nanoseconds
Values = dict[Node, Any]  # the Registers or Memory of each value, those of results in a list
_TRUE = ir.Constant(ir.IntType(1), 1)


@dataclass(frozen=True, eq=False)
class Memory:
    """An array in memory: a pointer to its buffer, and where in it the elements are."""

    pointer: Any
    dtype: DType
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0

    @classmethod
    def of(cls, view: View, pointer: Any) -> Memory:
        """The memory of a view whose buffer begins at `pointer`."""
        return cls(pointer, dtype_of(view.base), view.shape, view.strides, view.offset)


class Emitter:
    """Emits the code of a plan. `area(key)` is a pointer to a place of the workspace."""

    def __init__(
        self, builder: Any, plan: RegistersPlan, area: Callable[[int], Any], look: Look | None
    ) -> None:
        self.b, self._plan, self._most = builder, plan, plan.most
        self._area, self._look = area, look

    def run(self, given: Sequence[Memory], results: Mapping[int, Memory]) -> None:
        """Emits all of it: from the inputs in memory to the results that are needed."""
        flow, steps = self._plan.flow, self._plan.flow.steps
        rows = range(steps.carries, steps.carries + steps.slices) if steps else range(0)
        held = [x if n in rows else self.loaded(x) for n, x in enumerate(given)]
        found = self._flow(flow, held, results)
        for n, place in results.items():
            if isinstance(found[n], Registers):
                self.store(place, found[n], integer(0))

    # ---------------------------------------------------------------- a region

    def _region(self, straight: Straight, given: Sequence[Any]) -> list[Registers]:
        """Emits a region: its results."""
        values: Values = dict(zip(straight.program.feeds, given, strict=True))
        self._before(straight, values)
        return self._after(straight, values)

    def _before(self, straight: Straight, values: Values) -> None:
        """Emits what depends on nothing but these values."""
        order = straight.program.order
        for node in order:
            if isinstance(node, Constant) and not is_number(node):
                values[node] = self.constant(node)
        for node in order:
            if (
                isinstance(node, Operation)
                and not isinstance(node, (Regional, Item))
                and all(is_number(x) or x in values for x in node.inputs)
            ):
                self._compute(node, values)

    def _after(self, straight: Straight, values: Values) -> list[Registers]:
        """Emits everything else, and returns the region's results."""
        for node in straight.program.order:
            if node in values or not isinstance(node, Operation):
                continue
            if isinstance(node, Item):
                values[node] = values[node.inputs[0]][node.attributes["index"]]
            elif isinstance(node, Regional):
                values[node] = self._inner(straight.inner[node], values)
            else:
                self._compute(node, values)
        return [self._held(y, values) for y in straight.program.outputs]

    def _held(self, x: Node, values: Values) -> Registers:
        """A value in registers."""
        found = self.constant(x) if is_number(x) else values[x]
        return self.loaded(found) if isinstance(found, Memory) else found

    def _compute(self, node: Operation, values: Values) -> None:
        xs = [None if is_number(x) else self._held(x, values) for x in node.inputs]
        if all(x is None for x in xs) or not isinstance(node, Elementwise):
            xs = [self.constant(y) if x is None else x
                  for x, y in zip(xs, node.inputs, strict=True)]  # fmt: skip
        values[node] = computed(node, xs, self._most)

    def _inner(self, flow: Flow, values: Values) -> list[Any]:
        """Emits a loop or branch in a region."""
        node, steps = flow.node, flow.steps
        rows = range(steps.carries, steps.carries + steps.slices) if steps else range(0)
        given: list[Any] = []
        for n, x in enumerate(node.inputs):
            if n in rows:
                given.append(self._rows(node, n, None if is_number(x) else values[x]))
                continue
            given.append(self._held(x, values))
        places: dict[int, Memory] = {}
        if steps is not None:
            for n, y in enumerate(flow.regions[0].program.outputs):
                if n >= steps.carries:
                    places[n] = self._place(node, "stack", n, (steps.length, *sizes(y.shape)), y)
        return self._flow(flow, given, places)

    def _place(
        self, node: Node, what: str, number: int, shape: tuple[int, ...], like: Node
    ) -> Memory:
        """A place of the workspace."""
        pointer = self._area(self._plan.rows[node, what, number])
        return Memory(pointer, dtype_of(like), shape, row_major(shape))

    def _rows(self, node: Regional, number: int, held: Any) -> Memory:
        """Emits the store of rows that a loop reads, unless they are in memory."""
        if isinstance(held, Memory):
            return held
        x = node.inputs[number]
        place = self._place(node, "rows", number, sizes(x.shape), x)
        self.store(place, self.constant(x) if held is None else held, integer(0))
        return place

    # ---------------------------------------------------------------- loops and branches

    def _flow(self, flow: Flow, given: Sequence[Any], places: Mapping[int, Memory]) -> list[Any]:
        """Emits a loop or branch: its results. Its stacks are written to these places."""
        for x in given:
            if isinstance(x, Registers):
                x.arrange()  # here: other code may not run
        steps, repeats = flow.steps, flow.node.repeats()
        if steps is not None:
            return self._step(flow, steps, given, places)
        if repeats is not None:
            return self._repeat(flow, repeats, given)
        return self._choose(flow, given)

    def _step(
        self, flow: Flow, steps: Steps, given: Sequence[Any], places: Mapping[int, Memory]
    ) -> list[Any]:
        b, (body,), (first, slices, length, reverse) = self.b, flow.regions, steps
        feeds = body.program.feeds
        values: Values = dict(zip(feeds[first + slices :], given[first + slices :], strict=True))
        for x in given[first + slices :]:
            x.is_fixed = True
        self._before(body, values)
        before = b.block
        with loop(b, integer(0), integer(length)) as index:
            inside = b.block
            with b.goto_block(index.parent):
                b.position_after(index)
                phis = _Phis(b, given[:first], before)
            b.position_at_end(inside)
            values.update(zip(feeds[:first], phis.held, strict=True))
            row = b.sub(integer(length - 1), index) if reverse else index
            for x, memory in zip(feeds[first : first + slices], given[first:], strict=False):
                values[x] = self._row(memory, row)
            found = self._after(body, values)
            for n, place in places.items():
                if n >= first:
                    self.store(place, found[n], b.mul(row, integer(found[n].form.size)))
            phis.close(found[:first])
        return [*phis.held, *(places.get(n) for n in range(first, len(body.program.outputs)))]

    def _repeat(self, flow: Flow, repeats: Repeats, given: Sequence[Any]) -> list[Any]:
        b, (condition, body), (count, most) = self.b, flow.regions, repeats
        captured: list[Values] = []
        for region in flow.regions:
            values: Values = dict(zip(region.program.feeds[count:], given[count:], strict=True))
            self._before(region, values)
            captured.append(values)
        before = b.block
        head, ask, inside, after = map(b.append_basic_block, ("while", "ask", "inside", "after"))
        b.branch(head)
        b.position_at_end(head)
        phis = _Phis(b, given[:count], before)
        done = b.phi(INT)
        done.add_incoming(integer(0), before)
        more = _TRUE if most is None else b.icmp_signed("<", done, integer(most))
        b.cbranch(more, ask, after)
        b.position_at_end(ask)
        asked = {**captured[0], **dict(zip(condition.program.feeds, phis.held, strict=False))}
        (holds,) = self._after(condition, asked)
        b.cbranch(holds.number(0).code, inside, after)
        b.position_at_end(inside)
        values = {**captured[1], **dict(zip(body.program.feeds, phis.held, strict=False))}
        found = self._after(body, values)
        if self._look is not None:
            self._look(cost_of(condition, self._most) + cost_of(body, self._most))
        phis.close(found)
        done.add_incoming(b.add(done, integer(1)), b.block)
        b.branch(head)
        b.position_at_end(after)
        return phis.held

    def _choose(self, flow: Flow, given: Sequence[Any]) -> list[Any]:
        b = self.b
        chosen = given[0].number(0).code
        after = b.append_basic_block("after")
        blocks = [b.append_basic_block("branch") for _ in flow.regions]
        b.cbranch(chosen, blocks[1], blocks[0])
        phis: _Phis | None = None
        for block, region in zip(blocks, flow.regions, strict=True):
            b.position_at_end(block)
            found = self._region(region, given[1:])
            for x in found:
                x.arrange()
            last = b.block
            b.branch(after)
            b.position_at_end(after)
            if phis is None:
                phis = _Phis(b, found, last)
            else:
                phis.add(found, last)
        assert phis is not None
        return phis.held

    # ---------------------------------------------------------------- memory

    def constant(self, node: Node) -> Registers:
        """A constant, in the code."""
        assert isinstance(node, Constant)
        form, dtype = Form.of(sizes(node.shape), self._most), dtype_of(node)
        numbers = node.numpy().reshape(-1)
        singles = [Value(self.b, None, dtype, 1).number(one.item()) for one in numbers]
        parts = Registers(self.b, Form.of((len(singles), 1), 1), dtype, singles)
        parts.is_fixed = True
        return Registers.moved(form, [parts], np.arange(form.size))

    def loaded(self, x: Memory) -> Registers:
        """Emits the loads of an array."""
        return self._load(x, integer(x.offset), x.shape, x.strides)

    def _row(self, x: Memory, number: Any) -> Registers:
        """Emits the loads of a row."""
        place = self.b.add(integer(x.offset), self.b.mul(number, integer(x.strides[0])))
        return self._load(x, place, x.shape[1:], x.strides[1:])

    def _load(self, x: Memory, place: Any, shape: Sequence[int], strides: Sequence[int]) -> Any:
        """Emits the loads of an array of this shape, whose first element is at `place`."""
        b, dtype = self.b, x.dtype
        form, step = Form.of(tuple(shape), self._most), strides[-1] if strides else 1
        vectors: list[Value] = []
        for indices in np.ndindex(*shape[:-1]):
            start = sum(index * one for index, one in zip(indices, strides, strict=False))
            for part in range(form.across):
                there = b.add(place, integer(start + part * form.lanes * step))
                active = form.active(part)
                active = 0 if active == form.lanes else active
                vectors.append(read(b, x.pointer, dtype, there, form.lanes, step, active))
        return Registers(b, form, dtype, vectors)

    def store(self, to: Memory, found: Registers, place: Any) -> None:
        """Emits the stores of an array, in row-major order, `place` elements after the first."""
        b = self.b
        for number, vector in enumerate(found.vectors):
            start = found.form.elements(number).start
            active = found.form.active(number)
            write(b, to.pointer, vector, b.add(place, integer(to.offset + start)), 1, active)


class _Phis:
    """Arrays that come from several blocks, in the block where the builder is."""

    def __init__(self, b: Any, first: Sequence[Registers], block: Any) -> None:
        self._b = b
        self._phis = [[b.phi(vector.code.type) for vector in one.vectors] for one in first]
        self.held = [
            Registers(b, one.form, one.dtype,
                      [v.like(phi) for phi, v in zip(phis, one.vectors, strict=True)])
            for phis, one in zip(self._phis, first, strict=True)
        ]  # fmt: skip
        self.add(first, block)

    def add(self, found: Sequence[Registers], block: Any) -> None:
        """They also come from this block, as these."""
        for phis, one in zip(self._phis, found, strict=True):
            for phi, vector in zip(phis, one.vectors, strict=True):
                phi.add_incoming(vector.code, block)

    def close(self, found: Sequence[Registers]) -> None:
        """They also come from where the builder is."""
        for one in found:
            one.arrange()
        self.add(found, self._b.block)
