"""Attention: caches, shared heads, rotary positions, masks, contexts."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad import nn
from palingrad.errors import ArgumentError, ShapeError
from tolerances import assert_close

pytestmark = pytest.mark.tiny

X = np.random.default_rng(0).normal(size=(3, 6, 8)).astype(np.float32)


@pytest.mark.parametrize("options", [
    {}, {"rotary": True}, {"key_value_heads": 1}, {"key_value_heads": 2, "rotary": True},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("pieces", [[1] * 6, [4, 2], [6]], ids=str)
def test_tokens_one_by_one_through_a_cache_are_the_whole_text(options, pieces):
    layer = nn.MultiHeadAttention(8, 4, causal=True, seed=1, **options)
    cache, found, first = layer.empty_cache(3, 10), [], 0
    for size in pieces:
        y, cache = layer(X[:, first : first + size], cache=cache)
        found.append(y.numpy())
        first += size
    assert_close(np.concatenate(found, axis=1), layer(X).numpy())
    assert cache.length.item() == 6


def test_a_cache_is_the_carry_of_a_scan():
    block = nn.TransformerBlock(8, 2, causal=True, rotary=True, seed=1)
    empty = block.attention.empty_cache(3, 6)

    @pg.function
    def texts(x):
        def step(carry, token):
            y, cache = block(token[:, None], cache=nn.KeyValueCache(*carry))
            return (cache.keys, cache.values, cache.length), y[:, 0]

        carry = (empty.keys, empty.values, empty.length)
        return pg.swapaxes(pg.scan(step, carry, pg.swapaxes(x, 0, 1))[1], 0, 1)

    assert_close(texts(X), block(X).numpy())


def test_a_full_cache_refuses_more():
    layer = nn.MultiHeadAttention(8, 2, causal=True)
    with pytest.raises(IndexError):
        layer(X, cache=layer.empty_cache(3, 5))


def test_shared_heads_of_keys_are_the_same_as_repeated_ones():
    shared = nn.MultiHeadAttention(8, 4, key_value_heads=2, seed=1)
    whole = nn.MultiHeadAttention(8, 4, seed=1)
    w = shared.qkv.weight.numpy()  # (8, 8 + 4 + 4)
    k, v = (np.repeat(part.reshape(8, 2, 2), 2, axis=1).reshape(8, 8) for part in
            (w[:, 8:12], w[:, 12:]))  # fmt: skip
    whole.qkv.weight.assign(np.concatenate([w[:, :8], k, v], axis=1))
    whole.output.weight.assign(shared.output.weight)
    assert_close(shared(X).numpy(), whole(X).numpy())


def test_rotary_products_depend_on_the_distance_alone():
    q, k = X[0, :1], X[1, :1]
    at = [pg.nn.rotary(np.repeat(one, 9, axis=0)).numpy() for one in (q, k)]
    products = at[0] @ at[1].T  # (place of q, place of k)
    for distance in range(-8, 9):
        along = np.diagonal(products, distance)
        np.testing.assert_allclose(along, along[0], atol=1e-5)
    assert_close(at[0][0], q[0])
    norms = np.linalg.norm(at[0], axis=-1)
    np.testing.assert_allclose(norms, norms[0], rtol=1e-6)


def test_a_mask_hides_what_is_padded():
    layer = nn.MultiHeadAttention(8, 2, seed=1)
    seen = np.arange(6) < np.array([6, 4, 1])[:, None]  # (batch, positions)
    y = layer(X, mask=seen[:, None, None]).numpy()
    for row, length in enumerate((6, 4, 1)):
        alone = layer(X[row : row + 1, :length]).numpy()[0]
        assert_close(y[row, :length], alone)


def test_keys_and_values_come_from_a_context():
    layer = nn.MultiHeadAttention(8, 2, seed=1)
    assert_close(layer(X, X).numpy(), layer(X).numpy())
    y = layer(X[:, :2], X).numpy()
    assert_close(y, layer(X).numpy()[:, :2])


def test_dropout_is_for_training_alone():
    block = nn.TransformerBlock(8, 2, dropout=0.5, seed=1)
    assert_close(block(X).numpy(), nn.TransformerBlock(8, 2, seed=1)(X).numpy())
    assert (block(X, training=True).numpy() != block(X).numpy()).any()


def test_wrong_arguments_are_refused_by_name():
    with pytest.raises(ArgumentError, match=r"3 heads don't divide width 8.*Attention\(8, 2\)"):
        nn.MultiHeadAttention(8, 3)
    with pytest.raises(ArgumentError, match="3 heads of keys don't divide 4 heads"):
        nn.MultiHeadAttention(8, 4, key_value_heads=3)
    with pytest.raises(ArgumentError, match="rotary positions need an even depth"):
        nn.MultiHeadAttention(6, 2, rotary=True)
    with pytest.raises(ArgumentError, match="norm is 'batch'; expected 'layer' or 'rms'"):
        nn.TransformerBlock(8, 2, norm="batch")
    layer = nn.MultiHeadAttention(8, 2)
    with pytest.raises(ShapeError, match=r"expected x \(batch, time, width\), got \(6, 8\)"):
        layer(X[0])
    with pytest.raises(ArgumentError, match="a cache is for attention to x itself"):
        layer(X, X, cache=layer.empty_cache(3, 6))
    with pytest.raises(ShapeError, match="the number of steps isn't known yet"), pg.Graph():
        layer(pg.placeholder((None, None, 8)))
