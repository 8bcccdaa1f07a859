"""Operations of one's own: elementwise, composite, opaque, with several outputs."""

from __future__ import annotations

import gc
import re
import weakref
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad import proof
from palingrad.errors import DTypeError, GradientError, GraphError, ShapeError
from palingrad.graph.operation import MultipleOutputs
from palingrad.graph.registry import name_of, operations, ops, register
from tolerances import assert_close, assert_same


class Wave(pg.Elementwise):
    """y = a·sin(x)."""

    floats = True
    samples = [pg.case((3, 4), a=2.0), pg.edge(0.0, np.inf, np.nan, a=0.5)]

    def f(m, x, *, a):
        return a * m.sin(x)

    def d(y, x):
        return [y.a * pg.cos(x)]


class Distance(pg.Composite):
    """z = √Σ(x − y)²."""

    samples = [pg.case((3,), (3,)), pg.case((2, 3), (3,))]

    def expand(z, x, y):
        return pg.sqrt(pg.sum(pg.square(x - y)))


class Sorted(pg.Custom):
    """y = x in order, by NumPy; counts how often it is computed."""

    samples = [pg.case(np.array([0.3, -1.0, 2.0, 0.7]))]
    count = 0

    def compute(self, x):
        type(self).count += 1
        return np.sort(x)

    def vjp(y, g, x):
        order = np.argsort(np.argsort(x.numpy())) if x.value is not None else Ranks(x)
        return [Chosen(g, order)]


class Ranks(pg.Custom):
    def compute(self, x):
        return np.argsort(np.argsort(x))

    def dtype_rule(self, *dtypes):
        return pg.int64


class Chosen(pg.Custom):
    def compute(self, x, order):
        return x[order]

    def vjp(y, g, x, order):
        return [Scattered(g, order), None]


class Scattered(pg.Custom):
    def compute(self, x, order):
        result = np.zeros_like(x)
        result[order] = x
        return result

    def vjp(y, g, x, order):
        return [Chosen(g, order), None]


class Together(pg.Custom):
    """z = 2(x + y), whose rule sends one and the same node to both inputs."""

    samples = [pg.case((3,), (3,))]

    def compute(self, x, y):
        return x + y + x + y

    def vjp(z, g, x, y):
        both = 2 * g
        return [both, both]


class SumAndProduct(MultipleOutputs):
    """x + y and x·y at once."""

    samples = [pg.case((3,), (3,)), pg.case((), ())]

    def f(m, x, y):
        return x + y, x * y

    @property
    def count(self) -> int:
        return 2

    def shape_rule(self, *shapes):
        return shapes[0], shapes[0]

    def dtype_rule(self, *dtypes):
        return dtypes[0], dtypes[0]

    def vjp(z, g, x, y):
        of_sum, of_product = g
        return [of_sum + of_product * y, of_sum + of_product * x]


@pytest.mark.tiny
@pytest.mark.parametrize("operation", [Wave, Distance, Sorted, Together, SumAndProduct])
def test_an_operation_of_ones_own_passes_the_battery(operation):
    proof.prove(operation)


def test_an_elementwise_operation_is_a_function_with_unary_and_binary():
    class Twice(pg.Elementwise):
        """y = 2x."""

        def f(m, x):
            return 2 * x

        def d(y, x):
            return [2]

    twice = pg.unary(Twice, name="twice_of_mine")
    assert twice(3.0).item() == 6.0
    assert twice(3.0, name="six").name == "six"
    assert (twice.__name__, twice.__doc__) == ("twice_of_mine", "y = 2x.")
    assert pg.grad(lambda x: twice(x))(np.array(1.0)) == 2.0


def test_attributes_are_seen_by_rules_and_kept_when_rebuilt():
    y = Wave(np.array([1.0, 2.0]), a=3.0)
    assert dict(y.attributes) == {"a": 3.0}
    assert y.a == 3.0  # pyright: ignore[reportAttributeAccessIssue]
    assert_close(y.numpy(), 3 * np.sin([1.0, 2.0]))
    assert_close(y.rebuild([np.array([0.5])]).numpy(), 3 * np.sin([0.5]))


