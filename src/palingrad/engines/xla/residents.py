"""Variables whose values are on the device, and stay there between runs.

A Resident is the lease of one Variable (`graph/state/landing.py`): its array is on the device, and
reading `.value` fetches a copy. The Variable keeps the Resident, so that the next run needn't send
the value again unless it was assigned.

A run that donates its Variables' arrays has them written over. Whoever reads one of them meanwhile
waits for the run's end. As nobody can read them, and runs that update the same Variables take
turns, an assignment of another thread during the run counts as one that came after it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from itertools import chain, repeat
from operator import attrgetter, is_
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ...dtypes import Array
from ...errors import EngineError
from ...graph.leaves import Variable
from ...graph.state.landing import (
    array_of,
    forgotten,
    next_serial,
    recall,
    recalls,
    state,
    state_lock,
)
from ...graph.state.turns import exhaust
from .jaxlib import translated
from .mesh.layout import Layout, parts_of, whole

is_observed = attrgetter("_observed")
_PAUSE = 1e-4  # seconds between two looks at whether a run is over


class Resident:
    """The value of a Variable on the device. `array` is the same on the host, if it was fetched or
    sent; `writer` is the thread whose run writes over it."""

    __slots__ = ("array", "value", "variable", "writer")

    def __init__(self, variable: Variable, value: Any, array: Array | None = None) -> None:
        self.variable, self.value, self.array = variable, value, array
        self.writer: int | None = None

    @property
    def torn(self) -> dict[Variable, Array]:
        """An array of the form of a value that is lost, by its Variable, which can be assigned."""
        value = self.value
        # In this order: see `wait`.
        if value.is_deleted() and self.writer is None and self.value is value:
            return {self.variable: np.broadcast_to(np.zeros((), value.dtype), value.shape)}
        return {}

    @property
    def form(self) -> Array:
        """An array of the value's shape and dtype, which needn't be fetched for that."""
        value = self.value
        return np.broadcast_to(np.zeros((), value.dtype), value.shape)

    def parts(self) -> list[tuple[tuple[int, ...], Array]] | None:
        """Where several processes share the value: where each of the parts begins that this one is
        to save, and its elements. None where the process has the whole value."""
        return parts_of(self.value)

    def end(self) -> None:
        """Gives the Variable an array on the host, after the run that writes over it."""
        variable = self.variable
        while variable._lease is self and variable._array is None:
            if self.writer is not None:
                self.wait()
                continue
            value = self.value
            try:
                array = np.array(whole(value))
            except RuntimeError:
                if not value.is_deleted():
                    raise
                self.wait()
                continue
            array.setflags(write=False)
            with state_lock:
                if self.writer is not None or self.value is not value:
                    continue
                if variable._lease is not self or variable._array is not None:
                    return
                self.array = array
                owners, names = (variable, state), ("_array", "version")
                exhaust(map(setattr, owners, names, (array, object())))

    def wait(self) -> None:
        """A pause in waiting for the run that writes over the value; where it would be for ever,
        the value is lost."""
        value, writer = self.value, self.writer
        if self.variable._lease is not self:
            return
        # In this order: what writes over the value is known before the value is gone, and is done
        # in the same moment in which there is another one.
        lost = value.is_deleted() and self.writer is None and self.value is value
        # A run of this thread was interrupted, or this is a signal handler in the middle of one.
        if lost or writer == threading.get_ident():
            gone = Lost(self.variable, value.shape, value.dtype)
            with state_lock:
                if self.variable._lease is self and self.variable._array is None:
                    owners, names = (self.variable, state), ("_lease", "version")
                    exhaust(map(setattr, owners, names, (gone, object())))
            return
        time.sleep(_PAUSE)


class Lost:
    """Stands for the lease of a Variable whose value a run wrote over that had no result."""

    form: ClassVar[Array | None] = None

    def parts(self) -> None:
        """None: see Resident."""

    def __init__(self, variable: Variable, shape: tuple[int, ...], dtype: Any) -> None:
        self.torn: dict[Variable, Array] = {variable: np.broadcast_to(np.zeros((), dtype), shape)}

    def end(self) -> None:
        """Raises EngineError."""
        (variable,) = self.torn
        raise EngineError(
            f"read: the run that was writing over {variable.label()} on the device has failed or "
            "was interrupted, so the Variable has no value.",
            hint="Assign it, or restore a checkpoint. A signal handler can't read it in the middle "
            "of a run.",
        )


class Taken(NamedTuple):
    """Variables at one moment: what tells that one has changed since, and the values."""

    tokens: list[Any]
    values: list[Any]


def take(variables: Sequence[Variable], layout: Layout) -> Taken:
    """The values of Variables on the device, sent there where they aren't yet."""
    while True:
        with state_lock:
            arrays: list[Any] = list(map(array_of, variables))
            leases: list[Any] = [variable._lease for variable in variables]
        pairs = list(zip(arrays, leases, strict=True))
        elsewhere = [
            variable
            for variable, (array, lease) in zip(variables, pairs, strict=True)
            if array is None and not isinstance(lease, Resident)
        ]
        if elsewhere:
            recalls.hold(recall, elsewhere)
            continue
        values = [
            _value(layout, variable, *pair) for variable, pair in zip(variables, pairs, strict=True)
        ]
        busy = [
            lease
            for lease, value in zip(leases, values, strict=True)
            if value.is_deleted() or (isinstance(lease, Resident) and lease.writer is not None)
        ]
        if busy:
            busy[0].wait()
            continue
        if not all(map(layout.holds, variables, values)):
            continue  # another thread's run has moved one meanwhile
        tokens = [
            value if array is None else array
            for value, (array, _) in zip(values, pairs, strict=True)
        ]
        return Taken(tokens, values)


