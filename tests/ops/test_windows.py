"""Convolution, pooling and taking rows, against loops that follow their definitions."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import palingrad as pg
from palingrad.errors import DTypeError, ShapeError
from palingrad.ops.layout.take import Take, TakeAdd
from palingrad.ops.window.convolution import ConvolutionWeight
from tolerances import assert_close


def convolved(x, w, stride, padding, dilation, groups):
    """yₙₒₚ = Σ w·x, one output at a time."""
    n, _, *_ = x.shape
    o, each, *size = w.shape
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    spans = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    counts = [
        (length - span) // s + 1 for length, span, s in zip(x.shape[2:], spans, stride, strict=True)
    ]
    y = np.zeros((n, o, *counts))
    for example, output, *place in itertools.product(range(n), range(o), *map(range, counts)):
        first = output // (o // groups) * each
        patch = x[
            (
                example,
                slice(first, first + each),
                *(
                    slice(p * s, p * s + span, d)
                    for p, s, span, d in zip(place, stride, spans, dilation, strict=True)
                ),
            )
        ]
        y[(example, output, *place)] = np.sum(patch * w[output])
    return y


@st.composite
def convolutions(draw):
    """Inputs and options of any convolution that fits, in one or two spatial axes."""
    ndim = draw(st.integers(1, 2))
    groups = draw(st.integers(1, 3))
    size = draw(st.tuples(*[st.integers(1, 3)] * ndim))
    dilation = draw(st.tuples(*[st.integers(1, 2)] * ndim))
    stride = draw(st.tuples(*[st.integers(1, 3)] * ndim))
    padding = draw(st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * ndim))
    least = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    space = [k + draw(st.integers(0, 5)) for k in least]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    each, outputs = draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    x = rng.normal(size=(draw(st.integers(1, 2)), groups * each, *space))
    w = rng.normal(size=(outputs, each, *size))
    return x, w, dict(stride=stride, padding=padding, dilation=dilation, groups=groups)


def convolve(x, w, *, stride, padding, dilation, groups):
    """palingrad's convolution of as many spatial axes as x has."""
    if x.ndim == 4:
        return pg.conv2d(x, w, stride=stride, padding=padding, dilation=dilation, groups=groups)
    (stride,), (dilation,) = stride, dilation
    return pg.conv1d(x, w, stride=stride, padding=padding, dilation=dilation, groups=groups)


@settings(max_examples=60)
@given(convolutions())
def test_convolution_is_its_definition_for_any_sizes(example):
    x, w, options = example
    y = convolve(x, w, **options)
    assert_close(y.value, convolved(x, w, **options))


@settings(max_examples=15)
@given(convolutions())
def test_convolution_has_right_derivatives_for_any_sizes(example):
    x, w, options = example
    pg.check_gradients(lambda x, w: convolve(x, w, **options), x[:1], w, order=1)


def test_same_padding_keeps_the_size():
    for size in range(1, 6):
        w = np.ones((1, 1, size, size))
        assert pg.conv2d(np.ones((1, 1, 7, 6)), w, padding="same").shape == (1, 1, 7, 6)


def test_pooling_is_its_definition():
    x = np.random.default_rng(0).normal(size=(2, 3, 7, 5))
    largest = pg.max_pool(x, (3, 2), stride=(2, 1)).value
    mean = pg.average_pool(x, (3, 2), stride=(2, 1)).value
    for i, j in itertools.product(range(3), range(4)):
        patch = x[:, :, 2 * i : 2 * i + 3, j : j + 2]
        np.testing.assert_array_equal(largest[:, :, i, j], patch.max(axis=(2, 3)))
        assert_close(mean[:, :, i, j], patch.mean(axis=(2, 3)))


