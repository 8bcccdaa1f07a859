"""primitive: functions whose derivatives a user writes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...errors import GradientError, GraphError
from ...graph.derivatives.differentiated import arguments
from ...graph.node import Node
from ...graph.operation import Operation
from ...graph.promotion import as_node
from ...graph.registry import ops
from .deprecated import add_methods

primitive_vjps: dict[Any, Callable[..., Any]] = {}
primitive_jvps: dict[Any, Callable[..., Any]] = {}


class PythonCall:
    """A call of a primitive: the function, and all its arguments but the nodes."""

    def __init__(
        self, fun: Any, args: Sequence[Any], kwargs: dict[str, Any], argnums: tuple[int, ...]
    ) -> None:
        self.fun, self.args, self.kwargs, self.argnums = fun, tuple(args), kwargs, argnums

    def with_nodes(self, values: Sequence[Any]) -> list[Any]:
        """The arguments, with these in place of the nodes."""
        args = list(self.args)
        for number, value in zip(self.argnums, values, strict=True):
            args[number] = value
        return args


class Primitive(Operation):
    """A user's function of arrays, which has a value only where its arguments have."""

    promotes = False

    def compute(self, *values: Any) -> Any:
        call: PythonCall = self.attributes["call"]
        return np.asarray(call.fun.raw(*call.with_nodes([v[()] for v in values]), **call.kwargs))

    def shape_rule(y, *shapes: Any) -> Any:
        raise GraphError(
            f"{y.attributes['call'].fun.__name__} is a primitive of Python code, which has no "
            "place in a graph that is compiled",
            hint="Call it eagerly, outside pg.function and graphs.",
        )

    def vjp(y, g: Any, *x: Node) -> Sequence[Any]:
        call: PythonCall = y.attributes["call"]
        maker = primitive_vjps.get(call.fun)
        if maker is None:
            raise NotImplementedError(
                f"VJP of {call.fun.__name__} wrt argnums {call.argnums} not defined"
            )
        # Only where a derivative of this derivative may be taken are the arguments nodes.
        values = [_value(one) for one in (y, g, *x)]
        ans, g, *inputs = (y, g, *x) if arguments or _traced(g) else values
        found = maker(call.argnums, ans, call.with_nodes(inputs), call.kwargs)(g)
        return [_fitted(one, of) for one, of in zip(found, x, strict=True)]

    def jvp(y, tangents: Sequence[Node | None], *x: Node) -> Node | None:
        call: PythonCall = y.attributes["call"]
        maker = primitive_jvps.get(call.fun)
        if maker is None:
            raise NotImplementedError
        kept = [n for n, t in enumerate(tangents) if t is not None]
        given = [tangents[n] for n in kept]
        nodes = bool(arguments) or any(map(_traced, given))
        ans, *inputs = (y, *x) if nodes else [_value(one) for one in (y, *x)]
        gs = given if nodes else [_value(one) for one in given]
        argnums = tuple(call.argnums[n] for n in kept)
        return as_node(maker(argnums, gs, ans, call.with_nodes(inputs), call.kwargs))


def _value(node: Any) -> Any:
    return node._value[()] if isinstance(node, Node) else node


def _traced(node: Any) -> bool:
    """Whether the cotangent depends on a node that is being differentiated."""
    return isinstance(node, Node) and bool(node.inputs) and bool(arguments)


def _fitted(found: Any, x: Node) -> Node:
    """A cotangent in its input's dtype and shape."""
    node = as_node(found)
    node = node if node.dtype == x.dtype else ops.cast(node, x.dtype)
    return node if node.shape == x.shape else ops.reshape(node, x.shape)


def primitive(f_raw: Callable[..., Any]) -> Any:
    """A function of arrays as one operation: defvjp and defjvp say how it is differentiated."""

    @functools.wraps(f_raw)
    def f_wrapped(*args: Any, **kwargs: Any) -> Any:
        argnums = tuple(number for number, arg in enumerate(args) if isinstance(arg, Node))
        if not argnums:
            return f_raw(*args, **kwargs)
        nodes = [args[number] for number in argnums]
        plain = [None if number in argnums else arg for number, arg in enumerate(args)]
        return Primitive(*nodes, call=PythonCall(f_wrapped, plain, kwargs, argnums))

    f_wrapped.raw = f_raw  # type: ignore[attr-defined]
    f_wrapped.fun = f_raw  # type: ignore[attr-defined]
    f_wrapped._is_autograd_primitive = True  # type: ignore[attr-defined]
    add_methods(f_wrapped, defvjp)
    return f_wrapped


