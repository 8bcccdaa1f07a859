"""Imports the parts that are loaded at their first use.

An interrupt in the middle of an import may leave a module locked for ever, and a signal handler
there finds a module half imported. So a thread of its own imports them, which neither reaches.
"""

from __future__ import annotations

import importlib
import threading
from types import ModuleType
from typing import Any

from .forks import hold_over_forks

# Seconds to wait for that thread. It may itself wait for an import that the caller, a signal
# handler, has interrupted.
_PATIENCE = 10.0
_whole: dict[str, ModuleType] = {}
# A fork waits for this lock: a module whose import another thread has begun could never be imported
# in the child.
_importing: Any = threading.RLock()
hold_over_forks(lambda: _importing)


def imported(name: str) -> ModuleType:
    """The module of this full name, imported if it is not yet."""
    module = _whole.get(name)
    if module is not None:
        return module
    if not _importing._is_owned():  # else this is a thread that imports, or a fork
        try:
            thread = threading.Thread(target=_import, args=(name,), daemon=True)
            thread.start()
            thread.join(_PATIENCE)
        except RuntimeError:  # no thread can be started, for example because the process ends
            pass
    # At once, if the thread has imported it; raises what the import raised there.
    return _whole.get(name) or importlib.import_module(name)


def _import(name: str) -> None:
    with _importing:
        try:
            _whole[name] = importlib.import_module(name)
        except BaseException:  # the caller's own import raises it again
            return
