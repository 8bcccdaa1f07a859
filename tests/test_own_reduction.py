"""A user's own reduction and layout: right on every engine, and compiled."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

import palingrad as pg
from palingrad.proof import prove
from styles import in_every_style
from tolerances import assert_close

ROOT = Path(__file__).resolve().parent.parent
ENGINES = ["numpy", "native"]
X = np.linspace(-2, 2, 15).reshape(3, 5)
AXES = [(0,), (1,), (0, 1)]


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("own", ROOT / "examples" / "own_reduction.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Range(pg.Reduce):
    """y = max x − min x: a total of two numbers."""

    def prepare(m, x):
        return x, x

    def identity(low, high):
        return np.inf, -np.inf

    def combine(m, a, b):
        return m.minimum(a[0], b[0]), m.maximum(a[1], b[1])

    def finish(m, total, n):
        return total[1] - total[0]


class Length(pg.Reduce):
    """y = √Σ x², without overflow: a ⊕ that is no one function of NumPy's."""

    floats = True

    def prepare(m, x):
        return m.absolute(x)

    def identity(dtype):
        return 0

    def combine(m, a, b):
        large, small = m.maximum(a, b), m.minimum(a, b)
        ratio = small / m.where(large == 0, 1, large)
        return large * m.sqrt(1 + ratio * ratio)


class Overlap(pg.Reduce):
    """y = Σ min(x, w), of two inputs that are broadcast."""

    def prepare(m, x, w):
        return m.minimum(x, w)

    def identity(dtype):
        return 0

    def combine(m, a, b):
        return a + b


def mean_exp(x, axis):
    return np.log(np.mean(np.exp(x), axis=axis))


def reports(f, *x):
    """What a compiled run says of the kernels for f."""
    run = pg.function(f, engine="native")
    run(*x)
    return run.explain(*x)


def test_the_battery_proves_them(example):
    for operation in (example.LogMeanExp, example.PowerMean, example.QuarterTurn):
        prove(operation)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_reduction_is_its_mathematics_on_every_engine(example, engine, axis, dtype):
    x = X.astype(dtype)
    for operation, expected in (
        (example.LogMeanExp, mean_exp(X, axis)),
        (Length, np.sqrt(np.sum(X * X, axis))),
        (Range, np.ptp(X, axis)),
    ):
        run = pg.function(lambda x, f=operation: f(x, axis=axis, keepdims=False), engine=engine)
        found = run(x)
        assert found.dtype == dtype
        eps = 8 * np.finfo(dtype).eps  # absolute too, for logarithms of numbers near 1
        np.testing.assert_allclose(found, expected, rtol=eps, atol=eps)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("length", [1, 7, 33, 100_000])
