"""Two processes that do different things, one after the other; each prints the errors it gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import palingrad as pg
from palingrad.errors import EngineError, ProcessError
from palingrad.optim import Adam
from palingrad.train import fit

X, Y = np.ones((32, 4), np.float32), np.zeros(32, np.int64)


own = pg.scale.process_index


def trained(x: Any = X, rate: float = 0.1, **options: Any) -> None:
    model = pg.nn.Sequential(pg.nn.Linear(4, 4, seed=0))
    fit(model, (x, Y), optimizer=Adam(rate), **{"batch_size": 8, "epochs": 1, **options})


def other_program() -> None:
    with pg.scale.use(pg.scale.mesh({"data": 2})):
        f = pg.function(lambda x: pg.sum(pg.exp(x) if own() else pg.sin(x)))
        f(X)


def other_feeds() -> None:
    with pg.scale.use(pg.scale.mesh({"data": 2})):
        pg.function(lambda x: pg.sum(x * 2))(X + own())


def too_small() -> None:
    pg.scale.mesh({"data": 1})


def attempt(name: str, action: Callable[[], None]) -> None:
    try:
        action()
        print(f"{name}: nothing", flush=True)
    except (ProcessError, EngineError) as error:
        print(f"{name}: {error.fact}", flush=True)


def main() -> None:
    pg.scale.initialize()
    attempt("settings", lambda: trained(seed=own()))
    attempt("data", lambda: trained(X + own()))
    attempt("values", lambda: trained(rate=0.1 + own()))
    attempt("program", other_program)
    attempt("feeds", other_feeds)
    attempt("mesh", too_small)
    attempt("twice", pg.scale.initialize)
    attempt("fine", trained)


if __name__ == "__main__":
    main()
