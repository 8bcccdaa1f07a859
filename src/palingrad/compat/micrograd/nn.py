"""micrograd's `nn`: neurons, layers and multilayer perceptrons of scalars."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from ...errors import ShapeError
from ...scalars.block import Template
from .engine import Value

# For each module the template of its calls, and what it was made for.
_templates: WeakKeyDictionary[Module, tuple[Any, Template]] = WeakKeyDictionary()


class Module:
    """What has parameters."""

    def zero_grad(self) -> None:
        for parameter in self.parameters():
            parameter.grad = 0

    def parameters(self) -> list[Value]:
        return []


class _Callable(Module):
    """A module that is called with a list of numbers. Its operations are recorded once for each set
    of parameters, and then appended whole."""

    def __call__(self, x: Sequence[Any]) -> Any:
        signature = self._signature()
        if signature is None:  # of classes with calls of their own
            return self._forward(x)
        inputs = [one if isinstance(one, Value) else Value(one) for one in x]
        signature = (len(inputs), signature)
        known, template = _templates.get(self, (None, None))
        if template is None or known != signature:
            template = Template(self._forward, inputs)
            _templates[self] = signature, template
        return template(inputs) if template.usable else self._forward(inputs)

    def _forward(self, x: Sequence[Any]) -> Any:
        raise NotImplementedError

    def _signature(self) -> tuple[Any, ...] | None:
        """What the operations depend on, or None if a class in the module isn't micrograd's."""
        raise NotImplementedError


class Neuron(_Callable):
    """w·x + b of `nin` numbers, through ReLU unless `nonlin` is False."""

    def __init__(self, nin: int, nonlin: bool = True) -> None:
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin

    def _forward(self, x: Sequence[Any]) -> Value:
        if len(x) != len(self.w):
            raise ShapeError(f"{self!r} takes {len(self.w)} numbers, but was given {len(x)}")
        total = self.b
        for weight, number in zip(self.w, x, strict=True):
            total = total + weight * number
        return total.relu() if self.nonlin else total

    def _signature(self) -> tuple[Any, ...] | None:
        if type(self) is not Neuron:
            return None
        return (self.nonlin, id(self.b), *map(id, self.w))

    def parameters(self) -> list[Value]:
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{'ReLU' if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(_Callable):
    """`nout` neurons of the same `nin` inputs."""

    def __init__(self, nin: int, nout: int, **options: Any) -> None:
        self.neurons = [Neuron(nin, **options) for _ in range(nout)]

    def _forward(self, x: Sequence[Any]) -> Any:
        results = [_applied(neuron, x) for neuron in self.neurons]
        return results[0] if len(results) == 1 else results

    def _signature(self) -> tuple[Any, ...] | None:
        return _signatures(self.neurons) if type(self) is Layer else None

    def parameters(self) -> list[Value]:
        return [parameter for neuron in self.neurons for parameter in neuron.parameters()]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(_Callable):
    """Layers of `nouts` neurons; all but the last have a ReLU."""

    def __init__(self, nin: int, nouts: Sequence[int]) -> None:
        sizes = [nin, *nouts]
        self.layers = [
            Layer(sizes[number], sizes[number + 1], nonlin=number != len(nouts) - 1)
            for number in range(len(nouts))
        ]

    def _forward(self, x: Sequence[Any]) -> Any:
        for layer in self.layers:
            x = _applied(layer, x)
        return x

    def _signature(self) -> tuple[Any, ...] | None:
        return _signatures(self.layers) if type(self) is MLP else None

    def parameters(self) -> list[Value]:
        return [parameter for layer in self.layers for parameter in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _applied(part: Any, x: Any) -> Any:
    return part._forward(x) if isinstance(part, _Callable) and part._signature() else part(x)


def _signatures(parts: Sequence[Any]) -> tuple[Any, ...] | None:
    found = [part._signature() if isinstance(part, _Callable) else None for part in parts]
    return None if None in found else tuple(found)
