"""Cases that looked right and weren't, once: each stays right."""

import copy
import gc
import math
import pickle
import signal
import threading
import time
import weakref

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import DTypeError, GradientError, GraphError, ShapeError
from tolerances import assert_close, assert_same


def test_nodes_in_a_list_keep_their_gradients():
    assert float(pg.grad(lambda x: pg.sum([x, 2 * x]))(3.0)) == 3.0
    assert float(pg.jvp(lambda x: pg.sum([x * 2, x]), (1.0,), (1.0,))[1]) == 3.0
    assert float(pg.function(lambda x: pg.sum([x, 2 * x]))(3.0)) == 9.0
    assert pg.gradients(pg.sum(pg.tensor(1.0) * [[1.0, 2.0]]), []) == []


def test_hessians_of_several_arguments_hold_every_block():
    def f(x, y):
        return pg.sum(x * y**2)

    x, y = np.arange(2.0), np.array([3.0, 5.0])
    (xx, xy), (yx, yy) = pg.hessian(f, argnums=(0, 1))(x, y)
    assert_close(xx, np.zeros((2, 2)))
    assert_close(xy, np.diag(2 * y))
    assert_close(yx, np.diag(2 * y))
    assert_close(yy, np.diag(2 * x))
    (first, _), _ = pg.hessian(lambda p: f(*p))([x, y])
    assert_close(first, xx)


def test_jacobians_of_several_results_have_their_form():
    found = pg.jacobian(lambda x: {"same": x, "double": x * 2})(np.arange(2.0))
    assert_close(found["same"], np.eye(2))
    assert_close(found["double"], 2 * np.eye(2))


def test_a_function_that_leaves_the_graph_says_so():
    with pytest.raises(
        GradientError, match=r"would become a plain number.*pg\.sin instead of math\.sin"
    ):
        pg.grad(lambda x: math.sin(x))(3.0)
    with pytest.raises(
        GradientError, match=r"f returned float 0\.14.*pg\.sin instead of math\.sin"
    ):
        pg.grad(lambda x: math.sin(3.0))(3.0)


def test_evaluate_follows_feeds_through_promised_gradients():
    with pg.Graph() as graph:
        x = pg.placeholder()
        y = pg.gradients(x**2, x) * 2
    assert [float(graph.evaluate(y, {x: value})) for value in (3.0, 5.0)] == [12.0, 20.0]


def test_evaluate_follows_variables_through_eager_values():
    v = pg.Variable(2.0)
    e = v * 2
    with pg.Graph() as graph:
        y = e + 1
    assert float(graph.evaluate(y)) == 5.0
    v.assign(10.0)
    assert float(graph.evaluate(y)) == float(pg.Session().run(y)) == 21.0


def test_evaluate_refuses_to_assign():
    v = pg.Variable(1.0)
    with pg.Graph() as graph:
        y = v.assign(v + 1)
    with pytest.raises(GraphError, match="which evaluate doesn't do"):
        graph.evaluate(y)
    assert float(v) == 1.0


def test_jacobians_twice_after_an_operation_with_several_outputs():
    with pg.Graph() as graph:
        x = pg.placeholder((4,), dtype="float32")
        a, _ = pg.split(x, 2)
        z = pg.sum(a**2)
    for _ in range(2):
        graph.jacobians(z, {x: [1, 2, 3, 4]})
        assert_close(x.jacobian, np.array([2, 4, 0, 0], np.float32))


@pytest.mark.parametrize("engine", pg.engine_names())
@pytest.mark.parametrize("dtype", [">f8", ">f4", ">i4", "<f8"])
def test_either_order_of_bytes_is_read_right(engine, dtype):
    x = np.array([1, 2], dtype)
    for found in (pg.function(lambda x: x * 2, engine=engine)(x), (pg.tensor(x) * 2).value):
        assert_same(found, np.array([2, 4], x.dtype.newbyteorder("=")))
        assert found.dtype.isnative


@pytest.mark.parametrize("engine", pg.engine_names())
def test_half_precision_runs_on_every_engine(engine):
    f = pg.function(lambda x: pg.sum(x * 2), engine=engine)
    assert_same(f(np.array([1, 2], np.float16)), np.array(6, np.float16))


