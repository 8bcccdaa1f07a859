"""Parts of networks: each held against its formula in NumPy, on both engines."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, ShapeError
from tolerances import assert_close, assert_same

A = np.array
X = np.sin(np.arange(240.0)).reshape(2, 4, 5, 6)
LINE = np.cos(np.arange(56.0)).reshape(2, 4, 7)
WEIGHTS = A([0.5, -1.0, 2.0, 1.5])
inf, nan = np.inf, np.nan


def both(f: Callable[..., Any], *arrays: Any) -> Any:
    """The result on the native engine, after a comparison with eager code."""
    found = pg.function(f, engine="native")(*arrays)
    assert_close(found, f(*map(pg.tensor, arrays)).numpy())
    return found


def normalized(x: Any, axes: Any, epsilon: float = 1e-5) -> Any:
    centred = x - x.mean(axis=axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + epsilon)


def test_normalisations():
    grouped = normalized(X.reshape(2, 2, 2, 5, 6), (2, 3, 4)).reshape(X.shape)
    shaped = WEIGHTS[:, None, None]
    assert_close(both(lambda x: pg.group_norm(x, 2, WEIGHTS, 1 - WEIGHTS), X),
                 grouped * shaped + 1 - shaped)  # fmt: skip
    assert_close(both(lambda x: pg.instance_norm(x, shaped), X), normalized(X, (2, 3)) * shaped)
    root = np.sqrt((X**2).mean(axis=(1, 3), keepdims=True) + 0.1)
    assert_close(both(lambda x: pg.rms_norm(x, axis=(1, 3), epsilon=0.1), X), X / root)
    for size in (3, 4):
        around = np.pad(X**2, ((0, 0), (size // 2, (size - 1) // 2), (0, 0), (0, 0)))
        mean = sum(around[:, place : place + 4] for place in range(size)) / size
        expected = X / (2 + 0.3 * mean) ** 0.75
        found = both(lambda x, s=size: pg.local_response_norm(x, s, alpha=0.3, k=2), X)
        assert_close(found, expected)


def attended(q: Any, k: Any, v: Any, mask: Any, scale: float) -> Any:
    scores = scale * np.einsum("...td,...ud->...tu", q, k) + mask
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights @ v / weights.sum(axis=-1, keepdims=True)


def test_attention():
    q, k, v = X[..., :3], LINE.reshape(2, 4, 7)[:, :, :, None] + A([0.1, 0.2, 0.3]), LINE[..., None]
    plain = both(pg.scaled_dot_product_attention, q, k, v)
    assert_close(plain, attended(q, k, v, 0, 1 / math.sqrt(3)))
    causal = both(lambda *x: pg.scaled_dot_product_attention(*x, causal=True, scale=2.0), q, k, v)
    assert_close(causal, attended(q, k, v, np.where(np.tri(5, 7), 0, -inf), 2.0))
    added = np.sin(np.arange(35.0)).reshape(5, 7)
    found = both(lambda *x: pg.scaled_dot_product_attention(*x, mask=added), q, k, v)
    assert_close(found, attended(q, k, v, added, 1 / math.sqrt(3)))


def test_a_query_that_sees_no_key_gives_0_and_no_slope():
    q, k, v = X[0, 0, :2], X[1, 0, :3], LINE[0, :3]
    for mask in (A([[True] * 3, [False] * 3]), A([[0.0] * 3, [-inf] * 3])):
        call: Any = lambda *x, m=mask: pg.scaled_dot_product_attention(*x, mask=m)  # noqa: E731
        assert not both(call, q, k, v)[1].any()
        slopes = pg.grad(lambda *x, f=call: pg.sum(f(*x) ** 2), argnums=(0, 1, 2))(q, k, v)
        alone = pg.grad(lambda *x: pg.sum(pg.scaled_dot_product_attention(*x) ** 2),
                        argnums=(0, 1, 2))(q[:1], k, v)  # fmt: skip
        assert_close(slopes[0], np.concatenate([alone[0], np.zeros((1, 6))]))
        assert_close(slopes[1], alone[1])


def test_embedding_bags():
    table, index = X[0, 0], A([[0, 3, 3], [1, 4, 0]])
    flat, offsets, weights = A([4, 1, 2, 2, 0]), A([0, 2, 2]), A([1.0, -2, 0.5, 3, 0])
    bags = [flat[:2], flat[2:2], flat[2:]]
    for mode, reduce in (("mean", np.mean), ("sum", np.sum), ("max", np.max)):
        found = both(lambda t, m=mode: pg.embedding_bag(index, t, mode=m), table)
        assert_close(found, reduce(table[index], axis=1))
        found = both(lambda t, m=mode: pg.embedding_bag(flat, t, offsets, mode=m), table)
        rows = [reduce(table[bag], axis=0) if len(bag) else np.zeros(6) for bag in bags]
        assert_close(found, A(rows))
    found = both(lambda t: pg.embedding_bag(flat, t, offsets, mode="sum", weights=weights), table)
    parts = weights[:, None] * table[flat]
    assert_close(found, A([parts[:2].sum(0), np.zeros(6), parts[2:].sum(0)]))


def resized(x: Any, length: int, *, corners: bool) -> Any:
    size = x.shape[-1]
    places = (
        np.linspace(0, size - 1, length) if corners
        else (np.arange(length) + 0.5) * size / length - 0.5
    )  # fmt: skip
    return np.apply_along_axis(lambda row: np.interp(places, np.arange(size), row), -1, x)


def test_interpolation():
    for corners in (False, True):
        for h, w in ((8, 4), (5, 12), (3, 6)):
            options: dict[str, Any] = dict(mode="bilinear", align_corners=corners)
            found = both(lambda x, s=(h, w), o=options: pg.interpolate(x, s, **o), X)
            rows = np.swapaxes(resized(np.swapaxes(X, 2, 3), h, corners=corners), 2, 3)
            assert_close(found, resized(rows, w, corners=corners))
    assert_close(both(lambda x: pg.interpolate(x, 14, mode="linear"), LINE),
                 resized(LINE, 14, corners=False))  # fmt: skip
    assert_same(both(lambda x: pg.interpolate(x, scale=2), X), X.repeat(2, 2).repeat(2, 3))
    assert_same(both(lambda x: pg.interpolate(x, 3), LINE), LINE[..., [0, 2, 4]])
    assert_same(both(lambda x: pg.interpolate(x, scale=0.5), LINE), LINE[..., [0, 2, 4]])


def test_pixel_shuffle_and_its_inverse():
    shuffled = both(lambda x: pg.pixel_shuffle(x, 2), X)
    assert shuffled.shape == (2, 1, 10, 12)
    for i, j in np.ndindex(2, 2):
        assert_same(shuffled[:, 0, i::2, j::2], X[:, 2 * i + j])
    assert_same(both(lambda x: pg.pixel_unshuffle(x, 2), shuffled), X)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_a_transposed_convolution_is_the_adjoint(ndim):
    rng = np.random.default_rng(ndim)
    space, w = (9, 8, 7)[:ndim], rng.normal(size=(4, 3, *(3, 2, 2)[:ndim]))
    options: dict[str, Any] = dict(stride=2, padding=1, groups=2)
    x = rng.normal(size=(2, 6, *space))
    convolved = getattr(pg, f"conv{ndim}d")
    y = both(lambda x, w: convolved(x, w, **options), x, w)
    extra = tuple((n + 2 - k) % 2 for n, k in zip(space, (3, 2, 2)))
    g = rng.normal(size=y.shape)
    transposed = getattr(pg, f"conv_transpose{ndim}d")
    back = both(
        lambda g, w: transposed(
            g, w, **options, output_padding=extra if ndim > 1 else extra[0]
        ), g, w
    )  # fmt: skip
    assert back.shape == x.shape
    assert_close(np.vdot(y, g), np.vdot(x, back))


def test_convolution_in_three_dimensions():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, 2, 4, 3, 4)), rng.normal(size=(3, 2, 2, 2, 3))
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2, 3), axis=(2, 3, 4))
    expected = np.einsum("ncijkabd,ocabd->noijk", windows, w)
    assert_close(both(pg.conv3d, x, w), expected)


def test_pooling_to_a_size():
    for h, w in ((5, 3), (3, 4), (2, 6), (1, 1), (7, 8)):
        for name, reduce in (("average", np.mean), ("max", np.max)):
            pool = getattr(pg, f"adaptive_{name}_pool")
            found = both(lambda x, p=pool, s=(h, w): p(x, s), X)
            for i, j in np.ndindex(h, w):
                rows = slice(i * 5 // h, -(-(i + 1) * 5 // h))
                columns = slice(j * 6 // w, -(-(j + 1) * 6 // w))
                assert_close(found[:, :, i, j], reduce(X[:, :, rows, columns], axis=(2, 3)))
    assert_close(both(pg.global_average_pool, X), X.mean(axis=(2, 3)))
    assert_close(both(lambda x: pg.global_max_pool(x, keepdims=True), LINE),
                 LINE.max(axis=2, keepdims=True))  # fmt: skip


def test_without_shared_weights():
    rng = np.random.default_rng(0)
    w = rng.normal(size=(3, 4, 3, 2))
    shared = np.broadcast_to(w, (2, 6, *w.shape))
    options: dict[str, Any] = dict(stride=(2, 1), padding=((1, 0), (0, 1)))
    found = both(lambda x, w: pg.locally_connected(x, w, **options), X, shared)
    assert_close(found, pg.conv2d(X, w, **options).numpy())
    own = rng.normal(size=(5, 3, 4, 3))  # (places, o, c, k)
    windows = np.lib.stride_tricks.sliding_window_view(LINE, 3, axis=2)  # (n, c, places, k)
    found = both(pg.locally_connected, LINE, own)
    assert_close(found, np.einsum("ncpk,pock->nop", windows, own))


ACTIVATIONS: dict[str, Any] = {
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "celu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "relu6": lambda x: np.clip(x, 0, 6),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "softsign": lambda x: x / (1 + abs(x)),
    "tanhshrink": lambda x: x - np.tanh(x),
    "glu": lambda x: x[:20] / (1 + np.exp(-x[20:])),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    x = np.linspace(-7, 8, 40)
    assert_close(both(getattr(pg, name), x), ACTIVATIONS[name](x))


def test_activations_with_options():
    x = np.linspace(-3, 4, 12).reshape(3, 4)
    assert_close(both(pg.prelu, x, WEIGHTS), np.where(x > 0, x, WEIGHTS * x))
    assert_close(both(lambda x: pg.celu(x, alpha=0.3), x),
                 np.where(x > 0, x, 0.3 * np.expm1(x / 0.3)))  # fmt: skip
    assert_close(both(lambda x: pg.hard_tanh(x, min=0.5, max=2), x), np.clip(x, 0.5, 2))
    small = A([1e-3, -1e-5, 0.2])
    series = small**3 / 3 - 2 * small**5 / 15 + 17 * small**7 / 315 - 62 * small**9 / 2835
    np.testing.assert_allclose(both(pg.tanhshrink, small), series, rtol=1e-6)


WRONG: list[tuple[Any, Any, str]] = [
    (lambda: pg.group_norm(X, 3), ShapeError, "don't make 3 equal groups"),
    (lambda: pg.group_norm(X[0, 0, 0], 1), ShapeError, r"expected x \(n, channels"),
    (lambda: pg.scaled_dot_product_attention(LINE, LINE, X), ShapeError, "don't fit"),
    (lambda: pg.scaled_dot_product_attention(LINE, LINE, LINE, mask=np.ones((3, 4), bool)),
     ShapeError, "a mask of"),
    (lambda: pg.embedding_bag(A([0, 1]), X[0, 0]), ShapeError, "with offsets"),
    (lambda: pg.embedding_bag(A([0, 1]), X[0, 0], A([1, 0])), ArgumentError, "don't decrease"),
    (lambda: pg.embedding_bag(A([[0]]), X[0, 0], weights=A([[1.0]])), ArgumentError, "mode='sum'"),
    (lambda: pg.interpolate(X, 3, align_corners=True), ArgumentError, "mode='linear'"),
    (lambda: pg.interpolate(X), ArgumentError, "either a size or scale"),
    (lambda: pg.interpolate(LINE, 3, mode="bilinear"), ShapeError, "for 2 axes"),
    (lambda: pg.pixel_shuffle(X, 3), ShapeError, "4 channels aren't a multiple of 3² = 9"),
    (lambda: pg.pixel_unshuffle(X, 2), ShapeError, "5 × 6 isn't made of blocks"),
    (lambda: pg.conv_transpose1d(LINE, np.ones((3, 2, 2))), ShapeError, "unlike in conv2d"),
    (lambda: pg.conv_transpose1d(LINE, np.ones((4, 2, 2)), output_padding=1), ShapeError,
     "isn't less than the stride"),
    (lambda: pg.conv3d(X, np.ones((4, 4, 2, 2))), ShapeError, "with 3 sizes"),
    (lambda: pg.adaptive_max_pool(X, (2, 2, 2)), ShapeError, "with 3 sizes"),
    (lambda: pg.locally_connected(LINE, np.ones((4, 3, 4, 3))), ShapeError, r"windows at \(5,\)"),
    (lambda: pg.glu(LINE), ShapeError, "has no halves"),
    (lambda: pg.celu(LINE, alpha=0), ArgumentError, "above 0"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_what_does_not_fit_is_refused(number):
    call, error, text = WRONG[number]
    with pytest.raises(error, match=text):
        call()
