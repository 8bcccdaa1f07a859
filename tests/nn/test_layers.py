"""Each layer's value against NumPy in all three styles, and its gradients against differences.

A new layer is proved by a new row in ROWS.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import palingrad as pg
from palingrad import nn
from palingrad.autodiff.check import Levels
from palingrad.errors import ArgumentError, ShapeError
from tolerances import assert_close

from . import formulas as f

pytestmark = pytest.mark.tiny

Array = np.ndarray[Any, Any]
X = np.array([[-2.0, -0.5, 0.3, 1.5], [0.7, -1.1, 3.0, 0.2], [-0.4, 0.9, -3.0, 2.2]])
IMAGES = np.random.default_rng(0).normal(size=(2, 2, 4, 4))  # (n, channels, height, width)
SEQUENCES = np.random.default_rng(2).normal(size=(2, 3, 4))  # (n, time, features)
VOLUMES = np.random.default_rng(3).normal(size=(2, 1, 2, 4, 2))  # (n, channels, *space)
LABELS = np.array([[1, 4, 0], [4, 4, 2]])
DTYPES = [np.dtype(np.float32), np.dtype(np.float64)]


class Row(NamedTuple):
    """A layer made with a dtype, and what it computes from x and all its Variables."""

    name: str
    make: Callable[[Any], nn.Module]
    formula: Callable[..., Array]
    x: Array = X
    ranked: bool = False  # whether a placeholder needs its number of axes, and sizes but the first
    order: int = 2  # of the derivatives that are checked; 1 where a row has the parts to order 2


class FromHalf(nn.Module):
    """The output of a cell after one step from a state of 0.5."""

    def __init__(self, cell: Any) -> None:
        self.cell = cell

    def forward(self, x, *, training):
        half = pg.tensor(HALF, dtype=self.cell.weight.dtype)
        state = (half, half) if self.cell.states > 1 else half
        after = self.cell(x, state, training=training)
        return after[0] if self.cell.states > 1 else after


HALF = np.full((len(X), 2), 0.5)


ROWS = [
    Row("Linear", lambda dtype: nn.Linear(4, 5, dtype=dtype), lambda x, w, b: x @ w + b),
    Row("Linear no bias", lambda dtype: nn.Linear(4, 5, bias=False, dtype=dtype), np.matmul),
    Row("Flatten", lambda dtype: nn.Flatten(), lambda x: x.reshape(2, 32), IMAGES),
    Row("Reshape", lambda dtype: nn.Reshape(2, 2), lambda x: x.reshape(3, 2, 2)),
    Row("ReLU", lambda dtype: nn.ReLU(), lambda x: np.maximum(x, 0)),
    Row("LeakyReLU", lambda dtype: nn.LeakyReLU(), lambda x: np.where(x > 0, x, 0.01 * x)),
    Row("LeakyReLU 0.2", lambda dtype: nn.LeakyReLU(0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
    Row("ELU", lambda dtype: nn.ELU(), lambda x: np.where(x > 0, x, np.exp(x) - 1)),
    Row("ELU 2", lambda dtype: nn.ELU(2.0), lambda x: np.where(x > 0, x, 2 * (np.exp(x) - 1))),
    Row("GELU", lambda dtype: nn.GELU(), lambda x: x * f.phi(x)),
    Row(
        "GELU by tanh",
        lambda dtype: nn.GELU(approximate=True),
        lambda x: x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
    ),
    Row("SiLU", lambda dtype: nn.SiLU(), lambda x: x / (1 + np.exp(-x))),
    Row("Sigmoid", lambda dtype: nn.Sigmoid(), lambda x: 1 / (1 + np.exp(-x))),
    Row("Tanh", lambda dtype: nn.Tanh(), np.tanh),
    Row("Softplus", lambda dtype: nn.Softplus(), lambda x: np.log(1 + np.exp(x))),
    Row("Softmax", lambda dtype: nn.Softmax(), lambda x: f.softmax(x, -1)),
    Row("Softmax on axis 0", lambda dtype: nn.Softmax(axis=0), lambda x: f.softmax(x, 0)),
    Row("Dropout, which evaluates", lambda dtype: nn.Dropout(0.5), lambda x: x),
    Row("Conv2D", lambda dtype: nn.Conv2D(2, 3, (2, 3), dtype=dtype), f.convolution, IMAGES),
    Row("MaxPool2D", lambda dtype: nn.MaxPool2D(), lambda x: f.tiles(x).max(axis=-1), IMAGES),
    Row("AveragePool2D", lambda dtype: nn.AveragePool2D(), lambda x: f.tiles(x).mean(-1), IMAGES),
    Row("LayerNorm", lambda dtype: nn.LayerNorm(4, dtype=dtype), f.layer_norm),
    Row(
        "BatchNorm, which evaluates",
        lambda dtype: nn.BatchNorm(4, dtype=dtype),
        lambda x, scale, offset, mean, variance: (
            scale * (x - mean) / np.sqrt(variance + 1e-5) + offset
        ),
    ),
    Row(
        "Embedding",
        lambda dtype: nn.Embedding(5, 2, dtype=dtype),
        lambda x, table: table[x],
        LABELS,
    ),
    Row(
        "Sequential",
        lambda dtype: nn.Sequential(nn.Linear(4, 2, dtype=dtype), pg.tanh, nn.Softmax()),
        lambda x, w, b: f.softmax(np.tanh(x @ w + b), -1),
    ),
    Row("Identity", lambda dtype: nn.Identity(), lambda x: x),
    Row("Lambda", lambda dtype: nn.Lambda(pg.tanh), np.tanh),
    Row("Residual", lambda dtype: nn.Residual(pg.tanh), lambda x: x + np.tanh(x)),
    Row(
        "Residual with a shortcut",
        lambda dtype: nn.Residual(
            nn.Linear(4, 2, dtype=dtype), shortcut=nn.Linear(4, 2, bias=False, dtype=dtype)
        ),
        lambda x, w, b, v: x @ w + b + x @ v,
    ),
    Row("Conv1D", lambda dtype: nn.Conv1D(3, 2, 2, dtype=dtype), f.convolution, SEQUENCES),
    Row("Conv3D", lambda dtype: nn.Conv3D(1, 2, 2, dtype=dtype), f.convolution, VOLUMES),
    Row(
        "ConvTranspose1D",
        lambda dtype: nn.ConvTranspose1D(3, 2, 2, dtype=dtype),
        f.transposed,
        SEQUENCES,
    ),
    Row(
        "ConvTranspose2D",
        lambda dtype: nn.ConvTranspose2D(2, 3, (2, 1), dtype=dtype),
        f.transposed,
        IMAGES,
    ),
    Row(
        "ConvTranspose3D",
        lambda dtype: nn.ConvTranspose3D(1, 2, 2, dtype=dtype),
        f.transposed,
        VOLUMES,
    ),
    Row(
        "LocallyConnected",
        lambda dtype: nn.LocallyConnected(4, 3, 2, 2, dtype=dtype),
        f.locally_connected,
        SEQUENCES,
    ),
    Row("MaxPool1D", lambda dtype: nn.MaxPool1D(), lambda x: f.tiles(x).max(-1), SEQUENCES),
    Row("MaxPool3D", lambda dtype: nn.MaxPool3D(), lambda x: f.tiles(x).max(-1), VOLUMES),
    Row(
        "AveragePool1D", lambda dtype: nn.AveragePool1D(), lambda x: f.tiles(x).mean(-1), SEQUENCES
    ),
    Row("AveragePool3D", lambda dtype: nn.AveragePool3D(), lambda x: f.tiles(x).mean(-1), VOLUMES),
    Row(
        "AdaptiveMaxPool",
        lambda dtype: nn.AdaptiveMaxPool(2, 2),
        lambda x: f.tiles(x).max(-1),
        IMAGES,
    ),
    Row(
        "AdaptiveAveragePool",
        lambda dtype: nn.AdaptiveAveragePool(2, 2),
        lambda x: f.tiles(x).mean(-1),
        IMAGES,
    ),
    Row(
        "GlobalMaxPool",
        lambda dtype: nn.GlobalMaxPool(),
        lambda x: x.max((2, 3)),
        IMAGES,
        ranked=True,
    ),
    Row(
        "GlobalAveragePool",
        lambda dtype: nn.GlobalAveragePool(keepdims=True),
        lambda x: x.mean((2, 3), keepdims=True),
        IMAGES,
        ranked=True,
    ),
    Row("RMSNorm", lambda dtype: nn.RMSNorm(4, dtype=dtype), f.rms_norm),
    Row(
        "GroupNorm",
        lambda dtype: nn.GroupNorm(2, 2, dtype=dtype),
        f.group_norm,
        IMAGES,
        ranked=True,
    ),
    Row(
        "Embedding with padding",
        lambda dtype: nn.Embedding(5, 2, padding=4, dtype=dtype),
        lambda x, table: np.where((x == 4)[..., None], 0, table[x]),
        LABELS,
    ),
    Row(
        "EmbeddingBag",
        lambda dtype: nn.EmbeddingBag(5, 2, dtype=dtype),
        lambda x, table: table[x].mean(axis=1),
        LABELS,
    ),
    Row(
        "RNNCell",
        lambda dtype: FromHalf(nn.RNNCell(4, 2, dtype=dtype)),
        lambda x, w, u, b: f.rnn_step(x, HALF, w, u, b),
    ),
    Row(
        "LSTMCell",
        lambda dtype: FromHalf(nn.LSTMCell(4, 2, dtype=dtype)),
        lambda x, w, u, b: f.lstm_step(x, HALF, HALF, w, u, b)[0],
    ),
    Row(
        "GRUCell",
        lambda dtype: FromHalf(nn.GRUCell(4, 2, dtype=dtype)),
        lambda x, w, u, b, c: f.gru_step(x, HALF, w, u, b, c),
    ),
    Row("RNN", lambda dtype: nn.RNN(4, 2, dtype=dtype), f.rnn, SEQUENCES),
    Row("LSTM", lambda dtype: nn.LSTM(4, 2, dtype=dtype), f.lstm, SEQUENCES),
    Row(
        "LSTM both ways",
        lambda dtype: nn.LSTM(4, 2, bidirectional=True, dtype=dtype),
        f.both_ways,
        SEQUENCES,
        order=1,
    ),
    Row(
        "LSTM of two layers, last",
        lambda dtype: nn.LSTM(4, 2, layers=2, last=True, dtype=dtype),
        lambda x, *w: f.lstm(f.lstm(x, *w[:3]), *w[3:])[:, -1],
        SEQUENCES,
        order=1,
    ),
    Row("GRU", lambda dtype: nn.GRU(4, 2, dtype=dtype), f.gru, SEQUENCES),
    Row(
        "MultiHeadAttention",
        lambda dtype: nn.MultiHeadAttention(4, 2, dtype=dtype),
        f.multi_head,
        SEQUENCES,
        ranked=True,
    ),
    Row("FeedForward", lambda dtype: nn.FeedForward(4, dtype=dtype), f.feed_forward, SEQUENCES),
    Row(
        "TransformerBlock",
        lambda dtype: nn.TransformerBlock(4, 2, causal=True, dtype=dtype),
        f.block,
        SEQUENCES,
        ranked=True,
        order=1,
    ),
]


# ---------------------------------------------------------------- the proof


def made(row: Row, dtype: Any) -> nn.Module:
    """The row's layer, all its Variables filled with positive numbers, none of them 0 or 1."""
    layer, numbers = row.make(dtype), np.random.default_rng(1)
    for variable in layer.variables().values():
        variable.assign(numbers.uniform(0.5, 0.9, variable.numpy().shape))
    return layer


