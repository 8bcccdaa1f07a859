"""The data sets of handwritten digits and clothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import data
from ...nn.module import Module
from ..recipes import recipe, recipe_names

MODELS = tuple(recipe_names())


def begin(settings: dict[str, Any], folder: str | None) -> dict[str, Any]:
    """The settings with the numbers of features and classes."""
    loaded = data.load(settings["dataset"], folder=folder)
    defaults = recipe(settings["model"])
    return {
        **settings,
        "features": loaded.num_inputs,
        "classes": len(loaded.classes),
        "epochs": settings["epochs"] or (50 if settings["dataset"] == "digits" else 10),
        "optimizer": settings["optimizer"] or defaults.optimizer,
        "learning_rate": defaults.learning_rate if settings["learning_rate"] is None
        else settings["learning_rate"],
        "batch_size": settings["batch_size"] or 64,
    }  # fmt: skip


def build(settings: Mapping[str, Any]) -> Module:
    """The recipe's model."""
    return recipe(settings["model"]).build(settings["features"], settings["classes"])


def load(settings: Mapping[str, Any], folder: str | None) -> data.Dataset:
    """The data set."""
    return data.load(settings["dataset"], folder=folder)


def loss(settings: Mapping[str, Any]) -> Any:
    """The recipe's loss."""
    return recipe(settings["model"]).loss


def metrics(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """None beside the accuracy."""
    return ()


def describe(loaded: data.Dataset) -> str:
    """How many examples there are."""
    return (f"{loaded.name}: {len(loaded.train):,} training examples, {len(loaded.test):,} test "
            "examples")  # fmt: skip
