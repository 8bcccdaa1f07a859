"""Functions of `m` that every engine calls through NumPy: no engine compiles them, and the page
doesn't compute them. One family per file: its declaration, and what NumPy lacks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...classes import Protocol
from . import (
    complexes,
    contraction,
    fourier,
    indexing,
    linalg,
    numbers,
    ordering,
    pieces,
    scans,
    signals,
    special,
)

_FAMILIES = (
    complexes, contraction, fourier, indexing, linalg, numbers, ordering, pieces, scans, signals,
    special,
)  # fmt: skip


class LibraryMaths(
    complexes.ComplexMaths,
    contraction.ContractionMaths,
    fourier.FourierMaths,
    indexing.IndexingMaths,
    linalg.LinalgMaths,
    numbers.NumberMaths,
    ordering.OrderingMaths,
    pieces.PieceMaths,
    scans.ScanMaths,
    signals.SignalMaths,
    special.SpecialMaths,
    Protocol,
):
    """All of these functions."""


_GROUPS: tuple[type, ...] = (
    complexes.ComplexMaths,
    contraction.ContractionMaths,
    fourier.FourierMaths,
    indexing.IndexingMaths,
    linalg.LinalgMaths,
    numbers.NumberMaths,
    ordering.OrderingMaths,
    pieces.PieceMaths,
    scans.ScanMaths,
    signals.SignalMaths,
    special.SpecialMaths,
)
LIBRARY = tuple(name for group in _GROUPS for name in vars(group) if not name.startswith("_"))
OWN: dict[str, Callable[..., Any]] = {
    name: function for family in _FAMILIES for name, function in family.OWN.items()
}
