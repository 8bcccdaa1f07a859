"""The embedded digits, and a small model to learn them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import palingrad as pg
from palingrad import nn
from palingrad.data import Dataset, load

Part = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load("digits")


@pytest.fixture(scope="session")
def train_part(digits: Dataset) -> Part:
    return digits.train.inputs, digits.train.labels


@pytest.fixture(scope="session")
def test_part(digits: Dataset) -> Part:
    return digits.test.inputs, digits.test.labels


@pytest.fixture
def make_model() -> Callable[[], nn.Module]:
    """A network of one hidden layer, the same each time."""
    return lambda: nn.Sequential(
        nn.Linear(64, 32, initializer=nn.init.he_normal, seed=1), pg.relu, nn.Linear(32, 10, seed=2)
    )
