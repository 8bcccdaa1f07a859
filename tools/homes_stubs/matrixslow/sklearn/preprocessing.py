"""Encoders of labels."""

from __future__ import annotations

from typing import Any

import numpy as np


class LabelEncoder:
    """Labels as numbers from 0, in sorted order."""

    def fit_transform(self, y: Any) -> Any:
        """The numbers."""
        return np.unique(np.asarray(y), return_inverse=True)[1]


class OneHotEncoder:
    """A column of numbers as rows of one 1."""

    def __init__(self, sparse: bool = True) -> None:
        assert not sparse

    def fit_transform(self, y: Any) -> Any:
        """The rows."""
        classes, index = np.unique(np.asarray(y).ravel(), return_inverse=True)
        return np.eye(len(classes))[index]
