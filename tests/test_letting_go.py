"""Nothing is kept that nobody needs: feeds, results, functions, models, machine code."""

from __future__ import annotations

import gc
import tracemalloc
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.eager import tapes
from palingrad.engines.native.llvm.target import Library
from palingrad.engines.native.runtime import thread_pool
from soak.repeated import DROPPED, ENGINES, QUICK, X

every_engine = pytest.mark.parametrize("engine", ENGINES)


@pytest.fixture
def counted() -> Iterator[None]:
    """Counting references is enough: the garbage collector rests. What other tests left lives to
    the end: else each look at all objects takes a quarter of a second."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("name", [*QUICK, *DROPPED])
@pytest.mark.usefixtures("counted")
def test_what_programs_repeat_leaves_no_object_and_no_cycle(name, monkeypatch):
    """The structures of eager tapes are dropped too, of which only few are kept here."""
    monkeypatch.setattr(tapes, "_structures", tapes.ProgramCache(2))
    once = {**QUICK, **DROPPED}[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of programs that are evicted
        for k in range(9):
            once(k)
        before = objects()
        for k in range(9, 15):
            once(k)
    assert gc.collect() == 0
    assert objects() - before < 6


def objects() -> int:
    """The number of objects, without weak references: a node prunes those to its consumers from
    time to time."""
    gc.collect()
    return sum(type(one) is not weakref.ref for one in gc.get_objects())


# -------------------------------------------------------------------------------- feeds


class Twice(pg.Custom):
    """A user's operation, which every engine leaves to NumPy."""

    samples = ()

    def compute(self, x):
        return x * 2.0


v = pg.Variable(np.ones((1, 1)))


def updating(x: Any) -> Any:
    """A view of the feed, beside an update."""
    v.assign(v * 0.5)
    return x.T[0]


FED: list[Callable[[Any], Any]] = [
    lambda x: pg.sum(pg.tanh(x)),
    lambda x: x.T[0],
    lambda x: pg.sum(Twice(x + 1.0)),
    lambda x: pg.sum(x * v),
    updating,
    lambda x: (updating(x), pg.sum(x))[1],
    lambda x: pg.sum(pg.split(x, 2, axis=0)[0]),
]


@every_engine
@pytest.mark.parametrize("number", range(len(FED)))
@pytest.mark.parametrize("contiguous", [True, False])
@pytest.mark.usefixtures("counted")
def test_a_run_keeps_neither_its_feeds_nor_copies_of_them(engine, number, contiguous):
    f = pg.function(FED[number], engine=engine)
    f(fed(contiguous)), f(fed(contiguous))
    with pg.Graph() as graph:
        x = pg.placeholder(name="x")
        y = [pg.tanh(x)[0], x.T[0]]
    session = pg.Session(graph, engine=engine)
    session.run(y, {x: fed(contiguous)})
    tracemalloc.start()
    try:
        f(fed(contiguous)), session.run(y, {x: fed(contiguous)})
        assert tracemalloc.get_traced_memory()[0] < 200_000
    finally:
        tracemalloc.stop()


def fed(contiguous: bool) -> Any:
    """An array of 320 kB."""
    return np.ones((200, 200)) if contiguous else np.ones((200, 400))[:, ::2]


# -------------------------------------------------------------------------------- objects


class Thing:
    def __init__(self) -> None:
        self.factor = 2.0


@every_engine
@pytest.mark.usefixtures("counted")
def test_an_outer_variable_that_was_set_anew_is_freed(engine, monkeypatch):
    """Before the next call, too; a name that then is None isn't taken for the freed object."""
    outer = Thing()
    monkeypatch.setitem(globals(), "somewhere", Thing())
    f = pg.function(lambda x: x * outer.factor * somewhere.factor, engine=engine)  # noqa: F821
    for _ in range(2):
        np.testing.assert_array_equal(f(X), 4 * X)
    freed = [weakref.ref(outer), weakref.ref(globals()["somewhere"])]
    outer, globals()["somewhere"] = None, None
    monkeypatch.undo()
    assert [one() for one in freed] == [None, None]
    assert not f._programs.values()
    with pytest.raises((AttributeError, NameError)):
        f(X)


