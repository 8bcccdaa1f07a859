"""The models of the command line, each with its loss and its default optimizer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import nn
from ..errors import DataError
from ..graph.node import Node
from ..graph.registry import ops
from ..optim import (
    AdaGrad,
    Adam,
    AdamW,
    GradientDescent,
    Momentum,
    Optimizer,
    RMSProp,
    cosine_decay,
    exponential_decay,
    warmup,
)

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adam": Adam,
    "adamw": AdamW,
    "adagrad": AdaGrad,
    "momentum": Momentum,
    "nesterov": lambda rate, **options: Momentum(rate, nesterov=True, **options),
    "rmsprop": RMSProp,
    "sgd": GradientDescent,
}


@dataclass(frozen=True)
class Recipe:
    """A model, built from the numbers of features and classes; its loss; its default optimizer."""

    name: str
    build: Callable[[int, int], nn.Module]
    loss: Callable[[Any, Any], Node]
    optimizer: str
    learning_rate: float


def _mlp(features: int, classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(features, 100, initializer=nn.init.he_normal),
        ops.relu,
        nn.Linear(100, 20, initializer=nn.init.he_normal),
        ops.relu,
        nn.Linear(20, classes),
    )


def _cnn(features: int, classes: int) -> nn.Module:
    side = math.isqrt(features)
    return nn.Sequential(
        nn.Reshape(1, side, side),
        nn.Conv2D(1, 32, 5, padding="same"),
        ops.relu,
        nn.MaxPool2D(2),
        nn.Conv2D(32, 64, 5, padding="same"),
        ops.relu,
        nn.MaxPool2D(2),
        nn.Flatten(),
        nn.Linear(64 * (side // 4) ** 2, 512, initializer=nn.init.he_normal),
        ops.relu,
        nn.Dropout(0.5),
        nn.Linear(512, classes),
    )


def _linear(features: int, classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(features, classes))


def perceptron_loss(scores: Any, labels: Any) -> Node:
    """The mean of maxⱼ scoreⱼ − score of the true class; 0 for a correctly classified example.

    Its gradient is the perceptron's update rule (Rosenblatt 1958; for several classes Collins
    2002). scores: (batch, classes), labels: integers (batch,).
    """
    classes = scores.shape[-1]
    right = ops.sum(ops.where(_one_hot(labels, classes), scores, 0), axis=-1)  # (batch,)
    return ops.mean(ops.max(scores, axis=-1) - right)


def _one_hot(labels: Any, classes: int) -> Node:
    return ops.equal(ops.expand_dims(labels, axis=-1), list(range(classes)))  # (batch, classes)


_RECIPES = {
    "mlp": Recipe("mlp", _mlp, ops.cross_entropy, "adam", 0.001),
    "cnn": Recipe("cnn", _cnn, ops.cross_entropy, "adam", 0.001),
    "logistic": Recipe("logistic", _linear, ops.cross_entropy, "adam", 0.001),
    "perceptron": Recipe("perceptron", _linear, perceptron_loss, "sgd", 0.1),
}


def recipe(name: str) -> Recipe:
    """The recipe of this name. Raises DataError, which lists the names."""
    if name not in _RECIPES:
        raise DataError(f"unknown model {name!r:.60}; available: {', '.join(_RECIPES)}")
    return _RECIPES[name]


def recipe_names() -> list[str]:
    """The names of all recipes."""
    return list(_RECIPES)


def make_optimizer(name: str, learning_rate: Any, **options: Any) -> Optimizer:
    """The optimizer of this name. Raises DataError, which lists the names."""
    if name not in OPTIMIZERS:
        raise DataError(f"unknown optimizer {name!r:.60}; available: {', '.join(OPTIMIZERS)}")
    return OPTIMIZERS[name](learning_rate, **options)


def optimizer_of(settings: Mapping[str, Any], steps: int) -> Optimizer:
    """The optimizer of a run's settings, for a training of so many steps."""
    rate: Any = settings["learning_rate"]
    if settings.get("schedule") == "cosine":
        rate = cosine_decay(rate, steps=max(steps, 1))
    elif settings.get("schedule") == "exponential":
        rate = exponential_decay(rate, steps=max(steps, 1), rate=0.01)
    if settings.get("warmup") is not None:
        rate = warmup(rate, steps=settings["warmup"])
    name, given = settings["optimizer"], {"clip_norm": settings.get("clip"),
                                          "weight_decay": settings.get("weight_decay")}  # fmt: skip
    if given["weight_decay"] is not None and name != "adamw":
        raise DataError(f"weight decay is an option of adamw, not of {name}.",
                        hint="Write --optimizer adamw.")  # fmt: skip
    return make_optimizer(name, rate, **{k: x for k, x in given.items() if x is not None})
