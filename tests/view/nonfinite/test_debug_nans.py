"""debug_nans reports the origin of a NaN with its line and reason, and nothing for healthy
programs."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import NonFiniteError
from view.nonfinite import faults
from view.nonfinite.faults import FAULTS
from view.nonfinite.healthy import HEALTHY, HEALTHY_DATA

STYLES = ["eager", "session", "function"]


def run(style, f, data, *, gradient):
    """f at the data, with its gradient if asked for, in one of the three styles."""
    array = np.asarray(data, np.float32)
    if style == "eager":
        y = f(x := pg.Variable(array, name="x"))
        if gradient:
            y.backward()
            return float(y), x.grad
        return float(y)
    if style == "session":
        with pg.Graph():
            x = pg.placeholder(name="x")
            y = f(x)
            fetches = [y, pg.gradients(y, x)] if gradient else y
        return pg.Session().run(fetches, {x: array})
    return pg.function(pg.value_and_grad(f) if gradient else f)(array)


@pytest.fixture
def products() -> Generator[Callable[[bool], None]]:
    """Chooses IEEE's products in derivatives until the end of the test."""
    yield pg.set_ieee_gradients
    pg.set_ieee_gradients(False)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.f.__name__)
def test_a_seeded_fault_is_found_at_its_line_with_its_reason(fault, style, products):
    products(fault.ieee)
    with pytest.raises(NonFiniteError) as caught, pg.debug_nans():
        run(style, fault.f, fault.data, gradient=fault.backward)
    error = caught.value
    assert Path(error.node.origin.file).name == "faults.py"
    assert error.node.origin.line == fault.line
    assert fault.reason in error.reason
    assert error.during == fault.during
    assert f"faults.py:{fault.line}" in str(error)
    assert "Try " in str(error)
    assert error.rewrite


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("f", HEALTHY, ids=lambda f: f.__name__)
def test_a_healthy_program_raises_no_error(f, style):
    with pg.debug_nans():
        run(style, f, HEALTHY_DATA, gradient=True)


@pytest.mark.parametrize("style", STYLES)
def test_a_masked_fault_needs_ieees_products(style):
    for fault in FAULTS:
        if fault.ieee:
            with pg.debug_nans():
                run(style, fault.f, fault.data, gradient=True)


def test_there_are_enough_faulty_and_healthy_programs():
    assert len({fault.f for fault in FAULTS}) >= 30
    assert len(set(HEALTHY)) >= 20


def test_the_element_is_named():
    x = np.ones((2, 3))
    x[1, 2] = 0
    with pytest.raises(NonFiniteError, match=r"log\[1, 2\]") as caught, pg.debug_nans():
        pg.sum(pg.log(pg.tensor(x)) * 2).numpy()
    assert caught.value.element == (1, 2)


def test_the_earliest_of_several_faults_is_reported():
    def f(x):
        first = pg.log(x)
        second = 1 / x
        return pg.sum(second) + pg.sum(first)

    with pytest.raises(NonFiniteError) as caught, pg.debug_nans():
        f(pg.tensor([0.0])).numpy()
    assert caught.value.reason == "1/0"  # what depends first, as the sum is built
    with pytest.raises(NonFiniteError) as caught, pg.debug_nans():
        pg.function(lambda x: pg.exp(pg.log(x) * -1e3) * 0.5)(np.zeros(2, np.float32))
    assert caught.value.reason == "log of 0"


def test_non_finite_inputs_are_reported_only_on_request():
    data = np.array([1.0, np.nan])
    with pg.debug_nans():
        assert np.isnan(pg.sum(pg.tensor(data) * 2).item())
        assert np.isnan(pg.function(lambda x: pg.sum(x * 2))(data))
    with pytest.raises(NonFiniteError, match="holds NaN") as caught:
        with pg.debug_nans(inputs=True):
            pg.function(lambda x: pg.sum(x * 2))(data)
    assert caught.value.element == (1,)


