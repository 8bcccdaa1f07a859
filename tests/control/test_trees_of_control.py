"""Dataclasses, named tuples and None as carries, rows and results of loops and branches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, ShapeError

X = np.arange(6.0).reshape(3, 2)


@dataclass(frozen=True)
class State:
    """Two arrays, or one and None, and a mark that isn't an array."""

    x: Any
    y: Any = None
    mark: str = field(default="a", metadata={"static": True})


@dataclass
class Mirrored:
    """The fields of `State` in another order."""

    y: Any
    x: Any


def doubled(state: State) -> State:
    return State(state.x * 2, None if state.y is None else state.y + state.x, state.mark)


@pytest.mark.parametrize("state", [State(X, X), State(X), State(X, {"z": X}["z"], "b")])
def test_a_dataclass_is_a_carry(state: State) -> None:
    expected = doubled(doubled(state))
    carries = [
        pg.while_loop(lambda s: pg.sum(s.x) < 50, doubled, state),
        pg.fori_loop(0, 2, lambda i, s: doubled(s), state),
        pg.scan(lambda s, _: (doubled(s), s), state, length=2)[0],
        pg.cond(pg.tensor(True), lambda s: doubled(doubled(s)), lambda s: s, state),
        pg.switch(pg.tensor(1), [lambda s: s, lambda s: doubled(doubled(s))], state),
    ]
    for found in carries:
        assert found.mark == state.mark
        np.testing.assert_array_equal(found.x, expected.x)
        if state.y is None:
            assert found.y is None
        else:
            np.testing.assert_array_equal(found.y, expected.y)


def test_numbers_in_a_dataclass_are_carried() -> None:
    last = pg.fori_loop(0, 3, lambda i, s: State(s.x + 1, s.y * 0.5), State(0, 1.0))
    assert (int(last.x), float(last.y)) == (3, 0.125)


def test_gradients_flow_through_a_dataclass() -> None:
    def loss(x: Any) -> Any:
        last, rows = pg.scan(lambda s, r: (State(s.x * r, s.x), State(s.y)), State(x[0], x[1]), x)
        return pg.sum(last.x) + pg.sum(rows.x)

    def unrolled(x: Any) -> Any:
        a, b, total = x[0], x[1], 0.0
        for row in x:
            a, b, total = a * row, a, total + pg.sum(b)
        return pg.sum(a) + total

    np.testing.assert_allclose(pg.grad(loss)(X), pg.grad(unrolled)(X), rtol=1e-14)


def test_errors_name_the_field() -> None:
    with pytest.raises(ShapeError, match=r"carry\.y has shape \(3, 2\) at the start and \(2,\)"):
        pg.fori_loop(0, 2, lambda i, s: State(s.x, s.y[0]), State(X, X))
    with pytest.raises(ArgumentError, match=r"the carry State\(mark=b, x=·, y=·\), but it began as "
                       r"State\(mark=a, x=·, y=·\)"):  # fmt: skip
        pg.fori_loop(0, 2, lambda i, s: State(s.x, s.y, "b"), State(X, X))
    with pytest.raises(ArgumentError, match="keeps its structure"):
        pg.while_loop(lambda s: pg.sum(s.x) < 9, lambda s: Mirrored(s.y, s.x), State(X, X))


def test_errors_of_cond_name_its_parameters() -> None:
    with pytest.raises(ShapeError, match=r"if_false returns shape \(2,\), if_true \(3, 2\)"):
        pg.cond(pg.tensor(True), lambda x: x, lambda x: x[0], X)
    with pytest.raises(ArgumentError, match="cond: if_true returns"):
        pg.cond(pg.tensor(True), lambda x: x, lambda x: (x, x), X)


def test_an_eager_error_names_its_own_line() -> None:
    """Equal loops are one Program, made for the first of them."""

    def first(x: Any, i: Any) -> Any:
        return pg.map(lambda r: pg.take(x, r), i)

    def second(x: Any, i: Any) -> Any:
        return pg.map(lambda r: pg.take(x, r), i)

    x, lines = pg.tensor(np.ones(3)), set[str]()
    first(x, pg.tensor([0, 1]))
    for f in (first, second, first):
        with pytest.raises(pg.errors.OutOfRangeError, match="loop, step 1") as found:
            f(x, pg.tensor([0, 7]))
        lines.add(str(found.value).split("Built at ")[1].split(".py:")[1].split(".")[0])
    assert len(lines) == 2


def test_an_index_outside_a_switch_is_explained_once() -> None:
    with pytest.raises(
        ArgumentError, match=r"^switch: index 2 for 2 branches \(built at "
    ) as found:
        pg.switch(pg.tensor(2), [lambda: 1.0, lambda: 2.0])
    assert str(found.value).count("uilt at") == 1