def eagerly(layer: nn.Module, x: Array, ranked: bool = False) -> Array:
    return layer(x).numpy()


def in_a_graph(layer: nn.Module, x: Array, ranked: bool = False) -> Array:
    with pg.Graph() as graph:
        fed = pg.placeholder((None, *x.shape[1:]) if ranked else None)  # of no known dtype
        y = layer(fed)
    return pg.Session(graph).run(y, {fed: x})


def in_a_function(layer: nn.Module, x: Array, ranked: bool = False) -> Array:
    return pg.function(layer)(x)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("style", [eagerly, in_a_graph, in_a_function])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_layer_computes_its_formula(row, style, dtype):
    layer = made(row, dtype)
    x = row.x.astype(dtype) if row.x.dtype.kind == "f" else row.x
    wide = x.astype(np.float64) if x.dtype.kind == "f" else x
    wanted = row.formula(wide, *(np.float64(v.numpy()) for v in layer.variables().values()))
    assert_close(style(layer, x, row.ranked), wanted.astype(dtype))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_layer_s_gradients_are_right(row):
    """With respect to the input and to every parameter, of first and mostly second order."""
    layer = made(row, np.float64)
    parameters = list(layer.parameters().values())

    def as_function(x, *values):
        put(layer, dict(zip(parameters, values, strict=True)))
        y = layer(x)
        put(layer, dict(zip(values, parameters, strict=True)))
        return y

    levels = Levels(as_function, [row.x, *(one.numpy() for one in parameters)])
    levels.check(1, most=1)  # calls the layer on other values: the recorded graph is that of these
    for level in range(1, row.order + 1):
        levels.check(level, recorded=True)


