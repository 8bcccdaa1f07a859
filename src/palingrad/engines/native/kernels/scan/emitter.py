"""The code of one scan: a lane for each of several scans, or along a row."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir

from .....dtypes import is_floating
from .....graph.node import Node
from ...llvm.builder import INT32, shuffled
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import (
    any_lane,
    integer,
    loop,
    mask_of,
    read,
    splatted,
    vectors,
    write,
)
from ...llvm.maths import NativeMaths
from ...llvm.values import Value, chosen, value_type
from ..formula import compute, dtype_of, is_number, number
from ..kernel import Fused
from .elements import combined, finished, prepared, wide, within_range
from .plan import ScanPlan

_Totals = Callable[[dict[str, Any]], list[Value]]
_InOrder = Callable[[], list[Value]]


class Emitter:
    """Emits the code of one scan."""

    def __init__(self, fused: Fused, plan: ScanPlan, context: KernelContext) -> None:
        self.context, self.b = context, context.builder
        self.plan, self.inner = plan, fused.inner
        self.node: Any = fused.nodes[-1]
        self.prologue = fused.nodes[:-1]
        self.wide = wide(self.node)
        self.bases = [context.pointer(context.views[x].base) for x in plan.reads]
        self.out = context.pointer(self.node)
        self.slots: dict[tuple[int, int], Any] = {}

    def _slot(self, stream: int, number: int, lanes: int) -> Any:
        """The variable of one number of a running total."""
        key = (stream, number)
        if key not in self.slots:
            self.slots[key] = self.context.slot(value_type(self.wide, lanes))
        return self.slots[key]

    def _elements(
        self, places: list[Any], steps: list[int], lanes: int, active: int
    ) -> list[Value]:
        """Emits what the elements at these positions contribute."""
        b = self.b
        values: dict[Node, Value] = {}
        for x, base, place, step in zip(self.plan.reads, self.bases, places, steps, strict=True):
            value = read(b, base, dtype_of(x), place, lanes, step, active)
            values[x] = splatted(value, lanes) if value.lanes != lanes else value
        compute(b, self.prologue, values, lanes, self.inner)
        inputs = [self.inner.get(x, x) for x in self.node.inputs]
        return prepared(
            self.node, [number(b, x, lanes) if is_number(x) else values[x] for x in inputs]
        )

    def _moved(self, places: list[Any], index: Any, steps: list[int]) -> list[Any]:
        b = self.b
        return [
            b.add(place, b.mul(index, integer(step)))
            for place, step in zip(places, steps, strict=True)
        ]

    # ---------------------------------------------------------------- a lane for each scan

    def walk(self, places: list[Any], lanes: int, width: int) -> None:
        """Emits the walk along the axis, of `width` neighbouring scans. The first elements are the
        first totals as they are."""
        b, plan = self.b, self.plan

        def step(index: Any, is_first: bool) -> None:
            there = self._moved(places, index, plan.steps)
            for stream, at in enumerate(range(0, width, lanes)):
                active = min(lanes, width - at)
                mine = self._moved(there, integer(at), plan.column_steps)
                found = self._elements(mine[:-1], plan.column_steps[:-1], lanes, active)
                slots = [self._slot(stream, place, lanes) for place in range(len(found))]
                if not is_first:
                    before = [Value(b, b.load(slot), self.wide, lanes) for slot in slots]
                    found = combined(self.node, before, found)
                for slot, value in zip(slots, found, strict=True):
                    b.store(value.code, slot)
                write(b, self.out, finished(self.node, found), mine[-1], 1, active)

        step(integer(0), True)
        with loop(b, integer(1), integer(plan.length)) as index:
            step(index, False)

    # ---------------------------------------------------------------- along a row

    def row(self, places: list[Any]) -> None:
        """Emits one scan along a row."""
        b, plan, lanes = self.b, self.plan, self.plan.lanes
        found = self.node.identity(self.wide, **self.node.options)
        numbers = found if isinstance(found, tuple) else (found,)
        if lanes == 1:
            self.walk(places, 1, 1)
            return
        neutral = [Value(b, None, self.wide, lanes).number(one) for one in numbers]
        slots = [self._slot(0, place, lanes) for place in range(len(neutral))]
        for slot, identity in zip(slots, neutral, strict=True):
            b.store(identity.code, slot)

        def one(index: Any, active: int) -> None:
            there = self._moved(places, index, plan.steps)
            steps = plan.steps
            if self.node.reverse:  # vectors in the order of indices, of which lanes are reversed
                there = self._moved(there, integer(active - 1), steps)
                steps = [-step for step in steps]
            values = self._elements(there[:-1], steps[:-1], lanes, active)
            if active < lanes:
                mask = values[0].like(mask_of(lanes, active))
                values = [chosen(mask, *pair) for pair in zip(values, neutral, strict=True)]
            before = [Value(b, b.load(slot), self.wide, lanes) for slot in slots]
            is_first = b.icmp_signed("==", index, integer(0))

            def totals(options: dict[str, Any]) -> list[Value]:
                """Emits the totals, and the storing of those after this vector."""
                found = self._within(values, neutral, options)
                end = 0 if self.node.reverse else lanes - 1
                last = [x.like(shuffled(b, x.code, x.code, [end] * lanes)) for x in found]
                after = self._continued(is_first, before, last, options)
                for slot, value in zip(slots, after, strict=True):
                    b.store(value.code, slot)
                return self._continued(is_first, before, found, options)

            in_order = partial(self._in_order, is_first, values, before, slots, active)
            if len(values) > 1:
                result = self._several(values[0], before[-1], totals, in_order)
            elif self.node.multiplies and is_floating(self.wide):
                result = self._product(values[0], before[0], totals, in_order)
            else:
                result = finished(self.node, totals(self.node.options))
            write(b, self.out, result, there[-1], 1, active)

        vectors(b, plan.length, lanes, one)

    def _continued(
        self, is_first: Any, before: list[Value], found: list[Value], options: dict[str, Any]
    ) -> list[Value]:
        """Emits before ⊕ found. What comes first stays as it is: as y₀ = b₀, whatever a₀ is."""
        after = combined(self.node, before, found, options)
        if len(found) == 1:
            return after
        pairs = zip(found, after, strict=True)
        return [x.like(self.b.select(is_first, x.code, other.code)) for x, other in pairs]

    def _several(self, factor: Value, before: Value, totals: _Totals, in_order: _InOrder) -> Value:
        """Emits the results of several numbers: with the options that suffice where none is NaN,
        and in order in a vector with a NaN, which a product of factors may have made: ∞·0.

        Without a wider dtype, in order too where another grouping could leave the range of numbers:
        in a vector with a result that isn't finite, or whose factors are too large or small.
        """
        b, simple, reach = self.b, self.node.without_nan(), np.finfo(self.wide).maxexp - 1
        result = finished(self.node, totals(self.node.options if simple is None else simple))
        slot = self.context.slot(result.code.type)
        b.store(result.code, slot)
        if self.wide != dtype_of(self.node):
            wrong = result != result
        else:
            m = NativeMaths()
            wrong = ~m.isfinite(result)
            if self.node.multiplies:
                moderate = within_range(factor, reach // 2 // factor.lanes) | (factor == 0)
                wrong = wrong | ~(moderate & (m.absolute(before) <= 2.0 ** (reach // 2)))
        with b.if_then(any_lane(b, wrong), likely=False):
            b.store(finished(self.node, in_order()).code, slot)
        return result.like(b.load(slot))

    def _product(self, x: Value, before: Value, totals: _Totals, in_order: _InOrder) -> Value:
        """Emits the running products of a vector: in order where another grouping of the factors
        could leave the range of normal numbers, which the products in order may not leave."""
        b, lanes, reach = self.b, x.lanes, np.finfo(self.wide).maxexp - 1
        (product,) = totals(self.node.options)
        slot = self.context.slot(product.code.type)
        b.store(product.code, slot)
        # Half of the exponents for the factors of a vector, and half for the total before it.
        fits = within_range(x, reach // 2 // lanes) & within_range(before, reach // 2)
        with b.if_then(any_lane(b, ~fits), likely=False):
            # 0, ∞ and NaN stay what they are, if no product of factors is one of them.
            fits = within_range(x, reach // lanes) & (
                within_range(product, reach) | ~within_range(before, None)
            )
            with b.if_then(any_lane(b, ~fits)):
                b.store(in_order()[0].code, slot)
        return finished(self.node, [product.like(b.load(slot))])

    def _in_order(
        self, is_first: Any, x: list[Value], before: list[Value], slots: list[Any], active: int
    ) -> list[Value]:
        """Emits the totals of a vector, one after another, and the storing of the last ones."""
        b, lanes = self.b, x[0].lanes
        codes = [one.code for one in before]

        def lane(code: Any, place: int) -> Value:
            return Value(b, b.extract_element(code, ir.Constant(INT32, place)), self.wide, 1)

        total = [lane(code, 0) for code in codes]
        for count, place in enumerate(range(active)[:: -1 if self.node.reverse else 1]):
            element = [lane(one.code, place) for one in x]
            if count:
                total = combined(self.node, total, element)
            else:
                total = self._continued(is_first, total, element, dict(self.node.options))
            at = ir.Constant(INT32, place)
            codes = [b.insert_element(c, t.code, at) for c, t in zip(codes, total, strict=True)]
        for slot, one in zip(slots, total, strict=True):
            b.store(splatted(one, lanes).code, slot)
        return [one.like(code) for one, code in zip(x, codes, strict=True)]

    def _within(
        self, values: list[Value], neutral: list[Value], options: dict[str, Any]
    ) -> list[Value]:
        """The running totals within a vector: of 2 lanes, of 4, of 8 …."""
        lanes, step = values[0].lanes, 1
        while step < lanes:
            outside = [lanes + lane for lane in range(step)]
            if self.node.reverse:
                moved = list(range(step, lanes)) + outside
            else:
                moved = outside + list(range(lanes - step))
            earlier = [
                x.like(shuffled(self.b, x.code, identity.code, moved))
                for x, identity in zip(values, neutral, strict=True)
            ]
            values = combined(self.node, earlier, values, options)
            step *= 2
        return values
