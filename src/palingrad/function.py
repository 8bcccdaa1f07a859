"""pg.function: a Python function traced into a Program once for each signature."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from functools import partial, update_wrapper
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from .dtypes import DTYPES, Array, DType, as_array, default_dtype, float64, int64, setting_changes
from .engines.base import Executable
from .engines.selection import get_engine
from .errors import GraphError, ShapeError
from .graph.context import context, opened
from .graph.graph import Graph
from .graph.kinds import Assign, Scratch
from .graph.leaves import Constant, Placeholder, Variable
from .graph.node import Node
from .graph.operation import Operation, has_value
from .ops.state import Latest
from .passes.pipeline import optimise
from .passes.program import Program
from .passes.specialise import specialise
from .trees import leaves, rebuilt


class Function:
    """A function compiled on first call for each signature; see `function`."""

    def __init__(self, f: Callable[..., Any], *, engine: str | None = None, runs: int = 0) -> None:
        update_wrapper(self, f)
        self._f = f
        self._runs = runs
        self._engine = engine
        self._traces: dict[Hashable, Traced] = {}
        self._lock = threading.Lock()
        self._latest: LastCall | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        latest = self._latest
        if latest is not None and not kwargs:
            # Written out: what runs often may take a few microseconds.
            changes, count, forms, run, form = latest
            if changes == setting_changes[0] and len(args) == count:
                for one, (shape, dtype) in zip(args, forms):
                    if type(one) is not ndarray or one.dtype is not dtype or one.shape != shape:
                        break
                else:
                    if context.graph is None and not context.observers:
                        outputs = run(args)
                        return outputs[0] if form is None else form(outputs)
        given = leaves([args, kwargs])
        if context.graph is not None or any(map(_is_tensor, given)):
            return self._f(*args, **kwargs)  # part of a larger graph, so that gradients flow
        changes = setting_changes[0]
        traced = self._trace(args, kwargs, given)
        if not kwargs and not context.observers:
            self._latest = LastCall.of(traced, args, changes)
        return traced.run(given)

    def repeat(self, *args: Any, along: Collection[int]) -> Any:
        """Call once for each place on the first axis of the arrays numbered in `along`, and stack
        the results; one native call does it all where it can. All arguments are arrays.

        >>> import numpy as np
        >>> import palingrad as pg
        >>> pg.function(lambda x, y: x * y).repeat(np.arange(3), np.array(2), along=(0,))
        array([0, 2, 4])
        """
        arrays = [as_array(one) for one in args]
        counts = {arrays[number].shape[0] for number in along}
        if len(counts) != 1:
            raise ShapeError(
                f"{self.__name__}: repeat needs arrays of one length, got {sorted(counts)}"
            )
        (times,) = counts
        if times == 0:
            raise ShapeError(f"{self.__name__}: repeat needs at least one call, got none")
        one = [array[0] if at in along else array
               for at, array in enumerate(arrays)]  # fmt: skip
        traced = self._trace(tuple(one), {}, one)  # the trace of a call
        return traced.returned(traced.executable.repeat(arrays, times, along))

    def explain(self, *args: Any, **kwargs: Any) -> str:
        """What a call with such arguments runs, step by step; nothing is run."""
        return self._trace(args, kwargs, leaves([args, kwargs])).executable.explain()

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """The Program that a call with such arguments runs, say to draw it; nothing is run."""
        return self._trace(args, kwargs, leaves([args, kwargs])).program

    def _trace(self, args: Any, kwargs: Any, given: list[Any]) -> Traced:
        """The trace for this signature, made if it is new."""
        forms = tuple(map(_form, given))
        engine = get_engine(self._engine, observed=False)  # whoever records shares the trace
        key = (forms, _structure([args, kwargs]), engine.name, default_dtype())
        try:
            traced = self._traces.get(key)
        except TypeError:
            raise TypeError(
                f"{self.__name__}: an argument is neither numbers nor hashable: {args!r:.80}"
            ) from None
        if traced is None:
            with self._lock:
                traced = self._traces.get(key)
                if traced is None:
                    traced = Traced(self._f, args, kwargs, forms, engine.name)
                    traced.executable.expect(self._runs)
                    self._traces[key] = traced
        return traced

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method: the instance is an argument, told apart by identity."""
        return self if instance is None else partial(self, instance)

    __name__: str


