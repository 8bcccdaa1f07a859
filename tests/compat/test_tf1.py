"""TensorFlow 1's names: graphs, names, sessions, Variables, scopes, checkpoints, summaries."""

import subprocess
import sys

import numpy as np
import pytest

import palingrad.compat.tf1 as tf
import palingrad.session
from palingrad.errors import CheckpointError, GraphError
from palingrad.view.drawings import draw


@pytest.fixture(autouse=True)
def graph():
    tf.reset_default_graph()
    tf.set_random_seed(1)
    return tf.get_default_graph()


def run(fetches, feeds=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feeds)


def test_constants_take_tensorflows_dtypes_and_strings_are_bytes():
    kinds = [tf.constant(one).dtype for one in (2, 2.0, [[1, 2]], np.float64(2), True, "a")]
    assert kinds == [tf.int32, tf.float32, tf.int32, tf.float64, tf.bool, tf.string]
    assert run([tf.constant("hello"), tf.constant(3.0, shape=[2])[0]]) == [b"hello", 3.0]


def test_operators_names_and_scopes():
    x = tf.placeholder("float", [None, 3], name="x")
    with tf.name_scope("model"):
        w = tf.Variable(tf.zeros([3, 2]), name="w")
        y = tf.matmul(x, w, name="y")
    sums = [x + 1, 2 * x, 1 - x, x / 2, x + 1]
    assert [one.name for one in (x, w, y)] == ["x:0", "model/w:0", "model/y:0"]
    assert [one.name for one in sums] == ["add:0", "mul:0", "sub:0", "truediv:0", "add_1:0"]
    assert y.get_shape().as_list() == [None, 2]
    assert str(y) == 'Tensor("model/y:0", shape=(?, 2), dtype=float32)'
    assert (x.shape[1].value, x.shape[0].value, int(x.shape[1])) == (3, None, 3)


def test_nodes_of_the_graph_are_palingrads_with_the_same_names(graph):
    x = tf.placeholder(tf.float32, [2], name="x")
    y = tf.nn.softmax(x, name="y")
    assert graph.built["y"] is y.node
    assert (y.node.name, x.node.name) == ("y", "x")
    assert "2 items" in str(draw(y))


def test_fetches_are_structures_names_and_operations_and_feeds_have_names():
    x = tf.placeholder(tf.int16, name="x")
    y = tf.add(x, x, name="y")
    found = run({"a": [y, "x:0"], "b": (tf.no_op(), "y:0")}, {"x:0": 2})
    assert found == {"a": [4, 2], "b": (None, 4)}
    assert found["a"][0].dtype == np.int16


def test_arithmetic_between_arrays_and_tensors_keeps_the_tensors_dtype():
    x = tf.constant([1.0, 2.0])
    found = run([np.array([1.0, 2.0]) * x, x - np.float64(1), x * 2])
    assert [one.dtype for one in found] == [np.float32] * 3
    np.testing.assert_array_equal(found[0], [1, 4])


def test_reductions_keep_integers_and_know_tensorflows_options():
    x = np.arange(6, dtype=np.int32).reshape(2, 3)
    found = run(
        [tf.reduce_sum(x, 1), tf.reduce_sum(x, reduction_indices=[0]), tf.argmax(x, 1),
         tf.reduce_max(x, axis=[0, 1], keep_dims=True), tf.reduce_mean(tf.cast(x, "float"))]
    )  # fmt: skip
    assert [np.asarray(one).dtype.name for one in found[:3]] == ["int32", "int32", "int64"]
    assert [np.asarray(one).tolist() for one in found] == [[3, 12], [3, 5, 7], [2, 2], [[5]], 2.5]


def test_tensors_are_moved_and_taken_apart():
    x = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
    parts = tf.unstack(x, 3, 1)
    halves = tf.split(x, 2, axis=2)
    found = run([tf.transpose(x, [1, 0, 2]), tf.concat(halves, 2), tf.stack(parts, 1),
                 tf.reshape(x, [-1, 4]), tf.constant(x)[1, 0:2], tf.one_hot([1, 0], 2),
                 tf.gather(x[0], [2, 0])])  # fmt: skip
    wanted = [x.transpose(1, 0, 2), x, x, x.reshape(-1, 4), x[1, 0:2], [[0, 1], [1, 0]],
              x[0][[2, 0]]]  # fmt: skip
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_sizes_of_a_run_make_ranges_zeros_and_shapes():
    x = tf.placeholder(tf.float32, [None, 2])
    batch = tf.shape(x)[0]
    rows = [tf.range(batch) * 10, tf.zeros([batch, 3]), tf.shape(x), tf.reshape(x, [2, batch])]
    found = run(rows, {x: np.ones((4, 2))})
    assert found[0].tolist() == [0, 10, 20, 30]
    assert (found[1].shape, found[2].tolist(), found[3].shape) == ((4, 3), [4, 2], (2, 4))


