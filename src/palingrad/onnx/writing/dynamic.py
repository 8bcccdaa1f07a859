"""Axes of any size: graphs written for several sizes, made one.

A graph has concrete sizes. It is written for a few sizes of each dynamic axis; where the graphs
are the same node by node, each constant that differs is solved for: an integer as a polynomial of
the sizes, linear in each of them; a number as one over it. The solution must reproduce another
graph, of sizes that it wasn't solved from, to the bit. What has no solution is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any

import numpy as np

from ...dtypes import Array, is_floating, is_integer
from ...errors import OnnxError, PalingradError
from .trace import Written, written
from .values import TYPES, Block, Entry

# Sizes to try: small ones first, because a model may limit the size of an axis.
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71)
_STARTS = (1, 3, 6, 11, 0)
_OTHERS = (2, 3, 4, 6, 8, 9, 10, 16)  # sizes at which the operations must be the same
_MOST = 3  # dynamic axes of different names
_NUMERATORS = (1.0, -1.0, 2.0, -2.0)
_INT = np.dtype(np.int64)


class _Differs(Exception):
    """The graphs of two sizes aren't alike."""


@dataclass
class Sizes:
    """The sizes of the dynamic axes in each graph, and the monomials of a polynomial in them."""

    symbols: list[str]
    points: list[tuple[int, ...]]  # the corners, and at the end the point that proves them
    monomials: list[tuple[int, ...]] = field(default_factory=list[tuple[int, ...]])

    def __post_init__(self) -> None:
        places = range(len(self.symbols))
        self.monomials = [one for n in range(len(places) + 1) for one in combinations(places, n)]
        rows = [[float(np.prod([p[i] for i in m])) for m in self.monomials] for p in self.points]
        self.matrix = np.array(rows)

    def polynomial(self, values: Sequence[Any]) -> Array | None:
        """The integer coefficients (monomials, …) of the polynomial with these values, or None."""
        stacked = np.stack([np.asarray(one, np.float64) for one in values])
        flat = stacked.reshape(len(values), -1)
        corners = len(self.monomials)
        found = np.rint(np.linalg.solve(self.matrix[:corners], flat[:corners]))
        if not np.array_equal(self.matrix @ found, flat):
            return None
        return found.reshape(corners, *stacked.shape[1:])


def general(
    f: Callable[..., Any], arrays: Sequence[Array], axes: Sequence[Mapping[int, str]], opset: int
) -> tuple[Written, dict[str, list[Any]]]:
    """The graph of f with dynamic axes, and the dimensions of its inputs and outputs by name."""
    symbols = list(dict.fromkeys(name for one in axes for name in one.values()))
    if len(symbols) > _MOST:
        raise OnnxError(f"onnx.export: at most {_MOST} dynamic axes may have different names.")
    first: Exception | None = None

    def at(point: Sequence[int]) -> Written:
        return written(f, _resized(arrays, axes, symbols, point), opset, general=True)

    for start in _STARTS:
        given = [_PRIMES[start + 3 * n : start + 3 * n + 3] for n in range(len(symbols))]
        corners = list(product(*((one[0], one[1]) for one in given)))
        sizes = Sizes(symbols, [*corners, tuple(one[2] for one in given)])
        try:
            graphs = [at(p) for p in sizes.points]
            found = _joined(graphs, sizes, axes)
        except (_Differs, PalingradError) as error:
            first = first or error
            continue
        _check_others(at, sizes.points[0])
        return found
    if isinstance(first, PalingradError):
        raise first
    raise OnnxError(
        f"onnx.export: the graph depends on the size of a dynamic axis ({', '.join(symbols)}) in a "
        f"way that can't be written: {first}.",
        hint="Export it for a fixed size, without dynamic_axes.",
    )


def _check_others(at: Callable[[Sequence[int]], Written], point: Sequence[int]) -> None:
    """Raise OnnxError if the function computes otherwise at another size, as far as it allows it:
    a Python `if` on a size isn't part of the graph."""
    shape = [entry.op for entry in at(point).block.entries]
    for size in _OTHERS:
        for place in range(len(point)):
            moved = [*point[:place], size, *point[place + 1 :]]
            try:
                ops = [entry.op for entry in at(moved).block.entries]
            except PalingradError:
                continue  # a size that the function refuses
            if ops != shape:
                raise OnnxError(f"onnx.export: for a dynamic axis of size {size} the function "
                                "computes in another way than for other sizes.",
                                hint="Export it for a fixed size, without dynamic_axes.",
                                )  # fmt: skip


def _resized(
    arrays: Sequence[Array], axes: Sequence[Mapping[int, str]], symbols: Sequence[str],
    point: Sequence[int],
) -> list[Array]:  # fmt: skip
    sizes = dict(zip(symbols, point, strict=True))
    shapes = [
        tuple(sizes[one[n]] if n in one else size for n, size in enumerate(x.shape))
        for x, one in zip(arrays, axes, strict=True)
    ]
    return [np.zeros(shape, x.dtype) for x, shape in zip(arrays, shapes, strict=True)]


