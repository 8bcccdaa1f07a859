"""Methods and attributes that concern shapes, selection and copies."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...messages.calls import explains, misfit, public
from ..registry import ops
from .call import attribute, method

if TYPE_CHECKING:
    from ..node import Node


class ShapeMethods:
    """Methods and attributes that concern shapes, selection and copies."""

    swapaxes: ClassVar[Callable[..., Node]] = method("swapaxes")
    diagonal: ClassVar[Callable[..., Node]] = method("diagonal")
    repeat: ClassVar[Callable[..., Node]] = method("repeat")
    take: ClassVar[Callable[..., Node]] = method("take")

    @attribute
    def mT(self) -> Node:
        """The matrices on the last two axes, transposed."""
        return ops.matrix_transpose(self)

    @attribute
    def T(self) -> Node:
        """All axes in reverse order."""
        return ops.permute_dims(self)

    @attribute
    def size(self: Any) -> int | None:
        """The number of elements, or None while a size is unknown."""
        shape = self.shape
        return None if shape is None or None in shape else math.prod(shape)

    @attribute
    def itemsize(self: Any) -> int | None:
        """The number of bytes of an element, or None while the dtype is unknown."""
        return None if self.dtype is None else self.dtype.itemsize

    @attribute
    def nbytes(self: Any) -> int | None:
        """The number of bytes of all elements, or None while size or dtype is unknown."""
        return None if self.size is None or self.dtype is None else self.size * self.itemsize

    @explains
    def reshape(self, *sizes: Any, shape: Any = None, copy: bool | None = None,
                **unknown: Any) -> Node:  # fmt: skip
        """The same elements in another shape; one size may be -1.

        The sizes are a tuple or arguments of their own: x.reshape(2, -1). `copy` has no effect:
        values don't change.
        """
        if unknown or (shape is None) == (not sizes):
            raise misfit(ShapeMethods.reshape, (self, *sizes), unknown)
        if shape is not None:
            return ops.reshape(self, shape)
        return ops.reshape(self, sizes[0] if len(sizes) == 1 else sizes)

    @public
    def flatten(self) -> Node:
        """The elements as a vector. (`palingrad.flatten` keeps the first axis, the examples.)"""
        return ops.reshape(self, (-1,))

    @public
    def ravel(self) -> Node:
        """The elements as a vector."""
        return ops.reshape(self, (-1,))

    @public
    def squeeze(self, axis: Any = None) -> Node:
        """The array without the axes `axis`, of size 1, or without all axes of size 1."""
        return ops.squeeze(self, axis)

    @explains
    def transpose(self, *axes: Any, **unknown: Any) -> Node:
        """The axes in another order: x.transpose(1, 0); by default all of them reversed.

        (In PyTorch, x.transpose(i, j) exchanges two axes: that is x.swapaxes(i, j).)
        """
        if unknown:
            raise misfit(ShapeMethods.transpose, (self, *axes), unknown)
        one = len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (tuple, list)))
        return ops.permute_dims(self, axes[0] if one else axes or None)

    @public
    def copy(self: Any) -> Node:
        """A node of the same elements: of a Variable, those that it has now."""
        return ops.positive(self) if self.dtype is None else ops.cast(self, self.dtype)

    @public
    def clone(self) -> Node:
        """A node of the same elements; derivatives flow through it."""
        return self.copy()

    @public
    def detach(self) -> Node:
        """The same elements as a constant, through which no derivative flows."""
        return ops.stop_gradient(self)

    @public
    def tolist(self: Any) -> Any:
        """The value as a Python number or nested lists of them."""
        return self.numpy().tolist()

    def item(self: Any, *index: Any) -> Any:
        """The only element, or the one at an index, as a Python number.

        The index is one integer for each axis, or the number of an element in row-major order.
        """
        if not index:
            return self._single("item()").item()
        place = index[0] if len(index) == 1 else index
        try:
            return self.numpy().item(place)
        except (IndexError, ValueError) as error:
            error.add_note(f"in x.item{np.shape(place) and place}: x is {self.label()}")
            raise
