"""Compiled programs, and the LRU cache of them that sessions and functions use.

Every run takes the same steps: arguments or feeds are converted to arrays, their signature selects
a `Compiled` program in the cache, and the program computes values from the arrays.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from itertools import count
from typing import Any, Generic, TypeVar

from .dtypes import Array
from .engines.auto import AutoEngine
from .engines.base import Engine, Executable
from .engines.native.engine import NativeEngine
from .engines.selection import get_engine
from .graph.context import apart, context
from .graph.node import Node
from .graph.operation import has_value
from .graph.state.collections import rare_collections
from .graph.state.imports import imported
from .graph.state.turns import Turn
from .messages.calls import user_level
from .messages.checks import whole
from .passes.program import Program
from .signature import Signature, is_fed

MAX_PROGRAMS = 128  # default capacity of the cache of a function or session
_PATIENCE = 120.0  # seconds that a thread waits for another that compiles the same program


def optimise(program: Program) -> Program:
    """The program after all passes, which are imported with the first Program that needs them."""
    return imported(f"{__package__}.passes.pipeline").optimise(program)


class Compiled:
    """An optimised Program, compiled for each engine that has run it.

    `nodes` are the fetched nodes; some of them, such as groups, have no value.
    """

    def __init__(
        self, nodes: Sequence[Node], program: Program, engine: str, *, runs: int = 0
    ) -> None:
        self._source = _Source(program)
        self._valued = [has_value(node) for node in nodes]
        self.all_valued = all(self._valued)
        self._engine = engine
        self._runs = runs
        self._usual: Executable | None = None  # used while the thread has no observers
        self._executables: dict[str, Executable] = {}  # by engine
        _ = self.executable  # compile now, while the cache makes all other threads wait

    @property
    def program(self) -> Program:
        """The optimised Program."""
        return self._source.optimised()

    @property
    def executable(self) -> Executable:
        """The program compiled for its engine, or for the recording engine if the thread has
        observers."""
        if self._usual is not None and not context().observers:
            return self._usual
        engine = get_engine(self._engine, placed=False)  # it was selected before
        executable = self._executables.get(engine.name)
        if executable is None:
            executable = self._executables[engine.name] = self._source.compiled(engine)
            executable.expect(self._runs)
        if not context().observers:
            self._usual = executable
        return executable

    def __call__(self, arrays: Sequence[Array]) -> Sequence[Array | None]:
        """One value for each fetched node, None for a node without a value."""
        return self.spread(self.executable(arrays))

    def repeat(
        self, arrays: Sequence[Array], times: int, along: Collection[int]
    ) -> Sequence[Array | None]:
        """The stacked values of many runs; see `Executable.repeat`."""
        return self.spread(self.executable.repeat(arrays, times, along))

    def spread(self, outputs: Sequence[Array]) -> Sequence[Array | None]:
        """The outputs of a run, with None inserted for each node without a value."""
        if self.all_valued:
            return outputs
        values = iter(outputs)
        return [next(values) if valued else None for valued in self._valued]


class _Source:
    """A Program before the passes, and after them, once it is needed. Machine code that is found on
    disk needs no passes."""

    def __init__(self, program: Program) -> None:
        self._program, self._is_optimised = program, False

    def optimised(self) -> Program:
        """The optimised Program."""
        if not self._is_optimised:
            self._program, self._is_optimised = optimise(self._program), True
        return self._program

    def compiled(self, engine: Engine) -> Executable:
        """The Program compiled by an engine."""
        if isinstance(engine, (NativeEngine, AutoEngine)) and not self._is_optimised:
            return engine.compile_template(self._program, self.optimised)
        return engine.compile(self.optimised())


P = TypeVar("P")


class ProgramCache(Generic[P]):
    """A thread-safe cache of the `limit` most recently used programs, each compiled only once."""

    def __init__(self, limit: int) -> None:
        self.limit = whole("max_programs", limit, least=1, like=128)
        self._entries: dict[Hashable, Entry[P]] = {}
        self._turn = Turn(_PATIENCE)
        self._clock = count()
        self._has_overflowed = False
        self._overflow: list[Any] = []

    def __len__(self) -> int:
        return len(self._entries)

    def values(self) -> list[P]:
        """All programs."""
        return [entry.value for entry in self._entries.copy().values()]

    def get(self, key: Hashable) -> P | None:
        """The program of this key, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        entry.used = next(self._clock)
        return entry.value

    def make(self, key: Hashable, make: Callable[[], P], owners: Iterable[Any] = ()) -> P:
        """The program of this key, made now unless another thread already made it.

        It is dropped when one of its `owners` is deleted: objects compared by identity in the key,
        which therefore can't occur again.
        """
        return self._turn.hold(self._made, key, make, owners)

    def _made(self, key: Hashable, make: Callable[[], P], owners: Iterable[Any]) -> P:
        cached = self.get(key)
        if cached is not None:
            return cached
        with rare_collections():
            value = apart(make)
        while len(self._entries) >= self.limit:
            entries = self._entries.copy()  # a snapshot: `forget` may run at any time
            if not self._has_overflowed:
                self._has_overflowed, self._overflow = True, [*entries, key]
            self._entries.pop(min(entries.items(), key=_used)[0], None)
        entry = Entry(value, next(self._clock))
        entry.owners = [weakref.ref(owner, self._forgetter(key)) for owner in owners]
        self._entries[key] = entry
        return value

    def _forgetter(self, key: Hashable) -> Callable[[object], None]:
        cache = weakref.ref(self)

        def forget(_: object) -> None:
            alive = cache()
            if alive is not None:
                alive._entries.pop(key, None)

        return forget

    def overflow(self) -> list[Any]:
        """All keys at the first eviction, returned once; before and afterwards []."""
        keys, self._overflow = self._overflow, []
        return keys

    def clear(self) -> None:
        """Drop all programs."""
        self._entries.clear()


