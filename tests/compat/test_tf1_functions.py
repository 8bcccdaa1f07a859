"""TensorFlow 1's functions give what NumPy gives."""

import numpy as np
import pytest

import palingrad.compat.tf1 as tf

rng = np.random.default_rng(1)
X = rng.normal(size=(3, 4))
Y = rng.normal(size=(3, 4))
P = np.abs(X) + 0.1
S = np.array([3, 0, 2])
EXP = np.exp(X - X.max(1, keepdims=True))


def softplus(x):
    return np.log1p(np.exp(x))


CASES = {
    "abs": (lambda x: tf.abs(x), np.abs(X)),
    "accumulated": (lambda x: tf.cumsum(x, 1), np.cumsum(X, 1)),
    "add_n": (lambda x: tf.add_n([x, Y, 1.0]), X + Y + 1),
    "batchnorm": (lambda x: tf.nn.batch_normalization(x, 1.0, 4.0, 0.5, 2.0, 0.0), X),
    "bias": (lambda x: tf.nn.bias_add(x, Y[0]), X + Y[0]),
    "clip_norm": (lambda x: tf.clip_by_norm(x, 1.0), X / np.linalg.norm(X)),
    "clipped": (lambda x: tf.clip_by_value(x, -0.5, 0.5), X.clip(-0.5, 0.5)),
    "comparison": (lambda x: tf.cast((x > 0) & ~(x >= 1), "float"), (X > 0) & (X < 1)),
    "difference": (lambda x: tf.squared_difference(x, Y), (X - Y) ** 2),
    "divided": (lambda x: tf.floordiv(x, Y) + tf.mod(x, Y) + 1 / x, X // Y + X % Y + 1 / X),
    "einsum": (lambda x: tf.einsum("ij,kj->ik", x, Y), X @ Y.T),
    "elu": (lambda x: tf.nn.elu(x), np.where(X > 0, X, np.expm1(X))),
    "expanded": (lambda x: tf.squeeze(tf.expand_dims(x, 1), [1]), X),
    "filled": (lambda x: tf.fill([2, 2], 3.0) + tf.eye(2), 3 + np.eye(2)),
    "gathered": (lambda x: tf.nn.embedding_lookup(x, [2, 0]), X[[2, 0]]),
    "integers": (lambda x: tf.div(tf.constant([7, -7]), 2), [3, -4]),
    "l2": (lambda x: tf.nn.l2_loss(x), (X**2).sum() / 2),
    "leaky": (lambda x: tf.nn.leaky_relu(x), np.where(X > 0, X, 0.2 * X)),
    "like": (lambda x: tf.ones_like(x) - tf.zeros_like(x), np.ones((3, 4))),
    "linspace": (lambda x: tf.linspace(0.0, 1.0, 3), [0, 0.5, 1]),
    "log_softmax": (lambda x: tf.nn.log_softmax(x), np.log(EXP / EXP.sum(1, keepdims=True))),
    "logsumexp": (lambda x: tf.reduce_logsumexp(x, 1), np.log(np.exp(X).sum(1))),
    "matmul": (lambda x: tf.matmul(x, Y, transpose_b=True), X @ Y.T),
    "mean_int": (lambda x: tf.reduce_mean([1, 2]), 1),
    "moments": (lambda x: tf.nn.moments(x, [0])[1], X.var(0)),
    "norm": (lambda x: tf.norm(x, axis=1), np.linalg.norm(X, axis=1)),
    "normalized": (lambda x: tf.nn.l2_normalize(x, 1), X / np.linalg.norm(X, axis=1)[:, None]),
    "padded": (lambda x: tf.pad(x, [[1, 0], [0, 2]]), np.pad(X, [[1, 0], [0, 2]])),
    "power": (lambda x: tf.pow(P, x), P**X),
    "range": (lambda x: tf.range(1, 7, 2), [1, 3, 5]),
    "rank": (lambda x: tf.rank(x) + tf.size(x), 14),
    "reversed": (lambda x: tf.reverse(x, [1]), X[:, ::-1]),
    "rsqrt": (lambda x: tf.rsqrt(P), P**-0.5),
    "sliced": (lambda x: tf.slice(x, [1, 0], [-1, 2]), X[1:, :2]),
    "softmax": (lambda x: tf.nn.softmax(x), EXP / EXP.sum(1, keepdims=True)),
    "softplus": (lambda x: tf.nn.softplus(x) + tf.nn.softsign(x), softplus(X) + X / (1 + abs(X))),
    "tensordot": (lambda x: tf.tensordot(x, Y, [[0, 1], [0, 1]]), (X * Y).sum()),
    "tiled": (lambda x: tf.tile(x, [1, 2]), np.tile(X, (1, 2))),
    "top": (lambda x: tf.nn.top_k(x, 2)[0], np.sort(X)[:, :-3:-1]),
    "top_places": (lambda x: tf.nn.top_k(x, 1)[1], X.argmax(1)[:, None]),
    "where": (lambda x: tf.where(tf.constant([True, False, True]), x, Y), [X[0], Y[1], X[2]]),
    "within": (lambda x: tf.nn.in_top_k(x, S, 1), X.argmax(1) == S),
    "xw": (lambda x: tf.nn.xw_plus_b(x, Y.T, Y[0, :3]), X @ Y.T + Y[0, :3]),
    "absolute": (lambda x: tf.losses.absolute_difference(Y, x), np.abs(X - Y).mean()),
    "hinge": (lambda x: tf.losses.hinge_loss(Y > 0, x),
              np.maximum(0, 1 - np.sign(Y) * X).mean()),
    "huber": (lambda x: tf.losses.huber_loss(Y, x),
              np.where(abs(X - Y) < 1, (X - Y) ** 2 / 2, abs(X - Y) - 0.5).mean()),
    "sigmoid": (lambda x: tf.losses.sigmoid_cross_entropy(np.ones((3, 4)), x),
                softplus(-X).mean()),
    "l2_penalty": (lambda x: tf.contrib.layers.l2_regularizer(0.1)(x), 0.05 * (X**2).sum()),
    "piecewise": (lambda x: tf.train.piecewise_constant(tf.constant(5), [4, 9], [1, 2, 3]), 2),
    "polynomial": (lambda x: tf.train.polynomial_decay(1.0, tf.constant(5), 10, 0.2), 0.6),
    "inverse": (lambda x: tf.train.inverse_time_decay(1.0, tf.constant(5), 10, 2.0), 0.5),
}  # fmt: skip
CASES["batchnorm"] = (CASES["batchnorm"][0], (X - 1) / 2 * 2 + 0.5)


@pytest.mark.parametrize("name", CASES)
def test_a_function_gives_what_numpy_gives(name):
    tf.reset_default_graph()
    x = tf.placeholder(tf.float64, [None, 4])
    function, wanted = CASES[name]
    y = function(x)
    with tf.Session() as session:
        found = session.run(y, {x: X})
    np.testing.assert_allclose(found, np.asarray(wanted, np.float64), rtol=1e-6, atol=1e-7)


INITIALIZERS = {
    "random_normal": (tf.random_normal_initializer(1.0, 2.0), 1, 2),
    "truncated_normal": (tf.truncated_normal_initializer(stddev=0.5), 0, 0.44),
    "random_uniform": (tf.random_uniform_initializer(-1, 1), 0, 1 / np.sqrt(3)),
    "glorot_normal": (tf.glorot_normal_initializer(), 0, np.sqrt(2 / 150)),
    "xavier": (tf.contrib.layers.xavier_initializer(), 0, np.sqrt(2 / 150)),
    "scaling": (tf.contrib.layers.variance_scaling_initializer(), 0, np.sqrt(2 / 50)),
    "ones": (tf.ones_initializer, 1, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializers_have_their_means_and_deviations(name):
    tf.reset_default_graph()
    tf.set_random_seed(2)
    initializer, mean, deviation = INITIALIZERS[name]
    with tf.variable_scope("a", initializer=initializer):
        w = tf.get_variable("w", [50, 100])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        value = session.run(w)
    assert value.mean() == pytest.approx(mean, abs=0.1 * deviation + 1e-9)
    assert value.std() == pytest.approx(deviation, rel=0.1)
