"""Packing: copies parts of matrices to the contiguous layout that the microkernel reads."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .....dtypes import DType
from ...llvm.builder import INT, Builder, shuffled
from ...llvm.loops import integer, loop, read, write
from ...llvm.values import Value, scalar_type


def pack_rows(
    b: Any, dtype: DType, source: Any, step: tuple[int, int], to: Any,
    shape: tuple[Any, int], lanes: int, pitch: int = 0,
) -> None:  # fmt: skip
    """`to`[row·pitch + column] = `source`[row·step₀ + column·step₁], columns padded with zeros.

    `shape` is (rows, columns); the rows may be an LLVM value. `pitch` is by default the columns
    rounded up to whole vectors. A matrix with contiguous columns is transposed in registers,
    unless it is too narrow or too short to gain from it.
    """
    rows, columns = shape
    pitch = pitch or -(-columns // lanes) * lanes
    down, across = step
    count = rows if not isinstance(rows, int) else integer(rows)
    few = (isinstance(rows, int) and rows < lanes) or columns <= lanes // 4
    if across == 1 or down != 1 or few:
        with loop(b, integer(0), count) as row:
            _one_row(b, dtype, source, step, to, row, columns, lanes, pitch)
    else:
        b.call(_transposing(b.module, dtype, across, columns, lanes, pitch), [source, to, count])


def _transposing(
    module: ir.Module, dtype: DType, across: int, columns: int, lanes: int, pitch: int
) -> ir.Function:
    """The module's function (source, to, rows) that packs a matrix with contiguous columns, a
    square of vectors at a time. A function is shared, because its many instructions are slow to
    compile."""
    name = f"transposing.{dtype.kind}{8 * dtype.itemsize}.{across}.{columns}.{pitch}.{lanes}"
    if name in module.globals:
        return module.globals[name]
    pointer = scalar_type(dtype).as_pointer()
    llvm_type = ir.FunctionType(ir.VoidType(), [pointer, pointer, INT])
    function = ir.Function(module, llvm_type, name)
    function.attributes.add("noinline")
    b: Any = Builder(function.append_basic_block("entry"))
    source, to, rows = function.args
    blocks = b.sdiv(rows, integer(lanes))
    zeros = Value(b, None, dtype, lanes).number(0)
    with loop(b, integer(0), blocks) as block:
        first = b.mul(block, integer(lanes))
        packed = [
            transposed(
                [
                    read(b, source, dtype, b.add(integer(column * across), first), lanes, 1)
                    if column < columns
                    else zeros
                    for column in range(at, at + lanes)
                ]
            )
            for at in range(0, columns, lanes)
        ]
        for row in range(lanes):
            start = b.mul(b.add(first, integer(row)), integer(pitch))
            for number, vectors in enumerate(packed):
                write(b, to, vectors[row], b.add(start, integer(number * lanes)))
    with loop(b, b.mul(blocks, integer(lanes)), rows) as row:
        _one_row(b, dtype, source, (1, across), to, row, columns, lanes, pitch)
    b.ret_void()
    return function


def _one_row(
    b: Any, dtype: DType, source: Any, step: tuple[int, int], to: Any, row: Any, columns: int,
    lanes: int, pitch: int,
) -> None:  # fmt: skip
    down, across = step
    start, end = b.mul(row, integer(down)), b.mul(row, integer(pitch))
    for at in range(0, columns, lanes):
        active = min(lanes, columns - at)
        place = b.add(start, integer(at * across))
        value = read(b, source, dtype, place, lanes, across, active)
        if active < lanes and across != 1:
            value = _zero_padded(value, active)
        write(b, to, value, b.add(end, integer(at)))


def transposed(rows: list[Value]) -> list[Value]:
    """The transpose of a square of vectors: lane j of vector i becomes lane i of vector j.

    Interleaves the first half of the vectors with the second half, log₂ n times.
    """
    lanes, b = rows[0].lanes, rows[0].builder
    low = [lane // 2 + (lanes if lane % 2 else 0) for lane in range(lanes)]
    high = [lanes // 2 + lane for lane in low]
    for _ in range(lanes.bit_length() - 1):
        half = lanes // 2
        rows = [
            first.like(shuffled(b, first.code, second.code, part))
            for first, second in zip(rows[:half], rows[half:], strict=True)
            for part in (low, high)
        ]
    return rows


def _zero_padded(value: Value, active: int) -> Value:
    """The value with zeros in its inactive lanes."""
    lanes = [lane if lane < active else value.lanes + lane for lane in range(value.lanes)]
    return value.like(shuffled(value.builder, value.code, value.number(0).code, lanes))
