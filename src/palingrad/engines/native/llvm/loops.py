"""Loops in generated code, and the loads and stores of elements in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from llvmlite import ir

from ....dtypes import DType, bool_
from .builder import INT, INT32, declared, shuffled
from .values import Value, scalar_type, value_type

BYTE = ir.IntType(8)
PREFETCH_DISTANCE = 2048  # prefetch distance of a loop, in bytes


def integer(number: int) -> ir.Constant:
    """A 64-bit integer."""
    return ir.Constant(INT, number)


@contextmanager
def loop(builder: Any, start: Any, stop: Any, step: int = 1) -> Generator[Any]:
    """Emits `for index in range(start, stop, step)` around the code emitted in the `with` block."""
    function = builder.function
    before = builder.block
    head = function.append_basic_block("head")
    body = function.append_basic_block("body")
    after = function.append_basic_block("after")
    builder.branch(head)
    builder.position_at_end(head)
    index = builder.phi(INT)
    index.add_incoming(start, before)
    builder.cbranch(builder.icmp_signed("<", index, stop), body, after)
    builder.position_at_end(body)
    yield index
    index.add_incoming(builder.add(index, integer(step)), builder.block)
    builder.branch(head)
    builder.position_at_end(after)


def blocks(
    builder: Any,
    span: tuple[Any, Any, int],
    many: int,
    body: Callable[[Any], None],
    between: Callable[[], None],
) -> None:
    """Emits `body(index)` for each index in range(*span), and `between()` after every `many` of
    them and at the end."""
    start, stop, step = span
    with loop(builder, start, stop, many * step) as first:
        end = builder.add(first, integer(many * step))
        end = builder.select(builder.icmp_signed("<", end, stop), end, stop)
        with loop(builder, first, end, step) as index:
            body(index)
        between()


def memory_type(dtype: DType) -> Any:
    """The LLVM type of one element in memory: booleans are a byte."""
    return BYTE if dtype == bool_ else scalar_type(dtype)


def address(builder: Any, base: Any, dtype: DType, place: Any) -> Any:
    """A pointer to element `place` of the buffer at `base`."""
    typed = builder.bitcast(base, memory_type(dtype).as_pointer())
    return builder.gep(typed, [place])


def read(
    builder: Any, base: Any, dtype: DType, place: Any, lanes: int, step: int, active: int = 0
) -> Value:
    """Emits the load of `lanes` elements from element `place` on, `step` apart; a step of 0 repeats
    one element. If `active` is given, only the first `active` elements are read; the other lanes
    are undefined, or 0 if the step is 1."""
    element = memory_type(dtype)
    inside = active or lanes
    if lanes == 1 or step == 0:
        one = builder.load(address(builder, base, dtype, place))
        code = one if lanes == 1 else splat(builder, one, lanes)
    elif step == 1 and inside == lanes:
        vector = ir.VectorType(element, lanes)
        pointer = builder.bitcast(address(builder, base, dtype, place), vector.as_pointer())
        code = builder.load(pointer, align=dtype.itemsize)
    elif step == 1:
        pointer = address(builder, base, dtype, place)
        return masked_read(builder, pointer, dtype, lanes, mask_of(lanes, inside))
    else:
        code = undefined(element, lanes)
        for lane in range(inside):
            there = builder.add(place, integer(lane * step))
            one = builder.load(address(builder, base, dtype, there))
            code = builder.insert_element(code, one, ir.Constant(INT32, lane))
    return Value(builder, _in_register(builder, code, dtype), dtype, lanes)


def _in_register(builder: Any, code: Any, dtype: DType) -> Any:
    """Loaded elements as a register has them: booleans are a bit."""
    if dtype != bool_:
        return code
    nothing = ir.Constant(code.type, None if isinstance(code.type, ir.VectorType) else 0)
    return builder.icmp_unsigned("!=", code, nothing)


def _in_memory(builder: Any, value: Value) -> Any:
    """A value's elements as memory has them: booleans are a byte."""
    if value.dtype != bool_:
        return value.code
    return builder.zext(value.code, BYTE if value.lanes == 1 else ir.VectorType(BYTE, value.lanes))


