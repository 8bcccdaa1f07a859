"""primitive: functions whose derivatives a user writes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...dtypes import is_complex
from ...errors import GradientError, GraphError
from ...graph.derivatives.differentiated import arguments
from ...graph.node import Node
from ...graph.operation import MultipleOutputs, Operation
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...signature import hashable
from .deprecated import add_methods

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

primitive_vjps: dict[Any, Callable[..., Any]] = {}
primitive_jvps: dict[Any, Callable[..., Any]] = {}


class PythonCall:
    """A call of a primitive: the function, its arguments but the nodes, and their places: `places`
    are those of all nodes, `argnums` those of the nodes that were given, not made of arrays.

    Calls are equal if they differ in their nodes alone.
    """

    def __init__(
        self, fun: Any, args: Sequence[Any], kwargs: dict[str, Any], argnums: tuple[int, ...],
        places: tuple[int, ...],
    ) -> None:  # fmt: skip
        self.fun, self.args, self.kwargs = fun, tuple(args), kwargs
        self.argnums, self.places = argnums, places
        others = hashable(self.args) if len(places) < len(args) else ()
        options = hashable(kwargs)
        self.is_comparable = others is not None and options is not None
        self._key = fun, argnums, places, others, options
        self._hash = hash(self._key)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, PythonCall) and self._key == other._key)

    def __hash__(self) -> int:
        return self._hash

    def with_nodes(self, values: Sequence[Any]) -> list[Any]:
        """The arguments, with these in place of the nodes."""
        if len(values) == len(self.args):
            return list(values)
        args = list(self.args)
        for number, value in zip(self.places, values, strict=True):
            args[number] = value
        return args

    def pulled_back(self, ans: Any, g: Any, inputs: Sequence[Any]) -> list[Any]:
        """The cotangents of `argnums`."""
        maker = primitive_vjps.get(self.fun)
        if maker is None:
            raise NotImplementedError(
                f"VJP of {self.fun.__name__} wrt argnums {self.argnums} not defined"
            )
        return maker(self.argnums, ans, self.with_nodes(inputs), self.kwargs)(g)


class UniqueCall(PythonCall):
    """A call with an argument that can't be compared."""

    __hash__ = None  # type: ignore[assignment]


class Primitive(Operation):
    """A user's function of arrays, which has a value only where its arguments have."""

    promotes = False
    _by_structure = True  # the call, an attribute, is compared

    def compute(self, *values: Any) -> Any:
        call: PythonCall = self.attributes["call"]
        return np.asarray(call.fun.raw(*call.with_nodes([v[()] for v in values]), **call.kwargs))

    def _takes_anything(self, values: Sequence[Any]) -> bool:
        return False  # it has no shape rule

    def _infer(self) -> None:
        if any(x._value is None for x in self.inputs):
            raise GraphError(
                f"{self.attributes['call'].fun.__name__} is a primitive of Python code, which has "
                "no place in a graph that is compiled",
                hint="Call it eagerly, outside pg.function and graphs.",
            )

    def vjp(y, g: Any, *x: Node) -> Sequence[Any]:
        call: PythonCall = y.attributes["call"]
        if y._value is None:  # in the Program of a tape, whose values it will be fed
            found: Any = PrimitivePullback(y, g, *x, call=call).items
        else:
            # Only where a derivative of this derivative may be taken are the arguments nodes.
            values = [_value(one) for one in (y, g, *x)]
            ans, g, *inputs = (y, g, *x) if arguments else values
            found = call.pulled_back(ans, g, inputs)
        by_number = dict(zip(call.argnums, found, strict=True))
        return [
            _fitted(by_number[number], of) if number in by_number else None
            for number, of in zip(call.places, x, strict=True)
        ]

    def jvp(y, tangents: Sequence[Node | None], *x: Node) -> Node | None:
        call: PythonCall = y.attributes["call"]
        maker = primitive_jvps.get(call.fun)
        if maker is None:
            raise NotImplementedError
        kept = [n for n, t in enumerate(tangents) if t is not None]
        given = [tangents[n] for n in kept]
        ans, *inputs = (y, *x) if arguments else [_value(one) for one in (y, *x)]
        gs = given if arguments else [_value(one) for one in given]
        argnums = tuple(call.places[n] for n in kept)
        return as_node(maker(argnums, gs, ans, call.with_nodes(inputs), call.kwargs))


