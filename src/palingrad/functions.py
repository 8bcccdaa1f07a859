"""pg.function: traces a Python function into a Program, once for each signature."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial, update_wrapper
from typing import Any

from numpy import ndarray

from .classes import NamedTuple
from .dtypes import DTYPES, Array, as_array, setting_changes
from .engines.base import Executable
from .engines.selection import get_engine, precise
from .errors import ArgumentError, DTypeError, ShapeError
from .graph.context import context, defaults, held, nothing_open
from .graph.leaves import Constant, Variable
from .graph.node import Node
from .graph.state.lazy import lazy
from .messages.calls import public
from .messages.checks import shown
from .passes.program import Program
from .programs import MAX_PROGRAMS, Compiled, ProgramCache, warn_of_eviction, what_varies
from .signature import (
    Reads,
    Signature,
    Static,
    StaticArguments,
    array_of,
    form_of,
    is_fed,
    parameter_names,
    settings,
    structure,
)
from .tracing import TraceResult, trace
from .trees import leaves, mapped, rebuilt

VALUE = object()  # in the structure of results: the position of a node's value


class Function:
    """A function compiled on first call for each signature; see `function`."""

    def __init__(
        self,
        f: Callable[..., Any],
        *,
        engine: str | None = None,
        precision: str | None = None,
        runs: int = 0,
        static_argnums: int | Collection[int] = (),
        static_argnames: str | Collection[str] = (),
        max_programs: int = MAX_PROGRAMS,
    ) -> None:
        update_wrapper(self, f)
        self.__name__ = getattr(f, "__name__", type(f).__name__)  # for messages: a model has none
        self._f = f
        self._runs = runs
        self._engine, self._precision = engine, precision
        self._static = StaticArguments(f, static_argnames, static_argnums)
        self._programs: ProgramCache[CompiledTrace] = ProgramCache(max_programs)
        self._latest: LastCall | None = None

    def __reduce__(self) -> str:
        return self.__qualname__  # by its name, as Python's functions are

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        latest = self._latest
        if latest is not None and not kwargs:
            # Inlined, because this path must take only a few microseconds.
            changes, count, forms, run, form, unchanged, _ = latest
            if changes == setting_changes[0] and len(args) == count:
                place = 0
                for x in args:
                    if (
                        type(x) is not ndarray
                        or x.dtype is not forms[place]
                        or x.shape != forms[place + 1]
                    ):
                        break
                    place += 2
                else:
                    state = held()
                    if state is not nothing_open or defaults:
                        state = context()
                    if (
                        state is nothing_open
                        or (state.graph is None and not state.observers and not state.placement)
                    ) and (unchanged is None or unchanged()):
                        outputs = run(args)
                        return outputs[0] if form is None else form(outputs)
        given = leaves([args, kwargs])
        if context().graph is not None or any(map(_is_tensor, given)):
            args = tuple([x.value if type(x) is Static else x for x in args])  # see `_method`
            return self._f(*args, **kwargs)  # joins the surrounding graph, so that gradients flow
        changes, read = setting_changes[0], self._reads.values()
        traced, fed = self._lookup(args, kwargs, given, read)
        state = context()
        if not kwargs and not state.observers and state.placement is None:
            self._latest = LastCall.of(traced, args, changes, self._reads, read)
        return traced.returned(traced(fed))

    def repeat(self, *args: Any, along: Collection[int]) -> Any:
        """Call f for each index of the first axis of the arrays whose numbers are in `along`, and
        stack the results. If possible, all calls are one call of native code. All arguments are
        arrays. Negative numbers count from the last array.

        >>> import numpy as np
        >>> import palingrad as pg
        >>> pg.function(lambda x, y: x * y).repeat(np.arange(3), np.array(2), along=(0,))
        array([0, 2, 4])
        """
        arrays = [as_array(x) for x in args]
        along = _numbers(self.__name__, along, arrays)
        counts = {arrays[number].shape[0] for number in along}
        if len(counts) != 1:
            raise ShapeError(
                f"{self.__name__}: repeat needs arrays of one length, got {sorted(counts)}.",
                hint="The arrays whose numbers are in `along` have a row for each call.",
            )
        (times,) = counts
        if times == 0:
            raise ShapeError(f"{self.__name__}: repeat needs at least one call, got none")
        first = [array[0] if number in along else array
                 for number, array in enumerate(arrays)]  # fmt: skip
        traced = self._compiled(tuple(first), {})  # the program of one call
        return traced.returned(traced.repeat(arrays, times, along))

    def explain(self, *args: Any, **kwargs: Any) -> str:
        """A listing of the steps that a call with such arguments would run."""
        return self._compiled(args, kwargs).executable.explain()

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """The Program that a call with such arguments would run, for example to draw it."""
        return self._compiled(args, kwargs).program

    def trace(self, *args: Any, **kwargs: Any) -> TraceResult:
        """The trace of f for such arguments, before any pass; calls f."""
        return trace(self._f, *self._static.marked(args, kwargs))

    def read_as(self, f: Callable[..., Any]) -> None:
        """Take the outer variables of f, which this function calls, for its own."""
        self.__dict__["_reads"] = Reads(f)

    @lazy
    def _reads(self) -> Reads:
        return Reads(self._f)  # at the first call, when the variables are defined

    def _compiled(self, args: Any, kwargs: Any) -> CompiledTrace:
        return self._lookup(args, kwargs, leaves([args, kwargs]), self._reads.values())[0]

    def _lookup(
        self, args: Any, kwargs: Any, given: list[Any], read: list[Any]
    ) -> tuple[CompiledTrace, list[Array]]:
        """The compiled program for these arguments, made if it is new, and the arrays to feed.

        `given` are the leaves of the arguments, `read` the values of the outer variables of f.
        """
        if self._static.places:
            args, kwargs = self._static.marked(args, kwargs)
            given = leaves([args, kwargs])
        key = self._signature(given, args, kwargs, read)
        try:
            traced = self._programs.get(key)
        except TypeError:
            raise self._unhashable(key, args, kwargs) from None
        if traced is None:
            traced = self._programs.make(
                key, lambda: CompiledTrace(self._f, args, kwargs, key, self._runs), key.mortal()
            )
            keys = self._programs.overflow()
            if keys:
                names = parameter_names(self._f, args, kwargs)
                why = what_varies(keys, names, self._reads.names)
                warn_of_eviction(f"pg.function {self.__name__!r}", self._programs.limit, why)
        fed = [leaf for leaf, form in zip(given, key.forms) if is_fed(form)]
        traced.check_numbers(fed, self.__name__)
        return traced, [array_of(leaf) for leaf in fed]

    def _signature(self, given: list[Any], args: Any, kwargs: Any, read: list[Any]) -> Signature:
        try:
            forms = tuple(map(form_of, given))
        except DTypeError as error:
            raise DTypeError(f"{self.__name__}: {error}") from None
        return Signature(
            forms,
            self._reads.forms(read),
            structure([args, kwargs]),
            get_engine(
                precise(self._engine, self._precision), observed=False
            ).name,  # a recorded run shares the trace
            settings(),
        )

    def _unhashable(self, key: Signature, args: Any, kwargs: Any) -> ArgumentError:
        names = parameter_names(self._f, args, kwargs)
        what = [
            f"{name}={form.value!r:.80}"
            for form, name in zip(key.forms, names, strict=True)
            if isinstance(form, Static) and not form.hashable()
        ]
        return ArgumentError(
            f"{self.__name__}: an argument is neither numbers nor hashable: {', '.join(what)}.",
            hint="Numbers, arrays, and lists and dicts of them are fed: leave such an argument out "
            "of static_argnames. A static argument is a number, a string or a tuple, not a set.",
        )

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method: the instance is a static argument, compared by identity."""
        return self if instance is None else partial(self._method, instance)

    def _method(self, instance: Any, /, *args: Any, **kwargs: Any) -> Any:
        return self(Static(instance, by_identity=True), *args, **kwargs)

    __name__: str
    __qualname__: str


