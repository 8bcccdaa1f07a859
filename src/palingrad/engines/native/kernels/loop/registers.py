"""Small arrays in vector registers, and the ways that elements take between them.

An array is held row by row along its last axis: a row is a few vectors, of which the last may have
idle lanes. A layout moves nothing until somebody needs its vectors: it is a table that says which
element of which array each of its elements is. So a row of a transposed transposed matrix is a row,
and what is read as numbers for all lanes is never arranged in a vector of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from .....dtypes import DType
from .....graph.state.records import dataclass
from ...llvm.builder import INT32, shuffled
from ...llvm.loops import splatted, undefined
from ...llvm.target import host
from ...llvm.values import Value, scalar_type

NOTHING = -1  # in a table: the element is 0
Table = np.ndarray[Any, np.dtype[np.int64]]
Pick = tuple[Value, int] | None  # a lane of a vector; None for 0


@dataclass(frozen=True)
class Form:
    """How an array of some shape is held in vectors of at most `most` lanes."""

    shape: tuple[int, ...]
    lanes: int
    across: int  # vectors of a row
    rows: int

    @classmethod
    def of(cls, shape: tuple[int, ...], most: int) -> Form:
        """The form of an array that isn't empty."""
        length = shape[-1] if shape else 1
        lanes = min(most, 1 << (length - 1).bit_length())
        return cls(shape, lanes, -(-length // lanes), math.prod(shape[:-1]))

    @property
    def length(self) -> int:
        """The elements of a row."""
        return self.shape[-1] if self.shape else 1

    @property
    def size(self) -> int:
        """The elements."""
        return self.rows * self.length

    @property
    def vectors(self) -> int:
        """The vectors."""
        return self.rows * self.across

    def active(self, place: int) -> int:
        """The lanes of vector `place` that hold elements."""
        return min(self.lanes, self.length - place % self.across * self.lanes)

    def lane(self, element: int) -> tuple[int, int]:
        """(vector, lane) of an element in row-major order."""
        row, column = divmod(element, self.length)
        return row * self.across + column // self.lanes, column % self.lanes

    def elements(self, place: int) -> range:
        """The elements in the vector `place`."""
        row, part = divmod(place, self.across)
        start = row * self.length + part * self.lanes
        return range(start, start + self.active(place))


def most_lanes(dtypes: Sequence[DType]) -> int:
    """The lanes of a full vector of the widest of these dtypes."""
    return host().lanes(max(dtype.itemsize for dtype in dtypes))


class Registers:
    """An array in registers: vectors, or a table of the elements of others that it consists of."""

    def __init__(self, builder: Any, form: Form, dtype: DType, vectors: list[Value] | None) -> None:
        self.builder, self.form, self.dtype = builder, form, dtype
        self._vectors = vectors
        self._sources: list[Registers] = []
        self._table: Table | None = None  # places in all elements of the sources, one after another
        self.is_fixed = False  # whether it is the same in all steps

    @classmethod
    def moved(cls, form: Form, sources: Sequence[Registers], table: Table) -> Registers:
        """The array whose elements are those of `sources` at the places in the table."""
        first = sources[0]
        flat = table.reshape(-1)
        if len(sources) == 1 and form == first.form and np.array_equal(flat, np.arange(form.size)):
            return first
        roots: list[Registers] = []
        through: list[Table] = []
        for source in sources:
            start = sum(root.form.size for root in roots)
            if source._vectors is None and source._table is not None:
                inner = source._table
                roots += source._sources
            else:
                inner = np.arange(source.form.size)
                roots.append(source)
            through.append(np.where(inner < 0, NOTHING, inner + start))
        joined = np.concatenate(through)
        new = cls(first.builder, form, first.dtype, None)
        new._sources = roots
        new._table = np.where(flat < 0, NOTHING, joined[flat])
        new.is_fixed = all(source.is_fixed for source in sources)
        return new

    @property
    def vectors(self) -> list[Value]:
        """Its vectors, arranged now if they weren't before."""
        if self._vectors is None:
            self._vectors = [
                _arranged(self, [self.pick(n) for n in self.form.elements(place)])
                for place in range(self.form.vectors)
            ]
        return self._vectors

    def arrange(self) -> None:
        """Emits its vectors here, if they aren't anywhere yet."""
        self._vectors = self.vectors

    @property
    def is_arranged(self) -> bool:
        """Whether its vectors are there, or are whole vectors of others."""
        if self._vectors is not None:
            return True
        picked = ([self.pick(n) for n in self.form.elements(place)]
                  for place in range(self.form.vectors))  # fmt: skip
        return all(_whole(self.form.lanes, picks) is not None for picks in picked)

    def pick(self, element: int) -> Pick:
        """Where an element is."""
        if self._vectors is not None or self._table is None:
            place, lane = self.form.lane(element)
            return self.vectors[place], lane
        at = int(self._table[element])
        if at < 0:
            return None
        for source in self._sources:
            if at < source.form.size:
                place, lane = source.form.lane(at)
                return source.vectors[place], lane
            at -= source.form.size
        raise AssertionError("an element of no source")

    def everywhere(self, element: int, lanes: int) -> Value:
        """An element in every lane."""
        return _arranged(self, [self.pick(element)] * lanes, lanes)

    def number(self, element: int) -> Value:
        """An element alone."""
        return _arranged(self, [self.pick(element)], 1)


def _whole(lanes: int, picks: Sequence[Pick]) -> Value | None:
    """The vector whose first lanes these are."""
    first = picks[0]
    if first is None or first[0].lanes != lanes:
        return None
    same = (pick is not None and pick[0] is first[0] and pick[1] == n
            for n, pick in enumerate(picks))  # fmt: skip
    return first[0] if all(same) else None


def _arranged(array: Registers, picks: Sequence[Pick], lanes: int = 0) -> Value:
    """A vector of these elements; the idle lanes repeat the last one."""
    b, lanes = array.builder, lanes or array.form.lanes
    whole = _whole(lanes, picks)
    if whole is not None:
        return whole
    picks = [*picks, *[picks[-1]] * (lanes - len(picks))]
    if lanes == 1 or all(_is_same(pick, picks[0]) for pick in picks):
        one = _number(array, picks[0])
        if lanes == 1 or picks[0] is None or picks[0][0].lanes == 1:
            return splatted(one, lanes) if lanes > 1 else one
    sources = list(dict.fromkeys(pick[0] for pick in picks if pick is not None))
    if None in picks and len(sources) < 2:
        sources.append(Value(b, None, array.dtype, sources[0].lanes).number(0))
        zero = sources[-1], 0
    else:
        zero = None
    widths = {source.lanes for source in sources}
    if len(sources) <= 2 and len(widths) == 1 and widths != {1} and (zero or None not in picks):
        width = sources[0].lanes
        numbers = {source: n * width for n, source in enumerate(sources)}
        found = (pick or zero for pick in picks)
        code = shuffled(
            b, sources[0].code, sources[-1].code,
            [numbers[one[0]] + one[1] if len(sources) == 2 else one[1] for one in found if one],
        )  # fmt: skip
        return Value(b, code, array.dtype, lanes)
    code = undefined(scalar_type(array.dtype), lanes)
    for lane, pick in enumerate(picks):
        one = _number(array, pick).code
        code = b.insert_element(code, one, ir.Constant(INT32, lane))
    return Value(b, code, array.dtype, lanes)


def _is_same(a: Pick, b: Pick) -> bool:
    if a is None or b is None:
        return a is b
    return a[0] is b[0] and a[1] == b[1]


def _number(array: Registers, pick: Pick) -> Value:
    b = array.builder
    if pick is None:
        return Value(b, None, array.dtype, 1).number(0)
    vector, lane = pick
    if vector.lanes == 1:
        return vector
    return Value(b, b.extract_element(vector.code, ir.Constant(INT32, lane)), array.dtype, 1)
