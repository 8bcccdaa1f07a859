"""Model: what has parameters, and a function of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from typing import Any


class Model(ABC):
    """The base of a user's models, which define `forward` and `parameters`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def gradient_update(self, lr: float) -> None:
        """Takes a step of gradient descent with every parameter."""
        for parameter in self.parameters().values():
            parameter.gradient_update(lr)

    @abstractmethod
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The result of the model."""

    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """The parameters by name."""

    def copy_parameters(self) -> dict[str, Any]:
        """Copies of the parameters."""
        return deepcopy(self.parameters())

    def parameter_values(self) -> dict[str, Any]:
        """The parameters' numbers by name."""
        return {name: parameter.value for name, parameter in self.parameters().items()}

    def load_parameters(self, params: Mapping[str, Any]) -> None:
        """Replaces parameters, which are attributes."""
        for name, value in params.items():
            setattr(self, name, value)
