"""An engine's reuse of memory is invisible: results don't change, whatever runs later."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

import palingrad as pg
from tolerances import assert_close, assert_same

LARGE = (80, 90)  # enough elements for engines to write over what nobody needs any more
X = np.random.default_rng(0).uniform(0.5, 2.0, LARGE)
every_engine = pytest.mark.parametrize("engine", pg.engine_names())


@every_engine
def test_values_needed_later_are_not_written_over(engine):
    with pg.Graph() as graph:
        x = pg.placeholder()
        a = x + 1.0
        b = a * 2.0
        c = b - a
        d = pg.sqrt(c) + a
        e = d * d + a.T[0, 0]
    fed = X.copy()
    found = pg.Session(graph, engine=engine).run([e, b, d, a], {x: fed})
    of_a = X + 1
    of_d = np.sqrt(of_a) + of_a
    for one, other in zip(found, [of_d**2 + of_a[0, 0], of_a * 2, of_d, of_a], strict=True):
        assert_close(one, other)
    assert_same(fed, X)


@every_engine
def test_results_of_earlier_runs_stay(engine):
    with pg.Graph() as graph:
        x = pg.placeholder()
        y = pg.exp(x * 0.5) + x
        z = pg.sum(y, axis=0)
    session = pg.Session(graph, engine=engine)
    first = session.run([y, z, y.T], {x: X})
    copies = [one.copy() for one in first]
    for number in range(3):
        session.run([y, z, y.T], {x: X + number})
    for one, other in zip(first, copies, strict=True):
        assert_same(one, other)


@every_engine
def test_values_of_variables_from_before_an_update_stay(engine):
    v = pg.Variable(X)
    with pg.Graph() as graph:
        up = v.assign(v * 2.0 + 1.0)
    session = pg.Session(graph, engine=engine)
    before = v.numpy()
    updated = session.run(up)
    session.run(up)
    assert_same(before, X)
    assert_close(updated, 2 * X + 1)
    assert_close(v.numpy(), 4 * X + 3)


@every_engine
def test_results_may_be_fed_back(engine):
    step = pg.function(lambda x: pg.tanh(x) * 1.5, engine=engine)
    found, expected = X, X
    for _ in range(5):
        found, expected = step(found), np.tanh(expected) * 1.5
    assert_close(found, expected)


@every_engine
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 9)), max_size=12),
    st.sets(st.integers(0, 12), min_size=1, max_size=4),
)
def test_any_order_of_large_elementwise_operations(engine, steps, fetched):
    kinds = [
        (pg.add, np.add), (pg.multiply, np.multiply), (pg.maximum, np.maximum),
        (lambda x, y: pg.sin(x), lambda x, y: np.sin(x)),
        (lambda x, y: x[::-1] - y, lambda x, y: x[::-1] - y),
        (lambda x, y: pg.tanh(x) * pg.mean(y, axis=0), lambda x, y: np.tanh(x) * y.mean(axis=0)),
    ]  # fmt: skip
    with pg.Graph() as graph:
        x = pg.placeholder(LARGE, dtype=pg.float64)
        nodes, arrays = [x + 0.0], [X]
        for kind, i, j in steps:
            i, j = -1 - i % len(nodes), -1 - j % len(nodes)
            ours, theirs = kinds[kind]
            nodes.append(pg.minimum(ours(nodes[i], nodes[j]), 3.0))  # products grow
            arrays.append(np.minimum(theirs(arrays[i], arrays[j]), 3.0))
    wanted = [place % len(nodes) for place in fetched]
    found = pg.Session(graph, engine=engine).run([nodes[place] for place in wanted], {x: X})
    for one, place in zip(found, wanted, strict=True):
        assert_close(one, arrays[place])
