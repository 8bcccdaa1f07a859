"""pg.source: programs as NumPy modules that run, give the same bits and are readable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import palingrad as pg
from palingrad.errors import FeedError, GraphError
from test_random_graphs import ARRAYS, GRAPHS, INPUTS, build
from tolerances import assert_close, assert_same
from view.reading.written import Folder

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
LABELS = np.array([0, 2])


@pytest.fixture
def folder(tmp_path):
    """Modules are written here; at the end of the test ruff sees all of them."""
    found = Folder(tmp_path)
    yield found
    found.check()


def energy(x: Any) -> Any:
    y = pg.sin(x) * 2
    return pg.sum(y**3)


def values(found: Any) -> Sequence[Any]:
    return found if isinstance(found, (tuple, list)) else [found]


# ---------------------------------------------------------------- the numbers


@pytest.mark.parametrize(
    "f",
    [
        energy,
        pg.grad(energy),
        pg.value_and_grad(energy),
        pg.hessian(energy),
        pg.grad(lambda x: pg.sum(pg.grad(energy)(x) ** 2)),
        pg.function(energy),
        pg.jacobian(lambda x: pg.softmax(x, axis=-1)),
        lambda x: {"mean": pg.mean(x), "rows": [pg.max(x, axis=1), None], "text": "as it is"},
    ],
)
def test_a_function_and_its_derivatives_give_the_same_bits(folder, f):
    module = folder.load(pg.source(f, X, name="written"))
    found, expected = module["written"](X), pg.function(f)(X)
    for one, other in zip(pg_leaves(found), pg_leaves(expected), strict=True):
        assert_same(one, other)


def pg_leaves(tree: Any) -> list[Any]:
    from palingrad.trees import leaves

    return leaves(tree)


def test_sixty_random_programs(folder):
    """Values and gradients of graphs that hypothesis builds, within the dtype's tolerance."""

    @settings(max_examples=60, suppress_health_check=list(HealthCheck), database=None)
    @given(GRAPHS)
    def examine(steps):
        f = pg.value_and_grad(lambda *xs: build(steps, xs), tuple(range(len(INPUTS))))
        value, slopes = folder.load(pg.source(f, *ARRAYS, name="graph"))["graph"](*ARRAYS)
        expected, expected_slopes = pg.function(f)(*ARRAYS)
        assert_close(value, expected)
        for one, other in zip(slopes, expected_slopes, strict=True):
            assert_close(one, other)

    examine()
    assert folder.count >= 60


def make_step(optimizer: Any, model: Any) -> Any:
    @pg.function
    def step(x, labels):
        loss = pg.cross_entropy(model(x, training=True), labels)
        optimizer.minimize(loss)
        return loss

    return step


@pytest.mark.parametrize(
    "name", ["adam", "adamw", "momentum", "rmsprop", "clipped", "dropout", "convolution"]
)
def test_a_training_step_gives_the_same_bits(folder, name):
    pg.set_seed(1)
    model: Any = pg.nn.Sequential(pg.nn.Linear(3, 5), pg.relu, pg.nn.Linear(5, 3))
    x = X.astype(np.float32)
    optimizer = {
        "adam": lambda: pg.optim.Adam(0.01),
        "adamw": lambda: pg.optim.AdamW(0.01),
        "momentum": lambda: pg.optim.Momentum(0.1),
        "rmsprop": lambda: pg.optim.RMSProp(0.01),
        "clipped": lambda: pg.optim.Adam(pg.optim.cosine_decay(0.01, steps=10), clip_norm=0.1),
    }.get(name, lambda: pg.optim.Adam(0.01))()
    if name == "dropout":
        model = pg.nn.Sequential(
            pg.nn.Linear(3, 5), pg.nn.BatchNorm(5), pg.nn.Dropout(0.4), pg.nn.Linear(5, 3)
        )
    if name == "convolution":
        model = pg.nn.Sequential(
            pg.nn.Conv2D(1, 2, 3, padding="same"), pg.relu, pg.nn.MaxPool2D(2), pg.flatten,
            pg.nn.Linear(8, 3),
        )  # fmt: skip
        x = np.random.default_rng(0).normal(size=(2, 1, 4, 4)).astype(np.float32)
    step = make_step(optimizer, model)
    source = pg.source(step, x, LABELS)
    module = folder.load(source)
    for _ in range(4):
        assert_close(module["step"](x, LABELS), step(x, LABELS))
    for section in ("forward", "backward", "update"):
        assert f"- {section}\n" in source