def function(
    f: Callable[..., Any] | None = None, *, engine: str | None = None, runs: int = 0
) -> Any:
    """`f` compiled: traced into a Program once for each signature of its arguments, then fast.

    Arrays and Python numbers (also inside lists, tuples and dicts) are fed to each run; a change of
    shape or dtype traces again. Everything else (booleans, strings, Variables, objects) is part of
    the signature. Variables may be read and assigned; a run is atomic. Called with nodes, or while
    a graph is open, f itself runs and its nodes become part of that graph. Of a function that will
    be called often, `runs` says about how often, so that it is compiled at once.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> @pg.function
    ... def distance(x, y):
    ...     return pg.sqrt(pg.sum((x - y) ** 2))
    >>> distance(np.array([3.0, 0.0]), np.array([0.0, 4.0]))
    array(5.)
    """
    if f is None:
        return partial(function, engine=engine, runs=runs)
    return Function(f, engine=engine, runs=runs)


class Traced:
    """One trace: which arguments are fed, the compiled program, and the form of its results."""

    def __init__(
        self, f: Callable[..., Any], args: Any, kwargs: Any, forms: tuple[Any, ...], engine: str
    ) -> None:
        given = leaves([args, kwargs])
        # Objects that are part of the signature by identity stay alive; what is fed doesn't.
        self.held = [leaf for leaf, form in zip(given, forms) if type(form) is not tuple]
        self.fed = [place for place, form in enumerate(forms) if type(form) is tuple]
        self.found = found = trace(f, args, kwargs, forms)  # as f built it, for those who look
        self.result = found.result
        self.program = optimise(found.program)
        self._engine = engine
        self._executables: dict[str, Executable] = {}  # by engine
        self._executables[get_engine(engine).name] = get_engine(engine).compile(self.program)

    @property
    def executable(self) -> Executable:
        """The program compiled for its engine, or while this thread is recorded for that one's."""
        engine = get_engine(self._engine)
        if engine.name not in self._executables:
            self._executables[engine.name] = engine.compile(self.program)
        return self._executables[engine.name]

    def run(self, given: list[Any]) -> Any:
        """The results for these leaves of arguments, in the form that f returned them."""
        return self.returned(self.executable([_array(given[place]) for place in self.fed]))

    def returned(self, outputs: list[Array]) -> Any:
        """The outputs of a run in the form that f returned them."""
        values = iter(outputs)
        return rebuilt(self.result, (_returned(x, values) for x in leaves(self.result)))


class LastCall(NamedTuple):
    """The last call of a function, if its arguments were plain arrays: the next one is usually
    alike, and then nothing needs to be looked up."""

    changes: int  # how often settings had been changed
    count: int
    forms: list[tuple[tuple[int, ...], DType]]  # of each argument
    run: Callable[[Sequence[Array]], list[Array]]
    form: Callable[[list[Array]], Any] | None  # what f returned, of the outputs; None: the first

    @staticmethod
    def of(traced: Traced, args: tuple[Any, ...], changes: int) -> LastCall | None:
        """What there is to remember of this call, if anything."""
        plain = all(type(one) is ndarray and one.dtype in DTYPES for one in args)
        if not plain or len(traced.fed) != len(args):
            return None
        forms = [(one.shape, one.dtype) for one in args]
        result, form = traced.result, traced.returned
        if isinstance(result, Node) and has_value(result):
            form = None
        elif type(result) is tuple and all(isinstance(x, Node) and has_value(x) for x in result):
            form = tuple
        return LastCall(changes, len(args), forms, traced.executable.__call__, form)


def _returned(leaf: Any, values: Iterator[Array]) -> Any:
    """The next value for a node that has one, None for one without, anything else as it is."""
    if not isinstance(leaf, Node):
        return leaf
    return next(values) if has_value(leaf) else None


class Found(NamedTuple):
    """What a trace found: f's result with nodes in place of arrays, and the Program of it.

    `arguments` are the args and kwargs that f was called with, placeholders for what is fed.
    """

    result: Any
    program: Program
    arguments: list[Any]


