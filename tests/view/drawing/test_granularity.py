"""Granularity, binarize and the network of neurons: different pictures of the same computation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import GradientError, GraphError
from palingrad.view.binarize import most_inputs
from palingrad.view.drawing.granularity import split
from palingrad.view.drawing.network import layers_of
from palingrad.view.drawings import draw
from tolerances import near

pytestmark = pytest.mark.tiny


# ---------------------------------------------------------------- scalars, rows


def values(nodes: list[pg.Node], shape: tuple[int, ...]) -> np.ndarray:
    return np.array([node.numpy() for node in nodes]).reshape(shape)


def computations() -> dict[str, pg.Node]:
    rng = np.random.default_rng(0)
    A, B, v = (pg.Variable(rng.uniform(0.5, 2, shape)) for shape in ((2, 3), (3, 2), (3,)))
    return {
        "elementwise": pg.exp(A) * v - 1.0,
        "matrix times matrix": A @ B,
        "matrix times vector": A @ v,
        "vector times vector": v @ v,
        "vector times matrix": v @ B,
        "dot": pg.dot(v, v),
        "sums": pg.sum(A, axis=0) + pg.sum(A, axis=1, keepdims=True),
        "extremes": pg.max(A, axis=1) * pg.min(v) + pg.prod(v),
        "mean": pg.mean(A, axis=1),
        "softmax": pg.softmax(A),
        "moves": pg.reshape(A.T, (2, 3))[:, 1:] + pg.concat([B[:1], B[1:2]]),
        "no rule of its own": pg.embedding(np.array([2, 0]), B),
    }


@pytest.mark.parametrize("granularity", ["scalar", "vector"])
@pytest.mark.parametrize("name", computations())
def test_a_split_graph_computes_the_same_values(granularity, name: str):
    y = computations()[name]
    parts = split([y], granularity)
    assert all(part.ndim == 0 for part in parts) or granularity == "vector"
    assert values(parts, y.shape) == near(y.numpy())


class Max(pg.Reduce):
    """y = the smallest element, called like the largest."""

    def f(m, x, *, axis, keepdims):
        return m.min(x, axis=axis, keepdims=keepdims)


def test_an_operation_of_ones_own_called_like_a_reduction_is_computed_by_its_own_formula():
    y = Max(pg.Variable([[1.0, 2.0], [4.0, 3.0]]), axis=1, keepdims=False)
    parts = split([y], "scalar")
    np.testing.assert_array_equal(values(parts, y.shape), [1.0, 3.0])  # pyright: ignore


def test_the_dot_product_as_scalars_is_two_products_and_a_sum():
    u, v = pg.Variable([1.0, 2.0]), pg.Variable([3.0, 4.0])
    y = pg.dot(u, v)
    y.backward()
    text = draw(y, granularity="scalar").picture
    assert [item.label for item in text.items] == [
        "u₁",
        "v₁",
        "multiply",
        "u₂",
        "v₂",
        "multiply",
        "y",
    ]
    assert [float(i.node.grad) for i in text.items if i.kind == "variable"] == [3.0, 1.0, 4.0, 2.0]


def test_a_template_graph_can_be_split():
    with pg.Graph():
        x = pg.placeholder((2,), dtype=pg.float32)
        A = pg.Variable([[1.0, 2.0], [3.0, 4.0]])
        y = A @ x
    labels = [item.label for item in draw(y, granularity="scalar").picture.items]
    assert {"x₁", "x₂", "A₁₁", "A₂₁", "y₁", "y₂"} <= set(labels)


def test_an_error_says_why_a_graph_can_not_be_split():
    with pg.Graph():
        x = pg.placeholder()
        y = pg.sum(x)
    with pytest.raises(GraphError, match=r"shape isn't known.*Give the placeholders shapes"):
        draw(y, granularity="scalar")
    too_many = r"more than 4000 nodes at this granularity.*use granularity=\"tensor\""
    with pytest.raises(GraphError, match=too_many):
        draw(pg.exp(pg.tensor(np.zeros(5000))), granularity="scalar")


# ---------------------------------------------------------------- binarize


def many() -> pg.Graph:
    with pg.Graph() as graph:
        x = pg.placeholder((3,), dtype=pg.float64, name="x")
        w = pg.Variable(np.array([1.0, 2.0, 3.0]), name="w")
        c = pg.concat([x, w, x * w, w], name="c")
        z = pg.where(c > 1.0, c, 2.0, name="z")
        s = pg.sum(pg.clip(z, 0.0, 5.0), name="s")
        g = pg.gradients(s, w)
        pg.square(g, name="g")
        pg.group(*(w.assign(w - g), pg.Variable(0.0, dtype=pg.float64).assign(s),
                   pg.Variable(0.0, dtype=pg.float64).assign(s * 2.0)), name="step")  # fmt: skip
    return graph


def test_binarized_it_computes_the_same_with_two_inputs_a_node():
    graph = many()
    two = graph.binarize()
    assert most_inputs(graph.nodes) == 4
    assert most_inputs(two.nodes) == 2
    feed = [0.5, 1.5, 2.5]
    names = ["c", "z", "s", "g"]
    for one in (two, two.unbinarize()):
        found = pg.Session(one).run([one[name] for name in names], {one["x"]: feed})
        known = pg.Session(graph).run([graph[name] for name in names], {graph["x"]: feed})
        for a, b in zip(found, known, strict=True):
            np.testing.assert_array_equal(a, b)


def test_binarized_updates_still_land():
    graph = many()
    two = graph.binarize()
    before = np.array(graph["w"].numpy())
    pg.Session(two).run(two["step"], {two["x"]: [0.5, 1.5, 2.5]})
    assert not np.array_equal(graph["w"].numpy(), before)


def test_the_way_back_gives_the_same_nodes():
    graph = many()
    back = graph.binarize().unbinarize()
    assert most_inputs(back.nodes) == 4
    kinds = [(node.name, type(node), len(node.inputs)) for node in graph.nodes if node.inputs]
    assert kinds == [
        (node.name, type(node), len(node.inputs)) for node in back.nodes if node.inputs
    ]


def test_a_bundle_of_operands_has_no_gradient_and_says_what_to_do():
    with pg.Graph() as graph:
        x = pg.placeholder((3,), dtype=pg.float64, name="x")
        pg.sum(pg.where(x > 1.0, x, 2.0), name="s")
    two = graph.binarize()
    with pytest.raises(GradientError, match="take the gradients first, then binarize"):
        pg.gradients(two["s"], two["x"])


# ---------------------------------------------------------------- neurons and layers


def network(*, mask: bool = False) -> pg.Node:
    rng = np.random.default_rng(0)
    W1, W2 = pg.Variable(rng.normal(size=(4, 5))), pg.Variable(rng.normal(size=(5, 2)))
    b1 = pg.Variable(np.zeros(5))
    x = pg.placeholder((None, 4), dtype=pg.float64, name="x")
    weights = W1 * pg.tensor(np.eye(4, 5)) if mask else W1
    return pg.softmax(pg.relu(x @ weights + b1, name="h") @ W2, name="y")


def test_layers_are_read_from_the_graph():
    layers = layers_of(network())
    assert [(layer.name, layer.units, layer.steps) for layer in layers] == [
        ("x", 4, []), ("h", 5, ["+ b1", "relu"]), ("y", 2, ["softmax"]),
    ]  # fmt: skip
    assert [[link.source for link in layer.sources] for layer in layers] == [[], [0], [1]]


def lines(y: pg.Node, **options: object) -> int:
    return draw(y, nodes="neurons", **options).svg().count('s-strong"') + draw(  # pyright: ignore
        y, nodes="neurons"
    ).svg().count('s-weak"')


def test_each_weight_that_is_not_zero_is_a_line():
    assert lines(network()) == 4 * 5 + 5 * 2
    assert lines(network(mask=True)) == 4 + 5 * 2


def test_a_weight_on_the_left_is_read_along_its_rows():
    A = pg.Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    x = pg.placeholder((3,), dtype=pg.float32)
    link = layers_of(A @ x)[1].sources[0]
    assert link.weights is not None
    assert link.weights.shape == (3, 2)


def test_convolutions_are_maps_and_windows():
    model = pg.nn.Sequential(
        pg.nn.Conv2D(1, 4, 5), pg.relu, pg.nn.MaxPool2D(2), pg.nn.Flatten(), pg.nn.Linear(576, 10)
    )
    layers = layers_of(model(pg.placeholder((None, 1, 28, 28), dtype=pg.float32)))
    assert [(layer.units, layer.size) for layer in layers] == [
        (1, (28, 28)), (4, (24, 24)), (4, (12, 12)), (576, ()), (10, ()),
    ]  # fmt: skip
    labels = [link.label for layer in layers for link in layer.sources]
    assert labels[:2] == ["5×5 convolution", "max pool 2×2"]


def test_skips_and_shared_weights_are_seen():
    W = pg.Variable(np.eye(3))
    x = pg.placeholder((None, 3), dtype=pg.float64)
    y = pg.tanh(pg.tanh(x @ W) @ W) + x
    layers = layers_of(y)
    assert [link.source for link in layers[2].sources] == [1, 0]
    assert draw(y, nodes="neurons").svg().count("W, shared 2×") == 2


def test_without_an_input_there_is_no_network():
    with pytest.raises(GraphError, match="depends on no input"):
        draw(pg.sin(pg.Variable(1.0)), nodes="neurons")
    with pytest.raises(GraphError, match="a network with one output, got 2 outputs"):
        draw([pg.tensor([1.0]), pg.tensor([1.0])], nodes="neurons")


def test_large_layers_show_their_first_and_last_units(tmp_path: Path):
    x = pg.placeholder((None, 784), dtype=pg.float32)
    y = pg.nn.Linear(784, 10, seed=0)(x)
    path = tmp_path / "net.svg"
    y.draw(path, nodes="neurons")
    assert "784 units" in path.read_text()
    assert lines(y) == 10 * 10
