"""Optimizers that take all steps at once, for a loss or residuals of the whole data: L-BFGS,
Gauss–Newton, Levenberg–Marquardt, by the solvers of `pg.minimize` and `pg.least_squares`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from ..errors import ArgumentError, GradientError
from ..graph.context import context, graph_scope
from ..graph.kinds import AnonymousGraph, Assign
from ..graph.leaves import Variable
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.traversal.order import postorder
from ..graph.traversal.replay import replay
from ..messages.calls import public, publish
from ..messages.checks import shown, whole, within
from ..solvers.least_squares import least_squares
from ..solvers.minimize import minimize


class WholeBatch:
    """Minimises a function of Variables to a tolerance, in one call.

    max_steps: at most so many steps. tolerance: of the reduction, the step and the gradient.
    """

    _what: ClassVar[str] = "a loss"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        publish(cls)

    @public
    def __init__(self, *, max_steps: int = 100, tolerance: float = 1e-8) -> None:
        name = type(self).__name__
        self.max_steps = whole(f"{name}: max_steps", max_steps, least=1, like=100)
        self.tolerance = within(f"{name}: tolerance", tolerance, "(0, inf)", like=1e-8)

    @public
    def minimize(
        self,
        f: Callable[[], Any],
        variables: Variable | Iterable[Variable] | Mapping[str, Variable] | None = None,
    ) -> Any:
        """Assign to `variables`, by default the trainable ones that f() reads, the values that
        minimise it, and return SciPy's result. f takes no argument and reads the Variables; it is
        traced once."""
        name = type(self).__name__
        if not callable(f):
            raise ArgumentError(
                f"{name}.minimize: expected a function of no arguments, got {shown(f)}.",
                hint=f"It is called anew in each step: {name}().minimize(lambda: loss(x, y)).",
            )
        if context().graph is not None:
            raise GradientError(
                f"{name}.minimize takes all its steps at once: call it outside of a graph or "
                "pg.function."
            )
        with graph_scope(AnonymousGraph(), hidden=True):
            y = f()
        if not isinstance(y, Node):
            raise ArgumentError(f"{name}.minimize: f returned {shown(y)}, not {self._what}.")
        targets = _targets(name, y, variables)

        def of_values(values: Any) -> Any:
            found = replay(postorder(y), _rewired, dict(zip(targets, values, strict=True)))
            return found[y]

        found = self._found(of_values, [variable.numpy() for variable in targets])
        for variable, value in zip(targets, found.x, strict=True):
            variable.assign(np.asarray(value, variable.dtype))
        return found

    def _found(self, f: Callable[..., Any], start: list[Any]) -> Any:
        raise NotImplementedError


def _rewired(node: Operation, inputs: list[Any]) -> Node:
    if isinstance(node, Assign):
        raise GradientError(f"{node.label()} assigns a Variable while it is minimised.")
    return node.rebuild(inputs)


def _targets(name: str, y: Node, variables: Any) -> list[Variable]:
    """The Variables to change; each must be one that y reads."""
    read = [node for node in postorder(y) if isinstance(node, Variable)]
    if variables is None:
        targets = [variable for variable in read if variable.trainable]
    elif isinstance(variables, Variable):
        targets = [variables]
    else:
        targets = list(variables.values() if isinstance(variables, Mapping) else variables)
    missing = [variable.label() for variable in targets if variable not in set(read)]
    if missing or not targets:
        what = f"doesn't read {', '.join(missing)}" if missing else "reads no trainable Variable"
        raise GradientError(f"{name}.minimize: f {what}.")
    return targets


class LBFGS(WholeBatch):
    """Quasi-Newton steps of limited memory, by SciPy's L-BFGS-B.

    >>> import palingrad as pg
    >>> x = pg.Variable([3.0, -1.0])
    >>> found = pg.optim.LBFGS().minimize(lambda: pg.sum((x - 1.0) ** 2))
    >>> x.numpy().round(4)
    array([1., 1.], dtype=float32)
    """

    def _found(self, f: Callable[..., Any], start: list[Any]) -> Any:
        options = {"maxiter": self.max_steps}
        return minimize(f, start, method="L-BFGS-B", tol=self.tolerance, options=options)


class GaussNewton(WholeBatch):
    """Steps to the minimum of ½·‖r + J·step‖², for residuals r: quadratic where they are small.

    f returns the residuals, an array; half the sum of their squares is minimised.
    """

    _what: ClassVar[str] = "an array of residuals"
    _method: ClassVar[str] = "gauss-newton"

    def _found(self, f: Callable[..., Any], start: list[Any]) -> Any:
        options: dict[str, Any] = dict(tol=self.tolerance, max_steps=self.max_steps)
        return least_squares(f, start, method=self._method, **options)


class LevenbergMarquardt(GaussNewton):
    """Gauss–Newton steps, damped where the model is poor, by MINPACK's method in SciPy.

    f returns the residuals, an array of at least as many numbers as the Variables have.
    """

    _method: ClassVar[str] = "lm"
