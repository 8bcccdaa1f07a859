"""The training loop learns, repeats itself bit for bit, and tells what it did."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import palingrad as pg
from palingrad import nn
from palingrad.errors import ArgumentError, DataError, ShapeError
from palingrad.optim import Adam, GradientDescent
from palingrad.train import Epoch, evaluate, fit


def weights(model):
    return {name: variable.numpy() for name, variable in model.parameters().items()}


class Log:
    """A reporter that writes down what it is told."""

    def __init__(self):
        self.calls = []

    def __enter__(self):
        self.calls.append("starts")
        return self

    def __exit__(self, *_):
        self.calls.append("ends")

    def epoch_starts(self, number, epochs, steps):
        self.calls.append(("epoch starts", number, epochs, steps))

    def step_ends(self, loss, accuracy, steps=1):
        self.calls.append(("step ends", loss, accuracy))

    def epoch_ends(self, epoch):
        self.calls.append(("epoch ends", epoch))


# ---------------------------------------------------------------- it learns


def test_it_learns_the_digits(make_model, train_part, test_part):
    history = fit(make_model(), train_part, optimizer=Adam(0.01), test=test_part, epochs=8)
    first, last = history.epochs[0], history.epochs[-1]
    assert last.loss < first.loss / 10
    assert last.accuracy > 0.97
    assert last.test_accuracy is not None
    assert last.test_accuracy > 0.93
    assert not history.interrupted


def test_the_same_seed_gives_the_same_weights_bit_for_bit(make_model, train_part):
    def trained(seed):
        model = make_model()
        model.layers = (nn.Dropout(0.1, seed=3), *model.layers)
        fit(model, train_part, optimizer=Adam(0.01), epochs=2, seed=seed)
        return weights(model)

    first, again, other = trained(1), trained(1), trained(2)
    for name, values in first.items():
        np.testing.assert_array_equal(again[name], values)
        assert (other[name] != values).any()


def test_each_epoch_takes_the_examples_in_another_order(make_model, train_part):
    log = Log()
    still = GradientDescent(0.0)  # the model stays, so the losses tell the mini-batches
    fit(make_model(), train_part, optimizer=still, epochs=2, reporter=log)
    losses = [call[1] for call in log.calls if call[0] == "step ends"]
    first, second = losses[: len(losses) // 2], losses[len(losses) // 2 :]
    assert first[:-1] != second[:-1]
    assert first[-1] == pytest.approx(second[-1], rel=1e-6)  # the mean over all is the same


def test_one_step_with_all_examples_is_the_step_of_plain_gradient_descent(make_model, train_part):
    x, labels = train_part[0][:100], train_part[1][:100]
    model, other = make_model(), make_model()
    fit(model, (x, labels), optimizer=GradientDescent(0.1), epochs=1, batch_size=1000)
    loss = pg.cross_entropy(other(x), labels)
    found = pg.gradients(loss, list(other.parameters().values()))
    for variable, slope in zip(other.parameters().values(), found, strict=True):
        variable.assign(variable - 0.1 * slope)
    for name, values in weights(other).items():
        # float32 sums over 100 examples in another order, beside weights of a tenth and less
        np.testing.assert_allclose(weights(model)[name], values, rtol=1e-5, atol=1e-7)


def test_another_loss_can_be_given(make_model, train_part):
    def squares(scores, labels):
        one_hot = pg.cast(pg.equal(pg.expand_dims(labels, axis=-1), np.arange(10)), pg.float32)
        return pg.mse(scores, one_hot)

    history = fit(make_model(), train_part, optimizer=Adam(0.01), loss=squares, epochs=3)
    assert history.epochs[0].loss > history.epochs[-1].loss
    assert history.epochs[-1].accuracy > 0.8


def test_a_model_is_told_that_it_trains_and_that_it_evaluates(train_part):
    class Told(nn.Module):
        def __init__(self):
            self.weight, self.calls = pg.Variable(np.zeros((64, 10), np.float32)), []

        def forward(self, x, *, training):
            self.calls.append((x.shape, training))
            return x @ self.weight

    model = Told()
    x, labels = train_part[0][:100], train_part[1][:100]
    fit(model, (x, labels), test=(x, labels), optimizer=Adam(), epochs=2, batch_size=64)
    assert model.calls == [((64, 64), True), ((36, 64), True), ((100, 64), False)]  # traced once


# ---------------------------------------------------------------- all examples are used


def test_the_last_smaller_batch_counts_as_its_examples_do(make_model, train_part, test_part):
    """With a model that stays as it is, the epoch's means are those over all examples."""
    x, labels = train_part[0][:100], train_part[1][:100]
    model, log = make_model(), Log()
    history = fit(
        model,
        (x, labels),
        optimizer=GradientDescent(0.0),
        epochs=1,
        batch_size=64,
        reporter=log,
    )
    whole = evaluate(model, (x, labels))
    assert history.epochs[0].loss == pytest.approx(whole.loss, rel=1e-6)
    assert history.epochs[0].accuracy == pytest.approx(whole.accuracy, rel=1e-12)
    assert len([call for call in log.calls if call[0] == "step ends"]) == 2


def test_the_last_smaller_batch_is_learnt_from(train_part):
    x, labels = train_part[0][:65], train_part[1][:65]
    optimizer = GradientDescent(0.1)
    fit(nn.Linear(64, 10, seed=1), (x, labels), optimizer=optimizer, epochs=3, batch_size=64)
    assert optimizer.steps.item() == 6


def test_a_batch_may_be_larger_than_the_data(make_model, train_part):
    optimizer = Adam()
    fit(make_model(), train_part, optimizer=optimizer, epochs=1, batch_size=10**6)
    assert optimizer.steps.item() == 1


