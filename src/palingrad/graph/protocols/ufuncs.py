"""NumPy's ufuncs of nodes, and their methods: `np.sin(x)`, `array + x`, `np.add.reduce(x)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ArgumentError
from ...messages.calls import called
from ...messages.elsewhere import FUNCTIONS as ELSEWHERE
from ..registry import ops
from ..state.imports import imported
from .interchange import namespace
from .tables import NAMES, REDUCTIONS, SCANS

if TYPE_CHECKING:
    from ..node import Node


_called_alone: dict[Any, Callable[..., Any]] = {}  # functions of ufuncs that were met
_METHODS: dict[str, dict[str, str]] = {"reduce": REDUCTIONS, "accumulate": SCANS}


def of_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What NumPy's `ufunc.method(*inputs, **options)` means for nodes."""
    if method == "__call__" and not options and (f := _called_alone.get(ufunc)) is not None:
        return f(*inputs)
    name: str = ufunc.__name__
    _check_no_array_is_written(ufunc, method, inputs, options)
    if method == "outer" and ufunc.nin == 2 and not ufunc.signature:
        x, y = inputs
        rank = np.ndim(y)
        if rank is not None:  # pyright: ignore[reportUnnecessaryComparison] # of a placeholder
            x = ops.expand_dims(x, axis=tuple(range(-rank, 0)))
            return of_ufunc(ufunc, "__call__", (x, y), options)
    library = _library_of(ufunc)
    if method == "__call__":
        f = found(name) if library else None
        if f is not None:
            if not options:
                _called_alone[ufunc] = f
            own = {"axis": options.pop("axis")} if name == "vecdot" and "axis" in options else {}
            return f(*_prepared(name, inputs, options), **own)
    else:
        known = _METHODS.get(method, {}).get(name) if library else None
        f = None if known is None else found(known)
        if f is not None:
            return _along(f, inputs, options)
    raise refusal(name if method == "__call__" else f"{name}.{method}", module=library)


def _prepared(name: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> list[Any]:
    """The inputs of a ufunc, converted to `dtype=`. Raises ArgumentError for other options."""
    dtype = options.pop("dtype", None)
    given = {key: value for key, value in options.items() if _changes(key, value)}
    if "where" in given:
        raise ArgumentError(
            f"np.{name}: where= leaves the other elements of out= as they are, and nodes don't "
            "change.",
            hint=f"Write pg.where(mask, np.{name}(x), other).",
        )
    if given:
        raise ArgumentError(f"np.{name} of a node takes no {next(iter(given))}=.",
                            hint="Call the function of pg, with its own options.")  # fmt: skip
    return [x if dtype is None else ops.cast(x, dtype) for x in inputs]


def _changes(key: str, value: Any) -> bool:
    """Whether an option of a ufunc differs from its default."""
    if key == "where":
        return value is not True
    return value is not None and key not in ("order", "subok", "casting", "out")


def _along(f: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Node:
    """ufunc.reduce or ufunc.accumulate: along the first axis unless `axis` says otherwise."""
    names = ("axis", "dtype", "out", "keepdims", "initial", "where")
    given = {"axis": 0, **dict(zip(names, inputs[1:])), **options}
    kept = {
        key: value
        for key, value in given.items()
        if key == "axis"
        or not (value is None or value is np._NoValue or (key == "where" and value is True))
    }
    if not kept.get("keepdims", True):
        del kept["keepdims"]
    return called(f, inputs[0], **kept)


def _library_of(ufunc: Any) -> str:
    """Whose ufunc it is: "np" or "scipy.special"; "" if it is made of somebody's own function,
    which may be called `add` too."""
    name = ufunc.__name__
    if getattr(np, name, None) is ufunc or name == "clip":  # that of arrays' method
        return "np"
    try:
        special = imported("scipy.special")
    except ImportError:
        return ""
    places = (special, getattr(special, "_ufuncs", None))
    return "scipy.special" if any(getattr(one, name, None) is ufunc for one in places) else ""


def found(name: str) -> Callable[..., Any] | None:
    """The library's function for NumPy's or SciPy's of this name; None if it has none."""
    name = NAMES.get(name, name)
    return getattr(ops, name, None) or getattr(namespace().special, name, None)


def _check_no_array_is_written(
    ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]
) -> None:
    """Raise ArgumentError for `out=`, array += node and ufunc.at."""
    out = options.pop("out", None)
    if isinstance(out, tuple) and all(one is None for one in out):  # pyright: ignore
        out = None
    name = ufunc.__name__
    if out is None and method != "at":
        return
    if method == "at":
        raise ArgumentError(
            f"np.{name}.at would write into its first argument, in place.",
            hint="Make a new node: x.at[indices].add(values), and its like.",
        )
    raise ArgumentError(
        f"np.{name} would write a node into an array of NumPy, in place.",
        hint="Make a new node instead: total = total + x, not total += x.",
    )


def refusal(name: str, instead: str = "", module: str = "np") -> ArgumentError:
    """The error for a function of NumPy or SciPy that has no counterpart here."""
    short = name.rpartition(".")[2]
    known = instead or ELSEWHERE.get(name, "") or ELSEWHERE.get(short, "")
    name = f"{module}.{name}" if module else name.partition(" ")[0]
    constant = f"{name}(x.numpy()), which has no derivative"
    return ArgumentError(
        f"{name} takes arrays, not nodes.",
        hint=f"Write {known} instead of {name}." if known else f"Write {constant}.",
    )
