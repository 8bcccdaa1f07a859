"""Loops, branches and running totals, as ONNX's Loop, If and Scan."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...dtypes import is_floating
from ...graph.regions.region import Region
from ...ops.control.branch import Switch
from ...ops.control.loop import Loop
from ...ops.control.while_loop import WhileLoop
from ...shapes import axis_in, broadcast
from .library import LibraryOnnx
from .values import Block, Entry, Value

_BOOL, _INT = np.dtype(bool), np.dtype(np.int64)

Emit = Callable[[Region, Sequence[Value]], list[Value]]


@contextmanager
def opened(m: LibraryOnnx) -> Generator[Block]:
    """A subgraph, into which nodes are written inside the `with` block."""
    outer = m.block
    m.block = Block(parent=outer)
    try:
        yield m.block
    finally:
        m.block = outer


def given(m: LibraryOnnx, block: Block, shape: Sequence[int], dtype: Any) -> Value:
    """A new input of a subgraph."""
    value = Value(m, m.fresh("given"), shape, dtype)
    block.inputs.append(value)
    return value


def closed(m: LibraryOnnx, block: Block, results: Sequence[Value]) -> None:
    """Makes these the outputs of a subgraph: each is computed in it, under a name of its own."""
    for y in results:
        name = m.fresh("result")
        copy = Value(m, name, y.shape, y.dtype)
        block.entries.append(Entry("Identity", (y.name,), (name,), {}, m.label))
        block.outputs.append(copy)


def switch(m: LibraryOnnx, y: Switch, xs: Sequence[Value], emit: Emit) -> list[Value]:
    """If, in a chain where there are more than two branches."""
    chooser, operands = xs[0], list(xs[1:])
    regions = list(y.regions)
    forms = [(one.shape, one.dtype) for one in regions[0].results]

    def chain(number: int) -> list[Value]:
        if number == len(regions) - 1:
            return emit(regions[number], operands)
        chosen = m.equal(m.cast_to(chooser, _INT), number)
        with opened(m) as then:
            closed(m, then, emit(regions[number], operands))
        with opened(m) as other:
            closed(m, other, chain(number + 1))
        return m.ops("If", chosen, forms=forms, then_branch=then, else_branch=other)

    return chain(0)


def loop(m: LibraryOnnx, y: Loop, xs: Sequence[Value], emit: Emit) -> list[Value]:
    """Loop, whose body takes the rows of the sliced arrays by the number of the iteration."""
    first, slices = y.attributes["carries"], y.attributes["slices"]
    length, reverse = y.attributes["length"], y.attributes["reverse"]
    carries, rows, captures = xs[:first], xs[first : first + slices], xs[first + slices :]
    with opened(m) as body:
        number = given(m, body, (), _INT)
        going = given(m, body, (), _BOOL)
        kept = [given(m, body, c.shape, c.dtype) for c in carries]
        at = m.subtract(length - 1, number) if reverse else number
        parts = [m.take(x, at, axis=0) for x in rows]
        results = emit(y.body, [*kept, *parts, *captures])
        closed(m, body, [going, *results])
    forms = [(c.shape, c.dtype) for c in carries]
    forms += [((length, *one.shape), one.dtype) for one in results[first:]]
    found = m.ops("Loop", m.constant(np.asarray(length, _INT)), m.constant(np.True_), *carries,
                  forms=forms, body=body)  # fmt: skip
    if reverse:
        found = [*found[:first], *(m.slice_of(one, slice(None, None, -1)) for one in found[first:])]
    return found


def while_loop(m: LibraryOnnx, y: WhileLoop, xs: Sequence[Value], emit: Emit) -> list[Value]:
    """Loop, that ends when the condition of the new carries is false."""
    condition, step = y.regions
    carries, captures = list(xs[: y.count]), xs[y.count :]
    started = emit(condition, xs)[0]
    most = y.attributes["max_steps"]
    with opened(m) as body:
        given(m, body, (), _INT)
        given(m, body, (), _BOOL)
        kept = [given(m, body, c.shape, c.dtype) for c in carries]
        results = emit(step, [*kept, *captures])
        goes_on = emit(condition, [*results, *captures])[0]
        closed(m, body, [m.reshape(m.truth(goes_on), ()), *results])
    limit = None if most is None else m.constant(np.asarray(most, _INT))
    start = m.reshape(m.truth(started), ())
    forms = [(c.shape, c.dtype) for c in carries]
    return m.ops("Loop", limit, start, *carries, forms=forms, body=body)


def running(m: LibraryOnnx, y: Any, xs: Sequence[Value]) -> Value:
    """Running totals of any kind: ONNX's Scan along the axis, with the operation's `combine`."""
    shape = broadcast(*(x.shape for x in xs))
    axis = axis_in(y.attributes["axis"], len(shape))
    backwards = y.attributes["reverse"]
    cls: Any = type(y)
    wide = [m.cast_to(m.broadcast_to(x, shape), _wide(y, x)) for x in xs]
    elements = cls.prepare(m, *wide, **y.options)
    several = isinstance(elements, tuple)
    parts = [m.broadcast_to(m.lift(one), shape) for one in (elements if several else (elements,))]
    if not shape[axis]:
        return m.cast_to(parts[-1], y.dtype)
    whole = _totals(m, y, [_turned(m, part, axis, backwards) for part in parts], several)
    whole = tuple(_turned(m, one, axis, backwards, back=True) for one in whole)
    done = cls.finish(m, whole if several else whole[0], **y.options)
    return m.lift(done, y.dtype)


def _turned(m: LibraryOnnx, x: Value, axis: int, flip: bool, *, back: bool = False) -> Value:
    """x with the axis in front, reversed if asked; with `back` the other way around."""
    order = [axis, *(place for place in range(x.ndim) if place != axis)]
    reverse = slice(None, None, -1)
    if back:
        x = m.slice_of(x, reverse) if flip else x
        return m.transpose(x, np.argsort(order).tolist())
    x = m.transpose(x, order)
    return m.slice_of(x, reverse) if flip else x


def _totals(m: LibraryOnnx, y: Any, parts: list[Value], several: bool) -> tuple[Value, ...]:
    """The running totals along the first axis, of which the first is the first element."""
    starts = [m.slice_of(part, 0) for part in parts]
    if parts[0].shape[0] == 1:
        return tuple(parts)
    later = [m.slice_of(part, slice(1, None)) for part in parts]
    forms = [(one.shape, one.dtype) for one in (*starts, *later)]
    body = _step(m, y, parts, starts[0].shape, several)
    count = len(parts)
    found = m.ops("Scan", *starts, *later, forms=forms, body=body, num_scan_inputs=count)[count:]
    ends = [m.expand_dims(one, 0) for one in starts]
    return tuple(m.concatenate(pair, 0) for pair in zip(ends, found, strict=True))


def _step(m: LibraryOnnx, y: Any, parts: Any, rest: Any, several: bool) -> Block:
    """The subgraph that combines a total with one more element."""
    with opened(m) as body:
        totals = tuple(given(m, body, rest, part.dtype) for part in parts)
        news = tuple(given(m, body, rest, part.dtype) for part in parts)
        pair = (totals, news) if several else (totals[0], news[0])
        combined = type(y).combine(m, *pair, **y.options)
        made = combined if several else (combined,)
        kept = [m.broadcast_to(m.lift(one, part.dtype), rest)
                for one, part in zip(made, parts, strict=True)]  # fmt: skip
        closed(m, body, [*kept, *kept])
    return body


def _wide(y: Any, x: Value) -> Any:
    return type(y).accumulates_in(x.dtype) if is_floating(x.dtype) else x.dtype
