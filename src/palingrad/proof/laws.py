"""The laws that a reduction keeps if it may be computed in parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.declared.parts import formula_of, options_of, totals
from ..graph.kinds import Reduce
from ..maths import numpy_maths
from .case import Case, eager
from .checks import each
from .tolerances import assert_close


@each
def a_reduction_is_made_of_its_parts(case: Case) -> None:
    """Reductions that say how they combine: a ⊕ b = b ⊕ a, a ⊕ (b ⊕ c) = (a ⊕ b) ⊕ c, the identity
    changes nothing, and `f` is what the parts give."""
    operation: Any = case.operation
    if not issubclass(operation, Reduce) or not operation.by_parts:
        return
    arrays = case.arrays()
    options = options_of(case.sample.attributes)
    by_parts = formula_of(operation)(numpy_maths, *arrays, **case.sample.attributes)
    with np.errstate(all="ignore"):
        (y,) = eager(case, arrays)[1]
    assert_close(np.asarray(by_parts, y.dtype), y.numpy(), "by parts")
    with np.errstate(all="ignore"):
        prepared = operation.prepare(numpy_maths, *arrays, **options)
    several = isinstance(prepared, tuple)
    elements = prepared if several else (prepared,)
    found = totals(operation, options, tuple(one.dtype for one in elements))
    a = tuple(one.astype(dtype) for one, dtype in zip(elements, found, strict=True))
    b, c = (tuple(np.roll(one.ravel(), n).reshape(one.shape) for one in a) for n in (1, 2))

    def combined(x: Any, y: Any) -> tuple[Any, ...]:
        if several:
            return operation.combine(numpy_maths, x, y, **options)
        return (operation.combine(numpy_maths, *x, *y, **options),)

    start = operation.identity(*found, **options)
    neutral = tuple(
        np.full_like(one, value)
        for one, value in zip(a, start if several else (start,), strict=True)
    )
    with np.errstate(all="ignore"):
        pairs = (
            ("commutes", combined(a, b), combined(b, a)),
            ("associates", combined(a, combined(b, c)), combined(combined(a, b), c)),
            ("identity", combined(a, neutral), a),
        )
    for law, left, right in pairs:
        for one, other in zip(left, right, strict=True):
            assert_close(np.asarray(one), np.asarray(other), law)
