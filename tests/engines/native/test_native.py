"""The native engine against NumPy: products, reductions, fusion, state, fallbacks, memory."""

import functools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import palingrad as pg
from palingrad.engines.native.plan.buffer_planner import LiveRange, plan_buffers
from tolerances import assert_close, assert_same


def native(f):
    return pg.function(f, engine="native")


def arrays(*shapes, dtype: Any = np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("of", [pg.matmul, lambda a, b: pg.sin(a)], ids=["product", "loop"])
def test_a_kernel_depends_on_later_dependencies_of_a_later_kernel(of):
    """The first kernel reads the second's result, before that one comes to read the third's."""

    def f(*xs):
        first, second = xs[0] @ xs[1], of(*xs[2:4])
        one = first + second.mT
        return one, second + (xs[4] @ xs[5]).mT

    xs = arrays(*[(8, 8)] * 6)
    for found, expected in zip(native(f)(*xs), f(*map(pg.tensor, xs)), strict=True):
        assert_close(found, expected.value)


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=3),
    st.data(),
    st.sampled_from(["sum", "max", "min", "prod"]),
)
def test_reductions_over_any_axes(shape, data, name):
    axes = data.draw(st.lists(st.sampled_from(range(len(shape))), unique=True))
    (x,) = arrays(tuple(shape))
    f = getattr(pg, name)
    found = native(lambda x: f(x, axis=tuple(axes)))(x)
    # Up to 64,000 terms, in another order than NumPy's.
    np.testing.assert_allclose(found, f(x, axis=tuple(axes)).numpy(), rtol=1e-10, atol=1e-10)


def test_layouts_are_views_without_copies():
    (x,) = arrays((6, 5, 4))

    def f(x):
        y = pg.permute_dims(x, (2, 0, 1))[1:, ::-2, None]
        return pg.exp(y) + pg.broadcast_to(x[0, 0, 0], y.shape), pg.reshape(y, (-1,))

    for found, expected in zip(native(f)(x), f(pg.tensor(x)), strict=True):
        assert_close(found, expected.value)


def test_a_chain_of_elementwise_operations_is_one_loop():
    (x,) = arrays((1000,))

    def f(x):
        for _ in range(10):
            x = pg.tanh(x) * 1.5 + 0.1
        return x

    g = native(f)
    assert_close(g(x), f(pg.tensor(x)).value)
    assert g.explain(x).count("Elementwise") == 1
    assert g.explain(x).startswith("native: 1 kernel in 1 stage")


def trained(engine, steps, seed=0):
    pg.set_seed(seed)
    model = pg.nn.Sequential(pg.nn.Linear(20, 17), pg.relu, pg.nn.Linear(17, 5))
    optimizer = pg.optim.Adam(0.01)

    @pg.function(engine=engine)
    def step(x, labels):
        loss = pg.cross_entropy(model(x, training=True), labels)
        optimizer.minimize(loss)
        return loss

    (x,) = arrays((33, 20), dtype=np.float32)
    labels = np.arange(33) % 5
    losses = [step(x, labels) for _ in range(steps)]
    return losses, [variable.value for variable in model.variables().values()]


def test_training_follows_the_numpy_engine():
    for found, expected in zip(trained("native", 20)[0], trained("numpy", 20)[0], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4)  # float32: 20 steps add up


def test_training_twice_gives_the_same_bits():
    first, second = trained("native", 200), trained("native", 200)
    for one, other in zip(first[0] + first[1], second[0] + second[1], strict=True):
        assert_same(one, other)


def test_a_kernel_depends_on_later_dependencies_of_an_earlier_kernel():
    def f(x):
        y = pg.maximum(x, 1.0)
        least = pg.min(pg.broadcast_to(y[..., None], (*y.shape, 3)), axis=0)  # its fold is first
        return least % 2, y + pg.sum(x)  # and now y's loop waits for the sum

    (x,) = arrays((7, 3))
    for found, expected in zip(native(f)(x), f(pg.tensor(x)), strict=True):
        assert_close(found, expected.value)


