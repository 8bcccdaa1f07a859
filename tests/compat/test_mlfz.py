"""mlfz's names: scalars and tensors, models and losses, as its course writes them."""

import copy
import math
import pickle

import numpy as np
import pytest

import palingrad as pg
from palingrad.compat.mlfz import functional
from palingrad.compat.mlfz.nn import Model, Scalar, Tensor
from palingrad.compat.mlfz.nn.scalar import GradientDescent, functional as of_scalars
from palingrad.compat.mlfz.nn.scalar.core import Edge as ScalarEdge
from palingrad.compat.mlfz.nn.scalar.loss import binary_cross_entropy, mean_squared_error
from palingrad.compat.mlfz.nn.tensor import functional as of_tensors
from palingrad.compat.mlfz.nn.tensor.core import Edge
from palingrad.compat.mlfz.nn.tensor.loss import binary_cross_entropy as of_tensor_loss


def test_backward_sets_gradients_anew():
    x = Scalar(2)
    h = x**2 + of_scalars.sin(x**3)
    for _ in range(2):
        h.backward()
        assert x.backwards_grad == pytest.approx(4 + 12 * math.cos(8), rel=1e-14)
        assert h.backwards_grad == 1


def test_a_backward_pass_leaves_what_it_doesnt_reach():
    x = Scalar(2.0)
    first, second = x * 3, x * 5
    first.backward()
    second.backward()
    assert (first.backwards_grad, second.backwards_grad, x.backwards_grad) == (1, 1, 5)


def test_edges_of_a_scalar():
    x, y = Scalar(3.0), Scalar(4.0)
    assert (x / y).prevs == [ScalarEdge(x, 0.25), ScalarEdge(y, -0.1875)]
    own = Scalar(9.0, prevs=[ScalarEdge(x, 6.0)])
    (own * y).backward()
    assert (x.backwards_grad, y.backwards_grad) == (24.0, 9.0)
    assert own.prevs == [ScalarEdge(x, 6.0)]


class Linear(Model):
    def __init__(self):
        self.a, self.b = Scalar(1), Scalar(1)

    def forward(self, x):
        return self.a * x + self.b

    def parameters(self):
        return {"a": self.a, "b": self.b}


def test_linear_regression_by_gradient_descent():
    model = Linear()
    xs = [k * 0.05 for k in range(20)]
    ys = [0.5 * x - 0.5 for x in xs]
    before = model.copy_parameters()
    GradientDescent(model, mean_squared_error).run(xs, ys, lr=0.5, n_steps=200)
    assert model.parameter_values() == pytest.approx({"a": 0.5, "b": -0.5}, abs=1e-3)
    model.load_parameters(before)
    assert model(2.0).value == 3
    assert pickle.loads(pickle.dumps(model.a)).value == 1
    assert copy.copy(model.a).value == 1


def test_losses_of_scalars_and_tensors_agree():
    rng = np.random.default_rng(0)
    p, y = rng.uniform(0.1, 0.9, 6), rng.integers(0, 2, 6)
    scalars = [Scalar(float(one)) for one in p]
    tensor = Tensor(p)
    loss = binary_cross_entropy(scalars, [float(one) for one in y])
    other = of_tensor_loss(tensor, Tensor(y))
    loss.backward()
    other.backward()
    assert loss.value == pytest.approx(float(other.value), rel=1e-12)
    found = [one.backwards_grad for one in scalars]
    np.testing.assert_allclose(tensor.backwards_grad, found, rtol=1e-10)


OTHERS = [np.full((3, 2), 2.0), np.full((3, 1), 2.0), np.full((1, 2), 2.0), 2.0, 2]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("f", [
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / y,
    lambda x, y: y / x, lambda x, y: x**y,
])  # fmt: skip
def test_operations_of_tensors(f, other):
    x = np.arange(1.0, 7.0).reshape(3, 2)
    a, b = Tensor(x), Tensor(other)
    y = f(a, b)
    np.testing.assert_array_equal(y.value, f(x, np.asarray(other)))
    y.backward()
    expected = pg.grad(lambda x, y: pg.sum(f(x, y)), (0, 1))(x, np.asarray(other, np.float64))
    np.testing.assert_allclose(a.backwards_grad, expected[0], rtol=1e-12)
    np.testing.assert_allclose(b.backwards_grad, expected[1], rtol=1e-12)


def test_a_network_of_tensors():
    rng = np.random.default_rng(1)
    x, A, B = (Tensor(rng.normal(size=shape)) for shape in [(5, 3), (3, 4), (4, 1)])
    y = of_tensors.sigmoid(of_tensors.tanh(x @ A) @ B).reshape(-1).mean()
    y.backward()
    expected = pg.grad(lambda A: pg.mean(pg.sigmoid(pg.tanh(x.value @ A) @ B.value)))(A.value)
    np.testing.assert_allclose(A.backwards_grad, expected, rtol=1e-12)
    before = A.value.copy()
    A.gradient_update(0.5)
    np.testing.assert_allclose(A.value, before - 0.5 * expected)
    assert "<svg" in pg.view.draw(y).svg()


def test_a_function_of_tensors_of_ones_own():
    def pointwise(result, local, prev):
        return result.backwards_grad * local

    x = Tensor(np.array([0.5, -1.0]))
    y = Tensor(x.value**3, prevs=[Edge(x, 3 * x.value**2, pointwise)])
    (y * 2).sum().backward()
    np.testing.assert_allclose(x.backwards_grad, 6 * x.value**2)
    with pytest.raises(pg.errors.GraphError, match="edges written in Python"):
        pg.view.draw(y)


def test_creation_and_text():
    assert repr(Tensor([1, 2])) == "Tensor([1, 2])"
    assert Tensor.ones(2, 3).shape == Tensor.zeros_like(np.ones((2, 3))).shape == (2, 3)
    assert Tensor.from_random(4, lower=5, upper=6).value.min() >= 5
    assert (np.array([1.0, 2.0]) * Tensor([3.0, 4.0])).value.tolist() == [3.0, 8.0]
    assert functional.vanilla.sigmoid_prime(0) == 0.25
    assert functional.numpy.relu_prime(np.array([-1, 2])).tolist() == [0.0, 1.0]


def test_edges_of_tensors():
    x, y = Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[5.0, 6.0], [7.0, 8.0]])
    product, matrix, row = x * y, x @ y, x + Tensor([1.0, 2.0])
    assert [edge.prev for edge in product.prevs] == [x, y]
    np.testing.assert_array_equal(product.prevs[0].local_grad, y.value)
    np.testing.assert_array_equal(product.prevs[1].local_grad, x.value)
    assert matrix.prevs[0].local_grad is None
    assert row.prevs[1].local_grad is None
    for result in (product, matrix, row):
        result.backward()
        for prev, local_grad, gain in result.prevs:
            np.testing.assert_array_equal(gain(result, local_grad, prev), prev.backwards_grad)
    assert x.prevs == []
