"""The cached reverse passes of eager tapes: the first, second and third `backward()` over tapes of
one structure agree, and tapes that differ in anything that matters don't share a Program."""

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.eager import tapes
from palingrad.errors import GradientError
from palingrad.graph.operation import MultipleOutputs
from palingrad.graph.registry import operations
from palingrad.ops.families import import_families

A = np.array


@pytest.fixture(autouse=True)
def usual_settings() -> Iterator[None]:
    tapes._structures = tapes.ProgramCache(tapes._STRUCTURES)
    tapes._seen.clear()
    yield
    pg.set_default_dtype("float32")
    pg.set_ieee_gradients(False)


def read(node: Any) -> Any:
    """The gradient that `backward()` set."""
    return node.grad.numpy()


def gradient(loss: Callable[[Any], Any], x: Any) -> Any:
    v = pg.Variable(x)
    loss(v).backward()
    return read(v)


def same_three_times(run: Callable[[], Any]) -> list[Any]:
    runs = [run() for _ in range(3)]
    assert len(tapes._structures) > 0  # a Program was made
    for other in runs[1:]:
        for one, two in zip(runs[0], other, strict=True):
            assert one.dtype == two.dtype
            np.testing.assert_allclose(two, one, rtol=1e-12, atol=1e-14)
    return runs[0]


import_families()
SAMPLED = sorted(key for key, one in operations.items() if one.samples and one._shipped)


@pytest.mark.parametrize("key", SAMPLED)
def test_each_operation(key: str) -> None:
    operation = operations[key]
    if "f" not in operation.__dict__ and "expand" not in operation.__dict__:
        return  # a base class
    for sample in operation.samples[:1]:
        values = [np.asarray(x) for x in sample.inputs(np.random.default_rng(0))]

        def run(values: Any = values, attributes: Any = sample.attributes) -> Any:
            leaves = [pg.Variable(x) if x.dtype.kind in "fc" else pg.tensor(x) for x in values]
            inner = [x + 0.0 if x.dtype.kind in "fc" else x for x in leaves]  # pyright: ignore
            y = operation(*inner, **attributes)
            outputs: Any = y.items if isinstance(y, MultipleOutputs) else [y]
            terms = [pg.sum(pg.real(z) * 2.0) for z in outputs if z.dtype.kind in "fc"]
            if not terms:
                return None
            try:
                sum(terms[1:], terms[0]).backward()
            except GradientError:
                return None
            return [read(x) for x in (*leaves, *inner) if x.grad is not None]

        first, second, third = run(), run(), run()
        for later in (second, third):
            if first is None:
                assert later is None
                continue
            for one, two in zip(first, later, strict=True):
                assert one.dtype == two.dtype
                np.testing.assert_allclose(two, one, rtol=1e-6, atol=1e-8)


DIFFERENT: dict[str, tuple[Callable[[Any, Any], Any], Any, list[Any]]] = {
    "axis": (lambda x, k: pg.sum(pg.softmax(x, axis=k) * A([[1.0, 2], [3, 5]])),
             A([[1.0, 2.0], [4.0, 8.0]]), [0, 1]),
    "keepdims": (lambda x, k: pg.sum(x * pg.sum(x, axis=1, keepdims=k)), np.eye(2), [True, False]),
    "exponent": (lambda x, k: pg.sum(x**k), A([0.5, 2.0]), [2, 3, 2.0, 2.5, 1, 0, -1]),
    "sign of zero": (lambda x, k: pg.sum(pg.copysign(x, k)), A([0.5, 2.0]), [0.0, -0.0]),
    "index": (lambda x, k: pg.sum(x[k] ** 2), A([1.0, 2.0, 3.0]), [0, 1, -1, slice(1), [0, 0]]),
    "indices": (lambda x, k: pg.sum(pg.take(x, A(k)) ** 2), A([1.0, 2.0]), [[0, 1], [1, 1]]),
    "mask": (lambda x, k: pg.sum(x[A(k)] ** 2), A([1.0, 2.0]), [[True, False], [False, True]]),
    "where": (lambda x, k: pg.sum(pg.where(A(k), x, 0) ** 2), A([1.0, 2.0]),
              [[True, False], [False, True]]),
    "number": (lambda x, k: pg.sum(x * k + k * x * x), A([1.0, 2.0]), [1, True, 1.5, 2, -1]),
    "edges": (lambda x, k: pg.sum((x + 1) * (x if k else x * x)), A([1.0, 2.0]), [0, 1]),
}  # fmt: skip


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_tells_structures_apart(what: str) -> None:
    loss, x, options = DIFFERENT[what]
    expected = [pg.grad(lambda x, k=k: loss(x, k))(x) for k in options]
    for _ in range(3):
        for k, right in zip(options, expected, strict=True):
            np.testing.assert_allclose(gradient(lambda v, k=k: loss(v, k), x), right)