def write(
    builder: Any, base: Any, value: Value, place: Any, step: int = 1, active: int = 0
) -> None:
    """Emits the store of the value's elements, or of the first `active`, from element `place` on,
    `step` apart."""
    dtype, lanes = value.dtype, value.lanes
    inside = active or lanes
    pointer = address(builder, base, dtype, place)
    if lanes > 1 and step == 1 and inside < lanes:
        masked_write(builder, value, pointer, mask_of(lanes, inside))
        return
    code = _in_memory(builder, value)
    if lanes == 1:
        builder.store(code, pointer, align=dtype.itemsize)
    elif step != 1:
        for lane in range(inside):
            element = builder.extract_element(code, ir.Constant(INT32, lane))
            builder.store(element, builder.gep(pointer, [integer(lane * step)]))
    else:
        builder.store(code, builder.bitcast(pointer, code.type.as_pointer()), align=dtype.itemsize)


@cache
def mask_of(lanes: int, active: int) -> ir.Constant:
    """True in the first `active` lanes."""
    bit = ir.IntType(1)
    inside = [ir.Constant(bit, int(lane < active)) for lane in range(lanes)]
    return ir.Constant(ir.VectorType(bit, lanes), inside)


def prefetch(builder: Any, pointer: Any, *, writing: bool = False, near: bool = True) -> None:
    """Emits a prefetch of a cache line to the first-level cache, or if not `near` to the second,
    for reading or `writing`. The address need not be valid."""
    llvm_types = [BYTE.as_pointer(), INT32, INT32, INT32]
    function = declared(builder.module, "llvm.prefetch.p0", ir.VoidType(), llvm_types)
    how = [ir.Constant(INT32, value) for value in (int(writing), 3 if near else 2, 1)]
    builder.call(function, [builder.bitcast(pointer, BYTE.as_pointer()), *how])


def worth_prefetching(shape: Sequence[int]) -> bool:
    """Whether a loop over these elements is long enough to reach what it prefetches."""
    return math.prod(shape) > PREFETCH_DISTANCE


