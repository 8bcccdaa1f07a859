"""What NumPy computes in a native program: the same values, in arrays that nothing else changes."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from tolerances import assert_close, assert_same

X = np.random.default_rng(0).standard_normal((6, 4))


def both(f: Any, *arrays: Any) -> tuple[Any, str]:
    """The native engine's results, compared with the numpy engine's, and how it computes them."""
    run = pg.function(f, engine="native")
    found, expected = run(*arrays), pg.function(f, engine="numpy")(*arrays)
    several = isinstance(found, (tuple, list))
    for one, other in zip(found if several else [found], expected if several else [expected]):
        assert_close(one, other)
        assert not one.flags.writeable
        assert not any(np.shares_memory(one, array) for array in arrays)
    return found, run.explain(*arrays)


def test_a_program_without_kernels_has_no_machine_code():
    found, said = both(lambda x: pg.sort(x, axis=0), X)
    assert "no machine code" in said
    assert "Fallback" in said
    assert_same(found, np.sort(X, axis=0))


def test_such_a_program_lets_go_of_its_arrays_and_updates_variables():
    state = pg.Variable(np.zeros(4))

    @pg.function(engine="native")
    def step(x):
        state.assign(pg.sort(x))
        return pg.argsort(x)

    found, fed = step(X[0]), X[1].copy()
    references = [weakref.ref(one) for one in (found, fed)]
    assert_same(state.numpy(), np.sort(X[0]))
    step(fed)
    del found, fed
    gc.collect()
    assert [one() for one in references] == [None, None]


def test_fallbacks_read_layouts_of_feeds_intermediate_values_and_results():
    def f(x):
        y = x * 2.0  # a result, and read through a view
        z = pg.exp(y) - 1  # in the arena
        ordered = pg.sort(pg.flip(z[1::2], axis=1).mT, axis=0)
        return y, pg.sort(y[:, ::-1], axis=0), ordered + 1, pg.sort(x.mT, axis=0), pg.sort(z[:0])

    _, said = both(f, X)
    assert said.count("Fallback") == 4
    both(f, np.asfortranarray(X))
    both(f, X[::-1, ::-1])


def test_results_that_a_user_holds_keep_their_values():
    run = pg.function(lambda x: (pg.sort(x * 2), pg.linalg.qr(x)[1], x.mT), engine="native")
    held = run(X)
    copies = [one.copy() for one in held]
    for shift in range(3):
        run(X + shift)
    for one, copy in zip(held, copies, strict=True):
        assert_same(one, copy)


def test_an_operation_that_keeps_what_it_returns_does_not_change_a_result():
    class Counted(pg.Operation):
        kept = np.zeros(4)

        def compute(y, x):
            y.kept[...] = x.sum(0)
            return y.kept[:]

        def shape_rule(y, x):
            return x[1:]

        def vjp(y, g, x):
            return [pg.broadcast_to(g, x.shape)]

    run = pg.function(lambda x: (Counted(x), pg.exp(x)), engine="native")
    first, _ = run(X)
    second, _ = run(2 * X)
    assert_close(first, X.sum(0))
    assert_close(second, 2 * X.sum(0))


@pytest.mark.parametrize("engine", ["native", "numpy"])
def test_constants_that_are_returned_cannot_be_made_writable(engine):
    run = pg.function(lambda x: (pg.grad(lambda x: pg.sum(3 * x))(x), pg.exp(x)), engine=engine)
    found, _ = run(X)
    assert_same(found, np.full_like(X, 3))
    with pytest.raises(ValueError, match="WRITEABLE"):
        found.setflags(write=True)


def test_layouts_that_are_returned_are_contiguous():
    def f(x, y):
        product = x @ y
        return product.mT, pg.tanh(product).mT[1:], x.mT, x.mT.mT, pg.reshape(x, (-1,))

    found, said = both(f, X, X.T.copy())
    assert all(one.flags.c_contiguous for one in found)
    assert "Copy" in said


def test_a_fallback_that_fails_leaves_the_program_usable():
    run = pg.function(lambda x: pg.sum(pg.linalg.cholesky(x * 1.0)), engine="native")
    for _ in range(2):
        with pytest.raises((np.linalg.LinAlgError, pg.errors.PalingradError)):
            run(-np.eye(3))
        assert_close(run(np.eye(3)), 3.0)
