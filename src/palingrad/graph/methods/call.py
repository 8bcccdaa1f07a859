"""A method that calls a function of the registry, and the forms of such methods."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...classes import Protocol
from ...messages.calls import misfit
from ..registry import ops

if TYPE_CHECKING:
    from ..node import Node


class Plain(Protocol):
    """A reduction over `axis`, or over all axes."""

    def __call__(self, axis: Any = None, *, keepdims: bool = False) -> Node: ...


class Masked(Protocol):
    """A reduction over `axis`, or over all axes, of the elements that `where` selects."""

    def __call__(self, axis: Any = None, *, keepdims: bool = False, where: Any = None) -> Node: ...


class Averaging(Protocol):
    """A mean over `axis`, or over all axes, in `dtype`, of the elements that `where` selects."""

    def __call__(
        self, axis: Any = None, *, dtype: Any = None, keepdims: bool = False, where: Any = None
    ) -> Node: ...


class Deviation(Protocol):
    """A variance or standard deviation over `axis`, or over all axes."""

    def __call__(
        self, axis: Any = None, *, dtype: Any = None, correction: float = 0,
        ddof: float | None = None, keepdims: bool = False, where: Any = None,
    ) -> Node: ...  # fmt: skip


class Extreme(Protocol):
    """An extreme over `axis`, or over all axes, of `initial` and what `where` selects."""

    def __call__(
        self, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None
    ) -> Node: ...


class Accumulation(Protocol):
    """A total over `axis`, or over all axes, of `initial` and what `where` selects."""

    def __call__(
        self, axis: Any = None, *, dtype: Any = None, keepdims: bool = False,
        initial: Any = None, where: Any = None,
    ) -> Node: ...  # fmt: skip


class attribute(property):
    """A property of nodes; an option of the same name of a user's operation is found first."""

    def __get__(self, node: Any, owner: type[Any] | None = None) -> Any:
        if node is not None and self.fget is not None:
            name, given = self.fget.__name__, vars(node)
            if name in given and not node._shipped:
                return given[name]
        return super().__get__(node, owner)


def method(name: str, like: Callable[..., Any] | None = None) -> Any:
    """The method that calls the function `name` of the registry with the node as first argument.

    Its signature and documentation are the function's, or those of `like`. A call that doesn't fit
    raises ArgumentError.
    """

    def call(self: Any, *args: Any, **options: Any) -> Any:
        function = getattr(ops, name)
        try:
            return function(self, *args, **options)
        except TypeError:
            signature = inspect.signature(function)
            try:
                signature.bind(self, *args, **options)
            except TypeError:
                pass
            else:
                raise
        _, *parameters = signature.parameters.values()
        raise misfit(_view(name, parameters), args, options)

    call.__name__ = name
    call.__qualname__ = f"Operators.{name}"
    call.__doc__ = f"The function `palingrad.{name}` of the node."
    if like is not None:
        call.__doc__ = f"{call.__doc__} {like.__doc__}"
        call.__signature__ = inspect.signature(like.__call__)  # pyright: ignore
    return call


def _view(name: str, parameters: list[inspect.Parameter]) -> Callable[..., Any]:
    """A function of this name and these parameters, for a message."""

    def view() -> None: ...

    view.__name__ = name
    vars(view)["__signature__"] = inspect.Signature(parameters)
    return view