class PrimitivePullback(MultipleOutputs):
    """The cotangents of a primitive's arguments, from its value, its cotangent and arguments."""

    promotes = False

    @property
    def count(self) -> int:
        return len(self.attributes["call"].argnums)

    def f(m: Any, *values: Any, call: PythonCall) -> Any:
        ans, g, *inputs = (np.asarray(value)[()] for value in values)
        places = dict(zip(call.places, values[2:], strict=True))
        return tuple(
            _array_like(one, np.asarray(places[number]))
            for one, number in zip(call.pulled_back(ans, g, inputs), call.argnums, strict=True)
        )

    def of_nodes(self, ans: Node, g: Node, *inputs: Node) -> list[Node]:
        call: PythonCall = self.attributes["call"]
        of = dict(zip(call.places, inputs, strict=True))
        found = call.pulled_back(ans, g, inputs)
        return [_fitted(one, of[number]) for one, number in zip(found, call.argnums, strict=True)]

    def shape_rule(y, *shapes: Any) -> Any:
        return y._of_arguments(shapes[2:])

    def dtype_rule(y, *dtypes: Any) -> Any:
        return y._of_arguments(dtypes[2:])

    def _of_arguments(self, given: Sequence[Any]) -> tuple[Any, ...]:
        call: PythonCall = self.attributes["call"]
        of = dict(zip(call.places, given, strict=True))
        return tuple(of[number] for number in call.argnums)


def _value(node: Any) -> Any:
    return node._value[()] if isinstance(node, Node) else node


def _array_like(found: Any, x: Any) -> Any:
    """A cotangent in its argument's dtype and shape."""
    array: Any = np.asarray(found._value if isinstance(found, Node) else found)
    array = array.real if is_complex(array.dtype) and not is_complex(x.dtype) else array
    return np.reshape(array.astype(x.dtype, copy=False), x.shape)


def _fitted(found: Any, x: Node) -> Node:
    """A cotangent in its input's dtype and shape."""
    node = as_node(found)
    node = node if node.dtype == x.dtype else ops.cast(node, x.dtype)
    return node if node.shape == x.shape else ops.reshape(node, x.shape)


def primitive(f_raw: Callable[..., Any]) -> Any:
    """A function of arrays as one operation: defvjp and defjvp say how it is differentiated."""

    of_nodes: dict[tuple[int, ...], PythonCall] = {}  # calls with nodes alone, by their numbers

    @functools.wraps(f_raw)
    def f_wrapped(*args: Any, **kwargs: Any) -> Any:
        argnums = tuple(number for number, arg in enumerate(args) if isinstance(arg, Node))
        if not argnums:
            return f_raw(*args, **kwargs)
        if len(argnums) == len(args) and not kwargs:
            call = of_nodes.get(argnums)
            if call is None:
                plain = [None] * len(args)
                call = of_nodes[argnums] = PythonCall(f_wrapped, plain, {}, argnums, argnums)
            return Primitive(*args, call=call)
        places = tuple(number for number, arg in enumerate(args) if _joins(arg))
        nodes = [args[number] for number in places]
        plain = [None if number in places else arg for number, arg in enumerate(args)]
        call = PythonCall(f_wrapped, plain, kwargs, argnums, places)
        if not call.is_comparable:
            call = UniqueCall(f_wrapped, plain, kwargs, argnums, places)
        return Primitive(*nodes, call=call)

    f_wrapped.raw = f_raw  # type: ignore[attr-defined]
    f_wrapped.fun = f_raw  # type: ignore[attr-defined]
    f_wrapped._is_autograd_primitive = True  # type: ignore[attr-defined]
    add_methods(f_wrapped, defvjp)
    return f_wrapped


def _joins(arg: Any) -> bool:
    """Whether an argument is an input of the operation: nodes, and arrays of floats."""
    return isinstance(arg, Node) or (type(arg) is np.ndarray and arg.dtype in _FLOATS)


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