def _joined(
    graphs: Sequence[Written], sizes: Sizes, axes: Sequence[Mapping[int, str]]
) -> tuple[Written, dict[str, list[Any]]]:
    first = graphs[0]
    if any(one.inputs != first.inputs or one.updates != first.updates for one in graphs):
        raise _Differs("its inputs differ")
    solver = _Solver(sizes, first, axes)
    solver.join([one.block for one in graphs])
    first.block.entries[:0] = solver.entries
    first.block.constants.update(solver.constants)
    dims = {
        x.name: [one.get(n, size) for n, size in enumerate(x.shape)]
        for x, one in zip(first.block.inputs, axes)
    }
    for place, y in enumerate(first.block.outputs):
        shapes = [one.block.outputs[place].shape for one in graphs]
        if len({len(shape) for shape in shapes}) > 1:
            raise _Differs("an output has another number of axes")
        dims[y.name] = [_dimension(column, sizes) for column in zip(*shapes, strict=True)]
    return first, dims


def _dimension(column: Sequence[int], sizes: Sizes) -> Any:
    """The name of a dynamic axis, a size that is always the same, or None."""
    if len(set(column)) == 1:
        return column[0]
    for place, symbol in enumerate(sizes.symbols):
        if all(size == point[place] for size, point in zip(column, sizes.points, strict=True)):
            return symbol
    return None


