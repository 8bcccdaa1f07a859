"""The short path of eager operations: quiet in all threads, the user's line, attributes as made."""

import contextvars
import inspect
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.graph.context import quiet_run
from palingrad.maths import numpy_maths


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def origin_of(node: Any) -> tuple[str, int]:
    return node.origin.file, node.origin.line


def test_each_of_two_functions_in_turn_is_the_origin_of_its_nodes() -> None:
    x = pg.tensor([1.0, 2.0])

    def double() -> tuple[Any, int]:
        return x + x, line()

    def square() -> tuple[Any, int]:
        return pg.exp(x), line()

    def total() -> tuple[Any, int]:
        return pg.sum(x), line()

    for function in (double, square, total, double, total, square):
        node, number = function()
        assert origin_of(node) == (__file__, number)


@pytest.mark.parametrize("called", [np.exp, np.sum, lambda x: np.add(x, x)])
def test_the_origin_of_what_the_library_builds_is_the_users_line(called: Any) -> None:
    """NumPy calls a method of the node's, which calls the function."""
    x = pg.tensor([1.0, 2.0])
    for _ in range(2):
        _ = x + x  # the code that made a node last is this function
        found = called(x)
        assert found.origin.file == __file__


def test_a_thread_in_a_copy_of_the_context_computes_quietly() -> None:
    """It has the other thread's `run`, also while that is in use."""
    x, big = pg.tensor([0.0, 1.0]), np.float32(3e38)
    _ = x / x  # now the context has a `run`
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        assert done.wait(60)

    def overflow() -> Any:
        assert inside.wait(60)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return (x * big * big).numpy(), (x / x).numpy()
        finally:
            done.set()

    copy = contextvars.copy_context()
    with ThreadPoolExecutor(1) as threads:
        found = threads.submit(copy.run, overflow)
        quiet_run()(hold)
        product, ratio = found.result()
    np.testing.assert_array_equal(product, np.array([0, np.inf], np.float32))
    np.testing.assert_array_equal(ratio, np.array([np.nan, 1], np.float32))


def test_attributes_are_those_of_the_constructor() -> None:
    x = pg.tensor([[1.0, 2.0], [3.0, 4.0]])
    total = pg.sum(x, axis=1, keepdims=True)
    assert (total.axis, total.keepdims) == (1, True)  # pyright: ignore[reportAttributeAccessIssue]
    assert dict(total.attributes) == {"axis": 1, "keepdims": True}  # pyright: ignore[reportAttributeAccessIssue]
    flat = pg.reshape(x, (4,))  # whose attribute `shape` is behind the property of nodes
    assert flat.shape == (4,)
    assert dict(flat.attributes) == {"shape": (4,)}  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3, (0, -1)])
def test_expand_dims_is_that_of_numpy(axis: Any) -> None:
    x = np.arange(6.0).reshape(2, 3).T
    found = numpy_maths.expand_dims(x, axis)
    assert found.shape == np.expand_dims(x, axis).shape
    assert np.shares_memory(found, x)
    np.testing.assert_array_equal(found, np.expand_dims(x, axis))


@pytest.mark.parametrize("axis", [3, -4])
def test_expand_dims_refuses_other_axes(axis: int) -> None:
    with pytest.raises(np.exceptions.AxisError):
        numpy_maths.expand_dims(np.zeros((2, 3)), axis)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_absorbing_product_of_numbers(bad: float) -> None:
    zero, one = np.zeros((), np.float32), np.ones((), np.float32)
    wrong = np.array(bad, np.float32)
    with np.errstate(invalid="ignore"):
        assert numpy_maths.absorbing_product(zero, wrong) == 0
        found = numpy_maths.absorbing_product(one, wrong)
    np.testing.assert_array_equal(found, wrong)
    assert found.dtype == np.float32
