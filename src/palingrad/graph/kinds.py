"""The kinds of operations: the base classes from which an engine knows how to run any operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np

from ..dtypes import DType, bool_
from ..errors import GradientError, ShapeError
from ..messages.checks import counted
from ..shapes import Shape, broadcast, same, text
from .batching.rules import elementwise, matrices, product, shifted
from .context import Ambient, apart, context, set_open
from .declared.strided import Strided
from .derivatives.cotangents import scaled, scaled_tangent
from .describe.faults import defined
from .describe.nonfinite import Reason, number, total_overflow
from .graph import AnonymousGraph as AnonymousGraph
from .node import Node
from .operation import Operation, is_known
from .promotion import dtype_of_ones
from .reduction import Reduce as Reduce
from .registry import is_shipped, ops
from .scan import Scan as Scan
from .traversal.verify import checked_result


class Elementwise(Operation):
    """yᵢ = f(xᵢ, …): each element from the inputs' elements at the same index, after broadcasting.

    A subclass defines `f(m, *x)` and `d(y, *x)`: ∂y/∂x for each input as a node, a number, a
    boolean mask (the derivative is 1 where it is True; elsewhere the cotangent is 0 even if g is
    NaN), None for zero, or a function that returns one of these and is called only if that input's
    gradient is needed.

    `f` depends only on its arguments and the node's attributes. Its result has the dtype that NumPy
    gives it: Python numbers are weak, so `0.5 * x` has x's dtype, but `0.5 * (x > 0)` is float64.
    """

    batched = elementwise
    boolean: ClassVar[bool] = False  # whether the result is boolean
    converts: ClassVar[bool] = False  # whether it is the same number in another dtype
    _results: ClassVar[dict[tuple[DType, ...], DType]] = {}  # by the dtypes of the inputs

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._results = {}

    def shape_rule(self, *shapes: Shape) -> Shape:
        try:
            return broadcast(*shapes)
        except ShapeError as error:
            raise ShapeError(error.fact, hint=self._broadcast_hint(shapes)) from None

    def _broadcast_hint(self, shapes: Sequence[Shape]) -> str:
        """What makes a vector of one number for each row broadcast, for a ShapeError."""
        for name, shape in zip(self.parameters(), shapes, strict=False):
            others = [other for other in shapes if len(other) == 2]
            if len(shape) == 1 and any(other[0] == shape[0] for other in others):
                return f"One number for each row is a column: {name}[:, None]."
        return ""

    def dtype_rule(self, *dtypes: DType) -> DType:
        if self.boolean:
            return bool_
        if self.attributes:
            return self._formula_dtype(dtypes)
        if (dtype := self._results.get(dtypes)) is None:
            dtype = self._results[dtypes] = self._formula_dtype(dtypes)
        return dtype

    def _formula_dtype(self, dtypes: tuple[DType, ...]) -> DType:
        return dtype_of_ones(self.f, dtypes, self.attributes)

    def _checked_result(self, value: Any) -> Any:
        """The checked value; one that doesn't depend on all inputs is broadcast to y's shape."""
        if self._shape is None:
            self._infer()
        if value.shape != self._shape:
            try:
                value = self.seal(np.broadcast_to(value, cast(Any, self._shape)).copy())
            except ValueError:
                pass  # is said below
        return checked_result(self, value)

    def nonfinite(y, value: float, *x: float) -> Reason:
        at = ", ".join(map(number, x))
        return Reason(
            f"{y.kind_name()} of {at} is {number(value)}",
            "keeping the argument away from this point",
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
        raise NotImplementedError(
            f"{type(y).__name__} has no derivative: its class needs "
            f"d(y, {', '.join(y.parameters())}), which returns [∂y/∂x, …], one for each input"
        )

    def _slopes(y, x: Sequence[Node]) -> Sequence[Any]:
        slopes = y.d(*x)
        if isinstance(slopes, Node) or len(slopes) != len(x):
            count = "a node" if isinstance(slopes, Node) else f"{len(slopes)} slopes"
            names = ", ".join(f"∂y/∂{name}" for name in y.parameters())
            raise GradientError(
                f"{y.label()}: d{defined(type(y).d)} returned {count} for "
                f"{counted(len(x), 'input')}{y.built()}.",
                hint=f"d returns a list with one slope for each input: return [{names}].",
            )
        return slopes

    def vjp(y, g: Node, *x: Node) -> Sequence[Any]:
        if y.boolean:
            return [None] * len(x)
        return [
            (lambda slope=slope: scaled(g, y._checked_slope(slope())))
            if callable(slope)
            else scaled(g, y._checked_slope(slope))
            for slope in y._slopes(x)
        ]

    def _checked_slope(y, slope: Any) -> Any:
        """A slope that `d` gave; a user's that isn't one number for each element is refused."""
        if y._shipped or slope is None or type(slope) in (int, float, complex):
            return slope
        if not isinstance(slope, (Node, np.ndarray, np.number)):
            raise GradientError(
                f"{y.label()}: d returned {slope!r:.40}, not a node or a number{y.built()}"
            )
        shape, whole = slope.shape, y.shape
        if shape is None or whole is None:
            return slope
        pairs = zip(reversed(shape), reversed(whole))
        if len(shape) > len(whole) or not all(a == 1 or same(a, b) for a, b in pairs):
            raise GradientError(
                f"{y.label()}: d returned a slope of shape {text(shape)} for a result of shape "
                f"{text(whole)}{y.built()}"
            )
        return slope

    def jvp(y, tangents: Sequence[Node | None], *x: Node) -> Node | None:
        if y.boolean:
            return None
        total = None
        for t, slope in zip(tangents, y._slopes(x), strict=True):
            slope = slope() if callable(slope) and t is not None else slope
            term = None if t is None else scaled_tangent(t, y._checked_slope(slope))
            if term is not None:
                total = term if total is None else ops.add(total, term)
        return total


class Layout(Operation):
    """The same elements at other indices; linear, so a tangent is rearranged in the same way.

    A subclass defines `f(m, *x)`. If its elements are those of its one input along other strides,
    it says so with `view(y, x)`, and engines move nothing; if each input fills a part of zeros,
    with `filled(y, zeros, position)`, which engines ask of the library's operations only.
    """

    linear = True
    stays_finite = True
    complexes = True

    def view(y, x: Strided) -> Strided | None:
        """Where y's elements lie, for an input that lies like x; None where they are to be moved.

        `Strided` has methods that permute, broadcast, slice and reshape x.
        """
        return None

    def filled(y, zeros: Strided, position: int) -> Strided | None:
        """The part of zeros in y's shape that the elements of an input fill, None if y isn't made
        of such parts."""
        return None

    def checked_view(y, x: Strided) -> Strided | None:
        """`view`, of a user's operation compared with its formula. Raises ShapeError."""
        found = y.view(x) if y.dtype == y.inputs[0].dtype else None
        if found is None or y._shipped:
            return found
        with np.errstate(all="ignore"):
            expected = np.asarray(y.compute(x.addresses()))
        if (
            found.shape != expected.shape
            or found.shape != y.shape
            or not np.array_equal(found.addresses(), expected)
        ):
            raise ShapeError(f"{y.label()}: view shows other elements than f gives{y.built()}")
        return found

    def _checked_result(self, value: Any) -> Any:
        return checked_result(self, value)

    def structure(y, position: int, size: int, out: int) -> str:
        return "selection"


