"""Blocks: a function of scalars whose operations are recorded once, and then appended whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from .grouping import ABSENT
from .recording import Recording, current, state
from .scalar import Scalar


class Template:
    """The operations that a function of scalars records, for any operands in their place.

    `rows` are the operations: a negative operand ~n is input n, or, after the inputs, one of the
    scalars that the function itself holds (its parameters and constants).
    """

    def __init__(self, f: Callable[[Sequence[Any]], Any], inputs: Sequence[Scalar]) -> None:
        before, state.recording = state.recording, Recording()
        try:
            recording = current()
            kind = type(inputs[0])
            stand_ins = [kind(0.0) for _ in inputs]
            for scalar in stand_ins:
                recording.leaf(scalar)
            result = f(stand_ins)
            self.single = isinstance(result, Scalar)
            results = [result] if self.single else list(result)
            self.usable = state.recording is recording and all(
                one.recording is recording and one.source for one in results
            )
            self.results = [one.place for one in results]
            self.rows = np.array(recording.entries, np.int32).reshape(-1, 3)
            self.held = recording.leaves[len(inputs) :]
            for scalar in self.held:
                if scalar.recording is recording:
                    scalar.recording = None
        finally:
            state.recording = before

    def __call__(self, inputs: Sequence[Scalar]) -> Any:
        """The results for these inputs."""
        recording = current()
        scalars = [*inputs, *self.held]
        slots = np.array([recording.operand(scalar) for scalar in scalars], np.int32)
        rows = self.rows.copy()
        for column in (1, 2):
            operands = self.rows[:, column]
            absent = operands == ABSENT
            leaves = (operands < 0) & ~absent
            rows[:, column] += np.int32(recording.next_place())
            rows[leaves, column] = slots[~operands[leaves]]
            rows[absent, column] = ABSENT
        block = Block(self, recording, recording.append(rows), scalars, type(inputs[0]))
        results = [block.scalar(place) for place in self.results]
        return results[0] if self.single else results


class Block:
    """What a call of a template appended to a recording. The scalars inside are made on demand."""

    def __init__(
        self,
        template: Template,
        recording: Recording,
        first: int,
        scalars: list[Scalar],
        kind: type[Scalar],
    ) -> None:
        self._template, self._recording, self._first = template, recording, first
        self._scalars, self._kind = scalars, kind
        self._made: WeakValueDictionary[int, Scalar] = WeakValueDictionary()

    def scalar(self, place: int) -> Scalar:
        """The number of the template's operation at this place."""
        made = self._made.get(place)
        if made is None:
            code = int(self._template.rows[place, 0])
            made = self._kind.computed(self._recording, self._first + place, code, self)
            self._made[place] = made
        return made

    def operands_of(self, scalar: Scalar) -> tuple[Scalar, ...]:
        """The scalars from which one of this block is computed."""
        row = self._template.rows[scalar.place - self._first, 1:].tolist()
        return tuple(self._operand(one) for one in row if one != ABSENT)

    def _operand(self, operand: int) -> Scalar:
        return self._scalars[~operand] if operand < 0 else self.scalar(operand)
