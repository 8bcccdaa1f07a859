"""Random streams of a training: the same for each trace, whenever it happens.

An operation that draws gets a stream number when it is built. A training builds its step once for
each batch size, and again after it was resumed; each time the numbers begin where they began the
first time, so that what is drawn depends on the generators' states alone.
"""

from __future__ import annotations

from collections.abc import Generator as Generator_
from contextlib import contextmanager
from typing import Any

from ...graph.leaves import Variable
from ...nn.module import Module
from ...ops.random import Generator, default_generator


class Streams:
    """The generators that a model draws from, and the stream numbers at which they begin."""

    def __init__(self, model: Any) -> None:
        own = model.generators() if isinstance(model, Module) else []
        self.generators: list[Generator] = [default_generator, *own]
        self.first = [generator.stream for generator in self.generators]

    @contextmanager
    def restarted(self) -> Generator_[None]:
        """In the `with`, the streams begin anew; after it, they go on as if it hadn't been."""
        before = [generator.stream for generator in self.generators]
        self._set(self.first)
        try:
            yield
        finally:
            self._set(before)

    def _set(self, numbers: list[int]) -> None:
        for generator, number in zip(self.generators, numbers, strict=True):
            generator.stream = number

    @property
    def default(self) -> Variable:
        """The state of the default generator; those of the model are its Variables."""
        return self.generators[0].state
