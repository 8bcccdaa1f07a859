"""Loops in registers: all steps of a loop with a small body in one function.

The body is straight-line code on vectors. Carries go from step to step in registers, and matrices
that are the same in all steps stay there; rows of xs are read, and rows of stacks written, where
they are. So a step costs what its longest chain of instructions takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .....graph.kinds import Elementwise
from .....graph.leaves import Constant
from .....graph.node import Node
from .....graph.operation import Item, MultipleOutputs, Operation
from .....graph.regions.regional import Regional, Steps
from .....graph.state.records import dataclass
from .....passes.program import Program
from .....shapes import size, sizes
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import integer, loop, read, write
from ...llvm.strided_view import View
from ...llvm.values import Value, supported
from ..family import KernelFamily
from ..formula import dtype_of, is_number
from ..kernel import Fused, Kernel, Views
from .operations import computed, fits, work
from .registers import Form, Registers, most_lanes

_MOST = 8000  # instructions of a step, about: 4 µs, within which threads gain nothing
_ELEMENTS = 1024  # of an array in registers
_SECONDS = 1.0  # of the whole loop: native code can't be interrupted
_INSTRUCTION = 0.5e-9  # seconds of an instruction of a step, about


def family_of(node: Operation, body: Program) -> KernelFamily | None:
    """The family of a loop whose body, lowered, fits into registers; None for any other."""
    assert isinstance(node, Regional)
    steps = node.steps()
    assert steps is not None
    plan = LoopPlan.of(node, body, steps)
    return None if plan is None else LoopFamily(plan.kernel)


class LoopFamily(KernelFamily):
    """A loop, and the items of its results."""


@dataclass(frozen=True, eq=False)
class LoopPlan:
    """What a loop in registers needs to know of its body."""

    body: Program
    steps: Steps
    most: int  # lanes
    instructions: int  # of a step

    @classmethod
    def of(cls, node: Regional, body: Program, steps: Steps) -> LoopPlan | None:
        """The plan, None if the body doesn't fit."""
        nodes = [*body.feeds, *body.order]
        if not steps.length or not all(
            not isinstance(x, MultipleOutputs)
            and supported(x.dtype)
            and 0 < size(x.shape) <= _ELEMENTS
            for x in nodes
        ):
            return None
        most = most_lanes([dtype_of(x) for x in nodes])
        operations = [x for x in body.order if isinstance(x, Operation)]
        total = sum(Form.of(sizes(x.shape), most).vectors for x in (*body.feeds, *body.outputs))
        for x in operations:
            if not fits(x):
                return None
            total += work(x, most)
        if total > _MOST or total * steps.length * _INSTRUCTION > _SECONDS:
            return None
        return cls(body, steps, most, total)

    def kernel(self, fused: Fused, views: Views) -> Kernel:
        """The kernel of the loop and its items."""
        return LoopKernel(fused, self, tuple(views[x] for x in fused.first.inputs))


@dataclass(frozen=True, eq=False)
class LoopKernel(Kernel):
    """A loop, the first node; the others are its results."""

    label, description = "Loop", "loop"

    plan: LoopPlan
    inputs: tuple[View, ...]

    @property
    def computed(self) -> tuple[Operation, ...]:
        return (self.fused.first,)

    @property
    def items(self) -> int:
        """One: a step waits for the one before."""
        return 1

    @property
    def cost(self) -> float:
        return 1e9 * _INSTRUCTION * self.plan.instructions * self.plan.steps.length

    def space(self) -> str:
        steps, many = self.plan.steps.length, self.plan.instructions
        return f"of {steps:,} steps of {many:,} instructions in registers within one native call"

    def emit(self, context: KernelContext) -> None:
        Emitter(self, context).run()