def test_max_pooling_off_the_square_sends_gradients_where_the_largest_are():
    """The museum: pooling indices that are wrong when height and width differ."""
    x = np.random.default_rng(1).permutation(24.0 * np.arange(48)).reshape(1, 2, 4, 6)
    g = pg.grad(lambda x: pg.sum(pg.max_pool(x, 2)))(x)
    for channel, i, j in itertools.product(range(2), range(2), range(3)):
        there = (0, channel, slice(2 * i, 2 * i + 2), slice(2 * j, 2 * j + 2))
        np.testing.assert_array_equal(g[there], x[there] == x[there].max())


def test_overlapping_windows_that_share_their_largest_add_up():
    x = np.array([[[0.0, 5.0, 1.0]]])
    g = pg.grad(lambda x: pg.sum(pg.max_pool(x, (2,), stride=1)))(x)
    np.testing.assert_array_equal(g, [[[0.0, 2.0, 0.0]]])


def test_padding_never_wins_a_maximum():
    assert pg.max_pool(-np.ones((1, 1, 2, 2)), 3, stride=1, padding=1).value.max() == -1


def test_take_is_numpys_and_adds_up_repeated_rows():
    x, rows = np.arange(12.0).reshape(4, 3), np.array([[0, 3], [3, -1]])
    np.testing.assert_array_equal(pg.take(x, rows).value, np.take(x, rows))
    g = pg.grad(lambda x: pg.sum(pg.embedding(rows, x)))(x)
    np.testing.assert_array_equal(g[:, 0], [1, 0, 0, 3])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pg.conv2d(np.ones((1, 3, 5, 5)), np.ones((2, 4, 3, 3))), "3 channels"),
        (lambda: pg.conv2d(np.ones((1, 3, 2, 5)), np.ones((2, 3, 3, 3))), "doesn't fit"),
        (lambda: pg.conv2d(np.ones((3, 5, 5)), np.ones((2, 3, 3, 3))), r"x \(n, c, \*space\)"),
        (lambda: pg.conv2d(np.ones((1, 3, 5, 5)), np.ones((2, 3, 3))), "2 sizes"),
        (
            lambda: pg.conv2d(np.ones((1, 3, 5, 5)), np.ones((2, 3, 3, 3)), padding="full"),
            "'valid', 'same' or integers",
        ),
        (
            lambda: pg.conv2d(
                np.ones((1, 3, 5, 5)), np.ones((2, 3, 3, 3)), padding="same", stride=2
            ),
            "needs stride 1",
        ),
        (lambda: pg.max_pool(np.ones((1, 3, 5, 5)), 2, padding=2), "hold padding only"),
        (lambda: pg.max_pool(np.ones((1, 3, 5, 5)), 2, stride=0), "integers ≥ 1"),
        (lambda: pg.take(np.ones((4, 3)), [0, 4], axis=0), "indices 0 … 4 for 4 rows"),
        (lambda: Take(1.0, np.zeros(0, int), axis=0), "axis 0 is out of range for 0 axes"),
    ],
)
def test_what_does_not_fit_says_so(call, words):
    with pytest.raises(ShapeError, match=words):
        call()


def test_what_pulls_back_rows_and_windows_checks_its_cotangent():
    with pg.Graph():
        open_ = pg.placeholder((2, None))
        assert TakeAdd(open_, np.array([0, 4]), axis=0, size=5).shape == (5, None)
        with pytest.raises(ShapeError, match=r"\(2, \?\) doesn't fit indices of \(3,\)"):
            TakeAdd(open_, np.array([0, 4, 4]), axis=0, size=5)
        options: dict[str, Any] = dict(stride=(1,), padding=((0, 0),), dilation=(1,), groups=1)
        with pytest.raises(ShapeError, match="cotangent"):
            ConvolutionWeight(np.ones((1, 1, 1)), pg.placeholder((1, 1)), size=(1,), **options)


def test_indices_must_be_integers():
    with pytest.raises(DTypeError, match="expected integers"):
        pg.take(np.ones((4, 3)), [0.5])
