"""Layers of windows and of normalisation: values, derivatives, running means, styles."""

import numpy as np

import palingrad as pg
from tolerances import assert_close

nn = pg.nn


def images(n=4, c=3, side=6, seed=0):
    return np.random.default_rng(seed).normal(2.0, 3.0, (n, c, side, side))


def test_a_convolution_layer_is_convolution_and_bias():
    layer = nn.Conv2D(3, 4, (3, 2), stride=2, padding=1, dtype=pg.float64, seed=1)
    layer.bias.assign(np.arange(4.0).reshape(4, 1, 1))
    x = images()
    expected = pg.conv2d(x, layer.weight, stride=2, padding=1).value
    assert_close(layer(x).value, expected + np.arange(4.0).reshape(4, 1, 1))
    assert list(layer.parameters()) == ["weight", "bias"]
    assert nn.Conv2D(4, 6, 3, groups=2, bias=False).weight.shape == (6, 2, 3, 3)


def test_pooling_layers_are_pooling():
    x = images()
    np.testing.assert_array_equal(nn.MaxPool2D(2)(x).value, pg.max_pool(x, 2).value)
    np.testing.assert_array_equal(
        nn.AveragePool2D(3, stride=1)(x).value, pg.average_pool(x, 3, stride=1).value
    )


def test_layer_norm_gives_mean_0_and_variance_1():
    x = images().reshape(4, -1)
    y = nn.LayerNorm(x.shape[1], dtype=pg.float64)(x).value
    assert_close(y.mean(axis=1), np.zeros(4))
    assert_close(y.var(axis=1), x.var(axis=1) / (x.var(axis=1) + 1e-5))


def normalised(x, axes, epsilon=1e-5):
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(var + epsilon)


def test_batch_norm_normalises_by_the_batch_and_evaluates_by_running_means():
    layer = nn.BatchNorm(3, spatial=2, momentum=0.5, dtype=pg.float64)
    x = images()
    y = layer(x, training=True).value
    assert_close(y, normalised(x, (0, 2, 3)))
    mean, var = x.mean((0, 2, 3), keepdims=True)[0], x.var((0, 2, 3), keepdims=True)[0]
    assert_close(layer.mean.value, 0.5 * mean)
    assert_close(layer.variance.value, 0.5 + 0.5 * var)
    expected = (x - 0.5 * mean) / np.sqrt(0.5 + 0.5 * var + 1e-5)
    assert_close(layer(x).value, expected)


def test_batch_norm_moves_its_means_in_every_style():
    x = images()
    found = []
    for style in ("eager", "graph", "function"):
        layer = nn.BatchNorm(3, spatial=2, dtype=pg.float64)
        if style == "eager":
            layer(x, training=True)
        elif style == "graph":
            with pg.Graph():
                feed = pg.placeholder()
                y = layer(feed, training=True)
            pg.Session().run(y, {feed: x})
        else:
            pg.function(lambda x, layer=layer: layer(x, training=True))(x)
        found.append((layer.mean.value, layer.variance.value))
    for mean, variance in found[1:]:
        assert_close(mean, found[0][0])
        assert_close(variance, found[0][1])


def test_the_means_get_no_gradient():
    layer = nn.BatchNorm(3)
    assert list(layer.parameters()) == ["scale", "offset"]
    assert list(layer.variables()) == ["scale", "offset", "mean", "variance"]


def test_an_embedding_gives_rows_and_collects_their_gradients():
    layer = nn.Embedding(5, 2, seed=0)
    rows = np.array([[1, 4], [4, 4]])
    np.testing.assert_array_equal(layer(rows).value, layer.table.value[rows])
    pg.sum(layer(rows)).backward()
    np.testing.assert_array_equal(layer.table.grad.value[:, 0], [0, 1, 0, 0, 3])


def test_the_convolutional_network_learns():
    digits = pg.data.load("digits")
    pg.set_seed(0)
    model = pg.train.recipe("cnn").build(64, 10)
    train = (digits.train.inputs[:640], digits.train.labels[:640])
    pg.train.fit(model, train, optimizer=pg.optim.Adam(0.001), epochs=4)
    # What the epochs tell is of half the network: dropout is on while it trains.
    assert pg.train.evaluate(model, train).accuracy > 0.9
