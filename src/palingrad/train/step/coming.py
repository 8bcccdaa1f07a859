"""The batches of an iterator from some number on, of which an engine may have one read ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...dtypes import Array
from ...engines.ahead import Ahead
from .problem import arrays_in

Batch = tuple[Any, Any]  # inputs and targets


class Coming:
    """Iterates over batches; the first ones are read and left out.

    `ahead` reads the next batch while a step runs. What is raised by that, the end of the data or
    an error in it, is raised when its turn comes.
    """

    def __init__(
        self, batches: Iterator[Any], first: int, prepared: Callable[[int, Any], Batch]
    ) -> None:
        self._batches, self._prepared = batches, prepared
        self._first, self._number = first, 0
        self._read: Batch | Exception | None = None
        self.ahead = Ahead(self._read_ahead)

    def __iter__(self) -> Coming:
        return self

    def __next__(self) -> Batch:
        found, self._read = self._read or self._next(), None
        if isinstance(found, Exception):
            raise found
        return found

    def _next(self) -> Batch | Exception:
        try:
            while True:
                number, batch = self._number, next(self._batches)
                self._number = number + 1
                if number >= self._first:
                    return self._prepared(number, batch)
        except Exception as error:
            return error

    def _read_ahead(self) -> Sequence[Array]:
        if self._read is None:
            self._read = self._next()
        if isinstance(self._read, Exception):
            return []
        inputs, targets = self._read
        return [*arrays_in(inputs), *arrays_in(targets)]
