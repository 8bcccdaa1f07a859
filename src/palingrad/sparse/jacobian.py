"""Sparse Jacobians and Hessians of functions: `sparse_jacobian`, `sparse_hessian`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

from ..autodiff.calls import Call
from ..autodiff.gradients import gradients
from ..dtypes import is_floating
from ..errors import ArgumentError, GradientError
from ..functions import Function
from ..graph.context import context
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import is_known
from ..messages.calls import public
from ..messages.checks import one_of, shown
from ..shapes import size, text
from ..tracing import Trace
from .compressed import Mode, Plan, hessian_plan, jacobian_plan, products
from .propagate import dependence
from .sparsity import Format, Sparsity


class SparseDerivative:
    """A function that computes a sparse Jacobian or Hessian; see `sparse_jacobian`.

    The pattern, the colouring and the compiled Program are found at the first call with arguments
    of some shapes and dtypes, and used again for the next.
    """

    _what = "sparse_jacobian"

    def __init__(self, f: Callable[..., Any], argnums: int, format: Format) -> None:
        if not callable(f):
            raise ArgumentError(
                f"{self._what}: expected a function, got {type(f).__name__} {shown(f)}."
            )
        if type(argnums) is not int:
            raise ArgumentError(
                f"{self._what}: argnums is {shown(argnums)}; expected one number of an argument."
            )
        update_wrapper(self, f)
        self._f, self._argnums = f, argnums
        self._format: Format = one_of(f"{self._what}: format", format, ("csr", "csc"))
        self._prepared = Function(self._prepare)
        self._prepared.read_as(f if hasattr(f, "__code__") else inspect.unwrap(f))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The matrix, for these arguments."""
        entries, prepared = self._prepared(*args, **kwargs)
        if type(entries) is not np.ndarray:
            entries = prepared.entries(args, kwargs)
        return prepared.plan.matrix(entries)

    def sparsity(self, *args: Any, **kwargs: Any) -> Sparsity:
        """The places that may be nonzero, for arguments of these shapes and dtypes."""
        return self.plan(*args, **kwargs).sparsity

    def plan(self, *args: Any, **kwargs: Any) -> Plan:
        """The colouring for arguments of these shapes and dtypes: `.count` colours, `.mode`."""
        return self._prepared(*args, **kwargs)[1].plan

    def _prepare(self, *args: Any, **kwargs: Any) -> tuple[Any, Prepared]:
        """Traced: the entries, if one run computes them, and what such calls share."""
        if context().graph is None or not isinstance(context().graph, Trace):
            raise GradientError(
                f"{self._what} takes arrays, not nodes.",
                hint="Inside a graph use pg.jacobian, or the products pg.jvp and pg.vjp.",
            )
        y, x = self._nodes(args, kwargs)
        starts, items = dependence(y, x)
        plan = self._planned(Sparsity(starts, items, (size(y.shape), size(x.shape))))
        entries = None
        if not plan.count:
            entries = Constant(np.zeros(0, x.dtype))
        elif plan.in_one_run:
            entries = products(y, x, plan)
        return entries, Prepared(plan, self._nodes)

    def _nodes(self, args: Any, kwargs: Any) -> tuple[Node, Node]:
        """The node to differentiate and the argument, in a trace."""
        call = Call(args, self._argnums)
        if len(call.nodes) != 1 or isinstance(call.trees[0], (list, tuple, dict)):
            raise GradientError(
                f"{self._what}: argument {self._argnums} isn't one array.",
                hint="Pass one vector, and take its parts in f.",
            )
        y = call.value(self._f, kwargs)
        if not isinstance(y, Node):
            raise GradientError(
                f"{self._what}: f returned {type(y).__name__} {shown(y)}, not one array."
            )
        for what, node in (("f returned", y), ("the argument is", call.nodes[0])):
            if node.dtype is None or not is_floating(node.dtype):
                raise GradientError(f"{self._what}: {what} {node.dtype}, expected real floats.")
        if not is_known(y):
            raise GradientError(f"{self._what}: the shape {text(y.shape)} of f isn't known.")
        return self._differentiated(y, call.nodes[0]), call.nodes[0]

    def _differentiated(self, y: Node, x: Node) -> Node:
        return y

    def _planned(self, sparsity: Sparsity) -> Plan:
        raise NotImplementedError


class SparseJacobian(SparseDerivative):
    """A function that computes a sparse Jacobian; see `sparse_jacobian`."""

    def __init__(
        self, f: Callable[..., Any], argnums: int, mode: Mode | None, format: Format
    ) -> None:
        super().__init__(f, argnums, format)
        if mode is not None:
            one_of("sparse_jacobian: mode", mode, ("forward", "reverse"))
        self._mode: Mode | None = mode

    def _planned(self, sparsity: Sparsity) -> Plan:
        return jacobian_plan(sparsity, self._mode, self._format)