def _value(layout: Layout, variable: Variable, array: Any, lease: Any) -> Any:
    """A Variable's value on the device; the Variable remembers one that is sent."""
    if isinstance(lease, Resident) and (array is None or lease.array is array):
        if array is None or not lease.value.is_deleted():
            return lease.value if layout.holds(variable, lease.value) else _moved(layout, lease)
    value = layout.put(variable, array)
    with state_lock:
        if variable._array is array:
            variable._lease = Resident(variable, value, array)
    return value


def _moved(layout: Layout, resident: Resident) -> Any:
    """The value of a Variable that another program has left lying in another way."""
    value = resident.value
    try:
        moved = layout.put(resident.variable, value if resident.array is None else resident.array)
    except RuntimeError:
        if value.is_deleted():  # by a run of another thread, for whose end `take` waits
            return value
        raise
    with state_lock:
        if resident.value is value and resident.writer is None:
            resident.value, state.version = moved, object()
            return moved
    return value


def to_donate(variables: Sequence[Variable], values: Sequence[Any]) -> list[Resident]:
    """Residents for Variables whose values the run of this thread is to write over."""
    found = [Resident(variable, value) for variable, value in zip(variables, values, strict=True)]
    for resident in found:
        resident.writer = threading.get_ident()
    return found


def donate(residents: Sequence[Resident], tokens: Sequence[Any]) -> bool:
    """Has their Variables' readers wait for the run; False, and nothing is changed, if one of the
    Variables has changed since it was taken."""
    variables = [one.variable for one in residents]
    count = len(variables)
    owners = (*variables, *variables, state)
    names = (*repeat("_array", count), *repeat("_lease", count), "version")
    lending = map(setattr, owners, names, (*repeat(None, count), *residents, object()))
    with state_lock:
        version = state.version
        same = all(map(is_, map(_token, variables), tokens))
        if not same or state.version is not version:
            return False
        exhaust(lending)
        return True


def _token(variable: Variable) -> Any:
    """What is another object once the Variable was assigned, or lent to another thread's run."""
    array, lease = variable._array, variable._lease
    if array is not None or not isinstance(lease, Resident):
        return array
    return lease.value if lease.writer in (None, threading.get_ident()) else lease


