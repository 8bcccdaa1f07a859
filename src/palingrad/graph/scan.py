"""The kind of operations whose elements are the running totals along an axis."""

from __future__ import annotations

import re
from types import FunctionType
from typing import Any, ClassVar

from ..dtypes import DType
from ..maths.library.scans import wider
from ..shapes import Shape, axis_in, broadcast
from .batching.rules import along_axis
from .describe.notation import Piece, applied, operator
from .describe.template import below, fill, stated_options, template_of
from .operation import Operation
from .promotion import dtype_of_ones
from .traversal.verify import checked_result

_PARTS = ("identity", "prepare", "combine", "finish")


class Scan(Operation):
    """yᵢ = finish(prepare(x₁) ⊕ … ⊕ prepare(xᵢ)) along the one axis `axis`; with `reverse` the
    totals run from the end: yᵢ = finish(prepare(xₙ) ⊕ … ⊕ prepare(xᵢ)).

    A subclass gives `f(m, *x, axis, reverse)`, which NumPy computes, and for compilers the parts:
    `combine(m, a, b)`, which is ⊕, associative but not always commutative (the earlier total comes
    first); `identity(dtype)`, the total of no elements; where they aren't plain also
    `prepare(m, *x)` and `finish(m, total)`. A total may be several numbers, as in `Reduce`.
    Totals of floats are combined in the next wider dtype and rounded once, where `widens` is true.
    """

    batched = along_axis
    widens: ClassVar[bool] = True
    # Whether ⊕ multiplies: some factors may overflow or underflow where the running totals don't,
    # and are then combined in order.
    multiplies: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        for name in _PARTS:
            if isinstance(cls.__dict__.get(name), FunctionType):
                setattr(cls, name, staticmethod(cls.__dict__[name]))  # of arrays, not of a node
        super().__init_subclass__(**kwargs)

    @staticmethod
    def prepare(m: Any, x: Any, **options: Any) -> Any:
        """What an element contributes: itself."""
        return x

    @staticmethod
    def combine(m: Any, a: Any, b: Any, **options: Any) -> Any:
        """Two neighbouring totals made one, by the maths namespace `m`."""
        raise NotImplementedError("a scan needs combine(m, a, b)")

    @staticmethod
    def identity(dtype: DType, **options: Any) -> Any:
        """The total of no elements, whose numbers all have one dtype."""
        raise NotImplementedError("a scan needs identity(dtype), the total of no elements")

    @staticmethod
    def finish(m: Any, total: Any, **options: Any) -> Any:
        """The result from a total: the total itself."""
        return total

    @property
    def options(self) -> dict[str, Any]:
        """The attributes that the parts are given."""
        own = ("axis", "reverse")
        return {name: one for name, one in self.attributes.items() if name not in own}

    def without_nan(self) -> dict[str, Any] | None:
        """The options with which `combine` costs less and gives the same totals wherever the result
        isn't NaN; None if there are none."""
        return None

    @classmethod
    def accumulates_in(cls, dtype: DType) -> DType:
        """The dtype in which totals of this dtype are combined."""
        return wider(dtype) if cls.widens else dtype

    def shape_rule(self, *shapes: Shape) -> Shape:
        shape = broadcast(*shapes)
        axis_in(self.attributes["axis"], len(shape))
        return shape

    def dtype_rule(self, *dtypes: DType) -> DType:
        return dtype_of_ones(self.f, dtypes, {**self.attributes, "axis": 0})

    def _checked_result(self, value: Any) -> Any:
        return checked_result(self, value)

    def notation(y, *x: Piece) -> Piece:
        """As its `math`, with the axis below its sign."""
        axis = "" if y.inputs[0].ndim == 1 else str(y.attributes["axis"])
        options = "; ".join(filter(None, [axis, stated_options(y, "axis", "reverse")]))
        if not y.math:
            return applied(operator(y.kind_name()) + below(options), x)
        template = template_of(y, options)
        if y.attributes["reverse"]:  # from the end to the start
            template = re.sub(r"(\\operatorname\{\w+\})", r"\1^{\\leftarrow}", template, count=1)
        return fill(template, x, y.parameters())

    def structure(y, position: int, size: int, out: int) -> str:
        return "triangular along the axis"
