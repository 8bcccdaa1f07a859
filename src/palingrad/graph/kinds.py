"""The kinds of operations: what an engine needs to know to run one it has never heard of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np

from ..dtypes import DTYPES, DType, bool_
from ..errors import GradientError
from ..maths import numpy_maths
from ..shapes import Shape, axes_in, broadcast, reduced
from .context import built_at, graph_scope
from .describe.nonfinite import Reason, number, total_overflow
from .describe.notation import Piece, applied, operator
from .describe.template import below, fill, with_axes
from .graph import Graph
from .node import Node
from .operation import Operation, is_known
from .registry import is_shipped, ops
from .traversal.verify import held


class Elementwise(Operation):
    """Each element of y from the elements of the inputs at its place, after broadcasting.

    A subclass gives `f(m, *x)` and `d(y, *x)`: ∂y/∂x for each input as a node, a number, a boolean
    mask (where the derivative is 1; nothing flows elsewhere, not even NaN), None, or a function
    that returns one of these and is called only if that input's gradient is wanted.

    `f` depends on its arguments and the node's attributes alone. Its result has the dtype that
    NumPy gives it: Python numbers are weak, so `0.5 * x` is x's, but `0.5 * (x > 0)` is float64.
    """

    boolean: ClassVar[bool] = False  # whether the result is True or False
    _results: ClassVar[dict[tuple[DType, ...], DType]] = {}  # by the dtypes of the inputs

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._results = {}

    def shape_rule(self, *shapes: Shape) -> Shape:
        return broadcast(*shapes)

    def dtype_rule(self, *dtypes: DType) -> DType:
        if self.boolean:
            return bool_
        if self.attributes:
            return self._formula_dtype(dtypes)
        if dtypes not in self._results:
            self._results[dtypes] = self._formula_dtype(dtypes)
        return self._results[dtypes]

    def _formula_dtype(self, dtypes: tuple[DType, ...]) -> DType:
        """The dtype of f of ones; where it refuses them, a run will say so better."""
        ones = [np.ones(1, dtype) for dtype in dtypes]
        try:
            with np.errstate(all="ignore"):
                found = np.asarray(self.f(numpy_maths, *ones, **self.attributes)).dtype
        except Exception:
            return dtypes[-1]
        return found if found in DTYPES else dtypes[-1]

    def _held(self, value: Any) -> Any:
        """A result that doesn't depend on all inputs is repeated."""
        if self._shape is None:
            self._infer()
        if value.shape != self._shape:
            try:
                value = self.seal(np.broadcast_to(value, cast(Any, self._shape)).copy())
            except ValueError:
                pass  # is said below
        return held(self, value)

    def nonfinite(y, value: float, *x: float) -> Reason:
        at = ", ".join(map(number, x))
        return Reason(
            f"{y.kind_name()} of {at} is {number(value)}", "keep the argument away from there"
        )

    @classmethod
    def masked(cls) -> str:
        if cls.harmless is None:
            return ""
        name = f"pg.{cls._kind_name}" if is_shipped(cls) else cls._kind_name
        return f"{name}(pg.where(ok, x, {cls.harmless:g}))"

    def structure(y, position: int, size: int, out: int) -> str:
        return "diagonal" if size == out else "diagonal, columns shared by broadcasting"

    def d(y, *x: Node) -> Sequence[Any]:
        """∂y/∂x for each input."""
        raise NotImplementedError(f"{type(y).__name__} needs d(y, *x)")

    def _slopes(y, x: Sequence[Node]) -> Sequence[Any]:
        slopes = y.d(*x)
        if isinstance(slopes, Node) or len(slopes) != len(x):
            raise GradientError(f"{y.label()}: d returns a list with one slope for each input")
        return slopes

    def vjp(y, g: Node, *x: Node) -> Sequence[Any]:
        if y.boolean:
            return [None] * len(x)
        return [
            _scaled_later(g, slope) if callable(slope) else scaled(g, slope)
            for slope in y._slopes(x)
        ]

    def jvp(y, tangents: Sequence[Node | None], *x: Node) -> Node | None:
        if y.boolean:
            return None
        total = None
        for t, slope in zip(tangents, y._slopes(x), strict=True):
            slope = slope() if callable(slope) and t is not None else slope
            term = None if t is None else scaled(t, slope)
            if term is not None:
                total = term if total is None else ops.add(total, term)
        return total


def _scaled_later(g: Node, slope: Any) -> Any:
    return lambda: scaled(g, slope())


def scaled(g: Node, slope: Any) -> Node | None:
    """g · slope, for a slope as `Elementwise.d` gives it."""
    if slope is None or (type(slope) in (int, float) and slope == 0):
        return None
    if type(slope) in (int, float):
        if slope == 1:
            return g
        return ops.negative(g) if slope == -1 else ops.multiply(g, slope)
    if slope.dtype == bool_:
        return ops.where(slope, g, 0)
    return ops.multiply(g, slope)