def test_a_graph_with_feeds_of_unknown_shape(folder):
    with pg.Graph() as graph:
        W = pg.Variable(np.ones((3, 2)), name="W")
        x = pg.placeholder(name="x")
        loss = pg.sum(pg.tanh(x @ W), name="loss")
        slope = pg.gradients(loss, W)
        train = pg.optim.GradientDescent(0.1).minimize(loss)
    source = pg.source([loss, slope, train], {x: X}, name="step")
    module = folder.load(source)
    session = pg.Session(graph)
    for _ in range(3):
        found = module["step"](X)
        expected = session.run([loss, slope, train], {x: X})
        assert found[2] is expected[2] is None
        assert_same(found[0], expected[0])
        assert_same(found[1], expected[1])
    assert "grad_W = " in source


def test_what_was_computed_eagerly_is_written_as_it_was_computed(folder):
    a, b = pg.Variable(2.0), pg.Variable(-1.0)
    x = pg.tensor(3.0)
    e = pg.sigmoid(a * x + b)
    source = pg.source([e, *pg.gradients(e, [a, b, x])])
    assert "e = sigmoid(a * x + b)" in source
    assert "x = np.array(3.0, np.float32)" in source
    found = folder.load(source)["run"]()
    for one, other in zip(found, [e, *pg.gradients(e, [a, b, x])], strict=True):
        assert_same(one, other.numpy())


def test_random_numbers_are_the_same_and_move_on(folder):
    pg.set_seed(7)

    @pg.function
    def noise():
        return pg.normal((5,)) + pg.uniform((5,))

    module = folder.load(pg.source(noise))
    first, second = module["noise"](), module["noise"]()
    assert_same(first, noise())
    assert_same(second, noise())
    assert first.tolist() != second.tolist()


def test_special_numbers_stand_in_the_text(folder):
    constants = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45, 0.1], np.float32)

    def f(x):
        return x * constants + np.float32(np.inf), pg.where(x > -0.0, np.nan, x)

    x = np.ones(6, np.float32)
    found = folder.load(pg.source(f, x))["f"](x)
    for one, other in zip(found, pg.function(f)(x), strict=True):
        assert_same(one, other)
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()


def test_large_arrays_go_beside_the_module(folder):
    w = np.random.default_rng(0).normal(size=(40, 50))

    def f(x):
        return x @ w

    source = pg.source(f, np.ones((2, 40)))
    assert len(source.arrays) == 1
    assert len(source) < 1500
    x = np.ones((2, 40))
    assert_same(folder.load(source)["f"](x), x @ w)
    assert not pg.source(f, np.ones((2, 40)), inline=2000).arrays


def test_a_chain_of_thousands(folder):
    def f(x):
        for _ in range(1500):
            x = pg.sin(x) + 0.5
        return x

    source = pg.source(f, np.ones(2))
    assert_same(folder.load(source)["f"](np.ones(2)), pg.function(f)(np.ones(2)))


# ---------------------------------------------------------------- how it reads


def test_the_gradient_reads_like_the_rule():
    source = pg.source(pg.grad(energy), X)
    assert "grad_x = " in source
    assert "back through sin: ∂y/∂x = cos x" in source
    assert "y = pg.sin(x) * 2" in source
    assert source.index("forward") < source.index("backward")


def test_names_of_every_kind_become_names_of_python(folder):
    with pg.Graph():
        x = pg.placeholder((2,), dtype=pg.float64, name="l")
        y = pg.Variable(np.ones(2), name='weird "name" <b>\\')
        z = pg.multiply(x, y, name="lambda")
        w = pg.exp(z, name="θ₁/np")
        t = pg.add(w, z, name="1st")
        u = pg.square(t, name="sum")
        out = pg.multiply(u, u, name="l")
    source = pg.source(out)
    module = folder.load(source)
    name = next(n for n in module if callable(module[n]) and not n.startswith("_") and n != "np")
    feed = np.array([0.1, 0.2])
    assert_same(module[name](feed), pg.Session().run(out, {x: feed}))


def test_a_function_that_is_called_like_a_helper(folder):
    def softmax(x):
        return pg.softmax(x)

    def sum(windows):
        return pg.sum(pg.softmax(windows))

    assert_same(folder.load(pg.source(softmax, X))["run_softmax"](X), pg.softmax(X).numpy())
    found = folder.load(pg.source(sum, X))["run_sum"](X)
    assert_same(found, pg.function(sum)(X))
    y = pg.softmax(pg.tensor(X))
    assert_same(folder.load(pg.source(y))["y"](), y.numpy())


