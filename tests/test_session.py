"""Session: what a run takes, gives and changes."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import EngineError, FeedError, GraphError, ShapeError
from tolerances import assert_close, assert_same


@pytest.fixture
def counter():
    """A Variable, and a node whose run adds 1 to it."""
    v = pg.Variable(0.0, name="v")
    with pg.Graph() as graph:
        up = v.assign(v + 1)
    return graph, v, up


# -------------------------------------------------------------------------------- fetches


@pytest.mark.tiny
def test_the_program_on_the_first_page_of_the_design():
    with pg.Graph() as graph:
        matrix = pg.Variable([[1, 0], [0, -1]])
        b = pg.Variable([1, 1])
        x = pg.placeholder()
        z = pg.add(pg.matmul(matrix, x), b)
    assert_same(pg.Session(graph).run(z, {x: [1, 2]}), np.array([2, -1]))


@pytest.mark.tiny
def test_results_have_the_form_of_the_fetches():
    with pg.Graph() as graph:
        x = pg.placeholder()
        y, z = x * 2.0, x + 1.0
    session = pg.Session(graph)
    assert session.run([y, z], {x: 3.0}) == [6.0, 4.0]
    assert session.run((y, [z, y]), {x: 3.0}) == (6.0, [4.0, 6.0])
    assert session.run({"y": y, "more": {"z": z}}, {x: 3.0}) == {"y": 6.0, "more": {"z": 4.0}}
    assert session.run([], {}) == []
    assert session.run(x, {x: 3.0}) == 3.0


def test_variables_constants_and_eager_nodes_can_be_fetched():
    v, eager = pg.Variable([1.0, 2.0]), pg.tensor(3.0) * 2.0
    with pg.Graph() as graph:
        c = pg.Constant(5.0)
    assert_same(pg.Session(graph).run([v, eager, c])[0], v.numpy())
    assert pg.Session(graph).run([eager, c]) == [6.0, 5.0]


def test_results_are_read_only_and_never_the_fed_memory():
    with pg.Graph() as graph:
        x = pg.placeholder()
        v = pg.Variable(np.zeros((2, 3)))
        views = [x, x.T, x[1:], pg.reshape(x, (3, 2)), pg.expand_dims(x), x[...].T[::-1],
                 pg.split(x, sizes=[1, 1])[1], v.assign(x), pg.positive(x),
                 pg.broadcast_to(x, (2, 2, 3)), pg.stop_gradient(x), x * 1.0,
                 pg.cast(x, pg.float64)]  # fmt: skip
    fed = np.arange(6.0).reshape(2, 3)
    for found in [*pg.Session(graph).run(views, {x: fed}), v.numpy()]:
        assert not np.shares_memory(found, fed)
        assert not found.flags.writeable
    assert fed.flags.writeable
    fed[:] = 0
    assert v.numpy()[1, 2] == 5


def test_what_can_not_be_fetched_says_so():
    with pg.Graph() as graph:
        x = pg.placeholder((4,))
        pieces = pg.split(x, 2)
    with pytest.raises(GraphError, match="run: expected nodes to fetch, got int 3"):
        pg.Session(graph).run(3)
    with pytest.raises(GraphError, match=r"split has several outputs; fetch its items \(built at"):
        pg.Session(graph).run(pieces[0].inputs[0], {x: np.ones(4)})
    with pytest.raises(GraphError, match=r"run: item isn't in this session's graph \(built at"):
        pg.Session(pg.Graph()).run(pieces[0], {x: np.ones(4)})


# -------------------------------------------------------------------------------- feeds


@pytest.mark.tiny
def test_a_missing_or_unknown_feed_says_so():
    with pg.Graph() as graph:
        x, y = pg.placeholder(name="x"), pg.placeholder(name="y")
        z, v = x + y, pg.Variable(1.0)
    session = pg.Session(graph)
    with pytest.raises(FeedError, match=r"placeholder 'y' needs a feed \(built at test_session.py"):
        session.run(z, {x: 1.0})
    with pytest.raises(FeedError, match="needs a feed"):
        session.run(z)
    with pytest.raises(FeedError, match="only placeholders are fed, got 'x'"):
        session.run(z, {x: 1.0, y: 1.0, "x": 2.0})  # pyright: ignore
    with pytest.raises(FeedError, match="only placeholders are fed, got Variable"):
        session.run(z, {x: 1.0, y: 1.0, v: 2.0})  # pyright: ignore
    with pytest.raises(FeedError, match="expected a dict of placeholders, got"):
        session.run(z, [1.0, 2.0])  # pyright: ignore
    assert session.run(x * 2.0, {x: 1.0, y: 7.0}) == 2.0  # one too many does no harm


@pytest.mark.tiny
def test_names_in_place_of_nodes_are_refused_and_the_node_is_named():
    with pg.Graph() as graph:
        x = pg.placeholder(name="x")
        y = pg.square(x, name="y")
    session = pg.Session(graph)
    with pytest.raises(
        GraphError, match=r"got str 'y'. Use the node itself: graph\['y'\] is square"
    ):
        session.run("y", {x: 1.0})
    with pytest.raises(GraphError, match=r"Use the node itself.* no node named 'z'"):
        session.run(["z"], {x: 1.0})
    with pytest.raises(
        FeedError, match=r"got 'x'. Use the node itself: graph\['x'\] is placeholder"
    ):
        session.run(y, {"x": 1.0})
    with pytest.raises(
        FeedError, match=r"got 'x'. Use the node itself: graph\['x'\] is placeholder"
    ):
        pg.Session().run(y, {"x": 1.0})
    with pytest.raises(GraphError, match=r"graph\['y'\] is a graph's node of that name"):
        pg.Session().run("y")


def test_a_placeholder_of_another_graph_is_refused():
    with pg.Graph():
        stranger = pg.placeholder(name="p")
    with pg.Graph() as graph:
        x = pg.placeholder(name="x")
        y = x * 2.0
    for session in (pg.Session(graph), pg.Session()):
        with pytest.raises(FeedError, match=r"'p' is fed, which belongs to another .* \(built at"):
            session.run(y, {stranger: 1.0})
    with pytest.raises(FeedError, match="'p' is fed, which belongs to another graph"):
        pg.Session(graph).run(y, {x: 1.0, stranger: 1.0})


def test_shapes_that_do_not_fit_together_are_told_at_the_line_that_built_the_node():
    with pg.Graph() as graph:
        x, y = pg.placeholder(), pg.placeholder()
        z = x @ y
    with pytest.raises(
        ShapeError, match=r"matmul: inner sizes 2 and 3 differ.* Built at test_sess"
    ):
        pg.Session(graph).run(z, {x: np.ones((2, 2)), y: np.ones((3, 2))})


def test_programs_are_made_once_for_each_signature(monkeypatch):
    made = []
    engine = pg.get_engine("numpy")
    compile_it = type(engine).compile
    monkeypatch.setattr(
        type(engine), "compile", lambda self, program: made.append(1) or compile_it(self, program)
    )
    x = pg.placeholder()
    y, session = x * 2.0, pg.Session(engine="numpy")
    for feed in (1.0, 2.0, [1.0], [2.0], [1, 2], [3, 4], np.ones(1)):
        session.run(y, {x: feed})
    assert len(made) == 4  # (), (1,) float32, (2,) int64, (1,) float64
    session.close()
    session.run(y, {x: 1.0})
    assert len(made) == 5


def test_a_template_learns_sizes_ranks_and_dtypes_anew():
    with pg.Graph() as graph:
        x, w = pg.placeholder(), pg.placeholder((None, 2))
        y = pg.softmax(pg.matmul(x, w) / 2, axis=-1)
    session = pg.Session(graph)
    for dtype in (np.float32, np.float64):
        for shape in ((3,), (4, 3), (2, 4, 3)):
            a, b = np.ones(shape, dtype), np.ones((3, 2), dtype)
            assert_close(session.run(y, {x: a, w: b}), np.full((*shape[:-1], 2), 0.5, dtype))


def test_a_change_of_the_default_dtype_makes_another_program():
    i = pg.placeholder()
    y, session = pg.sqrt(i), pg.Session()
    assert session.run(y, {i: 4}).dtype == pg.float32
    pg.set_default_dtype(pg.float64)
    assert session.run(y, {i: 4}).dtype == pg.float64


# -------------------------------------------------------------------------------- assignments


@pytest.mark.tiny
def test_reads_see_the_state_before_the_run_and_updates_land_together():
    a, b = pg.Variable(1.0), pg.Variable(2.0)
    with pg.Graph() as graph:
        total = a + b
        swap = [a.assign(b), b.assign(a)]
        after = a * 10.0
    found = pg.Session(graph).run([total, *swap, after, a])
    assert found == [3.0, 2.0, 1.0, 10.0, 1.0]
    assert (a.item(), b.item()) == (2.0, 1.0)


@pytest.mark.tiny
def test_a_run_that_fails_leaves_every_variable_as_it_was(counter):
    graph, v, up = counter
    other = pg.Variable([1.0])

    class Failing(pg.Custom):
        def compute(self, x):
            raise ZeroDivisionError

    with graph:
        broken = other.assign(Failing(other))
    with pytest.raises(ZeroDivisionError):
        pg.Session().run([up, broken])
    assert (v.item(), other.item()) == (0.0, 1.0)


def test_two_assignments_of_one_variable_are_refused(counter):
    graph, v, up = counter
    with graph:
        down = v.assign(v - 1)
    with pytest.raises(
        GraphError, match=r"variable 'v' is assigned twice in one run, again \(built at test_"
    ):
        pg.Session(graph).run([up, down])
    assert pg.Session(graph).run([up, up]) == [1.0, 1.0]  # one node, once


@pytest.mark.tiny
def test_a_group_runs_all_and_gives_none(counter):
    graph, v, up = counter
    w = pg.Variable(5.0)
    with graph:
        both = pg.group(up, w.assign(w * 2.0), name="both")
    assert pg.Session(graph).run(both) is None
    assert pg.Session(graph).run([both, v]) == [None, 1.0]
    assert (v.item(), w.item(), both.name) == (2.0, 20.0, "both")


def test_what_is_assigned_has_the_dtype_and_shape_of_the_variable():
    v = pg.Variable(np.zeros(2, np.float32))
    x = pg.placeholder()
    with pg.Graph() as graph:
        later = v.assign(x)
    session = pg.Session(graph)
    session.run(later, {x: np.array([1.0, 2.0])})
    assert_same(v.numpy(), np.array([1.0, 2.0], np.float32))
    with pytest.raises(ShapeError, match=re.escape("has shape (2,), assigned (3,)")):
        session.run(later, {x: np.ones(3)})


def test_an_assignment_lets_gradients_through():
    v, x = pg.Variable(1.0), pg.placeholder((), dtype=pg.float32)
    with pg.Graph() as graph:
        y = v.assign(x * x) * 3.0
        g = pg.gradients(y, x)
    assert pg.Session(graph).run([y, g], {x: 2.0}) == [12.0, 12.0]
    assert v.item() == 4.0


@pytest.mark.tiny
def test_gradient_descent_by_hand():
    w = pg.Variable(np.zeros(2))
    with pg.Graph() as graph:
        x, y = pg.placeholder(), pg.placeholder()
        loss = pg.mean((x @ w - y) ** 2)
        step = w.assign(w - 0.1 * pg.gradients(loss, w))
    a = np.random.default_rng(0).standard_normal((50, 2))
    session = pg.Session(graph)
    for _ in range(300):
        session.run(step, {x: a, y: a @ [1.5, -0.5]})
    assert_close(w.numpy(), np.array([1.5, -0.5]))


# -------------------------------------------------------------------------------- engines


def test_the_engine_is_chosen_by_argument_setting_and_environment(monkeypatch):
    assert "numpy" in pg.engine_names()
    assert pg.get_engine("numpy").name == "numpy"
    monkeypatch.setenv("PALINGRAD_ENGINE", "numpy")
    pg.set_engine(None)
    assert pg.get_engine().name == "numpy"
    monkeypatch.setenv("PALINGRAD_ENGINE", "abacus")
    assert pg.get_engine().name == "numpy"  # the environment is looked at when one asks for it
    pg.set_engine(None)
    with pytest.raises(EngineError, match=r"no engine is called 'abacus'; there is .*numpy"):
        pg.get_engine()
    pg.set_engine("numpy")
    assert pg.get_engine().name == "numpy"
    with pytest.raises(EngineError, match="no engine is called 'sundial'"):
        pg.set_engine("sundial")
    with pytest.raises(EngineError, match="no engine is called 'sundial'"):
        pg.Session(engine="sundial").run(pg.tensor(1.0))


def test_the_environment_is_read_at_the_start():
    done = subprocess.run(
        [sys.executable, "-c", "import palingrad as pg; print(pg.get_engine().name)"],
        env={**os.environ, "PALINGRAD_ENGINE": "numpy"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "numpy\n"


def test_a_session_may_be_used_in_a_with():
    with pg.Graph() as graph:
        y = pg.Constant(1.0) + 1.0
    with pg.Session(graph) as session:
        assert session.run(y) == 2.0