def test_custom_code_gets_read_only_arrays_and_what_it_returns_is_sealed():
    given = []

    class Peek(pg.Custom):
        def compute(self, x):
            given.append(x)
            return x

    fed = np.ones(3)
    with pg.Graph() as graph:
        x = pg.placeholder((3,), dtype=pg.float64)
        y = Peek(x)
    result = pg.Session(graph).run(y, {x: fed})
    assert not given[0].flags.writeable
    assert fed.flags.writeable
    assert not np.shares_memory(result, fed)


def test_an_error_in_custom_code_says_where_it_was_used():
    class Broken(pg.Custom):
        def compute(self, x):
            raise KeyError("inside")

    for run in (
        lambda: Broken(np.ones(2)),
        lambda: pg.function(lambda x: Broken(x))(np.ones(2)),
    ):
        with pytest.raises(KeyError, match="inside") as caught:
            run()
        note = "in broken: x (2,) float64 (built at test_operation.py:"
        assert any(one.startswith(note) for one in caught.value.__notes__)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (dict(), "an operation needs f(m, x), compute(self, x) or expand(y, x)"),
        (dict(f=lambda m, x: x), "Unfinished needs shape_rule"),
    ],
)
def test_a_missing_rule_is_named(rules, message):
    unfinished: Any = type("Unfinished", (pg.Operation,), rules)
    with pg.Graph(), pytest.raises(NotImplementedError, match="needs shape_rule"):
        unfinished(1.0)
    if not rules:
        with pytest.raises(NotImplementedError, match=re.escape("needs")):
            unfinished(1.0)


def test_an_operation_without_a_derivative_says_so():
    class Opaque(pg.Custom):
        def compute(self, x):
            return x

    x = pg.Variable(1.0)
    with pytest.raises(GradientError, match=r"opaque has no derivative \(built at test_operation"):
        pg.gradients(Opaque(x), x)


def test_a_vjp_of_the_wrong_number_or_shape_says_so():
    class Few(pg.Elementwise):
        def f(m, x, y):
            return x * y

        def vjp(z, g, x, y):
            return [g * y]

    class Odd(pg.Elementwise):
        def f(m, x):
            return x

        def vjp(y, g, x):
            return [pg.concat([g, g])]

    x = pg.Variable([1.0, 2.0])
    with pytest.raises(GradientError, match="few: vjp returned 1 gradients for 2 inputs"):
        pg.gradients(pg.sum(Few(x, x)), x)
    with pytest.raises(
        GradientError, match=r"odd: a gradient has shape \(4,\) for a node of shape \(2,\)"
    ):
        pg.gradients(pg.sum(Odd(x)), x)


def test_outputs_are_items_of_one_node():
    node = SumAndProduct(2.0, 3.0)
    total, product = node.items
    assert (total.item(), product.item()) == (5.0, 6.0)
    assert node.items is node.items
    assert (node.shape, node.dtype) == (((), ()), (pg.float32, pg.float32))
    with pytest.raises(GradientError, match="has several outputs; differentiate one of them"):
        pg.gradients(node, total)


def test_a_rule_that_is_given_what_it_can_not_take_names_inputs_and_place():
    with pytest.raises(ShapeError) as caught:
        pg.matmul(np.ones((2, 3)), np.ones((4, 5)))
    assert str(caught.value).startswith("matmul: inner sizes 3 and 4 differ: x (2, 3) float64 @ ")
    assert caught.value.fact.startswith("matmul: ")
    with pytest.raises(DTypeError, match="wave: expected numbers, got str"):
        Wave("text", a=1.0)


