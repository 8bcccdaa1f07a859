"""Loops of machine code compute what NumPy's do, without Python and allocations in a step."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from control_loops import agree, close

pytest.importorskip("llvmlite")
ENGINES = "numpy", "native"
RNG = np.random.default_rng(0)
pytestmark = pytest.mark.usefixtures("bodies")


def mixed(reverse):
    """A loop with carries and rows of several dtypes, results that are inputs, and a capture."""

    def f(x, n, flags):
        scale = pg.sin(x[0])

        def body(c, row):
            total, count, last = c
            x, n, flag = row
            count = count + n
            last = pg.where(flag, x * scale, last) + 1.0
            return (total + pg.sum(last), count, last), (last, count, x, flag, total)

        carry, ys = pg.scan(
            body, (np.float64(0), np.int64(3), np.zeros(4)), (x, n, flags), reverse=reverse
        )
        return (*carry, *ys)

    return f


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [0, 1, 2, 7, 3000])
def test_carries_rows_and_stacks_of_several_dtypes(length, reverse):
    text = agree(
        mixed(reverse),
        RNG.normal(size=(length, 4)) if length else np.zeros((0, 4)),
        RNG.integers(0, 9, length),
        RNG.normal(size=length) > 0,
    ) if length else ""  # fmt: skip
    assert length < 2 or "within one native call" in text  # a loop of one step is its body


@pytest.mark.parametrize("reverse", [False, True])
def test_rows_that_are_indices_are_checked(reverse):
    def f(table, at):
        return pg.scan(lambda c, i: (c + table[i], c[0]), np.zeros(3), at, reverse=reverse)

    table, at = RNG.normal(size=(5, 3)), RNG.integers(0, 5, 40)
    assert "within one native call" in agree(f, table, at)
    compiled = pg.function(f, engine="native")
    at[17] = 5
    with pytest.raises(IndexError):
        compiled(table, at)
    at[17] = 4
    close(compiled(table, at)[0], pg.function(f, engine="numpy")(table, at)[0])


def test_a_carry_that_is_an_index_is_checked_in_each_step():
    def f(table, start):
        return pg.scan(lambda c, _: (table[c], table[c]), start, length=6)

    links = np.array([2, 0, 3, 1])
    assert "a carry is an index" in agree(f, links, np.int64(0))
    links[3] = 9
    with pytest.raises(IndexError):
        pg.function(f, engine="native")(links, np.int64(0))


def test_a_carry_that_is_the_place_of_an_extreme_is_checked_once():
    def f(table, start):
        step = lambda c, _: (pg.argmax(table[c]), c)  # noqa: E731
        return pg.scan(step, start, length=9)

    table, wrong = RNG.normal(size=(5, 5)), [pg.function(f, engine=name) for name in ENGINES]
    assert "within one native call" in agree(f, table, np.int64(2))
    for compiled in wrong:
        with pytest.raises(IndexError):
            compiled(table, np.int64(5))
    wide = RNG.normal(size=(5, 7))  # a place that is no row
    wide[3, 6] = 9.0
    assert "a carry is an index" in pg.function(f, engine="native").explain(wide, np.int64(0))
    with pytest.raises(IndexError):
        pg.function(f, engine="native")(wide, np.int64(3))


@pytest.mark.parametrize("how", ["set", "add", "max"])
def test_a_carry_whose_rows_are_replaced_changes_in_place(how):
    def f(cache, count, xs):
        def body(carry, x):
            cache, count = carry
            cache = getattr(cache.at[:, count + np.arange(2)], how)(x)
            return (cache, count + 1), pg.sum(pg.sin(cache))

        (cache, count), sums = pg.scan(body, (cache, count), xs)
        return cache, count, sums

    cache, xs = RNG.normal(size=(3, 9, 2)), RNG.normal(size=(7, 3, 2, 2))
    before = cache.copy()
    assert "1 carry changes in place" in agree(f, cache, np.int64(0), xs)
    with pytest.raises(IndexError):
        pg.function(f, engine="native")(cache, np.int64(2), xs)  # fails in the last step
    np.testing.assert_array_equal(cache, before)


@pytest.mark.parametrize(
    "body",
    [
        lambda c, x: (c.at[pg.argmax(x)].set(x[0]), pg.sum(c)),  # the old carry is a result's
        lambda c, x: (c.at[pg.argmax(x)].set(c[0]), None),
        lambda c, x: (c[::-1].at[pg.argmax(x)].set(x[0]), None),
        lambda c, x: (c.at[pg.argmax(x)].set(x[0])[::-1], None),
    ],
)
def test_a_carry_that_is_read_elsewhere_is_not_written_over(body):
    def f(c, xs):
        return [one for one in pg.scan(body, c, xs) if one is not None]

    text = agree(f, RNG.normal(size=4), RNG.normal(size=(9, 4)))
    assert "in place" not in text


def test_two_carries_that_change_places_are_not_written_over():
    def body(carry, x):
        a, b = carry
        at = pg.argmax(x)
        return (b.at[at].set(x[0]), a.at[at].add(x[1])), None

    a, b, xs = RNG.normal(size=4), RNG.normal(size=4), RNG.normal(size=(9, 4))
    text = agree(lambda a, b, xs: pg.scan(body, (a, b), xs)[0], a, b, xs)
    assert "in place" not in text


def test_a_computed_index_is_checked_in_each_step():
    def f(table, xs):
        return pg.scan(lambda c, x: (c + table[pg.cast(x, "int64")], None), np.float64(0), xs)[:1]

    table, xs = RNG.normal(size=4), np.array([0.0, 1.0, 3.0])
    assert "within one native call" in agree(f, table, xs)
    with pytest.raises(IndexError):
        pg.function(f, engine="native")(table, np.array([0.0, 4.0, 3.0]))


def test_what_numpy_computes_in_a_body():
    def f(a, xs):
        return pg.scan(lambda c, x: (pg.linalg.inv(c) + x, pg.sum(c)), a, xs)

    text = agree(f, np.eye(3) * 2, RNG.normal(size=(4, 3, 3)))
    assert "NumPy computes a part of its body" in text


def test_nested_loops_branches_and_while():
    def f(x):
        def body(c, row):
            inner = pg.fori_loop(0, 3, lambda i, v: pg.sin(v) + row[i], c)
            c = pg.cond(pg.sum(inner) > 0, lambda: inner * 0.5, lambda: inner + 1.0)
            return c, pg.while_loop(lambda v: v < 3.0, lambda v: v * 1.5 + 0.1, pg.abs(pg.sum(c)))

        return pg.scan(body, x[0, 0], x)

    agree(f, RNG.normal(size=(5, 3)))
    x = RNG.normal(size=(5, 3))
    assert "within one native call" in pg.function(
        lambda x: pg.scan(lambda c, row: (c + row, c), x[0], x), engine="native"
    ).explain(x)


def test_a_large_body_uses_the_thread_pool():
    def f(w, xs):
        return pg.scan(lambda c, x: (pg.tanh(c @ w + x), pg.sum(c)), xs[0], xs)

    agree(f, RNG.normal(size=(200, 200)) / 20, RNG.normal(size=(6, 200, 200)))


def test_two_threads_share_a_loop():
    from concurrent.futures import ThreadPoolExecutor

    f = pg.function(lambda x: pg.scan(lambda c, row: (c * 0.5 + row, c), x[0], x), engine="native")
    inputs = [RNG.normal(size=(2000, 4)) for _ in range(8)]
    expected = [f(x)[1] for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        for found, value in zip(pool.map(f, inputs * 5), expected * 5, strict=True):
            close(found[1], value)


def test_the_code_does_not_depend_on_the_number_of_steps(monkeypatch):
    monkeypatch.setattr("palingrad.engines.native.kernels.loop.plan.MOST", 0)
    monkeypatch.setattr("palingrad.engines.native.kernels.control.BRIEF", 0)
    f = pg.function(lambda x: pg.scan(lambda c, row: (c * 0.25 + row, c), x[0], x), engine="native")
    f(np.ones((5, 3)))
    assert "code from the cache" not in f.explain(np.ones((5, 3)))  # the outer one has no code
    from palingrad.engines.native import native_loops

    nodes = []
    for length in (5, 100_000):
        loop = pg.Graph()
        with loop:
            x = pg.placeholder((length, 3), dtype="float64")
            y, _ = pg.scan(lambda c, row: (c * 0.25 + row, c), np.zeros(3), x)
        compile, _ = native_loops._compilers[0]
        nodes.append(compile(native_loops.region_program(y.inputs[0].body)))
    assert nodes[0].emitted() == nodes[1].emitted()


def test_results_of_earlier_calls_stay_as_they_are():
    f = pg.function(
        lambda x: pg.scan(lambda c, row: (c + row, c * row), x[0], x)[1], engine="native"
    )
    given = [RNG.normal(size=(3000, 4)) for _ in range(5)]
    held, copies = [], []
    for x in given * 3:
        y = f(x)
        part = y[5:9] if len(held) % 2 else y  # a part, or the whole, is held
        held.append(part)
        copies.append(part.copy())
    for one, copy in zip(held, copies, strict=True):
        assert np.array_equal(one, copy)
    x = given[0]
    for _ in range(3):
        close(f(x), x * np.concatenate([x[:1], x[0] + np.cumsum(x, axis=0)[:-1]]))


def test_layouts_of_a_body_are_stacked_where_they_are_computed():
    def f(x):
        def body(c, row):
            joined = pg.concatenate([row, c * 2.0])
            return joined[1:3], (joined, joined.reshape(2, 2), pg.stack([c, row]))

        return pg.scan(body, x[0], x)

    assert "within one native call" in agree(lambda x: f(x)[1], RNG.normal(size=(7, 2)))
