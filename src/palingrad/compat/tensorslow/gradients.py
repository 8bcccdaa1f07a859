"""RegisterGradient, and the gradients of TensorSlow's own operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import numpy as np

from ...autodiff.gradients import gradients
from ...errors import GradientError
from ...graph.promotion import tensor
from ...messages.checks import did_you_mean
from ...shapes import sizes
from .graph import Operation, plain


class _Registry(MutableMapping[type[Operation], Callable[..., Any]]):
    """The gradient function of each class of operations: a registered one, else palingrad's."""

    def __init__(self) -> None:
        self.registered: dict[type[Operation], Callable[..., Any]] = {}

    def __getitem__(self, cls: type[Operation]) -> Callable[..., Any]:
        if cls in self.registered:
            return self.registered[cls]
        if cls.rule is None:
            raise GradientError(
                f"{cls.__name__} has no gradient",
                hint=f'Write one: @RegisterGradient("{cls.__name__}") def gradient(op, grad): …',
            )
        return _gradient

    def __setitem__(self, cls: type[Operation], f: Callable[..., Any]) -> None:
        self.registered[cls] = f

    def __delitem__(self, cls: type[Operation]) -> None:
        del self.registered[cls]

    def __iter__(self) -> Iterator[type[Operation]]:
        own = (cls for cls in Operation.classes.values() if cls.rule is not None)
        return iter({**dict.fromkeys(own), **self.registered})

    def __len__(self) -> int:
        return len(list(iter(self)))


_gradient_registry = _Registry()


def _gradient(op: Operation, grad: Any) -> Any:
    """The gradients by the inputs of one of palingrad's operations."""
    xs = [tensor(np.asarray(value, np.float64)) for value in op.inputs]
    y = op.node(*xs)
    found = gradients(y, xs, gradient=np.broadcast_to(np.asarray(grad, np.float64), sizes(y.shape)))
    arrays = [plain(one) for one in found]
    return arrays[0] if len(arrays) == 1 else arrays


class RegisterGradient:
    """A decorator: the function gets an operation, with `inputs` and `output`, and the gradient of
    its output; it returns the input's, or a list of the inputs'."""

    def __init__(self, op_type: str) -> None:
        if op_type not in Operation.classes:
            raise GradientError(
                f"there is no operation {op_type!r}", hint=did_you_mean(op_type, Operation.classes)
            )
        self._op_type = Operation.classes[op_type]

    def __call__(self, f: Callable[..., Any]) -> Callable[..., Any]:
        _gradient_registry[self._op_type] = f
        return f
