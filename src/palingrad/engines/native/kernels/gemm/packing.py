"""Packing: copies parts of matrices to the contiguous layout that the microkernel reads."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .....dtypes import DType
from ...llvm.builder import INT, Builder, shuffled
from ...llvm.loops import integer, loop, read, write
from ...llvm.values import Value, scalar_type, transposed


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
        return
    # The last vector of a row may reach into the next one, which is written over it: so the last
    # vectors come first.
    whole, rest = divmod(columns, lanes)
    for active, at, vectors in ((rest, whole * lanes, 1), (lanes, 0, whole)):
        if active and vectors:
            first = b.gep(source, [integer(at * across)])
            to_first = b.gep(to, [integer(at)])
            numbers = [count, integer(across), integer(pitch), integer(vectors)]
            b.call(_transposing(b.module, dtype, active, lanes), [first, to_first, *numbers])


def _transposing(module: ir.Module, dtype: DType, active: int, lanes: int) -> ir.Function:
    """The module's function (source, to, rows, across, pitch, vectors) that packs a matrix with
    contiguous columns, `across` apart, to rows of so many vectors with `active` columns each, a
    square at a time. All matrices share it, because its many instructions are slow to compile."""
    name = f"transposing.{dtype.kind}{8 * dtype.itemsize}.{active}.{lanes}"
    if name in module.globals:
        return module.globals[name]
    pointer = scalar_type(dtype).as_pointer()
    llvm_type = ir.FunctionType(ir.VoidType(), [pointer, pointer, INT, INT, INT, INT])
    function = ir.Function(module, llvm_type, name)
    function.attributes.add("noinline")
    b: Any = Builder(function.append_basic_block("entry"))
    source, to, rows, across, pitch, vectors = function.args
    main = b.mul(b.sdiv(rows, integer(lanes)), integer(lanes))
    zeros = Value(b, None, dtype, lanes).number(0)
    with loop(b, integer(0), vectors) as vector:
        left = b.gep(source, [b.mul(b.mul(vector, integer(lanes)), across)])
        right = b.gep(to, [b.mul(vector, integer(lanes))])
        with loop(b, integer(0), main, lanes) as first:
            columns: list[Value] = []
            at = b.gep(left, [first])
            for column in range(active):
                at = b.gep(at, [across]) if column else at
                columns.append(read(b, at, dtype, integer(0), lanes, 1))
            at = b.gep(right, [b.mul(first, pitch)])
            for number, row in enumerate(transposed([*columns, *[zeros] * (lanes - active)])):
                at = b.gep(at, [pitch]) if number else at
                write(b, at, row, integer(0))
        with loop(b, main, rows) as row:
            at, start = b.gep(left, [row]), b.gep(right, [b.mul(row, pitch)])
            with loop(b, integer(0), integer(active)) as column:
                one = read(b, at, dtype, b.mul(column, across), 1, 1)
                write(b, start, one, column)
            if active < lanes:
                with loop(b, integer(active), integer(lanes)) as column:
                    write(b, start, Value(b, None, dtype, 1).number(0), column)
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


def _zero_padded(value: Value, active: int) -> Value:
    """The value with zeros in its inactive lanes."""
    lanes = [lane if lane < active else value.lanes + lane for lane in range(value.lanes)]
    return value.like(shuffled(value.builder, value.code, value.number(0).code, lanes))