class _Solver:
    """Replaces constants that depend on sizes by nodes that compute them."""

    def __init__(self, sizes: Sizes, first: Written, axes: Sequence[Mapping[int, str]]) -> None:
        self.sizes = sizes
        self.m = first.block.outputs[0].m
        self.entries: list[Entry] = []
        self.constants: dict[str, Array] = {}
        self._powers: dict[tuple[int, ...], str] = {}
        self._sources: dict[str, tuple[str, int]] = {}
        for x, one in zip(first.block.inputs, axes):
            for axis, symbol in one.items():
                self._sources.setdefault(symbol, (x.name, axis))

    def join(self, blocks: Sequence[Block]) -> None:
        """Make the first of the blocks hold for all sizes."""
        first = blocks[0]
        if len({len(one.entries) for one in blocks}) > 1:
            raise _Differs("the number of nodes changes")
        for entries in zip(*(one.entries for one in blocks), strict=True):
            self._join_entries(entries)
        if any(list(one.constants) != list(first.constants) for one in blocks):
            raise _Differs("the constants change")
        for name in list(first.constants):
            arrays = [one.constants[name] for one in blocks]
            if any(not _same(x, arrays[0]) for x in arrays):
                self._solve(name, arrays, _reader(first, name))
                del first.constants[name]

    def _join_entries(self, entries: Sequence[Entry]) -> None:
        one = entries[0]
        for other in entries[1:]:
            if (one.op, one.inputs, one.outputs) != (other.op, other.inputs, other.outputs):
                raise _Differs(f"{one.label or one.op} is computed in another way")
        for key, value in one.attributes.items():
            others = [other.attributes[key] for other in entries]
            if isinstance(value, Block):
                self.join(others)
            elif any(other != value for other in others):
                raise _Differs(f"{one.label or one.op} has the size in an attribute of {one.op}")

    def _solve(self, name: str, arrays: Sequence[Array], label: str) -> None:
        first = arrays[0]
        if len({x.shape for x in arrays}) > 1:
            self._solve_shape(name, arrays, label)
        elif is_integer(first.dtype):
            found = self.sizes.polynomial(arrays)
            if found is None:
                raise _Differs(f"{label} depends on an integer that isn't a polynomial of the size")
            self._emit(found, first.dtype, name)
        elif is_floating(first.dtype) and first.ndim == 0:
            self._solve_number(name, arrays, label)
        else:
            raise _Differs(f"{label} reads a constant array that depends on the size")

    def _solve_number(self, name: str, arrays: Sequence[Array], label: str) -> None:
        dtype = arrays[0].dtype
        numbers = [float(x) for x in arrays]
        for numerator in (None, *_NUMERATORS):
            with np.errstate(all="ignore"):
                whole = [x if numerator is None else np.rint(numerator / x) for x in numbers]
                if not all(map(np.isfinite, whole)):
                    continue
                found = self.sizes.polynomial(whole)
                again = [x if numerator is None else numerator / x for x in whole]
            if found is None or any(dtype.type(a) != x for a, x in zip(again, arrays)):
                continue
            wide = np.dtype(np.float64)
            total = self._emit(found, wide, None if numerator is not None else name, dtype)
            if numerator is not None:
                top = self._constant(np.asarray(numerator, wide))
                self._cast(self._add("Div", top, total), dtype, name)
            return
        raise _Differs(f"{label} depends on a number that isn't 1/n of a size")

    def _solve_shape(self, name: str, arrays: Sequence[Array], label: str) -> None:
        """A constant of one number everywhere is expanded; integers 0, 1, … are a range."""
        if len({x.ndim for x in arrays}) > 1:
            raise _Differs(f"{label} reads a constant with another number of axes")
        shape = self.sizes.polynomial([np.array(x.shape, np.int64) for x in arrays])
        if shape is None:
            raise _Differs(f"{label} reads a constant whose shape isn't a polynomial of the size")
        values = {x.flat[0].tobytes() for x in arrays if x.size}
        if all(x.size and (x == x.flat[0]).all() for x in arrays) and len(values) == 1:
            ends = self._emit(shape, _INT, None)
            number = self._constant(arrays[0].flat[0])
            self._add("Expand", number, ends, name=name)
        elif all(x.ndim == 1 and np.array_equal(x, np.arange(len(x))) for x in arrays):
            stop = self._emit(shape[:, 0], _INT, None)
            zero, one = (self._constant(np.asarray(n, _INT)) for n in (0, 1))
            self._cast(self._add("Range", zero, stop, one), arrays[0].dtype, name)
        elif (op := _triangle(arrays)) is not None:
            rows = self._range(shape[:, -2], lead=True)
            whole = self._add(op, rows, self._range(shape[:, -1], lead=False))
            self._add("Expand", whole, self._emit(shape, _INT, None), name=name)
        else:
            raise _Differs(f"{label} reads a constant array whose shape depends on the size")

    def _range(self, stop: Array, *, lead: bool) -> str:
        """0, 1, … as a column or a row."""
        ends = [self._constant(np.asarray(n, _INT)) for n in (0, 1)]
        found = self._add("Range", ends[0], self._emit(stop, _INT, None), ends[1])
        if not lead:
            return found
        return self._add("Unsqueeze", found, self._constant(np.array([1], _INT)))

    # ---------------------------------------------------------------- nodes

    def _emit(self, found: Array, dtype: Any, name: str | None, last: Any = None) -> str:
        """The name of a polynomial of the sizes, computed in int64 or float64."""
        wide = np.dtype(np.float64) if is_floating(dtype) else _INT
        total = self._constant(found[0].astype(wide))
        for monomial, factor in zip(self.sizes.monomials[1:], found[1:], strict=True):
            if np.any(factor):
                size = self._power(monomial)
                if is_floating(wide):
                    size = self._cast(size, wide, None)
                term = self._add("Mul", self._constant(factor.astype(wide)), size)
                total = self._add("Add", total, term)
        return total if name is None else self._cast(total, last or dtype, name)

    def _power(self, monomial: tuple[int, ...]) -> str:
        """The product of some sizes."""
        if monomial not in self._powers:
            name, axis = self._sources[self.sizes.symbols[monomial[0]]]
            if len(monomial) == 1:
                shape = self._add("Shape", name)
                at = self._constant(np.asarray(axis, _INT))
                self._powers[monomial] = self._add("Gather", shape, at)
            else:
                parts = self._power(monomial[:1]), self._power(monomial[1:])
                self._powers[monomial] = self._add("Mul", *parts)
        return self._powers[monomial]

    def _cast(self, x: str, dtype: Any, name: str | None) -> str:
        to = TYPES[np.dtype(dtype).name]
        made = name or self.m.fresh("size")
        self.entries.append(Entry("Cast", (x,), (made,), {"to": to}))
        return made

    def _add(self, op: str, *inputs: str, name: str | None = None) -> str:
        made: str = name or self.m.fresh("size")
        self.entries.append(Entry(op, inputs, (made,), {}))
        return made

    def _constant(self, array: Any) -> str:
        name = self.m.fresh("size")
        self.constants[name] = np.asarray(array)
        return name


def _same(x: Array, y: Array) -> bool:
    return x.shape == y.shape and x.dtype == y.dtype and x.tobytes() == y.tobytes()


_TRIANGLES: dict[str, Any] = {
    "GreaterOrEqual": np.greater_equal, "Greater": np.greater, "LessOrEqual": np.less_equal,
    "Less": np.less,
}  # fmt: skip


def _triangle(arrays: Sequence[Array]) -> str | None:
    """The comparison of row and column that these boolean matrices are, or None."""
    if any(x.dtype != np.bool_ or x.ndim < 2 for x in arrays):
        return None
    for op, compare in _TRIANGLES.items():
        if all((x == compare.outer(*map(np.arange, x.shape[-2:]))).all() for x in arrays):
            return op
    return None


def _reader(block: Block, name: str) -> str:
    """The node that reads a constant, for messages."""
    return next((one.label or one.op for one in block.entries if name in one.inputs), name)
