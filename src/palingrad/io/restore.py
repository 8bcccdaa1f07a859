"""Restores a checkpoint's arrays to a model's Variables: all of them, or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import CheckpointError
from ..graph.leaves import Variable, assign_all, sealed
from ..messages.calls import public
from ..messages.checks import shown
from ..shapes import text
from .checkpoint import Checkpoint, check_names

_SHOWN = 8  # names of one kind in an error


@public
def restore(variables: Mapping[str, Variable], checkpoint: Checkpoint) -> None:
    """Set each Variable to the array of its name, atomically, even while a graph is open.

    Raises CheckpointError, and changes nothing, unless names, shapes and dtypes are the same.
    """
    check_names("restore", variables)
    if not isinstance(checkpoint, Checkpoint):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise CheckpointError(
            f"restore: expected a checkpoint, got {shown(checkpoint)}.",
            hint=f"Load it first: load_checkpoint({shown(checkpoint)}).",
        )
    faults = _faults(variables, checkpoint)
    if faults:
        raise CheckpointError(
            f"{checkpoint.path} doesn't fit this model: {'; '.join(faults)}.",
            hint="Build the model as it was when saved: checkpoint.json lists its arrays.",
        )
    arrays = [sealed(checkpoint.arrays[name]) for name in variables]
    assign_all(list(variables.values()), arrays)


def _faults(variables: Mapping[str, Any], checkpoint: Checkpoint) -> list[str]:
    """Descriptions of the differences between model and checkpoint."""
    arrays = checkpoint.arrays
    differing: list[str] = []
    for name, variable in variables.items():
        if not isinstance(variable, Variable):
            raise CheckpointError(
                f"restore: expected Variables, got {type(variable).__name__} for {name!r}."
            )
        array, value = arrays.get(name), variable.numpy()
        if array is not None and (array.shape, array.dtype) != (value.shape, value.dtype):
            differing.append(
                f"{name} is {array.dtype} {text(array.shape)}, "
                f"here {value.dtype} {text(value.shape)}"
            )
    missing = [name for name in variables if name not in arrays]
    unexpected = [name for name in arrays if name not in variables]
    kinds = {"missing": missing, "unexpected": unexpected, "different": differing}
    return [f"{kind}: {_listed(names)}" for kind, names in kinds.items() if names]


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