def notrace_primitive(f_raw: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the arguments' values, whose result has no derivative."""

    @functools.wraps(f_raw)
    def f_wrapped(*args: Any, **kwargs: Any) -> Any:
        return f_raw(*map(_value, args), **kwargs)

    return f_wrapped


def defvjp_argnums(fun: Any, vjpmaker: Callable[..., Any]) -> None:
    """`vjpmaker(argnums, ans, args, kwargs)` returns the function from the result's cotangent to
    those of the arguments."""
    primitive_vjps[_known(fun)] = vjpmaker


def defvjp_argnum(fun: Any, vjpmaker: Callable[..., Any]) -> None:
    """`vjpmaker(argnum, ans, args, kwargs)` returns the function from the result's cotangent to
    that of an argument."""

    def makers(argnums: Sequence[int], *rest: Any) -> Callable[[Any], Any]:
        vjps = [vjpmaker(argnum, *rest) for argnum in argnums]
        return lambda g: [vjp(g) for vjp in vjps]

    defvjp_argnums(fun, makers)


def defvjp(fun: Any, *vjpmakers: Any, **options: Any) -> None:
    """A `vjpmaker(ans, *args, **kwargs)` for each argument, or for those of `argnums`; None where
    the derivative is zero."""
    argnums = options.get("argnums", range(len(vjpmakers)))
    by_number = dict(zip(argnums, vjpmakers, strict=True))

    def makers(numbers: Sequence[int], ans: Any, args: Any, kwargs: Any) -> Callable[[Any], Any]:
        vjps = []
        for number in numbers:
            if number not in by_number:
                raise NotImplementedError(f"VJP of {fun.__name__} wrt argnum {number} not defined")
            maker = by_number[number]
            vjps.append(
                (lambda g, at=number: _zeros(args[at]))
                if maker is None
                else maker(ans, *args, **kwargs)
            )
        return lambda g: [vjp(g) for vjp in vjps]

    defvjp_argnums(fun, makers)


def _zeros(value: Any) -> Any:
    return ops.zeros_like(value) if isinstance(value, Node) else np.zeros_like(value)


def defjvp_argnums(fun: Any, jvpmaker: Callable[..., Any]) -> None:
    """`jvpmaker(argnums, gs, ans, args, kwargs)` returns the result's tangent."""
    primitive_jvps[_known(fun)] = jvpmaker


def defjvp_argnum(fun: Any, jvpmaker: Callable[..., Any]) -> None:
    """`jvpmaker(argnum, g, ans, args, kwargs)` returns what an argument's tangent contributes."""

    def makers(argnums: Sequence[int], gs: Sequence[Any], *rest: Any) -> Any:
        return _total(jvpmaker(n, g, *rest) for n, g in zip(argnums, gs, strict=True))

    defjvp_argnums(fun, makers)


def defjvp(fun: Any, *jvpfuns: Any, **options: Any) -> None:
    """A `jvpfun(g, ans, *args, **kwargs)` for each argument, or for those of `argnums`; "same"
    where the function is linear in it, None where the derivative is zero."""
    argnums = options.get("argnums", range(len(jvpfuns)))
    by_number = dict(zip(argnums, jvpfuns, strict=True))

    def jvp(argnum: int, g: Any, ans: Any, args: Any, kwargs: Any) -> Any:
        if argnum not in by_number:
            raise NotImplementedError(f"JVP of {fun.__name__} wrt argnum {argnum} not defined")
        jvpfun = by_number[argnum]
        if jvpfun is None:
            return _zeros(ans)
        if jvpfun == "same":
            replaced = list(args)
            replaced[argnum] = g
            return fun(*replaced, **kwargs)
        return jvpfun(g, ans, *args, **kwargs)

    defjvp_argnum(fun, jvp)


def def_linear(fun: Any) -> None:
    """The function is linear in each argument."""

    def jvp(argnum: int, g: Any, ans: Any, args: Any, kwargs: Any) -> Any:
        replaced = list(args)
        replaced[argnum] = g
        return fun(*replaced, **kwargs)

    defjvp_argnum(fun, jvp)


def _total(pieces: Any) -> Any:
    first, *others = pieces
    for piece in others:
        first = first + piece
    return first


def _known(fun: Any) -> Any:
    if not hasattr(fun, "raw"):
        name = getattr(fun, "__name__", repr(fun))
        raise GradientError(
            f"{name} isn't a primitive, and palingrad's own functions have their derivatives",
            hint="Define a function of your own: @primitive def f(x): …",
        )
    return fun
