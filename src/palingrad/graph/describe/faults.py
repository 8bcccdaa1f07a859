"""What is wrong with the rules of a user's own operation, said when it is declared or computed."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from typing import Any

from ...errors import ArgumentError
from ...maths import numpy_maths
from ...messages.checks import counted, nearest

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def check_formula(name: str, f: Callable[..., Any]) -> None:
    """Raise ArgumentError if a formula is declared as a method of the node."""
    parameters = inspect.signature(f).parameters.values()
    first = next((p.name for p in parameters), "")
    if first == "self":
        raise ArgumentError(
            f"{name}: f{defined(f)} takes `self`, but it computes with arrays and sees no node.",
            hint="Write def f(m, x), where m has NumPy's functions.",
        )
    if first != "m" and len(parameters) == 1 and all(p.kind in _POSITIONAL for p in parameters):
        raise ArgumentError(
            f"{name}: f{defined(f)} takes only `{first}`, but is given m before the inputs.",
            hint=f"Write def f(m, {first}), where m has NumPy's functions.",
        )


def note_on(error: Exception, formula: str, names: Sequence[str], given: int) -> str:
    """What to do about an error in a formula of the parameters `names`, or ""."""
    if names and given != len(names):
        took = counted(given, "input")
        return f"It takes {len(names)}, {', '.join(names)}, and was given {took}: {formula}."
    if isinstance(error, AttributeError) and error.obj is numpy_maths:
        near = nearest(error.name, dir(numpy_maths))
        return f"m has no function {error.name!r}." + (f" Did you mean m.{near}?" if near else "")
    if "truth value" in str(error):
        return (
            "A formula computes whole arrays: write m.where(x > 0, a, b), which chooses element by "
            "element, for `a if x > 0 else b`."
        )
    return ""


def defined(function: Callable[..., Any]) -> str:
    """' (file:line)' of the function's definition, or ""."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ""
    return f" ({os.path.basename(code.co_filename)}:{code.co_firstlineno})"
