"""Each model's sizes and values, and that it learns what it is for."""

from __future__ import annotations

import math

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, ShapeError
from tolerances import assert_close

pytestmark = pytest.mark.tiny


def test_parameters_are_those_of_the_papers():
    assert pg.models.mlp(784, 100, 20, 10).summary((1, 784)).parameters == 80_730
    assert pg.models.lenet().summary((1, 1, 28, 28)).parameters == 61_706
    assert pg.models.resnet20().summary((1, 3, 32, 32)).parameters == 269_722  # "0.27M"
    gpt = pg.models.gpt(1_000, context=1024, layers=1, heads=12, width=768)
    block = 12 * 768 * 768 + 13 * 768  # of GPT-2's twelve
    assert sum(v.numpy().size for v in gpt.parameters().values()) == (
        1_000 * 768 + 1024 * 768 + block + 2 * 768
    )


@pytest.mark.parametrize("side", [28, 32, 33])
def test_images_of_other_sizes_fit(side):
    images = np.zeros((2, 1, side, side), np.float32)
    assert pg.models.lenet(side=side)(images).shape == (2, 10)
    assert pg.models.resnet20(7, channels=1, width=4)(images).shape == (2, 7)


def test_a_residual_block_pads_its_shortcut_with_channels_of_zeros():
    block = pg.models.images.ResidualBlock(2, 3, stride=2)
    for layer in (block.conv1, block.conv2):
        layer.weight.assign(layer.weight * 0)
    x = np.random.default_rng(0).uniform(1, 2, (1, 2, 4, 4)).astype(np.float32)
    y = block(x).numpy()
    np.testing.assert_array_equal(y[:, :2], x[:, :, ::2, ::2])
    np.testing.assert_array_equal(y[:, 2], 0)


def test_an_mlp_takes_its_activation_and_dropout():
    model = pg.models.mlp(4, 8, 3, activation=pg.tanh, dropout=0.5, seed=1)
    x = np.ones((5, 2, 2), np.float32)
    w = [v.numpy() for v in model.parameters().values()]
    assert_close(model(x).numpy(), np.tanh(x.reshape(5, 4) @ w[0] + w[1]) @ w[2] + w[3])
    assert (model(x, training=True).numpy() != model(x).numpy()).any()
    with pytest.raises(ArgumentError, match="mlp: 1 sizes given"):
        pg.models.mlp(4)


# ---------------------------------------------------------------- recommenders

CATEGORIES = np.array([[0, 1], [2, 3], [1, 0]])
NUMBERS = np.array([[0.5, -1.0], [2.0, 0.0], [1.0, 3.0]], np.float32)


def rows(model):
    """x (n, fields) of the model without tables: one-hot categories, then the numbers."""
    x = np.zeros((3, 7 + 2))
    for row, (a, b) in enumerate(CATEGORIES):
        x[row, a] = x[row, 3 + b] = 1
    x[:, 7:] = NUMBERS
    return x


def weights(fields):
    return np.concatenate([fields.table.numpy(), fields.vectors.numpy()])  # (9, size)


def test_a_factorization_machine_is_its_double_sum():
    model = pg.models.fm([3, 4], numbers=2, factors=5, seed=1)
    model.linear.bias.assign(0.25)
    x, v, w = rows(model), weights(model.factors), weights(model.linear.weights)[:, 0]
    wanted = 0.25 + x @ w
    for i in range(9):
        for j in range(i):
            wanted = wanted + v[i] @ v[j] * x[:, i] * x[:, j]
    assert_close(model(CATEGORIES, NUMBERS).numpy(), wanted.astype(np.float32))


