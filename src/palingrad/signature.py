"""Signatures: what of a call decides which compiled program answers it."""

from __future__ import annotations

import builtins
import dis
import inspect
import weakref
from collections.abc import Callable, Collection, Hashable, Sequence
from math import copysign
from operator import is_
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from numpy import ndarray

from .dtypes import DTYPES, Array, DType, as_array, float64, int64, is_array_like
from .graph.leaves import Constant, Placeholder
from .graph.node import Node
from .trees import leaves, rebuilt

_BUILTINS = frozenset(vars(builtins))
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_PLAIN = (bool, int, float, complex, str, bytes)  # compared by value wherever they stand


class Static:
    """A value that is part of a signature, told apart by value and type.

    Nodes, and objects of classes without an `__eq__` of their own, are told apart by identity, and
    such an object isn't kept alive.
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
                self._reference = weakref.ref(value)  # the same one for each Static of this value
                self._held = None
            except TypeError:  # of a class that can't be referred to weakly
                pass

    @property
    def value(self) -> Any:
        """The value; None once it is gone."""
        return self._held if self._reference is None else self._reference()

    @property
    def mortal(self) -> bool:
        """Whether the value may be gone while this is part of a signature."""
        return self._reference is not None

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
        one, two = self._held, other._held
        if self._number is not None:
            return self._reference is other._reference and one is two
        if type(one) is not type(two):
            return False
        if type(one) is float and copysign(1, one) != copysign(1, two):
            return False  # 0.0 and -0.0
        return one is two or bool(one == two)


class Signature(NamedTuple):
    """What a compiled program of a function is found by: hashable if every argument is."""

    forms: tuple[Hashable, ...]  # of the leaves of the arguments
    reads: tuple[Static, ...]  # the variables that the function reads
    structure: Hashable  # of the arguments
    engine: str
    default_dtype: DType

    def mortal(self) -> list[Any]:
        """The objects in it that are told apart by identity and may go."""
        static = [form for form in (*self.forms, *self.reads) if isinstance(form, Static)]
        return [form.value for form in static if form.mortal]


# ---------------------------------------------------------------- arguments


class StaticArguments:
    """The arguments that are part of the signature because the user named them."""

    def __init__(self, f: Callable[..., Any], names: str | Collection[str]) -> None:
        self._names = {names} if isinstance(names, str) else set(names)
        parameters = list(inspect.signature(f).parameters.values()) if self._names else []
        named = {one.name for one in parameters if one.kind not in _VARIADIC}
        for name in self._names:
            if name not in named:
                raise TypeError(f"static_argnames: no parameter is called {name!r}")
        self.places = {place for place, one in enumerate(parameters) if one.name in self._names}

    def marked(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, each static one as `Static`."""
        return (
            tuple(Static(x) if at in self.places else x for at, x in enumerate(args)),
            {key: Static(x) if key in self._names else x for key, x in kwargs.items()},
        )


def is_fed(form: Hashable) -> bool:
    """Whether a leaf of this form is given to each run, rather than part of the signature."""
    return type(form) is tuple


def form_of(leaf: Any) -> Hashable:
    """(shape, dtype) of what is fed, (shape, type) of a Python number, else the leaf as Static."""
    kind = type(leaf)
    if kind is ndarray and leaf.dtype in DTYPES:
        return leaf.shape, leaf.dtype
    if kind is float or kind is int:
        return (), kind
    if kind is Static:
        return leaf
    if is_array_like(leaf) and not isinstance(leaf, Node):
        array = as_array(leaf)
        return array.shape, array.dtype
    return Static(leaf)


def structure(tree: Any) -> Hashable:
    """The form of a tree without its leaves."""
    if isinstance(tree, dict):
        return "dict", tuple((key, structure(branch)) for key, branch in tree.items())
    if isinstance(tree, (list, tuple)):
        return type(tree).__name__, tuple(map(structure, tree))
    return None


def traced(leaf: Any, form: Any) -> Any:
    """What f is traced with: a placeholder for a leaf that is fed, else the value itself."""
    if not is_fed(form):
        return leaf.value if type(leaf) is Static else leaf
    shape, kind = form
    if kind is not float and kind is not int:
        return Placeholder(shape, dtype=kind)
    node = Placeholder((), dtype=float64 if kind is float else int64)
    node.weak = kind(0)
    return node


def array_of(leaf: Any) -> Array:
    """The array that a run is fed for a leaf."""
    kind = type(leaf)
    if kind is ndarray and leaf.dtype in DTYPES:
        return leaf
    if kind is float:
        return Constant.of(leaf, float64).numpy()
    return Constant.of(leaf, int64).numpy() if kind is int else as_array(leaf)


