"""Helpers of the tasks on 10⁴ to 10⁷ numbers, in rows of 1000 or one long vector."""

from collections.abc import Callable
from typing import Any

from contenders import NATIVE, PEERS
from task import Case, Task, numbers

COUNTS = {10**4: "10⁴", 10**5: "10⁵", 10**6: "10⁶", 10**7: "10⁷"}


def cases(shape: Callable[[int], tuple[int, ...]], moves: float) -> tuple[Case, ...]:
    """The cases by size. `moves` is the number of reads and writes per element."""
    return tuple(
        Case(f"{name} numbers", shape(count), bytes=4 * moves * count, shown=count == 10**6)
        for count, name in COUNTS.items()
    )


def task(
    title: str,
    formula: str,
    *,
    goal: float = 1,
    flat: bool = False,
    moves: float = 2,
    also: Callable[[int], tuple[Any, ...]] = lambda columns: (),
) -> Task:
    """The task of a formula of x and of the arrays that `also` makes for the length of x's rows."""

    def make(framework, shape):
        return framework.formula(formula, numbers(*shape), *also(shape[-1]))

    return Task(
        title=title,
        cases=cases(lambda count: (count,) if flat else (count // 1000, 1000), moves),
        tiny=Case("21 numbers", (21,) if flat else (3, 7)),
        make=make,
        goal=goal,
        contenders=(NATIVE, "palingrad, numpy", *PEERS),
        seconds=0.1,
    )