def prefetch_ahead(
    builder: Any, base: Any, dtype: DType, place: Any, *, writing: bool = False
) -> None:
    """Emits a prefetch of the element `PREFETCH_DISTANCE` bytes after element `place`.

    Not every CPU prefetches without being asked: on one, a chain of ten operations on 10⁷ numbers
    took 16 ms without prefetching and takes 5 ms with it.
    """
    there = builder.add(place, integer(PREFETCH_DISTANCE // dtype.itemsize))
    prefetch(builder, address(builder, base, dtype, there), writing=writing)


def kind_of(vector: Any) -> str:
    """The name of a vector type in intrinsics, such as v16f32."""
    element = vector.element
    bits = {"float": "f32", "double": "f64"}.get(str(element)) or f"i{element.width}"
    return f"v{vector.count}{bits}"


def masked_read(builder: Any, pointer: Any, dtype: DType, lanes: int, mask: Any) -> Value:
    """Emits the load of the lanes of a vector at `pointer` where the mask is true, 0 in the others,
    whose addresses need not be valid."""
    vector = ir.VectorType(memory_type(dtype), lanes)
    place = builder.bitcast(pointer, vector.as_pointer())
    load = declared(
        builder.module, f"llvm.masked.load.{kind_of(vector)}.p0", vector,
        [place.type, INT32, mask.type, vector],
    )  # fmt: skip
    align = ir.Constant(INT32, dtype.itemsize)
    code = builder.call(load, [place, align, mask, zero(vector.element, lanes)])
    return Value(builder, _in_register(builder, code, dtype), dtype, lanes)


def masked_write(builder: Any, value: Value, pointer: Any, mask: Any) -> None:
    """Emits the store of a vector's lanes at `pointer` where the mask is true."""
    code = _in_memory(builder, value)
    place = builder.bitcast(pointer, code.type.as_pointer())
    store = declared(
        builder.module, f"llvm.masked.store.{kind_of(code.type)}.p0", ir.VoidType(),
        [code.type, place.type, INT32, mask.type],
    )  # fmt: skip
    builder.call(store, [code, place, ir.Constant(INT32, value.dtype.itemsize), mask])


def splat(builder: Any, one: Any, lanes: int) -> Any:
    """One element in every lane."""
    nothing = undefined(one.type, lanes)
    start = builder.insert_element(nothing, one, ir.Constant(INT32, 0))
    return builder.shuffle_vector(start, nothing, zero(INT32, lanes))


@cache
def zero(element: Any, lanes: int) -> ir.Constant:
    """Zero in every lane."""
    return ir.Constant(ir.VectorType(element, lanes), None)


@cache
def undefined(element: Any, lanes: int) -> ir.Constant:
    """A vector of undefined elements."""
    return ir.Constant(ir.VectorType(element, lanes), ir.Undefined)


def splatted(value: Value, lanes: int) -> Value:
    """A scalar value in every lane."""
    made = Value(value.builder, splat(value.builder, value.code, lanes), value.dtype, lanes)
    made.one = value
    return made


def interleaved(values: Sequence[Value]) -> Value:
    """The interleaved elements of values, a power of two of them: a₀ b₀ a₁ b₁ …"""
    if len(values) == 1:
        return values[0]
    a, b = interleaved(values[::2]), interleaved(values[1::2])
    builder = a.builder
    if a.lanes == 1:
        code = ir.Constant(value_type(a.dtype, 2), ir.Undefined)
        for lane, one in enumerate((a, b)):
            code = builder.insert_element(code, one.code, ir.Constant(INT32, lane))
    else:
        lanes = [lane + side for lane in range(a.lanes) for side in (0, a.lanes)]
        code = shuffled(builder, a.code, b.code, lanes)
    return Value(builder, code, a.dtype, 2 * a.lanes)


def collapsed(
    shape: Sequence[int], strides: Sequence[Sequence[int]]
) -> tuple[list[int], list[list[int]]]:
    """(sizes, strides of each operand) of the same iteration in as few loops as possible: merges
    neighbouring axes over which every operand has a uniform stride, and drops axes of size 1."""
    sizes: list[int] = []
    steps: list[list[int]] = [[] for _ in strides]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        if sizes and all(own[-1] == size * one[axis] for own, one in zip(steps, strides)):
            sizes[-1] *= size
            for own, one in zip(steps, strides):
                own[-1] = one[axis]
        else:
            sizes.append(size)
            for own, one in zip(steps, strides):
                own.append(one[axis])
    return sizes, steps


def nest(
    builder: Any,
    sizes: Sequence[int],
    steps: Sequence[Sequence[int]],
    places: Sequence[Any],
    body: Callable[[list[Any]], None],
) -> None:
    """Emits loops over `sizes` around `body`, which receives each operand's position."""
    if not sizes:
        body(list(places))
        return
    with loop(builder, integer(0), integer(sizes[0])) as index:
        inner = [
            place if step[0] == 0 else builder.add(place, builder.mul(index, integer(step[0])))
            for place, step in zip(places, steps, strict=True)
        ]
        nest(builder, sizes[1:], [step[1:] for step in steps], inner, body)


def vectors(builder: Any, size: int, lanes: int, body: Callable[[Any, int], None]) -> None:
    """Emits a loop over `size` elements, `lanes` at a time: `body(index, active)`. A remainder is
    one more vector with `active` active lanes."""
    main = size // lanes * lanes
    if main == lanes:
        body(integer(0), lanes)
    elif main:
        with loop(builder, integer(0), integer(main), lanes) as index:
            body(index, lanes)
    if main < size:
        body(integer(main), size - main)


def any_lane(builder: Any, condition: Value) -> Any:
    """Whether a condition holds in any lane."""
    if condition.lanes == 1:
        return condition.code
    bits = ir.IntType(condition.lanes)
    return builder.icmp_unsigned("!=", builder.bitcast(condition.code, bits), ir.Constant(bits, 0))


def either(
    builder: Any, number: Any, count: int, last: int, others: int, body: Callable[[int], None]
) -> None:
    """Emits `body(size)` for part `number` of `count`: for the last part, which may be smaller, and
    for the others."""
    if last == others or count == 1:
        body(last)
        return
    is_last = builder.icmp_signed("==", number, integer(count - 1))
    with builder.if_else(is_last) as (then, otherwise):
        with then:
            body(last)
        with otherwise:
            body(others)


def unravelled(builder: Any, index: Any, sizes: Sequence[int]) -> list[Any]:
    """The indices on the axes `sizes` of a flat row-major index."""
    found: list[Any] = []
    for size in reversed(sizes[1:]):
        found.append(builder.srem(index, integer(size)))
        index = builder.sdiv(index, integer(size))
    return [index, *reversed(found)] if sizes else []


def place_of(builder: Any, indices: Sequence[Any], steps: Sequence[int], start: Any) -> Any:
    """start + Σ index·step."""
    place = start
    for index, step in zip(indices, steps, strict=True):
        if step:
            place = builder.add(place, builder.mul(index, integer(step)))
    return place
