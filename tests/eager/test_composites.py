"""Eager composites computed by kept steps: the second and third call return the bits of the first,
and composites that differ in anything that matters don't share steps."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.eager import composites
from palingrad.errors import ShapeError
from palingrad.graph.kinds import Composite
from palingrad.graph.registry import operations
from palingrad.ops.families import import_families

import_families()
SAMPLED = sorted(
    key
    for key, one in operations.items()
    if issubclass(one, Composite) and one.samples and one._shipped
    if one.expand is not Composite.expand
)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    composites._expansions.clear()
    composites._seen.clear()
    yield
    pg.set_default_dtype("float32")


def same(one: Any, two: Any) -> None:
    assert (one.dtype, one.shape) == (two.dtype, two.shape)
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("key", SAMPLED)
def test_all_calls_return_the_bits_of_the_first(key: str) -> None:
    for sample in operations[key].samples:
        values = [np.asarray(x) for x in sample.inputs(np.random.default_rng(0))]
        for dtype in (np.float32, np.float64):
            arrays = [x.astype(dtype) if x.dtype.kind == "f" else x for x in values]
            calls = [operations[key](*arrays, **sample.attributes) for _ in range(3)]
            for call in calls[1:]:
                same(call.numpy(), calls[0].numpy())
                assert not call.numpy().flags.writeable


def test_most_are_computed_by_kept_steps() -> None:
    for key in SAMPLED:
        sample = operations[key].samples[0]
        values = sample.inputs(np.random.default_rng(0))
        for _ in range(2):
            operations[key](*values, **sample.attributes)
    kept = [expansion.run is not None for expansion in composites._expansions.values()]
    assert sum(kept) > 0.8 * len(kept) > 0.8 * 0.8 * len(SAMPLED)


def test_what_tells_composites_apart() -> None:
    x = np.array([[1.0, 5.0], [2.0, -3.0]])
    for _ in range(3):
        np.testing.assert_allclose(pg.softmax(x, axis=0).numpy().sum(0), 1)
        np.testing.assert_allclose(pg.softmax(x, axis=1).numpy().sum(1), 1)
        assert pg.softmax(x.astype(np.float16)).dtype == np.float16
        assert pg.mean(x, keepdims=True).shape == (1, 1)
        assert pg.mean(x).shape == ()


def test_the_default_dtype_between() -> None:
    for number in range(6):
        dtype = "float64" if number % 2 else "float32"
        pg.set_default_dtype(dtype)
        assert pg.softmax(np.array([1, 2])).dtype == dtype


def test_values_share_no_memory_with_inputs() -> None:
    x = np.array([[3.0]])
    for _ in range(3):
        node = pg.tensor(x)
        assert not np.shares_memory(pg.flatten(node).numpy(), x)


def test_gradients_after_a_call_by_kept_steps() -> None:
    x = pg.Variable(np.array([[1.0, 2.0], [0.5, -1.0]]))
    for _ in range(3):
        y = pg.layer_norm(x, np.ones(2), np.zeros(2))
        pg.sum(y * np.array([[1.0, 0.0], [0.0, 1.0]])).backward(create_graph=True)
        first = x.grad
        assert first is not None
        pg.sum(first * first).backward()
    pg.check_gradients(lambda v: pg.sum(pg.softmax(v) ** 2), x.numpy())


def test_wrong_inputs_raise_the_same_error_each_time() -> None:
    for _ in range(4):
        with pytest.raises(ShapeError, match="labels 0 … 7 for 2 classes"):
            pg.cross_entropy(np.zeros((2, 2)), np.array([0, 7]))


def test_composites_of_the_user_expand_each_time() -> None:
    calls: list[int] = []

    class Doubled(pg.Composite):
        def expand(y, x):
            calls.append(1)
            return x + x

    for number in range(3):
        assert Doubled(np.array(3.0 + number)).item() == 6 + 2 * number
    assert len(calls) == 3


def test_an_observer_sees_the_same_as_before() -> None:
    with pg.Graph():
        x = pg.placeholder((2,))
        y = pg.softmax(x)
    for _ in range(3):
        pg.softmax(np.array([1.0, 2.0]))
        found = pg.Session(y.graph).run(y, {x: [1.0, 2.0]})
        np.testing.assert_allclose(found, [0.2689414, 0.7310586], rtol=1e-6)


def test_in_several_threads() -> None:
    def work(number: int) -> bool:
        x = np.array([float(number), 0.0])
        return bool(abs(pg.softmax(x).numpy()[1] - 1 / (1 + np.exp(number))) < 1e-12)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(60)))
