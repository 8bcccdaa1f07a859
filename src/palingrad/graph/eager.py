"""The short path of eager operations: operands that are nodes of one dtype, and nothing open.

An operation without attributes whose inputs have values needs its formula, a read-only result and
the place in the user's code. All else that may be wanted (a graph, observers, promotion, an error
that names the operation) is the constructor's, which is called where the short path doesn't apply.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import get_ident
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from ..dtypes import Array, DType, float32, float64
from ..maths import numpy_maths
from .context import defaults, find_origin, held, is_outside, nothing_open, quiet_run
from .leaves import Constant
from .node import Node, next_serial
from .operation import Operation
from .operators import Operators
from .registry import ops
from .state.observe import watching

MISSING: Any = object()
_new = object.__new__
_frame = sys._getframe
_array = np.ndarray
_asarray = np.asarray
# By position: parsing the name of the argument takes longer than the rest of the call.
_set_flags: Any = np.ndarray.setflags
# The user's code that made a node last, as the next operation's is the same, as a rule.
_outside: list[CodeType | None] = [None]


def takes_short_path(operation: type[Operation]) -> bool:
    """Whether the constructor does nothing for nodes of one dtype but to compute the formula."""
    return (
        operation._shipped
        and operation._plain
        and operation.promotes
        and operation.align_inputs is Operation.align_inputs
        and operation.__init__ is Operation.__init__
        and operation.seal is Operation.seal
    )


class _Calls:
    """A namespace `m` that records the one function that a formula calls with its arguments."""

    def __init__(self) -> None:
        self.called: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.called.append((name, arguments))
            return self

        return call


def ufunc_of(operation: type[Operation]) -> np.ufunc | None:
    """The ufunc of the inputs, in order, that is the formula; None if there is none."""
    calls = _Calls()
    operands = [object() for _ in range(operation.f.__code__.co_argcount - 1)]
    try:
        result = operation.f(calls, *operands)
    except Exception:  # an operator of an operand: the formula is more than one call
        return None
    if result is not calls or len(calls.called) != 1:
        return None
    name, arguments = calls.called[0]
    function = getattr(numpy_maths, name, None)
    whole = len(arguments) == len(operands) and all(map(lambda a, b: a is b, arguments, operands))
    return function if whole and isinstance(function, np.ufunc) else None


def unary_function(operation: type[Operation], general: Callable[..., Node]) -> Any:
    """`operation(x)` by the short path where it applies; `general(*inputs, **options)`
    elsewhere."""
    formula, ufunc = operation.f, ufunc_of(operation)

    def function(x: Any = MISSING, /, *more: Any, **options: Any) -> Node:
        if (
            isinstance(x, Node)
            and ((state := held()) is nothing_open or (state.eager and state.thread == get_ident()))
            and not (more or options or watching or defaults)
        ):
            a = x._value
            if (
                a is not None
                and ((d := a.dtype) is float32 or d is float64)
                and (type(x) is not Constant or x.weak is None)
            ):
                try:
                    run = quiet_run()
                    value = run(ufunc, a) if ufunc else run(formula, numpy_maths, a)
                except Exception:
                    return operation(x)  # raises it with the operation's name
                node = _new(operation)
                node.inputs = (x,)
                node._value = value = value if type(value) is _array else _asarray(value)
                _set_flags(value, False)
                node._serial = next_serial()
                if state is nothing_open and (
                    (code := (frame := _frame(1)).f_code) is _outside[0]
                    or is_outside.get(code.co_filename)
                ):
                    node._origin = code, frame.f_lasti, ""
                    _outside[0] = code
                else:
                    node._origin = find_origin(2, state)
                    node._unlisted = state.hidden
                return node
        if more or options or x is MISSING:
            return general(x, *more, **options)
        return operation(x)

    return _with_own_code(function)


def binary_function(operation: type[Operation], general: Callable[..., Node]) -> Any:
    """`operation(x, y)` by the short path where it applies; `general(*inputs, **options)`
    elsewhere."""
    formula, ufunc = operation.f, ufunc_of(operation)

    def function(x: Any = MISSING, y: Any = MISSING, /, *more: Any, **options: Any) -> Node:
        if (
            (state := held()) is nothing_open or (state.eager and state.thread == get_ident())
        ) and not (more or options or watching or defaults):
            if isinstance(x, Node):
                a = x._value
                if isinstance(y, Node):
                    b = y._value
                elif a is not None and x.weak is None and (made := operand(y, a.dtype)) is not None:
                    y, b = made, made._value
                else:
                    b = None
            elif (
                isinstance(y, Node)
                and (b := y._value) is not None
                and y.weak is None
                and (made := operand(x, b.dtype)) is not None
            ):
                x, a = made, made._value
            else:
                a = b = None
            if (
                a is not None
                and b is not None
                and (d := a.dtype) is b.dtype
                and (d is float32 or d is float64)
                and (type(x) is not Constant or x.weak is None)
                and (type(y) is not Constant or y.weak is None)
            ):
                try:
                    run = quiet_run()
                    value = run(ufunc, a, b) if ufunc else run(formula, numpy_maths, a, b)
                except Exception:
                    return operation(x, y)  # raises it with the operation's name
                node = _new(operation)
                node.inputs = (x, y)
                node._value = value = value if type(value) is _array else _asarray(value)
                _set_flags(value, False)
                node._serial = next_serial()
                if state is nothing_open and (
                    (code := (frame := _frame(1)).f_code) is _outside[0]
                    or is_outside.get(code.co_filename)
                ):
                    node._origin = code, frame.f_lasti, ""
                    _outside[0] = code
                else:
                    node._origin = find_origin(2, state)
                    node._unlisted = state.hidden
                return node
        if more or options or y is MISSING:
            return general(x, y, *more, **options)
        return operation(x, y)

    return _with_own_code(function)


def _with_own_code(function: Any) -> Any:
    """A copy of a closure with code of its own, in which the interpreter keeps what it learns of
    this operation: attributes are found faster than where it was told of many."""
    return FunctionType(
        function.__code__.replace(),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )


# What can't be set on a node, because its class answers first.
_DESCRIPTORS = frozenset(
    name for kind in Node.__mro__ for name, one in vars(kind).items() if hasattr(one, "__set__")
)


def _arguments(function: Any) -> int:
    code = function.__code__
    return code.co_argcount + code.co_kwonlyargcount


def short_path(operation: type[Operation]) -> Callable[[Node, dict[str, Any]], Node | None]:
    """The operation with attributes of one node by the short path, None where that doesn't
    apply."""
    formula = operation.f
    names = formula.__code__.co_varnames[: _arguments(formula)]
    hidden = not _DESCRIPTORS.isdisjoint(names)  # attributes behind a property, such as `shape`

    def made(x: Node, attributes: dict[str, Any]) -> Node | None:
        state = held()
        if (
            (state is nothing_open or (state.eager and state.thread == get_ident()))
            and x.weak is None
            and not (watching or defaults)
        ):
            a = x._value
            if (
                a is not None
                and ((d := a.dtype) is float32 or d is float64)
                and a.ndim
                and a.size > 0
            ):
                try:
                    value = quiet_run()(formula, numpy_maths, a, **attributes)
                except Exception:
                    return None
                node: Any = _new(operation)
                node.inputs = (x,)
                node.attributes = attributes
                if hidden:
                    node.__dict__.update(attributes)
                else:  # without a dict, which takes longer to make
                    for name, given in attributes.items():
                        setattr(node, name, given)
                node._value = value = value if type(value) is _array else _asarray(value)
                _set_flags(value, False)
                node._serial = next_serial()
                if state is nothing_open and (
                    (code := (frame := _frame(2)).f_code) is _outside[0]
                    or is_outside.get(code.co_filename)
                ):
                    node._origin = code, frame.f_lasti, ""
                    _outside[0] = code
                else:
                    node._origin = find_origin(3, state)
                    node._unlisted = state.hidden
                return node
        return None

    return _with_own_code(made)


def operand(value: Any, dtype: DType) -> Constant | None:
    """A constant of this float dtype for a Python number or an array of the dtype, which it copies;
    None for what needs questions."""
    kind = type(value)
    if kind is float or kind is int:
        fits = (dtype is float32 or dtype is float64) and -6e4 < value < 6e4
        return number(value, dtype) if fits else None
    if (kind is _array or kind is np.float64) and value.dtype is dtype:
        array = np.array(value)
        _set_flags(array, False)
        node = _new(Constant)
        node._value = array
        node._serial = next_serial()
        node._origin = find_origin(3)
        return node
    return None


_numbers: dict[tuple[Any, ...], Array] = {}


def number(scalar: float, dtype: DType) -> Constant:
    """The Python number as a constant of a float dtype. The arrays of some numbers are shared."""
    node = _new(Constant)
    node.scalar = scalar
    value = _numbers.get((scalar, type(scalar), dtype)) if scalar else None
    if value is None:
        value = np.asarray(scalar, dtype)
        value.flags.writeable = False
        if scalar and len(_numbers) < 1000:  # 0.0 and -0.0 are equal keys
            _numbers[scalar, type(scalar), dtype] = value
    node._value = value
    return node


# The methods of operators that are functions of the registry, which take the operands in order.
_METHODS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide",
    "floordiv": "floor_divide", "mod": "remainder", "pow": "pow", "matmul": "matmul",
    "neg": "negative", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
}  # fmt: skip


def bind_operators() -> None:
    """Make the methods of operators the functions themselves, which saves a call."""
    for method, name in _METHODS.items():
        setattr(Operators, f"__{method}__", getattr(ops, name))
