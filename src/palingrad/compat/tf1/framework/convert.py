"""Values as palingrad's nodes, and as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.registry import ops
from ....trees import leaves
from .graph import Tensor, build, constant_of
from .types import numeric


def node(value: Any, dtype: Any = None) -> Node:
    """The node of a tensor, or a constant. `dtype` is only for values that aren't tensors."""
    if isinstance(value, Tensor):
        return value.node
    if isinstance(value, Node):
        return value
    if isinstance(value, (list, tuple)) and any(isinstance(one, Tensor) for one in leaves(value)):
        tensors = [one for one in leaves(value) if isinstance(one, Tensor)]
        dtype = tensors[0].node.dtype if dtype is None else dtype
        return ops.stack([node(one, dtype) for one in value])
    return Constant(constant_of(value, dtype))


def nodes(*values: Any) -> list[Any]:
    """The nodes of values that are combined: what isn't a tensor takes a tensor's dtype, and a
    Python number stays one."""
    dtypes = [one.node.dtype for one in values if isinstance(one, Tensor)]
    dtype = next((one for one in dtypes if one is not None), None)
    if not dtypes:
        return [node(one) for one in values]
    return [one if type(one) in (bool, int, float, complex) else node(one, dtype) for one in values]


def convert_to_tensor(value: Any, dtype: Any = None, name: str | None = None, **_: Any) -> Tensor:
    """A tensor unchanged; anything else as a constant."""
    if isinstance(value, Tensor):
        return value
    wanted = None if dtype is None else numeric(dtype)
    return build("Const", name, lambda: node(value, wanted))


def number_of(value: Any) -> Any:
    """The number or array that a value is, or None if a run may change it."""
    if not isinstance(value, Tensor):
        return None if isinstance(value, (list, tuple)) and any(
            isinstance(one, Tensor) for one in leaves(value)
        ) else np.asarray(value)  # fmt: skip
    return value.node._value if isinstance(value.node, Constant) else None