@public
def function(
    f: Callable[..., Any] | None = None,
    *,
    engine: str | None = None,
    precision: str | None = None,
    runs: int = 0,
    static_argnums: int | Collection[int] = (),
    static_argnames: str | Collection[str] = (),
    max_programs: int = MAX_PROGRAMS,
) -> Any:
    """`f` compiled: traced into a Program once for each signature of its arguments.

    Arrays and Python numbers (also inside lists, tuples and dicts) are fed to each run; a new shape
    or dtype is traced again. All other values (booleans, strings, Variables, objects) are part of
    the signature, and so are the arguments that `static_argnames` names or `static_argnums` counts
    from 0, which f can therefore use as a size, an axis or in an `if`. Variables may be read and
    assigned; a run is atomic.

    f's Python code runs only while it is traced. Rebinding a variable that f's own code reads, a
    global or one of an enclosing function, changes the signature. Attributes and elements of such a
    variable, and variables that only called functions read, are read once for each signature: pass
    them as arguments, or make them a `pg.Variable`.

    The programs of the `max_programs` most recently used signatures are cached; the first eviction
    raises a warning. Objects that are compared by identity aren't kept alive: their programs are
    dropped with them. Called with nodes, or while a graph is open, f itself runs and its nodes
    become part of that graph. `runs` is the expected number of calls: if it is large, the program
    is compiled at the first call. precision="bfloat16" has the xla engine compute float32 so.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> @pg.function
    ... def distance(x, y):
    ...     return pg.sqrt(pg.sum((x - y) ** 2))
    >>> distance(np.array([3.0, 0.0]), np.array([0.0, 4.0]))
    array(5.)
    """
    if f is not None and not callable(f):
        raise ArgumentError(
            f"pg.function: expected a function, got {type(f).__name__} {shown(f)}.",
            hint="Write pg.function(lambda x: …), or @pg.function above a def.",
        )
    options: Any = {
        "engine": engine,
        "precision": precision,
        "runs": runs,
        "static_argnums": static_argnums,
        "static_argnames": static_argnames,
        "max_programs": max_programs,
    }
    return partial(function, **options) if f is None else Function(f, **options)


