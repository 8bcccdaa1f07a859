"""`pg.derivation`: a derivative by the chain rule, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....autodiff.gradients import check_nodes
from ....errors import GraphError
from ....graph.node import Node
from ....shapes import size, sizes
from .backwards import backwards
from .paths import along_paths
from .steps import Derivation, Step
from .symbols import partial, value_of
from .worked import Worked


def derivation(
    y: Node, x: Node, *, feeds: Mapping[Any, Any] | None = None, simplified: bool = True
) -> Derivation:
    r"""Returns ∂y/∂x worked out by the chain rule, with numbers where values are known.

    If all intermediate values are scalars, the derivation multiplies local derivatives along each
    path from x to y and adds the paths up. Otherwise it propagates cotangents backwards, as
    `backward()` does; x̄ denotes the gradient with respect to x. `feeds` gives values to the
    placeholders of a graph. A y that is a derivative is simplified first, unless `simplified` is
    False. Raises GraphError if the shape of a placeholder is unknown.

    >>> import palingrad as pg
    >>> x = pg.tensor(3.0, name="x")
    >>> print(pg.derivation(pg.square(x, name="y"), x))
    ∂y/∂x
    <BLANKLINE>
    What is computed
      y = x² = 9
    <BLANKLINE>
    The derivative of each step
      ∂y/∂x = 2x = 6
    <BLANKLINE>
    The result
      ∂y/∂x = 2x = 6
    """
    check_nodes(y, [x])
    given: Any = {} if feeds is None else feeds
    if not isinstance(given, Mapping):
        raise GraphError(f"derivation: expected a dict of feeds, got {given!r:.60}")
    worked = Worked(y, x, given, simplified=simplified)
    title = partial(worked.names[id(worked.y)], worked.names[id(worked.x)])
    steps = [
        Step("expression", f"{name} = {value_of(array)}", array, worked.user(node))
        for node, name, array in worked.arrays()
    ]
    steps += [
        Step("expression", worked.with_value(text, node), worked.value(node), worked.user(node))
        for node, text in worked.equations()
    ]
    derived = along_paths(worked, title) or backwards(worked, title)
    if derived is None:  # y is x, or doesn't depend on x
        identity = worked.y is worked.x
        shape = sizes(worked.y.shape) + sizes(worked.x.shape)
        value = np.eye(size(worked.x.shape)).reshape(shape) if identity else np.zeros(shape)
        text = value_of(value)
        why = "" if identity else r"\quad \mathrm{no\ path}"
        step = Step("result", f"{title} = {text}{why}", value, worked.user(worked.x))
        return Derivation(y, x, title, (*steps, step), value, text)
    more, value, result = derived
    return Derivation(y, x, title, (*steps, *more), value, result)