@pytest.mark.parametrize("make", [pg.models.wide_deep, pg.models.deepfm])
def test_deep_models_add_a_perceptron_of_the_same_vectors(make):
    model = make([3, 4], numbers=2, factors=5, hidden=(6,), seed=1)
    x, v, w = rows(model), weights(model.factors), weights(model.linear.weights)[:, 0]
    parts = np.concatenate([v[CATEGORIES + np.array([0, 3])], NUMBERS[..., None] * v[7:]], axis=1)
    deep = [one.numpy() for one in model.deep.parameters().values()]
    hidden = np.maximum(parts.reshape(3, -1) @ deep[0] + deep[1], 0)
    wanted = x @ w + (hidden @ deep[2] + deep[3])[:, 0]
    if make is pg.models.deepfm:
        total = parts.sum(axis=1)
        wanted = wanted + ((total**2).sum(-1) - (parts**2).sum((1, 2))) / 2
    assert_close(model(CATEGORIES, NUMBERS).numpy(), wanted.astype(np.float32))


def test_fields_of_one_kind_alone_work():
    assert pg.models.fm([3, 4])(CATEGORIES).shape == (3,)
    assert pg.models.deepfm(numbers=2)(None, NUMBERS).shape == (3,)
    with pytest.raises(ArgumentError, match="a model needs fields: categories, numbers, or both"):
        pg.models.fm()
    with pytest.raises(IndexError):
        pg.models.fm([3, 4])(CATEGORIES + 3)


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    "make",
    [
        lambda rate: pg.models.gpt(5, context=8, layers=1, heads=2, width=8, dropout=rate, seed=3),
        lambda rate: pg.models.char_rnn(5, width=8, dropout=rate, seed=3),
    ],
)
def test_dropout_is_of_training_alone_and_follows_the_seed(make):
    text = np.arange(16).reshape(2, 8) % 5
    plain, model, again = make(0.0), make(0.5), make(0.5)
    assert list(model.parameters()) == list(plain.parameters())
    np.testing.assert_array_equal(model(text).numpy(), plain(text).numpy())
    dropped = model(text, training=True).numpy()
    assert (dropped != plain(text).numpy()).any()
    np.testing.assert_array_equal(dropped, again(text, training=True).numpy())
    assert (dropped != model(text, training=True).numpy()).any()


def learned(model, text, steps):
    optimizer = pg.optim.Adam(0.01)

    @pg.function
    def step(x, y):
        loss = pg.cross_entropy(model(x, training=True), y)
        optimizer.minimize(loss)
        return loss

    return [float(step(text[:, :-1], text[:, 1:])) for _ in range(steps)]


@pytest.mark.parametrize("make", [
    lambda: pg.models.gpt(5, context=24, layers=1, heads=2, width=16, seed=1),
    lambda: pg.models.char_rnn(5, width=16, seed=1),
])  # fmt: skip
def test_a_language_model_learns_a_rhyme_and_recites_it(make):
    rhyme = np.tile([0, 1, 2, 1, 3, 4], 4)
    text = np.stack([np.roll(rhyme, -shift) for shift in range(6)])
    model = make()
    losses = learned(model, text, 150)
    assert losses[0] > 1.2
    assert losses[-1] < 0.5
    found = pg.models.generate(model, text[:, :12], 12, temperature=0)
    np.testing.assert_array_equal(found, text[:, 12:])


def test_the_first_scores_are_nearly_even():
    """The loss begins at log of the vocabulary, since weights begin small (section 2.3)."""
    model = pg.models.gpt(65, context=16, layers=2, heads=2, width=32, seed=1)
    x = np.random.default_rng(0).integers(0, 65, (4, 17))
    loss = pg.cross_entropy(model(x[:, :-1]), x[:, 1:])
    assert abs(loss.item() - math.log(65)) < 0.1


def test_too_long_a_text_is_refused():
    model = pg.models.gpt(5, context=4, layers=1, heads=1, width=4)
    with pytest.raises(ShapeError, match=r"GPT: 6 tokens, but the model sees 4 at most.*-4:"):
        model(np.zeros((1, 6), int))
    with pytest.raises(ShapeError, match=r"expected tokens \(batch, time\), got \(6,\)"):
        model(np.zeros(6, int))
