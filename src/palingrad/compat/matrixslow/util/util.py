"""MNIST as matrices, and classes by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....data.mnist import load_source
from ....data.sources import MNIST

__all__ = ["ClassMining", "mnist"]


def mnist(path: str | None = None) -> tuple[Any, Any, Any, Any]:
    """(train images, train labels, test images, test labels): float32 of 0 … 1, (n, 784), and uint8
    of one 1 in each row, (n, 10). path: the folder of the four files; by default PALINGRAD_DATA's,
    or a download, as palingrad's data sets are found."""
    data = load_source(MNIST, path)
    found = []
    for part in (data.train, data.test):
        found.append(part.images.reshape(-1, 784).astype(np.float32) / 255)
        found.append(np.eye(10, dtype=np.uint8)[part.labels])
    return tuple(found)  # type: ignore[return-value]


class ClassMining:
    """The subclasses of a class, by name."""

    @classmethod
    def get_subclass_list(cls, model: type) -> list[type]:
        """All subclasses, each before its own."""
        found: list[type] = []
        for one in model.__subclasses__():
            found += [one, *cls.get_subclass_list(one)]
        return found

    @classmethod
    def get_subclass_dict(cls, model: type) -> dict[type, str]:
        """The names of all subclasses."""
        return {one: one.__name__ for one in cls.get_subclass_list(model)}

    @classmethod
    def get_subclass_names(cls, model: type) -> list[str]:
        """The names of all subclasses."""
        return [one.__name__ for one in cls.get_subclass_list(model)]

    @classmethod
    def get_instance_by_subclass_name(cls, model: type, name: str) -> Any:
        """The first subclass of that name; None if there is none."""
        return next((one for one in cls.get_subclass_list(model) if one.__name__ == name), None)
