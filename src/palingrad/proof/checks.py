"""What a check is: a function that raises where an operation is wrong, and what it is run on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from ..dtypes import Array, float32, float64
from ..errors import GradientError
from ..graph.operation import Operation
from .case import Case, Drawn, SharedProgram, drawn_together

FLOATS = (float32, float64)


class Subject:
    """Cases of one operation or several, and the engines on which checks run them.

    What several checks need is computed once: the eager results, and one Program of all cases,
    because optimising and compiling take longest.
    """

    def __init__(self, cases: Sequence[Case], engines: Sequence[str]) -> None:
        self.cases, self.engines = tuple(cases), tuple(engines)
        self._runs: dict[str, tuple[list[Array], list[Array]]] = {}  # by engine

    @property
    def operation(self) -> type[Operation]:
        """The operation that all cases are of, if they are of one."""
        return self.cases[0].operation

    def first(self, count: int) -> list[Case]:
        """The first `count` cases of each operation."""
        of_each: dict[type[Operation], list[Case]] = {}
        for case in self.cases:
            of_each.setdefault(case.operation, []).append(case)
        return [case for cases in of_each.values() for case in cases[:count]]

    @property
    def compilers(self) -> tuple[str, ...]:
        """The engines without `auto`, which runs one of the others, unless it is the only one."""
        return tuple(name for name in self.engines if name != "auto") or self.engines

    def only(self, case: Case) -> Subject:
        """One of the cases alone."""
        return self if self.cases == (case,) else Subject([case], self.engines)

    @cached_property
    def drawn(self) -> tuple[list[Drawn], list[Array], list[Array]]:
        """All cases in float32 and float64: their inputs, and outputs and gradients of eager code.

        Checks may write to none of these arrays.
        """
        return drawn_together([(case, FLOATS) for case in self.cases])

    def program(self, engine: str) -> Callable[[Sequence[Array]], list[Array]]:
        """From the inputs in `drawn` to outputs and gradients, in one compiled Program."""
        return partial(self._shared.run, engine)

    def run(self, engine: str) -> tuple[list[Array], list[Array]]:
        """Copies of the inputs in `drawn`, and what the Program gave of them, in one run that
        several checks look at."""
        if engine not in self._runs:
            fed = [array.copy() for array in self.drawn[1]]
            self._runs[engine] = fed, self.program(engine)(fed)
        return self._runs[engine]

    @cached_property
    def _shared(self) -> SharedProgram:
        return SharedProgram(self.drawn[0])


@dataclass(frozen=True)
class Fault:
    """What a check found: the case, unless only several together show it, and the error."""

    check: str
    case: Case | None
    error: AssertionError | GradientError


@dataclass(frozen=True)
class Check:
    """A named check. One that isn't `together` is run on each case by itself."""

    run: Callable[[Any], None]
    together: bool

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.run.__name__

    @property
    def meaning(self) -> str:
        """The first sentence of the function's docstring."""
        return " ".join((self.run.__doc__ or "").split("\n\n")[0].split())

    def fault(self, subject: Subject) -> Fault | None:
        """The first fault of the subject, or None."""
        if self.together:
            error = self._error(subject)
            if error is None:
                return None
            if len(subject.cases) == 1:
                return self._told(subject.cases[0], error)
        for case in subject.cases:
            error = self._error(subject.only(case) if self.together else case)
            if error is not None:
                return self._told(case, error)
        if self.together:
            operations = dict.fromkeys(case.operation.__name__ for case in subject.cases)
            return self._told(None, self._error(subject), ", ".join(operations))
        return None

    def _error(self, what: Any) -> Exception | None:
        try:
            self.run(what)
        except Exception as error:
            return error
        return None

    def _told(self, case: Case | None, error: Exception | None, operations: str = "") -> Fault:
        """The fault, whose error says where it is."""
        if case is None:
            where = f"{operations}: {self.name}, but only with all samples together"
        else:
            where = f"{case.operation.__name__} {case.sample.text}: {self.name}"
        if isinstance(error, (AssertionError, GradientError)):
            error.add_note(where)
            return Fault(self.name, case, error)
        told = AssertionError(f"{where}: {error!r}")
        told.__cause__ = error
        return Fault(self.name, case, told)


def each(run: Callable[[Case], None]) -> Check:
    """A check of one case after the other."""
    return Check(run, together=False)


def together(run: Callable[[Subject], None]) -> Check:
    """A check of all cases at once; where it fails, each case is looked at alone."""
    return Check(run, together=True)