def put(module: nn.Module, new: dict[Any, Any]) -> None:
    """Put other nodes in the place of those that the module, and the layers in it, now hold."""
    for name, part in vars(module).items():
        if isinstance(part, pg.Node):
            setattr(module, name, new.get(part, part))
    for name, layer in module.modules().items():
        if name:
            put(layer, new)


def test_every_layer_has_a_row():
    layers = {x for x in map(vars(nn).get, nn.__all__) if isinstance(x, type)}
    made = [part for row in ROWS for part in row.make(np.float32).modules().values()]
    containers = {nn.Module, nn.ModuleList, nn.ModuleDict, nn.KeyValueCache}
    assert layers - containers == set(map(type, made)) - {FromHalf}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_parameter_gets_a_gradient_by_backward(row):
    layer = made(row, np.float32)
    pg.sum(layer(row.x) ** 2).backward()
    for variable in layer.parameters().values():
        assert variable.grad is not None
        assert variable.grad.shape == variable.shape
        assert np.abs(variable.grad.numpy()).sum() > 0


# ---------------------------------------------------------------- Linear


def test_linear_keeps_all_axes_but_the_last():
    layer = nn.Linear(4, 5, seed=1)
    assert layer(np.zeros(4)).shape == (5,)
    assert layer(np.zeros((2, 3, 4))).shape == (2, 3, 5)
    assert layer(np.zeros((0, 4))).shape == (0, 5)