class Emitter:
    """Emits the code of one loop."""

    def __init__(self, kernel: LoopKernel, context: KernelContext) -> None:
        self.kernel, self.context, self.b = kernel, context, context.builder
        self.plan, self.body = kernel.plan, kernel.plan.body
        self.values: dict[Node, Registers] = {}
        items = [x for x in kernel.live_out if isinstance(x, Item)]
        self.items = [(x, x.attributes["index"]) for x in items]

    def run(self) -> None:
        """Emits the code before the loop, the loop, and the stores of the last carries."""
        b, (first, slices, length, reverse) = self.b, self.plan.steps
        feeds, views = self.body.feeds, self.kernel.inputs
        given = [self.load(views[n], integer(views[n].offset), views[n].shape, views[n].strides)
                 for n in range(first)]  # fmt: skip
        for x, view in list(zip(feeds, views, strict=True))[first + slices :]:
            self.values[x] = self.load(view, integer(view.offset), view.shape, view.strides)
            self.values[x].is_fixed = True
        self._before()
        before = b.block
        with loop(b, integer(0), integer(length)) as index:
            here = index.parent
            phis: list[list[Any]] = []
            with b.goto_block(here):
                b.position_after(index)
                for x, one in zip(feeds[:first], given, strict=True):
                    mine = [b.phi(vector.code.type) for vector in one.vectors]
                    for phi, vector in zip(mine, one.vectors, strict=True):
                        phi.add_incoming(vector.code, before)
                    phis.append(mine)
                    vectors = [v.like(phi) for phi, v in zip(mine, one.vectors, strict=True)]
                    self.values[x] = Registers(b, one.form, one.dtype, vectors)
            carries = [self.values[x] for x in feeds[:first]]
            row = b.sub(integer(length - 1), index) if reverse else index
            for x, view in list(zip(feeds, views, strict=True))[first : first + slices]:
                place = b.add(integer(view.offset), b.mul(row, integer(view.strides[0])))
                self.values[x] = self.load(view, place, view.shape[1:], view.strides[1:])
            self._step()
            for item, number in self.items:
                if number >= first:
                    found = self.values[self.body.outputs[number]]
                    self.store(item, found, b.mul(row, integer(found.form.size)))
            for phis_of, y in zip(phis, self.body.outputs[:first], strict=True):
                for phi, vector in zip(phis_of, self.values[y].vectors, strict=True):
                    phi.add_incoming(vector.code, b.block)
        for item, number in self.items:
            if number < first:
                self.store(item, carries[number], integer(0))

    def _before(self) -> None:
        """Emits what is the same in all steps."""
        for node in self.body.order:
            if isinstance(node, Constant) and not is_number(node):
                self.values[node] = self.constant(node)
        for node in self.body.order:
            if isinstance(node, Operation) and all(
                is_number(x) or x in self.values for x in node.inputs
            ):
                self._compute(node)

    def _step(self) -> None:
        for node in self.body.order:
            if isinstance(node, Operation) and node not in self.values:
                self._compute(node)
        for y in self.body.outputs:
            if is_number(y):
                self.values[y] = self.constant(y)

    def _compute(self, node: Operation) -> None:
        xs = [None if is_number(x) else self.values[x] for x in node.inputs]
        if all(x is None for x in xs) or not isinstance(node, Elementwise):
            xs = [self.constant(y) if x is None else x
                  for x, y in zip(xs, node.inputs, strict=True)]  # fmt: skip
        self.values[node] = computed(node, xs, self.plan.most)

    def constant(self, node: Node) -> Registers:
        """A constant, in the code."""
        assert isinstance(node, Constant)
        form, dtype = Form.of(sizes(node.shape), self.plan.most), dtype_of(node)
        numbers = node.numpy().reshape(-1)
        singles = [Value(self.b, None, dtype, 1).number(one.item()) for one in numbers]
        parts = Registers(self.b, Form.of((len(singles), 1), 1), dtype, singles)
        parts.is_fixed = True
        return Registers.moved(form, [parts], np.arange(form.size))

    def load(
        self, view: View, place: Any, shape: Sequence[int], strides: Sequence[int]
    ) -> Registers:
        """Emits the loads of an array whose first element is at `place`."""
        b, dtype = self.b, dtype_of(view.base)
        base = self.context.pointer(view.base)
        form, step = Form.of(tuple(shape), self.plan.most), strides[-1] if strides else 1
        vectors: list[Value] = []
        for indices in np.ndindex(*shape[:-1]):
            start = sum(index * one for index, one in zip(indices, strides, strict=False))
            for part in range(form.across):
                there = b.add(place, integer(start + part * form.lanes * step))
                active = form.active(part)
                active = 0 if active == form.lanes else active
                vectors.append(read(b, base, dtype, there, form.lanes, step, active))
        return Registers(b, form, dtype, vectors)

    def store(self, item: Operation, found: Registers, place: Any) -> None:
        """Emits the stores of an array to the item's buffer from `place` on."""
        b, view = self.b, self.context.views[item]
        base = self.context.pointer(view.base)
        for number, vector in enumerate(found.vectors):
            start = found.form.elements(number).start
            active = found.form.active(number)
            write(b, base, vector, b.add(place, integer(view.offset + start)), 1, active)
