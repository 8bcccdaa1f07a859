"""NumPy's options of functions: by position where NumPy's users write them so, and by name."""

import math

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, DTypeError, ShapeError
from tolerances import assert_same

X = np.array([[3.0, -1.0, 2.0], [0.5, 4.0, -2.5]])
MASK = X > 0

CALLS = {
    "sum of an axis": lambda xp, x: xp.sum(x, 0),
    "sum in a dtype": lambda xp, x: xp.sum(x, 1, dtype="float32"),
    "sum of selected": lambda xp, x: xp.sum(x, where=MASK),
    "sum from a start": lambda xp, x: xp.sum(x, 0, initial=10.0),
    "prod of selected": lambda xp, x: xp.prod(x, 1, where=MASK, initial=2.0, keepdims=True),
    "max of selected": lambda xp, x: xp.max(x, 1, where=MASK, initial=2.5),
    "min of selected": lambda xp, x: xp.min(x, 0, where=~MASK, initial=math.inf),
    "mean of selected": lambda xp, x: xp.mean(x, 1, where=MASK),
    "mean of nothing": lambda xp, x: xp.mean(x, where=x > 100),
    "var of selected": lambda xp, x: xp.var(x, 1, where=MASK, ddof=1),
    "std of selected": lambda xp, x: xp.std(x, where=MASK, keepdims=True),
    "std in a dtype": lambda xp, x: xp.std(x, 0, dtype="float32"),
    "any of selected": lambda xp, x: xp.any(x > 2, 1, where=MASK),
    "all of selected": lambda xp, x: xp.all(x > 0, 0, where=MASK),
    "argmax of an axis": lambda xp, x: xp.argmax(x, 1),
    "stack": lambda xp, x: xp.stack((x, x), 1),
    "concatenate": lambda xp, x: xp.concatenate([x, x], 1),
    "concatenate of all": lambda xp, x: xp.concatenate([x, x[0]], None),
    "squeeze": lambda xp, x: xp.squeeze(x[None], 0),
    "expand_dims": lambda xp, x: xp.expand_dims(x, 0),
    "take": lambda xp, x: xp.take(x, [1, 0], 1),
    "clip": lambda xp, x: xp.clip(x, 0, 1),
    "round": lambda xp, x: xp.round(x * 1.2345, 1),
    "round to tens": lambda xp, x: xp.round(x * 10, -1),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
@pytest.mark.filterwarnings("ignore")
def test_calls_mean_what_they_mean_in_numpy(call):
    expected = call(np, X)
    for found in (call(pg, pg.tensor(X)), pg.function(lambda x: call(pg, x))(X)):
        assert found.shape == expected.shape
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6)


def test_round_is_numpys_for_integers_and_without_overflow():
    numbers = np.array([15, 25, 35, -15, -25, 151, -151, 7])
    assert pg.round(np.array([2**62 + 1]), -1).item() == 2**62 - 4  # NumPy rounds it as a float
    for decimals in (0, 1, -1, -2, -18):
        np.testing.assert_array_equal(pg.round(numbers, decimals), np.round(numbers, decimals))
    assert pg.round(np.array([100], np.uint8), -3).numpy() == 0
    large = np.array([1e308, np.inf, -np.inf, 2.345])
    np.testing.assert_array_equal(pg.round(large, 2), [1e308, np.inf, -np.inf, 2.35])
    np.testing.assert_array_equal(pg.grad(lambda x: pg.sum(pg.round(x, 2)))(large), np.zeros(4))


def test_gradients_reach_only_what_a_mask_selects():
    x = np.array([1.0, np.inf, 5.0, np.nan])
    mask = np.array([True, False, True, False])
    gradients = {
        "sum": [1, 0, 1, 0], "prod": [5, 0, 1, 0], "mean": [0.5, 0, 0.5, 0],
        "var": [-2, 0, 2, 0], "std": [-0.5, 0, 0.5, 0],
    }  # fmt: skip
    for name, expected in gradients.items():
        f = getattr(pg, name)
        np.testing.assert_allclose(pg.grad(lambda x, f=f: f(x, where=mask))(x), expected)
    f = pg.grad(lambda x: pg.max(x, where=mask, initial=-math.inf))
    np.testing.assert_array_equal(f(x), [0, 0, 1, 0])
    same = pg.grad(lambda x: pg.std(x, where=mask))(np.array([2.0, 3.0, 2.0, 4.0]))
    np.testing.assert_array_equal(same, np.zeros(4))


def test_a_statistic_is_computed_in_the_wider_dtype():
    whole = np.array([16777217, 16777217])
    assert pg.mean(whole, dtype="float64").item() == 16777217
    assert pg.mean(np.full(1000, 100, np.float16), dtype="float16").item() == 100
    assert pg.sum(np.array([True, True]), dtype="int8").dtype == np.int8
    assert pg.max(np.zeros((0, 2)), 0, initial=3.0).numpy().tolist() == [3.0, 3.0]


def test_options_that_mean_nothing_are_refused():
    x = pg.tensor(X)
    with pytest.raises(ArgumentError, match=r"initial=-math\.inf"):
        pg.max(x, where=MASK)
    with pytest.raises(DTypeError, match="a mean is a fraction"):
        pg.mean(x, dtype=int)
    with pytest.raises(ShapeError, match="a mask of shape"):
        pg.sum(x, where=np.ones((4, 2, 3), bool))
    with pytest.raises(ArgumentError, match=r"keepdims=True"):
        pg.sum(x, 0, True)  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("name", ["var", "std", "nanvar", "nanstd"])
@pytest.mark.parametrize("option", ["correction", "ddof"])
def test_a_correction_is_a_number_and_cuts_no_gradient(name, option):
    f = getattr(pg, name)
    x = np.array([1.0, 2.0, 4.0])
    assert_same(f(x, **{option: pg.tensor(1)}), f(x, **{option: 1}))
    with pytest.raises(ArgumentError, match=f"{name}: {option} is .*; expected a finite number"):
        pg.grad(lambda v: f(x, **{option: v}))(1.0)
