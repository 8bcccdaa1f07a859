"""One operation on one of its samples, computed in the ways that the battery compares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import palingrad as pg
from palingrad.graph.operation import MultipleOutputs, Operation
from palingrad.graph.samples import Sample

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """One operation on one of its samples, and the engines on which a check runs it, if any."""

    operation: type[Operation]
    sample: Sample
    engines: Sequence[str] = ()

    def arrays(self, dtype: Any = np.float64) -> list[Array]:
        """The sample's inputs, the floats among them in `dtype`."""
        drawn = map(np.asarray, self.sample.inputs(np.random.default_rng(0)))
        return [x.astype(dtype) if x.dtype.kind == "f" else x for x in drawn]

    def outputs(self, *inputs: Any) -> list[pg.Node]:
        """The nodes that the operation makes of these inputs."""
        node = self.operation(*inputs, **self.sample.attributes)
        return list(node.items) if isinstance(node, MultipleOutputs) else [node]

    @property
    def chooses_dtype(self) -> bool:
        """Whether an attribute says which dtype the result has."""
        return "dtype" in self.sample.attributes


def is_float(x: Any) -> bool:
    return all(dtype is not None and dtype.kind == "f" for dtype in dtypes(x))


def dtypes(x: Any) -> tuple[Any, ...]:
    return x.dtype if isinstance(x.dtype, tuple) else (x.dtype,)


def floats(nodes: Sequence[Any]) -> list[Any]:
    return [x for x in nodes if is_float(x)]


def values(nodes: Sequence[pg.Node]) -> list[Array]:
    return [node.numpy() for node in nodes]


def weights(y: Any) -> Array:
    """A weight for each element, so that a gradient shows where each came from."""
    return np.cos(1.0 + np.arange(np.prod(y.shape, dtype=int))).reshape(y.shape).astype(y.dtype)


def weighted_sum(ys: Sequence[pg.Node], like: Sequence[pg.Node]) -> Any:
    """One number that depends on every float element of `ys`; `like` tells shapes and dtypes."""
    terms = [pg.sum(y * weights(known)) for y, known in zip(ys, like) if is_float(known)]
    return sum(terms[1:], start=terms[0]) if terms else None


def slopes_of(xs: Sequence[Any], ys: Sequence[Any], like: Sequence[Any]) -> list[pg.Node]:
    """The gradients of the total of `ys` with respect to those `xs` that `like` says are floats."""
    total = weighted_sum(ys, like[len(xs) :])
    floats = [x for x, known in zip(xs, like) if is_float(known)]
    return [] if total is None else pg.gradients(total, floats)


def eager(case: Case, arrays: Sequence[Array]) -> tuple[list[Any], list[Any], list[pg.Node]]:
    """Inputs, outputs and gradients, computed at once."""
    xs = [pg.tensor(array) for array in arrays]
    ys = case.outputs(*xs)
    return xs, ys, slopes_of(xs, ys, [*xs, *ys])


# A case, and inputs and results of it that tell shapes and dtypes.
Drawn = tuple[Case, Sequence[Any], Sequence[Any]]


def compiled(
    case: Case, known: Sequence[Any], results: Sequence[Any], engine: str, *, template: bool = True
) -> Callable[[Sequence[Array]], list[Array]]:
    """A Session's way from arrays to outputs and gradients.

    `known` inputs and `results` tell shapes and dtypes; the placeholders of a template know none.
    """
    return compiled_together([(case, known, results)], engine, template=template)


def compiled_together(
    drawn: Sequence[Drawn], engine: str, *, template: bool = True
) -> Callable[[Sequence[Array]], list[Array]]:
    """The same for several cases that are one Program: all inputs to all outputs and gradients."""
    fed: list[Any] = []
    fetches: list[Any] = []
    with pg.Graph() as graph:
        for case, known, results in drawn:
            xs = [
                pg.placeholder() if template else pg.placeholder(x.shape, dtype=x.dtype)
                for x in known
            ]
            ys = case.outputs(*xs)
            fetches += [*ys, *slopes_of(xs, ys, [*known, *results])]
            fed += xs
    session = pg.Session(graph, engine=engine)
    return lambda arrays: session.run(fetches, dict(zip(fed, arrays, strict=True)))