class Contract(Operation):
    """Sums of products over shared axes, such as matrix products."""

    batched = product
    complexes = True

    def nonfinite(y, value: float, *x: float) -> Reason:
        return total_overflow(y.dtype, "sum of products")


class Factorisation(Operation):
    """What LAPACK computes of matrices, the last two axes of each input: factors, solutions,
    spectra. Integers are converted to the default float."""

    batched = matrices
    floats = complexes = True

    def _evaluate(self, values: Sequence[Any]) -> Any:
        self._infer()  # the formulas broadcast vectors and columns, which the rule refuses
        return super()._evaluate(values)

    def nonfinite(y, value: float, *x: float) -> Reason:
        return Reason(
            f"a matrix is nearly singular, or its {y.kind_name()} overflows {y.dtype}",
            "adding a multiple of the identity, scaling the matrix, or float64",
        )


class Transform(Operation):
    """Discrete Fourier transforms along an axis. Integers are converted to the default float."""

    batched = shifted("axis")
    floats = True

    def nonfinite(y, value: float, *x: float) -> Reason:
        return total_overflow(y.dtype, "sum of a Fourier transform")


class Window(Operation):
    """Values computed from windows that slide over an array, and the adjoints of those."""

    def nonfinite(y, value: float, *x: float) -> Reason:
        return total_overflow(y.dtype, "sum over a window")


