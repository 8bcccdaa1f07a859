"""A NaN that an operation makes from infinite data is reported where it is made, with the leaf."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import NonFiniteError
from palingrad.graph.kinds import Elementwise
from palingrad.proof import shipped
from palingrad.proof.case import Case

INF = np.inf


def product(x, w):
    return x * w


def product_squared(x, w):
    return (x * w) ** 2


def difference(x, w):
    y = x + w
    return pg.sum(y - x)


def quotient(x, w):
    return x / (x + w)


def damped(x, w):
    return pg.exp(-x) * x + w


def wave(x, w):
    return pg.sin(x) * w


def contraction(x, w):
    return pg.sum(pg.matmul(pg.reshape(x, (1,)), pg.reshape(w, (1,))))


def total(x, w):
    return pg.sum(pg.stack([x, -x, w]))


def softmax(x, w):
    return pg.sum(pg.softmax(pg.stack([-x, -x])) * w)


def scanned(x, w):
    carry, _ = pg.scan(lambda c, s: (c * s, c), x, pg.stack([w + 1, w, w]))
    return carry


CASES = [
    (product, "∞ × 0", "multiply"),
    (product_squared, "∞ × 0", "multiply"),
    (difference, "∞ − ∞", "subtract"),
    (quotient, "∞ ÷ ∞", "divide"),
    (damped, "0 × ∞", "multiply"),
    (wave, "sin of ∞", "sin"),
    (contraction, "matmul of numbers with ∞ and 0", "matmul"),
    (total, "sum of numbers with ∞ and −∞", "sum"),
    (softmax, "−∞ − (−∞)", "subtract"),
    (scanned, "∞ × 0 in step 1 of loop", "item"),
]


def run(f, style):
    if style == "session":
        with pg.Graph():
            x, w = pg.placeholder((), name="x"), pg.Variable(0.0, name="w")
            y = f(x, w)
            fetches = [y, pg.gradients(y, w)]
        pg.Session().run(fetches, {x: INF})
    else:
        x, w = pg.Variable(INF, name="x"), pg.Variable(0.0, name="w")
        y = f(x, w)
        y.backward() if style == "gradient" else y.numpy()


def raised(f, style) -> Any:
    with pytest.raises(NonFiniteError) as caught, pg.debug_nans():
        run(f, style)
    return caught.value


@pytest.mark.parametrize("style", ["eager", "gradient", "session"])
@pytest.mark.parametrize(("f", "what", "kind"), CASES, ids=[f.__name__ for f, *_ in CASES])
def test_the_operation_that_makes_the_nan_is_named_with_the_infinite_leaf(f, what, kind, style):
    error = raised(f, style)
    assert error.during == "forward"
    assert what in error.reason or "softmax of numbers with −∞" in error.reason
    leaf = "placeholder 'x' holds ∞" if style == "session" else "variable 'x' holds ∞"
    assert error.reason.endswith(f", where {leaf}")
    assert error.node.kind_name() in (kind, "softmax")
    assert f"in {leaf.split(' holds')[0]}, such as pg.clip" in error.rewrite


def test_an_infinity_that_makes_no_nan_is_no_fault():
    with pg.debug_nans():
        x = pg.Variable(INF)
        pg.tanh(x).backward()
        assert (x + 1).numpy() == INF
        assert pg.sum(pg.where(x < INF, x, 1.0)).numpy() == 1


def test_in_training_the_update_that_makes_a_nan_is_named():
    w = pg.Variable([1.0, 0.5], name="w")
    optimizer = pg.optim.Adam(0.1)

    @pg.function
    def step(x):
        loss = pg.sum(w * x)
        optimizer.minimize(loss)
        return loss

    with pytest.raises(NonFiniteError, match=r"new value of variable 'w': ∞ ÷ ∞"):
        with pg.debug_nans():
            step(np.array([INF, 1], np.float32))
    np.testing.assert_array_equal(w.numpy(), [1, 0.5])


def test_the_advice_fits_the_root_and_not_a_sum_after_it():
    x = pg.Variable([0.0, 1.0])
    with pytest.raises(NonFiniteError, match="derivative of sqrt at 0") as caught, pg.debug_nans():
        pg.sum(pg.sqrt(x)).backward()
    assert caught.value.rewrite.startswith("pg.sqrt(x + eps)")


_VERBS = {"add", "bound", "check", "find", "keep", "look", "mind", "report", "scale", "take", "use"}


def test_each_advice_reads_as_a_sentence_after_try():
    advice: list[str] = []
    for operation in shipped():
        advice.append(operation.steep or "pg.log")
        for sample in operation.samples[:1]:
            case = Case(operation, sample)
            nodes: list[Any] = list(case.outputs(*map(pg.tensor, case.arrays())))
            for node in nodes:
                for x in (0.0, -3.0, 0.5, 1e30):
                    values = [x] * len(node.inputs) if isinstance(node, Elementwise) else []
                    advice.append(node.nonfinite(INF, *values)[1])
    assert len(advice) > 500
    assert [text for text in advice if text.split()[0] in _VERBS] == []
