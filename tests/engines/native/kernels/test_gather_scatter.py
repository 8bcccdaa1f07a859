"""Gather and scatter with fed or computed indices equal NumPy's for any number of threads; an index
out of range raises an error and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import palingrad as pg
from tolerances import assert_same


@pytest.fixture(autouse=True)
def _usual_threads() -> Iterator[None]:
    before = pg.get_num_threads()
    yield
    pg.set_num_threads(before)


def agree(f: Any, *arrays: Any) -> None:
    """The same bits from both engines, without NumPy in one of them: rows are added in order."""
    run = pg.function(f, engine="native")
    found, expected = run(*arrays), pg.function(f, engine="numpy")(*arrays)
    many = isinstance(found, list)
    for one, other in zip(found if many else [found], expected if many else [expected]):
        assert_same(one, other)
    assert "Fallback" not in run.explain(*arrays)


@settings(max_examples=10)
@given(st.data())
def test_rows_are_taken_and_added_back(data):
    """Six arrays in each program: compiling takes longest."""
    cases = [taken(data) for _ in range(6)]
    takes = [take for take, _, _ in cases]

    def all_of_them(*given: Any) -> list[Any]:
        found: list[Any] = []
        for take, x, i in zip(takes, given[::2], given[1::2], strict=True):
            found += [take(x, i), pg.gradients(pg.sum(take(x, i) ** 2), x)]
        return found

    agree(all_of_them, *(array for _, x, i in cases for array in (x, i)))


def taken(data: Any) -> tuple[Any, Any, Any]:
    """A function that takes rows of an array, the array, and which rows."""
    shape = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=3).map(tuple))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    length = shape[axis]
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    kind = data.draw(st.sampled_from([np.int64, np.int32, np.uint8]))
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    chosen = data.draw(st.lists(st.integers(0, 9), max_size=2).map(tuple))
    low = 0 if kind is np.uint8 else -length
    indices = rng.integers(low, length, chosen).astype(kind)
    x = rng.normal(size=shape).astype(dtype)
    more = [
        lambda i: i,
        lambda i: pg.cast(i, pg.int64) * 1,  # computed
        lambda i: i[::-1] if chosen else i,  # fed, and seen from another side
        lambda i: pg.stack([i, i], axis=-1),
    ]
    of = data.draw(st.sampled_from(more))
    return lambda x, i: pg.take(x, of(i), axis=axis), x, indices


def test_rows_of_nothing():
    i = np.array([1, -3, 1])
    for shape in ((3, 0), (3, 2, 0), (3, 0, 2)):
        agree(lambda x, i: pg.gradients(pg.sum(pg.take(x, i, axis=0)), x), np.zeros(shape), i)


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_rows_of_any_width_are_read_and_combined(dtype):
    """From one column to more than four whole vectors, in one program."""
    rng = np.random.default_rng(2)
    widths = (1, 2, 7, 10, 17, 33, 63, 150)
    xs = [rng.integers(-9, 9, (5, width)).astype(dtype) for width in widths]
    ys = [rng.integers(-9, 9, (40, width)).astype(dtype) for width in widths]
    i = rng.integers(-5, 5, 40)

    def all_of_them(i: Any, *given: Any) -> list[Any]:
        found: list[Any] = []
        for x, y in zip(given[: len(xs)], given[len(xs) :], strict=True):
            found += [x[i], x.at[i].add(y), x[::-1].at[i].set(y), x.mT.at[:, i].max(y.mT)]
        return found

    agree(all_of_them, i, *xs, *ys)


def test_integers_that_sort_are_checked_only_if_they_may_not_fit():
    x, rows = np.array([2.0, 0.0, 1.0]), np.arange(6.0).reshape(3, 2)
    run = pg.function(lambda x, y: pg.take(y, pg.argsort(x)[::-1], axis=0), engine="native")
    assert_same(run(x, rows), rows[[0, 2, 1]])
    assert "BoundsCheck" not in run.explain(x, rows)
    assert "BoundsCheck" in run.explain(x, rows[:2])
    with pytest.raises(IndexError, match="indices 0 … 2 for 2 rows"):
        run(x, rows[:2])


def test_constant_indices():
    x = np.arange(15.0).reshape(5, 3)
    fixed = np.array([4, -5, 4])
    agree(lambda x: pg.take(x, fixed, axis=0), x)
    agree(lambda x: pg.gradients(pg.sum(pg.take(x, fixed, axis=0) ** 3), x), x)
    live_out = pg.Variable(np.array([0, 3]), trainable=False)
    agree(lambda x: pg.take(x, live_out, axis=0), x)


class Words:
    """An embedding's model of the next word, where a word's index may be computed."""

    def __init__(self, engine: str, computed: bool) -> None:
        rng = np.random.default_rng(0)
        shapes = [(50, 24), (24, 50)]
        self.ws = [pg.Variable(rng.normal(size=one) * 0.1, dtype=pg.float32) for one in shapes]
        optimizer = pg.optim.Adam(learning_rate=0.01)

        @pg.function(engine=engine)
        def step(words, following):
            indices = words * 2 - 1 if computed else words
            hidden = pg.tanh(pg.mean(pg.embedding(indices, self.ws[0]), axis=1))
            loss = pg.cross_entropy(hidden @ self.ws[1], following)
            optimizer.minimize(loss)
            return loss

        self.step, self.optimizer = step, optimizer

    def values(self) -> list[Any]:
        return [one.numpy() for one in (*self.ws, *self.optimizer.variables().values())]


def words(count: int, most: int = 25) -> tuple[Any, Any]:
    rng = np.random.default_rng(count)
    return rng.integers(1, most, (count, 7)), rng.integers(0, 50, count)


@pytest.mark.parametrize("computed", [False, True])
def test_an_embedding_trains_in_place_with_the_same_bits_for_any_number_of_threads(computed):
    results: list[list[Any]] = []
    for count in (1, 2, 4):
        pg.set_num_threads(count)
        model = Words("native", computed)
        losses = [model.step(*words(200)) for _ in range(10)]
        said = model.step.explain(*words(200))
        assert "Fallback" not in said
        assert "Variables updated in place" in said
        assert ("BoundsCheck" in said) == computed
        assert losses[-1] < losses[0]
        results.append([np.array(losses), *model.values()])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            assert_same(one, two)


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("number", [26, -25])
def test_a_computed_index_out_of_range_raises_and_changes_nothing(threads, number):
    pg.set_num_threads(threads)
    model = Words("native", computed=True)
    fine = words(200)
    model.step(*fine)
    before = model.values()
    bad = fine[0].copy()
    bad[123, 4] = number
    said = r"indices 1 … 51 for 50 rows" if number > 0 else r"indices -51 … 47 for 50 rows"
    with pytest.raises(IndexError, match=said):
        model.step(bad, fine[1])
    for one, two in zip(before, model.values(), strict=True):
        assert_same(one, two)
    again = Words("native", computed=True)
    again.step(*fine)
    assert_same(model.step(*fine), again.step(*fine))  # as if nothing had been


def test_in_a_repeat_the_runs_before_the_error_take_effect():
    table = pg.Variable(np.zeros(4), dtype=pg.float64)

    @pg.function(engine="native")
    def step(i):
        table.assign(table + pg.take(table, i + 1, axis=0) + 1)
        return pg.sum(table)

    step(np.array(0))
    with pytest.raises(IndexError, match="indices 4 … 4 for 4 rows"):
        step.repeat(np.array([0, 1, 3, 2]), along=(0,))
    assert_same(table.value, np.full(4, 7.0))  # 1, 3, 7


def test_the_error_names_the_first_bad_index_not_its_consequences():
    x = np.arange(6.0)

    @pg.function(engine="native")
    def chained(x, i):
        first = pg.take(x, i * 2, axis=0)
        return pg.take(x, pg.cast(first, pg.int64) * 2, axis=0)

    assert_same(chained(x, np.array([0, 1])), np.array([0.0, 4.0]))
    with pytest.raises(IndexError, match="indices 0 … 10 for 6 rows"):
        chained(x, np.array([5, 0]))
    with pytest.raises(IndexError, match="indices 0 … 8 for 6 rows"):
        chained(x, np.array([2, 0]))
    assert_same(chained(x, np.array([0, 1])), np.array([0.0, 4.0]))


def test_an_index_error_in_a_program_with_fallbacks():
    class Sorted(pg.Custom):
        def compute(self, *inputs: Any) -> Any:
            return np.sort(inputs[0])

    w = pg.Variable(np.zeros(3), dtype=pg.float64)

    @pg.function(engine="native")
    def step(x, i):
        w.assign(w + pg.sum(pg.take(Sorted(x), i + 1, axis=0)))
        return pg.sum(w)

    x = np.arange(3.0)
    step(x, np.array(1))
    for _ in range(2):
        with pytest.raises(IndexError, match="indices 3 … 3 for 3 rows"):
            step(x, np.array(2))
    assert_same(w.value, np.full(3, 2.0))
