"""Several processes, on one host or many, whose devices are one mesh."""

from __future__ import annotations

import os
from typing import Any

from ..engines.xla.engine import check_installed
from ..errors import ArgumentError, ProcessError
from ..graph.state.imports import imported
from ..messages.calls import public
from ..messages.checks import shown, whole
from ..processes.group import Group, count, current, index as own_index, join
from ..processes.judge import PATIENCE
from ..processes.wire import free_port, parted
from ..version import __version__

ADDRESS, PROCESSES, INDEX = "PALINGRAD_ADDRESS", "PALINGRAD_PROCESSES", "PALINGRAD_INDEX"
DETECT = "detect"  # the value that leaves it to JAX
_PATIENCE = "PALINGRAD_PATIENCE"


@public
def initialize(
    address: str | None = None,
    processes: int | None = None,
    index: int | None = None,
    *,
    timeout: float = 60.0,
    patience: float | None = None,
) -> None:
    """Make this one of several processes that compute together, before anything is computed.

    address: "host:port", where process 0 listens; processes: how many there are; index: this one's
    number, from 0. What is left out is what `palingrad launch` has set, or what JAX finds out from
    SLURM, Kubernetes or MPI. `pg.scale.mesh` then has the devices of all processes.

    timeout: seconds in which all processes must have come. patience: seconds after which a process
    for which the others wait counts as hung, by default 20, or PALINGRAD_PATIENCE.

    Raises ProcessError if process 0 can't be reached, processes are missing, two have one index,
    or they differ in palingrad's or JAX's version.
    """
    if current() is not None:
        raise ProcessError("scale.initialize: this process is one of several already.",
                           hint="Call it once.")  # fmt: skip
    where, number, own, devices = _told(address, processes, index, timeout)
    runtime = _runtime()
    runtime.check_fresh()
    host, port = parted(where)
    group = Group(
        (host, port), number, own,
        timeout=timeout,
        patience=_patience(patience),
        welcome={"jax": free_port(host)} if own == 0 else {},
        alike={"palingrad": __version__, "JAX": runtime.jax.__version__},
    )  # fmt: skip
    join(group)
    runtime.start(host, group.welcome["jax"], number, own, int(timeout), devices)


def initialize_if_launched() -> None:
    """Do so, unless it is done, where `palingrad launch` started this process, or where
    PALINGRAD_PROCESSES=detect says that it is one of a cluster's."""
    if current() is None and os.environ.get(PROCESSES):
        initialize()


def process_index() -> int:
    """The number of this process, from 0; 0 if there is one."""
    return own_index()


def process_count() -> int:
    """The number of processes that compute together; 1 without `initialize`."""
    return count()


def _runtime() -> Any:
    """The module that uses JAX's distributed runtime. Raises EngineError without JAX."""
    check_installed()
    return imported(f"{__package__}.runtime")


def _told(
    address: str | None, processes: int | None, index: int | None, timeout: float
) -> tuple[str, int, int, Any]:
    """Address, number, index and devices: as given, from our variables, or as JAX finds them."""
    address = address or os.environ.get(ADDRESS)
    processes = _number("processes", processes, PROCESSES)
    index = _number("index", index, INDEX)
    devices = None
    if None in (address, processes, index):
        address, processes, index, devices = _runtime().detected(
            address, processes, index, int(timeout)
        )
    given = {"address": address, "processes": processes, "index": index}
    missing = [name for name, value in given.items() if value is None]
    if address is None or processes is None or index is None:
        raise ProcessError(
            f"scale.initialize: nothing says what this is: {', '.join(missing)}.",
            hint="Start with palingrad launch -n 4 -- …, or on a cluster that JAX knows, or pass "
            "initialize(address='10.0.0.1:9999', processes=4, index=0).",
        )
    whole("scale.initialize: processes", processes, least=1, like=4)
    whole("scale.initialize: index", index, like=0)
    if index >= processes:
        raise ArgumentError(f"scale.initialize: index is {index}, of {processes} processes.",
                            hint=f"It is 0 to {processes - 1}.")  # fmt: skip
    return address, processes, index, devices


def _number(name: str, given: Any, variable: str) -> int | None:
    text = os.environ.get(variable, DETECT)
    if given is not None or text == DETECT:
        return given
    if not text.isdecimal():
        raise ArgumentError(f"scale.initialize: {variable} is {text!r:.40}; expected the {name}.")
    return int(text)


def _patience(given: Any) -> float:
    value = os.environ.get(_PATIENCE, PATIENCE) if given is None else given
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ArgumentError(f"scale.initialize: patience is {shown(value)}; expected seconds.",
                            hint="Write patience=20, or PALINGRAD_PATIENCE=20.")  # fmt: skip
    return seconds
