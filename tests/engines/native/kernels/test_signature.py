"""Kernels of equal signatures have equal code, so a deep network has no more code than a shallow
one; kernels that differ in anything that the code depends on have other signatures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from llvmlite import ir

import palingrad as pg
from engines.native.kernels.test_kernel import PROGRAMS, program
from engines.native.kernels.test_loop import with_a_constant
from palingrad.engines.native.kernels.signature import Signature, Unshared
from palingrad.engines.native.llvm.kernel_context import KERNEL, KernelContext
from palingrad.engines.native.module import FAILED, Module
from palingrad.engines.native.plan.lower import lowered
from palingrad.engines.native.plan.schedule import scheduled
from palingrad.engines.native.runtime.buffers import BufferTable


def x(*shape: int, dtype: Any = np.float32) -> Any:
    return np.ones(shape, dtype)


def module_of(given: Any) -> Module:
    given = lowered(given)
    schedule = scheduled(given)
    return Module(schedule, BufferTable(given, schedule))


def signed(given: Any) -> list[tuple[Any, str, list[int]]]:
    """The signature of each kernel, its code, and the numbers of the buffers' owners."""
    schedule = scheduled(lowered(given))
    found: list[tuple[Any, str, list[int]]] = []
    for one in schedule.kernels:
        if not one.kernel.is_native or not one.items or one.kernel.has_own_segment:
            continue
        whole = one.chunks == 1
        try:
            signature = Signature(one.kernel, schedule.views, whole, FAILED)
        except Unshared:
            continue
        module = ir.Module("kernel")
        function = ir.Function(module, KERNEL, "kernel")
        context = KernelContext(function, schedule.views, one.items if whole else None)
        one.kernel.emit(context)
        context.builder.ret_void()
        numbers = [signature.number(owner) for owner in context.owners]
        found.append((signature.key, str(module), numbers))
    return found


def layers(count: int, engine: str = "native") -> Any:
    """The training step of a network of `count` equal layers."""
    rng = np.random.default_rng(0)
    weights = [pg.Variable(rng.standard_normal((16, 16), np.float32) / 4) for _ in range(count)]
    adam = pg.optim.Adam(0.01)

    @pg.function(engine=engine)
    def step(a):
        y = a
        for weight in weights:
            y = y + pg.layer_norm(pg.gelu(y @ weight))
        loss = pg.sum(y * y)
        adam.minimize(loss)
        return loss

    return step


def test_a_deep_network_has_no_more_kernels_to_compile_than_a_shallow_one():
    shallow, deep = (module_of(layers(count).program(x(8, 16))) for count in (4, 9))
    assert len(deep._record) > len(shallow._record) + 20
    assert deep.functions == shallow.functions


def test_shared_kernels_compute_what_numpy_computes():
    found, expected = (
        [step(x(8, 16)) for _ in range(3)] for step in (layers(5), layers(5, "numpy"))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("given", PROGRAMS, ids=range(len(PROGRAMS)))
def test_a_signature_determines_the_code(given):
    first, second = signed(given), signed(given)
    assert first == second
    code = dict[Any, Any]()
    for key, *made in first:
        assert code.setdefault(key, made) == made


def a(shape: Any, f: Any, *more: Any) -> Any:
    return program(f, x(*shape), *more)


def looped(body: Any, *more: Any) -> Any:
    """Three steps of a loop."""
    return a((4,), lambda v, *w: pg.scan(lambda c, _: (body(c, *w), None), v, length=3)[0], *more)


def chosen(first: Any, second: Any) -> Any:
    """A branch."""
    return a((4,), lambda v, p: pg.cond(p, first, second, v), np.array(True))


def nested(body: Any) -> Any:
    """A loop in a loop."""
    return looped(lambda c: pg.scan(lambda d, _: (body(d), None), c, length=2)[0] + 1)


DIFFERENT = {
    "an operation": (a((8, 5), pg.tanh), a((8, 5), pg.exp)),
    "a size": (a((8, 5), pg.softmax), a((8, 6), pg.softmax)),
    "a dtype": (a((8, 5), pg.tanh), program(pg.tanh, x(8, 5, dtype=np.float64))),
    "a number": (a((8,), lambda v: v * 2), a((8,), lambda v: v * 3)),
    "the sign of a zero": (a((8,), lambda v: v * 0.0), a((8,), lambda v: v * -0.0)),
    "an attribute": (a((8,), lambda v: pg.cast(v, "int32")),
                     a((8,), lambda v: pg.cast(v, "int64"))),
    "a stride": (a((8, 5), lambda v: pg.tanh(v[:, ::2])), a((8, 3), pg.tanh)),
    "an offset": (a((8,), lambda v: pg.tanh(v[1:5])), a((8,), lambda v: pg.tanh(v[2:6]))),
    "which operands are one": (a((8,), lambda v: v + pg.sin(v) * v),
                               a((8,), lambda v, w: v + pg.sin(v) * w, x(8))),
    "the order of operands": (a((8,), lambda v, w: v - w * v, x(8)),
                              a((8,), lambda v, w: w * v - v, x(8))),
    "what is written": (a((8,), lambda v: pg.exp(pg.sin(v))),
                        a((8,), lambda v: (pg.sin(v), pg.exp(pg.sin(v))))),
    "an operation in a loop": (looped(pg.sin), looped(pg.cos)),
    "a number in a loop": (looped(lambda c: c * 0.5), looped(lambda c: c * 0.25)),
    "an attribute in a loop": (looped(lambda c: pg.roll(c, 1)), looped(lambda c: pg.roll(c, 2))),
    "the order of operands in a loop": (looped(lambda c, w: c - w, x(4)),
                                        looped(lambda c, w: w - c, x(4))),
    "an array in a loop": tuple(with_a_constant(0.5, one).program(np.ones(3))
                                for one in (np.arange(3.0), np.array([0.0, 1.0, 5.0]))),
    "an operation in an inner loop": (nested(pg.sin), nested(pg.cos)),
    "a branch": (chosen(pg.sin, pg.cos), chosen(pg.cos, pg.sin)),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_difference_in_the_code_is_a_difference_of_signatures(name):
    one, other = map(signed, DIFFERENT[name])
    assert [code for _, code, _ in one] != [code for _, code, _ in other]
    assert not {key for key, *_ in one} & {key for key, *_ in other}