def test_random_tensors_are_drawn_anew_in_each_run_and_in_tensorflows_bounds():
    x = tf.truncated_normal([1000], mean=1.0, stddev=2.0)
    y = tf.random_uniform([1000], -1, 1)
    with tf.Session() as session:
        a, b = session.run(x), session.run(x)
        assert (a != b).all()
        assert np.abs(a - 1).max() <= 4
        assert abs(a.mean() - 1) < 0.3
        assert -1 <= session.run(y).min() < 0


# ---------------------------------------------------------------- Variables and sessions


def test_variables_have_no_value_before_their_initializer_runs_and_then_a_new_one_each_time():
    w = tf.Variable(tf.random_normal([50]), name="w")
    init = tf.global_variables_initializer()
    with tf.Session() as session:
        with pytest.raises(tf.errors.FailedPreconditionError, match="'w' has no value"):
            session.run(w)
        session.run(init)
        first = session.run(w)
        session.run(init)
        assert (session.run(w) != first).all()


def test_each_session_has_values_of_its_own():
    w = tf.Variable(1.0)
    a, b = tf.Session(), tf.Session()
    for session in (a, b):
        session.run(w.initializer)
    a.run(w.assign_add(5.0))
    assert (a.run(w), b.run(w), a.run(w)) == (6, 1, 6)
    a.close()
    assert b.run(w) == 1
    with pytest.raises(RuntimeError, match="closed"):
        a.run(w)


def test_a_placeholder_without_a_feed_and_a_computed_key_are_refused():
    x = tf.placeholder(tf.float32, name="x")
    y = x * 2
    with tf.Session() as session:
        with pytest.raises(tf.errors.InvalidArgumentError, match="'x' needs a feed"):
            session.run(y)
        with pytest.raises(tf.errors.InvalidArgumentError, match="only placeholders"):
            session.run(y + 1, {y: 1.0})
    with pytest.raises(GraphError, match="no open session"):
        y.eval({x: 1.0})


def test_an_interactive_session_is_the_default():
    session = tf.InteractiveSession()
    try:
        assert tf.constant(3).eval() == 3
        v = tf.Variable(2)
        v.initializer.run()
        assert v.eval() == 2
    finally:
        session.close()
    assert tf.get_default_session() is None


def test_the_same_fetches_are_compiled_once(monkeypatch):
    traced = []
    specialise = palingrad.session.specialise
    monkeypatch.setattr(
        palingrad.session, "specialise", lambda *a: traced.append(1) or specialise(*a)
    )
    x = tf.placeholder(tf.float32, [None, 2])
    w = tf.Variable(tf.ones([2, 1]))
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w)))
    train = tf.train.AdamOptimizer(0.1).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        del traced[:]
        for _ in range(5):
            session.run([train, loss], {x: np.ones((3, 2))})
        assert len(traced) == 1


def test_get_variable_is_shared_by_name_only_where_the_scope_reuses():
    with tf.variable_scope("a"):
        w = tf.get_variable("w", [2, 3])
        with pytest.raises(ValueError, match="exists already"):
            tf.get_variable("w", [2, 3])
    with tf.variable_scope("a", reuse=True):
        assert tf.get_variable("w", [2, 3]) is w
        with pytest.raises(ValueError, match="no Variable 'a/v'"):
            tf.get_variable("v", [2])
    with tf.variable_scope("a", reuse=tf.AUTO_REUSE) as scope:
        with tf.variable_scope("b"):
            v = tf.get_variable("v", initializer=tf.constant([1, 2]))
        scope.reuse_variables()
    assert [one.name for one in tf.trainable_variables()] == ["a/w:0", "a/b/v:0"]
    assert (run(v).tolist(), v.dtype) == ([1, 2], tf.int32)
    bound = np.sqrt(6 / 5)
    assert np.abs(run(w)).max() <= bound