def test_arguments_in_trees_are_named_by_their_place(folder):
    def f(pair, options):
        return pair[0] * options["scale"] + pair[1]

    arguments = (np.ones(2), np.zeros(2)), {"scale": 2.0}
    source = pg.source(f, *arguments)
    assert "def f(pair_0, pair_1, scale):" in source
    assert_same(folder.load(source)["f"](np.ones(2), np.zeros(2), 2.0), np.full(2, 2.0))


def test_many_arguments_and_results_break_over_lines(folder):
    def f(*xs):
        return {f"a_result_with_a_long_name_{n}": pg.concat([*xs, x]) for n, x in enumerate(xs)}

    xs = [np.full(2, float(n)) for n in range(30)]
    found = folder.load(pg.source(f, *xs))["f"](*xs)
    for name, one in pg.function(f)(*xs).items():
        assert_same(found[name], one)


def test_an_operation_of_the_users_own(folder):
    class Mish(pg.Elementwise):
        """y = x·tanh(log(1 + eˣ))."""

        samples = (pg.case((3, 4)),)

        def f(m, x):
            return x * m.tanh(m.log1p(m.exp(x)))

        def d(y, x):
            u = pg.tanh(pg.softplus(x))
            return [u + x * pg.sigmoid(x) * (1 - u * u)]

    class Halved(pg.Custom):
        """y = x/2."""

        def compute(self, x):
            return x / 2

        def vjp(self, g, x):
            return [g / 2]

    f = pg.value_and_grad(lambda x: pg.sum(Halved(Mish(x))))
    found = folder.load(pg.source(f, X, name="own"))["own"](X)
    for one, other in zip(found, pg.function(f)(X), strict=True):
        assert_same(one, other)


def _bent(x):
    return 2 * x


class Erf(pg.Elementwise):
    """y = 2x³ + x, called like one of the library's. ∂y/∂x = 6x² + 1."""

    def f(m, x):
        return x * x * x + _bent(m.sinh(0 * x)) + x + x * x * x

    def d(y, x):
        return [6 * x * x + 1]


class Max(pg.Custom):
    """y = x + its largest element, called like a builtin."""

    def compute(self, x):
        return x + max(x.ravel().tolist())


class SizeOf(pg.Custom):
    """y = x·size, by a function called like one that helpers call."""

    def compute(self, x):
        return x * _floats(x)


def _floats(x):
    return float(x.size)


def test_operations_of_ones_own_that_are_called_like_what_modules_contain(folder):
    def f(x):
        own = Erf(x)
        return own, pg.erf(own), Max(x), pg.max(x), SizeOf(x), pg.sum(Max(pg.softmax(x)))

    found = folder.load(pg.source(f, X, name="alike"))["alike"](X)
    for one, other in zip(found, pg.function(f, engine="numpy")(X), strict=True):
        assert_same(one, other)


def test_helpers_of_one_name_get_different_names(folder):
    def defined(factor):
        def scale(x):
            """A multiple of x."""
            return factor * x

        class Scaled(pg.Custom):
            """y = kx."""

            def compute(self, x):
                return scale(x)

        return Scaled

    one, other = defined(2.0), defined(3.0)
    found = folder.load(pg.source(lambda x: (one(x), other(x)), X, name="two"))["two"](X)
    assert_same(found[0], 2 * X)
    assert_same(found[1], 3 * X)


def test_the_derivative_told_is_that_of_the_operation_that_was_pulled_back():
    def told(f):
        return pg.source(pg.grad(lambda x: pg.sum(f(x))), X, name="slope")

    assert "back through erf: ∂y/∂x = 2/√π" in told(pg.erf)
    assert "back through erf: ∂y/∂x = 6x² + 1" in told(Erf)


# ---------------------------------------------------------------- what is refused


def test_a_custom_operation_that_needs_more_than_numpy_is_refused():
    import math

    class Odd(pg.Custom):
        """y = gamma of x."""

        def compute(self, x):
            return np.vectorize(math.gamma)(x)

    with pytest.raises(GraphError, match=r"odd can't be written with NumPy alone, .*Give it"):
        pg.source(lambda x: Odd(x), X)


def test_mistakes_raise_errors():
    x = pg.placeholder(name="x")
    with pytest.raises(GraphError, match=r"shape and dtype of placeholder 'x' aren't known"):
        pg.source(x * 2)
    with pytest.raises(GraphError, match="expected a function, nodes"):
        pg.source(3)
    with pytest.raises(GraphError, match="expected a dict of feeds"):
        pg.source(x * 2, X)
    with pytest.raises(GraphError, match=r"ends in \.py"):
        pg.source(energy, X).save("somewhere.txt")
    with pytest.raises(FeedError):
        pg.source(pg.placeholder((2,), dtype=pg.float64) * 2, {x: X, 3: 4})
