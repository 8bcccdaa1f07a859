"""Making a failing program small: whatever can go, goes, as long as it fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from fuzzing.compare import Failure
from fuzzing.program import Array, Call, Leaf, Piece, Program, Role, Value, inputs_of
from fuzzing.run import eager

TRIES = 300


def shrunk(
    failure: Failure, check: Callable[[Program], Failure | None], tries: int = TRIES
) -> Failure:
    """A failure of the same kind, found by `check`, in a program as small as some tries make it."""
    progress = True
    while progress and tries > 0:
        progress = False
        for smaller in _smaller(failure.program):
            tries -= 1
            found = check(smaller)
            if found is not None and found.like(failure):
                failure, progress = found, True
                break
            if tries <= 0:
                break
    return failure


def _smaller(program: Program) -> Iterator[Program]:
    """Programs with a little less in them, those with much less first."""
    yield from _fewer_roots(program)
    yield from _plainer(program)
    values = _values(program)
    for value in reversed(program.order):
        if isinstance(value, (Call, Piece)) and value in values:
            array = values[value]
            for x in inputs_of(value):
                if x in values and _form(values[x]) == _form(array):
                    yield program.replaced({value: x})
    for value in reversed(program.order):
        if isinstance(value, (Call, Piece)) and value in values:
            yield program.replaced({value: Leaf.known(values[value])})
    yield from _smaller_leaves(program)


def _form(array: Array) -> tuple[object, object]:
    return array.shape, array.dtype


def _values(program: Program) -> dict[Value, Array]:
    """What eager code computes for every value but those with several outputs."""
    pieces = {value.call for value in program.order if isinstance(value, Piece)}
    single = [value for value in program.order if value not in pieces]
    try:
        results = eager(Program(tuple(single)))
    except Exception:  # the failure is that eager code can't
        return {}
    return dict(zip(single, results.arrays, strict=True))


def _fewer_roots(program: Program) -> Iterator[Program]:
    outputs = program.outputs
    if len(outputs) > 1:
        half = len(outputs) // 2
        yield replace(program, outputs=outputs[:half])
        yield replace(program, outputs=outputs[half:])
        for number in range(len(outputs)):
            yield replace(program, outputs=outputs[:number] + outputs[number + 1 :])
    for number, output in enumerate(outputs):  # what an output is computed from, in its place
        for x in inputs_of(output):
            if isinstance(x, (Call, Piece)):
                yield replace(program, outputs=(*outputs[:number], x, *outputs[number + 1 :]))
    for number in range(len(program.updates)):
        yield replace(program, updates=program.updates[:number] + program.updates[number + 1 :])


def _plainer(program: Program) -> Iterator[Program]:
    if program.threads > 1:
        yield replace(program, threads=1)
    if program.derivatives:
        yield replace(program, derivatives=program.derivatives - 1)
    fed = [leaf for leaf in program.leaves if leaf.role is Role.PLACEHOLDER]
    if any(leaf.shape != leaf.array.shape or leaf.dtype is None for leaf in fed):
        yield program.replaced({leaf: Leaf.known(leaf.array) for leaf in fed})
    for leaf in program.leaves:
        if leaf.role is not Role.PLACEHOLDER or leaf.dtype is None:
            yield program.replaced({leaf: Leaf.known(leaf.array)})


def _smaller_leaves(program: Program) -> Iterator[Program]:
    """Axes of one size cut everywhere, then numbers made plain."""
    sizes = sorted({size for leaf in program.leaves for size in leaf.array.shape if size > 1})
    for size in reversed(sizes):
        for new in sorted({1, 2, size // 2, size - 1} - {size, 0}):
            yield program.replaced(
                {
                    leaf: _with(leaf, _cut(leaf.array, size, new))
                    for leaf in program.leaves
                    if size in leaf.array.shape
                }
            )
    for leaf in program.leaves:
        for array in _plain(leaf.array):
            yield program.replaced({leaf: _with(leaf, array)})


def _cut(array: Array, size: int, new: int) -> Array:
    index = tuple(slice(new) if one == size else slice(None) for one in array.shape)
    return np.array(array[index])


def _with(leaf: Leaf, array: Array) -> Leaf:
    """The leaf with another array, whose shape is known if the old one's was."""
    if leaf.role is not Role.PLACEHOLDER:
        return replace(leaf, array=array)
    shape = leaf.shape and tuple(
        None if old is None else new for old, new in zip(leaf.shape, array.shape, strict=True)
    )
    return replace(leaf, array=array, shape=shape)


def _plain(array: Array) -> Iterator[Array]:
    """The array with plainer numbers in it."""
    simple: list[Array] = [np.zeros_like(array), np.ones_like(array)]
    if array.dtype.kind == "f":
        with np.errstate(all="ignore"):
            simple += [np.round(array), np.round(array, 1)]
    for one in simple:
        if not np.array_equal(one, array, equal_nan=array.dtype.kind == "f"):
            yield one
            continue
        return  # it is that plain already
