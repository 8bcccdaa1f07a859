"""Module: the base of layers and models, functions with named parameters."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from textwrap import indent
from typing import Any, Self

import numpy as np

from ..errors import ArgumentError, ShapeError, printable
from ..graph.context import Scope, context, set_open
from ..graph.leaves import Variable
from ..graph.node import Node
from ..messages.attributes import MODULE_METHODS
from ..messages.calls import called, misfit, public, publish
from ..messages.checks import shown
from ..messages.names import with_names_from
from ..ops.random import Generator
from ..shapes import Shape, text
from .summary import Summary, summarize, watch

_PACKAGE = f"{__name__.partition('.')[0]}."


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

    forward: Callable[..., Any]  # (inputs…, *, training): each subclass takes the inputs it needs

    @public
    def __call__(self, *inputs: Any, training: bool = False, **options: Any) -> Any:
        """forward(*inputs, training=training, **options), in a name scope of the module."""
        if getattr(type(self), "forward", None) is None:
            raise NotImplementedError(f"{type(self).__name__} needs forward(self, x, *, training)")
        state = context()
        outer: Module | None = state.module
        name = type(self).__name__ if outer is None else outer._name_of(self)
        before = set_open(state.inside(self, Scope.within(state.scope, name, self)))
        watching = watch.get()
        begun = None if watching is None else watching.begins()
        try:
            y = self.forward(*inputs, training=training, **options)
            if y is None:
                raise ArgumentError(f"{self._forward_text()} returned None.",
                                    hint="End it with return y.")  # fmt: skip
            if watching is not None and begun is not None:
                watching.ends(self, begun, y)
            return y
        except TypeError as error:
            trace = error.__traceback__
            if isinstance(error, ArgumentError) or trace is None or trace.tb_next is not None:
                raise
            raise self._misfit(inputs, training, options) from None
        except ShapeError as error:
            if not error.noted:
                error.noted = True
                error.add_note(f"in {outer._name_of(self) if outer else type(self).__name__}: "
                               f"{self._called_with(inputs)}")  # fmt: skip
            raise
        finally:
            set_open(before)

    def _misfit(self, inputs: Any, training: bool, options: dict[str, Any]) -> ArgumentError:
        """The error for a call that the signature of forward doesn't fit."""
        parameters, name = inspect.signature(self.forward).parameters, type(self).__name__
        if "training" in parameters and type(self).__module__.startswith(_PACKAGE):
            return misfit(self.forward, inputs, {"training": training, **options}, name=name)
        given = ", ".join([*("x" for _ in inputs), "training=…", *(f"{one}=…" for one in options)])
        return ArgumentError(
            f"{self._forward_text()} can't be called as forward({given}), as a module calls it.",
            hint="Write def forward(self, x, *, training).",
        )

    def _called_with(self, inputs: Sequence[Any]) -> str:
        """What the module expects, for a ShapeError of its forward."""
        shapes = [x.shape if isinstance(x, Node) else np.shape(x) for x in inputs[:1]]
        came = f"x {text(shapes[0])}" if shapes else "no input"
        return f"{self!r} was called with {came}." + self._hint((shapes or [()])[0] or ())

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
        """All Variables by name, such as 'layers.0.weight'; a shared one has its first name.

        The states of random generators are among them."""
        found: dict[str, Variable] = {}
        for name, variable in _walked(self):
            if not isinstance(variable, Variable):
                continue
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

    def modules(self) -> dict[str, Module]:
        """The module itself, named "", and all modules in it by name, each once."""
        inner = {name: part for name, part in _walked(self) if isinstance(part, Module)}
        return {"": self, **inner}

    def generators(self) -> list[Generator]:
        """The generators of the modules in it, such as that of a Dropout with a seed."""
        parts = [part for module in self.modules().values() for part in vars(module).values()]
        return list(dict.fromkeys([one for one in parts if isinstance(one, Generator)]))

    def apply(self, function: Callable[[Module], object]) -> Self:
        """Call function(module) for all modules in it, then for the module itself; returns it."""
        for module in reversed(self.modules().values()):
            called(function, module)
        return self

    def freeze(self) -> Self:
        """Make the parameters untrainable, until `unfreeze`; returns the module.

        >>> import palingrad as pg
        >>> model = pg.nn.Sequential(pg.nn.Linear(4, 3), pg.relu, pg.nn.Linear(3, 2)).freeze()
        >>> model.layers[2].unfreeze()
        Linear(weight=(3, 2), bias=(2,))
        >>> list(model.parameters())
        ['layers.2.weight', 'layers.2.bias']
        """
        for variable in self.parameters().values():
            variable.frozen = True
            variable.trainable = False
        return self

    def unfreeze(self) -> Self:
        """Make the parameters that `freeze` froze trainable again; returns the module."""
        for variable in self.variables().values():
            if variable.frozen:
                variable.frozen, variable.trainable = False, True
        return self

    def summary(self, *inputs: Any) -> Summary:
        """The table of the modules that a call with such inputs runs: output shapes, parameters and
        floating-point operations. An input is a shape, such as (1, 784), or an array.

        >>> import palingrad as pg
        >>> pg.nn.Sequential(pg.nn.Linear(4, 3), pg.relu).summary((1, 4))
        module               output  parameters  FLOPs
        ───────────────────  ──────  ──────────  ─────
        Sequential           (1, 3)          15     30
          layers.0 (Linear)  (1, 3)          15     27
        ───────────────────  ──────  ──────────  ─────
        15 parameters, 60 bytes, 30 FLOPs
        """
        return summarize(self, inputs)

    def __repr__(self) -> str:
        name, inner = printable(type(self).__name__), _walked(self, stop=True)
        if not any(isinstance(part, Module) for _, part in inner):
            return f"{name}({', '.join(self._options())})"
        texts = [(printable(key), _text(part)) for key, part in inner]
        lines: list[str] = []
        for _, run in groupby(texts, key=lambda part: part[1]):  # neighbours with the same text
            (first, text), *more = run
            label = f"{first} … {more[-1][0]}: {len(more) + 1} ×" if more else f"{first}:"
            lines.append(f"{label} {text},\n")
        return f"{name}(\n{indent(''.join(lines), '  ')})"

    def _options(self) -> list[str]:
        parameters = self.parameters().items()
        return [f"{printable(name)}={tuple(v.shape or ())}" for name, v in parameters]


