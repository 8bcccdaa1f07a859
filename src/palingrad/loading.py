"""Imports nearly all that `import palingrad` needs while Python's garbage collector pauses.

It would go through all objects a dozen times, for a tenth of the import's time, and find nothing.
"""

from __future__ import annotations

import gc
import importlib


def _load() -> None:
    collecting = gc.isenabled()
    gc.disable()
    try:
        importlib.import_module(f"{__package__}.session")
        importlib.import_module(f"{__package__}.eager.gradients")
        if not gc.get_freeze_count():  # what a user has frozen stays frozen
            gc.freeze()
            gc.unfreeze()  # all objects are old now, so that the next collection is a short one
    finally:
        if collecting:
            gc.enable()


_load()
