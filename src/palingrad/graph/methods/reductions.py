"""Methods that reduce, accumulate and sort."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from .call import Accumulation, Averaging, Deviation, Extreme, Masked, Plain, method

if TYPE_CHECKING:
    from ..node import Node


class ReductionMethods:
    """Methods that reduce, accumulate and sort. Options beyond `axis` are written by name."""

    sum: ClassVar[Accumulation] = method("sum", Accumulation)
    prod: ClassVar[Accumulation] = method("prod", Accumulation)
    mean: ClassVar[Averaging] = method("mean", Averaging)
    var: ClassVar[Deviation] = method("var", Deviation)
    std: ClassVar[Deviation] = method("std", Deviation)
    max: ClassVar[Extreme] = method("max", Extreme)
    min: ClassVar[Extreme] = method("min", Extreme)
    argmax: ClassVar[Plain] = method("argmax", Plain)
    argmin: ClassVar[Plain] = method("argmin", Plain)
    any: ClassVar[Masked] = method("any", Masked)
    all: ClassVar[Masked] = method("all", Masked)
    cumsum: ClassVar[Callable[..., Node]] = method("cumsum")
    cumprod: ClassVar[Callable[..., Node]] = method("cumprod")
    sort: ClassVar[Callable[..., Node]] = method("sort")
    argsort: ClassVar[Callable[..., Node]] = method("argsort")
    searchsorted: ClassVar[Callable[..., Node]] = method("searchsorted")
    trace: ClassVar[Callable[..., Node]] = method("trace")
    nonzero: ClassVar[Callable[..., Any]] = method("nonzero")
