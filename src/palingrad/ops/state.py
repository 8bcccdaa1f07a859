"""Changing Variables, and several nodes run as one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.describe.notation import Piece
from ..graph.kinds import Assign, Control
from ..graph.leaves import Constant, Variable
from ..graph.node import Node
from ..graph.operation import MultipleOutputs
from ..graph.registry import ops, register
from ..graph.samples import case, edge
from .discrete import Step


class AssignVariable(Assign):
    """y = x, which becomes the Variable's value when the run ends."""

    math = r"v \leftarrow {x}"

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        (x,) = inputs
        variable: Variable = self.attributes["variable"]
        if x.dtype is not None and x.dtype != variable.dtype:
            variable.check(x.shape, x.dtype)
            x = ops.cast(x, variable.dtype)
        return (x,)

    def f(m, x, *, variable):
        return x

    def shape_rule(y, *shapes):
        variable: Variable = y.attributes["variable"]
        variable.check(shapes[0], y.inputs[0].dtype)
        return variable.shape

    def vjp(y, g, x):
        return [g]


class Latest(Step):
    """y = x, what `variable` was assigned last in a trace.

    Nothing flows back: a Variable is a new start, whatever its value was made from.
    """

    math = "{x}"
    promotes = False
    samples = [edge(0.0, 1.5, np.nan, variable=None)]

    def f(m, x, *, variable):
        return x


class Group(MultipleOutputs, Control):
    """All inputs run, no output: what `minimize` returns."""

    math = r"\{{x}, \dots\}"
    commutes = associative = True

    def f(m, *x):
        return ()

    @property
    def count(self) -> int:
        return 0

    def shape_rule(y, *shapes):
        return ()

    def dtype_rule(y, *dtypes):
        return ()

    def vjp(y, g, *x):
        return [None] * len(x)

    def notation(y, *x):
        return Piece(r"\left\{" + ", ".join(one.latex for one in x) + r"\right\}")


class After(Control):
    """y = x, and whoever runs y runs the other inputs too."""

    math = "{x}"
    associative = True
    samples = [case((3, 4), (2,)), case((), (2, 2))]

    def f(m, x, *others):
        return x

    def shape_rule(y, *shapes):
        return shapes[0]

    def vjp(y, g, *x):
        return [g] + [None] * (len(x) - 1)

    def structure(y, position, size, out):
        return "identity"


@register
def after(x: Any, *others: Any, name: str | None = None) -> Node:
    """y = x; whoever runs y runs `others` too, say assignments that belong to it."""
    return After(x, *others, name=name)


@register
def assign(variable: Variable, value: Any) -> Node:
    """A node whose run gives `variable` this value."""
    if not isinstance(value, Node):
        value = Constant(variable.assignable(value))
    return AssignVariable(value, variable=variable)


@register
def group(*nodes: Any, name: str | None = None) -> Node:
    """A node that runs all of `nodes`; its own value is empty, and `Session.run` gives None."""
    return Group(*nodes, name=name)
