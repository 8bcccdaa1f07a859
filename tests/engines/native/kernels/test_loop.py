"""Loops in registers compute what NumPy's do, whatever their bodies are made of."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.graph.context import graph_scope
from palingrad.graph.kinds import AnonymousGraph
from palingrad.graph.leaves import Constant
from palingrad.graph.regions.region import Region, parameter
from palingrad.ops.control.loop import Loop

pytest.importorskip("llvmlite")
RNG = np.random.default_rng(0)
LENGTHS = (1, 2, 3, 5, 8, 13, 16, 17, 33)


def close(found: Any, expected: Any) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    size = np.max(np.abs(expected), initial=1.0) if found.dtype.kind == "f" else 0.0
    bound = 20 * np.finfo(found.dtype).eps * size if size else 0.0
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=bound)


def explained(f: Any, *arguments: Any, registers: bool = True) -> str:
    """What `explain` says of a function that both engines agree on."""
    expected = pg.function(f, engine="numpy")(*arguments)
    compiled = pg.function(f, engine="native")
    for a, b in zip(compiled(*arguments), expected, strict=True):
        close(a, b)
        assert a.dtype == b.dtype
        assert a.shape == b.shape
    text = compiled.explain(*arguments)
    assert ("in registers" in text) is registers, text
    return text


def all_explained(loops: dict[str, Any], *arguments: Any) -> None:
    """Both engines agree on each of these functions, whose loops, of one Program, are in
    registers."""

    def f(*given: Any) -> Any:
        return {name: one(*given) for name, one in loops.items()}

    expected = pg.function(f, engine="numpy")(*arguments)
    compiled = pg.function(f, engine="native")
    found = compiled(*arguments)
    for name in loops:
        for a, b in zip(found[name], expected[name], strict=True):
            try:
                close(a, b)
            except AssertionError as error:
                error.add_note(name)
                raise
            assert (a.dtype, a.shape) == (b.dtype, b.shape), name
    lines = re.findall("^.*(?:Loop|Fallback).*$", compiled.explain(*arguments), re.M)
    assert lines  # fewer than loops, if two of them compute the same
    assert all("in registers" in line for line in lines), lines


def normal(*shape: int, dtype: Any = np.float64) -> Any:
    return RNG.normal(size=shape).astype(dtype)


# Each length takes the steps forwards in one dtype and backwards in the other.
RECURRENCES = [
    (n, dtype, (number + turn) % 2 == 1)
    for number, n in enumerate([*LENGTHS[:-1], 31])
    for turn, dtype in enumerate([np.float32, np.float64])
]


@pytest.mark.parametrize(("n", "dtype", "reverse"), RECURRENCES)
def test_a_recurrence_and_its_gradients(n, dtype, reverse):
    def loss(h, w, xs):
        def step(h, x):
            return (pg.tanh(w @ h + x) + 0.5 * h, pg.sum(h * x))

        h, ys = pg.scan(step, h, xs, reverse=reverse)
        return pg.sum(h) + pg.sum(ys)

    given = normal(n, dtype=dtype), normal(n, n, dtype=dtype) / (2 * n), normal(7, n, dtype=dtype)
    explained(lambda *x: pg.grad(loss, (0, 1, 2))(*x), *given)


PRODUCTS = {
    "matrix and vector": lambda a, x, y: (a @ x, y),
    "transposed matrix and vector": lambda a, x, y: (a.mT @ x, y),
    "vector and matrix": lambda a, x, y: (x @ a, y),
    "two vectors": lambda a, x, y: (x * (x @ x) * 0.01, y),
    "carried matrix and vector": lambda a, x, y: (y @ x, y),
    "transposed carried matrix": lambda a, x, y: (y.mT @ x, y),
    # cos 0 = 1 in the idle lanes of vectors
    "matrix and vector of cosines": lambda a, x, y: (pg.cos(y) @ pg.cos(x) * 0.3, y),
    "two vectors of cosines": lambda a, x, y: (x * (pg.cos(x) @ pg.cos(x)) * 0.1, y),
    "two matrices": lambda a, x, y: (x, (y @ a) * 0.3),
    "a matrix and its transpose": lambda a, x, y: (x, (y @ y.mT) * 0.1),
    "outer product": lambda a, x, y: (x, y + pg.expand_dims(x, 1) @ pg.expand_dims(x, 0) * 0.1),
    "a column": lambda a, x, y: (pg.squeeze(y @ pg.expand_dims(x, 1), axis=1), y),
    "a batch": lambda a, x, y: (x, (pg.stack([y, a]).mT @ y)[1] * 0.2),
    "a batch of vectors": lambda a, x, y: ((pg.stack([y, a]) @ x)[0] * 0.2, y),
}  # fmt: skip


@pytest.mark.parametrize("n", [1, 3, 8, 11])
def test_products(n):
    def scanned(product):
        def step(c, _):
            c = product(*c)
            return c, c

        return step

    def of(product):
        return lambda a, x, y: pg.scan(
            scanned(lambda *c: product(a, *c)), (x, y), length=4
        )[1]  # fmt: skip

    all_explained(
        {name: of(product) for name, product in PRODUCTS.items()},
        normal(n, n) / n, normal(n), normal(n, n) / n,
    )  # fmt: skip


REDUCTIONS = {
    "all": lambda c: c + pg.sum(c) * 0.1,
    "last": lambda c: c + pg.max(c, axis=-1, keepdims=True) * 0.1,
    "first": lambda c: c + pg.min(c, axis=0) * 0.1,
    "two": lambda c: c + pg.mean(c, axis=(0, 2), keepdims=True),
    "products": lambda c: c + pg.prod(c, axis=1, keepdims=True),
    "conditions": lambda c: pg.where(pg.any(c > 1, axis=-1, keepdims=True), c * 0.5, c),
    "largest": lambda c: c + pg.argmax(c, axis=-1, keepdims=True),
}


def three_steps(body: Any) -> Any:
    """A loop of a carry, of which it keeps all values."""
    return lambda c: pg.scan(lambda c, _: (body(c), c), c, length=3)


@pytest.mark.parametrize("n", LENGTHS)
def test_reductions(n):
    all_explained({name: three_steps(one) for name, one in REDUCTIONS.items()}, normal(2, 3, n))


LAYOUTS = {
    "flipped": lambda c: pg.flip(c, axis=-1) + 1,
    "rolled": lambda c: pg.roll(c, 1, axis=0) * 0.5,
    "permuted": lambda c: pg.reshape(pg.permute_dims(c, (1, 0)), c.shape) + 1,
    "twice transposed": lambda c: (c.mT + 1).mT,
    "cut and joined": lambda c: pg.concatenate([c[1:], c[:1] * 2]),
    "stacked": lambda c: pg.stack([c[0], c[1] + 1]),
    "padded": lambda c: pg.pad(c[:, 1:], ((0, 0), (1, 0))) + 1,
    "strided": lambda c: pg.concatenate([c[:, ::2], c[:, 1::2]], axis=1),
    "repeated": lambda c: c + pg.broadcast_to(c[:, :1], c.shape),
    "one element": lambda c: c * 0.5 + c[1, 0],
    "triangle": lambda c: pg.tril(c) + 1,
}


@pytest.mark.parametrize("n", LENGTHS[1:])
def test_layouts(n):
    all_explained({name: three_steps(one) for name, one in LAYOUTS.items()}, normal(2, n))


def test_dtypes_beside_each_other():
    def body(c, row):
        total, count, flag, small = c
        x, n = row
        count = count + n // (count - count) + n % 3  # by zero, as NumPy
        return (
            (total + x * pg.cast(flag, "float64"), count, ~flag, small * 2 + 1),
            (flag, count, small, pg.cast(total, "float32")),
        )

    def f(total, count, flag, small, x, n):
        carry, ys = pg.scan(body, (total, count, flag, small), (x, n))
        return (*carry, *ys)

    explained(
        f, normal(5), np.arange(5), np.arange(5) > 2, np.arange(3, dtype=np.int8),
        normal(6, 5), RNG.integers(-3, 3, (6, 5)),
    )  # fmt: skip


def test_what_is_read_may_lie_anywhere():
    def f(a, x, xs, ys):
        rows = pg.permute_dims(xs, (1, 0))[::-1], pg.flip(ys, axis=1)
        return pg.scan(lambda c, row: (a.mT[1:] @ c + row[0], (row[1], c)), x[::2], rows)[1]

    explained(f, normal(3, 4), normal(6), normal(3, 9), normal(9, 5))


@pytest.mark.parametrize("n", LENGTHS)
def test_long_rows_may_be_strided(n):
    def f(a, xs):
        return pg.scan(lambda c, row: (a.mT[0] * c + row, c), a[:, 1], xs.mT)

    explained(f, normal(n, 2), normal(n, 4))


def test_results_that_are_inputs_or_constants():
    table = np.arange(5.0)

    def f(c, xs):
        def body(c, x):
            a, b = c
            return (b, a), (x, pg.tensor(2.5), pg.tensor(table) * a[0], a, a)

        carry, ys = pg.scan(body, (c, c * 2), xs)
        return (*carry, *ys)

    explained(f, normal(4), normal(5, 2))


def test_a_single_step_and_numbers():
    f = pg.function(lambda x: pg.scan(lambda c, r: (c * r + 1, c), 0.5 * x[0], x), engine="native")
    assert "loop" not in f.explain(normal(1))  # a loop of one step is its body
    explained(lambda x: pg.scan(lambda c, r: (c * r + 1, c), 0.5 * x[0], x), normal(9))


def test_loops_that_are_too_large_are_made_of_kernels():
    def wide(x):
        return pg.scan(lambda c, r: (pg.tanh(c) + r, pg.mean(c)), x[0], x)

    explained(wide, normal(3, 100))
    explained(wide, normal(3, 5000), registers=False)

    def cheap(x):
        return pg.scan(lambda c, r: (c + r, c), x[0], x)

    explained(cheap, normal(3, 1024))
    explained(cheap, normal(3, 1025), registers=False)

    def many(x):
        return pg.scan(lambda c, r: (pg.tanh(c) + r, pg.sum(c)), x[0], x)

    explained(many, normal(3_000, 2))
    for steps, registers in ((100_000, True), (10_000_000, False)):  # milliseconds, and seconds
        loop = pg.function(
            lambda x, n=steps: pg.fori_loop(0, n, lambda i, c: pg.sin(c), x), engine="native"
        )
        assert ("in registers" in loop.explain(normal(40))) is registers


def test_an_operation_that_checks_integers_is_left_to_kernels():
    def f(n):
        return pg.scan(lambda c, r: (c**r, c), n[0], n)

    explained(f, np.array([2, 1, 3, 0]), registers=False)
    with pytest.raises(ValueError, match="negative"):
        pg.function(f, engine="native")(np.array([2, 1, -3, 0]))


def test_a_loop_in_a_loop():
    def f(x):
        def body(c, r):
            return pg.scan(lambda d, e: (pg.sin(d) + e, d), c, r)

        return pg.scan(body, x[0, 0], x)

    explained(f, normal(4, 3, 2), registers=True)


def test_a_program_with_a_loop_updates_its_variables_in_place():
    starts = normal(4, 4) / 4, normal(6, 4)
    found = []
    for engine in ("numpy", "native"):
        w, adam = pg.Variable(starts[0]), pg.optim.Adam(0.01)

        @pg.function(engine=engine)
        def step(xs, w=w, adam=adam):
            h, _ = pg.scan(lambda h, x: (pg.tanh(w @ h + x), None), xs[0], xs)
            loss = pg.sum(h * h)
            adam.minimize(loss)
            return loss

        losses = [float(step(starts[1])) for _ in range(5)]
        found.append([losses, w.numpy()])
        if engine == "native":
            assert "updated in place" in step.explain(starts[1])
    close(found[0][0], found[1][0])
    close(found[0][1], found[1][1])


def with_a_constant(number: float, table: Any) -> Any:
    """A loop c ← c·number + table whose region has the array as a constant, not as a capture."""
    with graph_scope(AnonymousGraph(), hidden=True):
        c = parameter((table.shape, table.dtype, None))
        region = Region((c,), (c * number + Constant(table),))
    options = {"carries": 1, "slices": 0, "length": 3, "reverse": False, "checkpoint": False}
    return pg.function(lambda x: Loop(x, regions=(region,), **options).items[0], engine="native")


@pytest.mark.parametrize("verified", ["1", "0"])  # without recalled plans, and with them
def test_code_from_the_cache_is_that_of_the_body(tmp_path, monkeypatch, verified):
    monkeypatch.setenv("PALINGRAD_CACHE", str(tmp_path))
    monkeypatch.setenv("PALINGRAD_VERIFY", verified)
    x, tables = normal(3), (np.arange(3.0), np.array([0.0, 1.0, 5.0]))
    for number in (0.5, 0.25):
        for table in tables:
            expected = x
            for _ in range(3):
                expected = expected * number + table
            close(with_a_constant(number, table)(x), expected)
            again = with_a_constant(number, table)
            close(again(x), expected)
            assert "code from the cache" in again.explain(x)


def test_the_number_of_threads_changes_no_bit():
    def loss(w, xs):
        return pg.sum(pg.scan(lambda h, x: (pg.tanh(w @ h + x), None), xs[0], xs)[0])

    given = normal(9, 9, dtype=np.float32), normal(400, 9, dtype=np.float32)
    before, found = pg.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            pg.set_num_threads(count)
            found.append(pg.function(pg.grad(loss, (0, 1)), engine="native")(*given))
    finally:
        pg.set_num_threads(before)
    for one in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(one, found[0], strict=True))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("most", [0, 10_000])
def test_a_loop_that_goes_backwards_flushes_subnormal_numbers(reverse, most, monkeypatch):
    """Cotangents that shrink from step to step would make each of the last steps slow."""

    monkeypatch.setattr("palingrad.engines.native.kernels.loop.plan.MOST", most)

    def halved(c, r):
        return pg.scan(lambda c, r: (c * r, c), c, r, reverse=reverse)

    start, rows = np.float32([1e-37, 1.0]), np.full((12, 2), 0.5, np.float32)
    last, ys = pg.function(halved, engine="native")(start, rows)
    least = np.finfo(np.float32).tiny
    exact = start * np.float32(0.5) ** 12
    assert 0 < exact[0] < least
    assert last[0] == (0 if reverse else exact[0])
    assert last[1] == exact[1]
    assert (np.asarray(ys) >= least).sum() >= 14
    after = pg.function(lambda x: x * 0.5, engine="native")(np.float32([1.2e-38]))
    assert after[0] == np.float32(1.2e-38) * np.float32(0.5)  # the mode ends with the loop


@pytest.mark.parametrize("size", [1, 3, 40])
def test_products_absorb_zeros_in_a_loop(size):
    """0·∞ is 0 in gradients and tangents; other NaNs stay."""
    from palingrad.graph.registry import ops

    edges = np.array([0.0, -0.0, 1.0, -2.0, np.inf, -np.inf, np.nan])
    x, y = (np.resize(part.ravel(), (14, size)) for part in np.meshgrid(edges, edges))
    for product in (ops.absorbing_product, ops.doubly_absorbing_product):

        def f(x, y, product=product):
            return pg.scan(lambda c, r: (c, product(r[0], r[1])), np.zeros(()), (x, y))[1]

        found, expected = (pg.function(f, engine=one)(x, y) for one in ("native", "numpy"))
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(
            np.signbit(found)[expected == 0], np.signbit(expected)[expected == 0]
        )
