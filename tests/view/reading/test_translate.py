"""A graph translated into each style computes the same bits, and what can't be written is named."""

import runpy

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import GraphError
from palingrad.view.reading.translation import translate

STYLES = ("session", "eager", "function")


@pytest.fixture(autouse=True)
def numpy_engine(monkeypatch):
    """The engine that computes each operation as eager code does."""
    monkeypatch.setenv("PALINGRAD_ENGINE", "numpy")


def module_of(what, style, folder, **options):
    text = translate(what, to=style, name="compute", **options)
    path = folder / f"{style}.py"
    text.save(path)
    return runpy.run_path(str(path))


def arrays(results):
    results = results if isinstance(results, (tuple, list)) else [results]
    return [one.numpy() if isinstance(one, pg.Node) else np.asarray(one) for one in results]


def assert_same_bits(found, expected):
    found, expected = arrays(found), arrays(expected)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert a.tobytes() == b.tobytes()


def training():
    """A network with an unknown batch size, its gradients and a training step."""
    generator = np.random.default_rng(1)
    with pg.Graph():
        x = pg.Placeholder((None, 3), dtype="float32", name="x")
        label = pg.Placeholder((None,), dtype="int64", name="label")
        w = pg.Variable(generator.normal(size=(3, 4)).astype(np.float32), name="w")
        b = pg.Variable(np.zeros(4, np.float32), name="b")
        logits = pg.tanh(x @ w + b) * 1.5
        loss = pg.mean(pg.cross_entropy(logits, label))
        gw, gb = pg.gradients(loss, [w, b])
        step = pg.group(w.assign(w - 0.1 * gw), b.assign(b - 0.1 * gb))
    feeds = [
        (generator.normal(size=(5, 3)).astype(np.float32), generator.integers(0, 4, 5))
        for _ in range(3)
    ]
    return [loss, step], [x, label], [w, b], feeds


@pytest.mark.parametrize("style", STYLES)
def test_training_takes_the_same_steps(style, tmp_path):
    targets, fed, variables, feeds = training()
    module = module_of(targets, style, tmp_path)
    session = pg.Session(targets[0].graph)
    for values in feeds:
        expected, _ = session.run(targets, dict(zip(fed, values, strict=True)))
        assert_same_bits(module["compute"](*values), expected)
    for variable in variables:
        assert_same_bits(module[variable.name], variable)
        assert np.ptp(variable.numpy()) > 0


def expressions():
    """Operators, reductions, indices, several outputs, comparisons, constants."""
    x = pg.tensor(np.arange(12.0).reshape(3, 4) - 4.5, name="x")
    table = np.linspace(-1, 1, 12).reshape(3, 4)
    parts = pg.split(x, 2, axis=1)
    order = pg.argsort(x[1:, ::-1], axis=0)
    return [
        -(x**2) / 3 + table,
        pg.where(x > 0.5, x, -1e30) // 2,
        pg.sum(parts[0] @ parts[1].T, axis=(0, 1), keepdims=True),
        x[..., None, -1] * pg.log1p(pg.abs(x)).T[:, :, None],
        pg.concat([pg.cast(order, "float64"), x], axis=0),
        pg.maximum(x, float("-inf")) + np.float64(0.1),
        pg.gradients(pg.sum(pg.sigmoid(x) * x), x),
    ]


@pytest.mark.parametrize("style", STYLES)
def test_eager_expressions_are_the_same(style, tmp_path):
    results = expressions()
    assert_same_bits(module_of(results, style, tmp_path)["compute"](), results)


def test_a_graph_s_own_operations_are_built_again(tmp_path):
    targets, *_ = training()
    module = module_of(targets, "session", tmp_path)
    graph = targets[0].graph
    assert graph is not None
    before = [type(node) for node in graph.operations]
    assert sorted(map(str, before)) == sorted(
        str(type(node)) for node in module["graph"].operations
    )


def test_a_whole_graph_computes_its_last_nodes(tmp_path):
    with pg.Graph() as graph:
        x = pg.Placeholder((2,), dtype="float64", name="x")
        pg.exp(x)
        pg.sum(x * 2.0)
    found = module_of(graph, "function", tmp_path)["compute"](np.array([0.0, 1.0]))
    assert_same_bits(found, [np.exp([0.0, 1.0]), np.float64(2.0)])


@pytest.mark.parametrize("style", STYLES)
def test_large_arrays_are_saved_beside_the_module(style, tmp_path):
    big = np.random.default_rng(0).normal(size=(40, 50))
    y = pg.sum(pg.tensor(big) * big, axis=0)
    text = translate(y, to=style)
    assert text.arrays
    assert len(text) < 2000
    assert_same_bits(module_of(y, style, tmp_path)["compute"](), y)


