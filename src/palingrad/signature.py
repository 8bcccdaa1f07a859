"""Signatures: the cache keys of compiled programs, computed from the arguments of a call."""

from __future__ import annotations

import builtins
import dis
import inspect
import weakref
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from math import copysign
from types import CodeType, ModuleType
from typing import Any

from numpy import complexfloating, floating, ndarray

from .classes import NamedTuple
from .dtypes import (
    DTYPES,
    Array,
    DType,
    as_array,
    complex128,
    default_dtype,
    float64,
    int64,
    is_array_like,
)
from .errors import ArgumentError
from .graph.derivatives.cotangents import ieee_gradients
from .graph.leaves import Constant, Placeholder, frozen_changes
from .graph.node import Node
from .messages.checks import did_you_mean
from .trees import fields, leaves, opens, rebuilt

_BUILTINS = frozenset(vars(builtins))
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_WIDEST: dict[Any, DType] = {int: int64, float: float64, complex: complex128}  # of Python numbers
_PLAIN = (bool, int, float, complex, str, bytes)  # always compared by value


class Static:
    """A value that is part of a signature, compared by value and type.

    Nodes, and objects of classes that don't define `__eq__`, are compared by identity and held by a
    weak reference.
    """

    __slots__ = ("_held", "_number", "_reference")

    def __init__(self, value: Any, *, by_identity: bool = False) -> None:
        if isinstance(value, Node) or type(value).__eq__ is object.__eq__:
            by_identity = True
        self._number = id(value) if by_identity else None
        self._reference: weakref.ref[Any] | None = None
        self._held: Any = value
        if by_identity:
            try:
                self._reference = weakref.ref(value)  # the same object for each Static of `value`
                self._held = None
            except TypeError:  # the class doesn't support weak references
                pass

    @property
    def value(self) -> Any:
        """The value; None once it was deleted."""
        return self._held if self._reference is None else self._reference()

    @property
    def mortal(self) -> bool:
        """Whether the value is held weakly and may be deleted."""
        return self._reference is not None

    def holds(self, value: Any) -> bool:
        """Whether its value is this object, and wasn't deleted."""
        reference = self._reference
        if reference is None:
            return self._held is value
        return value is not None and reference() is value

    def hashable(self) -> bool:
        """Whether the value can be part of a signature."""
        try:
            hash(self)
        except TypeError:
            return False
        return True

    def __hash__(self) -> int:
        return hash(self._held) if self._number is None else self._number

    def __eq__(self, other: object) -> bool:
        if type(other) is not Static or self._number != other._number:
            return False
        a, b = self._held, other._held
        if self._number is not None:
            return self._reference is other._reference and a is b
        return a is b or _alike(a, b)


def _alike(a: Any, b: Any) -> bool:
    """Whether two values are equal, of one type and, for zeros, of one sign: also inside tuples."""
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        pairs: Any = zip(a, b)
        return a == b and all(x is y or _alike(x, y) for x, y in pairs)
    if isinstance(a, (float, floating)) and copysign(1, a) != copysign(1, b):
        return False
    return bool(a == b)


def settings() -> tuple[DType, bool, int]:
    """The settings of the process on which a program depends: the default dtype, whether gradients
    are IEEE's, and how often Variables became trainable or frozen."""
    return default_dtype(), ieee_gradients(), frozen_changes[0]


_BY_VALUE = frozenset((bool, int, str, type(None), type(Ellipsis)))


def hashable(value: Any) -> Hashable | None:
    """A hashable value that is equal only for equal attributes; None if there is none."""
    kind = type(value)
    if kind in _BY_VALUE:
        return kind, value
    if kind is slice:
        return "slice", value.start, value.stop, value.step
    if kind is dict or (kind is not tuple and isinstance(value, Mapping)):
        entries: Mapping[str, Any] = value
        parts: list[Hashable] = []
        for name, entry in entries.items():
            kind = type(entry)
            part = (kind, entry) if kind in _BY_VALUE else hashable(entry)
            if part is None:
                return None
            parts += name, part
        return tuple(parts)
    if isinstance(value, (tuple, list)):
        parts = [hashable(element) for element in value]
        return None if None in parts else (kind, *parts)
    if isinstance(value, (float, floating)):
        return kind, value, copysign(1, value)
    if isinstance(value, (complex, complexfloating)):
        return kind, repr(value)  # with the signs of zeros
    return (kind, value) if isinstance(value, Hashable) else None


