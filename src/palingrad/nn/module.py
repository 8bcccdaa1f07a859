"""Module: the base of layers and models, functions with named parameters."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError, printable
from ..graph.context import context, set_open
from ..graph.leaves import Variable
from ..graph.node import Node
from ..messages.attributes import MODULE_METHODS
from ..messages.calls import public, publish
from ..messages.checks import shown
from ..messages.names import with_names_from
from ..shapes import Shape, text


@with_names_from(MODULE_METHODS)
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

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        publish(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("parameters", "variables"):
            raise ArgumentError(
                f"{type(self).__name__}: self.{name} is the method that finds the Variables.",
                hint="Give the attribute another name, such as self.weights.",
            )
        old = self.__dict__.get(name)
        if isinstance(old, Variable) and not (value is None or isinstance(value, (Node, Module))):
            raise ArgumentError(
                f"{type(self).__name__}: self.{name} is a Variable, which = would replace by "
                f"{shown(value)}.",
                hint=f"Write model.{name}.assign(value).",
            )
        object.__setattr__(self, name, value)

    def forward(self, x: Any, *, training: bool) -> Node:
        """The output for x."""
        raise NotImplementedError(f"{type(self).__name__} needs forward(self, x, *, training)")

    @public
    def __call__(self, x: Any, *, training: bool = False) -> Node:
        state = context()
        outer: Module | None = state.module
        name = type(self).__name__ if outer is None else outer._name_of(self)
        before = set_open(state.inside(self, f"{state.scope}{name}/"))
        try:
            y = self.forward(x, training=training)
            if y is None:  # pyright: ignore[reportUnnecessaryComparison]
                raise ArgumentError(f"{self._forward_text()} returned None.",
                                    hint="End it with return y.")  # fmt: skip
            return y
        except TypeError as error:
            trace = error.__traceback__
            if isinstance(error, ArgumentError) or trace is None or trace.tb_next is not None:
                raise
            raise ArgumentError(
                f"{self._forward_text()} can't be called as forward(x, training=…), "
                "as a module calls it.",
                hint="Write def forward(self, x, *, training).",
            ) from None
        except ShapeError as error:
            if not error.noted:
                error.noted = True
                error.add_note(f"in {outer._name_of(self) if outer else type(self).__name__}: "
                               f"{self._misfit(x)}")  # fmt: skip
            raise
        finally:
            set_open(before)

    def _misfit(self, x: Any) -> str:
        """What the module expects, for a ShapeError of its forward."""
        shape = x.shape if isinstance(x, Node) else np.shape(x)
        return f"{self!r} was called with x {text(shape)}." + self._hint(shape or ())

    def _hint(self, shape: Shape) -> str:
        """What to do about an x of this shape, for a ShapeError, after a space; or ""."""
        return ""

    def _forward_text(self) -> str:
        code = type(self).forward.__code__
        line = f"{os.path.basename(code.co_filename)}:{code.co_firstlineno}"
        return f"{type(self).__name__}.forward ({line})"

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
        found: dict[str, Variable] = {}
        for name, variable in _variables(self, "", set()):
            if name in found:
                raise ArgumentError(
                    f"{type(self).__name__}: two Variables are called {name!r}.",
                    hint="Keys of a dict are told apart by their text: rename one, such as '1' to "
                    "'one'.",
                )
            found[name] = variable
        return found

    def parameters(self) -> dict[str, Variable]:
        """The trainable Variables by name."""
        return {name: v for name, v in self.variables().items() if v.trainable}

    def __repr__(self) -> str:
        parts = ", ".join(self._options())
        return f"{printable(type(self).__name__)}({parts})"

    def _options(self) -> list[str]:
        parameters = self.parameters().items()
        return [f"{printable(name)}={tuple(v.shape or ())}" for name, v in parameters]


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
    for key, part in parts:
        name = str(key).replace("%", "%25").replace("/", "%2F")  # 'a/b' isn't 'b' in 'a'
        yield from _variables(part, f"{path}/{name}" if path else name, seen)