def test_a_node_does_not_join_a_kernel_on_which_its_sunk_input_depends():
    def f(x):
        y = -x
        z = pg.exp(y)  # sinkable, like y, until the end
        first = pg.sin(x)
        taken = pg.take(first, 4, axis=0)  # depends on the kernel of first
        return z, y + taken  # y is computed in the kernel that reads taken

    (x,) = arrays((5, 7))
    for found, expected in zip(native(f)(x), f(pg.tensor(x)), strict=True):
        assert_close(found, expected.value)


@pytest.mark.parametrize("reduce", [pg.sum, pg.max, pg.any])
@pytest.mark.parametrize("shape", [(0, 7, 1), (4, 2, 0, 4), (2, 3, 0)])
def test_reductions_of_and_to_empty_arrays(reduce, shape):
    x = np.zeros(shape)
    for axis in (axis for axis, size in enumerate(shape) if size):
        over = functools.partial(reduce, axis=axis)
        assert_same(native(over)(x), over(x).numpy())


def test_booleans_add_up_to_true():
    x = np.array([True, False, True, False, True])
    y = np.array([True, True, False, False, True])
    assert_same(native(lambda x, y: x + y)(x, y), x + y)
    assert_same(native(lambda x, y: (x + True) + (y + x))(x, y), x + True + y + x)


def test_uncompilable_operations_run_in_numpy_and_are_named():
    class Sorted(pg.Custom):
        def compute(self, x):
            return np.sort(x)

    (x,) = arrays((8, 3))
    f = native(lambda x: pg.sum(pg.exp(Sorted(x) * 2)))
    assert_close(f(x), np.exp(np.sort(x) * 2).sum())
    fallbacks = [line for line in f.explain(x).splitlines() if "Fallback" in line]
    assert len(fallbacks) == 1
    assert "sorted" in fallbacks[0].lower()


def test_a_fallback_that_returns_its_input_keeps_its_value():
    class Same(pg.Custom):
        def compute(self, x):
            return x

    def f(x):
        y = Same(pg.exp(x))  # exp(x) is in the arena, where the next values are written over it
        for _ in range(4):
            x = pg.tanh(pg.matmul(x, y))
        return y + x, pg.sum(y)

    (x,) = arrays((16, 16))
    for found, expected in zip(native(f)(x), f(pg.tensor(x)), strict=True):
        # Four products one behind the other enlarge each other's roundings.
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-10, atol=1e-10)


def test_results_are_not_overwritten_by_the_next_call():
    f = native(lambda x: (x * 2, pg.reshape(x, (2, 2)), x))
    live_out = f(np.ones(4))
    f(np.zeros(4))
    for result in live_out:
        assert result.ravel()[0] in (1.0, 2.0)
        assert not result.flags.writeable


def test_a_failed_run_changes_no_variable():
    class Broken(pg.Custom):
        def compute(self, x):
            raise RuntimeError("broken on purpose")

    w = pg.Variable(np.ones(3))
    with pg.Graph():
        train = w.assign(w * 2)
        bad = Broken(w)
    with pytest.raises(RuntimeError, match="on purpose"):
        pg.Session(engine="native").run([train, bad])
    assert_same(w.value, np.ones(3))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(1, 500)), max_size=20))
def test_values_that_live_at_the_same_time_never_share_memory(drawn):
    live_ranges = [LiveRange(first, first + length, size) for first, length, size in drawn]
    offsets, total = plan_buffers(live_ranges)
    for i, (a, at) in enumerate(zip(live_ranges, offsets, strict=True)):
        assert at % 64 == 0
        assert at + a.size <= total
        for b, other in list(zip(live_ranges, offsets, strict=True))[:i]:
            apart = at + a.size <= other or other + b.size <= at
            assert apart or a.last < b.first or b.last < a.first