def test_rows_of_any_length_and_long_arrays_in_parts(example, engine, length):
    x = np.random.default_rng(1).uniform(0, 1, (2, length))
    for operation, expected in (
        (example.LogMeanExp, mean_exp(x, 1)),
        (Length, np.sqrt(np.sum(x * x, 1))),
    ):
        run = pg.function(lambda x, f=operation: f(x, axis=1, keepdims=False), engine=engine)
        np.testing.assert_allclose(run(x), expected, rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_several_inputs_are_broadcast(engine):
    w = np.array([0.5, -1.0, 0.0, 2.0, 1.0])
    run = pg.function(lambda x, w: Overlap(x, w, axis=0, keepdims=True), engine=engine)
    assert_close(run(X, w), np.sum(np.minimum(X, w), axis=0, keepdims=True))


@pytest.mark.parametrize("engine", ENGINES)
def test_of_nothing_it_is_the_identity_finished(example, engine):
    x = np.zeros((0, 3))
    run = pg.function(lambda x: Length(x, axis=0, keepdims=False), engine=engine)
    np.testing.assert_array_equal(run(x), [0, 0, 0])
    assert_close(run(np.zeros((2, 3))), np.zeros(3))


def test_sums_of_small_integers_are_in_64_bits_as_numpys():
    x = np.full((2, 200), 100, np.int8)
    for engine in ENGINES:
        run = pg.function(lambda x: Overlap(x, x, axis=1, keepdims=False), engine=engine)
        assert run(x).dtype == np.int64
        np.testing.assert_array_equal(run(x), [20_000, 20_000])


def test_with_elementwise_operations_it_is_one_row_kernel(example):
    said = reports(example.score, X)
    assert "1 kernel in" in said
    assert "Rows" in said
    assert "numpy" not in said


def test_over_other_axes_it_is_a_reduction_kernel(example):
    said = reports(lambda x: Length(pg.exp(x), axis=0, keepdims=False), X)
    assert "Reduction" in said
    assert "numpy" not in said


def test_what_is_not_compiled_says_why():
    said = " ".join(reports(lambda x: Range(x, axis=0, keepdims=False), X).split())
    assert "its total is several numbers, which generated code doesn't combine" in said


class Doubled(Length):
    """A compute of its own beside the parts that it inherits."""

    def compute(self, x):
        return 2 * super().compute(x)


class Flat(Length):
    """A shape of its own."""

    def shape_rule(self, x):
        return (15,)


class Endless(Length):
    """No identity: of nothing it can't be computed."""

    def identity(dtype):
        raise NotImplementedError("Endless has none")


@pytest.mark.parametrize("engine", ENGINES)
def test_rules_of_its_own_are_kept(engine):
    x = np.ones((3, 5))
    run = pg.function(lambda x: Doubled(x, axis=1, keepdims=False), engine=engine)
    assert_close(run(x), 2 * np.sqrt(5) * np.ones(3))
    with pytest.raises(pg.errors.ShapeError, match="shape_rule says"):
        pg.function(lambda x: Flat(x, axis=1, keepdims=False), engine=engine)(x)
    run = pg.function(lambda x: Endless(x, axis=1, keepdims=False), engine=engine)
    assert_close(run(x), np.sqrt(5) * np.ones(3))
    with pytest.raises(NotImplementedError, match="Endless has none"):
        run(x[:, :0])


@in_every_style
def test_its_derivative_is_right_in_every_style(example, slope):
    expected = np.exp(X - mean_exp(X, (0, 1))) / X.size
    assert_close(slope(lambda x: example.LogMeanExp(x, axis=None, keepdims=False), X), expected)


@pytest.mark.parametrize("engine", ENGINES)
def test_its_derivative_is_compiled_too(example, engine):
    found = pg.function(pg.grad(lambda x: pg.sum(example.score(x))), engine=engine)(X)
    h = 1e-6
    for index in [(0, 0), (2, 3)]:
        step = np.zeros_like(X)
        step[index] = h
        up, down = (np.sum(example.score(x).value) for x in (X + step, X - step))
        assert math.isclose(found[index], (up - down) / (2 * h), rel_tol=1e-7)


def test_a_subclass_of_the_librarys_that_prepares_is_computed_by_its_parts():
    class Squares(type(pg.sum(pg.tensor([1.0])))):
        def prepare(m, x):
            return x * x

    for engine in ENGINES:
        run = pg.function(lambda x: Squares(x, axis=1, keepdims=False), engine=engine)
        assert_close(run(X), np.sum(X * X, axis=1))


def test_its_source_is_numpy(example):
    with pg.Graph():
        x = pg.placeholder((3, 5), dtype="float64", name="x")
        y = example.LogMeanExp(x, axis=1, keepdims=False)
    text = pg.source(y)
    assert "np.logaddexp.reduce(x, axis=1)" in text
    space = {}
    exec(text, space)
    function = next(one for name, one in space.items() if callable(one) and name != "np")
    assert_close(np.asarray(function(X)), mean_exp(X, 1))


# ---------------------------------------------------------------- layouts


def test_a_layout_with_a_view_moves_nothing(example):
    said = reports(lambda x: example.QuarterTurn(x) + 1, X)
    assert "1 kernel in" in said
    assert "numpy" not in said
    found = pg.function(lambda x: example.QuarterTurn(x) + 1, engine="native")(X)
    np.testing.assert_array_equal(found, np.rot90(X, -1) + 1)


def test_a_view_that_shows_other_elements_than_the_formula_is_refused(example):
    class Wrong(example.QuarterTurn):
        def view(y, x):
            return x.permuted((1, 0))

    with pytest.raises(pg.errors.ShapeError, match="view shows other elements than f gives"):
        pg.function(lambda x: Wrong(x) + 1, engine="native")(X)


def test_a_layout_without_a_view_runs_through_numpy(example):
    class Rolled(pg.Layout):
        def f(m, x):
            return m.concatenate([x[1:], x[:1]], axis=0)

        def shape_rule(y, x):
            return x

    said = reports(lambda x: Rolled(x) + 1, X)
    assert "Fallback" in said
    found = pg.function(lambda x: Rolled(x) + 1, engine="native")(X)
    np.testing.assert_array_equal(found, np.roll(X, -1, axis=0) + 1)


@pytest.mark.tiny
@pytest.mark.parametrize("style", [lambda f: f, pg.function], ids=["eager", "function"])
def test_a_layout_and_a_reduction_whose_rule_says_another_shape_are_refused_in_every_style(style):
    class Turned(pg.Layout):
        def f(m, x):
            return m.swapaxes(x, 0, 1)

        def shape_rule(y, x):
            return x

    class Total(pg.Reduce):
        def f(m, x, *, axis, keepdims):
            return np.sum(x, axis=axis)

        def shape_rule(y, x):
            return (7,)

    for own in (Turned, lambda x: Total(x, axis=0, keepdims=False)):
        with pytest.raises(pg.errors.ShapeError, match=r"^\w+: f returned .*, shape_rule says"):
            style(own)(X)


@pytest.mark.tiny
def test_a_reduction_without_its_axis_says_how_it_is_called(example):
    with pytest.raises(TypeError, match=r"log_mean_exp: 'axis' isn't given: LogMeanExp\(x, axis="):
        example.LogMeanExp(X)
