"""The chain rule as displayed: along all paths the numbers multiply and add up to the total."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from chromium import Opened, number
from tolerances import near

ONE: list[Callable[[Any], Any]] = [
    pg.tanh, pg.sigmoid, pg.atan, pg.exp2, pg.square, pg.softplus, pg.erf, pg.sinh, pg.expm1,
]  # fmt: skip
TWO: list[Callable[[Any, Any], Any]] = [
    pg.add, pg.multiply, pg.maximum, pg.logaddexp, pg.minimum,
]  # fmt: skip


def numbers(seed: int) -> Any:
    """A random graph of numbers, in which nodes are shared; every other one in float32.

    All slopes are positive: where terms cancel, a sum has the rounding of the larger ones.
    """
    rng = np.random.default_rng(seed)
    dtype = pg.float32 if seed % 2 else pg.float64
    leaves = [pg.Variable(v, dtype=dtype) for v in rng.uniform(0.2, 0.7, 3)]
    nodes: list[Any] = list(leaves)
    for _ in range(7):
        recent = nodes[-4:]
        if rng.random() < 0.4:
            nodes.append(ONE[rng.integers(len(ONE))](recent[rng.integers(len(recent))]))
        else:
            a, b = (recent[rng.integers(len(recent))] for _ in range(2))
            nodes.append(TWO[rng.integers(len(TWO))](a, b))
    y = nodes[-1]
    for leaf in leaves:  # so that every leaf counts
        y = y + pg.multiply(leaf, nodes[-2])
    return y


def _w(*shape: int, seed: int = 0) -> Any:
    return pg.Variable(np.random.default_rng(seed).normal(size=shape))


ARRAYS: list[Callable[[], Any]] = [
    lambda: (lambda w: pg.sum(w * w))(_w(3)),
    lambda: (lambda a, b: pg.sum(a @ b))(_w(2, 3), _w(3, 2, seed=1)),
    lambda: (lambda a: pg.sum(a @ a))(_w(2, 2)),
    lambda: (lambda x: pg.softmax(x))(_w(4)),
    lambda: (lambda x: pg.mean(pg.tanh(x) * x))(_w(2, 3)),
    lambda: (lambda x: pg.concat([x, x * x])[1:4])(_w(3)),
    lambda: (lambda x: sum(pg.split(x * x, 2), start=pg.tensor(0.0)))(_w(4)),
    lambda: (lambda x, b: pg.sum((x + b) ** 2, axis=0))(_w(3, 2), _w(2, seed=3)),
    lambda: (lambda x: pg.max(x) * pg.var(x))(_w(5)),
    lambda: (lambda x: pg.cross_entropy(x, np.array([1, 0])) + pg.sum(x))(_w(2, 3)),
    lambda: (lambda x: pg.prod(pg.reshape(x, (3, 2)), axis=1))(_w(2, 3)),
    lambda: (lambda x: pg.take(x, np.array([0, 2, 2]), axis=0) @ pg.tensor([1.0, 2.0]))(_w(3, 2)),
]

# 28 graphs of numbers on four pages, each the sum of seven of one dtype. A leaf is in one of them.
SUMS: list[Callable[[], Any]] = [
    lambda first=first: sum(map(numbers, range(first + 4, 28, 4)), start=numbers(first))
    for first in range(4)
]
GRAPHS = [*SUMS, *ARRAYS]


@pytest.mark.parametrize("place", range(len(GRAPHS)))
def test_displayed_paths_add_up_to_the_displayed_total(graph_scope, place):
    y = GRAPHS[place]()
    page: Opened = graph_scope(y, address="#tab=paths")
    every = page.js(f"""{VARIABLES}.map((leaf) => {{
      palingrad.set({{from: leaf}});
      return ({READ})();
    }})""")
    assert every
    for shown in every:
        compare(shown)


def compare(shown: Any) -> None:
    """Multiply what the factors say, add, and hold it against what the total says."""
    assert len(shown["paths"]) == shown["count"] > 0
    total = np.array([number(text) for text in shown["total"]])
    products = np.array([[number(text) for text in path["result"]] for path in shown["paths"]])
    for path, product in zip(shown["paths"], products, strict=True):
        if path["factors"]:
            multiplied = math.prod(number(text) for text in path["factors"])
            assert multiplied == near(product[0])
    assert np.all(np.isfinite(total))
    assert np.all(np.abs(products.sum(axis=0) - total) <= 1e-12 * np.abs(total))
    assert shown["check"].startswith("equal")


VARIABLES = "palingrad.nodes.map((n, k) => n.t === 'variable' ? k : -1).filter((k) => k >= 0)"

READ = """() => {
  const cells = (box) => box.querySelector("td")
    ? [...box.querySelectorAll("td")].filter((td) => td.textContent).map((td) => td.textContent)
    : [box.textContent];
  const more = [...document.querySelectorAll("#paths button")]
    .find((button) => button.textContent.startsWith("Show more"));
  while (more?.isConnected && more.checkVisibility()) more.click();
  return {
    count: Number(document.querySelector("#path-count").dataset.count),
    paths: [...document.querySelectorAll("#path-list .path")].map((path) => ({
      factors: path.querySelector(".tag") ? []
        : [...path.querySelectorAll(".factor")].map((f) => f.textContent),
      result: cells(path.querySelector(".result")),
    })),
    total: cells(document.querySelector("#path-total")),
    check: document.querySelector("#path-check").textContent,
  };
}"""


def test_the_total_displayed_is_the_gradient_that_backward_sets(graph_scope):
    y = numbers(4)
    page = graph_scope(y, address="#tab=paths")
    y.backward()
    leaves = [node for node in pg.postorder(y) if isinstance(node, pg.Variable)]
    for leaf, place in zip(leaves, page.js(VARIABLES), strict=True):
        page.js("leaf => palingrad.set({from: leaf})", place)
        assert page.number("#path-total") == near(float(leaf.grad))


def test_a_path_through_a_branch_that_is_not_taken_adds_nothing(graph_scope):
    x = pg.Variable(-1.0, dtype=pg.float64)
    y = pg.where(x > 0, pg.sqrt(x), x * x)
    page = graph_scope(y, address="#tab=paths")
    (leaf,) = page.js(VARIABLES)
    page.js("leaf => palingrad.set({from: leaf})", leaf)
    assert page.number("#path-total") == -2
    assert "NaN" not in page.js(READ)["paths"][0]["result"]


def test_paths_are_counted_where_they_are_too_many_to_list(graph_scope):
    x = pg.Variable(1.0, dtype=pg.float64)
    y: Any = x
    for _ in range(200):  # 2²⁰⁰ paths
        y = 0.5 * y + pg.multiply(0.5, y)
    page = graph_scope(y, address="#tab=paths")
    assert int(page.page.locator("#path-count").get_attribute("data-count")) == 2**200
    assert page.page.locator("#path-list .path").count() == 25
    page.page.get_by_role("button", name="Show more").click()
    assert page.page.locator("#path-list .path").count() == 50
    assert page.number("#path-sum") == page.number("#path-total") == 1.0


def test_a_clicked_path_is_highlighted_in_the_graph(graph_scope):
    x = pg.Variable(2.0)
    page = graph_scope(pg.sin(x) * x, address="#tab=paths")
    way = page.page.locator("#path-list .way").first
    way.click()
    assert way.get_attribute("aria-pressed") == "true"
    assert len(page.js("palingrad.state.path")) == 2
    page.page.locator("#tab-details").click()
    assert page.js("palingrad.state.path") is None


def test_no_path_means_zero(graph_scope):
    x, z = pg.Variable(2.0), pg.Variable(3.0)
    page = graph_scope([x * x, z * z], of=None, address="#tab=paths")
    page.js("palingrad.set({from: 0, to: 3})")
    assert "the derivative is 0" in page.text("#paths")


def test_each_path_is_listed_once_and_its_negative_factors_are_in_brackets(graph_scope):
    x = pg.Variable(-1.5, dtype=pg.float64)
    s = x * x  # two edges, one step: its factor is 2x
    y = pg.sin(s) * -pg.exp(-s)
    page = graph_scope(y, address="#tab=paths")
    compare(page.js(READ))
    ways = page.page.locator("#path-list .way").all_text_contents()
    assert len(ways) == len(set(ways)) == 2
    factors = page.page.locator("#path-list .product").evaluate_all(
        """all => all.flatMap((card) => [...card.querySelectorAll(".factor")].map((x, k) => {
          const before = getComputedStyle(x, "::before").content;
          return [k > 0 && x.textContent[0] === "−", before === '"("'];
        }))"""
    )
    assert {negative for negative, _ in factors} == {True, False}
    assert all(negative == bracket for negative, bracket in factors)
    page.page.locator("#path-list .way").first.click()
    assert len(page.js("palingrad.state.path")) > 3  # both edges of x·x are highlighted
