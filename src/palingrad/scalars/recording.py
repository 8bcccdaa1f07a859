"""Recordings: scalar operations that were written one after another, computed all together.

A recording ends when one of its numbers is read. Its structure (operations and edges) is a key: a
recording of a structure that has occurred before only runs that structure's Programs, which compute
all equal operations at once (`grouping.py`).
"""

from __future__ import annotations

import itertools
import threading
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from ..graph.node import Node
from ..programs import ProgramCache
from .structure import Structure

_STRUCTURES = 64  # the most recently used, whose Programs are kept


@dataclass(frozen=True)
class ScalarOperation:
    """A kind of operation: its sign in drawings, and what makes a node of the operands'."""

    sign: str
    rule: Callable[..., Node]


operations: list[ScalarOperation] = []
_rules: list[Callable[..., Node]] = []
_codes: dict[Any, int] = {}
_lock = threading.Lock()
_structures: ProgramCache[Structure] = ProgramCache(_STRUCTURES)
numbers = itertools.count()


def code_of(key: Any, make: Callable[[], ScalarOperation]) -> int:
    """The code of an operation, which `make` describes when the key is first used."""
    code = _codes.get(key)
    if code is None:
        made = make()
        with _lock:
            code = _codes.setdefault(key, len(operations))
            if code == len(operations):
                operations.append(made)
                _rules.append(made.rule)
    return code


ADD = code_of("+", lambda: ScalarOperation("+", lambda x, y: x + y))
MULTIPLY = code_of("*", lambda: ScalarOperation("*", lambda x, y: x * y))


class Recording:
    """Operations in the order in which they were written, and, once computed, their numbers.

    `entries` are the latest operations, three integers for each: its code and two operands, of
    which each is the place of an earlier operation, ~n for leaf n, or ABSENT. `closed` are those
    before, `offset` of them.
    """

    __slots__ = ("closed", "entries", "gradients", "imported", "inputs", "leaves", "number",
                 "offset", "structure", "values")  # fmt: skip

    def __init__(self) -> None:
        self.number = next(numbers)
        self.entries: list[int] = []
        self.closed: list[bytes] = []
        self.offset = 0
        self.leaves: list[Any] = []  # scalars that aren't computed in this recording
        self.imported: dict[int, int] = {}  # operands, by the identity of scalars computed earlier
        self.inputs: Any = None  # the leaves' numbers when the recording was computed
        self.values: Any = None
        self.gradients: Any = None
        self.structure: Structure

    def leaf(self, scalar: Any) -> int:
        """The operand that stands for a scalar that isn't computed in this recording."""
        if scalar.source:  # it keeps belonging to the recording that computes it
            place = self.imported.get(id(scalar))
            if place is not None:
                return place
            place = self.imported[id(scalar)] = ~len(self.leaves)
        else:
            place = ~len(self.leaves)
            scalar.recording, scalar.place = self, place
        self.leaves.append(scalar)
        return place

    def operand(self, scalar: Any) -> int:
        """The operand that stands for a scalar."""
        return scalar.place if scalar.recording is self else self.leaf(scalar)

    def append(self, rows: Any) -> int:
        """Appends operations, rows of an int32 array; returns the place of the first."""
        self._close()
        first = self.offset
        self.closed.append(rows.tobytes())
        self.offset += len(rows)
        return first

    def next_place(self) -> int:
        """The place of the operation that is recorded next."""
        return self.offset + len(self.entries) // 3

    def _close(self) -> None:
        if self.entries:
            self.closed.append(array("i", self.entries).tobytes())
            self.offset += len(self.entries) // 3
            self.entries = []

    def compute(self) -> None:
        """Computes all numbers; what is written from now on is another recording."""
        if self.values is not None:
            return
        if state.recording is self:
            state.recording = None
        self.inputs = np.array([leaf.data for leaf in self.leaves], np.float64)
        self._close()
        rows = b"".join(self.closed)
        key = (blake2b(rows, digest_size=32).digest(), len(self.leaves))

        def made() -> Structure:
            return Structure(np.frombuffer(rows, np.int32).reshape(-1, 3), _rules, ADD)

        self.structure = _structures.get(key) or _structures.make(key, made)
        self.values = self.structure.values(self.inputs)
        self.closed, self.imported = [], {}
        for leaf in self.leaves:
            if leaf.recording is self:  # a cycle of references, which would live longer
                leaf.recording = None

    def number_at(self, place: int) -> float:
        """The number of the operation at this place."""
        return self.values[self.structure.places[place]].item()

    def gradient_at(self, place: int) -> float:
        """The gradient of the number at this place; 0 before any."""
        return 0 if self.gradients is None else self.gradients[self.structure.places[place]].item()

    def set_gradient(self, place: int, value: float) -> None:
        """Replaces the gradient of the number at this place."""
        self.compute()
        if self.gradients is None:
            self.gradients = np.zeros(len(self.structure.places))
        self.gradients[self.structure.places[place]] = value

    def clear_gradients(self, places: Sequence[int]) -> list[Any]:
        """Sets the gradients of all numbers on which those at these places depend to 0; returns the
        leaves among them."""
        found = [int(self.structure.places[place]) for place in places]
        within, given = self.structure.reached(found, len(self.leaves))
        if self.gradients is not None:
            self.gradients[within] = 0.0
        return [self.leaves[number] for number in np.flatnonzero(given)]

    def add_gradients(self, seeds: Mapping[int, float]) -> list[float]:
        """Adds the gradients of Σ seed · number, over the places in `seeds`, to those of all
        numbers; returns those of the leaves."""
        structure = self.structure
        given: dict[int, Any] = {}
        for place, seed in seeds.items():
            at = int(structure.places[place])
            group = structure.group_at(at)
            if group not in given:
                given[group] = np.zeros(structure.groups[group].size)
            given[group][at - structure.starts[group]] += seed
        found = structure.gradients(self.inputs, given)
        numbers = found[len(self.leaves) :]
        self.gradients = numbers.copy() if self.gradients is None else self.gradients + numbers
        return found[: len(self.leaves)].tolist()


class _State(threading.local):
    recording: Recording | None = None


state = _State()


def current() -> Recording:
    """The recording that operations of this thread are appended to."""
    recording = state.recording
    if recording is None:
        recording = state.recording = Recording()
    return recording