def test_the_bias_starts_at_zero():
    bias = nn.Linear(4, 5).parameters()["bias"]
    np.testing.assert_array_equal(bias.numpy(), np.zeros(5, np.float32))


def test_linear_takes_its_dtype_else_the_default_one():
    assert {v.dtype for v in nn.Linear(2, 3).parameters().values()} == {pg.float32}
    assert {v.dtype for v in nn.Linear(2, 3, dtype="f8").parameters().values()} == {pg.float64}
    pg.set_default_dtype(pg.float64)
    assert {v.dtype for v in nn.Linear(2, 3).parameters().values()} == {pg.float64}


def test_a_seed_gives_the_same_weights_and_another_seed_others():
    first, again, other = (nn.Linear(4, 5, seed=seed).weight.numpy() for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_set_seed_gives_the_same_model_whose_layers_differ():
    def made():
        pg.set_seed(7)
        return nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))

    first, again = made(), made()
    for name, variable in first.parameters().items():
        np.testing.assert_array_equal(variable.numpy(), again.parameters()[name].numpy())
    weights = [v.numpy() for name, v in first.parameters().items() if "weight" in name]
    assert (weights[0] != weights[1]).any()


def test_linear_s_weight_has_its_value_at_once_in_an_open_graph():
    with pg.Graph() as graph:
        layer = nn.Linear(4, 5, seed=1)
    assert graph.variables == [layer.weight, layer.bias]
    np.testing.assert_array_equal(layer.weight.numpy(), nn.Linear(4, 5, seed=1).weight.numpy())


