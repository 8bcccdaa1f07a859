"""Object files of functions that several Programs share, in this process and on disk.

A Program's entry in the cache holds all of its code, and only the same Program finds it. Here each
kernel is kept by its own name, which is a digest of its LLVM IR (`llvm/parts.py`), so that another
Program compiles only the kernels that no Program had. On disk the key also covers what makes code
of the IR. An entry that is damaged or gone is compiled again.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from typing import Any

from ..llvm.target import host
from . import cache
from .cache_key import compiler_key

_BYTES = 32 << 20  # of object files in memory
_MOST = 8192  # entries on disk; beyond that the oldest are deleted
_SELDOM = 64  # the folder is listed once in this number of entries written

_recent: dict[Any, bytes] = {}  # by CPU and name; used while the thread holds `compiling`
_written = 0  # entries, by this process


class KernelStore(contextlib.ExitStack):
    """The store during one compilation: a `with` block, in which the folder is open."""

    _folder: cache.Folder | None = None
    _key: bytes = b""

    def __enter__(self) -> KernelStore:
        with contextlib.suppress(cache.Unkept):  # then kernels are kept in memory only
            place = cache.folder("kernels")
            if place is not None:
                self._key = compiler_key()
                self._folder = self.enter_context(cache.opened(place, create=True))
        return self

    def find(self, name: str) -> bytes | None:
        """The function's object file, None if it isn't there."""
        code = _recent.get((host(), name))
        if code is None and self._folder is not None:
            code = self._folder.read(self._entry(name))
            if code is not None:
                _recent[host(), name] = code
        return code

    def add(self, functions: Mapping[str, bytes]) -> None:
        """Keeps these. On disk they are kept if the folder can be written to."""
        for name, code in functions.items():
            _recent[host(), name] = code
        size = sum(map(len, _recent.values()))
        while size > _BYTES:
            size -= len(_recent.pop(next(iter(_recent))))
        if self._folder is not None:
            with contextlib.suppress(cache.Unkept):
                self._write(self._folder, functions)

    def _write(self, folder: cache.Folder, functions: Mapping[str, bytes]) -> None:
        global _written
        for name, code in functions.items():
            tidies = _written % _SELDOM == 0
            folder.write(self._entry(name), code, tidies=tidies, most=_MOST)
            _written += 1

    def _entry(self, name: str) -> str:
        return hashlib.sha256(self._key + name.encode()).hexdigest()


def forget() -> None:
    """Forgets the functions in memory."""
    _recent.clear()
