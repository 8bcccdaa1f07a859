"""The museum of wrong ways through a graph: real bugs of this field, each with program and mutant.

The program must be right; the mutant brings the bug back and must be caught by that program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad import proof
from palingrad.autodiff import reverse as reverse_mode
from palingrad.ops.arithmetic import Multiply
from styles import assert_gradient, in_every_style
from tolerances import assert_close, assert_same

# ------------------------------------------------- a backward pass in breadth-first order


def add_sigmoid(w: pg.Node) -> pg.Node:
    x = w * 2.0  # has a gradient to pass on, before sigmoid's has arrived if the order is wrong
    return pg.add(x, pg.sigmoid(x))


def sigmoid_slope(x: float) -> float:
    y = 1 / (1 + np.exp(-x))
    return y * (1 - y)


def breadth_first(*roots: pg.Node, inputs: Any) -> list[pg.Node]:
    """Each node when it is first met, coming from the result."""
    queue, seen = list(roots), set(roots)
    for node in queue:
        for x in inputs(node):
            if x not in seen:
                seen.add(x)
                queue.append(x)
    return queue[::-1]


@pytest.mark.tiny
@in_every_style
def test_a_node_passes_its_gradient_on_when_all_of_it_has_arrived(slope):
    assert_gradient(slope, add_sigmoid, 0.7, 2 + 2 * sigmoid_slope(1.4))


def test_breadth_first_backward_is_caught(monkeypatch):
    monkeypatch.setattr(reverse_mode, "postorder", breadth_first)
    with pytest.raises(AssertionError):
        assert_gradient(pg.grad, add_sigmoid, 0.7, 2 + 2 * sigmoid_slope(1.4))


# ------------------------------------------------- a + a losing an edge


def edges_as_a_set(node: Any, g: Any, wanted: Sequence[bool]) -> list[Any]:
    by_input = dict(zip(node.inputs, pulled_back(node, g, wanted), strict=True))
    return [by_input.pop(x, None) for x in node.inputs]


pulled_back = reverse_mode.pulled_back


@pytest.mark.tiny
@in_every_style
def test_every_edge_counts(slope):
    assert_gradient(slope, lambda a: a + a, 3.0, 2.0)
    assert_gradient(slope, lambda a: a * a, 3.0, 6.0)
    assert_gradient(slope, lambda a: a - a, 3.0, 0.0)
    assert_gradient(slope, lambda a: pg.sum(pg.concat([a, a, a])), [3.0], [3.0])


def test_a_set_of_inputs_is_caught(monkeypatch):
    monkeypatch.setattr(reverse_mode, "pulled_back", edges_as_a_set)
    with pytest.raises(AssertionError):
        assert_gradient(pg.grad, lambda a: a + a, 3.0, 2.0)
    with pytest.raises(AssertionError):
        proof.prove(Multiply)


# ------------------------------------------------- traversals that cost 2ⁿ


def diamonds(x: Any, count: int) -> Any:
    for _ in range(count):
        x = x + x
    return x


@pytest.mark.tiny
@in_every_style
def test_sixty_diamonds_in_a_chain(slope):
    """2⁶⁰ paths, 60 nodes: whoever goes along paths never comes back."""
    assert_gradient(slope, lambda x: diamonds(x, 60), 1.0, 2.0**60)


@pytest.mark.tiny
def test_sixty_diamonds_are_forgotten_and_evaluated_in_no_time():
    with pg.Graph() as graph:
        v = pg.Variable(1.0)
        y = diamonds(v, 60)
    graph.jacobians(y)
    assert v.jacobian == 2.0**60
    v.assign(0.5)
    graph.jacobians(y)
    assert graph.evaluate(y) == 2.0**59


@pytest.mark.tiny
def test_sixty_diamonds_of_moves_are_run():
    """Moves share memory with their inputs, and whoever asks how far must not go along paths."""
    with pg.Graph() as graph:
        x = y = pg.placeholder((2,))
        for _ in range(60):
            y = pg.stack([y, y])[0]
    fed = np.array([1.0, 2.0])
    assert_same(pg.Session(graph).run(y, {x: fed}), fed)


class Doubled(pg.Elementwise):
    """x + x', with a count of how often its derivative is asked for."""

    asked = 0

    def f(m, x, y):
        return x + y

    def d(z, x, y):
        Doubled.asked += 1
        return [1, 1]


def along_paths(y: Any, x: pg.Node) -> float:
    """∂y/∂x as the sum over all paths, which is right, and slow."""
    if y is x or not y.inputs:
        return float(y is x)
    slopes = y.d(*y.inputs)
    return sum(slope * along_paths(each, x) for slope, each in zip(slopes, y.inputs, strict=True))


def test_each_rule_is_asked_once_and_going_along_paths_is_caught(monkeypatch):
    x = y = pg.tensor(1.0)
    for _ in range(10):
        y = Doubled(y, y)
    monkeypatch.setattr(Doubled, "asked", 0)
    assert pg.gradients(y, x).item() == 2**10
    assert Doubled.asked == 10
    monkeypatch.setattr(Doubled, "asked", 0)
    assert along_paths(y, x) == 2**10
    assert Doubled.asked == 2**10 - 1


# ------------------------------------------------- recursion on deep graphs


def waves(x: Any, count: int) -> Any:
    for _ in range(count):
        x = pg.sin(x)
    return x


def slope_of_waves(x: float, count: int) -> float:
    slope = 1.0
    for _ in range(count):
        slope, x = slope * np.cos(x), np.sin(x)
    return slope


def test_a_chain_of_100_000_nodes_computed_at_once():
    x = pg.Variable(np.array(1.0))
    y = waves(x, 100_000)
    y.backward()
    assert x.grad is not None
    assert_close(x.grad.numpy(), slope_of_waves(1.0, 100_000))
    del y  # taking it apart doesn't recurse either


def height_of_waves(x: float, count: int) -> float:
    for _ in range(count):
        x = np.sin(x)
    return x


# Far beyond the recursion limit; quadratic work on 10,000 nodes takes a quarter of a minute.
def test_a_chain_of_10_000_nodes_in_a_session(monkeypatch):
    monkeypatch.setenv("PALINGRAD_VERIFY", "0")  # the verifier would take most of the time
    with pg.Graph() as graph:
        x = pg.placeholder(dtype=pg.float64)
        y = waves(x, 10_000)
    assert_close(pg.Session(graph).run(y, {x: 1.0}), height_of_waves(1.0, 10_000))
    assert_close(graph.evaluate(y, {x: 1.0}), height_of_waves(1.0, 10_000))


def test_a_chain_of_10_000_nodes_in_a_function(monkeypatch):
    monkeypatch.setenv("PALINGRAD_VERIFY", "0")
    traced = pg.function(lambda x: waves(x, 10_000))
    assert_close(traced(np.array(1.0)), height_of_waves(1.0, 10_000))


@in_every_style
def test_chains_are_differentiated_without_recursion(slope):
    """Longer than Python's recursion limit, so that one call a node would not do."""
    assert_gradient(slope, lambda x: waves(x, 1500), 1.0, slope_of_waves(1.0, 1500))
