"""A kernel is planned when it is constructed and never changes: code generation and reports only
read it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.kernels.kernel import Kernel
from palingrad.engines.native.module import Module
from palingrad.engines.native.plan.lower import lowered
from palingrad.engines.native.plan.schedule import scheduled
from palingrad.engines.native.report import explained
from palingrad.engines.native.runtime.buffers import BufferTable
from palingrad.passes.program import Program


def below(kind: type) -> Iterator[type]:
    """All subclasses that can be instantiated."""
    for one in kind.__subclasses__():
        yield from below(one)
        if not inspect.isabstract(one):
            yield one


KINDS = sorted(below(Kernel), key=lambda kind: kind.__name__)


def zeros(*shape: int, dtype: Any = np.float32) -> Any:
    return np.zeros(shape, dtype)


def program(f: Any, *arrays: Any) -> Program:
    """The Program of a function; on the numpy engine, so that nothing is compiled for it."""
    return pg.function(f, engine="numpy").program(*arrays)


def updated(w: pg.Variable) -> Program:
    """A fed value, copied over a Variable's."""

    def step(x):
        w.assign(x)
        return pg.sum(x * 2)

    return program(step, zeros(4))


def pooled(x: Any) -> Any:
    return pg.gradients(pg.sum(pg.max_pool(x, 2) * pg.average_pool(x, 2)), x)


def convolved(x: Any, w: Any) -> Any:
    return pg.gradients(pg.sum(pg.tanh(pg.conv2d(x, w, padding=1))), [x, w])


def gathered(x: Any, i: Any) -> Any:
    y = pg.gradients(pg.sum(pg.tanh(pg.take(x, i % 5, axis=0))), x)
    return y, pg.take(x, i, axis=0)


def sliced(x: Any) -> Any:
    return pg.gradients(pg.sum(pg.tanh(x[1:3, ::2])), x), pg.reshape(x.mT, (-1,))


def shifted(x: Any) -> Any:
    y = pg.tanh(x)
    return y[1:] - y[:-1]


def ordered(x: Any, a: Any, b: Any) -> Any:
    low = pg.linalg.cholesky(a)
    slope = pg.gradients(pg.sum(low * a), a)
    slope += pg.gradients(pg.sum(pg.linalg.lu_factor(a)[0]), a)
    return pg.sort(x), pg.argsort(x), slope, pg.linalg.solve(a, b), pg.linalg.svdvals(b)


def factored(x: Any) -> Any:
    low = pg.linalg.cholesky(x)
    solved = pg.linalg.solve(x, x[0]), pg.linalg.solve_triangular(x, x[0])
    return pg.gradients(pg.sum(pg.tanh(low)), x), *solved


def branched(x: Any) -> Any:
    y = pg.while_loop(lambda c: pg.sum(c) < 9, lambda c: c * 2 + 1, x)
    return pg.cond(y[0] > 3, pg.sin, lambda v: v[::-1], y)


PROGRAMS = [
    program(lambda x: (pg.softmax(x), pg.tanh(x), pg.sum(x, axis=0)), zeros(8, 5)),
    program(lambda x: pg.sum(x), zeros(1 << 18)),
    program(lambda x: pg.concat([x, x[:, ::-1]]), zeros(8, 5)),
    program(sliced, zeros(8, 5)),
    program(gathered, zeros(8, 5), zeros(3, dtype=np.int64)),
    program(lambda x, y: x @ y, zeros(8, 5), zeros(5, 6)),
    program(lambda x, y: x @ y, zeros(1, 5), zeros(5, 1)),
    program(lambda x, y: pg.relu(x @ y), zeros(8, 5000), zeros(5000, 64)),
    program(lambda x, y: x @ y, zeros(160, 160), zeros(160, 160)),
    program(lambda x, y: x @ y.mT, zeros(160, 1024), zeros(160, 1024)),
    program(lambda x, y: x @ y, zeros(400, 160), zeros(160, 160)),
    program(lambda x, y: x.mT @ y, zeros(160, 160), zeros(160, 160)),
    program(shifted, zeros(400)),
    program(lambda q, k, v: pg.softmax(q @ k.mT) @ v, *(zeros(3, 20, 4) for _ in range(3))),
    program(convolved, zeros(64, 3, 20, 20), zeros(8, 3, 3, 3)),
    program(pooled, zeros(2, 3, 8, 8)),
    program(lambda x: (x > 0) // (x < 0), zeros(8)),
    program(lambda x: pg.cumsum(x, axis=1), zeros(8, 5)),
    program(ordered, zeros(8, 5), zeros(4, 4), zeros(4, 2)),
    program(factored, zeros(120, 120)),
    program(lambda x: pg.scan(lambda c, row: (pg.tanh(c) + row, c), x[0], x), zeros(8, 5)),
    program(branched, zeros(3)),
    program(lambda x: pg.while_loop(lambda c: pg.sum(c) < 9, lambda c: c * 2 + 1, x), zeros(2000)),
    updated(pg.Variable(zeros(4))),
]


def state(thing: Any) -> Any:
    """Everything that a kernel or a plan holds, by identity where it isn't plain data."""
    if dataclasses.is_dataclass(thing):
        return [state(getattr(thing, one.name)) for one in dataclasses.fields(thing)]
    if isinstance(thing, (list, tuple)):
        return [state(one) for one in thing]
    if isinstance(thing, dict):
        return [(id(key), state(value)) for key, value in thing.items()]
    return thing if isinstance(thing, (int, float, str, type(None))) else id(thing)


def frozen(thing: Any) -> bool:
    """Whether a kernel or plan, and every plan in it, refuses new values."""
    if not dataclasses.is_dataclass(thing):
        return True
    fields = [getattr(thing, one.name) for one in dataclasses.fields(thing)]
    kind: Any = type(thing)
    return kind.__frozen__ and all(map(frozen, fields))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_kind_of_kernel_is_frozen_and_describes_itself(kind):
    assert kind.__frozen__
    assert kind.label
    assert kind.description


def test_the_programs_of_this_file_have_kernels_of_all_kinds():
    found = {type(one.kernel) for each in PROGRAMS for one in scheduled(lowered(each)).kernels}
    assert found == set(KINDS)


@pytest.mark.parametrize("given", PROGRAMS, ids=range(len(PROGRAMS)))
def test_code_generation_and_reports_do_not_change_kernels(given):
    given = lowered(given)
    schedule = scheduled(given)
    kernels = [one.kernel for one in schedule.kernels]
    before = [(state(one), one.items, one.cost, one.workspace) for one in kernels]
    assert all(map(frozen, kernels))
    buffers = BufferTable(given, schedule)
    module = str(Module(schedule, buffers))
    explained(given, schedule, buffers, False, "")
    assert [(state(one), one.items, one.cost, one.workspace) for one in kernels] == before
    assert str(Module(schedule, buffers)) == module
    with pytest.raises(dataclasses.FrozenInstanceError):
        kernels[0].fused = kernels[0].fused  # type: ignore[misc]