class SparseHessian(SparseDerivative):
    """A function that computes a sparse Hessian; see `sparse_hessian`."""

    _what = "sparse_hessian"

    def _differentiated(self, y: Node, x: Node) -> Node:
        if size(y.shape) != 1:
            raise GradientError(
                f"sparse_hessian: f returned shape {text(y.shape)}, expected a scalar.",
                hint="Sum it, as in lambda x: pg.sum(f(x)), or take pg.sparse_jacobian(f).",
            )
        return gradients(y, x)

    def _planned(self, sparsity: Sparsity) -> Plan:
        return hessian_plan(sparsity.symmetric(), self._format)


class Prepared:
    """A plan, and the products of one signature where several runs compute them."""

    def __init__(self, plan: Plan, nodes: Callable[[Any, Any], tuple[Node, Node]]) -> None:
        self.plan = plan

        def stacked(colours: Any, first: Any, /, *args: Any, **kwargs: Any) -> Node:
            y, x = nodes(args, kwargs)
            return products(y, x, plan, colours, first)

        self._products = Function(stacked)

    def entries(self, args: Any, kwargs: Any) -> Any:
        """The entries of the matrix, in its order."""
        plan, run = self.plan, self._products
        firsts = [np.array(first, np.int32) for first in range(0, plan.count, plan.at_once)]
        parts = [run(plan.colours, first, *args, **kwargs) for first in firsts]
        flat = np.concatenate(parts) if len(parts) > 1 else parts[0]
        return flat if plan.places is None else flat.take(plan.places)


@public
def sparse_jacobian(
    f: Callable[..., Any],
    *args: Any,
    argnums: int = 0,
    mode: Mode | None = None,
    format: Format = "csr",
) -> Any:
    """The function that computes the sparse Jacobian ∂f/∂(argument) as a SciPy CSR or CSC array
    of shape (size of f(…), size of the argument).

    Its pattern is found from the graph, not asked for, and never misses an entry. Columns that
    share no row (forward mode), or rows that share no column (reverse), are computed together,
    whichever takes fewer products; `mode` chooses. Pattern, colouring and compiled program are
    found at the first call and kept for arguments of the same shapes: keep the function. With
    arguments after f, the matrix at these is returned at once. Without SciPy a matrix is the named
    tuple (data, indices, indptr).

    >>> import numpy as np
    >>> import palingrad as pg
    >>> slopes = pg.sparse_jacobian(lambda x: x[1:] * x[:-1])
    >>> slopes(np.array([1.0, 2.0, 3.0])).toarray()
    array([[2., 1., 0.],
           [0., 3., 2.]])
    """
    made = SparseJacobian(f, argnums, mode, format)
    return made(*args) if args else made


@public
def sparse_hessian(
    f: Callable[..., Any], *args: Any, argnums: int = 0, format: Format = "csr"
) -> Any:
    """The function that computes the sparse Hessian of a scalar f, a SciPy CSR or CSC array.

    Its pattern is that of the gradient's Jacobian; a star colouring uses that it is symmetric. With
    arguments after f, the matrix at these is returned at once. See `sparse_jacobian`.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> pg.sparse_hessian(lambda x: pg.sum(x[1:] * x[:-1] ** 2), np.array([1.0, 2.0])).toarray()
    array([[4., 2.],
           [2., 0.]])
    """
    made = SparseHessian(f, argnums, format)
    return made(*args) if args else made


@public
def sparsity_pattern(f: Callable[..., Any], *args: Any, argnums: int = 0) -> Sparsity:
    """The places where ∂f/∂(argument) may be nonzero, found from f's graph, not from its values.

    It depends on the shapes and dtypes of the arguments, not on their numbers, and never misses an
    entry. It displays as a picture in a notebook; `.draw(path)` writes one.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> pg.sparsity_pattern(lambda x: pg.cumsum(x), np.zeros(3)).toarray().astype(int)
    array([[1, 0, 0],
           [1, 1, 0],
           [1, 1, 1]])
    """
    return SparsePattern(f, argnums, "csr").sparsity(*args)


class SparsePattern(SparseDerivative):
    """The pattern alone, without a colouring."""

    _what = "sparsity_pattern"

    def _planned(self, sparsity: Sparsity) -> Plan:
        none = np.zeros(0, np.int32)
        return Plan(sparsity, "forward", none, 0, None, "csr", none, none)
