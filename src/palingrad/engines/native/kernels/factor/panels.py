"""Matrices in panels: blocks of columns, each with its rows one after another.

A panel is as wide as a tile of the microkernel, so that it is a right operand as it is. A left
operand is a part of a panel too. All sizes are padded, so that tiles are whole.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .....dtypes import DType
from .....graph.state.records import dataclass
from ...llvm.builder import INT, Builder
from ...llvm.loops import integer, read, splat, splatted, write
from ...llvm.target import host
from ...llvm.values import Value, scalar_type
from ..gemm.microkernel import Tile

_VECTORS = 3  # of a panel


@dataclass(frozen=True)
class PanelPlan:
    """The panels of a matrix with `rows` rows and `columns` columns."""

    dtype: DType
    lanes: int
    height: int  # rows of a tile, which divide the lanes
    rows: int
    columns: int

    @classmethod
    def of(cls, dtype: DType, rows: int, columns: int) -> PanelPlan:
        """The plan for this CPU: sums of a tile fill the registers."""
        lanes = host().lanes(dtype.itemsize)
        most = (24 if host().registers == 32 else 12) // _VECTORS
        height = max(h for h in range(1, most + 1) if lanes % h == 0)
        return cls(dtype, lanes, height, rows, columns)

    @property
    def width(self) -> int:
        """The columns of a panel."""
        return _VECTORS * self.lanes

    @property
    def panels(self) -> int:
        """Their number."""
        return -(-self.columns // self.width)

    @property
    def padded(self) -> int:
        """The rows of a panel: whole tiles."""
        return -(-self.rows // self.height) * self.height

    @property
    def size(self) -> int:
        """The numbers in a panel."""
        return self.padded * self.width

    @property
    def space(self) -> str:
        """The shape and the dtype, in words."""
        return f"({self.rows}, {self.columns}) {self.dtype}"

    @property
    def rest(self) -> int:
        """The columns of the last panel."""
        return self.columns - (self.panels - 1) * self.width

    def vectors(self, columns: int) -> int:
        """The vectors of a panel with so many columns."""
        return -(-columns // self.lanes)

    def tiles(self, panel: int) -> int:
        """The tiles of the block of rows with the number of a panel."""
        return min(self.width, self.padded - panel * self.width) // self.height

    def block(self, number: int) -> tuple[Any, Any]:
        """The first row, and the number of tiles, of the block of rows with a panel's number."""
        return integer(number * self.width), integer(self.tiles(number))

    def tile(self, module: Any, vectors: int, *, transposed: bool, subtracts: bool) -> ir.Function:
        """The function of the product of a left operand's tile and a panel with so many vectors,
        which it subtracts from what is there, or not. The left operand is a panel, or with
        `transposed` the transpose of one."""
        places, step = (1, self.width) if transposed else (self.width, 1)
        return Tile(
            self.dtype, tuple(places * row for row in range(self.height)), vectors, self.lanes,
            self.lanes, ((None, step, self.width),), True, True, adds=subtracts,
            subtracts=subtracts,
        ).emitted(module)  # fmt: skip


