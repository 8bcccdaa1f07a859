"""Functions are written as LLVM IR that means what llvmlite's own text means."""

from __future__ import annotations

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

import palingrad as pg
from palingrad.engines.native.executable import NativeExecutable
from palingrad.engines.native.llvm.text import text_of
from palingrad.engines.native.module import Module

X = np.linspace(-3.0, 3.0, 70, dtype=np.float32).reshape(7, 10)


def step(x):
    y = pg.softmax(pg.tanh(x) @ x.mT)
    n = pg.astype(x * 7, "int32")
    odd = pg.where(n % 2 == 1, n, 3)
    return y @ pg.sin(1e6 * x), pg.cumsum(x, 0), pg.max(x, 1), x[n[:, 0] * 0], odd, pg.sort(x)


def test_every_function_is_written_as_llvmlite_writes_it():
    executable = NativeExecutable(pg.function(step, engine="native").program(X))
    module = Module(executable.schedule, executable.buffers).module
    whole = written = str(module)
    kinds: set[type] = set()
    for one in module.globals.values():
        if isinstance(one, ir.Function) and one.blocks:
            assert str(one) in written
            written = written.replace(str(one), text_of(one))
            kinds |= {type(x) for block in one.blocks for x in block.instructions}
    assert len(kinds) > 12
    assert str(llvm.parse_assembly(written)) == str(llvm.parse_assembly(whole))
