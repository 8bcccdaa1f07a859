"""A module that is cut into parts is the same code, on any number of threads, and says how far its
compilation has come."""

from __future__ import annotations

import io
import sys
import threading
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.executable import NativeExecutable
from palingrad.engines.native.llvm import parts
from palingrad.engines.native.llvm.parts import Compiler
from palingrad.engines.native.llvm.target import compiling
from palingrad.engines.native.module import Module
from palingrad.messages import progress

EMPTY = "define void @f() {\n  ret void\n}\n"
X = np.linspace(-3.0, 3.0, 70, dtype=np.float32).reshape(7, 10)


def step(x):
    y = pg.softmax(pg.tanh(x) @ x.mT)  # shares tiles
    return y @ pg.sin(1e6 * x), pg.cumsum(x, 0), pg.sum(pg.exp(x)), pg.cos(x.mT * 1e7)


def made(threads: int) -> tuple[Any, list[bytes]]:
    """The results of a program whose kernels are each a part, and the parts' code."""
    executable = NativeExecutable(pg.function(step, engine="native").program(X))
    with Compiler(threads, "a test") as compiler:
        Module(executable.schedule, executable.buffers, compiler)
        codes = compiler.code()
    return executable([X]), codes


def test_parts_are_the_same_code_on_any_number_of_threads(monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", "off")
    whole = [np.asarray(one).tobytes() for one in made(1)[0]]
    monkeypatch.setattr(parts, "_LINES", 1)
    (first, codes), (second, same) = made(1), made(3)
    assert len(codes) > 5
    assert codes == same
    for found in (first, second):
        assert [np.asarray(one).tobytes() for one in found] == whole


@pytest.mark.parametrize(("before", "during"), [(0.005, 0.0002), (0.0001, 0.0001)])
def test_threads_take_turns_in_python_more_often_while_they_compile(before, during):
    pythons = sys.getswitchinterval()
    try:
        sys.setswitchinterval(before)
        with Compiler(2, "a test") as compiler:
            assert sys.getswitchinterval() == pytest.approx(during)
            compiler.take(EMPTY)
            compiler.code()
        assert sys.getswitchinterval() == pytest.approx(before, abs=1e-6)
        with Compiler(2, "a test"):
            sys.setswitchinterval(0.003)  # a user's own choice stays
        assert sys.getswitchinterval() == pytest.approx(0.003)
    finally:
        sys.setswitchinterval(pythons)


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_of_llvm_ends_the_compilation(threads):
    before = threading.active_count()

    def compile_all() -> None:
        with Compiler(threads, "a test") as compiler:
            for text in (EMPTY, "no IR", EMPTY, EMPTY):
                compiler.take(text)
            compiler.code()

    with pytest.raises(RuntimeError, match="parsing"):
        compile_all()
    assert threading.active_count() == before
    assert not compiling._is_owned()  # type: ignore[attr-defined]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_long_compilation_says_what_and_how_far_in_a_terminal(monkeypatch):
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    shown: dict[type, str] = {}
    for kind in (Terminal, io.StringIO):
        stream = kind()
        monkeypatch.setattr("sys.stderr", stream)
        with Compiler(1, "12 kernels") as compiler:
            for _ in range(2):
                compiler.take(EMPTY)
            compiler.code()
        shown[kind] = stream.getvalue()
    assert shown[io.StringIO] == ""
    lines = shown[Terminal].split("\r")
    assert "palingrad: compiling 12 kernels: 1 of 2 parts are done" in lines
    assert lines[-2].strip() == lines[-1] == ""  # erased


def test_a_short_compilation_says_nothing(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(progress, "_PATIENCE", 60.0)
    with Compiler(1, "1 kernel") as compiler:
        compiler.take(EMPTY)
        compiler.code()
    assert stream.getvalue() == ""
