"""Restores a checkpoint's arrays to a model's Variables: all of them, or those that fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..dtypes import Array, as_array
from ..errors import CheckpointError
from ..graph.leaves import Variable, assign_all, sealed
from ..graph.node import Node
from ..messages.calls import public
from ..messages.checks import flag, shown
from ..shapes import text
from .checkpoint import Checkpoint, check_names

_SHOWN = 8  # names of one kind in an error


class Difference(NamedTuple):
    """What a checkpoint and a model don't have in common: names, and texts of both sides."""

    missing: list[str]  # in the model alone
    unexpected: list[str]  # in the checkpoint alone
    different: list[str]  # of other shapes or dtypes

    def __str__(self) -> str:
        kinds = self._asdict().items()
        return "; ".join(f"{kind}: {_listed(names)}" for kind, names in kinds if names)


@public
def restore(
    variables: Mapping[str, Variable],
    checkpoint: Checkpoint | Mapping[str, Any],
    *,
    strict: bool = True,
) -> Difference:
    """Set each Variable to the array of its name, atomically, even while a graph is open.

    `checkpoint` is a Checkpoint, or a mapping from names to arrays. Raises CheckpointError, and
    changes nothing, unless names, shapes and dtypes are the same. strict=False sets what has the
    same name, shape and dtype, and leaves the rest. Returns what differs.
    """
    check_names("restore", variables)
    strict = flag("restore: strict", strict)
    arrays, what = _arrays(checkpoint)
    found, fits = _difference(variables, arrays)
    if strict and any(found):
        raise CheckpointError(
            f"{what} doesn't fit this model: {found}.",
            hint="Build the model as it was when saved: checkpoint.json lists its arrays. "
            "strict=False restores what fits.",
        )
    assign_all([variables[name] for name in fits], [sealed(arrays[name]) for name in fits])
    return found


def _arrays(checkpoint: Any) -> tuple[Mapping[str, Array], str]:
    """The arrays by name, and how an error calls where they are from."""
    if isinstance(checkpoint, Checkpoint):
        return checkpoint.arrays, str(checkpoint.path)
    if isinstance(checkpoint, Mapping):
        given: Mapping[str, Any] = checkpoint
        values = {name: x.numpy() if isinstance(x, Node) else as_array(x)
                  for name, x in given.items()}  # fmt: skip
        return values, "the mapping"
    raise CheckpointError(
        f"restore: expected a checkpoint, got {shown(checkpoint)}.",
        hint=f"Load it first: load_checkpoint({shown(checkpoint)}).",
    )


def _difference(
    variables: Mapping[str, Any], arrays: Mapping[str, Array]
) -> tuple[Difference, list[str]]:
    """What differs between model and checkpoint, and the names of the Variables that fit."""
    different: list[str] = []
    fits: list[str] = []
    for name, variable in variables.items():
        if not isinstance(variable, Variable):
            raise CheckpointError(
                f"restore: expected Variables, got {type(variable).__name__} for {name!r}."
            )
        array, value = arrays.get(name), variable.numpy()
        if array is None:
            continue
        if (array.shape, array.dtype) == (value.shape, value.dtype):
            fits.append(name)
        else:
            different.append(
                f"{name} is {array.dtype} {text(array.shape)}, "
                f"here {value.dtype} {text(value.shape)}"
            )
    missing = [name for name in variables if name not in arrays]
    unexpected = [name for name in arrays if name not in variables]
    return Difference(missing, unexpected, different), fits


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
