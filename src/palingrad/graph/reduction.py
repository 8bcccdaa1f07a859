"""The kind of operations that make fewer elements of many."""

from __future__ import annotations

from types import FunctionType
from typing import Any, ClassVar

from ..dtypes import DType
from ..errors import ArgumentError
from ..shapes import Shape, axes_in, broadcast, reduced, size, sizes
from .batching.rules import reduction
from .declared.parts import PARTS, formula_of, function_of, options_of
from .describe.axes import kept
from .describe.notation import Piece, applied, operator
from .describe.template import below, fill, stated_options, template_of
from .operation import Operation
from .promotion import dtype_of_ones
from .registry import ops
from .traversal.verify import checked_result


class Reduce(Operation):
    """y = finish(prepare(x₁) ⊕ prepare(x₂) ⊕ … ⊕ prepare(xₙ), n): the elements on the axes `axis`
    become one; `keepdims` keeps the axes, of size 1.

    A subclass gives `combine(m, a, b)`, which is ⊕ and must be associative and commutative, and
    `identity(dtype)`, the number with which ⊕ changes nothing; where they aren't plain also
    `prepare(m, *x)`, of the elements of inputs that are broadcast, and `finish(m, total, n)`. A
    total may be several numbers: then `prepare` returns a tuple, `combine` and `finish` take and
    return tuples, and `identity` is given a dtype for each. All depend on their arguments and the
    node's attributes alone; attributes of one's own are keywords of all four.

    Engines combine in any order. A reduction that isn't of this form gives `f(m, x, *, axis,
    keepdims)` instead, which is opaque to compilers; with both, `f` is how NumPy computes it.
    """

    batched = reduction
    by_parts: ClassVar[bool] = False  # whether the operation says how it combines
    _results: ClassVar[dict[tuple[DType, ...], DType]] = {}  # by the dtypes of the inputs

    def __init_subclass__(cls, **kwargs: Any) -> None:
        given = [name for name in PARTS if name in cls.__dict__]
        for name in given:
            if isinstance(cls.__dict__[name], FunctionType):
                setattr(cls, name, staticmethod(cls.__dict__[name]))  # of arrays, not of a node
        own = "f" in cls.__dict__
        super().__init_subclass__(**kwargs)
        cls._results = {}
        if given and cls.combine is not Reduce.combine:
            cls.by_parts = True
            if not own:
                cls.f = staticmethod(formula_of(cls))
        elif own:
            cls.by_parts = False

    @staticmethod
    def prepare(m: Any, x: Any, **options: Any) -> Any:
        """What an element contributes: itself."""
        return x

    @staticmethod
    def combine(m: Any, a: Any, b: Any, **options: Any) -> Any:
        """Two totals made one, by the maths namespace `m`."""
        raise NotImplementedError("a reduction needs combine(m, a, b) or f(m, x)")

    @staticmethod
    def identity(*dtypes: DType, **options: Any) -> Any:
        """The total of no elements, in the dtype of totals."""
        raise NotImplementedError("a reduction needs identity(dtype), the total of no elements")

    @staticmethod
    def finish(m: Any, total: Any, count: int, **options: Any) -> Any:
        """The result from the total of `count` elements: the total itself."""
        return total

    @property
    def combines_by(self) -> str | None:
        """The function of `m` that combines two totals, if it is one function; else None."""
        return function_of(type(self), options_of(self.attributes)) if self.by_parts else None

    @property
    def is_plain(self) -> bool:
        """Whether elements are combined as they are, and their total is the result."""
        cls = type(self)
        return self.by_parts and cls.prepare is Reduce.prepare and cls.finish is Reduce.finish

    def beside(y, g: Any) -> Any:
        """g, a node of y's shape, with the axes that are gone as axes of size 1: in a rule it is
        broadcast against the inputs."""
        if y.attributes["keepdims"]:
            return g
        return ops.expand_dims(g, axis=axes_in(y.attributes["axis"], len(y.space)))

    @property
    def count(self) -> int:
        """How many elements become one."""
        shape = sizes(self.space)
        return size(tuple(shape[axis] for axis in axes_in(self.attributes["axis"], len(shape))))

    @property
    def space(self) -> Shape:
        """The shape of what is reduced: the inputs broadcast."""
        return broadcast(*(x.shape or () for x in self.inputs))

    def shape_rule(self, *shapes: Shape) -> Shape:
        shape = broadcast(*shapes)
        try:
            axis, keepdims = self.attributes["axis"], self.attributes["keepdims"]
        except KeyError as missing:
            call = f"{type(self).__name__}(x, axis=None, keepdims=False)"
            fact = f"{self.kind_name()}: {missing} isn't given: {call}"
            raise ArgumentError(fact, hint="Options of an operation are all given.") from None
        return reduced(shape, axes_in(axis, len(shape)), keepdims)

    def dtype_rule(self, *dtypes: DType) -> DType:
        if not self.by_parts:
            return dtypes[0]
        if len(self.attributes) > 2:
            return self._reduced_dtype(dtypes)
        if dtypes not in self._results:
            self._results[dtypes] = self._reduced_dtype(dtypes)
        return self._results[dtypes]

    def _reduced_dtype(self, dtypes: tuple[DType, ...]) -> DType:
        options = {**self.attributes, "axis": None, "keepdims": False}
        return dtype_of_ones(self.f, dtypes, options)

    def _checked_result(self, value: Any) -> Any:
        return checked_result(self, value)

    def notation(y, *x: Piece) -> Piece:
        """As its `math`, with the axes below its sign; without them where all are reduced.

        Axes that are kept are inserted by an index: x_{[:, new]}.
        """
        axes = reduced_axes(y)
        told = "<axis>" in y.math
        parts = ["" if told else ", ".join(map(str, axes)), stated_options(y, "axis", "keepdims")]
        options = "; ".join(filter(None, parts))
        if y.math:
            total = fill(template_of(y, options), x, y.parameters())
        else:
            total = applied(operator(y.kind_name()) + below(options), x)
        return total if not y.attributes.get("keepdims") else kept_axes(y, total)

    def structure(y, position: int, size: int, out: int) -> str:
        return "row" if out == 1 else "one row for each result"


def reduced_axes(y: Any) -> tuple[int, ...]:
    """The axes that a formula states: none where all are reduced."""
    axis: Any = y.attributes.get("axis")
    if axis is None or y.inputs[0].ndim == 1:
        return ()
    return axis if isinstance(axis, tuple) else (axis,)


def kept_axes(y: Any, total: Piece) -> Piece:
    """The formula of a reduction without keepdims as that of one with it."""
    axes = reduced_axes(y)
    ndim = y.inputs[0].ndim
    in_front = 0 if ndim is None or y.ndim is None else y.ndim - ndim  # an axis of quantiles
    return kept(total, axes, ndim, in_front)
