"""The samples of an operation of real numbers, made complex: whoever takes complex numbers is
checked on them."""

from __future__ import annotations

import numpy as np

from ..dtypes import Array, is_complex, is_floating
from ..graph.operation import Operation
from ..graph.promotion import tensor
from ..graph.samples import Sample
from .case import Case, slopes_of

MOST_CASES = 2  # of each operation


def complex_cases(operation: type[Operation]) -> list[Case]:
    """The first samples with complex numbers in the place of the real ones, if the operation takes
    these and brings no complex samples of its own."""
    cases = [Case(operation, sample) for sample in operation.samples]
    if any(is_complex(x.dtype) for case in cases for x in case.arrays()):
        return []
    found: list[Case] = []
    for case in cases:
        real = case.sample.smooth and any(is_floating(x.dtype) for x in case.arrays())
        if real and len(found) < MOST_CASES and _is_taken(other := turned(case.sample), operation):
            found.append(Case(operation, other))
    return found


def turned(sample: Sample) -> Sample:
    """The sample with its real numbers x replaced by x·e^{iθ}, with angles 0.1 ≤ θ < 0.6."""

    def draw(rng: np.random.Generator) -> tuple[Array, ...]:
        return tuple(
            np.asarray(x * np.exp(1j * rng.uniform(0.1, 0.6, x.shape)))
            if is_floating(x.dtype)
            else x
            for x in map(np.asarray, sample.inputs(rng))
        )

    return sample.drawn_by(draw, "complex_")


def _is_taken(sample: Sample, operation: type[Operation]) -> bool:
    """Whether an operation has values and gradients there. It has none where it is for real numbers
    alone, and where a gradient depends on phases that aren't determined; one of a user's may fail
    in any way."""
    case = Case(operation, sample)
    try:
        xs = list(map(tensor, case.arrays()))
        ys = case.outputs(*xs)
        for slope in slopes_of(xs, ys, [*xs, *ys]):
            slope.numpy()
    except Exception:
        return False
    return True
