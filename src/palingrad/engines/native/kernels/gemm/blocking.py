"""The sizes of a product's blocks that follow from the sizes of the CPU's caches.

After Low et al., "Analytical modeling is enough for high-performance BLIS" (2016): what is read
again takes a part of the cache that it should stay in, and leaves the rest to what streams past.
The number of terms of a block isn't among them, nor that of parts of a sum: they determine the
order of summation, which depends on shapes and the width of vectors alone (docs/numerics.md).
"""

from __future__ import annotations

from ...llvm.target import host

_ROWS = 56  # of a strip: more hide no more of the reads of the right operand, and are fewer items
_STRIP = 1 << 18  # bytes of a strip of the result; longer ones stream no faster from memory
_TRAFFIC = 1 << 20  # bytes of an epilogue's operands that even a larger cache doesn't keep


def strip_rows(row: int) -> int:
    """Rows of a strip of the left operand whose rows take `row` bytes: half of the second-level
    cache holds them, the other half the panels of the right operand that they are multiplied by."""
    return max(min(host().caches.second // 2 // row, _ROWS), 1)


def result_strip() -> int:
    """Bytes of a strip of the result that stays in the second-level cache until its epilogue."""
    return min(host().caches.second // 2, _STRIP)


def shared_operand() -> int:
    """Bytes of a left operand that each panel of the right one meets in the second-level cache."""
    return host().caches.second


def cached_traffic() -> int:
    """Bytes of an epilogue's operands and results that the second-level cache keeps. With half of
    them the training step of 784-512-512-10 took 1.06 times as long on a Zen 3."""
    return min(host().caches.second, _TRAFFIC)


def near_strip() -> int:
    """Bytes of a strip of the result that stays in the first-level cache until its epilogue."""
    return host().caches.near


def near_sums() -> int:
    """Bytes of sums that stay in the first-level cache while rows of a weight stream past."""
    return host().caches.near // 2


def fits_near(size: int) -> bool:
    """Whether so many bytes stay in the first-level cache and leave a quarter of it free."""
    return size <= host().caches.first * 3 // 4