def test_shapes_and_dtypes() -> None:
    for _ in range(3):
        for shape in ((2,), (1, 2), (2, 2), ()):
            for dtype in (np.float32, np.float64, np.float16):
                g = gradient(lambda v: pg.sum(v * v), np.full(shape, 3, dtype))
                assert (g.dtype, g.shape) == (dtype, shape)
                assert np.all(g == 6)


@pytest.mark.parametrize(("loss", "x", "right"), [
    (lambda v: pg.sum(pg.log(pg.softmax(v))), A([0.0, -2000.0, 0.0]), [-0.5, 1.0, -0.5]),
    (lambda v: pg.sum(pg.log(pg.sigmoid(v))), A([-2000.0]), [1.0]),
    (lambda v: pg.log(pg.sum(pg.exp(v))), A([-2000.0, -2000.0]), [0.5, 0.5]),
    (lambda v: pg.sqrt(pg.sum(v * v)) ** 2, A([0.0, 0.0]), [0.0, 0.0]),
])  # fmt: skip
@pytest.mark.parametrize("make", [pg.Variable, pg.tensor])
def test_leaves_are_differentiated_in_the_stable_form(
    loss: Any, x: Any, right: Any, make: Any
) -> None:
    for number in range(4):
        v = make(x)
        loss(v).backward(create_graph=number == 3)
        np.testing.assert_allclose(v.grad.numpy(), right)
    with pg.Graph() as g:
        v = make(x)
        loss(v).backward()
    np.testing.assert_allclose(pg.Session(g).run(v.grad), right)


def test_settings_between() -> None:
    def root(v: Any) -> Any:
        return pg.sum(pg.where(v > 0, pg.sqrt(v), 0))

    for number in range(6):
        pg.set_ieee_gradients(number % 2 == 1)
        assert np.isnan(gradient(root, A([0.0, 1.0]))[0]) == (number % 2 == 1)
        pg.set_default_dtype("float64" if number % 2 else "float32")
        g = gradient(lambda v: pg.sum(v * pg.sqrt(pg.tensor(2))), np.ones(1))
        assert (abs(g[0] - 2**0.5) < 1e-12) == (number % 2 == 1)


def test_settings_between_backward_and_reading() -> None:
    for _ in range(4):
        v = pg.Variable(A([0.0, 1.0]))
        h = v * 1.0
        pg.sum(pg.where(h > 0, pg.sqrt(h), 0)).backward()
        pg.set_ieee_gradients(True)
        assert read(h).tolist() == [0.0, 0.5]
        pg.set_ieee_gradients(False)


def test_a_variable_assigned_before_a_gradient_is_read() -> None:
    def run() -> list[Any]:
        v = pg.Variable(A([3.0, 4.0]))
        h = v * v
        pg.sum(h * v).backward()
        v.assign(A([1.0, 1.0]))
        return [read(v), read(h)]

    cubic, square = same_three_times(run)
    assert square.tolist() == [3, 4]
    assert cubic.tolist() == [27, 48]


def update(v: Any) -> None:
    step = pg.function(lambda: v.assign(v * 0.5))
    for _ in range(3):
        step()


