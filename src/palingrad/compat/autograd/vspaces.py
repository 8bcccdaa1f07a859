"""Vector spaces: what values look like, and the arithmetic of vectors of that look."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...dtypes import is_complex, is_inexact, is_integer
from ...graph.node import Node
from ...shapes import sizes
from ...trees import leaves, rebuilt


class VSpace:
    """The space of values like `value`: an array or number, or lists, tuples and dicts of these."""

    def __init__(self, value: Any) -> None:
        if isinstance(value, (list, tuple, dict)):
            found = leaves(value)
            self._tree = rebuilt(value, iter(range(len(found))))
            self._parts = [_part(leaf) for leaf in found]
        else:
            self._tree, self._parts = 0, [_part(value)]

    @property
    def _single(self) -> bool:
        return isinstance(self._tree, int)

    @property
    def shape(self) -> Any:
        """The array's shape; of containers, the spaces of their elements."""
        if self._single:
            return self._parts[0][0]
        return rebuilt(self._tree, (self._of(part) for part in self._parts))

    @property
    def dtype(self) -> Any:
        """The array's dtype."""
        return self._parts[0][1]

    @property
    def ndim(self) -> int:
        """The number of the array's axes."""
        return len(self._parts[0][0])

    @property
    def iscomplex(self) -> bool:
        """Whether an element is complex."""
        return any(is_complex(dtype) for _, dtype in self._parts)

    @property
    def size(self) -> int:
        """The dimension over the real numbers."""
        return sum((2 if is_complex(dtype) else 1) * _count(shape) for shape, dtype in self._parts)

    @staticmethod
    def _of(part: Any) -> VSpace:
        return VSpace(np.zeros(*part))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VSpace):
            return NotImplemented
        return self._tree == other._tree and self._parts == other._parts

    def __hash__(self) -> int:
        return hash(tuple(self._parts))

    def __repr__(self) -> str:
        return "VSpace_" + repr(rebuilt(self._tree, iter(self._parts)))

    def _made(self, make: Callable[..., Any], *values: Any) -> Any:
        if self._single:
            return make(self._parts[0], *values)
        columns = [leaves(value) for value in values]
        made = (
            make(part, *(column[number] for column in columns))
            for number, part in enumerate(self._parts)
        )
        return rebuilt(self._tree, made)

    def zeros(self) -> Any:
        """The zero."""
        return self._made(lambda part: np.zeros(*part)[()])

    def ones(self) -> Any:
        """The vector whose elements are 1, and 1 + i where they are complex: the basis's sum."""
        return self._made(_ones)

    def randn(self) -> Any:
        """A random vector."""
        return self._made(_random)

    def standard_basis(self) -> Iterator[Any]:
        """The vectors that have one element other than 0: 1, and i where it is complex."""
        for place, (shape, dtype) in enumerate(self._parts):
            for index in np.ndindex(*shape):
                for unit in (1.0, 1j) if is_complex(dtype) else (1.0,):
                    vector = [np.zeros(*part) for part in self._parts]
                    vector[place][index] = unit
                    yield rebuilt(self._tree, iter([one[()] for one in vector]))

    def add(self, x: Any, y: Any) -> Any:
        """x + y."""
        return self._made(lambda _, a, b: a + b, x, y)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        """x · a."""
        return self._made(lambda _, one: one * a, x)

    def covector(self, x: Any) -> Any:
        """The linear function v ↦ ⟨x, v⟩ as a vector: the conjugate."""
        return self._made(lambda part, one: np.conj(one) if is_complex(part[1]) else one, x)

    def inner_prod(self, x: Any, y: Any) -> Any:
        """The real inner product."""
        total: Any = 0.0
        for (_, dtype), a, b in zip(self._parts, leaves(x), leaves(y), strict=True):
            product = np.dot(np.ravel(np.conj(a)), np.ravel(b)) if is_complex(dtype) else None
            total = total + (
                np.real(product) if product is not None else np.dot(np.ravel(a), np.ravel(b))
            )
        return total


def vspace(value: Any) -> VSpace:
    """The space of values like this one. TypeError for what is no number, array or container."""
    return VSpace(value)


def _part(leaf: Any) -> tuple[tuple[int, ...], Any]:
    if isinstance(leaf, Node):
        return sizes(leaf.shape), leaf.dtype
    if isinstance(leaf, (int, float, complex, np.generic, np.ndarray)):
        array = np.asarray(leaf)
        if is_integer(array.dtype):
            return array.shape, np.dtype(np.float64)
        if is_inexact(array.dtype):
            return array.shape, array.dtype
    raise TypeError(f"Can't find vector space for value {leaf!r:.60} of type {type(leaf)}")


def _ones(part: Any) -> Any:
    shape, dtype = part
    return np.full(shape, 1 + 1j if is_complex(dtype) else 1, dtype)[()]


def _random(part: Any) -> Any:
    shape, dtype = part
    real = np.random.randn(*shape)
    if is_complex(dtype):
        return np.asarray(real + 1j * np.random.randn(*shape)).astype(dtype)[()]
    return np.asarray(real).astype(dtype)[()]


def _count(shape: tuple[int, ...]) -> int:
    return math.prod(shape)
