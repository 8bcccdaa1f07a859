"""Products by BLAS leave the cores to the native engine's threads where both take turns."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import palingrad as pg
from palingrad.maths import blas

SMALL, MIDDLE, LARGE = ((n, n) for n in (32, 96, 512))


@pytest.fixture
def counts(monkeypatch):
    """The numbers of BLAS's threads during each product; outside of products it has three."""
    libraries = blas._threads.libraries
    assert libraries
    found = []

    def product(x, y):
        found.append({one.num_threads for one in libraries})
        return np.matmul(x, y)

    monkeypatch.setattr(blas, "matrix_product", product)
    monkeypatch.setattr(blas._threads, "left", 0)
    with threadpool_limits(3, user_api="blas"):
        yield found
        assert {one.num_threads for one in libraries} == {3}


def multiply(shape):
    x = np.ones(shape, np.float32)
    return blas.matmul(x, x)


def test_only_products_of_a_middle_size_after_a_parallel_run_take_one_thread(counts):
    multiply(MIDDLE)
    blas.share_cores()
    for shape in (MIDDLE, SMALL, LARGE, MIDDLE):
        multiply(shape)
    assert counts == [{3}, {1}, {3}, {3}, {1}]


def test_matrices_times_vectors_are_as_large_as_the_matrix(counts):
    blas.share_cores()
    for shape in ((96, 64), (128, 65)):
        x = np.ones(shape, np.float32)
        blas.matmul(x, x[0])
        blas.matmul(x[:, 0], x)
    assert counts == [{3}, {3}, {1}, {1}]


def test_after_some_products_without_a_run_blas_has_all_cores_again(counts):
    blas.share_cores()
    for _ in range(70):
        multiply(MIDDLE)
    assert counts == [{1}] * 64 + [{3}] * 6


@pytest.mark.parametrize("threads", [1, 2])
def test_runs_of_several_threads_count_and_those_of_one_do_not(counts, threads):
    before = pg.get_num_threads()
    pg.set_num_threads(threads)
    try:
        compiled = pg.function(lambda x: pg.sum(pg.exp(x) * x, axis=0), engine="native")
        compiled(np.ones((512, 512), np.float32))
    finally:
        pg.set_num_threads(before)
    multiply(MIDDLE)
    assert counts == [{1 if threads == 2 else 3}]


def test_eager_products_are_among_them(counts):
    blas.share_cores()
    x = pg.tensor(np.ones(MIDDLE, np.float32))
    assert (x @ x).shape == MIDDLE
    assert counts == [{1}]


def test_a_product_that_fails_gives_the_threads_back(counts, monkeypatch):
    def refused(x, y):
        raise KeyboardInterrupt

    monkeypatch.setattr(blas, "matrix_product", refused)
    blas.share_cores()
    with pytest.raises(KeyboardInterrupt):
        multiply(MIDDLE)


def test_a_product_of_another_thread_meanwhile_leaves_them_as_they_are(counts, monkeypatch):
    recorded = blas.matrix_product

    def product(x, y):
        monkeypatch.setattr(blas, "matrix_product", recorded)
        other = threading.Thread(target=multiply, args=(MIDDLE,))
        other.start()
        other.join()
        return recorded(x, y)

    monkeypatch.setattr(blas, "matrix_product", product)
    blas.share_cores()
    multiply(MIDDLE)
    assert counts == [{1}, {1}]


def test_another_thread_can_limit_them_afterwards(counts):
    blas.share_cores()
    multiply(MIDDLE)
    found = []

    def limited():
        with threadpool_limits(2, user_api="blas"):
            found.extend(one.num_threads for one in blas._threads.libraries)

    other = threading.Thread(target=limited)
    other.start()
    other.join()
    assert set(found) == {2}


def test_an_interrupt_on_the_way_in_gives_the_threads_back(counts, monkeypatch):
    blas.share_cores()
    (first, *_) = blas._threads.libraries
    found = type(first).set_num_threads

    def interrupted(self, count):
        found(self, count)
        if count == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(first), "set_num_threads", interrupted)
        with pytest.raises(KeyboardInterrupt):
            multiply(MIDDLE)
    multiply(MIDDLE)
    assert counts == [{1}]


def test_a_child_of_a_fork_during_a_product_has_all_threads(counts):
    threads = blas._threads
    assert threads._set.acquire(blocking=False)  # by a thread that isn't in the child
    threads._before = [3 for _ in threads.libraries]
    for one in threads.libraries:
        one.set_num_threads(1)
    threads.after_fork()
    assert {one.num_threads for one in threads.libraries} == {3}
    blas.share_cores()
    multiply(MIDDLE)
    assert counts == [{1}]