def land(
    updated: Sequence[Variable], values: Sequence[Any], seen: Sequence[Variable],
    tokens: Sequence[Any], *, donated: bool,
) -> bool:  # fmt: skip
    """Set the updated Variables to values on the device, all at once.

    False, and nothing is changed, if one of those seen has changed since; after a run that wrote
    over its Variables only those that were assigned meanwhile keep what was assigned.
    """
    before = dict(zip(seen, tokens, strict=True))
    while True:
        with state_lock:
            version, caches = state.version, state.caches
            same = {variable: _token(variable) is token for variable, token in before.items()}
            if not donated and not all(same.values()):
                return False
            landing = [pair for pair in zip(updated, values, strict=True) if same[pair[0]]]
            variables = [variable for variable, _ in landing]
            residents = [Resident(variable, value) for variable, value in landing]
            count = len(landing)
            owners = (*variables, *variables, *variables, state)
            names = (*repeat("_array", count), *repeat("_lease", count),
                     *repeat("_changed", count), "version")  # fmt: skip
            news = (*repeat(None, count), *residents, *repeat(next_serial(), count), object())
            setting = map(setattr, owners, names, news)
            ready = forgotten(variables, caches)
            if ready and state.version is version and state.caches is caches:
                exhaust(setting)
                return True


class Held:
    """What a program has left on the device: while `state.version` is this one, nothing else has
    used it, and the next run has no cost per Variable but that of passing it on."""

    __slots__ = ("changing", "kept", "lending", "residents", "taking", "version")

    def __init__(
        self, residents: Sequence[Resident], updated: Sequence[Variable], values: Sequence[Any],
        kept: Sequence[Any],
    ) -> None:  # fmt: skip
        """Of the Residents of the updated Variables, their values and those of Variables that are
        only read. The caller holds `state_lock`."""
        self.residents, self.changing, self.kept = residents, values, kept
        self.version: object = state.version
        count = len(residents)
        names = (*repeat("value", count), *repeat("writer", count), *repeat("_changed", count),
                 "version")  # fmt: skip
        self.lending = residents, ("writer",) * count
        self.taking = (*residents, *residents, *updated, state), names

    def next(self, version: object, values: Sequence[Any]) -> Held:
        """The same after a run."""
        self.version, self.changing = version, values
        return self


def held(
    updated: Sequence[Variable], values: Sequence[Any], only_read: Sequence[Variable],
    kept: Sequence[Any],
) -> Held | None:  # fmt: skip
    """What the next run of a program finds, if nothing comes between."""
    pairs = [*zip(updated, values, strict=True), *zip(only_read, kept, strict=True)]
    with state_lock:
        for variable, value in pairs:
            lease, array = variable._lease, variable._array
            if not isinstance(lease, Resident) or lease.value is not value:
                return None
            if array is not None and lease.array is not array:
                return None
        leases: list[Any] = [one._lease for one in updated if one._array is None]
        return Held(leases, updated, values, kept) if len(leases) == len(updated) else None


def lend(found: Held) -> bool:
    """Has the values be those of a run that writes over them, if nothing has come between."""
    lending = map(setattr, *found.lending, repeat(threading.get_ident()))
    with state_lock:
        if state.version is not found.version:
            return False
        exhaust(lending)
        return True


def take_back(found: Held, updated: Sequence[Variable], values: Sequence[Any]) -> object | None:
    """Set Variables to the values of the run to which they were lent; None, and nothing is changed,
    if something has come between. Else the new version."""
    count, version = len(updated), object()
    with state_lock:
        news = chain(values, repeat(None, count), repeat(next_serial(), count), (version,))
        setting = map(setattr, *found.taking, news)
        if any(map(is_observed, updated)) or state.version is not found.version:
            return None
        exhaust(setting)
        return version


def give_up(residents: Sequence[Resident]) -> None:
    """After a run that failed: values that it hasn't written over stay, others are lost."""
    for resident in residents:
        resident.writer = None


def fetched(values: Sequence[Any]) -> list[Array]:
    """Results as read-only arrays on the host."""
    try:
        arrays = [np.asarray(one) for one in values]  # which are whole on each device
    except (RuntimeError, ValueError) as error:
        raise translated("run", error) from error
    for array in arrays:
        array.setflags(write=False)
    return arrays
