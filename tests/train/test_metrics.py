"""Metrics against scikit-learn's, in any batches and in any order."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from sklearn import metrics as sk

from palingrad.errors import ArgumentError, ShapeError
from palingrad.train import metrics
from palingrad.train.metrics.exact import ExactSum

pytestmark = pytest.mark.tiny

RNG = np.random.default_rng(0)
N = 200
LABELS = RNG.integers(0, 4, N)
SCORES = np.round(RNG.normal(size=(N, 4)) + 1.5 * np.eye(4)[LABELS], 1)  # with equal ones
BITS = RNG.integers(0, 2, N)
LOGITS = np.round(RNG.normal(size=N) + BITS, 1)
TARGETS = RNG.normal(size=N) * 10 + 1e6
GUESSES = TARGETS + RNG.normal(size=N)
TAKEN = SCORES.argmax(1)
SHARES = np.exp(SCORES) / np.exp(SCORES).sum(1, keepdims=True)

ROWS = [
    (metrics.Accuracy, SCORES, LABELS, sk.accuracy_score(LABELS, TAKEN)),
    (metrics.Accuracy, LOGITS, BITS, sk.accuracy_score(BITS, LOGITS > 0)),
    (lambda: metrics.TopK(2), SCORES + 1e-3 * np.arange(4)[::-1], LABELS,
     sk.top_k_accuracy_score(LABELS, SCORES + 1e-3 * np.arange(4)[::-1], k=2)),
    (metrics.ConfusionMatrix, SCORES, LABELS, sk.confusion_matrix(LABELS, TAKEN)),
    *[
        (lambda kind=kind, average=average: kind(average), SCORES, LABELS,
         score(LABELS, TAKEN, average=average))
        for kind, score in [(metrics.Precision, sk.precision_score),
                            (metrics.Recall, sk.recall_score), (metrics.F1, sk.f1_score)]
        for average in ("macro", "micro", None)
    ],
    (lambda: metrics.F1("binary"), LOGITS, BITS, sk.f1_score(BITS, LOGITS > 0)),
    (metrics.ROC, LOGITS, BITS, sk.roc_auc_score(BITS, LOGITS)),
    (metrics.ROC, np.stack([0 * LOGITS, LOGITS], 1), BITS, sk.roc_auc_score(BITS, LOGITS)),
    (metrics.AveragePrecision, LOGITS, BITS, sk.average_precision_score(BITS, LOGITS)),
    (metrics.LogLoss, SCORES, LABELS, sk.log_loss(LABELS, SHARES)),
    (metrics.LogLoss, LOGITS, BITS, sk.log_loss(BITS, 1 / (1 + np.exp(-LOGITS)))),
    (metrics.Perplexity, SCORES, LABELS, math.exp(sk.log_loss(LABELS, SHARES))),
    (metrics.MSE, GUESSES, TARGETS, sk.mean_squared_error(TARGETS, GUESSES)),
    (metrics.MAE, GUESSES, TARGETS, sk.mean_absolute_error(TARGETS, GUESSES)),
    (metrics.R2, GUESSES, TARGETS, sk.r2_score(TARGETS, GUESSES)),
]  # fmt: skip


@pytest.mark.parametrize(("make", "scores", "targets", "wanted"), ROWS)
def test_a_metric_is_scikit_learn_s(make, scores, targets, wanted):
    whole = make()
    whole.add(scores, targets)
    np.testing.assert_allclose(whole.result(), wanted, rtol=1e-12)


@pytest.mark.parametrize(("make", "scores", "targets", "wanted"), ROWS)
def test_batches_and_their_order_make_no_difference(make, scores, targets, wanted):
    whole, parts, other = make(), make(), make()
    whole.add(scores, targets)
    order = RNG.permutation(N)
    for first, last in [(0, 1), (1, 1), (1, 90)]:
        parts.add(scores[order[first:last]], targets[order[first:last]])
    other.add(scores[order[90:]], targets[order[90:]])
    parts.merge(other)
    np.testing.assert_array_equal(parts.result(), whole.result())


@pytest.mark.parametrize("scores", [LOGITS, LOGITS[::-1]])
def test_curves_are_scikit_learn_s(scores):
    roc, precision = metrics.ROC(), metrics.AveragePrecision()
    roc.add(scores, BITS)
    precision.add(scores, BITS)
    x, y, thresholds = sk.roc_curve(BITS, scores, drop_intermediate=False)
    np.testing.assert_allclose(roc.curve(), [x, y, thresholds])
    y, x, thresholds = sk.precision_recall_curve(BITS, scores)
    found = precision.curve()
    np.testing.assert_allclose(found.x, x[:-1][::-1])
    np.testing.assert_allclose(found.y, y[:-1][::-1])
    np.testing.assert_allclose(found.thresholds, thresholds[::-1])


def test_calibration_is_the_mean_distance_of_the_bins():
    metric = metrics.Calibration(bins=2)
    confident = np.array([0.6, 0.7, 0.9, 0.55])
    metric.add(np.log(confident / (1 - confident)), np.array([1, 0, 1, 1]))
    assert metric.result() == pytest.approx(abs(confident.mean() - 0.75))
    x, y, edges = metric.curve()
    np.testing.assert_allclose([x[0], y[0], edges[0]], [confident.mean(), 0.75, 0.5])


def test_an_exact_sum_is_that_of_fractions():
    numbers = np.concatenate([RNG.normal(size=50) * 10.0 ** RNG.integers(-300, 300, 50),
                              [5e-324, -5e-324, 1.7e308, 0.0, -0.0, 1e-310]])  # fmt: skip
    total = ExactSum()
    total.add(numbers)
    assert total.fraction() == sum(map(Fraction, numbers.tolist()))
    total.add([np.inf])
    assert float(total) == np.inf
    total.add([-np.inf])
    assert math.isnan(float(total))


@pytest.mark.parametrize("name", metrics.NAMES)
def test_nothing_has_no_value(name):
    result = metrics.made(name).result()
    assert name == "confusion" or math.isnan(result)


def test_wrong_inputs_are_refused_by_name():
    with pytest.raises(ShapeError, match=r"Accuracy: scores \(2, 3\) and targets \(3,\) don't"):
        metrics.Accuracy().add(np.zeros((2, 3)), np.zeros(3, int))
    with pytest.raises(ShapeError, match=r"MSE: predictions \(2, 1\) for targets \(2,\)"):
        metrics.MSE().add(np.zeros((2, 1)), np.zeros(2))
    with pytest.raises(ArgumentError, match="ROC: targets are 0 and 1"):
        metrics.ROC().add(np.zeros(2), np.array([1, 2]))
    with pytest.raises(ArgumentError, match=r"there is no metric 'acuracy'.*'accuracy'"):
        metrics.made("acuracy")
    with pytest.raises(ArgumentError, match="can't be merged with MAE"):
        metrics.MSE().merge(metrics.MAE())
    binary = metrics.F1("binary")
    binary.add(SCORES, LABELS)
    with pytest.raises(ArgumentError, match="average='binary' is for two classes, there are 4"):
        binary.result()


def test_a_constant_target_has_no_determination():
    metric = metrics.R2()
    metric.add(np.array([1.0, 2.0]), np.array([0.1, 0.1]))
    assert math.isnan(metric.result())
