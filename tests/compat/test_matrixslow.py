"""MatrixSlow's names: values, Jacobians, optimizers, metrics and files, by their behaviour."""

import json
import warnings

import numpy as np
import pytest

import palingrad.compat.matrixslow as ms
from palingrad.errors import ArgumentError, GradientError, GraphError, ShapeError

core, ops = ms.core, ms.ops
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def graph():
    yield
    ms.default_graph.nodes.clear()
    ms.default_graph.clear_jacobi()


def variable(value, **options):
    value = np.atleast_2d(np.asarray(value, float))
    made = core.Variable(value.shape, **options)
    made.set_value(value)
    return made


def normal(*shape):
    return RNG.normal(size=shape)


def differences(result, x, step=1e-6):
    """∂result/∂x by central differences."""
    start, columns = np.array(x.value), []
    for i in range(start.size):
        ends = []
        for sign in (1, -1):
            moved = start.copy()
            moved.flat[i] += sign * step
            x.set_value(moved)
            result.forward()
            ends.append(np.asarray(result.value).ravel())
        columns.append((ends[0] - ends[1]) / (2 * step))
    x.set_value(start)
    result.forward()
    return np.stack(columns, axis=1)


OPERATIONS = {
    "Add": lambda x, y: ops.Add(x, y, x),
    "Add of a column": lambda x, y: ops.Add(x, variable(normal(3, 1))),
    "MatMul": lambda x, y: ops.MatMul(x, ops.Reshape(y, shape=(4, 3))),
    "MatMul of itself": lambda x, y: ops.MatMul(ops.MatMul(x, ops.Reshape(x, shape=(4, 3))), x),
    "Multiply": lambda x, y: ops.Multiply(x, y),
    "Multiply of itself": lambda x, y: ops.Multiply(x, x),
    "ScalarMultiply": lambda x, y: (
        ops.ScalarMultiply(ops.MatMul(x, variable(np.ones((4, 1)))), y)
        if x.dim[0] == 1
        else ops.ScalarMultiply(variable(3.0), x)
    ),
    "Logistic": lambda x, y: ops.Logistic(x),
    "ReLU": lambda x, y: ops.ReLU(x),
    "SoftMax": lambda x, y: ops.SoftMax(x),
    "Step": lambda x, y: ops.Step(x),
    "Concat": lambda x, y: ops.Concat(y, x, y, x),
    "Convolve of x": lambda x, y: ops.Convolve(x, variable(normal(3, 2))),
    "Convolve by x": lambda x, y: ops.Convolve(variable(normal(5, 6)), x),
    "MaxPooling": lambda x, y: ops.MaxPooling(x, size=(2, 3), stride=(2, 2)),
    "LogLoss": lambda x, y: ops.LogLoss(x),
    "PerceptionLoss": lambda x, y: ops.PerceptionLoss(x),
    "CrossEntropy": lambda x, y: ops.CrossEntropyWithSoftMax(x, y),
    "CrossEntropy by labels": lambda x, y: ops.CrossEntropyWithSoftMax(y, x),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_jacobians(name):
    x, y = variable(normal(3, 4)), variable(normal(3, 4))
    z = OPERATIONS[name](x, y)
    z.forward()
    expected = differences(z, x)
    found = x.backward(z)
    assert isinstance(found, np.matrix)
    assert found.shape == (z.dimension(), 12)
    np.testing.assert_allclose(found, expected, atol=1e-8)
    if x in z.parents and all(parent.leaf for parent in z.parents):
        np.testing.assert_allclose(z.get_jacobi(x), expected, atol=1e-8)


def test_values():
    x = variable([[-1.0, 0.0, 2.0]])
    for node, expected in (
        (ops.ReLU(x), [[-0.1, 0, 2]]),
        (ops.Step(x), [[0, 1, 1]]),
        (ops.PerceptionLoss(x), [[1, 0, 0]]),
        (ops.LogLoss(x), np.log1p(np.exp([[1.0, 0, -2]]))),
        (ops.Concat(x, x), [[-1], [0], [2], [-1], [0], [2]]),
        (ops.Welding(x), [[-1, 0, 2]]),
    ):
        node.forward()
        assert isinstance(node.value, np.matrix)
        np.testing.assert_allclose(node.value, expected)
        assert node.shape() == np.shape(expected)


def test_values_far_from_zero_are_right_where_the_original_clips():
    x, p = variable([[-1000.0, 0.0, 1000.0]]), variable([[1.0, 0.0, 0.0]])
    loss = ops.CrossEntropyWithSoftMax(x, p)
    for node, expected in (
        (ops.LogLoss(x), [[1000, np.log(2), 0]]),
        (ops.SoftMax(x), [[0, 0, 1]]),
        (loss, [[2000]]),
    ):
        node.forward()
        np.testing.assert_allclose(node.value, expected)
    np.testing.assert_array_equal(x.value, [[-1000.0, 0.0, 1000.0]])
    p.set_value([[0.5, 0.2, 0.1]])  # labels whose sum isn't 1
    loss.forward()
    np.testing.assert_allclose(x.backward(loss), [[-0.5, -0.2, 0.8 - 0.1]])


def test_convolution_and_pooling_by_their_definitions():
    x, w = normal(6, 5), normal(2, 3)
    y = ops.Convolve(variable(x), variable(w))
    y.forward()
    padded = np.pad(x, ((1, 1), (1, 1)))
    expected = [[(padded[i : i + 2, j : j + 3] * w).sum() for j in range(5)] for i in range(6)]
    np.testing.assert_allclose(y.value, expected)
    for size, stride in (((3, 3), (2, 2)), ((2, 2), (2, 2)), ((1, 2), (4, 3)), ((5, 4), (1, 3))):
        z = ops.MaxPooling(variable(x), size=size, stride=stride)
        z.forward()
        expected = [
            [
                x[max(i - size[0] // 2, 0) : i - size[0] // 2 + size[0],
                  max(j - size[1] // 2, 0) : j - size[1] // 2 + size[1]].max()
                for j in range(0, 5, stride[1])
            ]
            for i in range(0, 6, stride[0])
        ]  # fmt: skip
        np.testing.assert_array_equal(z.value, expected)


def perceptron():
    x, label = variable(normal(3, 1), trainable=False), variable(1.0, trainable=False)
    w, b = variable(normal(1, 3)), variable(0.5)
    output = ops.Add(ops.MatMul(w, x), b)
    return x, label, w, b, output, ops.LogLoss(ops.Multiply(label, output))


def test_setting_a_variable_resets_what_depends_on_it():
    x, label, w, b, output, loss = perceptron()
    loss.forward()
    assert loss.value is not None
    label.set_value([[-1.0]])
    assert loss.value is None
    assert output.value is not None
    loss.forward()
    margin = float((np.asarray(w.value) @ x.value + b.value)[0, 0])
    assert loss.value[0, 0] == pytest.approx(np.log1p(np.exp(margin)))
    w.value = 2 * np.asarray(w.value)  # a plain assignment too
    assert output.value is None
    output.value = np.array([[7.0]])  # a value that doesn't follow from its parents'
    loss.forward()
    assert loss.value[0, 0] == pytest.approx(np.log1p(np.exp(7)))
    x.set_value(x.value)
    assert output.value is None
    assert loss.value is None
    ms.default_graph.reset_value()
    with pytest.raises(GraphError, match="has no value"):
        loss.forward()


def test_a_loop_over_samples_as_in_the_book():
    x, _, w, b, output, loss = perceptron()
    for _ in range(3):
        loss.forward()
        w.backward(loss), b.backward(loss)
        slope = -1 / (1 + np.exp(float(output.value[0, 0])))
        np.testing.assert_allclose(w.jacobi, slope * np.asarray(x.value).T)
        before = output.value[0, 0]
        np.testing.assert_allclose(output.jacobi, [[slope]])
        w.set_value(w.value - 0.1 * w.jacobi.T.reshape(w.shape()))
        np.testing.assert_allclose(b.jacobi, [[slope]])  # of the pass, not of the new values
        b.set_value(b.value - 0.1 * b.jacobi.T.reshape(b.shape()))
        ms.default_graph.clear_jacobi()
        assert w.jacobi is None
        output.forward()
        assert output.value[0, 0] > before


def test_backward_needs_present_values():
    x, _, w, b, output, loss = perceptron()
    loss.forward()
    w.backward(loss)
    w.set_value(3 * w.value)
    with pytest.raises(GraphError, match="Run result"):
        b.backward(loss)
    loss.forward()
    first = np.array(b.jacobi)
    assert not np.allclose(b.backward(loss), first)  # though nothing was cleared
    np.testing.assert_array_equal(w.backward(output), np.asarray(x.value).T)  # of another result
    b.clear_jacobi()
    assert b.jacobi is None
    b.backward(loss)
    np.testing.assert_array_equal(w.jacobi, np.asarray(x.value).T)  # still
    other = variable([[1.0, 2.0]])
    np.testing.assert_array_equal(other.backward(loss), [[0, 0]])


class Cube(ops.Operator):
    def compute(self):
        self.value = np.power(self.parents[0].value, 3)

    def get_jacobi(self, parent):
        return np.diag(3 * np.power(self.parents[0].value.A1, 2))


def test_operations_of_a_user():
    x = variable(normal(2, 2))
    z = ops.Multiply(Cube(ops.Add(x, x)), x)
    z.forward()
    np.testing.assert_allclose(x.backward(z), differences(z, x), atol=1e-6)
    loss = ops.MatMul(ops.Reshape(z, shape=(1, 4)), variable(np.ones((4, 1)), trainable=False))
    optimizer = ms.optimizer.GradientDescent(ms.default_graph, loss, 0.5)
    before = np.asarray(x.value)
    optimizer.one_step()
    optimizer.update()
    np.testing.assert_allclose(x.value, before - 0.5 * 8 * 4 * before**3, atol=1e-9)


def test_welding():
    x, y = variable(2.0), variable(3.0)
    point = ops.Welding()
    z = ops.Multiply(point, x)
    with pytest.raises(GraphError, match="weld"):
        z.forward()
    for node, expected, slope in ((x, 4, 4), (y, 6, 3), (x, 4, 4)):
        point.weld(node)
        assert z.value is None
        assert point.parents == [node]
        z.forward()
        assert z.value[0, 0] == expected
        assert x.backward(z)[0, 0] == slope
    assert y.children == []


def test_welding_to_another_ancestor_of_the_result():
    x = variable(2.0)
    double = ops.Add(x, x)
    square = ops.Multiply(double, double)
    point = ops.Welding(square)
    z = ops.Add(square, point)
    for node, expected, slope in ((square, 32, 32), (double, 20, 18)):
        point.weld(node)
        z.forward()
        assert z.value[0, 0] == expected
        assert x.backward(z)[0, 0] == slope


def test_a_slope_that_changes(monkeypatch):
    x = variable(-2.0)
    z = ops.ReLU(x)
    for slope in (0.1, 0.0):
        monkeypatch.setattr(ops.ReLU, "nslope", slope)
        x.set_value(x.value)
        z.forward()
        assert z.value[0, 0] == -2 * slope
        assert x.backward(z)[0, 0] == slope


class Product(ops.Operator):
    def compute(self):
        self.value = np.multiply(self.parents[0].value, self.parents[1].value)

    def get_jacobi(self, parent):  # as the book's: once for each time that the parent occurs
        return np.diag(self.parents[parent is self.parents[0]].value.A1)


def test_an_operation_of_a_user_with_the_same_parent_twice():
    x = variable(3.0)
    z = Product(x, x)
    z.forward()
    assert x.backward(z)[0, 0] == 6


def rule(name, g, slots, rate=0.1):
    """The published rules, but Adam's without correction of the bias."""
    v, s = slots
    if name == "GradientDescent":
        return -rate * g, (v, s)
    if name == "Momentum":
        v = 0.9 * v - rate * g
        return v, (v, s)
    if name == "AdaGrad":
        s = s + g**2
        return -rate * g / np.sqrt(s + 1e-10), (v, s)
    if name == "RMSProp":
        s = 0.9 * s + 0.1 * g**2
        return -rate * g / np.sqrt(s + 1e-10), (v, s)
    v, s = 0.9 * v + 0.1 * g, 0.99 * s + 0.01 * g**2
    return -rate * v / np.sqrt(s + 1e-10), (v, s)


@pytest.mark.parametrize("name", ["GradientDescent", "Momentum", "AdaGrad", "RMSProp", "Adam"])
def test_optimizers_average_the_samples_of_a_batch(name):
    x, _, w, b, _, loss = perceptron()
    idle = variable([[1.0, 2.0]])  # which the loss doesn't depend on
    optimizer = getattr(ms.optimizer, name)(ms.default_graph, loss, 0.1)
    expected = {one: np.asarray(one.value) for one in (w, b)}
    slots: dict = {one: (0.0, 0.0) for one in (w, b)}

    def follow(gradients):
        for one, gradient in gradients.items():
            change, slots[one] = rule(name, gradient, slots[one])
            expected[one] = expected[one] + change
            np.testing.assert_allclose(one.value, expected[one])

    for batch in range(3):
        totals, size = {w: 0.0, b: 0.0}, 2 + batch
        for _ in range(size):
            x.set_value(normal(3, 1))
            optimizer.one_step()
            np.testing.assert_allclose(w.jacobi, b.jacobi[0, 0] * np.asarray(x.value).T)
            totals = {one: total + np.asarray(one.jacobi) for one, total in totals.items()}
        np.testing.assert_allclose(optimizer.get_gradient(w), totals[w] / size)
        optimizer.update()
        follow({one: total / size for one, total in totals.items()})
        assert optimizer.acc_no == 0
        assert loss.value is None
    np.testing.assert_array_equal(idle.value, [[1, 2]])
    optimizer.update({w: np.zeros((1, 3)), b.name: np.ones((1, 1)), idle: np.zeros((1, 2))})
    follow({w: np.zeros((1, 3)), b: np.ones((1, 1))})


def test_optimizers_refuse_losses_of_several_elements():
    w = variable([[1.0, 2.0]])
    optimizer = ms.optimizer.Adam(ms.default_graph, ops.LogLoss(w))
    with pytest.raises(GradientError, match="MatMul"):
        optimizer.one_step()
    with pytest.raises(GradientError, match="one_step"):
        optimizer.update()


def test_layers_and_names():
    with ms.name_scope("Outer"):
        with ms.name_scope("Inner"):
            x = core.Variable((6, 6), trainable=False, name="image")
        y = core.Variable((1, 1))
    assert (x.name, y.name) == ("Inner/image", "Outer/Variable:1")
    assert core.get_node_from_graph("image", name_scope="Inner") is x
    maps = ms.layer.pooling(ms.layer.conv([x], (6, 6), 2, (3, 3), "ReLU"), (3, 3), (2, 2))
    out = ms.layer.fc(ops.Concat(*maps), 18, 4, "Logistic")
    x.set_value(normal(6, 6))
    out.forward()
    assert (out.shape(), maps[0].shape()) == ((4, 1), (3, 3))
    assert len(core.get_trainable_variables_from_graph()) == 1 + 2 + 2 + 2
    core.update_node_value_in_graph("Inner/image", np.zeros((6, 6)))
    assert out.value is None
    with pytest.raises(ArgumentError, match="activation"):
        ms.layer.fc(x, 6, 2, "relu")
    with pytest.raises(ShapeError):
        x.set_value(np.zeros((3, 3)))


def test_metrics():
    p, label = core.Variable((1, 1), trainable=False), core.Variable((1, 1), trainable=False)
    kinds = ("Accuracy", "Precision", "Recall", "F1Score", "ROC", "ROC_AUC")
    found = {name: getattr(ops, name)(p, label) for name in kinds}
    for _ in range(2):  # after a reset, the same again
        for prob, truth in ((0.9, 1), (0.7, -1), (0.5, 1), (0.2, 1), (0.2, -1)):
            p.set_value([[prob]]), label.set_value([[truth]])
            for metric in found.values():
                metric.forward()
        texts = [metric.value_str().split()[-1:] for metric in found.values()]
        assert texts == [["0.6000"], ["0.6667"], ["0.6667"], ["0.6667"], [], ["0.5833"]]
        assert (found["ROC"].tpr[59], found["ROC"].fpr[59]) == (1 / 3, 1 / 2)
        for metric in found.values():
            metric.reset()
    several = ops.Accuracy(variable([[0.2], [0.5], [0.3]]), variable([[0], [1], [0]]))
    several.forward()
    assert several.value == 1


def test_training_saving_and_loading(tmp_path, capsys):
    points = normal(40, 2)
    labels = np.where(points @ [2.0, -1.0] > 0, 1, -1)
    x = core.Variable((2, 1), trainable=False, name="x")
    label = core.Variable((1, 1), trainable=False)
    w = core.Variable((1, 2), init=True)
    output = ops.Logistic(ops.Reshape(ops.MatMul(w, x), shape=(1, 1)), name="output")
    loss = ops.LogLoss(ops.Multiply(label, output.parents[0]))
    optimizer = ms.optimizer.Adam(ms.default_graph, loss, 0.1)
    trainer = ms.trainer.SimpleTrainer(
        [x], label, loss, optimizer, epoches=4, batch_size=8, eval_on_train=True,
        metrics_ops=[ops.Accuracy(output, label)], print_iteration_interval=20,
    )  # fmt: skip
    trainer.train_and_eval({"x": points}, labels, {"x": points}, labels)
    printed = capsys.readouterr().out
    assert "train data size: 40" in printed
    assert float(printed.split("Accuracy:")[-1]) > 0.9
    saver = ms.trainer.Saver(str(tmp_path / "model"))
    saver.save(service_signature=ms.exporter.Exporter().signature("x", "output"))
    described = json.loads((tmp_path / "model" / "model.json").read_text())
    assert "Accuracy" not in [one["node_type"] for one in described["graph"]]
    other = core.Graph()
    meta, service = ms.trainer.Saver(str(tmp_path / "model")).load(to_graph=other)
    assert service["outputs"] == {"name": "output"}
    assert "save_time" in meta
    loaded = core.get_node_from_graph("output", graph=other)
    trainable = core.get_trainable_variables_from_graph(graph=other)
    assert [one.name for one in trainable] == [w.name]
    for node, place in ((output, x), (loaded, core.get_node_from_graph("x", graph=other))):
        place.set_value([[1.0], [2.0]])
        node.forward()
    np.testing.assert_array_equal(output.value, loaded.value)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        ms.trainer.SimpleTrainer([x], label, loss, optimizer, epoches=1, batch=16)
    assert "batch_size" in str(found[0].message)


def test_what_is_refused():
    with pytest.raises(GraphError, match="isn't part of palingrad"):
        ms.serving.MatrixSlowServer()


def test_drawing():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pytest.importorskip("networkx")
    *_, loss = perceptron()
    ms.optimizer.Adam(ms.default_graph, loss).one_step()
    axes = pyplot.figure().add_subplot()
    ms.default_graph.draw(axes)
    assert len(axes.texts) == ms.default_graph.node_count()
    pyplot.close("all")
