"""NumPy's ufuncs of nodes, and their methods: `np.sin(x)`, `array + x`, `np.add.reduce(x)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ArgumentError
from ...messages.calls import called
from ...messages.elsewhere import FUNCTIONS as ELSEWHERE
from ..registry import ops
from .interchange import namespace
from .tables import REDUCTIONS, SCANS, UFUNCS

if TYPE_CHECKING:
    from ..node import Node


_METHODS: dict[str, dict[str, str]] = {"reduce": REDUCTIONS, "accumulate": SCANS}


def of_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What NumPy's `ufunc.method(*inputs, **options)` means for nodes."""
    name: str = ufunc.__name__
    _check_no_array_is_written(ufunc, method, inputs, options)
    if method == "outer" and ufunc.nin == 2 and not ufunc.signature:
        x, y = inputs
        x = ops.reshape(x, (*np.shape(x), *(1,) * np.ndim(y)))
        return of_ufunc(ufunc, "__call__", (x, y), options)
    if method == "__call__":
        f = found(UFUNCS.get(name, name), "" if _is_numpys(ufunc) else "special")
        if f is not None:
            return f(*_prepared(name, inputs, options))
    else:
        f = found(_METHODS[method].get(name, "")) if method in _METHODS else None
        if f is not None:
            return _along(ufunc, f, method, inputs, options)
    raise refusal(
        name if method == "__call__" else f"{name}.{method}",
        module="np" if _is_numpys(ufunc) else "scipy.special",
    )


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


def _along(
    ufunc: Any, f: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]
) -> Node:
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


def _is_numpys(ufunc: Any) -> bool:
    """Whether a ufunc is NumPy's own, rather than SciPy's or made of a Python function."""
    return getattr(np, ufunc.__name__, None) is ufunc


def found(names: str, part: str = "") -> Callable[..., Any] | None:
    """The first function of these names that the library has, or its module `part`, such as
    "linalg"; None if it has none of them."""
    module = getattr(namespace(), part, None) if part else None
    for name in names.split():
        f = getattr(module, name, None) or getattr(ops, name, None)
        if f is not None:
            return f
    return None


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
    name = f"{module}.{name}"
    constant = f"{name}(x.numpy()), which has no derivative"
    return ArgumentError(
        f"{name} takes arrays, not nodes.",
        hint=f"Write {known} instead of {name}." if known else f"Write {constant}.",
    )
