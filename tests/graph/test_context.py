"""What is open belongs to one asyncio task in one thread."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from coroutines import completed
from palingrad.graph.context import context, graph_scope, opened
from palingrad.graph.state.observe import Observer, observed


def test_two_tasks_build_a_graph_each():
    async def build(number: int) -> pg.Graph:
        with pg.Graph() as graph, pg.name_scope(f"task{number}"):
            x = pg.placeholder(name="x")
            for _ in range(5):
                await asyncio.sleep(0)
                x = x + number
        assert pg.get_default_graph() is None
        return graph

    async def both() -> list[pg.Graph]:
        return list(await asyncio.gather(build(1), build(2)))

    for number, graph in enumerate(completed(both()), 1):
        assert len(graph.operations) == 5
        assert all(node.name.startswith(f"task{number}/") for node in graph.nodes)


def test_two_tasks_that_open_a_graph_by_default():
    async def build(graph: pg.Graph) -> None:
        with graph.as_default():
            await asyncio.sleep(0)
            assert pg.get_default_graph() is graph
            await asyncio.sleep(0)
        assert pg.get_default_graph() is None

    async def both() -> None:
        await asyncio.gather(build(pg.Graph()), build(pg.Graph()))

    completed(both())


def test_one_task_is_eager_while_another_has_a_graph_open():
    async def deferred() -> None:
        with pg.Graph():
            for _ in range(3):
                await asyncio.sleep(0)
                assert (pg.Variable(1.0) + 1).value is None

    async def eager() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            assert float(pg.Variable(1.0) + 1) == 2.0

    async def both() -> None:
        await asyncio.gather(deferred(), eager())

    completed(both())


def test_a_task_records_only_itself():
    mine, other = pg.Variable(1.0), pg.Variable(1.0)

    async def record() -> int:
        with pg.record() as tape:
            for _ in range(3):
                await asyncio.sleep(0)
                (mine * 2.0).backward()
                mine.assign(mine + 1.0)
        return len(tape)

    async def unrecorded() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            (other * 2.0).backward()
            other.assign(other + 1.0)

    async def both() -> Any:
        return (await asyncio.gather(record(), unrecorded()))[0]

    assert completed(both()) == 3


def test_modules_of_two_tasks_have_their_own_names():
    class Slow(pg.nn.Module):
        def __init__(self) -> None:
            self.inner = pg.nn.ReLU()

        def forward(self, x: Any, *, training: bool) -> Any:
            return self.inner(x)

    async def name() -> str:
        with pg.Graph():
            await asyncio.sleep(0)
            return Slow()(pg.placeholder((2,), dtype=pg.float32)).name

    async def both() -> list[str]:
        return list(await asyncio.gather(name(), name()))

    assert len(set(completed(both()))) == 1


def test_a_graph_opened_for_good_stays_open_in_contexts_that_are_made_later():
    """A notebook may run each cell in a context of its own."""
    graph = pg.Graph()
    cell = contextvars.copy_context
    cell().run(graph.as_default)
    try:
        assert cell().run(pg.get_default_graph) is graph
        cell().run(pg.placeholder, name="x")
        assert "x" in graph
        seen: list[Any] = []
        thread = threading.Thread(target=lambda: seen.append(pg.get_default_graph()))
        thread.start()
        thread.join()
        assert seen == [None]
        with graph_scope(None):
            assert pg.get_default_graph() is None
    finally:
        cell().run(pg.reset_default_graph)
    assert cell().run(pg.get_default_graph) is None


def test_a_thread_that_inherits_a_context_starts_with_nothing_open():
    """Free-threaded Python 3.14 gives each new thread a copy of its creator's context."""
    seen: list[Any] = []
    with pg.Graph():
        inherited = contextvars.copy_context()
        thread = threading.Thread(target=lambda: seen.append(inherited.run(pg.get_default_graph)))
        thread.start()
        thread.join()
    assert seen == [None]


def test_what_is_open_is_never_changed_in_place():
    before = context()
    with opened(scope="a/"):
        assert context() is not before
    assert context() is before
    with pytest.raises(ValueError, match="inner"), opened(scope="b/"):
        raise ValueError("inner")
    assert context() is before


def test_a_scope_that_is_dropped_before_its_with_begins_closes_itself():
    """As when an interrupt comes between the two."""
    before = context()
    scope = graph_scope(pg.Graph())
    scope.__enter__()
    assert context() is not before
    del scope
    assert context() is before
    with observed(Observer()):
        assert len(context().observers) == 1
    assert context() is before


def test_a_handler_inside_a_formula_computes_eagerly():
    found: list[Any] = []

    class Odd(pg.Elementwise):
        def f(m, x):
            found.append(np.asarray(pg.tensor(1.0) + 1))
            return m.exp(x)

    with pg.Graph():
        pass
    Odd(pg.tensor(1.0))
    assert found[0] == 2.0
