"""How an executable runs its machine code, in numbers: what is left of a plan once code exists."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...graph.leaves import Constant
from ...graph.node import Node
from ...passes.program import Program
from ...shapes import sizes
from .fallback_calls import Fallbacks
from .kernels.control import Control
from .module import is_native, leading
from .plan.schedule import Schedule, is_serial
from .runtime.buffers import BufferTable


class Output(NamedTuple):
    """How a value is returned."""

    node: Node | None  # None if it has a slot and nobody will ask
    slot: int | None  # of the array that is returned without a copy, if there is one
    shape: tuple[int, ...]
    whole: bool  # whether the array has this shape


class RunPlan(NamedTuple):
    """What a run does besides calling machine code."""

    feeds: int
    in_place: bool  # whether Variables are updated in their own arrays
    alone: bool  # whether one thread runs all kernels
    starts: int  # the number of segments that the function `run` computes
    is_single: bool  # whether each run must be a call of its own, for the error of one that fails
    functions: tuple[str, ...]  # of other libraries, which the code calls
    outputs: list[Output]
    values: list[Output]  # the new values of Variables

    @classmethod
    def of(
        cls, program: Program, schedule: Schedule, buffers: BufferTable, fallbacks: Fallbacks
    ) -> RunPlan:
        """The plan of a Program's schedule."""

        def handed_out(node: Node) -> Output:
            view = schedule.views.get(node)
            if view is None:
                return Output(node, None, (), False)
            base, shape = view.base, sizes(node.shape)
            fresh = buffers.is_fresh(base) or fallbacks.are_handed_out(base)
            whole = shape == sizes(base.shape)
            if isinstance(base, Constant):  # as a view, which can't be made writable
                fresh, whole = True, False
            slot = buffers.place(base)[0] if fresh and view.plain else None
            return Output(node, slot, shape, whole)

        return cls(
            len(program.feeds),
            schedule.updates is not None,
            all(is_serial(stage) for stage in schedule.stages if is_native(stage)),
            leading(schedule),
            any(isinstance(x.kernel, Control) and x.kernel.may_fail for x in schedule.kernels),
            tuple(sorted({name for one in schedule.kernels for name in one.kernel.functions})),
            [handed_out(node) for node in program.outputs],
            [handed_out(node) for _, node in program.updates],
        )

    def in_numbers(self) -> tuple[Any, ...] | None:
        """The plan without nodes; None if a run needs them."""
        values = () if self.in_place else self.values
        if any(output.slot is None for output in (*self.outputs, *values)):
            return None
        listed = [
            tuple((output.slot, output.shape, output.whole) for output in outputs)
            for outputs in (self.outputs, values)
        ]
        return (*self[:6], *listed)

    @classmethod
    def from_numbers(cls, numbers: tuple[Any, ...]) -> RunPlan:
        """The plan of which these are the numbers."""
        *flags, outputs, values = numbers
        return cls(
            *flags, *([Output(None, *one) for one in listed] for listed in (outputs, values))
        )