def test_the_branch_not_taken_is_not_blamed_for_what_the_data_holds():
    def f(given, x):
        return pg.where(x < 0, given, pg.log(x))

    with pg.debug_nans():
        found = pg.function(f)(np.array([np.inf, 1.0]), np.array([-1.0, 2.0]))
    assert found[0] == np.inf
    with pytest.raises(NonFiniteError, match="log of 0"), pg.debug_nans():
        pg.function(f)(np.array([np.inf, 1.0]), np.array([-1.0, 0.0]))


@pytest.mark.parametrize("eager", [True, False])
def test_no_variable_takes_a_bad_value(eager):
    w = pg.Variable([1.0, 2.0], name="w")
    optimizer = pg.optim.GradientDescent(0.1)

    def step():
        loss = pg.sum(pg.sqrt(w - 1))
        optimizer.minimize(loss)
        return loss

    with pytest.raises(NonFiniteError, match=r"new value of variable 'w'.*derivative of sqrt at 0"):
        with pg.debug_nans():
            (step if eager else pg.function(step))()
    np.testing.assert_array_equal(w.numpy(), [1, 2])


def test_a_faulty_update_is_reported_as_an_update():
    w = pg.Variable(0.0)

    @pg.function
    def step():
        g = pg.gradients(pg.tanh(w), w)
        w.assign(w / (g - 1))

    with pytest.raises(NonFiniteError, match="in the update") as caught, pg.debug_nans():
        step()
    assert caught.value.during == "update"


def test_unread_eager_values_are_checked_at_the_end():
    with pytest.raises(NonFiniteError, match="log of 0"):
        with pg.debug_nans():
            kept = pg.log(pg.tensor(0.0))
    del kept


def test_an_exception_inside_is_not_replaced():
    def fails():
        with pg.debug_nans():
            bad = pg.log(pg.tensor(0.0))
            raise KeyError(repr(bad))

    with pytest.raises(KeyError):
        fails()


def test_checks_end_with_the_with_and_are_per_thread():
    import threading

    with pg.debug_nans():
        found = []
        thread = threading.Thread(target=lambda: found.append(float(pg.log(pg.tensor(0.0)))))
        thread.start()
        thread.join()
        assert found == [-np.inf]
    assert float(pg.log(pg.tensor(0.0))) == -np.inf
    assert pg.get_engine().name != "recording"


def test_what_was_folded_while_compiling_is_found_and_a_dead_branch_is_not():
    f = pg.function(lambda x: pg.sum(x * pg.log(pg.tensor([-1.0]))))
    with pytest.raises(NonFiniteError, match="log of −1"), pg.debug_nans():
        f(np.ones(1, np.float32))
    dead = pg.function(lambda x: pg.sum(pg.where(x > 0, x, pg.log(pg.tensor([-1.0])))))
    with pg.debug_nans():
        dead(np.ones(1, np.float32))


def test_a_custom_operation_is_named():
    class Broken(pg.Custom):
        def compute(self, x):
            return x / 0

        def vjp(self, g, x):
            return [g]

        samples = [pg.case((2,))]

    with pytest.raises(NonFiniteError, match=r"Broken\.compute returned ∞"), pg.debug_nans():
        Broken(pg.tensor([1.0, 2.0])).numpy()


@pytest.mark.parametrize(
    ("f", "word"),
    [
        (faults.masked_root, "where twice"),
        (faults.norm_by_hand_at_zero, "pg.vector_norm"),
        (faults.softmax_by_hand, "pg.softmax"),
        (faults.log_of_one_minus_p, "pg.log1p"),
        (faults.root_at_zero, "eps"),
        (faults.infinite_mask_on_all, "−1e9"),
    ],
)
def test_the_rewrite_fits_the_fault(f, word, products):
    fault = next(fault for fault in FAULTS if fault.f is f)
    products(fault.ieee)
    with pytest.raises(NonFiniteError) as caught, pg.debug_nans():
        run("function", f, fault.data, gradient=True)
    assert word in caught.value.rewrite


def test_a_name_in_a_training_loop_costs_no_memory():
    with pg.debug_nans() as nothing:
        x = pg.tensor(np.ones(3))
        for _ in range(10_000):
            x + 1
    assert nothing is None
