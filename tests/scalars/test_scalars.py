"""Scalars: values as Python's floats compute them, gradients as pg.grad and differences do."""

import gc
import math
import random
import threading
import weakref

import numpy as np
import pytest

import palingrad as pg
from palingrad.compat.micrograd.engine import Value
from palingrad.scalars import Scalar
from palingrad.scalars.block import Template


class Plain:
    """What micrograd does, number by number: the values and gradients to compare with."""

    def __init__(self, data, inputs=(), pull=lambda grad: ()):
        self.data, self.inputs, self.pull, self.grad = data, inputs, pull, 0.0

    def __add__(self, other):
        return Plain(self.data + other.data, (self, other), lambda g: (g, g))

    def __mul__(self, other):
        a, b = self.data, other.data
        return Plain(a * b, (self, other), lambda g: (g * b, g * a))

    def __pow__(self, n):
        a = self.data
        return Plain(a * a if n == 2 else a**n, (self,), lambda g: (g * n * a ** (n - 1),))

    def relu(self):
        on = self.data > 0
        return Plain(self.data if on else 0.0, (self,), lambda g: (g if on else 0.0,))

    def backward(self):
        order = pg.postorder(self, inputs=lambda one: one.inputs)
        for one in order:
            one.grad = 0.0
        self.grad = 1.0
        for one in reversed(order):
            for x, gradient in zip(one.inputs, one.pull(one.grad), strict=True):
                x.grad += gradient


def written(kind, seed, *, length=60):
    """Random operations of a class of scalars, in which most numbers are used several times."""
    choose = random.Random(seed)
    leaves = [kind(choose.uniform(-1.5, 1.5)) for _ in range(5)]
    made = list(leaves)
    for _ in range(length):
        a, b = choose.choice(made[-12:]), choose.choice(made)
        what = choose.choice(["+", "+", "*", "relu", "**2", "sum"])
        if what == "+":
            made.append(a + b)
        elif what == "*":
            made.append(a * b * kind(0.5))
        elif what == "relu":
            made.append(a.relu())
        elif what == "**2":
            made.append((a * kind(0.3)) ** 2)
        else:
            total = kind(0.0)
            for one in made[-7:]:
                total = total + one * kind(0.1)
            made.append(total)
    return leaves, made


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_have_the_numbers_and_gradients_of_plain_python(seed):
    _, made = written(Value, seed)
    _, expected = written(Plain, seed)
    made[-1].backward()
    expected[-1].backward()
    assert [one.data for one in made] == [one.data for one in expected]
    found = [one.grad for one in made]
    np.testing.assert_allclose(found, [one.grad for one in expected], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_reading_numbers_on_the_way_changes_nothing(seed):
    leaves, made = written(Value, seed)
    made[-1].backward()

    class Read(Value):
        def combined(self, code, other):
            result = super().combined(code, other)
            result.data  # noqa: B018
            return result

    again_leaves, again = written(Read, seed)
    again[-1].backward()
    assert [x.data for x in made] == [x.data for x in again]
    for one, other in zip(leaves, again_leaves, strict=True):
        assert one.grad == pytest.approx(other.grad, rel=1e-12, abs=1e-12)


def test_a_number_that_changes_later_leaves_what_was_written_before():
    a, b = Value(2.0), Value(3.0)
    c = a * b
    a.data = 10.0
    d = a * b
    assert (c.data, d.data) == (6.0, 30.0)
    c.backward()
    assert b.grad == 2.0


def test_gradients_add_up_until_they_are_set_to_zero():
    a = Value(3.0)
    (a * a).backward()
    (a * 2).backward()
    assert a.grad == 8.0
    a.grad = 0
    (a * 2).backward()
    assert a.grad == 2.0


def test_a_long_sum():
    a, total = Value(1.0), Value(0.0)
    for _ in range(20_000):
        total = total + a
    total.backward()
    assert (total.data, a.grad) == (20_000.0, 20_000.0)


def test_a_long_chain_of_mixed_operations():
    a, x = Value(0.999), Value(1.0)
    for _ in range(500):
        x = x * a + 0.001
    x.backward()
    expected, slope = 1.0, 0.0
    for _ in range(500):
        expected, slope = expected * 0.999 + 0.001, slope * 0.999 + expected
    assert x.data == expected
    assert a.grad == pytest.approx(slope, rel=1e-12)


def test_special_numbers_pass():
    a, b = Value(math.inf), Value(math.nan)
    assert (a + 1).data == math.inf
    assert math.isnan((a * 0).data)
    assert math.isnan((b + 1).data)


@pytest.mark.parametrize("data", ["2", None, 1j, [1.0], pg.tensor(2.0)])
def test_what_is_no_real_number_is_refused(data):
    with pytest.raises(pg.errors.DTypeError, match="isn't a real number"):
        Scalar(data)


def test_threads_record_their_own_numbers():
    shared, found = Value(2.0), {}

    def work(number):
        total = Value(0.0)
        for _ in range(200):
            total = total + shared * number
        found[number] = total.data

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: 400.0 * n for n in range(1, 5)}


def test_a_graph_is_freed_with_its_last_number():
    a = Value(1.5)
    c = a * 2 + 1
    c.backward()
    gone = weakref.ref(c)
    gc.disable()
    try:
        del c
        assert gone() is None
    finally:
        gc.enable()


def test_nodes_of_a_scalar_have_its_numbers():
    a, b = Value(2.0), Value(-1.0)
    node = ((a * b + 3) ** 2).relu().__palingrad_node__
    assert node.value == 1.0
    assert "relu" in str(pg.latex((a * b).relu())).lower()


def test_a_template_makes_the_scalars_that_its_function_makes():
    w = [Value(0.5), Value(-0.25)]

    def f(x):
        hidden = (w[0] * x[0] + w[1] * x[1]).relu()
        return [hidden, hidden * x[0]]

    inputs = [Value(3.0), Value(2.0)]
    template = Template(f, inputs)
    one, other = template(inputs)
    expected = f(inputs)
    assert [one.data, other.data] == [x.data for x in expected]
    assert other.operands == (one, inputs[0])
    assert one.operands[0].operands[0].operands == (w[0], inputs[0])
    other.backward()
    assert w[0].grad == 9.0
