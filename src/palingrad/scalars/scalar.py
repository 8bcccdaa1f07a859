"""Scalar: a number in a graph of numbers. Its operations are recorded, and computed when one of
their numbers is read."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Self

import numpy as np

from ..autodiff.gradients import gradients
from ..dtypes import float64
from ..errors import DTypeError, GraphError
from ..graph.leaves import Variable
from ..graph.node import Node
from ..graph.traversal.order import postorder
from ..messages.checks import shown
from .grouping import ABSENT
from .recording import ADD, MULTIPLY, Recording, current, numbers, operations, state


class Scalar:
    """A number in a graph of numbers: given, or the result of an operation on others.

    `data` is the number; assigning to it changes what is written later. `backward()` adds to `grad`
    of every scalar that it depends on the derivative of this one.

    >>> from palingrad.scalars import Scalar
    >>> a, b = Scalar(2.0), Scalar(-3.0)
    >>> c = a * b + b
    >>> c.backward()
    >>> c.data, a.grad, b.grad
    (-9.0, -3.0, 3.0)
    """

    __slots__ = ("__weakref__", "_data", "_grad", "code", "own", "place", "recording", "source")

    # `source` is what the number was computed from: a tuple of operands, or a Block; () if it was
    # given. `recording` is the one that computes the number, or that has read a given one last, and
    # `place` the operand that stands for it there.
    _data: Any  # None while it isn't computed
    _grad: Any  # of a given number; that of a computed one is in its recording
    code: int
    own: OwnRule | None  # of a given number that has operands
    place: int
    recording: Recording | None
    source: Any

    def __init__(self, data: Any) -> None:
        if data.__class__ is not float:
            _check(data)
        self._data = data
        self._grad = 0
        self.source = ()
        self.recording = None
        self.own = None

    # ---------------------------------------------------------------- operations

    @classmethod
    def computed(cls, recording: Recording, place: int, code: int, source: Any) -> Self:
        """The number that a recording computes at this place."""
        result = cls.__new__(cls)
        result._data = None
        result.code = code
        result.place = place
        result.recording = recording
        result.source = source
        return result

    def applied(self, code: int) -> Self:
        """An operation of this number alone."""
        recording = current()
        operand = recording.operand(self)
        place = recording.next_place()
        recording.entries += (code, operand, ABSENT)
        return self.computed(recording, place, code, (self,))

    def combined(self, code: int, other: Any) -> Self:
        """An operation of this number and another."""
        if not isinstance(other, Scalar):
            other = type(self)(other)
        recording = state.recording
        if recording is None:
            recording = current()
        first = self.place if self.recording is recording else recording.leaf(self)
        second = other.place if other.recording is recording else recording.leaf(other)
        result = self.__class__.__new__(self.__class__)  # as `computed` does: this must be fast
        result._data = None
        result.code = code
        entries = recording.entries
        result.place = recording.offset + len(entries) // 3
        result.recording = recording
        result.source = (self, other)
        entries += (code, first, second)
        return result

    def __add__(self, other: Any) -> Self:
        return self.combined(ADD, other)

    def __mul__(self, other: Any) -> Self:
        return self.combined(MULTIPLY, other)

    def depends_on(
        self, operands: Sequence[Scalar], sign: str, pull: Callable[[], Sequence[float]]
    ) -> None:
        """Makes this given number the result of an operation of the caller's. `pull` returns what
        each operand's gradient gains, and is called when `grad` of this number is complete."""
        for operand in operands:
            operand.data  # noqa: B018 — computed now, so that its recording has an earlier number
        self.own = OwnRule(tuple(operands), sign, pull, next(numbers))

    @property
    def operands(self) -> tuple[Scalar, ...]:
        """What the number was computed from; () if it was given."""
        source = self.source
        if type(source) is not tuple:
            return source.operands_of(self)
        return source or (self.own.operands if self.own else ())

    @property
    def sign(self) -> str:
        """The sign of the operation; "" for a given number."""
        if self.source:
            return operations[self.code].sign
        return self.own.sign if self.own else ""

    # ---------------------------------------------------------------- numbers

    @property
    def data(self) -> Any:
        """The number; what it depends on is computed first."""
        if self._data is None:
            recording = self.recording
            assert recording is not None
            recording.compute()
            self._data = recording.number_at(self.place)
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        if value.__class__ is not float:
            _check(value)
        if self.recording is not None:  # it may read this number
            self.recording.compute()
        self._data = value

    @property
    def grad(self) -> Any:
        """The sum of the derivatives that `backward()` has found; 0 before."""
        if not self.source:
            return self._grad
        assert self.recording is not None
        return self.recording.gradient_at(self.place)

    @grad.setter
    def grad(self, value: Any) -> None:
        if self.source:
            assert self.recording is not None
            self.recording.set_gradient(self.place, value)
        else:
            self._grad = value

    def backward(self) -> None:
        """Adds the derivative of this number by each scalar that it depends on to that `grad`; its
        own becomes 1. (Reverse mode: Griewank and Walther, "Evaluating derivatives", 2008, 3.2.)"""
        if self.source:
            assert self.recording is not None
            self.recording.compute()
        self.grad = 1
        pass_ = _ReversePass()
        pass_.add(self, 1.0)
        pass_.run()
        self.grad = 1

    def clear_gradients(self) -> None:
        """Sets `grad` of this number and of all that it depends on to 0."""
        pass_ = _ReversePass()
        pass_.add(self, 0.0)
        pass_.clear()

    def local_gradients(self, gradient: float = 1.0) -> list[float]:
        """∂(this number)/∂(operand) · gradient, for each operand."""
        if not self.source:
            if self.own is None:
                return []
            before, self._grad = self._grad, gradient
            found = list(self.own.pull())
            self._grad = before
            return found
        xs = [Variable(float(operand.data), dtype=float64) for operand in self.operands]
        y = operations[self.code].rule(*xs)
        return [float(one) for one in gradients(y, xs, gradient=np.float64(gradient))]

    def __float__(self) -> float:
        return float(self.data)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are given numbers, without the graph."""
        return type(self), (self.data,)

    @property
    def __palingrad_node__(self) -> Node:
        """The number as a node, with all that it depends on; built anew for each call."""
        return as_nodes([self])[0]


@dataclass(frozen=True)
class OwnRule:
    """The derivative of an operation of a user's own: see `Scalar.depends_on`."""

    operands: tuple[Scalar, ...]
    sign: str
    pull: Callable[[], Sequence[float]]
    number: int  # in the order of recordings


