"""Constant, Placeholder and Variable: the nodes without inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import (
    DTYPES,
    Array,
    DType,
    Scalar,
    as_array,
    as_dtype,
    is_complex,
    is_inexact,
    setting_changes,
)
from ..errors import ArgumentError, DTypeError, FeedError, ShapeError
from ..messages.calls import public
from ..messages.checks import flag
from ..shapes import Shape, as_shape, same, text
from .context import context, find_origin, graph_scope
from .node import Node, next_serial
from .registry import ops, register
from .state.landing import Landing, recall, recalls
from .state.observe import tell_assigned, watching
from .state.turns import Turn

# How often a Variable became trainable or frozen: programs that train others are traced again.
frozen_changes = [0]


def sealed(value: Any, dtype: DType | None = None) -> Array:
    """A read-only copy of `value` as an array."""
    array = as_array(value, dtype, copy=True)
    array.setflags(write=False)
    return array


class Constant(Node):
    """A fixed value. `scalar` is the Python number it was made from, if any.

    Such a constant is `weak` until an operation converts it to the dtype of its other inputs.
    """

    scalar: Scalar | None = None
    folded: Node | None = None  # the folded operation, if its result isn't finite

    def __init__(self, value: Any, *, dtype: Any = None, name: str | None = None) -> None:
        if type(value) in (bool, int, float, complex) and dtype is None:
            self.scalar = self.weak = value
        self._value = sealed(value, None if dtype is None else as_dtype(dtype))
        self._serial = next_serial()
        self._settle(name, find_origin(2), context().graph)

    @classmethod
    def holding(cls, value: Array) -> Constant:
        """A constant outside any graph that holds this read-only array, or a tuple of arrays."""
        node = object.__new__(cls)
        node._value = value
        node._serial = next_serial()
        node._unlisted = True
        return node

    @classmethod
    def of(cls, scalar: Scalar, dtype: DType) -> Constant:
        """The Python number as a constant of `dtype`. Raises DTypeError if it doesn't fit."""
        node = object.__new__(cls)
        try:
            if not 6e4 <= abs(scalar) < math.inf:  # fits float16: no slow errstate is needed
                value = np.asarray(scalar, dtype)
            else:
                with np.errstate(over="ignore"):
                    value = np.asarray(scalar, dtype)
        except OverflowError as error:
            raise DTypeError(
                f"{scalar} doesn't fit {dtype}", hint="Widen it first: pg.cast(x, 'int64')."
            ) from error
        value.setflags(write=False)
        node.scalar = scalar
        node._value = value
        state = context()
        if state.graph is not None:
            node._settle(None, find_origin(2, state), state.graph)
        return node


@register
def detached(value: Array, name: str | None, scalar: Scalar | None) -> Constant:
    """A constant outside any graph that holds this array, which becomes read-only."""
    value.setflags(write=False)
    constant = Constant.holding(value)
    constant._name = name
    constant.scalar = constant.weak = scalar
    return constant


class Placeholder(Node):
    """A value that is fed to each run. Shape, dtype, or single sizes (None) may be unspecified."""

    fed_by = "a run"
    must_fit: tuple[DType, ...] = ()  # for a fed Python integer: dtypes it takes beside arrays

    def __init__(self, shape: Any = None, *, dtype: Any = None, name: str | None = None) -> None:
        self._shape = None if shape is None else as_shape(shape)
        self._dtype = None if dtype is None else as_dtype(dtype)
        self._serial = next_serial()
        self._settle(name, find_origin(2), context().graph)

    def clone(self, shape: Shape | None, dtype: DType | None) -> Placeholder:
        """A placeholder of this shape and dtype, with the same name and origin, outside a graph."""
        return self.unchecked(
            {
                "_shape": shape,
                "_dtype": dtype,
                "_name": self._name,
                "_unnamed": self._unnamed,
                "_origin": self._origin or context().origin,
                "weak": self.weak,
            }
        )

    def accept(self, value: Any) -> Array:
        """`value` as an array of the placeholder's shape and dtype.

        Raises FeedError if the value doesn't fit. Lists and numbers are converted to the
        placeholder's dtype; an array must be of its kind (boolean, integer, float) or a lower one.
        """
        if (
            type(value) is not np.ndarray
            or value.dtype not in DTYPES
            or (self._dtype is not None and value.dtype != self._dtype)
        ):
            try:
                value = as_array(value.numpy() if isinstance(value, Node) else value, self._dtype)
            except (DTypeError, ShapeError) as error:
                raise FeedError(
                    f"{self.label()} is {self._dtype or 'a number or an array'}{self.built()}: "
                    f"{error.fact}.",
                    hint=error.hint,
                ) from error
        shape: Shape | None = self._shape
        if shape is not None and shape != value.shape:
            fits = len(shape) == value.ndim and all(map(same, shape, value.shape))
            if not fits:
                raise FeedError(
                    f"{self.label()} has shape {text(shape)}, fed {text(value.shape)}"
                    f"{self.built()}.",
                    hint=_as_one_row(shape, value.shape),
                )
        return value


