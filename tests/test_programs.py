"""Compiled programs: a bounded cache, shared by threads, that lets go of what nobody needs."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import warnings
import weakref

import numpy as np
import pytest

import palingrad as pg
from palingrad import programs
from palingrad.programs import ProgramCache
from tolerances import assert_same


@pytest.mark.tiny
def test_the_program_used_longest_ago_makes_room():
    made: list[str] = []
    cache: ProgramCache[str] = ProgramCache(2)

    def ask(key: str) -> None:
        if cache.get(key) is None:
            cache.make(key, lambda: made.append(key) or key)

    for key in "abacacb":  # c takes the place of b, and then b that of a
        ask(key)
    assert made == ["a", "b", "c", "b"]
    assert sorted(cache.values()) == ["b", "c"]
    with pytest.raises(ValueError, match="max_programs is 0; expected an integer ≥ 1"):
        ProgramCache(0)


def test_threads_that_need_one_program_make_it_once():
    traces: list[int] = []
    start = threading.Barrier(4)

    @pg.function
    def f(x):
        traces.append(1)
        time.sleep(0.02)  # in which the others come to need it as well
        return x * 2

    def call() -> None:
        start.wait()
        assert_same(f(np.ones(3)), np.full(3, 2.0))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(traces) == 1


# -------------------------------------------------------------------------------- crowds


@pytest.fixture
def compiled(monkeypatch) -> list[weakref.ref]:
    """The programs compiled since the test began, as weak references."""
    made, optimise = [], programs.optimise

    def noted(program):
        optimised = optimise(program)
        made.append(weakref.ref(optimised))
        return optimised

    monkeypatch.setattr(programs, "optimise", noted)
    return made


def warned(call, arguments) -> tuple[list[object], list[str]]:
    """The results of all calls, and what was warned of while they went on."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = [call(one) for one in arguments]
    assert all(one.category is RuntimeWarning and one.filename == __file__ for one in caught)
    return found, [str(one.message) for one in caught]


def test_a_function_keeps_few_programs_and_says_once_what_varies(compiled):
    f = pg.function(lambda x, scale: pg.sum(x) * scale, max_programs=5)
    found, (said,) = warned(lambda size: f(np.ones(size), 2.0), range(20))
    assert found == [2.0 * size for size in range(20)]
    assert said == (
        "pg.function '<lambda>' caches 5 compiled programs; each new one now evicts the least "
        "recently used. Most varied: argument 'x', 6 shapes or dtypes: pad or cut arrays to a few "
        "shapes. To cache more: max_programs=…."
    )
    assert len(compiled) == 20
    for size in range(15, 20):
        f(np.ones(size), 2.0)
    assert len(compiled) == 20  # the last five were kept
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f(np.ones(14), 2.0)
    assert len(compiled) == 21


def test_static_arguments_read_variables_and_trees_are_told_as_what_varies():
    f = pg.function(lambda x, word: x * len(word), max_programs=3)
    found, (said,) = warned(lambda length: f(1.0, "a" * length), range(9))
    assert found == list(range(9))
    assert "argument 'word', 4 values or objects: pass numbers and arrays, which are fed" in said
    factor = 0.0
    g = pg.function(lambda x: x * factor, max_programs=3)

    def scaled(by: float) -> object:
        nonlocal factor
        factor = by
        return g(1.0)

    found, (said,) = warned(scaled, [0.0, 1.0, 2.0, 3.0])
    assert found == [0.0, 1.0, 2.0, 3.0]
    assert "variable 'factor', 4 values: pass it as an argument instead" in said
    h = pg.function(lambda xs: sum(xs), max_programs=3)
    found, (said,) = warned(lambda length: h([1.0] * length), range(1, 5))
    assert found == [1.0, 2.0, 3.0, 4.0]
    assert "the structure of the arguments, 4 lists, tuples or dicts" in said


