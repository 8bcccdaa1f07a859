"""A second compiled engine, in one file: what engines are promised suffices for all operations.

It is the example `own_engine.py`, which names no operation. A new operation runs there at once:
`test_battery.py` proves each operation on it too.
"""

from __future__ import annotations

import ast
from functools import partial

import numpy as np
import pytest

import palingrad as pg
from fuzzing.compare import STYLES, examined
from fuzzing.generate import drawn
from fuzzing.run import in_function, in_session
from palingrad.engines.selection import add_engine, remove_engine
from palingrad.errors import DTypeError, EngineError, ShapeError
from palingrad.optim import Adam
from palingrad.proof import shipped
from second_engine import PATH, registered
from tolerances import assert_same

OPERATIONS = [operation for operation in shipped() if operation.samples]


@pytest.fixture(scope="module", autouse=True)
def example():
    with registered() as module:
        yield module


# ---------------------------------------------------------------- what it computes


def test_random_graphs_compute_what_eager_code_does(monkeypatch):
    monkeypatch.setitem(STYLES, "session on toy", partial(in_session, engine="toy"))
    monkeypatch.setitem(STYLES, "function on toy", partial(in_function, engine="toy"))
    for seed in range(8):
        style = f"{('session', 'function')[seed % 2]} on toy"
        assert examined(drawn(seed, most=20), [style], seed) is None


def trained(engine):
    """Weights and losses of a network with dropout, after steps of Adam, on one engine."""
    rng = np.random.default_rng(0)
    weights = [pg.Variable(rng.normal(size=size)) for size in ((5, 8), (8, 3))]
    with pg.Graph() as graph:
        x = pg.placeholder((4, 5), dtype=pg.float64)
        y = pg.tanh(pg.dropout(pg.relu(x @ weights[0]), 0.5, seed=3)) @ weights[1]
        loss = pg.mean((y - 1) ** 2)
        step = Adam(0.05).minimize(loss, weights)
    session = pg.Session(graph, engine=engine)
    losses = [session.run([loss, step], {x: rng.normal(size=(4, 5))})[0] for _ in range(5)]
    return [*losses, *(weight.numpy() for weight in weights)]


def test_training_computes_bit_for_bit_what_the_numpy_engine_does():
    for one, other in zip(trained("toy"), trained("numpy"), strict=True):
        assert_same(one, other)


class Twice(pg.Elementwise):
    """y = 2x, by a formula that an own `compute` or a wrong rule takes the place of below."""

    def f(m, x):
        return 2.0 * x

    def d(y, x):
        return [2]


class Thrice(Twice):
    """y = 3x."""

    def compute(self, x):
        return 3 * np.asarray(x)


class WrongDtype(Twice):
    def dtype_rule(y, *dtypes):
        return pg.float32


class WrongShape(Twice):
    def shape_rule(y, *shapes):
        return (2, *shapes[0][1:])


@pytest.mark.parametrize("engine", ["numpy", "native", "toy"])
def test_a_users_own_rules_are_kept_or_refused_by_name(engine):
    x = np.ones((3, 4))
    assert_same(pg.function(Thrice, engine=engine)(x), 3 * x)
    with pytest.raises(DTypeError, match="wrong_dtype"):
        pg.function(WrongDtype, engine=engine)(x)
    with pytest.raises(ShapeError, match="wrong_shape"):
        pg.function(WrongShape, engine=engine)(x)


# ---------------------------------------------------------------- what it is made of


def test_elementwise_operations_become_one_loop():
    def f(x, w):
        return pg.sum(pg.exp(pg.sin(x * w) + 1) / (x * w))

    text = pg.function(f, engine="toy").explain(np.ones((3, 4)), np.ones((3, 4)))
    assert text.count("in blocks(") == 1
    assert text.count("np.empty") == 1


def test_a_value_that_is_asked_for_or_of_another_shape_ends_a_loop():
    def f(x, w):
        y = pg.sin(w)
        z = pg.exp(y * x)
        return z, pg.sum(z, axis=0) * z

    text = pg.function(f, engine="toy").explain(np.ones((3, 4)), np.ones(4))
    assert text.count("in blocks(") == 3


def test_its_file_is_short_and_names_no_operation():
    text = PATH.read_text()
    assert len(text.splitlines()) < 150
    nodes = list(ast.walk(ast.parse(text)))
    imported = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    assert not [module for module in imported if module.startswith("palingrad.ops")]
    named = {node.id for node in nodes if isinstance(node, ast.Name)}
    named |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert named & {operation.__name__ for operation in OPERATIONS} == set()


def test_the_page_on_engines_shows_what_it_writes():
    function = PATH.with_suffix(".out").read_text().split("\n1.")[0]
    assert f"```python\n{function}\n```" in (PATH.parents[1] / "docs" / "engines.md").read_text()


# ---------------------------------------------------------------- how it is chosen


def test_an_engine_that_was_added_can_be_chosen_everywhere(example):
    assert "toy" in pg.engine_names()
    pg.set_engine("toy")
    assert pg.function(lambda x: x + 1).explain(1.0).startswith("def run(v0):")


def test_names_of_engines_are_their_own(example):
    with pytest.raises(EngineError, match="an engine is called 'toy' already"):
        add_engine(example.ToyEngine())
    with pytest.raises(EngineError, match="the numpy engine belongs to palingrad"):
        remove_engine("numpy")
    with pytest.raises(EngineError, match="no engine is called 'sundial'"):
        remove_engine("sundial")