def _as_one_row(shape: Shape, fed: Shape) -> str:
    """What to do if an array lacks the first axis."""
    if len(shape) == len(fed) + 1 and all(map(same, shape[1:], fed)):
        return "A single example is a batch of one: [x], or x[None] for an array."
    return "None in its shape stands for any size: pg.placeholder((None, 3))."


@public
def placeholder(shape: Any = None, *, dtype: Any = None, name: str | None = None) -> Placeholder:
    """A node whose value is fed to each run. An unspecified shape or dtype is that of the feed."""
    return Placeholder(shape, dtype=dtype, name=name)


class Variable(Node):
    """A value that training changes, unless `trainable` is false. Shape and dtype are fixed.

    >>> import palingrad as pg
    >>> w = pg.Variable([1.0, 2.0])
    >>> w.assign(w * 2).value
    array([2., 4.], dtype=float32)
    """

    unsuited: bool = False  # whether it is to be trained, but has a dtype that has no gradients
    frozen: bool = False  # whether a module's `freeze` made it untrainable
    _observed: bool = False  # whether deferred nodes cache values computed from this one
    _changed: int = 0  # the serial number of the last assignment, or of that of a program's lease
    _array: Any = None  # the value; None while a compiled program has it on lease
    _lease: Any = None  # the lease that returns the array: `engines/native/runtime/lease.py`
    _follows: Variable | None = None  # the Variable whose state it is, for an optimizer's
    _turn: Turn | None = None  # of the runs that update it, once there is a program that does

    @public
    def __init__(
        self, value: Any, *, dtype: Any = None, trainable: bool = True, name: str | None = None
    ) -> None:
        value = value.numpy() if isinstance(value, Node) else value
        self._value = sealed(value, None if dtype is None else as_dtype(dtype))
        self._trainable = flag("Variable: trainable", trainable) and is_inexact(self._value.dtype)
        if trainable and not self._trainable:
            self.unsuited = True
        graph = context().graph
        if graph is not None:
            graph.check_new_variable()
        self._serial = next_serial()
        self._settle(name, find_origin(2), graph)

    @classmethod
    def holding(cls, array: Array, name: str, follows: Variable | None = None) -> Variable:
        """A Variable outside any graph, not to be trained, that takes an array over: nothing else
        may refer to it."""
        array.setflags(write=False)
        variable = object.__new__(cls)
        variable._value, variable._name = array, context().scope + name
        variable._trainable, variable._follows = False, follows
        variable._serial = next_serial()
        variable._origin = find_origin(2)
        return variable

    @property
    def trainable(self) -> bool:
        """Whether optimizers change the Variable. It can be set: False freezes it."""
        return self._trainable

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        chosen = flag("Variable: trainable", trainable)
        if chosen and not is_inexact(self._form().dtype):
            raise DTypeError(f"{self.label()} holds {self._form().dtype}, which isn't trained.",
                             hint="Make it of floats: pg.Variable(value, dtype='float32').",
                             )  # fmt: skip
        if chosen is not self._trainable:
            self._trainable = chosen
            frozen_changes[0] += 1
            setting_changes[0] += 1  # last, as in set_default_dtype

    @property
    def _value(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        array = self._array
        return self._recalled() if array is None else array

    @_value.setter
    def _value(self, array: Any) -> None:
        self._array = array

    def _recalled(self) -> Any:
        """The value, after ending the lease of the program that holds the array."""
        return recalls.hold(self._ended)

    def _ended(self) -> Any:
        while True:
            recall((self,))
            array = self._array
            if array is not None or self._lease is None:  # it has none while it is being made
                return array if array is not None else self._array

    def assign(self, value: Any) -> Node:
        """Set the Variable to `value` (same shape; dtype converted).

        Eagerly this happens at once; in a graph, when the returned node is run. Raises ShapeError
        or DTypeError if the value doesn't fit, and leaves the Variable unchanged.
        """
        if context().graph is not None or (isinstance(value, Node) and value.deferred):
            return ops.assign(self, value)
        array = self.assignable(value)
        if watching:
            tell_assigned([(self, array, value)])
        assign_all((self,), (array,))
        return self

    def assign_add(self, value: Any) -> Node:
        """Add `value` to the Variable, as `assign` does: at once, or when the result is run."""
        return self.assign(ops.add(self, value))

    def assign_sub(self, value: Any) -> Node:
        """Subtract `value` from the Variable, as `assign` does: at once, or when the result is run.

        >>> import palingrad as pg
        >>> w = pg.Variable([1.0, 2.0])
        >>> w.assign_sub([0.5, 0.5]).value
        array([0.5, 1.5], dtype=float32)
        """
        return self.assign(ops.subtract(self, value))

    def assignable(self, value: Any) -> Array:
        """`value` as a read-only array of the Variable's dtype. Raises as `assign` does."""
        if isinstance(value, Node):  # observers are notified of the assignment, not of a read
            value = value.numpy() if value._known() is None else value._known()
        array = as_array(value)
        self.check(array.shape, array.dtype)
        return sealed(value, self._form().dtype)

    def __copy__(self) -> Variable:
        return _copied(self.numpy(), self.trainable, self._name)

    def __reduce__(self) -> Any:
        return _copied, (self.numpy(), self.trainable, self._name)

    def check(self, shape: Shape | None, dtype: DType | None) -> None:
        """Raise unless a value of this shape and dtype can be assigned."""
        mine = self._form()
        if shape is not None and not (
            len(shape) == mine.ndim and all(map(same, shape, mine.shape))
        ):
            raise ShapeError(
                f"{self.label()} has shape {text(mine.shape)}, assigned {text(shape)}"
                f"{self.built()}",
                hint="A Variable keeps its shape: make another one, pg.Variable(value).",
            )
        if is_complex(dtype) and not is_complex(mine.dtype):
            raise DTypeError(
                f"{self.label()} is {mine.dtype}, assigned {dtype}{self.built()}",
                hint="Assign pg.real(value), or make it complex: pg.Variable(1 + 0j).",
            )
        if is_inexact(dtype) and not is_inexact(mine.dtype):
            raise DTypeError(
                f"{self.label()} is {mine.dtype}, assigned {dtype}; use pg.cast{self.built()}",
                hint=f"pg.cast(value, {mine.dtype.name!r}) cuts off decimals; or make it a float: "
                "pg.Variable(1.0).",
            )

    def _refuse_change(self, what: str, instead: str = "") -> None:
        name = self._name if (self._name or "").isidentifier() else "w"
        raise ArgumentError(
            f"{self.label()}: {what} doesn't assign to a Variable{self.built()}.",
            hint=f"Write {name}.assign(value)."
            if instead
            else f"Write {name}.assign({name}.at[i].set(value)), or .add(value) for +=.",
        )

    def _form(self) -> Array:
        """An array of the Variable's shape and dtype: the value, unless a fork has torn that or it
        is on a device."""
        lease = self._lease
        if lease is None:
            return self._value
        if lease.torn:
            return lease.torn[self]
        form = lease.form if self._array is None else None
        return self._value if form is None else form


def assign_all(variables: Sequence[Variable], arrays: Sequence[Array]) -> None:
    """Set Variables to read-only arrays of their shapes and dtypes, all at once.

    Waits for runs in progress that update them, which would otherwise have to run again.
    """
    for variable in variables:
        if variable._turn is not None:
            variable._turn.wait()
    Landing(variables)(arrays)


def _in_place(sign: str) -> Callable[[Variable, Any], Any]:
    """The method of an assignment such as w -= x, which Python would make w = w - x."""

    def refuse(self: Variable, other: Any) -> Any:
        name = self._name if (self._name or "").isidentifier() else "w"
        method = {"+": "assign_add(…)", "-": "assign_sub(…)"}.get(sign)
        raise ArgumentError(
            f"{self.label()}: {sign}= would give the name to a new node and leave the Variable as "
            f"it is{self.built()}.",
            hint=f"Write {name}.{method or f'assign({name} {sign} …)'} to change the Variable, or "
            f"y = {name} {sign} … for a new node.",
        )

    return refuse


_SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**",
    "matmul": "@", "and": "&", "or": "|", "xor": "^", "lshift": "<<", "rshift": ">>",
}  # fmt: skip
for _name, _sign in _SIGNS.items():
    setattr(Variable, f"__i{_name}__", _in_place(_sign))


def _copied(value: Array, trainable: bool, name: str | None) -> Variable:
    """A Variable outside any graph, for copying and unpickling."""
    with graph_scope(None):
        variable = Variable(value, trainable=trainable)
    variable._name = name
    return variable
