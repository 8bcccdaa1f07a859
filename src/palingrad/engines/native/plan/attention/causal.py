"""Which columns of each row a chain hides, if it hides the same ones as a causal mask.

A query of causal attention sees the keys up to its own. What the kernel needn't compute is found
from the mask's values, and from the values of the chain at hidden positions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .....dtypes import is_boolean
from .....graph.kinds import Reduce
from .....graph.leaves import Constant
from .....graph.node import Node
from .....graph.operation import Operation
from .....shapes import sizes
from ....numpy import formula
from ...kernels.formula import is_number
from ...kernels.reducers import identity_of
from .find import Region

# Values of an operand that isn't known: a result that is the same for all of them doesn't depend on
# it. Numbers of a row such as its largest score, its total; where these aren't finite or are 0, the
# elements that the row sees aren't finite either.
_SAMPLES = np.array([1.0, -1.5, 2.5e-7, 3.25e6, -7.75e11, 0.625])


def seen(region: Region) -> int | None:
    """The number s if in row i only the columns up to i + s can have weights other than 0, because
    of a mask that is True just there; else None."""
    masks = [x for x in region.inputs if isinstance(x, Constant) and is_boolean(x.dtype)]
    found = {mask: _band(mask, region.shape) for mask in masks}
    for number in dict.fromkeys(found.values()):
        if number is not None and _hides(region, {x for x in masks if found[x] == number}):
            return number
    return None


def _band(mask: Constant, shape: tuple[int, ...]) -> int | None:
    """The number s if the mask is True in row i exactly in the columns up to i + s, and each row
    has such a column."""
    rows, columns = shape[-2:]
    given = sizes(mask.shape)
    if given[-2:] != (rows, columns) or any(n != 1 for n in given[:-2]):
        return None
    values = mask.numpy().reshape(rows, columns)
    number = int(values[0].sum()) - 1
    same = number >= 0 and np.array_equal(values, np.tri(rows, columns, number, dtype=bool))
    return number if same else None


def _hides(region: Region, masks: set[Any]) -> bool:
    """Whether at positions where the masks are False all weights are 0, and the elements that the
    reductions combine are their identities."""
    known: dict[Node, Any] = {mask: np.zeros((), bool) for mask in masks}
    for node in region.inner:
        if isinstance(node, Reduce):
            x = known.get(node.inputs[0])
            if x is None or not x == identity_of(node):
                return False
            continue  # a number of the row, which isn't known
        value = _value(node, known)
        if value is not None:
            known[node] = value
    return all(one.weights in known and known[one.weights] == 0 for one in region.results)


def _value(node: Operation, known: dict[Node, Any]) -> Any:
    """The node's value where the masks are False; None if it depends on what isn't known."""
    if not any(x in known for x in node.inputs):
        return None
    values: list[Any] = []
    for number, x in enumerate(node.inputs):
        if x in known:
            values.append(np.broadcast_to(known[x], _SAMPLES.shape))
        elif is_number(x):
            values.append(np.broadcast_to(x.numpy(), _SAMPLES.shape))
        elif x.dtype is not None and is_boolean(x.dtype):
            values.append(np.roll([True, False, True, True, False, False], number))
        else:
            values.append(np.roll(_SAMPLES, number).astype(x.dtype))
    with np.errstate(all="ignore"):
        result = np.asarray(formula(node)(*values))
    return result[0] if (result == result[0]).all() else None
