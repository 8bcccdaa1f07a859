"""Evaluation equals what NumPy computes from the same weights."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad import nn
from palingrad.train import evaluate
from palingrad.train.recipes import perceptron_loss


def scores_of(model, x):
    """The scores of the small model, in float64."""
    w, b, v, c = (np.float64(p.numpy()) for p in model.parameters().values())
    return np.maximum(x @ w + b, 0) @ v + c


def test_loss_accuracy_and_predictions_equal_numpy_s(make_model, test_part):
    x, labels = test_part
    model = make_model()
    scores = scores_of(model, x)
    largest = scores.max(axis=1, keepdims=True)
    logs = scores - largest - np.log(np.exp(scores - largest).sum(axis=1, keepdims=True))
    found = evaluate(model, test_part)
    assert found.loss == pytest.approx(-logs[np.arange(len(x)), labels].mean(), rel=1e-5)
    assert found.accuracy == np.mean(scores.argmax(axis=1) == labels)
    np.testing.assert_array_equal(found.predictions, scores.argmax(axis=1))


def test_more_examples_than_a_batch_give_the_same_means(make_model, train_part):
    """1,437 examples are evaluated 1,000 and 437 at a time."""
    x, labels = train_part
    model = make_model()
    parts = [evaluate(model, (x[part], labels[part])) for part in (slice(1000), slice(1000, None))]
    whole = evaluate(model, train_part)
    shares = np.array([1000, 437]) / 1437
    assert whole.loss == pytest.approx(shares @ [part.loss for part in parts], rel=1e-12)
    assert whole.accuracy == pytest.approx(shares @ [part.accuracy for part in parts], rel=1e-12)
    assert len(whole.predictions) == 1437


def test_dropout_is_off(make_model, test_part):
    plain = make_model()
    dropping = nn.Sequential(nn.Dropout(0.9), *plain.layers)
    assert evaluate(dropping, test_part).loss == evaluate(plain, test_part).loss


def test_evaluating_changes_nothing(make_model, test_part):
    model = make_model()
    before = {name: v.numpy() for name, v in model.variables().items()}
    evaluate(model, test_part)
    for name, variable in model.variables().items():
        assert variable.numpy() is before[name]


def test_another_loss_can_be_given(make_model, test_part):
    model = make_model()
    scores, labels = scores_of(model, test_part[0]), test_part[1]
    lost = scores.max(axis=1) - scores[np.arange(len(labels)), labels]
    found = evaluate(model, test_part, loss=perceptron_loss)
    assert found.loss == pytest.approx(lost.mean(), rel=1e-5)


def test_no_examples_are_no_error(make_model):
    found = evaluate(make_model(), (np.zeros((0, 64), np.float32), np.zeros(0, np.int64)))
    assert (found.loss, found.accuracy, len(found.predictions)) == (0, 0, 0)


def test_functions_without_parameters_can_be_evaluated():
    def model(x, *, training):
        return pg.tensor(np.eye(3, dtype=np.float32)) * 9 + 0 * pg.sum(x)

    found = evaluate(model, (np.zeros((3, 1)), np.array([0, 1, 0])))
    assert found.accuracy == pytest.approx(2 / 3)
    np.testing.assert_array_equal(found.predictions, [0, 1, 2])