@dataclass(eq=False)
class Together:
    """Cases that are one Program: all inputs, and all outputs and gradients computed at once."""

    drawn: list[Drawn]
    fed: list[Array]
    expected: list[Array]
    _compiled: dict[str, Callable[[Sequence[Array]], list[Array]]] = field(default_factory=dict)

    def compiled(self, engine: str) -> Callable[[Sequence[Array]], list[Array]]:
        """The Program on an engine, compiled on the first call."""
        if engine not in self._compiled:
            self._compiled[engine] = compiled_together(self.drawn, engine)
        return self._compiled[engine]


# The last cases put together: the checks of one operation follow each other and share a Program.
_last: tuple[Any, Together] | None = None


def together(pairs: Sequence[tuple[Case, Sequence[Any]]]) -> Together:
    """Each case in its dtypes; where the last call had the same cases, what that call returned."""
    global _last
    key = [(case.operation, case.sample, *dtypes) for case, dtypes in pairs]
    if _last is not None and _last[0] == key:
        return _last[1]
    made = Together([], [], [])
    for case, dtypes in pairs:
        for dtype in dtypes:
            arrays = case.arrays(dtype)
            xs, ys, slopes = eager(case, arrays)
            made.drawn.append((case, xs, ys))
            made.fed += arrays
            made.expected += values([*ys, *slopes])
    _last = key, made
    return made


def of_floats(case: Case, arrays: Sequence[Array]) -> tuple[Callable[..., Any], list[Array]]:
    """The operation as a function of its float inputs to its float outputs, and those inputs."""
    places = [place for place, array in enumerate(arrays) if array.dtype.kind == "f"]

    def f(*given: Any) -> list[Any]:
        inputs: list[Any] = list(arrays)
        for place, x in zip(places, given, strict=True):
            inputs[place] = x
        return floats(case.outputs(*inputs))

    return f, [arrays[place] for place in places]


def along(
    f: Callable[..., Any], arrays: Sequence[Array], most: int
) -> tuple[Callable[..., Any], Sequence[Array]]:
    """f(x + Σ tₖ dₖ) as a function of t, and t = 0, for inputs of floats of more than `most`
    elements, with `most` random directions d. Where no input is that large, f and `arrays`."""
    large = [x.dtype.kind == "f" and x.size > most for x in arrays]
    if not any(large):
        return f, arrays
    rng = np.random.default_rng(2)
    directions = [rng.uniform(-1, 1, (most, x.size)) for x in arrays]

    def moved(*steps: Any) -> Any:
        return f(*[
            x + pg.reshape(t @ d, x.shape) if is_large else t
            for x, t, d, is_large in zip(arrays, steps, directions, large, strict=True)
        ])  # fmt: skip

    return moved, [np.zeros(most) if one else x for x, one in zip(arrays, large, strict=True)]


@np.errstate(all="ignore")
def summed_to(array: Array, shape: tuple[int, ...]) -> Array:
    extra = array.ndim - len(shape)
    array = array.sum(axis=tuple(range(extra)))
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return array.sum(axis=axes, keepdims=True)


def by_columns(array: Array) -> Array:
    """The same elements, column by column."""
    return np.array(array, order="F")


def stepped(array: Array) -> Array:
    """The same elements, each followed by one that must not be read."""
    return followed(array)[..., 0]


def followed(array: Array) -> Array:
    return np.stack([array, np.ones_like(array)], axis=-1)


def backwards(array: Array) -> Array:
    """The same elements, stored in reverse order."""
    back = (slice(None, None, -1),) * array.ndim
    return np.array(array[back], order="C")[back]