def _text(part: Variable | Module) -> str:
    return repr(part) if isinstance(part, Module) else str(tuple(part.shape or ()))


def _walked(root: Module, *, stop: bool = False) -> list[tuple[str, Variable | Module]]:
    """The Variables and modules under `root` with their names, each once, in order; with `stop`,
    nothing that is inside another module."""
    found: list[tuple[str, Variable | Module]] = []
    seen = {id(root)}
    left: list[tuple[str, Any]] = [("", root)]
    while left:
        path, value = left.pop()
        if path:
            if isinstance(value, Generator):
                value = value.state
            if isinstance(value, (Variable, Module, dict, list, tuple)):
                if id(value) in seen:
                    continue
                seen.add(id(value))
            if isinstance(value, (Variable, Module)):
                found.append((path, value))
                if stop or isinstance(value, Variable):
                    continue
        parts = [
            (f"{path}.{_escaped(key)}" if path else _escaped(key), part)
            for key, part in _entries(value)
        ]
        left += reversed(parts)
    return found


def _entries(value: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, Module):
        return vars(value).items()
    if isinstance(value, dict):
        entries: Any = value.items()
        return entries
    return enumerate(value) if isinstance(value, (list, tuple)) else ()


def _escaped(key: Any) -> str:
    return str(key).replace("%", "%25").replace(".", "%2E")  # 'a.b' isn't 'b' in 'a'