def parameter_names(f: Callable[..., Any], args: Any, kwargs: Any) -> list[str]:
    """For each leaf of the arguments the parameter that takes it; no names where f takes none."""
    count = len(leaves([args, kwargs]))
    numbered = rebuilt([args, kwargs], iter(range(count)))
    names = [""] * count
    try:
        bound = inspect.signature(f).bind(*numbered[0], **numbered[1]).arguments
    except (TypeError, ValueError):  # calling f says better what is wrong
        return names
    for name, value in bound.items():
        for number in leaves(value):
            names[number] = name
    return names


# ---------------------------------------------------------------- what a function reads


class Reads:
    """The variables outside a function that its own code reads: those of the functions around it,
    and globals but for modules and builtins. To rebind one makes another signature; a change inside
    its value doesn't, nor does what other functions read."""

    def __init__(self, f: Callable[..., Any]) -> None:
        code = getattr(f, "__code__", None)
        cells: dict[str, Any] = {}
        self._globals: list[str] = []
        self._get = getattr(f, "__globals__", {}).get
        self._last: tuple[list[Any], tuple[Static, ...]] = [], ()
        if isinstance(code, CodeType):
            names, cells = _variables(code, f.__closure__ or ())
            self._globals = [name for name in names if not self._is_fixed(name)]
        self._cells = list(cells.values())
        self.names = [*self._globals, *cells]  # in the order of the values

    def _is_fixed(self, name: str) -> bool:
        """Whether a global is taken to stay what it is: a module, or one of Python's own."""
        value = self._get(name)
        return isinstance(value, ModuleType) or (value is None and name in _BUILTINS)

    def values(self) -> list[Any]:
        """The values now; [] if one is there no more, which calling the function says better."""
        try:
            return [*map(self._get, self._globals), *(cell.cell_contents for cell in self._cells)]
        except ValueError:
            return []

    def watch(self, values: list[Any]) -> Callable[[], bool]:
        """A function that says whether these are still the values, fast enough for every call."""
        get = self._get
        names = list(zip(self._globals, values))
        cells = list(zip(self._cells, values[len(names) :]))

        def unchanged() -> bool:
            for name, value in names:
                if get(name) is not value:
                    return False
            try:
                for cell, value in cells:
                    if cell.cell_contents is not value:
                        return False
            except ValueError:  # one is there no more
                return False
            return True

        return unchanged

    def forms(self, values: list[Any]) -> tuple[Static, ...]:
        """What of the values is part of the signature: a number or text, else which object."""
        last, found = self._last
        if len(last) != len(values) or not all(map(is_, last, values)):
            found = tuple([Static(one, by_identity=type(one) not in _PLAIN) for one in values])
            self._last = values, found
        return found


def _variables(code: CodeType, closure: Sequence[Any]) -> tuple[list[str], dict[str, Any]]:
    """The globals and the cells that code reads and doesn't assign itself."""
    read: dict[str, None] = {}
    cells = dict(zip(code.co_freevars, closure, strict=True))
    stack = [code]
    written: set[str] = set()
    while stack:
        one = stack.pop()
        stack += [part for part in one.co_consts if isinstance(part, CodeType)]
        for instruction in dis.get_instructions(one):
            name = instruction.argval
            if instruction.opname == "LOAD_GLOBAL":
                read[name] = None
            elif instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
                written.add(name)
            elif instruction.opname in ("STORE_DEREF", "DELETE_DEREF"):
                cells.pop(name, None)
    return [name for name in read if name not in written], cells


# ---------------------------------------------------------------- what to say


def what_varies(keys: Sequence[Signature], parameters: list[str], read: list[str]) -> str:
    """Which part of these signatures had the most values, and what to do about it. `parameters`
    are the names for the leaves of the last one's arguments."""
    alike = [key for key in keys if key.structure == keys[-1].structure]
    found = [(len({key.structure for key in keys}), "the form of the arguments", _FORM)]
    for place, name in enumerate(parameters):
        column = {key.forms[place] for key in alike}
        fed = is_fed(keys[-1].forms[place])
        found.append((len(column), f"argument {name!r}", _FED if fed else _STATIC))
    for place, name in enumerate(read):
        column = {key.reads[place] for key in alike if len(key.reads) == len(read)}
        found.append((len(column), f"variable {name!r}", _READ))
    number, what, how = max(found, key=lambda one: one[0])
    return f"Most varied: {what}, {number} {how}"


_FORM = "lists, tuples or dicts of other lengths and keys: pass arrays."
_FED = "shapes or dtypes: pad or cut arrays to a few shapes."
_STATIC = "values or objects: pass numbers and arrays, which are fed, and the same objects again."
_READ = "values: pass it as an argument instead."