@pytest.mark.parametrize("change", [lambda v: v.assign(A([1.0, 1.0])), update])
@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_a_variable_assigned_between_forward_and_backward(change: Any, engine: str) -> None:
    pg.set_engine(engine)
    try:
        for _ in range(3):
            v = pg.Variable(A([3.0, 4.0]), name="v")
            y = pg.sum(v * v * v)
            change(v)
            for differentiate in (y.backward, lambda y=y, v=v: pg.gradients(y, v)):
                with pytest.raises(GradientError, match=r"'v' was assigned after .* was computed"):
                    differentiate()
            pg.sum(v * v * v).backward()  # computed anew
            np.testing.assert_allclose(read(v), 3 * v.numpy() ** 2)
    finally:
        pg.set_engine(None)


def test_values_that_derivatives_dont_need_may_change() -> None:
    for _ in range(3):
        v, target = pg.Variable(A([3.0, 4.0])), pg.Variable(A([1.0, 1.0]))
        y = pg.sum((v - target) ** 2 + pg.stop_gradient(target) * v + pg.exp(target) + 2 * target)
        target.assign(A([7.0, 7.0]))
        y.backward()
        assert read(v).tolist() == [5.0, 7.0]
        np.testing.assert_allclose(read(target), np.exp(1) + 2 - 2 * A([2.0, 3.0]))


def test_a_stable_form_isnt_computed_from_a_changed_variable() -> None:
    for _ in range(3):
        v = pg.Variable(A([1.0, 2.0]))
        y = pg.log(pg.softmax(v))[0]
        v.assign(A([5.0, 1.0]))
        with pytest.raises(GradientError, match="was assigned after softmax was computed"):
            y.backward()


def test_a_tape_that_dies_before_a_gradient_is_read() -> None:
    def run() -> list[Any]:
        v = pg.Variable(A(3.0))
        h = v * 2.0
        pg.exp(h).backward()
        gc.collect()
        return [read(h), read(v)]

    h, v = same_three_times(run)
    np.testing.assert_allclose([h, v], [np.exp(6.0), 2 * np.exp(6.0)])


def test_shared_nodes_several_outputs_and_what_is_not_reached() -> None:
    def run() -> list[Any]:
        v, w = pg.Variable(np.arange(6.0)), pg.Variable(A(2.0))
        a, b, c = pg.split(v, 3)
        largest, _ = pg.top_k(a + c, 1)
        y = pg.sum(a * b * a + pg.stop_gradient(w) * c) + pg.sum(largest) + pg.sum(v * v)
        y.backward()
        return [read(x) for x in (v, w, a, b, c, largest, y)]

    v, w, *_ = same_three_times(run)
    assert w == 0

    def plain(v: Any) -> Any:
        a, b, c = v[:2], v[2:4], v[4:]
        return pg.sum(a * a * b + 2.0 * c) + (a + c)[1] + pg.sum(v * v)

    np.testing.assert_allclose(v, pg.grad(plain)(np.arange(6.0)))


def test_two_results_of_one_tape() -> None:
    def run() -> list[Any]:
        v = pg.Variable(A(3.0))
        h = v * 2.0
        first, second = h * h, h * 3.0
        first.backward()
        found = [read(v)]
        second.backward()  # before the first gradient of h was read
        return [*found, read(v), read(h), read(first)]

    assert [float(x) for x in same_three_times(run)] == [24, 6, 3, 1]


def test_operations_of_the_user_and_given_cotangents_take_the_general_path() -> None:
    class Cubed(pg.Elementwise):
        def f(m, x):
            return x * x * x

        def d(y, x):
            return [3 * x * x]

    for x in (2.0, 3.0, 4.0):
        assert gradient(lambda v: Cubed(v) * 1.0, A(x)) == 3 * x * x
        v = pg.Variable(A([x, 1.0]))
        (v * v).backward(A([1.0, 5.0]))
        assert read(v).tolist() == [2 * x, 10.0]


def test_in_several_threads() -> None:
    def work(number: int) -> bool:
        v = pg.Variable(np.full(3, float(number)))
        h = v * v
        pg.sum(h * v).backward()
        right = read(v) == 3.0 * number**2
        with ThreadPoolExecutor(2) as inner:
            for g in inner.map(read, [h, h]):
                right = right & (g == number)
        return bool(right.all())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(60)))