class Signature(NamedTuple):
    """The cache key of a function's compiled program; hashable if all static arguments are."""

    forms: tuple[Hashable, ...]  # one for each leaf of the arguments, see `form_of`
    reads: tuple[Static, ...]  # values of the outer variables that the function reads
    structure: Hashable  # of the trees of arguments
    engine: str
    settings: tuple[DType, bool, int]

    def statics(self) -> list[Static]:
        """The parts that are values, not shapes and dtypes."""
        return [form for form in (*self.forms, *self.reads) if isinstance(form, Static)]

    def mortal(self) -> list[Any]:
        """The objects in it that are compared by identity and held weakly."""
        return [one.value for one in self.statics() if one.mortal]


# ---------------------------------------------------------------- arguments


class StaticArguments:
    """The arguments in `static_argnames` and `static_argnums`, which are part of the signature."""

    def __init__(
        self, f: Callable[..., Any], names: str | Collection[str], numbers: int | Collection[int]
    ) -> None:
        self._names = {names} if isinstance(names, str) else set(names)
        counted = {numbers} if isinstance(numbers, int) else set(numbers)
        wanted = self._names or counted
        parameters = list(inspect.signature(f).parameters.values()) if wanted else []
        named = {p.name for p in parameters if p.kind not in _VARIADIC}
        for name in self._names:
            if name not in named:
                raise ArgumentError(
                    f"static_argnames: no parameter is called {name!r}.",
                    hint=did_you_mean(name, named, quoted=True)
                    or f"The parameters are {', '.join(map(repr, sorted(named)))}.",
                )
        self.places = {number for number, p in enumerate(parameters) if p.name in self._names}
        self.places |= _checked_places(parameters, counted)
        by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        self._names |= {
            p.name for place, p in enumerate(parameters)
            if place in self.places and p.kind in by_name
        }  # fmt: skip

    def marked(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, with each static one wrapped in `Static`."""
        return (
            tuple(Static(x) if number in self.places else x for number, x in enumerate(args)),
            {key: Static(x) if key in self._names else x for key, x in kwargs.items()},
        )


def _checked_places(parameters: Sequence[inspect.Parameter], numbers: set[int]) -> set[int]:
    """The numbers, from 0. Raises ArgumentError for one that no positional argument has."""
    positional = [p for p in parameters if p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD)]
    endless = any(p.kind is p.VAR_POSITIONAL for p in positional)
    count = len(positional)
    for number in numbers:
        if not -count <= number < count and not (endless and number >= 0):
            raise ArgumentError(
                f"static_argnums: {number} is none of {count} positional arguments.",
                hint="They count from 0; one that is only given by name goes to static_argnames.",
            )
    return {number if number >= 0 else number + count for number in numbers}


def is_fed(form: Hashable) -> bool:
    """Whether a leaf of this form is fed to each run; otherwise its value is in the signature."""
    return type(form) is tuple


def form_of(leaf: Any) -> Hashable:
    """(shape, dtype) of an array, ((), type) of a Python number; any other leaf as a Static."""
    kind = type(leaf)
    if kind is ndarray and leaf.dtype in DTYPES:
        return leaf.shape, leaf.dtype
    if kind is float or kind is int or kind is complex:
        return (), kind
    if kind is Static:
        return leaf
    if is_array_like(leaf) and not isinstance(leaf, Node):
        array = as_array(leaf)
        return array.shape, array.dtype
    return Static(leaf)


def structure(tree: Any) -> Hashable:
    """The structure of a tree, without its leaves, as a hashable value."""
    if isinstance(tree, dict):
        return "dict", tuple((type(key), key, structure(x)) for key, x in tree.items())
    if isinstance(tree, (list, tuple)):
        return type(tree), tuple(map(structure, tree))
    if opens(tree):
        static = tuple(map(Static, fields(tree, static=True).values()))
        return type(tree), tuple(map(structure, fields(tree).values())), static
    return None


def traced(leaf: Any, form: Any) -> Any:
    """The value with which f is traced: a placeholder for a leaf that is fed, else the leaf."""
    if not is_fed(form):
        return leaf.value if type(leaf) is Static else leaf
    shape, kind = form
    if kind not in _WIDEST:
        return Placeholder(shape, dtype=kind)
    node = Placeholder((), dtype=_WIDEST[kind])
    node.weak = kind(0)
    return node


def array_of(leaf: Any) -> Array:
    """The array that is fed to a run for a leaf."""
    kind = type(leaf)
    if kind is ndarray and leaf.dtype in DTYPES:
        return leaf
    if kind is float:
        return Constant.of(leaf, float64).numpy()
    return Constant.of(leaf, _WIDEST[kind]).numpy() if kind in _WIDEST else as_array(leaf)


def parameter_names(f: Callable[..., Any], args: Any, kwargs: Any) -> list[str]:
    """For each leaf of the arguments the name of its parameter; "" if f doesn't accept them."""
    count = len(leaves([args, kwargs]))
    numbered = rebuilt([args, kwargs], iter(range(count)))
    names = [""] * count
    try:
        bound = inspect.signature(f).bind(*numbered[0], **numbered[1]).arguments
    except (TypeError, ValueError):  # the call of f will raise a clearer error
        return names
    for name, value in bound.items():
        for number in leaves(value, dataclasses=True):
            names[number] = name
    return names


# ---------------------------------------------------------------- outer variables


class Reads:
    """The outer variables that a function's own code reads: of enclosing functions, and globals
    except modules and builtins.

    Rebinding one changes the signature; mutating its value doesn't, and neither do variables that
    only called functions read.
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        code = getattr(f, "__code__", None)
        cells: dict[str, Any] = {}
        self._globals: list[str] = []
        self._get = getattr(f, "__globals__", {}).get
        self._last: tuple[Static, ...] = ()
        if isinstance(code, CodeType):
            names, cells = _variables(code, f.__closure__ or ())
            self._globals = [name for name in names if not self._is_fixed(name)]
        self._cells = list(cells.values())
        self.names = [*self._globals, *cells]  # in the order of the values

    def _is_fixed(self, name: str) -> bool:
        """Whether a global is assumed not to be rebound: a module or a builtin."""
        value = self._get(name)
        return isinstance(value, ModuleType) or (value is None and name in _BUILTINS)

    def values(self) -> list[Any]:
        """The current values; [] if a variable was deleted: the call of f will raise then."""
        try:
            return [*map(self._get, self._globals), *(cell.cell_contents for cell in self._cells)]
        except ValueError:
            return []

    def watch(self, values: list[Any]) -> Callable[[], bool]:
        """A function that tests whether `values` are still current, fast enough for every call.

        It holds the values weakly where their classes allow that.
        """
        get = self._get
        held = list(map(_held, values))
        names = [(name, *pair) for name, pair in zip(self._globals, held)]
        cells = [(cell, *pair) for cell, pair in zip(self._cells, held[len(names) :])]

        def unchanged() -> bool:
            for name, value, reference in names:
                now = get(name)
                if now is not value and (
                    reference is None or now is None or reference() is not now
                ):
                    return False
            try:
                for cell, value, reference in cells:
                    now = cell.cell_contents
                    if now is not value and (
                        reference is None or now is None or reference() is not now
                    ):
                        return False
            except ValueError:  # a variable was deleted
                return False
            return True

        return unchanged

    def forms(self, values: list[Any]) -> tuple[Static, ...]:
        """The values as part of a signature: numbers and strings by value, others by identity."""
        last = self._last
        if len(last) != len(values) or not all(map(Static.holds, last, values)):
            last = tuple([Static(x, by_identity=type(x) not in _PLAIN) for x in values])
            self._last = last
        return last


_WEAK = object()  # which is no variable's value


def _held(value: Any) -> tuple[Any, weakref.ref[Any] | None]:
    """(value, None), or (_WEAK, a weak reference) if the class supports them."""
    try:
        return _WEAK, weakref.ref(value)
    except TypeError:
        return value, None


def _variables(code: CodeType, closure: Sequence[Any]) -> tuple[list[str], dict[str, Any]]:
    """The globals and the cells that the code and its inner functions read but never assign."""
    read: dict[str, None] = {}
    cells = dict(zip(code.co_freevars, closure, strict=True))
    stack = [code]
    written: set[str] = set()
    while stack:
        body = stack.pop()
        stack += [inner for inner in body.co_consts if isinstance(inner, CodeType)]
        for instruction in dis.get_instructions(body):
            name = instruction.argval
            if instruction.opname == "LOAD_GLOBAL":
                read[name] = None
            elif instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
                written.add(name)
            elif instruction.opname in ("STORE_DEREF", "DELETE_DEREF"):
                cells.pop(name, None)
    return [name for name in read if name not in written], cells
