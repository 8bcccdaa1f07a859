"""The reduction that replaces a user's: it combines elements by the steps read from `combine`."""

from __future__ import annotations

from typing import Any

from ....graph.describe.nonfinite import Reason, total_overflow
from ....graph.kinds import Reduce
from ...formulas import Formula, Number


class Accumulate(Reduce):
    """y = x₁ ⊕ x₂ ⊕ … over `axis`, for a ⊕ made of `steps`, whose identity is `start`."""

    math = r"\bigoplus {x}"

    def identity(dtype: Any, *, steps: Formula, start: Any) -> Any:
        return start

    def combine(m: Any, a: Any, b: Any, *, steps: Formula, start: Any) -> Any:
        places = [a, b]

        def operand(x: int | Number, dtype: Any) -> Any:
            if isinstance(x, Number):
                return m.multiply(m.cast(m.ones_like(a), dtype), x.value)
            return m.cast(places[x], dtype)

        for step in steps.steps:
            operands = [operand(x, dtype) for x, dtype in step.taken()]
            options = (step.result,) if step.name == "cast" else ()
            places.append(getattr(m, step.name)(*operands, *options))
        return operand(steps.result, steps.dtype)

    def nonfinite(y, value: float, *x: float) -> Reason:
        return total_overflow(y.dtype, "combination")