def test_a_session_keeps_few_programs_and_says_once_what_varies(compiled):
    x = pg.placeholder(name="x")
    session = pg.Session(max_programs=4)
    fetched = []

    def run(by):
        fetched.append(weakref.ref(y := x * by))
        return session.run(y, {x: 2.0})

    found, (said,) = warned(run, map(float, range(9)))
    assert found == [2.0 * number for number in range(9)]
    assert said.startswith("Session caches 4 compiled programs")
    assert "the fetches, 5 lists of nodes: build nodes once, before the runs" in said
    gc.collect()
    assert len(compiled) == 9
    assert [y() is None for y in fetched] == [True] * 5 + [False] * 4  # what else isn't kept
    for y in fetched[5:]:
        session.run(y(), {x: 2.0})
    assert len(compiled) == 9
    total, session = pg.sum(x), pg.Session(max_programs=4)
    found, (said,) = warned(lambda size: session.run(total, {x: np.ones(size)}), range(9))
    assert found == list(range(9))
    assert "the feed of placeholder 'x', 5 shapes or dtypes: pad or cut arrays" in said


# -------------------------------------------------------------------------------- letting go


class Model:
    """Something with a compiled method."""

    def __init__(self, scale: float) -> None:
        self.scale = pg.Variable(scale)

    @pg.function
    def __call__(self, x):
        return x * self.scale


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_an_object_takes_its_programs_along(engine, compiled):
    pg.set_engine(engine)
    kept, dropped = Model(2.0), Model(3.0)
    assert_same(kept(np.ones(2)), np.full(2, 2.0))
    assert_same(dropped(np.ones(2)), np.full(2, 3.0))
    variable = weakref.ref(dropped.scale)
    gc.disable()  # counting references is enough
    try:
        del dropped
        assert variable() is None
        assert [program() is None for program in compiled] == [False, True]
    finally:
        gc.enable()


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_a_dropped_function_leaves_nothing_behind(engine, compiled):
    v = pg.Variable(np.ones(4))

    def step(x):
        v.assign(v + x)
        return {"sum": pg.sum(v), "word": "same"}

    f = pg.function(step, engine=engine)
    x = np.ones(4)
    f(x)
    f(x)
    left = [*compiled, *map(weakref.ref, (x, f))]
    gc.disable()
    try:
        del f, x
        assert [one() for one in left] == [None] * 3
    finally:
        gc.enable()


def test_of_what_was_built_while_tracing_only_the_program_is_kept():
    built: list[weakref.ref[object]] = []

    class Record:
        pass

    def f(x):
        y, record = pg.exp(x) * 2, Record()
        y.backward(gradient=np.ones(3))
        unused = pg.softmax(y)
        built.extend(map(weakref.ref, (unused, x.grad, record)))
        return {"y": y + 1, "record": record}["y"]

    function = pg.function(f)
    function(np.ones(3))
    gc.collect()
    assert [one() for one in built] == [None] * 3


GROWTH = """
import ctypes, os, resource
import palingrad.engines.native.llvm.target as target

class Mallinfo(ctypes.Structure):  # of glibc, which alone counts its bytes so exactly
    _fields_ = [(name, ctypes.c_size_t) for name in "abcdefgujk"]

libc = ctypes.CDLL(None)
exact = hasattr(libc, 'mallinfo2')
if exact:
    libc.mallinfo2.restype = Mallinfo

def memory():  # in bytes
    if exact:
        return libc.mallinfo2().u
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def compile(times):
    for _ in range(times):
        lines = ['define i64 @f(i64 %x0) {']
        for number in range(50):  # constants that no other module has
            compile.last += 1000
            lines.append(f'%x{number + 1} = mul i64 %x{number}, {compile.last}')
            lines.append(f'store i64 {compile.last + 7}, ptr null')
        text = os.linesep.join([*lines, f'ret i64 %x{number + 1}', '}'])
        target.Library(target.machine_code(text)).address('f')
    return memory()

compile.last = 1
before = compile(20)
print((compile(160) - before) / 160, exact)
"""


def test_compiling_leaves_no_memory_behind():
    """A pass manager that isn't freed is 28 kB, constants in LLVM's global context are 6 kB; of a
    pass builder, llvmlite itself never frees 1.5 kB."""
    done = subprocess.run(
        [sys.executable, "-c", GROWTH], capture_output=True, text=True, check=True
    )
    grown, exact = done.stdout.split()
    assert float(grown) < (2_000 if exact == "True" else 10_000)  # bytes for each compilation
