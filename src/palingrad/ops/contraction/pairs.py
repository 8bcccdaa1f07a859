"""Contraction of two labelled arrays, by one matrix product where there is one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from ...graph.registry import ops
from ...shapes import size, sizes
from .subscripts import Labels


class Term(NamedTuple):
    """An array and a label for each of its axes."""

    x: Any
    labels: Labels

    def in_order(self, labels: Iterable[str]) -> Term:
        """The same array with its axes in this order."""
        wanted = tuple(labels)
        if wanted == self.labels:
            return self
        order = tuple(self.labels.index(label) for label in wanted)
        return Term(ops.permute_dims(self.x, order), wanted)

    def summed(self, kept: Collection[str]) -> Term:
        """The sum over the axes whose labels aren't kept."""
        axes = tuple(axis for axis, label in enumerate(self.labels) if label not in kept)
        if not axes:
            return self
        rest = tuple(label for label in self.labels if label in kept)
        return Term(ops.sum(self.x, axis=axes), rest)

    def diagonal(self) -> Term:
        """The diagonal of axes with one label, which becomes the last axis, until none repeats."""
        term = self
        for label in self.labels:
            while term.labels.count(label) > 1:
                first = term.labels.index(label)
                second = term.labels.index(label, first + 1)
                rest = tuple(
                    axis for axis in range(len(term.labels)) if axis not in (first, second)
                )
                x = ops.permute_dims(term.x, (*rest, first, second))
                *outer, n, _ = sizes(x.shape)
                x = reshaped(x, (*outer, n * n))[..., :: n + 1]
                term = Term(x, (*(term.labels[axis] for axis in rest), label))
        return term

    def squeezed(self, dims: Mapping[str, Any]) -> Term:
        """The array without axes of size 1 that broadcast against larger ones."""
        shape = sizes(self.x.shape)
        kept = [axis for axis, n in enumerate(shape) if n != 1 or dims[self.labels[axis]] == 1]
        x = reshaped(self.x, tuple(shape[axis] for axis in kept))
        return Term(x, tuple(self.labels[axis] for axis in kept))


def reshaped(x: Any, shape: tuple[int, ...]) -> Any:
    """x in another shape; x itself if it has it."""
    return x if x.shape == shape else ops.reshape(x, shape)


def contracted(a: Term, b: Term, kept: Collection[str]) -> Term:
    """Σ a·b over the labels that aren't kept; the labels of each are distinct."""
    a, b = a.summed({*kept, *b.labels}), b.summed({*kept, *a.labels})
    shared = [label for label in a.labels if label in b.labels]
    inner = [label for label in shared if label not in kept]
    batch = [label for label in shared if label in kept]
    rows = [label for label in a.labels if label not in shared]
    columns = [label for label in b.labels if label not in shared]
    if not inner:
        return _product(a, b, (*batch, *rows, *columns))
    if not rows and not columns and batch:
        return _product(a, b, (*batch, *inner)).summed(kept)
    x, y = a.in_order((*batch, *rows, *inner)).x, b.in_order((*batch, *inner, *columns)).x
    if not batch and len(rows) <= 1 >= len(columns) and len(inner) == 1:
        return Term(x @ y, (*rows, *columns))
    outer = sizes(x.shape)[: len(batch)]
    left = sizes(x.shape)[len(batch) : len(batch) + len(rows)]
    right = sizes(y.shape)[len(batch) + len(inner) :]
    depth = size(x.shape[len(batch) + len(rows) :])
    x = reshaped(x, (*outer, size(left), depth))
    y = reshaped(y, (*outer, depth, size(right)))
    return Term(reshaped(x @ y, (*outer, *left, *right)), (*batch, *rows, *columns))


def _product(a: Term, b: Term, labels: Labels) -> Term:
    return Term(_spread(a, labels) * _spread(b, labels), labels)


def _spread(term: Term, labels: Labels) -> Any:
    """The array with axes of size 1 for the labels that it lacks."""
    term = term.in_order(label for label in labels if label in term.labels)
    dims = dict(zip(term.labels, sizes(term.x.shape), strict=True))
    return reshaped(term.x, tuple(dims.get(label, 1) for label in labels))
