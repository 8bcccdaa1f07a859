"""A Program compiled by XLA: one call a run, Variables on the device."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...dtypes import Array
from ...errors import EngineError
from ...graph.state.landing import Unchanged
from ...passes.program import Program
from ..ahead import taken_ahead
from ..base import Executable
from ..placement import Placement
from . import residents
from .checks import Span, check_fed, fed
from .control import regional
from .jaxlib import devices, jax, jnp, lax, settings, told, translated, wide
from .mesh.layout import forms, layout_of
from .precision import Mixed, check_dtypes
from .report import explained
from .trace import Trace, function_of


class UnderWay(NamedTuple):
    """A run that may not be over yet: its outputs on the device, and the copies that it reads."""

    outputs: Sequence[Any] = ()
    copies: list[Array] = []


class XlaExecutable(Executable):
    """Runs a Program as one XLA computation, on JAX's default device or on a mesh.

    The arrays of Variables that a run updates are donated, unless the run may fail: where NumPy
    computes some operation, or integers are checked on the device.
    """

    def __init__(
        self, program: Program, precision: str | None = None, placement: Placement | None = None
    ) -> None:
        super().__init__(program)
        devices()  # raises where there are none
        mixed: Mixed | None = None
        if precision is not None:
            check_dtypes(program)
            mixed = Mixed(node for _, node in program.updates)
        self._places = {variable: place for place, variable in enumerate(self._reads)}
        blind = [variable for variable in self._updated if variable not in self._places]
        self._touched = [*self._reads, *blind]
        self.layout = layout_of(placement, program.feeds, self._touched)
        places = {x: place for place, x in enumerate(program.feeds)}
        self._fed = [(places[x], bounds) for x, bounds in fed(program.order)]
        self.trace = Trace([], mixed=mixed, parallel=self.layout.parallel)
        self._function = function_of(program, self.trace, regional)
        self._turn_of_failures = threading.RLock()  # `trace.failures` is one run's
        changed = set(self._updated)
        self._changing = [one for one in self._updated if one in self._places]
        self._kept = [one for one in self._reads if one not in changed]
        self._changing_places = [self._places[one] for one in self._changing]
        self._kept_places = [self._places[one] for one in self._kept]
        with settings(), told("compile"):
            given = program.feeds, self._changing, self._kept
            traced = self.layout.wrapped(self._divided, *given[1:], self._updated)
            jax.eval_shape(traced, *map(forms, given))
        self.may_fail = bool(self.trace.hosted or self.trace.spans)
        self._bounds = [one.bounds for one in self.trace.spans]
        self.layout.check_hosted(self.trace.hosted)
        self.donates = not self.may_fail and bool(self._changing)
        self.compiled = self._made(self._divided, program.feeds)
        self._held: residents.Held | None = None
        self._feeding = self.layout.feeding(program.feeds)
        self._repeats: dict[tuple[int, tuple[int, ...]], Any] = {}

    def _made(self, function: Any, feeds: Any, along: Collection[int] = ()) -> Any:
        given = feeds, self._changing, self._kept
        return self.layout.compiled(
            function, given, donates=self.donates, updated=self._updated, along=along
        )

    def explain(self) -> str:
        return explained(self)

    def _divided(self, feeds: Any, changing: Any, kept: Any) -> Any:
        """The function of the Variables that a run changes and those that it only reads."""
        values = dict(zip(self._changing, changing, strict=True))
        values |= dict(zip(self._kept, kept, strict=True))
        return self._function(feeds, [values[one] for one in self._reads])

    # ---------------------------------------------------------------- running

    def compute(
        self, feeds: Sequence[Array], states: Sequence[Array]
    ) -> tuple[list[Array], list[Array]]:
        """Without what runs keep on the device: copies are sent, and results fetched."""
        check_fed(self._fed, feeds)
        sent = list(map(self.layout.put, self._reads, states))
        found: list[Any] = []
        outputs = self._run(self.compiled, feeds, *self._parts(sent), found)
        return self._fetched(outputs), residents.fetched(found[0][1])

    def __call__(self, feeds: Sequence[Array]) -> list[Array]:
        ahead = taken_ahead()
        if ahead is not None:
            ahead.lend(feeds, self._feeding.send)
        under_way: Any = super().__call__(feeds) if self._updated else self._pure(feeds)
        if ahead is not None:
            ahead.go_on(self._feeding.send)
        return self._fetched(under_way)

    def under(self, condition: Unchanged, feeds: Sequence[Array]) -> list[Array] | None:
        under_way: Any = super().under(condition, feeds)
        return None if under_way is None else self._fetched(under_way)

    def _pure(self, feeds: Sequence[Array]) -> UnderWay:
        """A run that changes no Variable."""
        check_fed(self._fed, feeds)
        while True:
            states = residents.take(self._reads, self.layout).values if self._reads else []
            try:
                return self._run(self.compiled, feeds, [], states, [])
            except EngineError:  # unless another thread's run has written over what was taken
                if not any(one.is_deleted() for one in states):
                    raise

    def _attempt(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, feeds: Sequence[Array], condition: Unchanged | None = None
    ) -> UnderWay | None:
        check_fed(self._fed, feeds)
        return self._landed(self.compiled, feeds, condition)

    def _landed(
        self, compiled: Any, feeds: Sequence[Array], condition: Unchanged | None = None
    ) -> UnderWay | None:
        """A run whose updates are set on the device; None if that was not to be."""
        before, self._held = self._held, None
        if condition is None and before is not None:
            again = self._continued(compiled, feeds, before)
            if again is not None:
                return again
        taken = residents.take(self._touched, self.layout)
        if condition is not None and not condition.holds():
            return None
        tokens = list(taken.tokens)
        changing, kept = self._parts(taken.values)
        chosen = self._changing_places if self.donates else []
        lent = residents.to_donate(self._changing, changing) if self.donates else []
        found: list[Any] = []
        under_way: UnderWay = UnderWay()
        landed = False
        try:
            if lent and not residents.donate(lent, [tokens[place] for place in chosen]):
                return None
            for place in chosen:
                tokens[place] = taken.values[place]
            under_way = self._run(compiled, feeds, changing, kept, found)
        except EngineError:
            if not any(one.is_deleted() for one in kept):  # written over by another thread's run
                raise
            return None
        finally:  # also if an interrupt comes after the computation has begun
            try:
                landed = self._settled(found, lent, tokens)
            except BaseException:  # again, where a signal handler's exception has come between
                self._settled(found, lent, tokens)
                raise
        if not landed:
            return None
        if lent and len(lent) == len(self._updated):
            self._hold(found[0][1], kept)
        return under_way

    def _settled(self, found: Any, lent: Any, tokens: Any) -> bool:
        """Sets the Variables after a run; whether they are set. Done twice it does no more."""
        if not found:
            residents.give_up(lent)
            return False
        values = found[0][1]
        return residents.land(self._updated, values, self._touched, tokens, donated=bool(lent))

    def _taken_back(self, found: Any, before: residents.Held) -> object | None:
        """The same after a run that continued; the new version, None if there is another one."""
        if not found:
            residents.give_up(before.residents)
            return None
        values = found[0][1]
        version = residents.take_back(before, self._updated, values)
        if version is None:
            residents.land(self._updated, values, self._updated, before.changing, donated=True)
        return version

    def _hold(self, values: Sequence[Any], kept: Sequence[Any]) -> None:
        """Notes what the next run finds on the device."""
        self._held = residents.held(self._updated, values, self._kept, kept)

    def _continued(
        self, compiled: Any, feeds: Sequence[Array], before: residents.Held
    ) -> UnderWay | None:
        """A run on what the last one has left on the device; None if something has come between."""
        found: list[Any] = []
        version: object | None = None
        under_way: UnderWay = UnderWay()
        try:
            if not residents.lend(before):
                return None
            under_way = self._run(compiled, feeds, before.changing, before.kept, found)
        except EngineError:
            if not any(one.is_deleted() for one in before.kept):
                raise
            return None
        finally:
            try:
                version = self._taken_back(found, before)
            except BaseException:
                self._taken_back(found, before)
                raise
        if version is None:
            self._hold(found[0][1], before.kept)
        else:
            self._held = before.next(version, found[0][1])
        return under_way

    def _parts(self, states: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The values of `_changing` and `_kept`, from those of what is read."""
        changing = [states[place] for place in self._changing_places]
        return changing, [states[place] for place in self._kept_places]

    def _run(
        self, compiled: Any, feeds: Sequence[Array], changing: Sequence[Any], kept: Sequence[Any],
        found: list[Any],
    ) -> UnderWay:  # fmt: skip
        """The run, whose outputs and new values of Variables are put into `found` as soon as it is
        under way, or once one that may fail hasn't."""
        self.layout.begins(feeds)
        if not self.may_fail:
            given, copies = self._feeding.lent(compiled, feeds)
            try:
                with wide(True):
                    self.layout.launch(compiled, given, changing, kept, found)
                outputs, values, _ = found[0]
                if not outputs and values and self._feeding.in_place:
                    values[0].block_until_ready()  # till then the run reads its feeds
            except (RuntimeError, ValueError) as error:
                raise translated("run", error) from error
            return UnderWay(outputs, copies)
        given = self.layout.sent(compiled, feeds)
        with self._turn_of_failures:
            self.trace.failures.clear()
            with settings(), told("run"):
                self.layout.launch(compiled, given, changing, kept, result := [])
                jax.block_until_ready(result)
            failures = list(self.trace.failures)
            self.trace.failures.clear()
        if failures:
            raise failures[0]
        for bounds, pair in zip(self._bounds, result[0][2], strict=True):
            Span(bounds, *map(np.asarray, pair)).check()
        found += result
        return UnderWay(result[0][0])

    def _fetched(self, run: UnderWay) -> list[Array]:
        """The outputs on the host, for which it waits."""
        arrays = residents.fetched(run.outputs)
        self._feeding.back(run.copies)
        return arrays

    # ---------------------------------------------------------------- many runs

    def repeat(
        self, feeds: Sequence[Array], times: int, along: Collection[int] = ()
    ) -> list[Array]:
        if self.may_fail or times < 2 or not self._updated:
            return super().repeat(feeds, times, along)
        check_fed(self._fed, feeds)
        key = times, tuple(sorted(along))
        compiled = self._repeats.get(key)
        if compiled is None:
            compiled = self._repeats[key] = self._many(feeds, *key)
        while True:
            under_way = self._turn.hold(self._landed, compiled, feeds)
            if under_way is not None:
                return self._fetched(under_way)

    def _many(self, feeds: Sequence[Array], times: int, along: tuple[int, ...]) -> Any:
        """All runs as one scan on the device."""
        updated, places = self._updated, self._places

        def run(feeds: Any, changing: Any, kept: Any) -> Any:
            held = dict(zip(self._changing, changing, strict=True))
            first = [
                held[one] if one in places else jnp.zeros(one.shape, one.dtype) for one in updated
            ]

            def step(states: Any, rows: Any) -> Any:
                given = list(feeds)
                for place, row in zip(along, rows, strict=True):
                    given[place] = row
                now = dict(zip(updated, states, strict=True))
                changing = [now[one] for one in self._changing]
                outputs, values, _ = self._divided(given, changing, kept)
                return values, outputs

            values, outputs = lax.scan(step, first, [feeds[n] for n in along], length=times)
            return outputs, values, []

        return self._made(run, feeds, along)
