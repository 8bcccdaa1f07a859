"""Signals during machine code: handlers run in Python, now and then, and may raise an error.

Only the main thread runs signal handlers, and only when it executes Python. So a loop that may
never end calls Python's `PyErr_CheckSignals` every 50 ms or so. If a handler raises an error, such
as KeyboardInterrupt, the error is kept in the control block, and the run ends.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from ..kernels.control import PATIENCE
from ..llvm.builder import INT, INT32, declared
from ..llvm.kernel_context import POINTER
from ..llvm.library_functions import symbol
from ..llvm.loops import integer
from ..runtime.work_stealing import internal_function

# Words of the line of the control block that says that a run has failed: the first one, whose
# values are odd; the error that a handler raised, which is three objects; the work since the last
# look, in the line of the Program; where that is, in the line of a region.
ERROR, TICKS, TICKS_AT = 1, 4, 5
INTERRUPTED = 199  # what the first word is after a signal handler has raised an error


def emit_signals(module: ir.Module) -> ir.Function:
    """Emits signals(line), which runs the handlers of signals that have come, and returns whether
    one has raised an error, which it puts into the line."""
    if "signals" in module.globals:
        return module.globals["signals"]
    line = INT.as_pointer()
    function, b = internal_function(module, "signals", INT, [line])
    (given,) = function.args
    name = "python.{}".format
    ensure = declared(module, symbol(name("PyGILState_Ensure")), INT32, [])
    release = declared(module, symbol(name("PyGILState_Release")), ir.VoidType(), [INT32])
    check = declared(module, symbol(name("PyErr_CheckSignals")), INT32, [])
    fetch = declared(module, symbol(name("PyErr_Fetch")), ir.VoidType(), [POINTER] * 3)
    held = b.call(ensure, [])
    raised = b.icmp_signed("!=", b.call(check, []), ir.Constant(INT32, 0))
    with b.if_then(raised, likely=False):
        words = [b.bitcast(b.gep(given, [integer(ERROR + n)]), POINTER) for n in range(3)]
        b.call(fetch, words)
        b.store(integer(INTERRUPTED), given)
    b.call(release, [held])
    b.ret(b.zext(raised, INT))
    return function


def emit_look(b: Any, ticks: Any, line: Any, cost: float) -> Any:
    """Emits that work of `cost` nanoseconds has been done, and a look at signals if it is time for
    one. Returns whether a handler has raised an error."""
    done = b.add(b.load(ticks), integer(max(int(cost), 1)))
    b.store(done, ticks)
    with b.goto_entry_block():
        found = b.alloca(INT)
    b.store(integer(0), found)
    with b.if_then(b.icmp_unsigned(">", done, integer(int(PATIENCE))), likely=False):
        b.store(integer(0), ticks)
        b.store(b.call(emit_signals(b.module), [line]), found)
    return b.icmp_signed("!=", b.load(found), integer(0))


def error_of(words: Sequence[int]) -> BaseException:
    """The error that a handler raised, which these words own."""
    kind = ctypes.PYFUNCTYPE(None, *[ctypes.c_void_p] * 3)
    try:
        kind(("PyErr_Restore", ctypes.pythonapi))(*words)
    except BaseException as error:
        return error
    return KeyboardInterrupt()
