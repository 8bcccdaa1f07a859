"""An error that depends on data names the loop and the step, whoever raises it, on each engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.selection import engine_names

EYE = np.eye(2)
MATRICES = np.stack([EYE, EYE, np.zeros((2, 2)), EYE])
SINGULAR = "a matrix is singular"
NOT_POSITIVE = "cholesky: a matrix isn't positive definite"
Function = Callable[..., Any]


def counted(f: Function) -> Function:
    """The sum of f(step, m) over five steps of a while loop."""

    def body(state: Any, m: Any) -> Any:
        step, total = state
        return step + 1, total + pg.sum(f(step, m))

    return lambda m: pg.while_loop(lambda s: s[0] < 5, lambda s: body(s, m), (0, 0.0))[1]


LOOPS: dict[str, tuple[Function, Any, str]] = {
    "scan": (lambda m: pg.scan(lambda c, x: (c + pg.sum(pg.linalg.inv(x)), None), 0.0, m)[0],
             MATRICES, f"loop, step 2: inv: {SINGULAR}"),
    "map": (lambda m: pg.map(lambda x: pg.linalg.solve(x, np.ones(2)), m),
            MATRICES, f"loop, step 2: solve: {SINGULAR}"),
    "reverse": (lambda m: pg.scan(lambda c, x: (c, pg.linalg.cholesky(x)), 0.0, m, reverse=True)[1],
                -MATRICES, f"loop, step 3: {NOT_POSITIVE}"),
    "fori": (lambda m: pg.fori_loop(0, 5, lambda i, x: x + pg.sum(pg.linalg.inv(m * (2 - i))), 0.0),
             EYE, f"loop, step 2: inv: {SINGULAR}"),
    "while": (counted(lambda step, m: pg.linalg.cholesky(m * (3.0 - step))),
              EYE, f"while_loop, step 3: {NOT_POSITIVE}"),
    "branch": (lambda m: pg.map(lambda x: pg.cond(x[0, 0] == 0, pg.linalg.inv, lambda x: x, x), m),
               MATRICES, f"loop, step 2: inv: {SINGULAR}"),
    "gradient": (pg.grad(lambda m: pg.sum(pg.map(lambda x: pg.linalg.inv(x), m))),
                 MATRICES, f"loop, step 2: inv: {SINGULAR}"),
    "last": (lambda m: pg.map(lambda x: pg.linalg.cholesky(x), m),
             np.concatenate([np.tile(EYE, (1024, 1, 1)), -EYE[None]]),
             f"loop, step 1024: {NOT_POSITIVE}"),
}  # fmt: skip


def raised(f: Function, x: Any, engine: str) -> str:
    with pytest.raises(np.linalg.LinAlgError) as found:
        pg.function(f, engine=engine)(x)
    return str(found.value)


@pytest.mark.parametrize("engine", engine_names())
@pytest.mark.parametrize("name", LOOPS)
def test_matrices_name_the_loop_and_the_step(name: str, engine: str) -> None:
    f, x, text = LOOPS[name]
    found = raised(f, x, engine)
    assert found.startswith(f"{text} (built at test_errors_in_steps.py:")
    with pytest.raises(np.linalg.LinAlgError) as eager:
        f(pg.tensor(x))
    assert str(eager.value) == found


@pytest.mark.parametrize("engine", engine_names())
def test_inner_loops_name_theirs_first(engine: str) -> None:
    def rows(m: Any) -> Any:
        return pg.map(lambda row: pg.scan(inverted, 0.0, row, name="inner")[0], m)

    def inverted(c: Any, x: Any) -> Any:
        return c + pg.sum(pg.linalg.inv(x)), None

    found = raised(rows, np.stack([np.tile(EYE, (4, 1, 1)), MATRICES]), engine)
    assert found.startswith(f"loop, step 1: loop 'inner', step 2: inv: {SINGULAR} (built at ")
    assert found.count("built at") == 1


@pytest.mark.parametrize("engine", engine_names())
def test_other_errors_are_as_raised_with_a_note(engine: str) -> None:
    class Reciprocal(pg.Custom):
        def compute(self, x: Any) -> Any:
            if x == 0:
                raise ZeroDivisionError("zero!")
            return 1 / x

        def vjp(self, g: Any, x: Any) -> Any:
            return [-g / (x * x)]

    def f(xs: Any) -> Any:
        return pg.map(lambda x: Reciprocal(x), xs)

    with pytest.raises(ZeroDivisionError, match=r"^zero!") as found:
        pg.function(f, engine=engine)(np.array([1.0, 2.0, 0.0]))
    assert "in loop, step 2" in found.value.__notes__
    with pytest.raises(ValueError, match="negative integer powers") as power:
        pg.function(lambda n: pg.map(lambda x: pg.pow(5, x), n), engine=engine)(np.array([1, -1]))
    assert "in loop, step 1" in power.value.__notes__


def test_attributes_of_errors_stay() -> None:
    error = pg.errors.NonFiniteError("nan", hint="don't")
    error.during = "forward"
    loop: Any = pg.scan(lambda c, x: (c + x, None), 0.0, np.ones(2), name="sums")[0].inputs[0]
    with pytest.raises(pg.errors.NonFiniteError, match=r"loop 'sums', step 1: nan. don't") as found:
        loop.raise_in_step(error, 1)
    assert found.value.during == "forward"
