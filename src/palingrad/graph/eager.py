"""The short path of eager operations: operands that are nodes of one dtype, and nothing open.

An operation without attributes whose inputs have values needs its formula, a read-only result and
the place in the user's code. All else that may be wanted (a graph, observers, promotion, an error
that names the operation) is the constructor's, which is called where the short path doesn't apply.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import get_ident
from typing import Any

import numpy as np

from ..dtypes import Array, DType, float32, float64
from ..maths import numpy_maths
from .context import defaults, find_origin, held, is_outside, nothing_open, quiet_here
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
            and x.weak is None
            and not (more or options or watching or defaults)
        ):
            a = x._value
            if a is not None and ((d := a.dtype) is float32 or d is float64):
                try:
                    if ufunc is None:
                        value = quiet_here.context.run(formula, numpy_maths, a)
                    else:
                        value = quiet_here.context.run(ufunc, a)
                except Exception:
                    return operation(x)  # raises it with the operation's name
                node = _new(operation)
                node.inputs = (x,)
                node._value = value = value if type(value) is _array else _asarray(value)
                _set_flags(value, False)
                node._serial = next_serial()
                if state is not nothing_open:
                    node._origin = find_origin(2, state)
                    node._unlisted = state.hidden
                elif is_outside.get((code := (frame := _frame(1)).f_code).co_filename):
                    node._origin = code, frame.f_lasti, ""
                else:
                    node._origin = find_origin(2, state)
                return node
        return general(x, *more, **options)

    return function


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
                elif a is not None and x.weak is None and _fits(y, a.dtype):
                    y = number(y, a.dtype)
                    b = y._value
                else:
                    b = None
            elif isinstance(y, Node) and (b := y._value) is not None and _fits(x, b.dtype):
                x = number(x, b.dtype)
                a = x._value
            else:
                a = b = None
            if (
                a is not None
                and b is not None
                and x.weak is None
                and y.weak is None
                and (d := a.dtype) is b.dtype
                and (d is float32 or d is float64)
            ):
                try:
                    if ufunc is None:
                        value = quiet_here.context.run(formula, numpy_maths, a, b)
                    else:
                        value = quiet_here.context.run(ufunc, a, b)
                except Exception:
                    return operation(x, y)  # raises it with the operation's name
                node = _new(operation)
                node.inputs = (x, y)
                node._value = value = value if type(value) is _array else _asarray(value)
                _set_flags(value, False)
                node._serial = next_serial()
                if state is not nothing_open:
                    node._origin = find_origin(2, state)
                    node._unlisted = state.hidden
                elif is_outside.get((code := (frame := _frame(1)).f_code).co_filename):
                    node._origin = code, frame.f_lasti, ""
                else:
                    node._origin = find_origin(2, state)
                return node
        return general(x, y, *more, **options)

    return function


def short_reduction(operation: type[Operation]) -> Callable[..., Node | None]:
    """The reduction of a node by the short path, None where that doesn't apply."""
    formula = operation.f

    def reduced(x: Node, axis: int | None, keepdims: bool) -> Node | None:
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
                    value = quiet_here.context.run(
                        formula, numpy_maths, a, axis=axis, keepdims=keepdims
                    )
                except Exception:
                    return None
                node: Any = _new(operation)
                node.inputs = (x,)
                node.attributes = {"axis": axis, "keepdims": keepdims}
                node.axis, node.keepdims = axis, keepdims
                node._value = value = value if type(value) is _array else _asarray(value)
                _set_flags(value, False)
                node._serial = next_serial()
                node._origin = find_origin(3, state)
                node._unlisted = state.hidden
                return node
        return None

    return reduced


def short_slice(operation: type[Operation], x: Any, index: tuple[Any, ...]) -> Node | None:
    """`operation(x, index=index)`, x[index] for a basic index, by the short path; None where that
    doesn't apply."""
    state = held()
    if (
        (state is nothing_open or (state.eager and state.thread == get_ident()))
        and isinstance(x, Node)
        and x.weak is None
        and not (watching or defaults)
    ):
        a = x._value
        if a is not None and ((d := a.dtype) is float32 or d is float64) and a.ndim and a.size:
            try:
                value = a[index]
            except Exception:
                return None
            node: Any = _new(operation)
            node.inputs = (x,)
            node.attributes = {"index": index}
            node.index = index
            node._value = value = value if type(value) is _array else _asarray(value)
            _set_flags(value, False)
            node._serial = next_serial()
            node._origin = find_origin(3, state)
            node._unlisted = state.hidden
            return node
    return None


def _fits(scalar: Any, dtype: DType) -> bool:
    """Whether a Python number becomes a constant of this float dtype, without any question."""
    kind = type(scalar)
    return (
        (kind is float or kind is int)
        and (dtype is float32 or dtype is float64)
        and -6e4 < scalar < 6e4
    )


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