class Index(Operation):
    """Elements gathered by integer arrays, and scattered back: the adjoint."""

    complexes = True


class Gather(Index):
    """y = x at integers along axes; inputs x and an array of integers for each axis from `axis` on.

    These broadcast together, and their shape takes the axes' place.
    """


class ScatterAdd(Index):
    """Zeros with `size` rows on `axis`, to which the rows of g are added where integers say; inputs
    g, integers, whose axes are g's from `axis` on."""


class ScatterUpdate(Index):
    """x, some elements of which are combined with values; inputs x, values, and an array of
    integers for each axis of x from `axis` on, which broadcast together.

    `how` is one of `UPDATES`. The elements are those that `Gather` reads, and the values have its
    result's shape. Values at the same integers are combined one after another.
    """


UPDATES = ("set", "add", "multiply", "divide", "minimum", "maximum")


class Random(Operation):
    """Random numbers. The first input is the generator's state, which each run advances."""

    promotes = False
    stays_finite = True


class Assign(Operation):
    """A new value for a Variable, written when the run ends."""

    promotes = False
    stays_finite = True


class Control(Operation):
    """Ordering, grouping and deferred gradients: nodes that compute no value of their own."""

    promotes = False
    stays_finite = True


class Composite(Operation):
    """An operation defined by other operations, which `expand(y, *x)` builds, the same each time.

    It is drawn as one node; engines run its expansion. The default `vjp` and `shape_rule` are
    those of the expansion.
    """

    complexes = True  # as far as the operations of its expansion take them
    _expansion: Node | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "vjp" in cls.__dict__ and "complexes" not in cls.__dict__ and not cls.linear:
            cls.complexes = False  # the rule may hold for real numbers alone

    def expand(y, *x: Node) -> Node:
        """The result of the composite, built from other operations."""
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
            graph = AnonymousGraph() if self.deferred else None  # a node with a value: eagerly
            state = context()
            state = state.having(graph=graph, hidden=True, origin=self._origin or state.origin)
            self._expansion = apart(self._expanded, state)
        return self._expansion

    def compute(self, *values: Any) -> Any:
        if (value := ops.composite_value(self, values)) is not None:  # see `eager/`
            return value
        if type(self).shape_rule is not Operation.shape_rule:
            super()._infer()  # so that an error names this operation, not one of the expansion
        state = context()
        origin = self._origin or state.origin
        state = state.having(graph=None, hidden=True, observers=(), origin=origin)
        self._expansion = apart(self._expanded, state)
        return self._expansion._value

    def _expanded(self, state: Ambient) -> Node:
        set_open(state)
        return self.expand(*self.inputs)

    def _infer(self) -> None:
        if type(self).shape_rule is not Operation.shape_rule:
            super()._infer()
        elif all(map(is_known, self.inputs)):
            self._shape, self._dtype = self.expansion.shape, self.expansion.dtype

    def vjp(y, g: Node, *x: Node) -> Sequence[Node | None]:
        return ops.pull_back(y.expansion, x, g)


class Custom(Operation):
    """A user-defined operation: `compute(self, *x)` on arrays and `vjp(self, g, *x)` on nodes.

    Compilers call it as opaque Python code. `self` in `vjp` is the output node. `shape_rule` and
    `dtype_rule` must be defined unless the result has the first input's shape and dtype. A result
    that contradicts them raises ShapeError or DTypeError.
    """

    promotes = False

    def shape_rule(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def nonfinite(y, value: float, *x: float) -> Reason:
        return Reason(
            f"{type(y).__name__}.compute returned {number(value)} for finite inputs",
            "its compute on these inputs, which are in node.inputs",
        )

    def structure(y, position: int, size: int, out: int) -> str:
        return "user-defined"

    def _checked_result(self, value: Any) -> Any:
        return checked_result(self, value)
