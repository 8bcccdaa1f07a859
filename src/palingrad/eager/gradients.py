"""Gradients of a tape as arrays: of the Variables of an eager step, or of chosen leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..autodiff.gradients import is_bare
from ..dtypes import Array
from ..engines.base import sealed
from ..graph.leaves import Variable
from ..graph.node import Node
from ..graph.registry import register
from ..graph.state.landing import Unchanged
from ..graph.traversal.order import postorder
from . import pullbacks
from .tapes import Pass, Structure, Tape, known, nodes_of, places_of

Choice = Callable[[list[Variable]], list[Variable]]


class TapeGradients(Mapping[Variable, Array]):
    """The gradients of Variables of a tape whose structure is known.

    They are computed when the first is read, unless the Program of a whole step computes them
    itself: it reads the Variables instead of being fed their arrays, so that it can write over
    them.
    """

    def __init__(self, tape: Tape, places: dict[Variable, int]) -> None:
        self._tape, self._places = tape, places
        self._arrays: dict[Variable, Array] | None = None

    @property
    def key(self) -> tuple[Structure, *tuple[int, ...]]:
        """What the reverse pass depends on; the settings are part of the structure."""
        return self._tape.structure, *self._places.values()

    def reverse(self) -> Pass:
        """The reverse pass, which reads the Variables."""
        read = {place: variable for variable, place in self._places.items()}
        return self._tape.structure.within(read)

    def feeds(self, places: list[int]) -> tuple[Unchanged, list[Any]] | None:
        """The values at these places, and the condition under which the Variables are as when the
        tape was computed; None if one that a derivative needs isn't."""
        order: list[Any] = self._tape.order
        values = self._tape.values()
        if values is None:
            return None
        chosen = set(self._places.values())
        readers = [(n, x) for n, x in self._tape.structure.readers if x in chosen]
        since = min((order[n]._serial for n, _ in readers), default=0)
        return (
            Unchanged([order[x] for x in {x: None for _, x in readers}], since),
            [values[place] for place in places],
        )

    def arrays(self) -> dict[Variable, Array] | None:
        """The gradients, computed now; None if only the general pass can compute them."""
        found = self._arrays
        if found is None and (values := self._tape.values()) is not None:
            places = self._places
            by_place = self._tape.structure.to(tuple(places.values())).gradients(values)
            if len(by_place) == len(places):
                found = self._arrays = {x: by_place[place] for x, place in places.items()}
        return found

    def __getitem__(self, variable: Variable) -> Array:
        arrays = self.arrays()
        if arrays is None:
            raise KeyError(variable)
        return arrays[variable]

    def __iter__(self) -> Iterator[Variable]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def tape_gradients(y: Node, choose: Choice) -> Mapping[Variable, Array] | None:
    """The gradients of the Variables that `choose` selects among those of the tape, given in
    postorder; None if only the general pass can compute them."""
    order = nodes_of(y)
    tape = known(order)
    if tape is None or not tape.is_current():
        return _by_rules(postorder(y), choose)
    variables: Any = [order[place] for place in tape.structure.variables]
    places = dict(zip(variables, tape.structure.variables, strict=True))
    targets = choose(variables)
    if not all(target in places for target in targets):
        return None
    return TapeGradients(tape, {target: places[target] for target in targets})


def _by_rules(order: list[Node], choose: Choice) -> dict[Variable, Array] | None:
    cotangents = pullbacks.cotangents(order)
    if cotangents is None:
        return None
    targets = choose([node for node in order if isinstance(node, Variable)])
    arrays = {node: cotangents.get(node) for node in targets}
    if any(array is None for array in arrays.values()):
        return None
    return {node: sealed(np.asarray(array)) for node, array in arrays.items()}


def of_leaves(order: list[Node], leaves: Sequence[Node]) -> list[Array | None] | None:
    """The gradients of a tape, given by `nodes_of`, with respect to some of its leaves, None where
    it is 0; None if only the general pass can compute them."""
    chosen = places_of(order, leaves)
    if chosen is None:
        return None
    tape = known(order)
    values = None if tape is None else tape.values()
    if tape is None or values is None:
        cotangents = pullbacks.cotangents(postorder(order[-1]))
        return None if cotangents is None else [cotangents.get(x) for x in leaves]
    found = tape.structure.to(chosen).gradients(values)
    return [found.get(place) for place in chosen]


@register
def slopes_since(y: Node, xs: Sequence[Node], began: int) -> list[Array] | None:
    """The gradients of a tape of nodes made since `began`; None if it has older ones that may be
    differentiated with respect to, or if only the general pass can compute them."""
    order = nodes_of(y)
    for node in order:  # the oldest first
        if node._serial >= began:
            break
        if not is_bare(node) and node._differentiable:
            return None
    found = of_leaves(order, xs)
    if found is None:
        return None
    zeros = (np.zeros(x._value.shape, x._value.dtype) for x in xs)
    return [sealed(np.asarray(z if one is None else one)) for one, z in zip(found, zeros)]
