"""pg.function: a Python function traced into a Program once for each signature."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property, partial, update_wrapper
from typing import Any, NamedTuple

from numpy import ndarray

from .dtypes import DTYPES, Array, DType, as_array, default_dtype, setting_changes
from .engines.selection import get_engine
from .errors import DTypeError, ShapeError
from .graph.context import context
from .graph.leaves import Variable
from .graph.node import Node
from .passes.program import Program
from .programs import MAX_PROGRAMS, Compiled, ProgramCache, warn_of_crowd
from .signature import (
    Reads,
    Signature,
    Static,
    StaticArguments,
    array_of,
    form_of,
    is_fed,
    parameter_names,
    structure,
    what_varies,
)
from .tracing import TraceResult, trace
from .trees import leaves, mapped, rebuilt

VALUE = object()  # stands in the form of results where a node's value belongs


class Function:
    """A function compiled on first call for each signature; see `function`."""

    def __init__(
        self,
        f: Callable[..., Any],
        *,
        engine: str | None = None,
        runs: int = 0,
        static_argnames: str | Collection[str] = (),
        max_programs: int = MAX_PROGRAMS,
    ) -> None:
        update_wrapper(self, f)
        self._f = f
        self._runs = runs
        self._engine = engine
        self._static = StaticArguments(f, static_argnames)
        self._programs: ProgramCache[CompiledTrace] = ProgramCache(max_programs)
        self._latest: LastCall | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        latest = self._latest
        if latest is not None and not kwargs:
            # Written out: what runs often may take a few microseconds.
            changes, count, forms, run, form, unchanged = latest
            if changes == setting_changes[0] and len(args) == count:
                for one, (shape, dtype) in zip(args, forms):
                    if type(one) is not ndarray or one.dtype is not dtype or one.shape != shape:
                        break
                else:
                    if (
                        context.graph is None
                        and not context.observers
                        and (unchanged is None or unchanged())
                    ):
                        outputs = run(args)
                        return outputs[0] if form is None else form(outputs)
        given = leaves([args, kwargs])
        if context.graph is not None or any(map(_is_tensor, given)):
            return self._f(*args, **kwargs)  # part of a larger graph, so that gradients flow
        changes, read = setting_changes[0], self._reads.values()
        traced, fed = self._found(args, kwargs, given, read)
        if not kwargs and not context.observers:
            self._latest = LastCall.of(traced, args, changes, self._reads, read)
        return traced.returned(traced(fed))

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
        traced = self._compiled(tuple(one), {})  # the program of a call
        return traced.returned(traced.repeat(arrays, times, along))

    def explain(self, *args: Any, **kwargs: Any) -> str:
        """What a call with such arguments runs, step by step; nothing is run."""
        return self._compiled(args, kwargs).executable.explain()

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """The Program that a call with such arguments runs, say to draw it; nothing is run."""
        return self._compiled(args, kwargs).program

    def trace(self, *args: Any, **kwargs: Any) -> TraceResult:
        """What f builds for such arguments, before any pass; f itself is called for it."""
        return trace(self._f, *self._static.marked(args, kwargs))

    @cached_property
    def _reads(self) -> Reads:
        return Reads(self._f)  # at the first call, when all that f reads is defined

    def _compiled(self, args: Any, kwargs: Any) -> CompiledTrace:
        return self._found(args, kwargs, leaves([args, kwargs]), self._reads.values())[0]

    def _found(
        self, args: Any, kwargs: Any, given: list[Any], read: list[Any]
    ) -> tuple[CompiledTrace, list[Array]]:
        """The compiled program for these arguments, made if it is new, and what it is fed. `given`
        are their leaves, `read` the values of the variables that f reads."""
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
            crowd = self._programs.crowd()
            if crowd:
                names = parameter_names(self._f, args, kwargs)
                why = what_varies(crowd, names, self._reads.names)
                warn_of_crowd(f"pg.function {self.__name__!r}", self._programs.limit, why)
        return traced, [array_of(one) for one, form in zip(given, key.forms) if is_fed(form)]

    def _signature(self, given: list[Any], args: Any, kwargs: Any, read: list[Any]) -> Signature:
        try:
            forms = tuple(map(form_of, given))
        except DTypeError as error:
            raise DTypeError(f"{self.__name__}: {error}") from None
        return Signature(
            forms,
            self._reads.forms(read),
            structure([args, kwargs]),
            get_engine(self._engine, observed=False).name,  # whoever records shares the trace
            default_dtype(),
        )

    def _unhashable(self, key: Signature, args: Any, kwargs: Any) -> TypeError:
        names = parameter_names(self._f, args, kwargs)
        what = [
            f"{name}={form.value!r:.80}"
            for form, name in zip(key.forms, names, strict=True)
            if isinstance(form, Static) and not form.hashable()
        ]
        return TypeError(
            f"{self.__name__}: an argument is neither numbers nor hashable: {', '.join(what)}"
        )

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method: the instance is an argument, told apart by identity."""
        return self if instance is None else partial(self, instance)

    __name__: str