class Entry(Generic[P]):
    """A program, the time of its last use, and weak references to its owners."""

    __slots__ = ("owners", "used", "value")

    def __init__(self, value: P, used: int) -> None:
        self.value = value
        self.used = used
        self.owners: list[weakref.ref[Any]] = []


def _used(item: tuple[Hashable, Entry[Any]]) -> int:
    return item[1].used


def warn_of_eviction(owner: str, limit: int, advice: str) -> None:
    """Warn, at the caller's line, that programs are being evicted from the cache, and why."""
    warnings.warn(
        f"{owner} caches {limit} compiled programs; each new one now evicts the least recently "
        f"used. {advice} To cache more: max_programs=….",
        RuntimeWarning,
        stacklevel=user_level(),
    )


# ---------------------------------------------------------------- diagnosis


def what_varies(keys: Sequence[Signature], parameters: list[str], read: list[str]) -> str:
    """The part of these signatures with the most distinct values, with advice.

    `parameters` are the names for the leaves of the last signature's arguments, `read` those of the
    outer variables.
    """
    alike = [key for key in keys if key.structure == keys[-1].structure]
    counts = [(len({key.structure for key in keys}), "the structure of the arguments", _STRUCTURE)]
    for leaf, name in enumerate(parameters):
        forms = {key.forms[leaf] for key in alike}
        advice = _FED if is_fed(keys[-1].forms[leaf]) else _STATIC
        counts.append((len(forms), f"argument {name!r}", advice))
    for number, name in enumerate(read):
        values = {key.reads[number] for key in alike if len(key.reads) == len(read)}
        counts.append((len(values), f"variable {name!r}", _READ))
    count, what, advice = max(counts, key=lambda entry: entry[0])
    return f"Most varied: {what}, {count} {advice}"


_STRUCTURE = "lists, tuples or dicts of different lengths and keys: pass arrays."
_FED = "shapes or dtypes: pad or cut arrays to a few shapes."
_STATIC = "values or objects: pass numbers and arrays, which are fed, and reuse objects."
_READ = "values: pass it as an argument instead."