@every_engine
@pytest.mark.usefixtures("counted")
def test_an_argument_that_is_returned_is_freed(engine):
    f = pg.function(lambda x, thing: (x * thing.factor, [thing]), engine=engine)
    thing = Thing()
    for _ in range(2):
        result, (same,) = f(X, thing)
        assert same is thing
        np.testing.assert_array_equal(result, 2 * X)
    freed = weakref.ref(thing)
    del thing, same
    assert freed() is None
    assert not f._programs.values()


def reader_and_step(w: pg.Variable, engine: str) -> tuple[Any, Any]:
    """A function that reads the Variable, and one that updates it."""

    def step(x: Any) -> Any:
        w.assign(w + pg.sum(x))
        return pg.sum(x)

    read = pg.function(lambda x: pg.sum(w) + pg.sum(x), engine=engine)
    return read, pg.function(step, engine=engine)


@every_engine
@pytest.mark.usefixtures("counted")
def test_programs_keep_no_former_values_of_variables(engine):
    """One program for each shape, which runs once, before the next change."""
    w = pg.Variable(np.zeros(1000))
    read, step = reader_and_step(w, engine)
    values: list[weakref.ref[Any]] = []
    for size in range(1, 7):
        w.assign(np.full(1000, float(size)))
        values.append(weakref.ref(w.value))
        assert read(np.ones(size)) == 1001 * size
        step(np.ones(size))
        values.append(weakref.ref(w.value))
        assert read(np.ones(size)) == 2001 * size
    assert len({id(one()) for one in values} - {id(None)}) <= 2


def test_steps_copy_no_variable_that_only_programs_have_read():
    w = pg.Variable(np.zeros(5000))
    read, step = reader_and_step(w, "native")
    places = set()
    for number in range(9):
        step(np.ones(number % 3 + 1)), read(np.ones(2))
        places.add(w.numpy().ctypes.data)
    assert len(places) == 1


# -------------------------------------------------------------------------------- programs


@every_engine
@pytest.mark.usefixtures("counted")
def test_evicted_programs_are_freed_with_their_machine_code(engine, monkeypatch):
    libraries: weakref.WeakSet[Library] = weakref.WeakSet()
    make = Library.__init__
    monkeypatch.setattr(
        Library,
        "__init__",
        lambda self, code, *more: (make(self, code, *more), libraries.add(self))[0],
    )
    w = pg.Variable(1.0)
    f = pg.function(lambda x: w.assign(w + pg.sum(x)), engine=engine, max_programs=2)
    x = pg.placeholder()
    session, y = pg.Session(engine=engine, max_programs=2), pg.sum(x)
    programs: list[weakref.ref[Any]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for size in range(1, 7):
            f(np.ones(size))
            session.run(y, {x: np.ones(size)})
            newest = [f._programs.values()[-1], session._programs.values()[-1]]
            programs += [weakref.ref(one) for one in newest]
            del newest
    assert sum(one() is not None for one in programs) == 4
    assert len(libraries) == (4 if engine == "native" else 0)
    session.close()
    del f
    assert not any(one() for one in programs)
    assert w.numpy() == 22.0  # which ends the last program's lease of w
    assert not libraries


@pytest.mark.usefixtures("counted")
def test_a_stopped_pool_of_threads_is_freed():
    before = pg.get_num_threads()
    run = pg.function(lambda x: pg.tanh(x) * x, engine="native")
    try:
        pg.set_num_threads(2)
        run(np.ones((300, 500), np.float32))
        stopped = weakref.ref(thread_pool._pools[0])
        pg.set_num_threads(1)
        run(np.ones((300, 500), np.float32))
        assert stopped() is None
    finally:
        pg.set_num_threads(before)
