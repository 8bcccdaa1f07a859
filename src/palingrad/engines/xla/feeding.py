"""Feeds on their way to the device: on CPUs, aligned copies that XLA reads where they are.

XLA on a CPU reads an array of the host in place if its address is a multiple of 64 bytes, and else
copies it into new memory, whose pages may cost more than the copy. So feeds that aren't aligned are
copied into arrays that are, which later runs use again. A run reads its feeds until it is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import Array
from ...graph.node import Node
from ...shapes import size, sizes
from ..ahead import Sent, sent
from .jaxlib import devices, jax, settings

_ALIGNED = 64  # bytes, of which XLA's addresses are multiples
_SMALL = 1 << 12  # bytes that XLA copies as quickly


class Feeding:
    """The feeds of one Program's runs."""

    def __init__(self, feeds: Sequence[Node]) -> None:
        self.in_place = devices()[0].platform == "cpu"
        dtypes: list[Any] = [x.dtype for x in feeds]
        self._forms = [(sizes(x.shape), dtype) for x, dtype in zip(feeds, dtypes, strict=True)]
        large = [size(shape) * dtype.itemsize >= _SMALL for shape, dtype in self._forms]
        self._large = [n for n, one in enumerate(large) if one and self.in_place]
        self._free: list[list[Array]] = []  # sets of copies that no run uses

    def lent(self, compiled: Any, feeds: Sequence[Array]) -> tuple[list[Any], list[Array]]:
        """The feeds as a run takes them, and the copies to be given `back` after it."""
        given: list[Any] = list(feeds)
        for array, value in sent(self.send):
            given = [value if one is array else one for one in given]
        copied = [n for n in self._large if self._is_to_be_copied(n, given[n])]
        if not copied:
            return given, []
        try:
            copies = self._free.pop()
        except IndexError:
            copies = [aligned(*self._forms[n]) for n in self._large]
        for n in copied:
            copy = copies[self._large.index(n)]
            copy[...] = given[n]
            given[n] = copy
        return given, copies

    def _is_to_be_copied(self, number: int, x: Any) -> bool:
        # A repeated run has feeds of other shapes, which XLA copies.
        return type(x) is np.ndarray and x.shape == self._forms[number][0] and not _is_aligned(x)

    def send(self, feeds: Sequence[Array]) -> Sent:
        """Copies of feeds, on their way to the device while the caller goes on."""
        found: Sent = []
        for one in feeds:
            copy = aligned(one.shape, one.dtype)
            copy[...] = one
            with settings():
                found.append((one, jax.device_put(copy)))
        return found

    def back(self, copies: list[Array]) -> None:
        """After a run. Copies of one that fails aren't given back: it may still read them."""
        if copies:
            self._free.append(copies)


def _is_aligned(x: Array) -> bool:
    return not x.__array_interface__["data"][0] % _ALIGNED and x.flags.c_contiguous


def aligned(shape: tuple[int, ...], dtype: Any) -> Array:
    """A new array at an address that is a multiple of 64 bytes."""
    count = size(shape) * dtype.itemsize
    memory = np.empty(count + _ALIGNED, np.uint8)
    start = -memory.ctypes.data % _ALIGNED
    return memory[start : start + count].view(dtype).reshape(shape)
