"""Where NumPy raises an error, so do we, and what NumPy computes at the rims is the same here."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import palingrad as pg
from palingrad.errors import PalingradError
from palingrad.graph.kinds import Factorisation
from palingrad.proof import shipped
from tolerances import assert_close

V = np.array([3.0, 1.0, 2.0])
COLUMN = V[:, None]
Z = np.array([1 + 2j, -1])
SMALL = np.array([3, 7, 0, 15, 25, 255], np.uint8)
GAPS = np.array([[1.0], [np.nan], [3.0]])
MASK = np.array([True, False, True])
NOTHING = np.zeros((0, 3))
INFINITE = np.array([np.nan, -np.inf, np.inf, 1])


def result(text: str, module: ModuleType) -> Any:
    """The value of an expression of np, in NumPy or in palingrad."""
    found = eval(text, {**globals(), "np": module})
    return found.numpy() if isinstance(found, pg.Node) else found


@pytest.mark.filterwarnings("ignore:`axes` should not be:DeprecationWarning")
@pytest.mark.parametrize(
    "text",
    [
        "np.sum(COLUMN, True)",
        "np.fabs(Z)",
        "np.deg2rad(Z)",
        "np.rad2deg(Z)",
        "np.modf(Z)",
        "np.isposinf(Z)",
        "np.isneginf(Z)",
        "np.nansum(COLUMN, where=MASK)",
        "np.nanmean(COLUMN, where=MASK)",
        "np.nanmax(V[0], where=MASK, initial=0)",
        "np.nanstd(V[:1], where=MASK)",
        "np.full(2, 300, 'int8')",
        "np.full(2, -1, 'uint8')",
        "np.full_like(SMALL, 256)",
        "np.arange(-3, 3, dtype='uint8')",
        "np.fft.fftn(V, s=(2, 3))",
        "np.fft.rfftn(V, s=(2, 3))",
        "np.linalg.cond(np.zeros((0, 0)), 'fro')",
        "np.linalg.eigvalsh(V, UPLO='U')",
        "np.linalg.eigh(COLUMN, UPLO='L')",
    ],
)
def test_what_numpy_refuses(text):
    with pytest.raises((TypeError, ValueError, OverflowError, IndexError)):
        result(text, np)
    with pytest.raises(PalingradError):
        result(text, pg)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(
    "text",
    [
        "np.round(SMALL[:5], -1)",
        "np.round(SMALL.astype('int8')[:4], -1)",
        "np.nansum(GAPS, dtype='int8')",
        "np.nansum(COLUMN, axis=0, dtype='int8', keepdims=True)",
        "np.nanprod(GAPS, dtype='int8')",
        "np.nanprod(GAPS, where=MASK[:, None])",
        "np.nanvar(INFINITE[2:])",
        "np.nanvar(INFINITE)",
        "np.take(V, [])",
        "np.take(V, [], axis=0)",
        "np.bincount([], minlength=2)",
        "np.rint(Z * 1.7)",
    ],
)
def test_what_numpy_computes(text):
    expected = result(text, np)
    found = result(text, pg)
    assert found.shape == np.shape(expected)
    if np.asarray(expected).dtype.kind in "iu":
        assert found.dtype == expected.dtype
    assert_close(found, expected)


@pytest.mark.parametrize("engine", ["numpy", "native"])
@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: x**True, MASK),
        (lambda x: x**1, MASK),
        (pg.conj, MASK),
        (lambda x: x - 0, Z),
        (lambda x: x - 0.0, Z),
        (lambda x: x - 0, V),
    ],
)
def test_identities_are_simplified_to_what_eager_code_computes(f, x, engine):
    expected = f(pg.tensor(x)).numpy()
    found = pg.function(f, engine=engine)(x)
    assert found.dtype == expected.dtype
    assert_close(found, expected)


def test_float_powers_round_no_number_to_float32():
    assert pg.float_power(np.float32(2), 0.1).numpy() == np.float_power(np.float32(2), 0.1)


def test_a_float_beyond_the_largest_power_keeps_its_decimals():
    x = np.array([5.5, np.inf, np.nan], np.float32)
    assert_close(pg.round(x, 39).numpy(), x)
    assert_close(pg.round(x, -39).numpy(), np.array([0, np.inf, np.nan], np.float32))


@pytest.mark.parametrize("function", [pg.flip, pg.argmax, pg.cumsum, pg.softmax, pg.squeeze])
def test_truth_values_are_no_axes(function):
    with pytest.raises(pg.errors.ShapeError, match="got True"):
        function(COLUMN, True)


def test_no_float_that_is_no_number_is_written_to_integers():
    x = pg.tensor([1, 2])
    with pytest.raises(pg.errors.DTypeError, match="nan for an array of int64"):
        x.at[0].set(np.nan)
    assert x.at[0].set(2.7).numpy().tolist() == [2, 2]


def test_a_target_that_would_broaden_a_loss_is_refused():
    with pytest.raises(pg.errors.ShapeError, match="doesn't broadcast"):
        pg.margin_ranking_loss(V, V, np.ones((1, 3)))


def test_the_exponential_of_what_is_no_matrix():
    with pytest.raises(ValueError, match="square"):
        scipy.linalg.expm(NOTHING)
    with pytest.raises(pg.errors.ShapeError, match="square"):
        pg.linalg.expm(NOTHING)


FACTORISATIONS = [one for one in shipped() if issubclass(one, Factorisation) and one.samples]


@pytest.mark.parametrize("one", FACTORISATIONS, ids=lambda one: one.__name__)
def test_eager_matrices_are_refused_as_deferred_ones_are(one):
    """A vector, a column and no row in place of the first input."""
    sample = one.samples[0]
    first, *others = map(np.asarray, sample.inputs(np.random.default_rng(0)))
    for other in (first.reshape(-1), first[..., :1], first[..., :0]):
        arrays = [other, *others]
        with pg.Graph():
            try:
                inputs = [pg.placeholder(x.shape, dtype=x.dtype) for x in arrays]
                one(*inputs, **sample.attributes)
                continue
            except PalingradError:
                pass
        with pytest.raises((PalingradError, np.linalg.LinAlgError)):
            one(*map(pg.tensor, arrays), **sample.attributes)
