"""Arrays of other libraries as nodes, by DLPack, without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import is_supported
from ...errors import ArgumentError, DTypeError
from ...messages.calls import public
from ..leaves import Constant
from ..node import Node
from .interchange import check_device


@public
def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Node:
    """x, an array of any library with DLPack in main memory (NumPy, PyTorch, …), as a node.

    The node shares x's memory if that is contiguous and `copy` isn't true: don't write to x while
    the node is in use. With `copy=False` a copy is refused. Raises ArgumentError for what has no
    DLPack, DTypeError for numbers that nodes can't hold.
    """
    check_device(device, "from_dlpack")
    if isinstance(x, Node):
        return x
    if not hasattr(x, "__dlpack__"):
        raise ArgumentError(f"from_dlpack: {type(x).__name__} has no __dlpack__.",
                            hint="pg.tensor(x) takes lists, numbers and other arrays.")  # fmt: skip
    array = _imported(x)
    if not is_supported(array.dtype):
        raise DTypeError(f"from_dlpack: {array.dtype} isn't supported.",
                         hint="Convert x first, to float32 for example.")  # fmt: skip
    if copy or not array.flags.c_contiguous:
        if copy is False:
            raise ArgumentError(
                "from_dlpack: copy=False, but the array isn't contiguous.",
                hint="Leave out copy=False.",
            )
        array = array.copy()
    array.setflags(write=False)
    return Constant.holding(array)


def _imported(x: Any) -> np.ndarray[Any, Any]:
    """x as an array of NumPy's that shares its memory."""
    try:
        return np.from_dlpack(x)
    except BufferError as error:  # of another device, or of a tensor that needs a gradient
        raise ArgumentError(
            f"from_dlpack: {error}.", hint="Move it to main memory first: x.detach().cpu()."
        ) from error
    except RuntimeError as error:  # of a dtype that NumPy lacks
        raise DTypeError(
            f"from_dlpack: {error}.", hint="Convert x first, to float32 for example."
        ) from error
