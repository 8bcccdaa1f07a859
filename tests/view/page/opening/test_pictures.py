"""Arrays on cards: numbers and pictures; and an entry that lights what it came from."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from captions.graphs import GRAPHS
from palingrad.view.page.export import Export, Options
from palingrad.view.page.opening.cards import CARDS, SIDE, thumbnail, tiling


def random(*shape: int, seed: int = 0) -> Any:
    return pg.Variable(np.random.default_rng(seed).normal(size=shape), name=f"x{seed}")


def operations() -> dict[str, Any]:
    """A node of each kind of operation that moves or joins entries."""
    x, y = random(3, 4), random(4, 2, seed=1)
    return {
        "matmul": x @ y,
        "matmul of vectors": random(4, seed=2) @ y,
        "batched matmul": random(2, 3, 4, seed=3) @ y,
        "add with broadcasting": x + random(4, seed=4),
        "multiply with broadcasting": random(3, 1, seed=5) * x,
        "sum over an axis": pg.sum(x, axis=0),
        "mean over axes": pg.mean(random(2, 3, 2, seed=6), axis=(0, 2)),
        "sum": pg.sum(x),
        "conv2d": pg.conv2d(random(1, 2, 5, 5, seed=7), random(2, 2, 3, 3, seed=8), stride=2),
        "max_pool": pg.max_pool(random(1, 1, 6, 6, seed=9), 2),
        "softmax": pg.softmax(x, axis=-1),
        "transpose": pg.transpose(x),
        "reshape": pg.reshape(x, (2, 6)),
        "concat": pg.concat([x, random(2, 4, seed=10)], axis=0),
        "take": pg.take(x, np.array([2, 0, 2]), axis=0),
        "slice": x[1:, ::2],
        "shared": x * x,
    }


TAKING = """([place, entries]) => entries.map((entry) =>
  [...palingrad.takingPart(place, entry)].map(([from, some]) => [from, some]))"""


def test_an_entry_lights_the_nonzeros_of_the_local_jacobian(graph_scope):
    nodes = operations()
    page = graph_scope(list(nodes.values()), time=False)
    places = {id(node): place for place, node in enumerate(pg.postorder(*nodes.values()))}
    for name, node in nodes.items():
        entries = list(range(np.size(node.value)))
        found = page.js(TAKING, [places[id(node)], entries])
        for entry, lit in zip(entries, found, strict=True):
            assert dict(lit) == jacobian_row(node, entry, places), (name, entry)


def jacobian_row(node: Any, entry: int, places: dict[int, int]) -> dict[int, list[int]]:
    """The operands' entries that aren't 0 in a row of the local Jacobian, by the operand."""
    seed = np.zeros(np.shape(node.value))
    seed.flat[entry] = 1
    operands = [x for x in dict.fromkeys(node.inputs) if x.dtype.kind == "f"]
    rows = pg.gradients(node, operands, gradient=seed)
    found = {places[id(x)]: np.flatnonzero(row.numpy()).tolist() for x, row in zip(operands, rows)}
    return {place: some for place, some in found.items() if some}


def point(page: Any, node: int, entry: int) -> None:
    """Move the pointer to an entry on a card, which is brought to the middle first."""
    x, y = page.js(
        """([k, entry]) => { const b = palingrad.boxFor(k);
        Object.assign(palingrad.camera, {x: b.x, y: b.y, scale: 1.5});
        const [x, y, w, h] = palingrad.cellOf(b, entry, false);
        return palingrad.toScreen(x + w / 2, y + h / 2); }""",
        [node, entry],
    )
    page.page.locator("#canvas").hover(position={"x": x, "y": y}, force=True)


LIT = "Object.fromEntries([...palingrad.litEntries()])"


def test_the_pointer_over_an_entry_lights_its_row_and_column(graph_scope):
    x, w = random(3, 4), random(4, 2, seed=1)
    page = graph_scope(pg.sum(pg.tanh(x @ w)), time=False)
    names = page.js("palingrad.nodes.map(n => n.o)")
    product = names.index("matmul")
    point(page, product, 3)  # [1, 1], on a card with six numbers
    assert page.js(LIT) == {
        f"{product} false": [3], "0 false": [4, 5, 6, 7], "1 false": [1, 3, 5, 7],
    }  # fmt: skip
    value = (x.numpy() @ w.numpy())[1, 1]
    assert page.text("#cell").startswith("v₁[1,1] = ")
    shown = page.text("#cell").split(" = ")[1].split(" ←")[0]
    assert float(shown.replace("−", "-")) == pytest.approx(value, rel=1e-4)
    assert page.text("#cell").endswith("← x0[1,:], x1[:,1]")
    point(page, 0, 5)  # an entry of a picture of a leaf: nothing else
    assert page.js(LIT) == {"0 false": [5]}
    page.page.mouse.move(5, 5)
    assert page.js(LIT) == {}
    assert not page.page.locator("#cell").is_visible()


def test_a_step_lights_what_its_caption_names(graph_scope):
    x, w = random(3, 4), random(4, 2, seed=1)
    page = graph_scope(pg.sum(x @ w), address="#step=1", time=False)
    assert page.js(LIT) == {"2 false": [0], "0 false": [0, 1, 2, 3], "1 false": [0, 2, 4, 6]}
    page.page.locator("#last").click()
    assert page.js(LIT) == {}


def test_first_layers_and_images_are_pictures_that_light_up(graph_scope):
    rng = np.random.default_rng(0)
    x = pg.tensor(rng.uniform(size=(2, 784)).astype(np.float32), name="x")
    w = pg.Variable(rng.normal(size=(784, 16)).astype(np.float32), name="w")
    page = graph_scope(pg.mean(pg.relu(x @ w)), time=False)
    pictures = page.js("palingrad.nodes.map(n => n.pic || {})")
    assert [pictures[0][key] for key in ("r", "c", "n", "i")] == [28, 28, 2, 1]
    assert [pictures[1][key] for key in ("r", "c", "n", "i", "t")] == [28, 28, 8, 1, 1]
    point(page, 2, 16 + 3)  # entry [1, 3] of the product: image 1 and column 3
    lit = page.js(LIT)
    assert lit["0 false"] == list(range(784, 1568))
    assert lit["1 false"] == list(range(3, 784 * 16, 16))
    point(page, 1, 16 * 100 + 2)  # pixel 100 of column 2
    assert page.js(LIT) == {"1 false": [16 * 100 + 2]}
    page.js("palingrad.choose({node: 1})")
    assert page.page.locator("#details .images canvas").count() == 16  # of value and gradient
    assert "the first 8 of 16" in page.text("#details")
    # The first layer's picture is exported as bytes: it has the column's numbers.
    small = page.js("palingrad.nodes[1].v.p")
    numbers = np.frombuffer(base64.b64decode(small["d"]), np.int8).reshape(8, 784)
    expected = w.numpy().T[:8] * (127 / small["m"])
    assert np.abs(numbers - expected).max() <= 0.5


@pytest.mark.parametrize(
    ("shape", "tiles"),
    [
        ((), None),
        ((1,), None),
        ((0, 3), None),
        ((4,), (1, 4, 1)),
        ((2, 3), (2, 3, 1)),
        ((784,), (28, 28, 1)),
        ((5, 784), (28, 28, 5)),
        ((28, 28), (28, 28, 1)),
        ((40, 1, 28, 28), (28, 28, 8)),
        ((784, 10), (28, 28, 8)),
        ((2, 4, 6, 6), (6, 6, 8)),
        ((16, 3, 5, 5), (5, 5, 12)),
        ((300, 20), (300, 20, 1)),
    ],
)
def test_tiles_of_each_shape(shape, tiles):
    found = tiling(shape)
    assert (found and (found["r"], found["c"], found["n"])) == tiles


def test_thumbnails_of_large_matrices_keep_the_largest_number_of_a_block():
    array = np.zeros((200, 130))
    array[77, 99] = -3.0
    small = thumbnail(array, {"r": 200, "c": 130, "n": 1})
    assert small is not None
    numbers = np.frombuffer(base64.b64decode(small["d"]), np.int8).reshape(small["r"], small["c"])
    assert (small["r"], small["c"], small["m"]) == (SIDE, SIDE, 3.0)
    assert numbers.min() == -127
    assert np.count_nonzero(numbers) == 1
    assert thumbnail(np.full((200, 130), np.nan), {"r": 200, "c": 130, "n": 1}) is None


def test_cards_of_large_graphs_stay_small():
    y: Any = random(2, 3)
    for _ in range(CARDS):
        y = pg.sin(y)
    data = Export(y, Options()).data()
    assert {node["h"] for node in data["nodes"]} == {46.0}
    small = Export(pg.sin(random(2, 3)), Options()).data()
    assert min(node["h"] for node in small["nodes"]) > 46.0


def test_what_stands_on_a_card_fits_it(graph_scope):
    """Numbers and pictures lie inside their cards, apart from each other."""
    rng = np.random.default_rng(0)
    x = pg.tensor(rng.uniform(size=(4, 784)).astype(np.float32), name="x")
    w = pg.Variable(rng.normal(size=(784, 3)).astype(np.float32), name="w")
    h = pg.tanh(x @ w + pg.Variable(np.array([1.5e-7, -2.0, 3.0], np.float32), name="b"))
    page = graph_scope(pg.sum(h * h), time=False)
    wrong = page.js(
        """palingrad.nodes.flatMap((node, k) => {
          if (!node.pic) return [];
          const b = palingrad.boxFor(k);
          const size = node.sh.reduce((a, c) => a * c, 1);
          const all = (gradient) => [0, size - 1].map((e) => palingrad.cellOf(b, e, gradient))
            .filter(Boolean);
          const [values, slopes] = [all(false), node.pic.g ? all(true) : []];
          const inside = ([x, y, w, h]) => x >= b.x - b.w / 2 && x + w <= b.x + b.w / 2
            && y >= b.y - b.h / 2 && y + h <= b.y + b.h / 2;
          const apart = values.every(([x, y, w, h]) => slopes.every(([X, Y, W, H]) =>
            x + w <= X || X + W <= x || y + h <= Y || Y + H <= y));
          return [...values, ...slopes].every(inside) && apart ? [] : [node.n];
        })"""
    )
    assert wrong == []


def test_numbers_on_edges_overlap_neither_each_other_nor_cards(graph_scope):
    page = graph_scope(GRAPHS["micrograd"](), time=False)
    drawn, overlaps = page.js(
        """() => {
          const {width, height} = palingrad.scene();
          Object.assign(palingrad.camera, {x: width / 2, y: height / 2, scale: 0.8});
          palingrad.paint();
          const cards = palingrad.scene().boxes.map((b) =>
            [b.x - b.w / 2, b.y - b.h / 2, b.x + b.w / 2, b.y + b.h / 2]);
          const labels = palingrad.labels();
          const meet = ([a, b, c, d], [l, t, r, e]) => a < r && l < c && b < e && t < d;
          return [labels.length, labels.flatMap((one, k) =>
            [...cards, ...labels.slice(0, k)].filter((other) => meet(one, other))).length];
        }"""
    )
    assert drawn > 30
    assert overlaps == 0
