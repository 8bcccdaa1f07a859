"""Folders of images, one for each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import models
from ...data.image_folder import ImageFolder, read_images
from ...errors import DataError
from ...nn.module import Module

MODELS = ("resnet20", "lenet", "mlp")


def begin(settings: dict[str, Any], folder: str | None) -> dict[str, Any]:
    """The settings with the images' shape and the classes' names."""
    found = _read(settings)
    return {
        **settings,
        "shape": list(found.shape),
        "names": found.classes,
        "epochs": settings["epochs"] or 20,
        "optimizer": settings["optimizer"] or "adam",
        "learning_rate": 1e-3 if settings["learning_rate"] is None else settings["learning_rate"],
        "batch_size": settings["batch_size"] or 64,
    }


def _read(settings: Mapping[str, Any]) -> ImageFolder:
    return read_images(settings["source"], size=settings.get("size"), seed=settings["seed"])


def build(settings: Mapping[str, Any]) -> Module:
    """The model of a run."""
    channels, height, width = settings["shape"]
    classes, name = len(settings["names"]), settings["model"]
    if name == "resnet20":
        return models.resnet20(classes, channels=channels)
    if name == "lenet":
        if height != width or height < 16:
            raise DataError(f"lenet takes square images of 16 and more, these are {height} × "
                            f"{width}.", hint="Pass --size 28.")  # fmt: skip
        return models.lenet(classes, channels=channels, side=height)
    return models.mlp(channels * height * width, 100, classes)


def load(settings: Mapping[str, Any], folder: str | None) -> ImageFolder:
    """The images. Raises DataError if there are other classes now."""
    found = _read(settings)
    if found.classes != settings["names"] or list(found.shape) != settings["shape"]:
        raise DataError(f"{settings['source']} has changed since the run began.",
                        hint="Start a new run, or restore the folder.")  # fmt: skip
    return found


def loss(settings: Mapping[str, Any]) -> Any:
    """Cross-entropy."""
    return "cross_entropy"


def metrics(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """None beside the accuracy."""
    return ()


def describe(loaded: ImageFolder) -> str:
    """How many images there are."""
    channels, height, width = loaded.shape
    kind = "grey" if channels == 1 else "coloured"
    return (
        f"{len(loaded.train[1]):,} training and {len(loaded.test[1]):,} test images, {kind}, "
        f"{height} × {width}, of {len(loaded.classes)} classes"
    )
