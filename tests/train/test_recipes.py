"""The models of the command line: their sizes, their losses, their optimizers."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import DataError
from palingrad.optim import Optimizer
from palingrad.train import evaluate, fit, recipe, recipe_names
from palingrad.train.recipes import OPTIMIZERS, make_optimizer, optimizer_of, perceptron_loss
from tolerances import assert_close


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_builds_a_model_for_any_size(name):
    found = recipe(name)
    assert found.name == name
    assert found.build(64, 10)(np.zeros((5, 64), np.float32)).shape == (5, 10)
    assert found.build(784, 7)(np.zeros((2, 28, 28), np.float32)).shape == (2, 7)


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_s_loss_is_one_number_and_its_optimizer_is_known(name):
    found = recipe(name)
    loss = found.loss(np.zeros((5, 10), np.float32), np.arange(5))
    assert loss.shape == ()
    assert found.optimizer in OPTIMIZERS
    assert found.learning_rate > 0


def test_the_mlp_has_two_hidden_layers():
    shapes = [v.shape for v in recipe("mlp").build(784, 10).parameters().values()]
    assert shapes == [(784, 100), (100,), (100, 20), (20,), (20, 10), (10,)]


@pytest.mark.parametrize("name", ["logistic", "perceptron"])
def test_logistic_regression_and_the_perceptron_are_one_layer(name):
    shapes = [v.shape for v in recipe(name).build(784, 10).parameters().values()]
    assert shapes == [(784, 10), (10,)]


@pytest.mark.parametrize(
    ("name", "least"), [("mlp", 0.9), ("logistic", 0.85), ("perceptron", 0.85)]
)
def test_a_recipe_learns_the_digits_in_ten_epochs(name, least, train_part, test_part):
    found = recipe(name)
    pg.set_seed(0)
    model = found.build(64, 10)
    optimizer = make_optimizer(found.optimizer, 5 * found.learning_rate)
    fit(model, train_part, optimizer=optimizer, loss=found.loss, epochs=10)
    assert evaluate(model, test_part, loss=found.loss).accuracy > least


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_is_made_by_name(name):
    optimizer = make_optimizer(name, 0.125)
    assert isinstance(optimizer, Optimizer)
    assert optimizer.learning_rate.item() == 0.125


def test_nesterov_is_momentum_that_looks_ahead():
    assert vars(make_optimizer("nesterov", 0.1))["nesterov"]
    assert not vars(make_optimizer("momentum", 0.1))["nesterov"]


def test_an_optimizer_follows_the_settings_of_a_run():
    settings = {"learning_rate": 0.5, "schedule": "cosine", "warmup": 5}
    optimizer = optimizer_of({**settings, "optimizer": "sgd"}, 20)
    parameter, places = pg.Variable(0.0), [0.0]
    for _ in range(11):
        optimizer.minimize(-parameter)
        places.append(float(parameter.numpy()))
    rates = np.diff(places)  # the slope is −1
    assert rates[0] == pytest.approx(0.5 / 5)
    assert rates[10] == pytest.approx(0.25, rel=1e-6)  # half of the cosine
    adamw = optimizer_of({**settings, "optimizer": "adamw", "weight_decay": 0.25, "clip": 2.0}, 20)
    assert (vars(adamw)["weight_decay"], adamw.clip_norm) == (0.25, 2.0)
    with pytest.raises(DataError, match="an option of adamw, not of adam"):
        optimizer_of({**settings, "optimizer": "adam", "weight_decay": 0.25}, 20)


# ---------------------------------------------------------------- the perceptron's loss

SCORES = np.array([[1.0, 3.0, 2.0], [5.0, 0.0, -1.0], [0.0, 1.0, 4.0]])
LABELS = np.array([2, 0, 1])


def test_the_perceptron_loses_what_the_right_class_lacks():
    assert_close(perceptron_loss(pg.tensor(SCORES), LABELS).numpy(), np.float64((1 + 0 + 3) / 3))


def test_the_perceptron_s_gradient_is_its_update_rule():
    """Wrong answers move the answer's class down and the right one up; right ones move nothing."""
    slope = pg.grad(lambda scores: perceptron_loss(scores, LABELS))(SCORES)
    assert_close(slope, np.array([[0, 1, -1], [0, 0, 0], [0, -1, 1]]) / 3)


def test_the_perceptron_s_gradient_agrees_with_differences():
    pg.check_gradients(lambda scores: perceptron_loss(scores, LABELS), SCORES)


# ---------------------------------------------------------------- mistakes


def test_an_unknown_model_is_an_error_with_the_names_there_are():
    with pytest.raises(DataError, match="unknown model 'transformer'; available: mlp, cnn, log"):
        recipe("transformer")


def test_an_unknown_optimizer_is_an_error_with_the_names_there_are():
    with pytest.raises(DataError, match="unknown optimizer 'lion'; available: adam, adamw"):
        make_optimizer("lion", 0.1)
