"""Recurrent layers: a cell run along each sequence of a batch, by one scan a direction."""

from __future__ import annotations

from typing import Any, ClassVar

from ...errors import ArgumentError, ShapeError
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...messages.checks import flag, shown, whole, within
from ...shapes import Shape, text
from ..dropout import Dropout
from ..module import Module
from .cells import Cell, GRUCell, LSTMCell, RNNCell, State


class Recurrent(Module):
    """x (batch, time, inputs) to y (batch, time, hidden): what RNN, LSTM and GRU share.

    layers: the number of cells on top of each other, with Dropout of rate `dropout` between them.
    bidirectional: each layer also runs backwards, and y is (batch, time, 2·hidden). last: y is only
    the output after the whole sequence, (batch, hidden). Other options are those of the cell.

    A call takes `state`, a tuple with one state for each cell, in the order of the layers, forward
    before backward; `mask` (batch, time), False where a sequence has ended: there y is 0, and the
    state stays; and `return_state`, which makes the result (y, state).
    """

    cell: ClassVar[type[Cell]]

    def __init__(
        self,
        inputs: int,
        hidden: int,
        *,
        layers: int = 1,
        bidirectional: bool = False,
        last: bool = False,
        dropout: float = 0.0,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        name = type(self).__name__
        count = whole(f"{name}: layers", layers, least=1, like=2)
        self.directions = 2 if flag(f"{name}: bidirectional", bidirectional) else 1
        self.last = flag(f"{name}: last", last)
        within(f"{name}: dropout", dropout, "[0, 1)", like=0.1)
        self.cells: list[Cell] = []
        for number in range(count * self.directions):
            wide = inputs if number < self.directions else self.directions * hidden
            own = None if seed is None else seed + 2 * number  # a cell draws two matrices
            self.cells.append(self.cell(wide, hidden, seed=own, **options))
        self.dropout = Dropout(dropout, seed=seed) if dropout and count > 1 else None

    def _hint(self, shape: Shape) -> str:
        if len(shape) == 2:
            return " One sequence is a batch of one: x[None] has shape (1, …)."
        return self.cells[0]._hint(shape)

    def forward(
        self,
        x: Any,
        state: Any = None,
        *,
        mask: Any = None,
        return_state: bool = False,
        training: bool,
    ) -> Any:
        y: Any = as_node(x)
        if y.shape is not None and len(y.shape) != 3:
            raise ShapeError(f"expected x (batch, time, inputs), got {text(y.shape)}")
        seen = None if mask is None else self._mask(mask, y)
        before = self._states(state)
        after: list[Any] = []
        finals: list[Node] = []
        for first in range(0, len(self.cells), self.directions):
            if first and self.dropout is not None:
                y = self.dropout(y, training=training)
            outputs: list[Node] = []
            finals = []
            for number in range(first, first + self.directions):
                cell = self.cells[number]
                ys, final = _run(cell, y, before[number], seen, backward=number > first)
                outputs.append(ys)
                finals.append(final[0])
                after.append(cell.packed(final))
            y = outputs[0] if len(outputs) == 1 else ops.concat(outputs, axis=-1)
        if self.last:
            y = finals[0] if len(finals) == 1 else ops.concat(finals, axis=-1)
        return (y, tuple(after)) if flag("return_state", return_state) else y

    def _states(self, state: Any) -> list[State | None]:
        """One state, or None, for each cell."""
        if state is None:
            return [None] * len(self.cells)
        if not isinstance(state, (tuple, list)) or len(state) != len(self.cells):
            count = len(self.cells)
            raise ArgumentError(
                f"{type(self).__name__}: state is {shown(state, 60)}; expected a tuple of "
                f"{count} state{'s' if count > 1 else ''}, one for each cell.",
                hint="Pass the state that a call with return_state=True returned.",
            )
        return [cell.unpacked(one) for cell, one in zip(self.cells, state, strict=True)]

    def _mask(self, mask: Any, x: Node) -> Node:
        seen = as_node(mask)
        if seen.shape is not None and len(seen.shape) != 2:
            raise ShapeError(f"a mask is (batch, time), got {text(seen.shape)} for x "
                             f"{text(x.shape)}")  # fmt: skip
        return ops.expand_dims(ops.swapaxes(ops.astype(seen, "bool"), 0, 1), -1)  # (time, batch, 1)


def _run(
    cell: Cell, x: Any, state: State | None, seen: Node | None, *, backward: bool
) -> tuple[Node, State]:
    """The outputs (batch, time, hidden) and the last state of a cell along x (batch, time, …)."""
    inputs: Any = cell.projected(ops.swapaxes(x, 0, 1))  # (time, batch, gates·hidden)
    if state is None:
        state = cell.begin(ops.sum(inputs[:0], axis=0))  # a sequence may have no steps

    def step(before: State, row: Any) -> tuple[State, Node]:
        now, here = (row, None) if seen is None else row
        after = cell.step(now, before)
        if here is None:
            return after, after[0]
        after = tuple(ops.where(here, new, old) for new, old in zip(after, before, strict=True))
        return after, ops.where(here, after[0], 0)

    rows = inputs if seen is None else (inputs, seen)
    final, ys = ops.scan(step, tuple(state), rows, reverse=backward)
    return ops.swapaxes(ys, 0, 1), final


class RNN(Recurrent):
    """A simple recurrent layer, h' = tanh(x W + h U + b) (Elman 1990): x (batch, time, inputs) to
    (batch, time, hidden). Options and calls are those of LSTM, and `activation`.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> layer = pg.nn.RNN(4, 8, seed=0)
    >>> layer(np.zeros((2, 5, 4))).shape
    (2, 5, 8)
    """

    cell = RNNCell


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997): x (batch, time, inputs) to (batch,
    time, hidden), or (batch, hidden) with `last`.

    layers: cells on top of each other, with Dropout of rate `dropout` between them. bidirectional:
    each layer also runs backwards, and y is twice as wide. Other options are those of LSTMCell.
    A call takes `state`, `mask` (batch, time), False where a sequence has ended, and
    `return_state`, which makes the result (y, state); a state is a tuple with one (h, c) for each
    cell, layer by layer, forward before backward.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> layer = pg.nn.LSTM(4, 8, last=True, seed=0)
    >>> layer(np.ones((2, 5, 4)), mask=np.arange(5) < np.array([[5], [3]])).shape
    (2, 8)
    """

    cell = LSTMCell


class GRU(Recurrent):
    """Gated recurrent units (Cho et al. 2014): x (batch, time, inputs) to (batch, time, hidden).
    Options and calls are those of LSTM; a state is a tuple with one array for each cell."""

    cell = GRUCell
