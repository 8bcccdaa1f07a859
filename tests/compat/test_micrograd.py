"""micrograd's names: what its README, tests and notebooks write."""

import math
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import palingrad as pg
from palingrad.compat.micrograd import draw_dot, nn, trace
from palingrad.compat.micrograd.engine import Value


def test_the_expression_of_its_readme():
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert f"{a.grad:.4f} {b.grad:.4f}" == "138.8338 645.5773"


def test_text_and_structure():
    a = Value(1)
    b = (a * 2 + 1).relu()
    assert repr(a) == "Value(data=1, grad=0)"
    assert b._op == "ReLU"
    (total,) = b._prev
    assert total._op == "+"
    b.backward()
    assert repr(a) == "Value(data=1, grad=2.0)"
    nodes, edges = trace(b)
    assert (len(nodes), len(edges)) == (6, 5)
    assert (a**2)._op == "**2"


def test_an_operation_of_the_users_own():
    def tanh(self):
        t = math.tanh(self.data)
        out = Value(t, (self,), "tanh")

        def backward():
            self.grad += (1 - t * t) * out.grad

        out._backward = backward
        return out

    x, w = Value(0.5), Value(-2.0)
    z = x * w + x
    y = tanh(z) * x + z
    y.backward()

    def same(x, w):
        return pg.tanh(x * w + x) * x + (x * w + x)

    expected = pg.grad(same, argnums=(0, 1))(np.float64(0.5), np.float64(-2.0))
    assert [x.grad, w.grad] == pytest.approx([float(g) for g in expected], rel=1e-12)


def test_a_perceptron_and_its_operations_one_by_one():
    random.seed(3)
    model = nn.MLP(3, [4, 4, 1])
    assert len(model.parameters()) == 41
    assert repr(model).startswith("MLP of [Layer of [ReLUNeuron(3), ReLUNeuron(3)")
    rows = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0]]
    for _ in range(3):
        scores = [model(row) for row in rows]
        loss = sum((score - y) ** 2 for score, y in zip(scores, (1.0, -1.0, 1.0), strict=True))
        model.zero_grad()
        loss.backward()
        found = [p.grad for p in model.parameters()]
        scores = [model._forward(list(map(Value, row))) for row in rows]
        again = sum((score - y) ** 2 for score, y in zip(scores, (1.0, -1.0, 1.0), strict=True))
        model.zero_grad()
        again.backward()
        assert loss.data == again.data
        assert found == [p.grad for p in model.parameters()]
        for p in model.parameters():
            p.data -= 0.05 * p.grad


def test_a_layer_that_changes_is_recorded_anew():
    layer = nn.Layer(2, 2, nonlin=False)
    before = layer([1.0, 2.0])
    layer.neurons[0].w[0] = Value(100.0)
    layer.neurons[1].nonlin = True
    after = layer([1.0, 2.0])
    assert after[0].data > before[0].data + 90
    assert after[1].data == max(before[1].data, 0.0)


def test_a_neuron_with_a_call_of_its_own():
    class Doubled(nn.Neuron):
        def __call__(self, x):
            return super().__call__(x) * 2

    layer = nn.Layer(2, 2)
    plain = [one.data for one in layer([1.0, 2.0])]
    layer.neurons[0].__class__ = Doubled
    assert [one.data for one in layer([1.0, 2.0])] == [plain[0] * 2, plain[1]]


def test_a_neuron_refuses_another_number_of_inputs():
    with pytest.raises(pg.errors.ShapeError, match="takes 2 numbers, but was given 3"):
        nn.Neuron(2)([1.0, 2.0, 3.0])


def test_draw_dot_writes_a_picture(tmp_path):
    x = Value(1.0)
    x.label = "x"
    y = (x * 2 + 1).relu()
    y.backward()
    path = draw_dot(y).render(tmp_path / "gout")
    assert path.endswith("gout.svg")
    text = Path(path).read_text(encoding="utf-8")
    assert ">x</text>" in text or "x" in text
    with pytest.raises(ValueError, match="rankdir"):
        draw_dot(y, rankdir="up")


def test_a_script_with_the_originals_import_names(tmp_path):
    script = tmp_path / "demo.py"
    script.write_text(
        "import sys\n"
        "from micrograd.engine import Value\n"
        "import micrograd.nn as nn\n"
        "x = Value(3.0); y = x * x; y.backward()\n"
        "print(x.grad, Value.__module__, nn.Value is Value, sys.argv[1:])\n"
    )
    command = [sys.executable, "-m", "palingrad.compat", "micrograd", str(script), "--n", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "6.0 palingrad.compat.micrograd.engine True ['--n', '2']\n"
    command[3:] = ["micrograt", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Did you mean micrograd?" in done.stderr
