"""One operation on one of its samples, computed in the ways that the checks compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..autodiff.check import Levels, angles_of
from ..autodiff.gradients import gradients
from ..dtypes import Array, complex_of, is_complex, is_floating, is_inexact
from ..engines.base import Executable
from ..engines.selection import get_engine
from ..graph.graph import Graph
from ..graph.leaves import Placeholder, placeholder
from ..graph.node import Node
from ..graph.operation import MultipleOutputs, Operation
from ..graph.promotion import tensor
from ..graph.registry import ops
from ..graph.samples import Sample
from ..graph.traversal.order import postorder
from ..passes.pipeline import optimise
from ..passes.program import Program
from ..passes.specialise import specialise
from ..session import Session


@dataclass(frozen=True)
class Case:
    """One operation on one of its samples."""

    operation: type[Operation]
    sample: Sample

    def arrays(self, dtype: Any = np.float64) -> list[Array]:
        """The sample's inputs, the floats among them in `dtype`, complex numbers in its complex
        dtype."""
        drawn = map(np.asarray, self.sample.inputs(np.random.default_rng(0)))
        with np.errstate(all="ignore"):
            return [in_dtype(x, np.dtype(dtype)) for x in drawn]

    def outputs(self, *inputs: Any) -> list[Node]:
        """The nodes that the operation makes of these inputs."""
        node = self.operation(*inputs, **self.sample.attributes)
        return list(node.items) if isinstance(node, MultipleOutputs) else [node]

    @cached_property
    def levels(self) -> Levels:
        """Derivatives of y(1 + y), which several checks look at."""
        return Levels(bent(self), self.arrays())

    @property
    def chooses_dtype(self) -> bool:
        """Whether an attribute says which dtype the result has."""
        return "dtype" in self.sample.attributes


def in_dtype(x: Array, dtype: Any) -> Array:
    """Floats in `dtype`, complex numbers in its complex dtype, anything else as it is."""
    if is_complex(x.dtype):
        return x.astype(complex_of(dtype))
    return x.astype(dtype) if is_floating(x.dtype) else x


def is_float(x: Any) -> bool:
    """Whether an array or node holds floats, real or complex; of a node with several outputs,
    whether all do."""
    return all(map(is_inexact, dtypes(x)))


def dtypes(x: Any) -> tuple[Any, ...]:
    """The dtype of an array or node, or those of the outputs of a node with several."""
    return x.dtype if isinstance(x.dtype, tuple) else (x.dtype,)


def floats(nodes: Sequence[Any]) -> list[Any]:
    """Those of the nodes or arrays that hold floats."""
    return [x for x in nodes if is_float(x)]


def values(nodes: Sequence[Node]) -> list[Array]:
    """The values of nodes, as arrays."""
    return [node.numpy() for node in nodes]


def weights(y: Any) -> Array:
    """A weight for each element, so that a gradient shows where each came from."""
    angles = angles_of(y)
    return (np.exp(1j * angles) if is_complex(y.dtype) else np.cos(angles)).astype(y.dtype)


def weighted_sum(ys: Sequence[Node], like: Sequence[Node]) -> Any:
    """One real number that depends on every float element of `ys`, whose shapes and dtypes `like`
    tells."""
    terms = [_real(ops.sum(y * weights(known)), known) for y, known in zip(ys, like)
             if is_float(known)]  # fmt: skip
    return sum(terms[1:], start=terms[0]) if terms else None


def _real(total: Node, like: Any) -> Node:
    return ops.real(total) if is_complex(like.dtype) else total


def slopes_of(xs: Sequence[Any], ys: Sequence[Any], like: Sequence[Any]) -> list[Node]:
    """The gradients of the total of `ys` with respect to those `xs` that `like` says are floats."""
    total = weighted_sum(ys, like[len(xs) :])
    floats = [x for x, known in zip(xs, like) if is_float(known)]
    return [] if total is None else gradients(total, floats)


def eager(case: Case, arrays: Sequence[Array]) -> tuple[list[Any], list[Any], list[Node]]:
    """Inputs, outputs and gradients, computed at once."""
    xs = [tensor(array) for array in arrays]
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
    fed, fetches, graph = _graph_of(drawn, template=template)
    session = Session(graph, engine=engine)
    return lambda arrays: session.run(fetches, dict(zip(fed, arrays, strict=True)))


class SharedProgram:
    """One Program of several cases, for all engines: optimising takes longer than the rest."""

    def __init__(self, drawn: Sequence[Drawn]) -> None:
        fed, self._fetches, _ = _graph_of(drawn, template=True)
        used = [x for x in postorder(*self._fetches) if isinstance(x, Placeholder)]
        places = {x: place for place, x in enumerate(fed)}
        self._used = {x: places[x] for x in used}
        self._program: Program | None = None
        self._executables: dict[str, Executable] = {}

    def run(self, engine: str, arrays: Sequence[Array]) -> list[Array]:
        """All outputs and gradients of all inputs."""
        if self._program is None:
            forms = {x: (arrays[n].shape, arrays[n].dtype) for x, n in self._used.items()}
            self._program = optimise(specialise(self._fetches, forms))
        if engine not in self._executables:
            self._executables[engine] = get_engine(engine).compile(self._program)
        return self._executables[engine]([arrays[place] for place in self._used.values()])


def _graph_of(drawn: Sequence[Drawn], *, template: bool) -> tuple[list[Any], list[Any], Graph]:
    """The placeholders of several cases, their outputs and gradients, and their graph."""
    fed: list[Any] = []
    fetches: list[Any] = []
    with Graph() as graph:
        for case, known, results in drawn:
            xs = [placeholder() if template else placeholder(x.shape, dtype=x.dtype) for x in known]
            ys = case.outputs(*xs)
            fetches += [*ys, *slopes_of(xs, ys, [*known, *results])]
            fed += xs
    return fed, fetches, graph


def drawn_together(
    pairs: Sequence[tuple[Case, Sequence[Any]]],
) -> tuple[list[Drawn], list[Array], list[Array]]:
    """Each case in its dtypes, all their inputs, and all outputs and gradients computed at once."""
    drawn: list[Drawn] = []
    fed: list[Array] = []
    expected: list[Array] = []
    for case, dtypes in pairs:
        for dtype in dtypes:
            arrays = case.arrays(dtype)
            xs, ys, slopes = eager(case, arrays)
            drawn.append((case, xs, ys))
            fed += arrays
            expected += values([*ys, *slopes])
    return drawn, fed, expected


def of_floats(case: Case, arrays: Sequence[Array]) -> tuple[Callable[..., Any], list[Array]]:
    """The operation as a function of its float inputs to its float outputs, and those inputs."""
    places = [place for place, array in enumerate(arrays) if is_inexact(array.dtype)]

    def f(*given: Any) -> list[Any]:
        inputs: list[Any] = list(arrays)
        for place, x in zip(places, given, strict=True):
            inputs[place] = x
        return floats(case.outputs(*inputs))

    return f, [arrays[place] for place in places]


def bent(case: Case) -> Callable[..., list[Any]]:
    """y(1 + y) of the outputs that are floats: their cotangents depend on the inputs.

    The square alone of a root has a stable form, which would take the place of the operation.
    """

    def products(*inputs: Any) -> list[Any]:
        return [y * (1 + y) for y in floats(case.outputs(*inputs))]

    return products


@np.errstate(all="ignore")
def summed_to(array: Array, shape: tuple[int, ...]) -> Array:
    """The sums of `array` over the axes along which `shape` broadcasts to its shape."""
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
    """Each element followed by a one, on a new last axis."""
    return np.stack([array, np.ones_like(array)], axis=-1)


def backwards(array: Array) -> Array:
    """The same elements, stored in reverse order."""
    back = (..., *[slice(None, None, -1)] * array.ndim)  # an array also without axes
    return np.array(array[back], order="C")[back]
