"""Containers: layers composed, added to their input, or kept in lists and dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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


class Lambda(Module):
    """y = function(x): a function of nodes as a layer, with a name of its own in drawings."""

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function) or isinstance(function, type):
            raise ArgumentError(f"Lambda: {shown(function, 60)} isn't a function.",
                                hint="Write pg.nn.Lambda(lambda x: 2 * x).")  # fmt: skip
        self.function = function

    def forward(self, *inputs: Any, training: bool) -> Any:
        return self.function(*inputs)

    def _options(self) -> list[str]:
        return [_name_of(self.function)]


class Residual(Sequential):
    """y = x + layerₙ(… layer₁(x)) (He et al. 2016); `shortcut` is a layer for x, such as a 1 × 1
    convolution, where shapes differ."""

    def __init__(
        self, *layers: Module | Callable[[Any], Node], shortcut: Module | None = None
    ) -> None:
        super().__init__(*layers)
        if shortcut is not None and not isinstance(shortcut, Module):  # pyright: ignore
            raise ArgumentError(f"Residual: shortcut is {shown(shortcut, 60)}; expected a module.",
                                hint="Write shortcut=pg.nn.Linear(4, 8).")  # fmt: skip
        self.shortcut = shortcut

    def forward(self, x: Any, *, training: bool) -> Node:
        x = as_node(x)
        around = x if self.shortcut is None else self.shortcut(x, training=training)
        return around + super().forward(x, training=training)

    def __repr__(self) -> str:
        text = super().__repr__().replace("Sequential(", "Residual(", 1)
        return text if self.shortcut is None else f"{text[:-1]}  shortcut: {self.shortcut!r},\n)"


class ModuleList(Module):
    """A list of modules, as an attribute of another one: indexed, iterated, appended to.

    A plain Python list in an attribute is registered as well.
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.layers: list[Module] = []
        for module in modules:
            self.append(module)

    def append(self, module: Module) -> None:
        """Add a module at the end."""
        self.layers.append(_module("ModuleList", module))

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    def __getitem__(self, index: int) -> Module:
        return self.layers[index]


class ModuleDict(Module):
    """A dict of modules by name, as an attribute of another one.

    A plain dict in an attribute is registered as well.
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        self.layers: dict[str, Module] = {}
        for name, module in (modules or {}).items():
            self[name] = module

    def __setitem__(self, name: str, module: Module) -> None:
        self.layers[name] = _module("ModuleDict", module)

    def __getitem__(self, name: str) -> Module:
        if name not in self.layers:
            raise KeyError(f"no module {name!r}; there are {', '.join(map(repr, self.layers))}")
        return self.layers[name]

    def __contains__(self, name: object) -> bool:
        return name in self.layers

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)


def _module(call: str, given: Any) -> Module:
    if not isinstance(given, Module):
        raise ArgumentError(f"{call}: {shown(given, 60)} isn't a module.",
                            hint="Write pg.nn.Lambda(function) for a function.")  # fmt: skip
    return given