class Doubled(pg.Elementwise):
    """y = 2x."""

    def f(m, x):
        return 2 * x

    def d(y, x):
        return [2.0]


def test_operations_of_the_user_s_are_imported(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_operation.py").write_text(
        "import palingrad as pg\n\n\nclass Tripled(pg.Elementwise):\n"
        "    def f(m, x):\n        return 3 * x\n\n    def d(y, x):\n        return [3.0]\n"
    )
    from own_operation import Tripled  # pyright: ignore[reportMissingImports]

    y = Tripled(pg.tensor([1.0, 2.0]))
    for style in STYLES:
        module = module_of(y, style, tmp_path)
        assert_same_bits(module["compute"](), y)


def test_what_can_t_be_written_is_named():
    with pytest.raises(GraphError, match=r"normal.* draws random numbers"):
        translate(pg.random.normal((3,)), to="eager")
    with pytest.raises(GraphError, match="expected a Graph, a Program or nodes, got int"):
        translate([3], to="eager")
    with pytest.raises(pg.errors.ArgumentError, match="eagerly"):
        translate(pg.tensor(1.0) + 1, to="eagerly")  # type: ignore[arg-type]
    with pg.Graph():
        v = pg.Variable(1.0, name="v")
        after = pg.after(v * 2.0, v.assign(v + 1.0))
    with pytest.raises(GraphError, match="which only a session has"):
        translate(after, to="function")


def test_an_ordered_run_is_written_for_a_session(tmp_path):
    with pg.Graph():
        v = pg.Variable(1.0, name="v")
        after = pg.after(v * 2.0, v.assign(v + 1.0))
    module = module_of(after, "session", tmp_path)
    assert [float(module["compute"]()) for _ in range(3)] == [2.0, 4.0, 6.0]


def powers(x, w):
    return pg.scan(lambda c, t: (c * w, (c + t, c)), x[0], x, reverse=True)


def sums_without_rows(x, w):
    return pg.scan(lambda c, _: ((c[0] + w, c[1] * 0.5), None), (x, x), length=3)[0]


def until(x, w):
    return pg.while_loop(lambda c: pg.sum(c) < 20, lambda c: c * w + 0.1, x)


def bounded(x, w):
    y = pg.while_loop(lambda c: pg.sum(c) < 20, lambda c: c * w + 0.1, x, max_steps=4)
    return pg.gradients(pg.sum(y), [x, w])


def branches(x, w):
    y = pg.cond(x[0] > w, pg.sin, lambda x: x * w, x)
    z = pg.switch(pg.cast(w, "int64"), [lambda: y, lambda: y + 1, lambda: pg.exp(y)])
    return [y, z, *pg.gradients(pg.sum(z), [x, w])]


def nested(x, w):
    def step(c, t):
        c = pg.cond(c > w, lambda c: c - t, lambda c: c + np.array([2.0, 3.0])[1], c)
        return c, pg.fori_loop(0, 3, lambda i, a: a * w + i, c)

    y, ys = pg.scan(step, x[1], x, checkpoint=True)
    return [y, ys, *pg.gradients(y + pg.sum(ys), [x, w])]


def grouped(x, w):
    return [pg.scan(lambda c, t: (c * w + t, c), x[0], x, unroll=2)[1], pg.map(pg.tanh, x)]


@pytest.mark.parametrize(
    "function", [powers, sums_without_rows, until, bounded, branches, nested, grouped]
)
@pytest.mark.parametrize("style", STYLES)
def test_loops_and_branches_become_calls_with_functions(function, style, tmp_path):
    given = np.array([0.5, 1.5, -2.0])
    with pg.Graph():
        x = pg.Placeholder((3,), dtype="float64", name="x")
        w = pg.Variable(np.array(2.0), name="w")
        wanted = pg.trees.leaves(function(x, w))
        expected = pg.Session().run(wanted, {x: given})
    module = module_of(wanted, style, tmp_path)
    assert_same_bits(module["compute"](given), expected)


def test_parameters_and_variables_stand_in_the_order_of_the_source():
    with pg.Graph() as graph:
        b, a = pg.Placeholder((2,), name="b"), pg.Placeholder((2,), name="a")
        first, second = pg.Variable(np.ones(2), name="v"), pg.Variable(np.ones(2), name="u")
        y = a * second - b * first
    text = pg.view.translate(graph, to="eager")
    assert "def compute(b, a):" in text
    assert text.index("v = pg.Variable") < text.index("u = pg.Variable")
    assert "def compute(b, a):" in pg.view.translate(y, to="session", name="graph")
