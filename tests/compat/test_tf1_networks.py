"""TensorFlow 1's layers, losses, recurrent networks and optimizers, against NumPy."""

import numpy as np
import pytest

import palingrad.compat.tf1 as tf
from palingrad.errors import GradientError, ShapeError

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def graph():
    tf.reset_default_graph()
    return tf.get_default_graph()


def run(fetches, feeds=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feeds)


def windows(x, size, stride, fill):
    """The windows (n, h, w, k, k, c) of images with SAME padding, and their padded positions."""
    n, height, width, c = x.shape
    out = -(-height // stride), -(-width // stride)
    total = [max((o - 1) * stride + size - s, 0) for o, s in zip(out, (height, width))]
    padded = np.pad(x, [(0, 0), *((t // 2, t - t // 2) for t in total), (0, 0)],
                    constant_values=fill)  # fmt: skip
    found = np.empty((n, *out, size, size, c))
    for i in range(out[0]):
        for j in range(out[1]):
            a, b = i * stride, j * stride
            found[:, i, j] = padded[:, a : a + size, b : b + size]
    return found


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (2, 2), (3, 2), (5, 3)])
def test_same_padding_of_convolution_and_pooling(size, stride):
    x = rng.normal(size=(2, 7, 8, 3)).astype(np.float32)
    w = rng.normal(size=(size, size, 3, 4)).astype(np.float32)
    steps, sizes = [1, stride, stride, 1], [1, size, size, 1]
    found = run([tf.nn.conv2d(x, w, steps, "SAME"), tf.nn.max_pool(x, sizes, steps, "SAME"),
                 tf.nn.avg_pool(x, sizes, steps, "SAME")])  # fmt: skip
    wanted = [np.einsum("nhwabc,abcd->nhwd", windows(x, size, stride, 0), w),
              windows(x, size, stride, -np.inf).max((3, 4)),
              np.nanmean(windows(x, size, stride, np.nan), (3, 4))]  # fmt: skip
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_images_with_channels_first_and_unknown_sizes():
    x = rng.normal(size=(2, 5, 6, 3)).astype(np.float32)
    w = rng.normal(size=(3, 3, 3, 4)).astype(np.float32)
    last = tf.nn.conv2d(x, w, [1, 2, 2, 1], "VALID")
    first = tf.nn.conv2d(x.transpose(0, 3, 1, 2), w, [1, 1, 2, 2], "VALID", data_format="NCHW")
    a, b = run([last, first])
    np.testing.assert_allclose(a, b.transpose(0, 2, 3, 1), rtol=1e-5)
    y = tf.placeholder(tf.float32, [None, None, None, 3])
    with pytest.raises(ShapeError, match="known size"):
        tf.nn.conv2d(y, w, [1, 2, 2, 1], "SAME")


def test_a_network_of_layers_has_the_right_shapes_and_dropout_follows_its_flag():
    x = tf.placeholder(tf.float32, [None, 8, 8, 1])
    training = tf.placeholder(tf.bool)
    y = tf.layers.conv2d(x, 4, 3, activation=tf.nn.relu)
    y = tf.layers.flatten(tf.layers.max_pooling2d(y, 2, 2))
    assert y.shape.as_list() == [None, 36]
    dropped = tf.layers.dropout(tf.ones_like(y), rate=0.5, training=training)
    images = np.ones((20, 8, 8, 1))
    assert set(run(dropped, {x: images, training: False}).ravel()) == {1.0}
    assert set(run(dropped, {x: images, training: True}).ravel()) == {0.0, 2.0}


def test_dropout_with_a_fed_keep_prob_and_its_gradient():
    x, keep = tf.ones([400]), tf.placeholder(tf.float32)
    y = tf.nn.dropout(x, keep)
    value, gradient = run([y, tf.gradients(y, x)[0]], {keep: 0.8})
    assert set(value) == {0.0, np.float32(1.25)}
    assert abs((value == 0).mean() - 0.2) < 0.1
    np.testing.assert_array_equal(value, gradient)
    assert set(run(y, {keep: 1.0})) == {1.0}


def softmax_entropy(x, p):
    shifted = x - x.max(1, keepdims=True)
    return -(p * (shifted - np.log(np.exp(shifted).sum(1, keepdims=True)))).sum(1)


def test_cross_entropies():
    x = rng.normal(size=(4, 3))
    p = rng.dirichlet(np.ones(3), 4)
    sparse = np.array([0, 2, 1, 1])
    hot = np.eye(3)[sparse]
    found = run(
        [tf.nn.softmax_cross_entropy_with_logits(labels=p, logits=tf.constant(x)),
         tf.nn.sparse_softmax_cross_entropy_with_logits(labels=sparse, logits=tf.constant(x)),
         tf.nn.sigmoid_cross_entropy_with_logits(labels=p, logits=tf.constant(x)),
         tf.losses.softmax_cross_entropy(hot, tf.constant(x)), tf.losses.get_total_loss(),
         tf.losses.mean_squared_error(p, tf.constant(x), weights=[[1.0], [0.0], [1.0], [1.0]])]
    )  # fmt: skip
    each = p * np.log1p(np.exp(-x)) + (1 - p) * np.log1p(np.exp(x))
    mean = softmax_entropy(x, hot).mean()
    squares = ((p - x) ** 2)[[0, 2, 3]].mean()
    wanted = [softmax_entropy(x, p), softmax_entropy(x, hot), each, mean, mean, squares]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    with pytest.raises(ValueError, match="labels="):
        tf.nn.softmax_cross_entropy_with_logits(x, p)


def test_the_first_softmax_cross_entropy_gives_the_labels_no_gradient():
    x, p = tf.constant(rng.normal(size=(2, 3))), tf.constant(np.full((2, 3), 1 / 3))
    first = tf.nn.softmax_cross_entropy_with_logits(labels=p, logits=x)
    second = tf.nn.softmax_cross_entropy_with_logits_v2(labels=p, logits=x)
    a, b = run([tf.gradients(first, p)[0], tf.gradients(second, p)[0]])
    assert not a.any()
    assert b.all()


def sigma(x):
    return 1 / (1 + np.exp(-x))


def test_an_lstm_with_lengths_is_that_of_numpy():
    x = rng.normal(size=(3, 4, 2)).astype(np.float32)
    lengths = np.array([4, 2, 1])
    cell = tf.nn.rnn_cell.BasicLSTMCell(5, forget_bias=1.0)
    given = tf.placeholder(tf.float32, [None, 4, 2])
    outputs, state = tf.nn.dynamic_rnn(cell, given, sequence_length=lengths, dtype=tf.float32)
    kernel, bias = cell.variables
    assert [one.op.name for one in cell.variables] == [
        "rnn/basic_lstm_cell/kernel", "rnn/basic_lstm_cell/bias",
    ]  # fmt: skip
    y, (c, h), w, b = run([outputs, state, kernel, bias], {given: x})
    cs, hs = np.zeros((3, 5)), np.zeros((3, 5))
    for time in range(4):
        i, j, f, o = np.split(np.concatenate([x[:, time], hs], 1) @ w + b, 4, 1)
        new = sigma(f + 1) * cs + sigma(i) * np.tanh(j)
        longer = (lengths > time)[:, None]
        out = sigma(o) * np.tanh(new)
        np.testing.assert_allclose(y[:, time], np.where(longer, out, 0), rtol=1e-4, atol=1e-6)
        cs, hs = np.where(longer, new, cs), np.where(longer, out, hs)
    np.testing.assert_allclose(c, cs, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(h, hs, rtol=1e-4, atol=1e-6)


def test_a_gru_and_a_simple_cell_are_those_of_numpy():
    x = rng.normal(size=(3, 2)).astype(np.float32)
    gru, simple = tf.nn.rnn_cell.GRUCell(4), tf.nn.rnn_cell.BasicRNNCell(4)
    start = tf.constant(rng.normal(size=(3, 4)).astype(np.float32))
    a, _ = gru(tf.constant(x), start)
    b, _ = simple(tf.constant(x), start)
    found = run([a, b, start, *gru.variables, *simple.variables])
    y, z, h, w, gate_bias, v, d, u, e = found
    r, update = np.split(sigma(np.concatenate([x, h], 1) @ w + gate_bias), 2, 1)
    new = np.tanh(np.concatenate([x, r * h], 1) @ v + d)
    np.testing.assert_allclose(y, update * h + (1 - update) * new, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(z, np.tanh(np.concatenate([x, h], 1) @ u + e), rtol=1e-4, atol=1e-6)
    assert (gate_bias == 1).all()
    assert not d.any()


def test_both_directions_are_joined():
    x = [tf.constant(rng.normal(size=(2, 3)).astype(np.float32)) for _ in range(3)]
    cells = [tf.contrib.rnn.BasicRNNCell(2), tf.contrib.rnn.BasicRNNCell(2)]
    outputs, first, last = tf.contrib.rnn.static_bidirectional_rnn(
        cells[0], cells[1], x, dtype=tf.float32
    )
    back, _ = tf.contrib.rnn.static_rnn(cells[1], x[::-1], dtype=tf.float32)
    ys, ahead, behind, backwards = run([outputs, first, last, back])
    np.testing.assert_array_equal(ys[-1][:, :2], ahead)
    np.testing.assert_array_equal(ys[0][:, 2:], behind)
    np.testing.assert_array_equal(ys[1][:, 2:], backwards[1])


# ---------------------------------------------------------------- training


def rule(kind):
    """(the optimizer, a step (w, g, state, t) of it in NumPy, the state's start)."""

    def adam(w, g, s, t):
        s[0], s[1] = 0.9 * s[0] + 0.1 * g, 0.999 * s[1] + 0.001 * g * g
        rate = 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        return w - rate * s[0] / (np.sqrt(s[1]) + 1e-3)

    def rmsprop(w, g, s, t):
        s[0] = 0.9 * s[0] + 0.1 * g * g
        s[1] = 0.5 * s[1] + 0.1 * g / np.sqrt(s[0] + 1e-10)
        return w - s[1]

    def momentum(w, g, s, t):
        s[0] = 0.9 * s[0] + g
        return w - 0.1 * s[0]

    def adagrad(w, g, s, t):
        s[0] = s[0] + g * g
        return w - 0.1 * g / np.sqrt(s[0])

    return {
        "adam": (tf.train.AdamOptimizer(0.1, epsilon=1e-3), adam, [0.0, 0.0]),
        "rmsprop": (tf.train.RMSPropOptimizer(0.1, momentum=0.5), rmsprop, [1.0, 0.0]),
        "momentum": (tf.train.MomentumOptimizer(0.1, 0.9), momentum, [0.0]),
        "adagrad": (tf.train.AdagradOptimizer(0.1), adagrad, [0.1]),
        "descent": (tf.train.GradientDescentOptimizer(0.1), lambda w, g, s, t: w - 0.1 * g, []),
    }[kind]


@pytest.mark.parametrize("kind", ["adam", "rmsprop", "momentum", "adagrad", "descent"])
def test_optimizers_take_tensorflows_steps(kind):
    optimizer, step, state = rule(kind)
    w = tf.Variable(tf.constant([1.0, -2.0], tf.float64))
    train = optimizer.minimize(tf.reduce_sum(w * w * [1.0, 3.0]))
    wanted = np.array([1.0, -2.0])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for t in range(1, 6):
            session.run(train)
            wanted = step(wanted, 2 * wanted * [1, 3], state, t)
        np.testing.assert_allclose(session.run(w), wanted, rtol=1e-12)


def test_a_second_session_starts_the_optimizer_anew():
    w = tf.Variable(5.0)
    train = tf.train.AdamOptimizer(0.1).minimize(tf.square(w))
    init = tf.global_variables_initializer()
    results = []
    for _ in range(2):
        with tf.Session() as session:
            session.run(init)
            for _ in range(3):
                session.run(train)
            results.append(session.run(w))
    assert results[0] == results[1]


def test_gradients_are_computed_changed_and_applied_and_steps_counted():
    w, v = tf.Variable([3.0, 4.0]), tf.Variable(1.0)
    step = tf.train.get_or_create_global_step()
    rate = tf.train.exponential_decay(1.0, step, 1, 0.5)
    optimizer = tf.train.GradientDescentOptimizer(rate)
    pairs = optimizer.compute_gradients(tf.reduce_sum(w))
    assert [variable for _, variable in pairs] == [w, v]
    assert pairs[1][0] is None
    clipped, norm = tf.clip_by_global_norm([pairs[0][0]], 1.0)
    train = optimizer.apply_gradients([(clipped[0], w)], global_step=step)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(norm) == pytest.approx(np.sqrt(2))
        for _ in range(2):
            session.run(train)
        np.testing.assert_allclose(session.run(w), np.array([3, 4]) - 1.5 / np.sqrt(2), rtol=1e-6)
        assert tf.train.global_step(session, step) == 2
    with pytest.raises(GradientError, match="no gradient"):
        optimizer.apply_gradients([(None, v)])


def test_gradients_of_several_results_and_cotangents():
    x, y = tf.constant([1.0, 2.0]), tf.constant(3.0)
    found = tf.gradients([x * y, tf.square(x)], [x, y], [tf.constant([10.0, 20.0]), None])
    dx, dy = run(found)
    np.testing.assert_array_equal(dx, [32, 64])
    assert dy == 50
    assert tf.gradients(x, y) == [None]


def test_a_control_dependency_is_refused_rather_than_ignored():
    w = tf.Variable(1.0)
    with tf.control_dependencies([]):
        pass
    with pytest.raises(RuntimeError, match="as they were before"):
        tf.control_dependencies([w.assign(2.0)])