def test_samples_draw_from_their_range_and_read_well():
    sample = pg.case((2, 3), np.array([1]), low=5.0, high=6.0, axis=0)
    x, y = sample.inputs(np.random.default_rng(0))
    assert x.shape == (2, 3)
    assert x.min() >= 5
    assert x.max() < 6
    assert_same(y, np.array([1]))
    assert (sample.text, sample.smooth) == ("case((2, 3), array(1,)) axis=0", True)
    grid = pg.edge(0.0, 1.0, inputs=2).inputs(np.random.default_rng(0))
    assert_same(np.stack(grid), np.array([[0.0, 0, 1, 1], [0, 1, 0, 1]]))


class Exp(pg.Elementwise):
    """y = 3x, called like one of the library's own."""

    math = r"3{x}"

    def f(m, x):
        return 3 * x

    def d(y, x):
        return [3]


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_an_operation_called_like_one_of_the_library_changes_nothing_else(engine):
    x = np.array([0.5, -1.0, 2.0])
    softmax = np.exp(x) / np.exp(x).sum()
    exp = pg.unary(Exp)
    both = pg.function(lambda x: (exp(x), pg.exp(x), pg.softmax(x)), engine=engine)
    for found, expected in zip(both(x), (3 * x, np.exp(x), softmax), strict=True):
        assert_close(found, expected)
    slope = pg.grad(lambda x: pg.sum(exp(x) * pg.exp(x)))
    assert_close(slope(x), 3 * (1 + x) * np.exp(x))


def test_what_the_library_calls_is_never_replaced():
    library = ops.exp
    assert library is pg.exp
    with pytest.raises(GraphError, match=r"call its function 'exp'.*another name="):
        register(pg.unary(Exp))
    assert ops.exp is library


def test_a_class_that_is_defined_again_is_the_newer_one_and_lets_go_of_the_older():
    def defined(factor):
        class Again(pg.Elementwise):
            def f(m, x):
                return factor * x

        return Again

    first, second = defined(2), defined(3)
    x = np.ones(3)
    for one, expected in ((first, 2.0), (second, 3.0)):
        assert_close(pg.function(pg.unary(one), engine="numpy")(x), np.full(3, expected))
    assert operations[name_of(second)] is second
    gone = weakref.ref(first)
    del first
    gc.collect()
    assert gone() is None
    assert operations[name_of(second)] is second


# -------------------------------------------------------------------------------- clones


@pytest.mark.tiny
def test_a_clone_is_the_same_operation_and_nobody_knows_it():
    with pg.Graph() as graph:
        x = pg.placeholder((3,), dtype=pg.float64, name="x")
        y: Any = pg.sum(x, keepdims=True, name="total")
    other = pg.tensor(np.ones(3))
    made = y.clone([other])
    assert (type(made), made.attributes, made.name) == (type(y), y.attributes, "total")
    assert (made.shape, made.dtype, made.origin) == ((1,), pg.float64, y.origin)
    assert (made.inputs, made.value, made.graph, other.consumers) == ((other,), None, None, ())
    assert made not in graph
    assert made._serial > other._serial
    assert_same(y.clone([other], value=np.array([3.0])).numpy(), np.array([3.0]))


@pytest.mark.tiny
def test_a_clone_has_items_expansion_and_gradients_of_its_own():
    x, z = pg.tensor([1.0, 2.0]), pg.tensor([3.0, 4.0])
    halves: Any = pg.split(x, 2)[0].inputs[0]
    assert halves.clone([z]).items[0].inputs[0] is not halves
    y: Any = pg.softmax(x)
    pg.sum(y).backward()
    made = y.clone([z], value=y.numpy())
    assert made.grad is None
    assert z in pg.postorder(made.expansion)


@pytest.mark.tiny
def test_a_clone_takes_along_what_compute_noted_on_the_node():
    y: Any = Sorted(pg.tensor([2.0, 1.0]))
    y.noted = "for vjp"
    assert y.clone(y.inputs).noted == "for vjp"