class Reduce(Operation):
    """Fewer elements: those on the axes `axis` become one; `keepdims` keeps the axes, of size 1."""

    repeats: ClassVar[str] = ""  # the public function of two elements that it repeats, if it does

    def shape_rule(self, *shapes: Shape) -> Shape:
        axes = axes_in(self.attributes["axis"], len(shapes[0]))
        return reduced(shapes[0], axes, self.attributes["keepdims"])

    def notation(y, x: Piece) -> Piece:
        """As its `math`, with the axes below its sign; without them where all are reduced."""
        axis: Any = y.attributes.get("axis")
        axes: tuple[int, ...] = axis if isinstance(axis, tuple) else (axis,)
        if axis is None or y.inputs[0].ndim == 1:
            axes = ()
        if not y.math:
            return applied(operator(y.kind_name()) + below(axes), [x])
        return fill(with_axes(y.math, axes), [x], y.parameters())

    def structure(y, position: int, size: int, out: int) -> str:
        return "row" if out == 1 else "one row for each result"


class Layout(Operation):
    """The same elements in other places; linear, so tangents move alike."""

    linear = True
    stays_finite = True

    def structure(y, position: int, size: int, out: int) -> str:
        return "selection"


class Contract(Operation):
    """Products summed over shared axes."""

    def nonfinite(y, value: float, *x: float) -> Reason:
        return total_overflow(y.dtype, "sum of products")


class Window(Operation):
    """Numbers from windows that slide over an array, or put back where a window had them."""

    def nonfinite(y, value: float, *x: float) -> Reason:
        return total_overflow(y.dtype, "sum over a window")


class Index(Operation):
    """Elements chosen by integer arrays, and put back where they came from."""


class Random(Operation):
    """Random numbers. The first input is the generator's state, which each run advances."""

    promotes = False
    stays_finite = True


class Assign(Operation):
    """A new value for a Variable, which lands when the run ends."""

    promotes = False
    stays_finite = True


class Control(Operation):
    """What steers a run rather than computing."""

    promotes = False
    stays_finite = True


class Composite(Operation):
    """A node made of others: `expand(y, *x)` builds them, and must build the same each time.

    Drawn as one node and taken apart by engines. Without a `vjp` of its own its derivative is
    that of what it is made of, and without a `shape_rule` so is its shape.
    """

    _expansion: Node | None = None

    def expand(y, *x: Node) -> Node:
        """The nodes that this one stands for."""
        raise NotImplementedError(f"{type(y).__name__} needs expand(y, *x)")

    @classmethod
    def _rule(cls) -> Any:
        return cls.expand

    def structure(y, position: int, size: int, out: int) -> str:
        return "composite"

    @property
    def expansion(self) -> Node:
        """The result of `expand` on this node's inputs, built once."""
        if self._expansion is None:
            graph = (
                AnonymousGraph() if self.deferred else None
            )  # what has a value is made of values
            with graph_scope(graph, hidden=True), built_at(self._origin):
                self._expansion = self.expand(*self.inputs)
        return self._expansion

    def compute(self, *values: Any) -> Any:
        if type(self).shape_rule is not Operation.shape_rule:
            super()._infer()  # what is wrong is said of this operation, not of one it is made of
        with graph_scope(None, hidden=True, observed=False), built_at(self._origin):
            self._expansion = self.expand(*self.inputs)
        return self._expansion._value

    def _infer(self) -> None:
        if type(self).shape_rule is not Operation.shape_rule:
            super()._infer()
        elif all(map(is_known, self.inputs)):
            self._shape, self._dtype = self.expansion.shape, self.expansion.dtype

    def vjp(y, g: Node, *x: Node) -> Sequence[Node | None]:
        return ops.pull_back(y.expansion, x, g)


class Custom(Operation):
    """A user's own operation: `compute(self, *x)` on arrays and `vjp(self, g, *x)` on nodes.

    Opaque to compilers. `self` in `vjp` is the output node. Where the result hasn't the first
    input's shape and dtype, `shape_rule` and `dtype_rule` must say what it has: a result that is
    otherwise raises ShapeError or DTypeError.
    """

    promotes = False

    def shape_rule(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def nonfinite(y, value: float, *x: float) -> Reason:
        return Reason(
            f"{type(y).__name__}.compute gave {number(value)} for finite inputs",
            "look at its compute for these inputs; node.inputs holds them",
        )

    def structure(y, position: int, size: int, out: int) -> str:
        return "the user's own rule"

    def _held(self, value: Any) -> Any:
        return held(self, value)


class AnonymousGraph(Graph):
    """A graph for nodes that nobody lists, made from nodes of any graph."""

    def add(self, node: Node) -> None:
        pass

    def adopt(self, inputs: tuple[Node, ...]) -> tuple[Node, ...]:
        return inputs