class PanelFunction:
    """A function of generated code on panels, which kernels of a module share."""

    def __init__(self, module: Any, name: str, plan: PanelPlan, vectors: int) -> None:
        self.module, self.plan, self.vectors = module, plan, vectors
        self.pointer = scalar_type(plan.dtype).as_pointer()
        dtype = plan.dtype
        self.name = f"{name}.{dtype.kind}{8 * dtype.itemsize}.{plan.lanes}.{vectors}"

    def emitted(self) -> ir.Function:
        """The module's function."""
        if self.name not in self.module.globals:
            kind = ir.FunctionType(self.returns(), self.arguments())
            function = ir.Function(self.module, kind, self.name)
            function.attributes.add("noinline")
            self.b: Any = Builder(function.append_basic_block("entry"))
            self.emit(*function.args)
        return self.module.globals[self.name]

    def returns(self) -> Any:
        """The type of its result."""
        return ir.VoidType()

    def arguments(self) -> list[Any]:
        """The types of its arguments."""
        raise NotImplementedError

    def emit(self, *arguments: Any) -> None:
        """Emits its code."""
        raise NotImplementedError

    # ---------------------------------------------------------------- rows of a tile

    def subtract(
        self, left: Any, right: Any, at: Any, terms: Any, *, transposed: bool = True
    ) -> None:
        """Emits that the product of left and right, of so many terms, is subtracted at `at`."""
        self._product(left, right, at, terms, transposed, True)

    def multiply(self, left: Any, right: Any, at: Any, terms: Any, *, transposed: bool) -> None:
        """Emits that the product of left and right, of so many terms, is written at `at`."""
        self._product(left, right, at, terms, transposed, False)

    def _product(
        self, left: Any, right: Any, at: Any, terms: Any, transposed: bool, subtracts: bool
    ) -> None:
        b, width = self.b, integer(self.plan.width)
        tile = self.plan.tile(self.module, self.vectors, transposed=transposed, subtracts=subtracts)
        b.call(tile, [left, right, at, width, at, width, terms, ir.Constant(ir.IntType(1), 0)])

    def row(self, at: Any, number: int) -> list[Value]:
        """Emits the load of a row's vectors."""
        return [
            read(self.b, at, self.plan.dtype, integer(place), self.plan.lanes, 1)
            for place in self._places(number)
        ]

    def put(self, at: Any, number: int, row: list[Value]) -> None:
        """Emits the store of a row's vectors."""
        for place, value in zip(self._places(number), row, strict=True):
            write(self.b, at, value, integer(place))

    def _places(self, number: int) -> list[int]:
        start = number * self.plan.width
        return [start + vector * self.plan.lanes for vector in range(self.vectors)]

    def exchange(self, panel: Any, row: Any, other: Any) -> None:
        """Emits the exchange of two rows of a panel."""
        b, width = self.b, integer(self.plan.width)
        first, second = (b.gep(panel, [b.mul(one, width)]) for one in (row, other))
        mine, its = self.row(first, 0), self.row(second, 0)
        self.put(first, 0, its)
        self.put(second, 0, mine)

    def divided(self, left: Any, right: Any, at: Any, terms: Any) -> None:
        """Emits that the rows of a tile `at` lose the product of `left` and `right`, of so many
        terms, and are divided by the unit lower triangle that follows in `left`."""
        b, plan = self.b, self.plan
        self.subtract(left, right, at, terms, transposed=False)
        own = b.gep(left, [terms])
        rows = [self.row(at, number) for number in range(plan.height)]
        for number in range(plan.height):
            for other in range(number + 1, plan.height):
                factor = self.number(own, integer(other * plan.width + number))
                rows[other] = self.less(rows[other], factor, rows[number])
            self.put(at, number, rows[number])

    def less(self, row: list[Value], factor: Value, other: list[Value]) -> list[Value]:
        """A row minus a number times another row."""
        many = self.spread(-factor)
        return [many.fused(one, mine) for one, mine in zip(other, row, strict=True)]

    def number(self, at: Any, place: Any) -> Value:
        """Emits the load of one number."""
        return read(self.b, at, self.plan.dtype, place, 1, 1)

    def spread(self, one: Value) -> Value:
        """One number in every lane."""
        return splatted(one, self.plan.lanes) if self.plan.lanes > 1 else one


def from_lane(b: Any, value: Value, place: int, first: Any) -> Value:
    """The lanes of a vector from number `first` on, where its own begin with `place`; others are
    0."""
    return _where(b, value, place, ">=", first)


def up_to_lane(b: Any, value: Value, place: int, last: Any) -> Value:
    """The lanes of a vector up to number `last`, where its own begin with `place`; others are 0."""
    return _where(b, value, place, "<=", last)


def _where(b: Any, value: Value, place: int, sign: str, number: Any) -> Value:
    inside = b.icmp_signed(sign, lane_numbers(value.lanes, place), spread(b, number, value.lanes))
    return value.like(b.select(inside, value.code, value.number(0).code))


def lane_numbers(lanes: int, first: int = 0) -> ir.Constant:
    """The numbers of lanes, from `first` on, as 64-bit integers."""
    if lanes == 1:
        return integer(first)
    return ir.Constant(ir.VectorType(INT, lanes), [integer(first + lane) for lane in range(lanes)])


def spread(b: Any, code: Any, lanes: int) -> Any:
    """A number in every lane."""
    return splat(b, code, lanes) if lanes > 1 else code