def test_layers_share_their_variables_in_scopes_entered_again():
    x = tf.placeholder(tf.float32, [None, 4])

    def network(reuse):
        with tf.variable_scope("net", reuse=reuse):
            return tf.layers.dense(tf.layers.dense(x, 3, activation=tf.nn.relu), 2)

    a, b = network(False), network(True)
    names = [one.op.name for one in tf.trainable_variables()]
    assert names == [f"net/{n}" for n in ("dense/kernel", "dense/bias", "dense_1/kernel",
                                          "dense_1/bias")]  # fmt: skip
    first, second = run([a, b], {x: np.ones((2, 4))})
    np.testing.assert_array_equal(first, second)


def test_collections_graphs_and_operations_by_name(graph):
    w = tf.Variable(1.0, name="w")
    tf.add_to_collection("mine", w)
    other = tf.Graph()
    with other.as_default():
        v = tf.Variable(1.0, name="w")
    assert (v.graph is other, w.graph is graph) == (True, True)
    assert tf.get_collection("mine") == [w]
    assert graph.get_tensor_by_name("w:0") is w
    with pytest.raises(GraphError, match="Did you mean 'w'"):
        graph.get_operation_by_name("ww")
    with tf.Session(graph=other) as session:
        with pytest.raises(GraphError, match="another graph"):
            session.run(w)


# ---------------------------------------------------------------- saved, shown, run


def test_a_saver_restores_variables_and_the_optimizers(tmp_path):
    w = tf.Variable([1.0, 2.0], name="w")
    train = tf.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(tf.square(w)))
    init, saver = tf.global_variables_initializer(), tf.train.Saver(max_to_keep=2)
    with tf.Session() as session:
        session.run(init)
        paths = []
        for step in range(3):
            session.run(train)
            paths.append(saver.save(session, tmp_path / "model.ckpt", global_step=step))
        saved = session.run(w)
        session.run(train)
        after = session.run(w)
    assert tf.train.latest_checkpoint(tmp_path) == paths[-1]
    assert [tf.train.checkpoint_exists(path) for path in paths] == [False, True, True]
    with tf.Session() as session:
        saver.restore(session, paths[-1])
        np.testing.assert_array_equal(session.run(w), saved)
        session.run(train)
        np.testing.assert_array_equal(session.run(w), after)
    v = tf.Variable(1.0, name="v")
    with tf.Session() as session, pytest.raises(CheckpointError, match="no Variable 'v'"):
        tf.train.Saver([v]).restore(session, paths[-1])


def test_summaries_are_written_as_event_files(tmp_path):
    pytest.importorskip("tensorboardX")
    x = tf.placeholder(tf.float32, [3])
    assert tf.summary.merge_all() is None
    tf.summary.scalar("mean", tf.reduce_mean(x))
    tf.summary.histogram("all:0", x)
    merged = tf.summary.merge_all()
    with tf.Session() as session, tf.summary.FileWriter(tmp_path, session.graph) as writer:
        found = session.run(merged, {x: [1, 2, 6]})
        writer.add_summary(found, 7)
    assert [(kind, tag) for kind, tag, _ in found.values] == [
        ("ScalarSummary", "mean"), ("HistogramSummary", "all_0"),
    ]  # fmt: skip
    assert found.values[0][2] == 3
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    assert b"mean" in content
    assert b"all_0" in content


def test_batches_go_round_the_data_in_a_new_order_each_time():
    from palingrad.compat.tf1.examples.tutorials.mnist.input_data import DataSet

    data = DataSet(np.arange(10)[:, None], np.arange(10), seed=3)
    seen = np.concatenate([data.next_batch(4)[1] for _ in range(5)])
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert seen[:10].tolist() != seen[10:].tolist()
    assert data.epochs_completed == 1


def test_a_script_imports_tensorflow(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import tensorflow.compat.v1 as tf1, tensorflow as tf\n"
        "from tensorflow.contrib import rnn\n"
        "from tensorflow.examples.tutorials.mnist import input_data\n"
        "tf1.disable_v2_behavior()\n"
        "with tf.Session() as sess: print(sess.run(tf1.constant(2) * 3))\n"
    )
    command = [sys.executable, "-m", "palingrad.compat", "tf1", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("6\n", 0), done.stderr


@pytest.mark.parametrize("module", [tf, tf.nn, tf.layers, tf.train, tf.losses, tf.summary])
def test_a_name_that_is_not_here_is_refused_with_those_that_are(module):
    with pytest.raises(AttributeError, match=r"isn't among the names .* has "):
        module.estimator  # noqa: B018
