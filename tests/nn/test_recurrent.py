"""Recurrent layers: masks, states that are handed on, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad import nn
from palingrad.errors import ArgumentError, ShapeError
from tolerances import assert_close

pytestmark = pytest.mark.tiny

X = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32)
LENGTHS = [5, 2, 0]
MASK = np.arange(5) < np.array(LENGTHS)[:, None]
KINDS = [nn.RNN, nn.LSTM, nn.GRU]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"layers": 2}, {"bidirectional": True}], ids=str)
def test_a_masked_batch_is_each_sequence_alone(kind, options):
    layer = kind(4, 3, seed=1, **options)
    y, state = layer(X, mask=MASK, return_state=True)
    for row, length in enumerate(LENGTHS):
        alone, final = layer(X[row : row + 1, :length], return_state=True)
        assert_close(y[row, :length].numpy(), alone[0].numpy())
        np.testing.assert_array_equal(y[row, length:].numpy(), 0)
        for whole, own in zip(state, final, strict=True):
            for a, b in zip(parts(whole), parts(own), strict=True):
                assert_close(a[row].numpy(), b[0].numpy())


def parts(state):
    return state if isinstance(state, tuple) else (state,)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_masked_has_no_gradient(kind):
    layer = kind(4, 3, seed=1)
    slopes = pg.grad(lambda x: pg.sum(layer(x, mask=MASK) ** 2))(X)
    assert (slopes[~MASK] == 0).all()
    assert (slopes[MASK] != 0).any(axis=-1).all()
    broken = np.where(MASK[..., None], X, np.nan)
    np.testing.assert_array_equal(layer(broken, mask=MASK).numpy(), layer(X, mask=MASK).numpy())


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_continues_a_sequence(kind):
    layer = kind(4, 3, layers=2, seed=1)
    whole = layer(X).numpy()
    first, state = layer(X[:, :2], return_state=True)
    second = layer(X[:, 2:], state)
    assert_close(np.concatenate([first.numpy(), second.numpy()], axis=1), whole)


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_output_is_that_of_both_directions_ends(kind):
    layer = kind(4, 3, bidirectional=True, seed=1)
    y, last = layer(X, mask=MASK), kind(4, 3, bidirectional=True, last=True, seed=1)(X, mask=MASK)
    assert last.shape == (3, 6)
    for row, length in enumerate(LENGTHS[:2]):
        assert_close(last[row, :3].numpy(), y[row, length - 1, :3].numpy())
        assert_close(last[row, 3:].numpy(), y[row, 0, 3:].numpy())


@pytest.mark.parametrize("kind", KINDS)
def test_a_compiled_layer_is_the_eager_one(kind):
    layer = kind(4, 3, layers=2, bidirectional=True, seed=1)
    assert_close(pg.function(layer)(X), layer(X).numpy())
    compiled = pg.function(lambda x, mask: layer(x, mask=mask), engine="native")
    assert_close(compiled(X, MASK), layer(X, mask=MASK).numpy())


def test_the_forget_gate_begins_open():
    bias = nn.LSTMCell(4, 3).bias.numpy()
    np.testing.assert_array_equal(bias, [0] * 3 + [1] * 3 + [0] * 6)


def test_an_activation_of_another_kind():
    cell = nn.RNNCell(4, 3, activation=pg.relu, seed=1)
    assert_close(cell(X[:, 0]).numpy(), np.maximum(X[:, 0] @ cell.weight.numpy(), 0))


def test_dropout_between_layers_drops_in_training_alone():
    layer = nn.LSTM(4, 3, layers=2, dropout=0.5, seed=1)
    assert_close(layer(X).numpy(), nn.LSTM(4, 3, layers=2, seed=1)(X).numpy())
    assert (layer(X, training=True).numpy() != layer(X).numpy()).any()


def test_wrong_inputs_are_refused_by_name():
    layer = nn.LSTM(4, 3)
    with pytest.raises(ShapeError, match=r"inner sizes 5 and 4 differ") as error:
        layer(np.zeros((2, 6, 5)))
    assert "Its last axis has 5: pg.nn.LSTMCell(5, …)" in str(error.value.__notes__)
    with pytest.raises(ShapeError, match=r"expected x \(batch, time, inputs\), got \(5, 4\)"):
        layer(X[0])
    with pytest.raises(ShapeError, match=r"a mask is \(batch, time\), got \(3, 5, 1\)"):
        layer(X, mask=MASK[..., None])
    with pytest.raises(ArgumentError, match=r"LSTM: state is .* a tuple of 1 state, one for each"):
        layer(X, np.zeros((3, 3)))
    with pytest.raises(ArgumentError, match=r"LSTMCell: a state is \(h, c\), got"):
        layer(X, (np.zeros((3, 3)),))
    with pytest.raises(ArgumentError, match="LSTM: layers is 0"):
        nn.LSTM(4, 3, layers=0)


def test_a_recurrent_layer_learns_the_parity_of_what_it_has_seen():
    """A task that needs a state: the parity of the bits so far, at each step."""
    pg.set_seed(3)
    rng = np.random.default_rng(0)
    layer = nn.LSTM(1, 8, seed=1)
    head = nn.Linear(8, 2, seed=2)
    optimizer = pg.optim.Adam(0.03)

    @pg.function
    def step(x, y):
        loss = pg.cross_entropy(head(layer(x)), y)
        optimizer.minimize(loss)
        return loss

    for _ in range(300):
        bits = rng.integers(0, 2, (32, 8))
        step(bits[..., None].astype(np.float32), np.cumsum(bits, axis=1) % 2)
    bits = rng.integers(0, 2, (200, 8))
    found = head(layer(bits[..., None].astype(np.float32))).numpy().argmax(-1)
    assert (found == np.cumsum(bits, axis=1) % 2).mean() > 0.99