def test_labels_and_inputs_may_be_lists_or_of_other_dtypes():
    x, labels = [[0, 1], [1, 0], [0, 2], [2, 0]], [0, 1, 0, 1]
    history = fit(nn.Linear(2, 2, seed=0), (x, labels), optimizer=Adam(0.1), epochs=30)  # pyright: ignore[reportArgumentType]
    assert history.epochs[-1].accuracy == 1


def test_a_model_in_float64_stays_in_float64(train_part):
    model = nn.Linear(64, 10, seed=1, dtype=pg.float64)
    fit(model, train_part, optimizer=Adam(), epochs=1)
    assert {v.dtype for v in model.parameters().values()} == {pg.float64}


# ---------------------------------------------------------------- what it tells


def test_the_history_has_every_epoch(make_model, train_part, test_part):
    model = make_model()
    history = fit(model, train_part, optimizer=Adam(), test=test_part, epochs=3)
    assert [epoch.number for epoch in history.epochs] == [1, 2, 3]
    assert all(epoch.seconds > 0 for epoch in history.epochs)
    last = evaluate(model, test_part)
    assert (history.epochs[-1].test_loss, history.epochs[-1].test_accuracy) == (
        last.loss,
        last.accuracy,
    )


def test_without_test_data_there_are_no_test_numbers(make_model, train_part):
    history = fit(make_model(), train_part, optimizer=Adam(), epochs=1)
    assert (history.epochs[0].test_loss, history.epochs[0].test_accuracy) == (None, None)


def test_on_epoch_sees_the_history_grow(make_model, train_part):
    lengths = []
    history = fit(
        make_model(),
        train_part,
        optimizer=Adam(),
        epochs=3,
        on_epoch=lambda history: lengths.append(len(history.epochs)),
    )
    assert lengths == [1, 2, 3]
    assert len(history.epochs) == 3


def test_a_reporter_is_told_everything_in_order(make_model, train_part):
    x, labels = train_part[0][:100], train_part[1][:100]
    log = Log()
    history = fit(make_model(), (x, labels), optimizer=Adam(), epochs=2, reporter=log)
    first, second = history.epochs
    calls = [call for call in log.calls if call[0] != "step ends"]
    assert calls == [
        "starts",
        ("epoch starts", 1, 2, 2),
        ("epoch ends", first),
        ("epoch starts", 2, 2, 2),
        ("epoch ends", second),
        "ends",
    ]
    last = [call for call in log.calls if call[0] == "step ends"][-1]
    assert last[1:] == (second.loss, second.accuracy)


def test_a_reporter_is_closed_when_a_callback_fails(make_model, train_part):
    def fail(history):
        raise RuntimeError("disk full")

    log = Log()
    with pytest.raises(RuntimeError, match="disk full"):
        fit(make_model(), train_part, optimizer=Adam(), epochs=2, reporter=log, on_epoch=fail)
    assert log.calls[-1] == "ends"


def test_it_works_in_another_thread(make_model, train_part):
    """Only the main thread can take Ctrl-C; elsewhere training does without."""
    found = []
    model = make_model()
    thread = threading.Thread(
        target=lambda: found.append(fit(model, train_part, optimizer=Adam(), epochs=1))
    )
    thread.start()
    thread.join()
    assert isinstance(found[0].epochs[0], Epoch)


# ---------------------------------------------------------------- mistakes


def test_a_loss_that_is_not_finite_ends_training(make_model, train_part):
    saved = []
    with pytest.raises(
        DataError, match=r"the loss became (nan|inf) in epoch 1: try a smaller learning rate"
    ):
        fit(
            make_model(),
            train_part,
            optimizer=GradientDescent(1e30),
            epochs=3,
            on_epoch=lambda history: saved.append(history),
        )
    assert not saved  # nothing broken is kept


def test_inputs_with_nan_end_training(make_model, train_part):
    x = train_part[0][:100].copy()
    x[3, 5] = np.nan
    model = make_model()
    before = {name: variable.numpy() for name, variable in model.variables().items()}
    with pytest.raises(DataError, match="fit: row 3 of the inputs in train is nan at 5"):
        fit(model, (x, train_part[1][:100]), optimizer=Adam(), epochs=2)
    for name, variable in model.variables().items():  # found before the first update
        np.testing.assert_array_equal(variable.numpy(), before[name])


def test_labels_outside_the_classes_end_training(make_model, train_part):
    labels = train_part[1][:100] + 5
    model = make_model()
    before = {name: variable.numpy() for name, variable in model.variables().items()}
    with pytest.raises(ShapeError, match=r"fit: label 14 in train \(row \d+\) is no class"):
        fit(model, (train_part[0][:100], labels), optimizer=Adam(), epochs=2)
    for name, variable in model.variables().items():  # found before the first update
        np.testing.assert_array_equal(variable.numpy(), before[name])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "fit: epochs is 0; expected an integer ≥ 1"),
        ({"batch_size": 0}, "fit: batch_size is 0; expected an integer ≥ 1"),
    ],
)
def test_epochs_and_batch_size_are_positive(make_model, train_part, options, message):
    with pytest.raises(ArgumentError, match=message):
        fit(make_model(), train_part, optimizer=Adam(), **options)


def test_inputs_and_labels_are_as_many(make_model, train_part):
    with pytest.raises(ShapeError, match="fit: 1437 inputs but 10 labels"):
        fit(make_model(), (train_part[0], train_part[1][:10]), optimizer=Adam())


def test_there_must_be_examples(make_model, train_part):
    with pytest.raises(ShapeError, match="fit: no examples to train on"):
        fit(make_model(), (train_part[0][:0], train_part[1][:0]), optimizer=Adam())