def function(
    f: Callable[..., Any] | None = None,
    *,
    engine: str | None = None,
    runs: int = 0,
    static_argnames: str | Collection[str] = (),
    max_programs: int = MAX_PROGRAMS,
) -> Any:
    """`f` compiled: traced into a Program once for each signature of its arguments, then fast.

    Arrays and Python numbers (also inside lists, tuples and dicts) are fed to each run; a change of
    shape or dtype traces again. Everything else (booleans, strings, Variables, objects) is part of
    the signature, and so are the arguments that `static_argnames` names, whose values Python then
    knows: as a size, an axis, in an `if`. Variables may be read and assigned; a run is atomic.

    f's Python runs only while it is traced. To rebind a variable that f's own code reads, a global
    or one of the function around it, makes another signature. What is inside such a value, as an
    attribute, an element or an array's numbers, is read once for each signature, and so is what
    functions that f calls read: give it as an argument, or make it a `pg.Variable`.

    The programs of the `max_programs` signatures used last are kept, and a warning says when one
    has to go. Objects that are told apart by identity aren't kept alive: their programs go with
    them. Called with nodes, or while a graph is open, f itself runs and its nodes become part of
    that graph. Of a function that will be called often, `runs` says about how often, so that it is
    compiled at once.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> @pg.function
    ... def distance(x, y):
    ...     return pg.sqrt(pg.sum((x - y) ** 2))
    >>> distance(np.array([3.0, 0.0]), np.array([0.0, 4.0]))
    array(5.)
    """
    options: Any = {
        "engine": engine,
        "runs": runs,
        "static_argnames": static_argnames,
        "max_programs": max_programs,
    }
    return partial(function, **options) if f is None else Function(f, **options)


class CompiledTrace(Compiled):
    """One trace compiled, and the form of its results."""

    def __init__(
        self, f: Callable[..., Any], args: Any, kwargs: Any, key: Signature, runs: int
    ) -> None:
        found = trace(f, args, kwargs, key.forms)
        nodes = [leaf for leaf in leaves(found.result) if isinstance(leaf, Node)]
        super().__init__(nodes, found.program, key.engine, runs=runs)
        # Without the nodes, which would keep alive all that f built and was given.
        self.form = mapped(lambda leaf: VALUE if isinstance(leaf, Node) else leaf, found.result)
        self._leaves = leaves(self.form)
        self.fed = sum(map(is_fed, key.forms))

    def returned(self, values: Sequence[Array | None]) -> Any:
        """The values of a run in the form that f returned them."""
        if self.form is VALUE:
            return values[0]
        given = iter(values)
        return rebuilt(self.form, (next(given) if one is VALUE else one for one in self._leaves))

    def returned_outputs(self, outputs: Sequence[Array]) -> Any:
        """The outputs of a run in the form that f returned them."""
        return self.returned(self.spread(outputs))


class LastCall(NamedTuple):
    """The last call of a function, if its arguments were plain arrays: the next one is usually
    alike, and then nothing needs to be looked up."""

    changes: int  # how often settings had been changed
    count: int
    forms: list[tuple[tuple[int, ...], DType]]  # of each argument
    run: Callable[[Sequence[Array]], list[Array]]
    form: Callable[[list[Array]], Any] | None  # what f returned, of the outputs; None: the first
    unchanged: Callable[[], bool] | None  # whether the variables that f reads are, if it does

    @staticmethod
    def of(
        traced: CompiledTrace,
        args: tuple[Any, ...],
        changes: int,
        reads: Reads,
        read: list[Any],
    ) -> LastCall | None:
        """What there is to remember of this call, if anything."""
        plain = all(type(one) is ndarray and one.dtype in DTYPES for one in args)
        if not plain or traced.fed != len(args) or len(read) != len(reads.names):
            return None
        forms = [(one.shape, one.dtype) for one in args]
        form: Any = traced.returned_outputs
        if traced.all_valued and traced.form is VALUE:
            form = None
        elif traced.all_valued and type(traced.form) is tuple and set(traced.form) == {VALUE}:
            form = tuple
        run = traced.executable.__call__
        unchanged = reads.watch(read) if read else None
        return LastCall(changes, len(args), forms, run, form, unchanged)


def _is_tensor(leaf: Any) -> bool:
    return isinstance(leaf, Node) and not isinstance(leaf, Variable)
