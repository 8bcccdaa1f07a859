"""The loops of these tests: a small recurrence, by `pg.scan` and by a loop of Python."""

from __future__ import annotations

import numpy as np

import palingrad as pg
from palingrad.trees import leaves

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(6, 3))
START = RNG.normal(size=3)
WEIGHTS = 0.5 * RNG.normal(size=(3, 3))


def step(w):
    """One step of a recurrence with weights w, whose carry is a dict."""

    def f(carry, x):
        h = pg.tanh(carry["h"] @ w + x)
        total = carry["total"] + pg.sum(h * x)
        return {"h": h, "total": total}, (h * h, pg.sum(h))

    return f


def unrolled(f, init, xs, *, reverse=False):
    """What pg.scan computes, by a loop of Python."""
    carry, ys = init, [None] * len(xs)
    for number in reversed(range(len(xs))) if reverse else range(len(xs)):
        carry, ys[number] = f(carry, xs[number])
    return carry, tuple(pg.stack(list(column)) for column in zip(*ys, strict=True))


def loss_of(scan):
    """A number that depends on all results of the recurrence."""

    def loss(h, w, xs):
        init = {"h": h, "total": pg.tensor(np.zeros(()))}
        carry, (squares, sums) = scan(step(w), init, xs)
        return pg.sum(pg.sin(carry["h"])) * carry["total"] + pg.sum(squares) + pg.prod(sums)

    return loss


def close(a, b):
    """Whether arrays agree to float64's rounding."""
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-11, atol=1e-12)


def both(f, *arguments):
    """The results of the two engines."""
    return [
        [np.asarray(one) for one in leaves(pg.function(f, engine=engine)(*arguments))]
        for engine in ("numpy", "native")
    ]


def agree(f, *arguments):
    """Compare the engines; return what `explain` says, in one line."""
    for a, b in zip(*both(f, *arguments), strict=True):
        close(a, b)
        assert a.dtype == b.dtype
    return " ".join(pg.function(f, engine="native").explain(*arguments).split())