def test_floats_wider_than_64_bits_are_refused():
    with pytest.raises(DTypeError, match="not supported"):
        pg.tensor(np.longdouble(1))


@pytest.mark.parametrize("engine", pg.engine_names())
def test_a_custom_operation_must_keep_its_word(engine):
    class Sorted(pg.Custom):
        def compute(self, x):
            return np.argsort(x)

    class Summed(pg.Custom):
        def compute(self, x):
            return np.sum(x)

    x = np.array([3.0, 1.0])
    with pytest.raises(DTypeError, match="compute returned int64, dtype_rule says float64"):
        pg.function(lambda x: Sorted(x) * 1.0, engine=engine)(x)
    with pytest.raises(ShapeError, match=r"compute returned \(\), shape_rule says \(2,\)"):
        pg.function(lambda x: Summed(x) * 1.0, engine=engine)(x)
    with pytest.raises(DTypeError, match="compute returned int64"):
        Sorted(x)


def test_numbers_that_fit_no_integer_are_refused():
    with pytest.raises(DTypeError, match="doesn't fit int64"):
        pg.function(lambda x: x + 1)(2**63)


def test_one_graph_opened_by_several_threads_stays_theirs():
    shared, wrong = pg.Graph(), []

    def work(own):
        for _ in range(200):
            if own:
                with pg.Graph() as mine:
                    with shared:
                        time.sleep(0)
                    wrong.extend([1] * (pg.get_default_graph() is not mine))
            else:
                with shared:
                    time.sleep(0)
                wrong.extend([2] * (pg.get_default_graph() is not None))

    threads = [threading.Thread(target=work, args=(n % 2 == 0,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_signal_may_compute_while_a_formula_runs():
    found = []
    before = signal.signal(signal.SIGALRM, lambda *_: found.append(float(pg.tensor(1.0) + 1)))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        x, stop = pg.tensor(np.ones(50_000)), time.monotonic() + 10
        while len(found) < 20 and time.monotonic() < stop:
            pg.exp(x)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert set(found) == {2.0}


def test_a_function_lets_go_of_what_it_was_fed():
    f = pg.function(pg.sum)
    x = np.ones(1000)
    reference = weakref.ref(x)
    f(x)
    del x
    gc.collect()
    assert reference() is None


def test_gradients_of_backward_can_be_differentiated_again():
    v = pg.Variable(3.0)
    (v**3).backward(create_graph=True)
    assert float(pg.gradients(v.grad, v)) == 18.0


def test_variables_can_be_copied_and_pickled():
    v = pg.Variable([1.0, 2.0], trainable=False, name="v")
    for other in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        assert_same(other.value, v.value)
        assert (other.trainable, other.name) == (False, "v")
        other.assign([3.0, 4.0])
        assert float(v[0]) == 1.0
    model = pg.nn.Sequential(pg.nn.Linear(2, 3), pg.relu)
    twin = copy.deepcopy(model)
    assert list(twin.parameters()) == list(model.parameters())
    assert twin.layers[0].weight is not model.layers[0].weight


def test_small_and_large_gradients_keep_optimizers_going():
    half = pg.Variable(np.zeros(2, np.float16))
    for optimizer in (pg.optim.Adam(0.01), pg.optim.RMSProp(0.01), pg.optim.AdaGrad(0.01)):
        optimizer.minimize(pg.sum(half * np.array([1, 0], np.float16)))
        assert np.isfinite(half.numpy()).all()
    w = pg.Variable([0.0, 0.0])
    pg.optim.GradientDescent(0.1, clip_norm=1.0).minimize(pg.sum(w * [1e30, 0.0]))
    assert_close(w.value, np.array([-0.1, 0.0], np.float32))


def test_a_slope_that_is_no_list_is_explained():
    class Bare(pg.Elementwise):
        def f(m, x):
            return x * 2

        def d(y, x):
            return y

    with pytest.raises(GradientError, match="d returns a list with one slope for each input"):
        pg.grad(lambda x: pg.sum(Bare(x)))(np.ones(3))


def test_numbers_in_nodes_can_be_formatted():
    assert f"{pg.tensor(1.5):.2f}" == "1.50"
