"""The error of control flow that failed in machine code: it is run again as Python runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....dtypes import Array
from ....errors import EngineError
from ..fallback_calls import reader
from ..native_loops import StepFailed, formula_of
from ..runtime.buffers import Memory
from .emit import BROKEN, is_failing
from .signals import ERROR, INTERRUPTED, error_of


def raise_error_of_signal(memory: Memory) -> None:
    """Raise the error with which a signal handler has ended the last run, if one has."""
    words = memory.control[: 8 * (ERROR + 3)].view(np.int64)
    if words[0] == INTERRUPTED:
        words[0] = 0
        raise error_of(words[ERROR:].tolist())


def control_error(executable: Any, given: Sequence[Array], memory: Memory) -> BaseException:
    """The error of a run that control flow ended. `given` are the arrays of feeds and Variables."""
    raise_error_of_signal(memory)
    if executable.is_body:
        return StepFailed()
    schedule = executable.schedule
    table = executable.table
    kernel: Any = [one.kernel for one in schedule.kernels if is_failing(one.kernel)][
        (int(memory.control[:8].view(np.int64)[0]) - BROKEN) // 2
    ]
    memory.arrays[: len(given)] = given
    lease = executable._lease
    if lease is not None and lease.held is not None:
        first = executable._first_leased
        memory.arrays[first : first + len(lease.held[1])] = lease.held[1]
    values = [reader(x, schedule, table)(memory) for x in kernel.node.inputs]
    try:
        with np.errstate(all="ignore"):
            formula_of(kernel.node)(*values)
    except Exception as error:
        return error
    finally:
        executable.buffers.let_go(memory)
    return EngineError(f"{kernel.node.label()} failed in machine code, and not in Python.")