def trace(
    f: Callable[..., Any], args: Any, kwargs: Any, forms: Sequence[Hashable] | None = None
) -> Found:
    """Call f with placeholders for what is fed of the arguments, and keep what it builds."""
    given = leaves([args, kwargs])
    forms = tuple(map(_form, given)) if forms is None else forms
    graph = Trace()
    with opened(graph, hidden=True):
        new = [_traced(leaf, form) for leaf, form in zip(given, forms, strict=True)]
        arguments = rebuilt([args, kwargs], iter(new))
        _name(f, *arguments)
        result = f(*arguments[0], **arguments[1])
        returned = graph.adopt(tuple(x for x in leaves(result) if isinstance(x, Node)))
    outputs = [x for x in returned if has_value(x)]
    fed = {x: (x.shape, x.dtype) for x, form in zip(new, forms) if type(form) is tuple}
    return Found(result, specialise(outputs, fed, assigned=graph.assigned), arguments)


def _name(f: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """Give the placeholders of a trace the names of f's parameters."""
    try:
        bound = inspect.signature(f).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):  # f itself says better what is wrong
        return
    for name, value in bound.items():
        found = [leaf for leaf in leaves(value) if type(leaf) is Placeholder]
        for number, node in enumerate(found):
            node._name = name if len(found) == 1 else f"{name}{number}"


class Trace(Scratch):
    """The graph of one trace: sees assignments in the order the function makes them."""

    def __init__(self) -> None:
        super().__init__()
        self.assigned: dict[Variable, Node] = {}
        self._reads: dict[Variable, Node] = {}
        self._captured: dict[Node, Node] = {}

    def add(self, node: Node) -> None:
        if isinstance(node, Assign):
            self.assigned[node.attributes["variable"]] = node

    def adopt(self, inputs: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple(self._seen(x) for x in Graph.adopt(self, inputs))

    def _seen(self, x: Node) -> Node:
        """What a node is inside the trace: an assigned Variable its new value, a node that was
        computed outside its value."""
        if isinstance(x, Variable) and x in self.assigned:
            assigned = self.assigned[x]
            if x not in self._reads or self._reads[x].inputs[0] is not assigned:
                self._reads[x] = Latest(assigned, variable=x)
            return self._reads[x]
        if isinstance(x, Operation) and not x.deferred:
            if x not in self._captured:
                self._captured[x] = Constant(x.numpy())
            return self._captured[x]
        return x

    def check_new_variable(self) -> None:
        raise GraphError(
            "a Variable can't be made inside pg.function, where it would be lost after the trace.",
            hint="Make it before.",
        )


def _is_tensor(leaf: Any) -> bool:
    return isinstance(leaf, Node) and not isinstance(leaf, Variable)


def _form(leaf: Any) -> Hashable:
    """What of a leaf is part of the signature: a tuple for what is fed, else the leaf itself."""
    if type(leaf) is np.ndarray or isinstance(leaf, np.generic):
        return leaf.shape, leaf.dtype if leaf.dtype in DTYPES else as_array(leaf).dtype
    if type(leaf) is float or type(leaf) is int:
        return (), type(leaf)
    return Static(leaf)


class Static:
    """A leaf that is part of the signature, compared with its type; Variables by identity."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Static) or type(self.value) is not type(other.value):
            return False
        if isinstance(self.value, Node):
            return self.value is other.value
        return bool(self.value == other.value)


def _structure(tree: Any) -> Hashable:
    """The form of a tree without its leaves."""
    if isinstance(tree, dict):
        return "dict", tuple((key, _structure(branch)) for key, branch in tree.items())
    if isinstance(tree, (list, tuple)):
        return type(tree).__name__, tuple(map(_structure, tree))
    return None


def _traced(leaf: Any, form: Any) -> Any:
    """The placeholder that stands for a leaf in the trace, or the leaf where it is static."""
    if type(form) is not tuple:
        return leaf
    shape, kind = form
    if kind is not float and kind is not int:
        return Placeholder(shape, dtype=kind)
    node = Placeholder((), dtype=float64 if kind is float else int64)
    node.weak = kind(0)
    return node


def _array(leaf: Any) -> Array:
    if type(leaf) is float:
        return np.asarray(leaf, float64)
    if type(leaf) is int:
        return Constant.of(leaf, int64).numpy()
    return leaf if type(leaf) is np.ndarray and leaf.dtype in DTYPES else as_array(leaf)
