"""Module: the base of layers and models, functions with named parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..graph.context import context, opened
from ..graph.leaves import Variable
from ..graph.node import Node


class Module:
    """A function with parameters. A subclass creates them in `__init__` and defines `forward`.

    Variables and modules in attributes, also inside lists, tuples and dicts, are registered
    automatically. `training` is True in training and False in evaluation.

    >>> import palingrad as pg
    >>> class Affine(pg.nn.Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = pg.Variable(2.0), pg.Variable(1.0)
    ...     def forward(self, x, *, training):
    ...         return self.slope * x + self.offset
    >>> model = Affine()
    >>> float(model(3.0)), list(model.parameters())
    (7.0, ['slope', 'offset'])
    """

    def forward(self, x: Any, *, training: bool) -> Node:
        """The output for x."""
        raise NotImplementedError(f"{type(self).__name__} needs forward(self, x, *, training)")

    def __call__(self, x: Any, *, training: bool = False) -> Node:
        state = context()
        outer: Module | None = state.module
        name = type(self).__name__ if outer is None else outer._name_of(self)
        with opened(module=self, scope=f"{state.scope}{name}/"):
            return self.forward(x, training=training)

    def _name_of(self, part: Module) -> str:
        """The name scope of a submodule: its attribute, or its class and its index in a list."""
        for name, value in vars(self).items():
            if value is part:
                return name
            if isinstance(value, (list, tuple)):
                for number, element in enumerate(value):
                    if element is part:
                        return f"{type(part).__name__}_{number}"
        return type(part).__name__

    def variables(self) -> dict[str, Variable]:
        """All Variables by name, such as 'layers/0/weight'; a shared one has its first name."""
        return dict(_variables(self, "", set()))

    def parameters(self) -> dict[str, Variable]:
        """The trainable Variables by name."""
        return {name: v for name, v in self.variables().items() if v.trainable}

    def __repr__(self) -> str:
        parts = ", ".join(self._options())
        return f"{type(self).__name__}({parts})"

    def _options(self) -> list[str]:
        return [f"{name}={tuple(v.shape or ())}" for name, v in self.parameters().items()]


def _variables(value: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Variable]]:
    """The Variables in `value` with their paths, each once; `seen` breaks cyclic references."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Variable):
        yield path, value
        return
    if isinstance(value, Module):
        parts = list(vars(value).items())
    elif isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, (list, tuple)):
        parts = list(enumerate(value))
    else:
        return
    for name, part in parts:
        yield from _variables(part, f"{path}/{name}" if path else str(name), seen)
