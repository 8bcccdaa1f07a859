"""What a training minimises and measures: losses by name, and how a model is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dtypes import Array, default_dtype, is_floating, is_integer
from ...errors import ArgumentError
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...messages.checks import nearest, number_of, shown

Loss = Callable[..., Any]
_NAMES = ("cross_entropy", "binary_cross_entropy", "mse", "mae", "huber")


def named(name: str) -> Loss:
    """The loss of this name. Raises ArgumentError, which suggests the nearest."""
    if name == "binary_cross_entropy":
        return ops.binary_cross_entropy_with_logits
    if name in _NAMES:
        return getattr(ops, name)
    close = nearest(name, _NAMES)
    raise ArgumentError(
        f"fit: there is no loss {name!r:.60}.",
        hint=f"Did you mean {close!r}?" if close else f"There are {', '.join(_NAMES)}.",
    )


@dataclass(frozen=True)
class Problem:
    """A model and its loss, with weights of the classes."""

    model: Any
    loss: Loss
    class_weights: Any = None

    @classmethod
    def of(cls, model: Any, loss: Any, class_weights: Any = None) -> Problem:
        """The problem for a loss that is a name or a function (outputs, targets)."""
        function = named(loss) if isinstance(loss, str) else loss
        if class_weights is not None:
            if function is not ops.cross_entropy:
                raise ArgumentError("fit: class_weights are for loss='cross_entropy'.",
                                    hint="Weigh the examples in a loss of your own.",
                                    )  # fmt: skip
            class_weights = _weights(class_weights)
        return cls(model, function, class_weights)

    def outputs(self, inputs: Any, *, training: bool) -> Any:
        """The model's outputs: model(x) of an array or a dict, model(*x) of a tuple."""
        if isinstance(inputs, tuple):
            return self.model(*inputs, training=training)
        return self.model(inputs, training=training)

    def mean(self, outputs: Any, targets: Any) -> Any:
        """The loss of a batch."""
        if self.class_weights is None:
            return self.loss(outputs, targets)
        classes = outputs.shape[-1]
        if classes != len(self.class_weights):
            raise ArgumentError(
                f"fit: {len(self.class_weights)} class_weights for a model of {classes} outputs.",
                hint="Give one weight for each class.",
            )
        return self.loss(outputs, targets, weights=self.class_weights)


def _weights(given: Any) -> Array:
    """One weight for each class, of an array or of a dict by class number."""
    if isinstance(given, Mapping):
        numbers: Mapping[Any, Any] = given
        given = [numbers.get(k, 1.0) for k in range(max(map(int, numbers), default=-1) + 1)]
    weights = np.asarray(given)
    if weights.ndim != 1 or not all(
        (number_of(w) is not None and 0 <= w < np.inf) for w in weights.tolist()
    ):
        raise ArgumentError(f"fit: class_weights is {shown(given)}; expected a number ≥ 0 for each "
                            "class.", hint="Write class_weights=[1.0, 5.0].")  # fmt: skip
    return weights.astype(default_dtype())


def classifies(outputs: Any, targets: Any) -> bool:
    """Whether targets are class numbers (…) of scores (…, classes)."""
    if not isinstance(outputs, Node):
        return False
    y = as_node(targets)
    return is_integer(y.dtype) and outputs.ndim == (y.ndim or 0) + 1


def prepared(x: Any) -> Any:
    """Arrays as a training takes them: floats become the default dtype, integers stay."""
    return mapped(_prepared, as_arrays(x))


def _prepared(array: Array) -> Array:
    return np.ascontiguousarray(array, default_dtype() if is_floating(array.dtype) else None)


def as_arrays(x: Any) -> Any:
    """Inputs or targets with each part as an array, of the dtype that it has."""
    if isinstance(x, Mapping):
        parts: Mapping[Any, Any] = x
        return {name: np.asarray(part) for name, part in parts.items()}
    if isinstance(x, tuple) and x and not np.isscalar(x[0]):
        several: tuple[Any, ...] = x
        return tuple(np.asarray(part) for part in several)
    return np.asarray(x)


def arrays_in(x: Any) -> list[Array]:
    """The arrays of inputs or targets, in order."""
    if isinstance(x, Mapping):
        parts: Mapping[Any, Any] = x
        return [array for part in parts.values() for array in arrays_in(part)]
    if isinstance(x, tuple):
        several: tuple[Any, ...] = x
        return [array for part in several for array in arrays_in(part)]
    return [x]


def mapped(function: Callable[[Any], Any], x: Any) -> Any:
    """The inputs or targets with `function` applied to each array."""
    if isinstance(x, Mapping):
        parts: Mapping[Any, Any] = x
        return {name: mapped(function, part) for name, part in parts.items()}
    if isinstance(x, tuple):
        several: tuple[Any, ...] = x
        return tuple(mapped(function, part) for part in several)
    return function(x)


def accepts(f: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
    """Whether f can be called so, as far as its signature tells."""
    try:
        inspect.signature(f).bind(*args, **kwargs)
    except TypeError:
        return False
    except ValueError:  # a builtin function without a signature
        return True
    return True
