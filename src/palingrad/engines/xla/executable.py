"""A Program compiled by XLA: one call a run, Variables on the device."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from ...dtypes import Array
from ...errors import EngineError
from ...graph.state.landing import Unchanged
from ...passes.program import Program
from ..base import Executable
from ..placement import Placement
from . import residents
from .checks import Span, check_fed, fed
from .control import regional
from .jaxlib import devices, jax, jnp, lax, settings, told, wide
from .mesh.layout import forms, layout_of
from .report import explained
from .trace import Trace, function_of


class XlaExecutable(Executable):
    """Runs a Program as one XLA computation, on JAX's default device or on a mesh.

    The arrays of Variables that a run updates are donated, unless the run may fail: where NumPy
    computes some operation, or integers are checked on the device.
    """

    def __init__(self, program: Program, placement: Placement | None = None) -> None:
        super().__init__(program)
        devices()  # raises where there are none
        self._places = {variable: place for place, variable in enumerate(self._reads)}
        blind = [variable for variable in self._updated if variable not in self._places]
        self._touched = [*self._reads, *blind]
        self.layout = layout_of(placement, program.feeds, self._touched)
        places = {x: place for place, x in enumerate(program.feeds)}
        self._fed = [(places[x], bounds) for x, bounds in fed(program.order)]
        self.trace = Trace([], parallel=self.layout.parallel)
        self._function = function_of(program, self.trace, regional)
        self._turn_of_failures = threading.RLock()  # `trace.failures` is one run's
        changed = set(self._updated)
        self._changing = [one for one in self._reads if one in changed]
        self._kept = [one for one in self._reads if one not in changed]
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
        outputs, values = self._run(self.compiled, feeds, sent)
        return residents.fetched(outputs), residents.fetched(values)

    def __call__(self, feeds: Sequence[Array]) -> list[Array]:
        if self._updated:
            return super().__call__(feeds)
        check_fed(self._fed, feeds)
        while True:
            states = residents.take(self._reads, self.layout).values if self._reads else []
            try:
                return residents.fetched(self._run(self.compiled, feeds, states)[0])
            except EngineError:  # unless another thread's run has written over what was taken
                if not any(one.is_deleted() for one in states):
                    raise

    def _attempt(
        self, feeds: Sequence[Array], condition: Unchanged | None = None
    ) -> list[Array] | None:
        check_fed(self._fed, feeds)
        return self._landed(self.compiled, feeds, condition)

    def _landed(
        self, compiled: Any, feeds: Sequence[Array], condition: Unchanged | None = None
    ) -> list[Array] | None:
        """A run whose updates are set on the device; None if that was not to be."""
        before, self._held = self._held, None
        if condition is None and before is not None:
            outputs = self._continued(compiled, feeds, before)
            if outputs is not None:
                return outputs
        taken = residents.take(self._touched, self.layout)
        if condition is not None and not condition.holds():
            return None
        states, tokens = taken.values[: len(self._reads)], list(taken.tokens)
        chosen = [self._places[one] for one in self._changing] if self.donates else []
        lent = residents.to_donate(
            [self._reads[place] for place in chosen], [states[place] for place in chosen]
        )
        found: list[Any] = []
        landed = False
        try:
            if lent and not residents.donate(lent, [tokens[place] for place in chosen]):
                return None
            for place in chosen:
                tokens[place] = states[place]
            self._run(compiled, feeds, states, found)
        except EngineError:
            if not self._is_gone(states):
                raise
            return None
        finally:  # also if an interrupt comes after the computation has begun
            landed = residents.surely(lambda: self._settled(found, lent, tokens))
        if not landed:
            return None
        if lent and len(lent) == len(self._updated):
            self._hold(found[0][1], dict(zip(self._reads, states, strict=True)))
        return residents.fetched(found[0][0])

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
        values, tokens = found[0][1], [before.states[one] for one in self._updated]
        version = residents.take_back(before, self._updated, values)
        if version is None:
            residents.land(self._updated, values, self._updated, tokens, donated=True)
        return version

    def _is_gone(self, states: Sequence[Any]) -> bool:
        """Whether another thread's run has written over a value that this program only reads."""
        values = dict(zip(self._reads, states, strict=True))
        return any(values[one].is_deleted() for one in self._kept)

    def _hold(self, values: Sequence[Any], states: dict[Any, Any]) -> None:
        """Notes what the next run finds on the device."""
        states.update(zip(self._updated, values, strict=True))
        self._held = residents.held(self._updated, states)

    def _continued(
        self, compiled: Any, feeds: Sequence[Array], before: residents.Held
    ) -> list[Array] | None:
        """A run on what the last one has left on the device; None if something has come between."""
        found: list[Any] = []
        version: object | None = None
        states = [before.states[one] for one in self._reads]
        try:
            if not residents.lend(before):
                return None
            self._run(compiled, feeds, states, found)
        except EngineError:
            if not self._is_gone(states):
                raise
            return None
        finally:
            version = residents.surely(lambda: self._taken_back(found, before))
        if version is None:
            self._hold(found[0][1], before.states)
        else:
            before.states.update(zip(self._updated, found[0][1], strict=True))
            self._held = before._replace(version=version)
        return residents.fetched(found[0][0])

    def _run(
        self, compiled: Any, feeds: Sequence[Array], states: Sequence[Any],
        found: list[Any] | None = None,
    ) -> tuple[list[Any], list[Any]]:  # fmt: skip
        """(outputs, new values of Variables) on the device, which are also put into `found` once a
        run that may fail hasn't."""
        self.layout.begins(feeds)
        values = dict(zip(self._reads, states, strict=True))
        arguments = (
            self.layout.sent(compiled, feeds),
            [values[one] for one in self._changing],
            [values[one] for one in self._kept],
        )
        found = [] if found is None else found
        if not self.may_fail:
            with wide(True), told("run"):
                self.layout.launch(compiled, arguments, found)
            return found[0][:2]
        with self._turn_of_failures:
            self.trace.failures.clear()
            with settings(), told("run"):
                self.layout.launch(compiled, arguments, result := [])
                jax.block_until_ready(result)
            failures = list(self.trace.failures)
            self.trace.failures.clear()
        if failures:
            raise failures[0]
        for bounds, pair in zip(self._bounds, result[0][2], strict=True):
            Span(bounds, *map(np.asarray, pair)).check()
        found += result
        return found[0][:2]

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
            outputs = self._turn.hold(self._landed, compiled, feeds)
            if outputs is not None:
                return outputs

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
