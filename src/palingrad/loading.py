"""Imports nearly all that `import palingrad` needs while Python's garbage collector pauses.

It would go through all objects a dozen times, for a tenth of the import's time, and find nothing.
"""

from __future__ import annotations

import gc
import importlib

# The operations behind operators are bound first: Python updates the methods of an operator in all
# classes of nodes, which are few at that time.
_OPERATORS = ("elementwise.arithmetic", "elementwise.comparison", "contract")
_OTHERS = ("elementwise.activation", "reduction.softmax", "reduction.statistics")


def _load() -> None:
    collecting = gc.isenabled()
    gc.disable()
    try:
        for module in _OPERATORS:
            importlib.import_module(f"{__package__}.ops.{module}")
        importlib.import_module(f"{__package__}.graph.eager").bind_operators()
        for module in _OTHERS:
            importlib.import_module(f"{__package__}.ops.{module}")
        if not gc.get_freeze_count():  # what a user has frozen stays frozen
            gc.freeze()
            gc.unfreeze()  # all objects are old now, so that the next collection is a short one
    finally:
        if collecting:
            gc.enable()


_load()
