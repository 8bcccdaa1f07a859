"""Sequential: the composition of layers; and Flatten."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent
from typing import Any

from ..errors import ArgumentError, printable
from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.checks import shown
from .module import Module


class Sequential(Module):
    """y = layerₙ(… layer₁(x)), where a layer is a module or a function such as pg.relu.

    >>> import palingrad as pg
    >>> model = pg.nn.Sequential(pg.nn.Linear(4, 3), pg.relu, pg.nn.Linear(3, 2))
    >>> list(model.parameters())
    ['layers.0.weight', 'layers.0.bias', 'layers.2.weight', 'layers.2.bias']
    """

    def __init__(self, *layers: Module | Callable[[Any], Node]) -> None:
        for layer in layers:
            if not callable(layer) or isinstance(layer, type):
                raise ArgumentError(
                    f"Sequential: a layer is a module or a function, got {shown(layer, 60)}.",
                    hint=_layer_hint(layer),
                )
        self.layers = layers

    def forward(self, x: Any, *, training: bool) -> Node:
        y = as_node(x)
        for layer in self.layers:
            y = layer(y, training=training) if isinstance(layer, Module) else layer(y)
        return y

    def __repr__(self) -> str:
        names = [repr(layer) if isinstance(layer, Module) else _name_of(layer)
                 for layer in self.layers]  # fmt: skip
        return "Sequential(\n" + indent("".join(f"{name},\n" for name in names), "  ") + ")"


def _layer_hint(layer: Any) -> str:
    """What to write for something that isn't a layer."""
    if isinstance(layer, type):
        return f"{layer.__name__} is a class: write {layer.__name__}(), which makes a layer."
    if isinstance(layer, (list, tuple)):
        return "The layers are separate arguments: pg.nn.Sequential(*layers)."
    if isinstance(layer, str) and hasattr(ops, layer.lower()):
        return f"Write pg.{layer.lower()}, the function."
    return "Activations are functions, such as pg.relu."


def _name_of(function: Callable[..., Any]) -> str:
    return printable(str(getattr(function, "__name__", function)))


class Flatten(Module):
    """y = x with all axes after the first merged: (batch, …) to (batch, features)."""

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.flatten(x)
