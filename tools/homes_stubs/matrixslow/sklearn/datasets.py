"""Data sets, made up except MNIST."""

from __future__ import annotations

from typing import Any

import numpy as np

import palingrad as pg


def fetch_openml(name: str, **options: Any) -> tuple[Any, Any]:
    """MNIST's training images, 784 numbers in each row, and labels as text."""
    assert name == "mnist_784"
    train = pg.data.load("mnist").train
    return train.images.reshape(-1, 784).astype(float), train.labels.astype(str)


def make_circles(n: int, noise: float, factor: float) -> tuple[Any, Any]:
    """Points of two circles."""
    label = np.arange(n) % 2
    angle = np.random.uniform(0, 2 * np.pi, n)
    points = np.where(label == 1, factor, 1) * np.array([np.cos(angle), np.sin(angle)])
    return points.T + np.random.normal(0, noise, (n, 2)), label


def make_classification(
    n: int, n_features: int, n_informative: int, **options: Any
) -> tuple[Any, Any]:
    """Points of two classes around corners of a cube."""
    label = np.random.randint(0, 2, n)
    corners = np.random.choice([-1.0, 1.0], (2, n_informative))
    points = np.random.normal(size=(n, n_features))
    points[:, :n_informative] += corners[label]
    return points, label