class _ReversePass:
    """Gradients on their way through recordings and own operations, the latest first."""

    def __init__(self) -> None:
        self._seeds: dict[Recording | Scalar, dict[int, float]] = {}
        self._latest: list[tuple[int, Recording | Scalar]] = []

    def add(self, scalar: Scalar, gradient: float) -> None:
        """Adds to the gradient of a number that something later read."""
        if scalar.source:
            assert scalar.recording is not None
            scalar.recording.compute()
            seeds = self._at(scalar.recording, scalar.recording.number)
            seeds[scalar.place] = seeds.get(scalar.place, 0.0) + gradient
        elif scalar.own is not None:
            seeds = self._at(scalar, scalar.own.number)
            seeds[0] = seeds.get(0, 0.0) + gradient
        else:
            scalar._grad += gradient

    def _at(self, what: Recording | Scalar, number: int) -> dict[int, float]:
        seeds = self._seeds.get(what)
        if seeds is None:
            seeds = self._seeds[what] = {}
            heapq.heappush(self._latest, (-number, what))
        return seeds

    def clear(self) -> None:
        """Sets the gradients of what has been added, and of all that it depends on, to 0."""
        while self._latest:
            _, what = heapq.heappop(self._latest)
            seeds = self._seeds.pop(what)
            if isinstance(what, Recording):
                reached: Sequence[Scalar] = what.clear_gradients(list(seeds))
            else:
                assert what.own is not None
                what._grad, reached = 0, what.own.operands
            for scalar in reached:
                if scalar.source or scalar.own is not None:
                    self.add(scalar, 0.0)
                else:
                    scalar._grad = 0

    def run(self) -> None:
        while self._latest:
            _, what = heapq.heappop(self._latest)
            seeds = self._seeds.pop(what)
            if isinstance(what, Recording):
                reached: Sequence[Scalar] = what.leaves
                found: Sequence[float] = what.add_gradients(seeds)
            else:
                assert what.own is not None
                what._grad = seeds[0]
                reached, found = what.own.operands, what.own.pull()
            for scalar, gradient in zip(reached, found, strict=True):
                if not scalar.source and scalar.own is None:
                    scalar._grad += gradient
                elif gradient:
                    self.add(scalar, gradient)


def as_nodes(scalars: Sequence[Scalar]) -> list[Node]:
    """Scalars as nodes, with all that they depend on: given numbers are Variables."""
    nodes: dict[Scalar, Node] = {}
    for scalar in postorder(*scalars, inputs=lambda one: one.operands):
        inputs = [nodes[one] for one in scalar.operands]
        if scalar.source:
            nodes[scalar] = operations[scalar.code].rule(*inputs)
        elif scalar.own is None:
            label = getattr(scalar, "label", "") or None  # as many courses name numbers
            nodes[scalar] = Variable(float(scalar.data), dtype=float64, name=label)
        else:
            raise GraphError(
                f"{scalar!r} has a derivative written in Python, which nodes can't show",
                hint="Write the operation with those of palingrad.",
            )
    return [nodes[scalar] for scalar in scalars]


def _check(data: Any) -> None:
    if not isinstance(data, (Real, np.bool_)):
        raise DTypeError(
            f"{shown(data)} isn't a real number",
            hint="A scalar holds one number; arrays are pg.tensor(values).",
        )