class CompiledTrace(Compiled):
    """A compiled trace, and the structure of its results."""

    def __init__(
        self, f: Callable[..., Any], args: Any, kwargs: Any, key: Signature, runs: int
    ) -> None:
        traced = trace(f, args, kwargs, key.forms)
        nodes = [x for x in leaves(traced.result, dataclasses=True) if isinstance(x, Node)]
        super().__init__(nodes, traced.program, key.engine, runs=runs)
        # Without the nodes, which would keep alive everything that f built and its arguments, and
        # without the objects in the signature that are held weakly.
        mortal = {id(one.value): one for one in key.statics() if one.mortal}

        def returned(leaf: Any) -> Any:
            return VALUE if isinstance(leaf, Node) else mortal.get(id(leaf), leaf)

        self.form = mapped(returned, traced.result, dataclasses=True)
        self._leaves = leaves(self.form, dataclasses=True)
        fed = [x for x, form in zip(leaves(traced.arguments), key.forms) if is_fed(form)]
        self.fed = len(fed)
        self._must_fit = [
            (number, x.name, dtype) for number, x in enumerate(fed) for dtype in set(x.must_fit)
        ]

    def check_numbers(self, fed: Sequence[Any], name: str) -> None:
        """Raise DTypeError unless each fed Python integer fits the dtypes it takes beside arrays,
        as a number in f's code must."""
        for number, argument, dtype in self._must_fit:
            try:
                Constant.of(fed[number], dtype)
            except DTypeError as error:
                raise DTypeError(
                    f"{name}: argument {argument!r}: {error}, the dtype of an array beside it.",
                    hint=f"Pass an array: np.array({fed[number]}).",
                ) from None

    def returned(self, values: Sequence[Array | None]) -> Any:
        """The values of a run, in the structure of f's result."""
        if self.form is VALUE:
            return values[0]
        given = iter(values)
        return rebuilt(
            self.form,
            (
                next(given) if leaf is VALUE else leaf.value if type(leaf) is Static else leaf
                for leaf in self._leaves
            ),
            dataclasses=True,
        )

    def returned_outputs(self, outputs: Sequence[Array]) -> Any:
        """The outputs of a run, in the structure of f's result."""
        return self.returned(self.spread(outputs))


class LastCall(NamedTuple):
    """An inline cache of the last call with plain arrays: a next call of the same signature skips
    the lookup."""

    changes: int  # the value of `setting_changes`
    count: int  # of arguments
    forms: list[Any]  # dtype and shape of each argument
    run: Callable[[Sequence[Array]], list[Array]]
    form: Callable[[list[Array]], Any] | None  # from outputs to f's result; None: the first output
    unchanged: Callable[[], bool] | None  # whether f's outer variables are, if it has any
    executable: Executable  # which `run`, its shortest call, needs

    @staticmethod
    def of(
        traced: CompiledTrace,
        args: tuple[Any, ...],
        changes: int,
        reads: Reads,
        read: list[Any],
    ) -> LastCall | None:
        """The cache entry for this call, or None if its arguments aren't all plain arrays."""
        plain = all(type(x) is ndarray and x.dtype in DTYPES for x in args)
        if not plain or traced.fed != len(args) or len(read) != len(reads.names):
            return None
        forms = [part for x in args for part in (x.dtype, x.shape)]
        form: Any = traced.returned_outputs
        if traced.all_valued and traced.form is VALUE:
            form = None
        elif (
            traced.all_valued
            and type(traced.form) is tuple
            and all(one is VALUE for one in traced.form)
        ):
            form = tuple
        executable = traced.executable
        unchanged = reads.watch(read) if read else None
        return LastCall(changes, len(args), forms, executable.shortest, form, unchanged, executable)


def _is_tensor(leaf: Any) -> bool:
    return isinstance(leaf, Node) and not isinstance(leaf, Variable)


def _numbers(name: str, along: Any, arrays: Sequence[Array]) -> set[int]:
    """The numbers in `along`, from 0; raises ArgumentError unless each is that of an array with a
    first axis."""
    n = len(arrays)
    try:
        numbers = {range(n)[number] for number in along}
    except (TypeError, IndexError):
        raise ArgumentError(
            f"{name}: repeat expects as `along` numbers of its {n} arrays, got {along!r:.60}.",
            hint="Write along=(0,) for the first array.",
        ) from None
    for number in numbers:
        if arrays[number].ndim == 0:
            raise ShapeError(
                f"{name}: repeat goes along array {number}, which has no axis.",
                hint="Arrays that aren't in `along` are the same in all calls.",
            )
    return numbers
