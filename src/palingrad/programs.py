"""Compiled programs, and the one cache in which sessions and functions keep them.

Every run goes the same way: arguments or feeds become arrays, a signature finds the `Compiled`
program, and that turns the arrays into values.
"""

from __future__ import annotations

import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from itertools import count
from typing import Any, Generic, TypeVar

from .dtypes import Array
from .engines.base import Executable
from .engines.selection import get_engine
from .graph.context import PACKAGE, context
from .graph.node import Node
from .graph.operation import has_value
from .passes.pipeline import optimise
from .passes.program import Program

MAX_PROGRAMS = 128  # that a function or a session keeps where nothing else is said


class Compiled:
    """A Program that the passes have been over, compiled for the engines that have run it.

    `nodes` are those that were asked for; some of them have no value.
    """

    def __init__(
        self, nodes: Sequence[Node], program: Program, engine: str, *, runs: int = 0
    ) -> None:
        self.program = optimise(program)
        self._valued = [has_value(node) for node in nodes]
        self.all_valued = all(self._valued)
        self._engine = engine
        self._runs = runs
        self._usual: Executable | None = None  # what runs while nobody records
        self._executables: dict[str, Executable] = {}  # by engine
        _ = self.executable  # here, where the cache has every other thread wait for it

    @property
    def executable(self) -> Executable:
        """The program compiled for its engine, or while this thread is recorded for that one's."""
        if self._usual is not None and not context.observers:
            return self._usual
        engine = get_engine(self._engine)
        executable = self._executables.get(engine.name)
        if executable is None:
            executable = self._executables[engine.name] = engine.compile(self.program)
            executable.expect(self._runs)
        if not context.observers:
            self._usual = executable
        return executable

    def __call__(self, arrays: Sequence[Array]) -> Sequence[Array | None]:
        """One value for each node, None for one without."""
        return self.spread(self.executable(arrays))

    def repeat(
        self, arrays: Sequence[Array], times: int, along: Collection[int]
    ) -> Sequence[Array | None]:
        """The values of many runs, stacked; see `Executable.repeat`."""
        return self.spread(self.executable.repeat(arrays, times, along))

    def spread(self, outputs: Sequence[Array]) -> Sequence[Array | None]:
        """The outputs of a run, and None for each node without a value."""
        if self.all_valued:
            return outputs
        values = iter(outputs)
        return [next(values) if valued else None for valued in self._valued]


P = TypeVar("P")


class ProgramCache(Generic[P]):
    """The programs used last, at most `limit`, each by its key and made only once.

    Threads may share the cache.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"max_programs: expected at least 1, got {limit}")
        self.limit = limit
        self._entries: dict[Hashable, Entry[P]] = {}
        self._lock = threading.RLock()
        self._clock = count()
        self._is_crowded = False
        self._crowd: list[Any] = []

    def __len__(self) -> int:
        return len(self._entries)

    def values(self) -> list[P]:
        """All programs."""
        return [entry.value for entry in self._entries.copy().values()]

    def get(self, key: Hashable) -> P | None:
        """The program of this key, if it is there."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        entry.used = next(self._clock)
        return entry.value

    def make(self, key: Hashable, make: Callable[[], P], owners: Iterable[Any] = ()) -> P:
        """The program of this key, made now unless another thread has. It goes with the first of
        its `owners` that does: objects without which the key can't come again."""
        with self._lock:
            found = self.get(key)
            if found is not None:
                return found
            value = make()
            while len(self._entries) >= self.limit:
                entries = self._entries.copy()  # which nobody changes meanwhile
                if not self._is_crowded:
                    self._is_crowded, self._crowd = True, [*entries, key]
                self._entries.pop(min(entries.items(), key=_used)[0], None)
            entry = Entry(value, next(self._clock))
            self._entries[key] = entry
            entry.owners = [weakref.ref(owner, self._forgetter(key)) for owner in owners]
        return value

    def _forgetter(self, key: Hashable) -> Callable[[object], None]:
        cache = weakref.ref(self)

        def forget(_: object) -> None:
            here = cache()
            if here is not None:
                here._entries.pop(key, None)

        return forget

    def crowd(self) -> list[Any]:
        """All keys, once: after the first program that had to make room for another."""
        crowd, self._crowd = self._crowd, []
        return crowd

    def clear(self) -> None:
        """Forget all programs."""
        with self._lock:
            self._entries.clear()


class Entry(Generic[P]):
    """A program, when it was used last, and the references that tell when it must go."""

    __slots__ = ("owners", "used", "value")

    def __init__(self, value: P, used: int) -> None:
        self.value = value
        self.used = used
        self.owners: list[weakref.ref[Any]] = []


def _used(item: tuple[Hashable, Entry[Any]]) -> int:
    return item[1].used


def warn_of_crowd(who: str, limit: int, why: str) -> None:
    """Say, at the caller's line, that programs make room for others, and why."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(
        f"{who} keeps {limit} compiled programs, and from now on drops the one used longest ago "
        f"for each new one. {why} To keep more: max_programs=….",
        RuntimeWarning,
        stacklevel=level,
    )