def test_linear_can_not_be_made_in_a_function():
    with pytest.raises(pg.errors.GraphError, match=r"can't be created inside pg\.function"):
        pg.function(lambda x: nn.Linear(4, 5)(x))(X)


@pytest.mark.parametrize(("inputs", "outputs"), [(0, 3), (3, 0), (-1, 3)])
def test_linear_needs_positive_sizes(inputs, outputs):
    with pytest.raises(ArgumentError, match=r"Linear: (in|out)puts is .*; expected an integer ≥ 1"):
        nn.Linear(inputs, outputs)


def test_an_initializer_must_make_the_weight_s_shape():
    with pytest.raises(ShapeError, match=r"returned shape \(3,\) for a weight of shape \(4, 5\)"):
        nn.Linear(4, 5, initializer=lambda shape, **_: pg.tensor([1.0, 2.0, 3.0]))


def test_an_input_that_does_not_fit_is_an_error_with_both_shapes():
    with pytest.raises(ShapeError, match=r"inner sizes 3 and 4 differ: x \(2, 3\).* y \(4, 5\)"):
        nn.Linear(4, 5)(np.zeros((2, 3)))


# ---------------------------------------------------------------- Flatten and Sequential


@pytest.mark.parametrize("shape", [(2, 3, 4), (5,), (0, 3), (3, 2, 2, 2)])
def test_flatten_learns_the_shape_from_the_feed(shape):
    x = pg.placeholder()
    fed = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    found = pg.Session().run(nn.Flatten()(x), {x: fed})
    np.testing.assert_array_equal(found, fed.reshape(shape[0], math.prod(shape[1:])))


def test_flatten_before_linear_works_with_an_unknown_batch():
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 2, seed=1))
    x = pg.placeholder((None, 2, 3))
    y = model(x)
    for batch in (1, 4):
        fed = np.ones((batch, 2, 3), np.float32)
        assert_close(pg.Session().run(y, {x: fed}), model(fed).numpy())


def test_a_single_number_can_not_be_flattened():
    with pytest.raises(ShapeError, match="no axes to flatten"):
        nn.Flatten()(1.0)


def test_sequential_takes_functions_and_modules():
    model = nn.Sequential(pg.relu, lambda x: x * 2, nn.Sequential(nn.Tanh(), pg.negative))
    assert_close(model(X).numpy(), -np.tanh(2 * np.maximum(X, 0)))


def test_sequential_of_nothing_is_the_identity():
    np.testing.assert_array_equal(nn.Sequential()(X).numpy(), X)


def test_sequential_refuses_what_can_not_be_called():
    layer: Any = 3
    with pytest.raises(TypeError, match="a layer is a module or a function, got 3"):
        nn.Sequential(pg.relu, layer)


def test_models_print_as_they_were_written():
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(4, 3), pg.relu, nn.Sequential(nn.ELU(2.0), nn.Dropout(0.5))
    )
    assert repr(model) == (
        "Sequential(\n"
        "  Flatten(),\n"
        "  Linear(weight=(4, 3), bias=(3,)),\n"
        "  relu,\n"
        "  Sequential(\n"
        "    ELU(alpha=2.0),\n"
        "    Dropout(0.5),\n"
        "  ),\n"
        ")"
    )
