"""Retention: what a tape keeps of a value (the whole array, a summary or a sample), and its memory.

Whole values are arrays (tuples of arrays for operations with several outputs). A Summary replaces
an array that is too large to keep; its hash still tells whether another array has the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...dtypes import Array, is_complex
from ...files.terminal import for_output

Keep = Literal["all", "summary", "sample"]

SMALL = 16  # elements; an array of at most this size is always kept whole
BINS = 40  # of a histogram
SAMPLED = 64  # elements of a sample


@dataclass(frozen=True, eq=False)
class Summary:
    """A summary of an array: shape, dtype, moments, histogram of finite elements, hash.

    `sample` holds equally spaced elements in flattened order, if a sample was requested.
    """

    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    mean: float
    deviation: float
    zeros: int
    nans: int
    infinities: int
    counts: tuple[int, ...]
    digest: str
    sample: Array | None = None

    @property
    def norm(self) -> float:
        """√Σ x² of the finite elements."""
        count = int(np.prod(self.shape)) - self.nans - self.infinities
        return float(np.sqrt(max(count, 0) * (self.deviation**2 + self.mean**2)))

    def __str__(self) -> str:
        odd = "".join(
            f", {n} {what}" for n, what in ((self.nans, "NaN"), (self.infinities, "∞")) if n
        )
        ends = f"{self.low:.4g} … {self.high:.4g}"
        return for_output(f"{ends}, mean {self.mean:.4g} ± {self.deviation:.4g}{odd}")


def summarised(value: Any, *, sample: bool = False) -> Any:
    """Returns a Summary of each array; arrays of at most SMALL elements are returned unchanged."""
    if isinstance(value, tuple):
        return tuple(summarised(output, sample=sample) for output in value)
    if not isinstance(value, np.ndarray) or value.size <= SMALL:
        return value
    return summary_of(value, sample=sample)


def summary_of(value: Array, *, sample: bool = False) -> Summary:
    """The Summary of an array; of complex numbers that of their absolute values."""
    flat = value.ravel()
    wide = (np.abs(flat) if is_complex(flat.dtype) else flat).astype(np.float64)
    finite = wide[np.isfinite(wide)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    chosen = None
    if sample:
        places = np.linspace(0, flat.size - 1, min(SAMPLED, flat.size)).astype(np.int64)
        chosen = flat[places] if flat.size else flat.copy()
        chosen.setflags(write=False)
    return Summary(
        value.shape,
        value.dtype.name,
        low,
        high,
        float(finite.mean()) if finite.size else 0.0,
        float(finite.std()) if finite.size else 0.0,
        int((wide == 0).sum()),
        int(np.isnan(wide).sum()),
        int(np.isinf(wide).sum()),
        histogram(finite, low, high),
        digest(value),
        chosen,
    )


def histogram(finite: Array, low: float, high: float, bins: int = BINS) -> tuple[int, ...]:
    """The number of elements in each of `bins` equal intervals of low … high."""
    if not finite.size:
        return (0,) * bins
    width = high - low
    if not 0 < width < np.inf:
        return (0,) * (bins // 2) + (int(finite.size),) + (0,) * (bins - bins // 2 - 1)
    # np.histogram's import and checks cost more time than the counting itself.
    places = np.minimum(((finite - low) * (bins / width)).astype(np.int64), bins - 1)
    return tuple(int(n) for n in np.bincount(places, minlength=bins))


def digest(value: Array) -> str:
    """A hash of dtype, shape and bytes."""
    head = f"{value.dtype.str}{value.shape}".encode()
    return hashlib.blake2b(head + np.ascontiguousarray(value).tobytes(), digest_size=12).hexdigest()


def same_bytes(a: Any, b: Any) -> bool:
    """Whether two values have the same dtype, shape and bytes."""
    if isinstance(a, tuple) or isinstance(b, tuple):
        both = isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b)
        return both and all(map(same_bytes, a, b))
    if isinstance(a, Summary) or isinstance(b, Summary):
        return _digest(a) == _digest(b)
    return a is b or _digest(a) == _digest(b)


def _digest(value: Any) -> str:
    return value.digest if isinstance(value, Summary) else digest(np.asarray(value))


def is_whole(value: Any) -> bool:
    """Whether the value is a whole array (or a tuple of them), not a Summary or None."""
    if isinstance(value, tuple):
        return all(map(is_whole, value))
    return isinstance(value, np.ndarray)


class Ledger:
    """Counts the bytes that whole values occupy; memory shared by several arrays counts once."""

    def __init__(self) -> None:
        self.total = 0
        self._held: dict[int, list[Any]] = {}  # id of the base array → [base array, references]

    def add(self, value: Any) -> None:
        """Add the memory of a value; a Summary counts as 0 bytes."""
        for memory in _memories(value):
            held = self._held.setdefault(id(memory), [memory, 0])
            if not held[1]:
                self.total += memory.nbytes
            held[1] += 1

    def drop(self, value: Any) -> None:
        """Subtract the memory of a value that `add` counted."""
        for memory in _memories(value):
            held = self._held[id(memory)]
            held[1] -= 1
            if not held[1]:
                self.total -= memory.nbytes
                del self._held[id(memory)]


def _memories(value: Any) -> list[Array]:
    """The base arrays that own the memory of a value."""
    arrays: Any = value if isinstance(value, tuple) else (value,)
    bases: list[Array] = []
    for array in arrays:
        if isinstance(array, np.ndarray):
            while isinstance(array.base, np.ndarray):
                array = array.base
            bases.append(array)
    return bases
