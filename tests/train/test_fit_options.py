"""What fit can be told: losses and metrics by name, inputs of all forms, validation, patience."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad import nn
from palingrad.errors import ArgumentError, DataError, DTypeError, ShapeError
from palingrad.optim import Adam, GradientDescent
from palingrad.train import evaluate, fit

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3)).astype(np.float32)
SLOPES = np.array([[1.0], [-2.0], [0.5]], np.float32)
Y = X @ SLOPES + 0.25
CLASSES = (Y[:, 0] > 0).astype(np.int64)


def linear(seed=1, outputs=1):
    return nn.Linear(3, outputs, seed=seed)


def weights(model):
    return {name: v.numpy() for name, v in model.parameters().items()}


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_a_regression_finds_the_line(loss):
    model = linear()
    history = fit(model, (X, Y), optimizer=Adam(0.1), loss=loss, epochs=40, validation=0.2,
                  metrics=["mae", "r2"])  # fmt: skip
    last = history.epochs[-1]
    np.testing.assert_allclose(model.weight.numpy(), SLOPES, atol=0.05)
    assert last.accuracy is None
    assert last.test_accuracy is None
    assert last.metrics["r2"] > 0.99
    found = evaluate(model, (X, Y), loss=loss, metrics=["r2"])
    assert found.predictions.shape == (200, 1)


def test_a_binary_classification_by_logits():
    model = nn.Sequential(linear(), lambda y: y[:, 0])
    history = fit(
        model, (X, CLASSES.astype(np.float32)), optimizer=Adam(0.1), epochs=20,
        loss="binary_cross_entropy", validation=0.25, metrics=["auc", "accuracy"],
    )  # fmt: skip
    assert history.epochs[-1].metrics["auc"] > 0.99
    assert history.epochs[-1].metrics["accuracy"] > 0.9


def test_the_shapes_of_predictions_and_targets_must_agree():
    with pytest.raises(ShapeError, match=r"prediction .* and target .* differ in shape"):
        fit(linear(), (X, Y[:, 0]), optimizer=Adam(), loss="mse")


class Two(nn.Module):
    """A model of two inputs."""

    def __init__(self) -> None:
        self.first, self.second = nn.Linear(2, 2, seed=1), nn.Linear(1, 2, seed=2)

    def forward(self, a, b, *, training):
        return self.first(a, training=training) + self.second(b, training=training)


def test_inputs_are_a_tuple_or_a_dict():
    model, other = Two(), Two()

    class Named(nn.Module):
        def __init__(self) -> None:
            self.inner = other

        def forward(self, x, *, training):
            return self.inner(x["a"], x["b"], training=training)

    pair = X[:, :2], X[:, 2:]
    fit(model, (pair, CLASSES), optimizer=Adam(0.1), epochs=3)
    history = fit(Named(), ({"a": pair[0], "b": pair[1]}, CLASSES), optimizer=Adam(0.1), epochs=3,
                  test=({"a": pair[0], "b": pair[1]}, CLASSES))  # fmt: skip
    for name, value in weights(model).items():
        np.testing.assert_array_equal(weights(other)[name], value)
    assert history.epochs[-1].test_accuracy is not None
    assert history.epochs[-1].test_accuracy > 0.8
    with pytest.raises(ArgumentError, match=r"isn't called model\(x, training=True\)"):
        fit(linear(), (pair, CLASSES), optimizer=Adam())


def test_batches_from_an_iterable_are_those_of_arrays():
    model, other = linear(outputs=2), linear(outputs=2)
    fit(model, (X, CLASSES), optimizer=Adam(0.1), epochs=2, batch_size=64, seed=3)
    epochs = iter([1, 2])

    def anew():
        return pg.data.batches((X, CLASSES), 64, seed=3, epoch=next(epochs))

    history = fit(other, anew, optimizer=Adam(0.1), epochs=2)
    for name, value in weights(model).items():
        np.testing.assert_array_equal(weights(other)[name], value)
    assert len(history.epochs) == 2


def test_an_iterator_that_is_used_up_is_refused():
    batches = pg.data.batches((X, CLASSES), 64)
    with pytest.raises(ArgumentError, match="the iterator is used up after the first epoch"):
        fit(linear(outputs=2), batches, optimizer=Adam(), epochs=2)
    with pytest.raises(ArgumentError, match="the iterable gave no batches"):
        fit(linear(outputs=2), lambda: iter(()), optimizer=Adam())
    with pytest.raises(ArgumentError, match="batch 0 is a ndarray; expected inputs and targets"):
        fit(linear(outputs=2), lambda: iter([X]), optimizer=Adam())


def test_tokens_have_a_class_at_each_place():
    tokens = RNG.integers(0, 5, (40, 7))
    model = pg.models.char_rnn(5, width=8, seed=1)
    pair = tokens[:, :-1], tokens[:, 1:]
    history = fit(model, pair, optimizer=Adam(), epochs=1, batch_size=16, test=pair,
                  metrics=["perplexity"])  # fmt: skip
    last = history.epochs[0]
    assert 0 <= (last.accuracy or 0) <= 1
    assert last.metrics["perplexity"] == pytest.approx(np.exp(last.test_loss or 0), rel=1e-5)


def test_weights_of_classes_are_those_of_repeated_examples():
    rare = np.flatnonzero(CLASSES == 1)
    model, other = linear(outputs=2), linear(outputs=2)
    fit(model, (X, CLASSES), optimizer=GradientDescent(0.1), epochs=1, batch_size=1000,
        class_weights={1: 3.0})  # fmt: skip
    x, y = (np.concatenate([a, a[rare], a[rare]]) for a in (X, CLASSES))
    fit(other, (x, y), optimizer=GradientDescent(0.1), epochs=1, batch_size=1000)
    for name, value in weights(model).items():
        np.testing.assert_allclose(weights(other)[name], value, rtol=1e-5, atol=1e-7)
    with pytest.raises(ArgumentError, match="3 class_weights for a model of 2 outputs"):
        fit(model, (X, CLASSES), optimizer=Adam(), class_weights=[1, 2, 3])
    with pytest.raises(ArgumentError, match="class_weights are for loss='cross_entropy'"):
        fit(model, (X, Y), optimizer=Adam(), loss="mse", class_weights=[1])


@pytest.mark.parametrize(("size", "batches"), [(25, 4), (64, 4), (64, 2)])
def test_accumulated_batches_are_one_large_batch(size, batches):
    """Mean gradients of batches of different sizes too: 200 examples are 64, 64, 64 and 8."""
    model, other = linear(outputs=2), linear(outputs=2)
    fit(model, (X, CLASSES), optimizer=GradientDescent(0.1), epochs=2, batch_size=size,
        accumulate=batches)  # fmt: skip
    fit(other, (X, CLASSES), optimizer=GradientDescent(0.1), epochs=2, batch_size=size * batches)
    for name, value in weights(model).items():
        np.testing.assert_allclose(weights(other)[name], value, rtol=1e-5, atol=1e-7)


def test_epochs_go_on_where_they_ended():
    """2 + 2 epochs are the 4 of one training, to the bit, with dropout."""

    def made():
        return nn.Sequential(
            nn.Linear(3, 8, seed=1), nn.Dropout(0.5, seed=2), nn.Linear(8, 2, seed=3)
        )

    model, other, optimizer, rule = made(), made(), Adam(0.01), Adam(0.01)
    fit(model, (X, CLASSES), optimizer=optimizer, epochs=4)
    first = fit(other, (X, CLASSES), optimizer=rule, epochs=2)
    second = fit(other, (X, CLASSES), optimizer=rule, epochs=2, first_epoch=3)
    assert [epoch.number for epoch in (*first.epochs, *second.epochs)] == [1, 2, 3, 4]
    for name, value in model.variables().items():
        np.testing.assert_array_equal(other.variables()[name].numpy(), value.numpy())


def test_patience_puts_the_best_epoch_back():
    """With a test set of shuffled labels, training makes the test loss worse."""
    model = nn.Sequential(nn.Linear(3, 32, seed=1), pg.relu, nn.Linear(32, 2, seed=2))
    test = X[:50], RNG.permutation(CLASSES[:50])
    kept = []
    history = fit(model, (X, CLASSES), optimizer=Adam(0.05), test=test, patience=3, epochs=50,
                  on_epoch=lambda history: kept.append(weights(model)))  # fmt: skip
    losses = [epoch.test_loss for epoch in history.epochs]
    best = int(np.argmin(losses))
    assert history.stopped_early
    assert history.best_epoch == best + 1
    assert len(losses) == best + 1 + 3
    for name, value in weights(model).items():
        np.testing.assert_array_equal(kept[best][name], value)
    assert evaluate(model, test).loss == pytest.approx(losses[best], rel=1e-6)


def test_callbacks_are_called_in_order_after_the_evaluation():
    calls = []
    test = X[:20], CLASSES[:20]
    fit(linear(outputs=2), (X, CLASSES), optimizer=Adam(), epochs=2, test=test,
        on_epoch=[lambda h: calls.append(("a", h.epochs[-1].test_loss is not None)),
                  lambda h: calls.append(("b", len(h.epochs)))])  # fmt: skip
    assert calls == [("a", True), ("b", 1), ("a", True), ("b", 2)]


def test_wrong_data_are_refused_before_the_first_update():
    model = linear(outputs=2)
    before = weights(model)
    one_hot = np.eye(2, dtype=np.int64)[CLASSES]
    bad = np.where(np.arange(200)[:, None] == 7, np.nan, Y)
    with pytest.raises(DTypeError, match=r"one integer for each.*y\.argmax\(axis=1\)"):
        fit(model, (X, one_hot), optimizer=Adam())
    with pytest.raises(ShapeError, match=r"label 2 in train .* labels - 1|Classes are numbered"):
        fit(model, (X, CLASSES + 1), optimizer=Adam())
    with pytest.raises(pg.errors.DataError, match="row 7 of the targets in train is nan"):
        fit(linear(), (X, bad), optimizer=Adam(), loss="mse")
    broken = np.where(np.arange(200)[:, None] == 3, np.inf, X)
    with pytest.raises(pg.errors.DataError, match="row 3 of the inputs in batch 0 is inf"):
        fit(model, lambda: pg.data.batches((broken, CLASSES), 50), optimizer=Adam())
    with pytest.raises(ArgumentError, match="there is no loss 'mes'"):
        fit(model, (X, Y), optimizer=Adam(), loss="mes")
    with pytest.raises(ArgumentError, match="there is no metric 'auk'"):
        fit(model, (X, CLASSES), optimizer=Adam(), metrics=["auk"])
    with pytest.raises(ArgumentError, match="patience looks at the test loss"):
        fit(model, (X, CLASSES), optimizer=Adam(), patience=2)
    with pytest.raises(ArgumentError, match=r"validation=0\.001 of 200 examples is 0"):
        fit(model, (X, CLASSES), optimizer=Adam(), validation=0.001)
    for name, value in weights(model).items():
        np.testing.assert_array_equal(before[name], value)


def _with(change, part):
    """Batches of which the second is changed in its inputs (0) or targets (1)."""
    found = [(X[:8].copy(), CLASSES[:8].copy()), (X[8:16].copy(), CLASSES[8:16].copy())]
    batch = list(found[1])
    batch[part] = change(batch[part])
    return [found[0], tuple(batch)]


def _put(row, value):
    def change(x):
        x[row] = value
        return x

    return change


@pytest.mark.parametrize(
    ("change", "part", "message"),
    [
        (_put(3, np.nan), 0, "row 3 of the inputs in batch 1 is nan at 0"),
        (_put(2, 7), 1, r"label 7 in batch 1 \(row 2\) is no class: the model has 2 outputs"),
        (lambda y: y + 1, 1, "labels are 1 … 2. Classes are numbered from 0: labels - 1"),
        (lambda y: np.eye(2, dtype=int)[y], 1, r"labels in batch 1 are int64 of shape \(8, 2\)"),
        (lambda y: y.astype(float), 1, "labels in batch 1 are float64"),
        (lambda y: y[:5], 1, "8 inputs but 5 labels in batch 1"),
        (lambda x: x[:0], 0, "0 inputs but 8 labels in batch 1"),
    ],
)
def test_each_batch_of_a_stream_is_looked_at_before_its_update(change, part, message):
    model, other = linear(outputs=2), linear(outputs=2)
    with pytest.raises((DataError, DTypeError, ShapeError), match=message):
        fit(model, lambda: iter(_with(change, part)), optimizer=Adam(0.1), epochs=1)
    fit(other, lambda: iter(_with(lambda x: x, part)[:1]), optimizer=Adam(0.1), epochs=1)
    for name, value in weights(model).items():
        np.testing.assert_array_equal(value, weights(other)[name])  # after the first batch


def test_targets_of_a_stream_that_are_no_classes_are_finite():
    bad = X[:8], _put(4, np.inf)(Y[:8].copy())
    with pytest.raises(DataError, match="row 4 of the targets in batch 0 is inf"):
        fit(linear(), lambda: iter([bad]), optimizer=Adam(0.1), loss="mse")
