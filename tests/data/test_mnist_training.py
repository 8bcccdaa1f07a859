"""MNIST, part of it, is learnt on machine code as on NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad import nn
from palingrad.data import load
from palingrad.train import Evaluation, evaluate, fit

TESTED = 2000  # images
# What counts as the same: other answers on at most so many images, and test losses apart by at most
# so much. Measured: 5 and 0.003 in 64 trainings for four processors, and as much between NumPy's
# own products for two, for a rounding may decide on which side of 0 a relu is. Between seeds it is
# 70 to 230 images; a learning rate 5% too small is noticed: 25 images and 0.017 with convolutions.
APART, NEAR = 10, 0.01


def mlp() -> nn.Module:
    init = nn.init.he_normal
    return nn.Sequential(
        nn.Linear(784, 100, initializer=init), pg.relu,
        nn.Linear(100, 20, initializer=init), pg.relu, nn.Linear(20, 10),
    )  # fmt: skip


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Reshape(1, 28, 28),
        nn.Conv2D(1, 8, 5, padding="same"), pg.relu, nn.MaxPool2D(2),
        nn.Conv2D(8, 16, 5, padding="same"), pg.relu, nn.MaxPool2D(2),
        nn.Flatten(), nn.Linear(16 * 7 * 7, 10),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("build", "images", "epochs", "rate", "accuracy"),
    [(mlp, 20_000, 2, 0.001, 0.9), (cnn, 1_000, 2, 0.007, 0.8)],
)
def test_machine_code_learns_mnist_as_numpy_does(
    mnist_folder, build, images, epochs, rate, accuracy
):
    data = load("mnist", folder=mnist_folder)
    train = data.train.inputs[:images], data.train.labels[:images]
    test = data.test.inputs[:TESTED], data.test.labels[:TESTED]

    def learnt(engine: str) -> Evaluation:
        pg.set_seed(0)
        model: Any = build()
        fit(model, train, optimizer=pg.optim.Adam(rate), epochs=epochs, engine=engine)
        return evaluate(model, test, engine=engine)

    one, other = learnt("numpy"), learnt("native")
    assert min(one.accuracy, other.accuracy) > accuracy
    assert np.count_nonzero(one.predictions != other.predictions) <= APART
    assert other.loss == pytest.approx(one.loss, rel=NEAR)
