"""Assignments to Variables, and nodes that order or group the runs of other nodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import GraphError
from ..graph.batching.rules import first
from ..graph.context import context
from ..graph.describe.notation import Piece
from ..graph.kinds import Assign, Control
from ..graph.leaves import Constant, Variable
from ..graph.node import Node
from ..graph.operation import MultipleOutputs
from ..graph.registry import ops, register
from ..graph.samples import case, edge
from ..graph.state.handlers import running_handlers
from .elementwise.discrete import Step


class AssignVariable(Assign):
    """y = x, which becomes the value of the Variable at the end of the run. ∂y/∂x = 1."""

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
    """y = x, the value last assigned to `variable` in a trace. ∂y/∂x = 0.

    A Variable is a leaf of differentiation, no matter how its value was computed.
    """

    math = "{x}"
    promotes = False
    samples = [edge(0.0, 1.5, np.nan, variable=None)]

    def f(m, x, *, variable):
        return x


class Group(MultipleOutputs, Control):
    """Runs all inputs and has no output; `minimize` returns such a node."""

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
    """y = x; a run of y also runs the other inputs. ∂y/∂x = 1, and 0 for the other inputs."""

    batched = first
    math = "{x}"
    associative = True
    samples = [case((3, 4), (2,)), case((), (2, 2)), case((3,), (2,), ())]

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
    """y = x; a run of y also runs the nodes `others`, such as assignments that belong to y."""
    return After(x, *others, name=name)


@register
def assign(variable: Variable, value: Any) -> Node:
    """A node that assigns `value` to `variable` at the end of each run of it."""
    graph = context().graph
    if graph is not None and running_handlers() > graph.handlers:
        raise GraphError(
            f"assign: a signal handler interrupted code that has a graph open, so the assignment "
            f"to {variable.label()} would become a node of that graph.",
            hint="Run the handler's code in a context of its own: contextvars.Context().run(f).",
        )
    if not isinstance(value, Node):
        value = Constant(variable.assignable(value))
    return AssignVariable(value, variable=variable)


@register
def group(*nodes: Any, name: str | None = None) -> Node:
    """A node that runs all of `nodes`. It has no value: `Session.run` returns None for it."""
    return Group(*nodes, name=name)
