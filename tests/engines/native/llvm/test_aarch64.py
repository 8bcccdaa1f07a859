"""Code for AArch64, which LLVM makes on any machine: sums of a tile stay in registers, formulas
become vectors, and nothing outside the program is called."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.formulas import readable
from palingrad.engines.native.llvm.target import Target, assembly
from palingrad.engines.native.module import Module  # and with it every kernel
from palingrad.engines.native.plan.lower import lowered
from palingrad.engines.native.plan.schedule import scheduled
from palingrad.engines.native.runtime.buffers import BufferTable
from palingrad.graph.kinds import Elementwise
from palingrad.passes.program import Program
from palingrad.proof import shipped
from palingrad.proof.case import Case
from trainings import cnn, mlp

CPUS = ["generic", "neoverse-n1", "apple-m1"]


@pytest.fixture
def code(request, monkeypatch) -> Callable[[Callable[[], Program]], str]:
    """The assembly of a program for the CPU that is the test's parameter. Its LLVM IR is that of
    all these CPUs, and made once."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    cpu = Target("aarch64-unknown-linux-gnu", request.param, "", 16, 32, "arm", "fma")
    for name, module in list(sys.modules.items()):
        if name.startswith("palingrad.engines.native.") and hasattr(module, "host"):
            monkeypatch.setattr(module, "host", lambda: cpu)

    return lambda program: assembly(emitted(program))


@cache
def emitted(make: Callable[[], Program]) -> str:
    """The LLVM IR of a program."""
    program = lowered(make())
    schedule = scheduled(program)
    assert all(one.kernel.is_native for one in schedule.kernels)
    return str(Module(schedule, BufferTable(program, schedule)))


def functions(text: str) -> dict[str, str]:
    """The instructions of each function."""
    found = re.finditer(r"^([A-Za-z_][\w.]*):\n(.*?)^\.Lfunc_end", text, re.M | re.S)
    return {one[1]: one[2] for one in found}


def innermost(function: str) -> Iterator[str]:
    """The loops that have no label inside."""
    parts = re.split(r"^(\.LBB\w+):.*\n", function, flags=re.M)
    for label, block in zip(parts[1::2], parts[2::2], strict=True):
        back = re.search(re.escape(label) + r"\b", block)
        if back:
            yield block[: back.end()]


def outside(text: str) -> set[str]:
    """What is called that isn't in the text."""
    return set(re.findall(r"\tbl?\t([A-Za-z_][\w.]*)", text)) - set(functions(text))


def product(dtype: Any) -> Program:
    """A matrix product that packs both operands, of tiles as tall as they come."""
    x = np.zeros((480, 480), dtype)
    return pg.function(lambda x, y: x @ y, engine="numpy").program(x, x)


def step(task: Any) -> Program:
    training = task("numpy")
    return training.step.program(training.x, training.labels)


# Products for every CPU, whose schedules differ; what follows products in a training for one each.
PRODUCTS = {dtype: partial(product, dtype) for dtype in ("f4", "f8")}
TILES = {
    **{f"{dtype} {cpu}": (cpu, make) for dtype, make in PRODUCTS.items() for cpu in CPUS},
    "mlp generic": ("generic", lambda: step(mlp)),
    "cnn apple-m1": ("apple-m1", lambda: step(cnn)),
}  # fmt: skip


@pytest.mark.parametrize(("code", "program"), TILES.values(), ids=TILES, indirect=["code"])
def test_the_sums_of_a_tile_stay_in_registers(code, program):
    text = code(program)
    tiles = [body for name, body in functions(text).items() if name.startswith("tile")]
    loops = [loop for body in tiles for loop in innermost(body) if "fmla\t" in loop]
    assert len(loops) >= len(tiles) > 0
    for loop in loops:
        assert "[sp" not in loop
        assert re.search(r"fmla\tv\d+\.(4s|2d), v\d+\.\1, v\d+\.", loop)
    assert outside(text) <= {"memset", "memcpy"}


def formulas(dtype: Any) -> Program:
    """The formulas of all operations of floats."""
    cases = [Case(one, one.samples[0]) for one in shipped() if issubclass(one, Elementwise)]
    floats = [
        case
        for case in cases
        if {y.dtype for y in nodes(case, dtype)} == {np.dtype(dtype)}
        and all(readable(y) for y in nodes(case, dtype) if isinstance(y, Elementwise))
    ]
    assert len(floats) > 40
    f = pg.function(
        lambda given: [case.outputs(*xs)[0] for case, xs in zip(floats, given, strict=True)],
        engine="numpy",
    )
    return f.program([case.arrays(dtype) for case in floats])


FORMULAS = {dtype: partial(formulas, dtype) for dtype in (np.float32, np.float64)}


@pytest.mark.parametrize("code", CPUS, indirect=True)
@pytest.mark.parametrize("dtype", FORMULAS)
def test_every_formula_of_floats_is_vectorised_without_calls(code, dtype):
    text = code(FORMULAS[dtype])
    assert outside(text) == set()
    shape = "4s" if dtype is np.float32 else "2d"
    for instruction in ("fadd", "fmul", "fdiv", "fsqrt", "fcmgt", "fmla"):
        assert re.search(rf"\t{instruction}\tv\d+\.{shape}", text), instruction


def nodes(case: Case, dtype: Any) -> list[pg.Node]:
    """Inputs and outputs."""
    xs = [pg.tensor(x) for x in case.arrays(dtype)]
    return [*xs, *case.outputs(*xs)]
