"""The reverse pass of long tapes by kept rules: to the bit that of `autodiff/reverse.py`, in time
that is linear in the length."""

from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.eager import pullbacks, tapes
from palingrad.errors import GradientError
from palingrad.graph.operation import MultipleOutputs
from palingrad.graph.registry import operations
from palingrad.ops.families import import_families

A = np.array
import_families()
SAMPLED = sorted(
    key
    for key, one in operations.items()
    if one.samples and one._shipped and ("f" in one.__dict__ or "expand" in one.__dict__)
)


@pytest.fixture(autouse=True)
def _every_tape_is_long(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tapes, "_LONGEST", 0)
    monkeypatch.setattr(pullbacks, "_OFTEN", 1)
    pullbacks._rules.clear()
    tapes._seen.clear()
    yield
    pg.set_ieee_gradients(False)


def by_nodes(run: Callable[[], Any]) -> Any:
    """What `run` returns if every gradient is computed node by node."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pullbacks, "cotangents", lambda order: None)
        return run()


def compared(run: Callable[[], list[Any]]) -> list[Any]:
    expected = by_nodes(run)
    for _ in range(3):
        for one, two in zip(run(), expected, strict=True):
            assert (one.dtype, one.shape) == (two.dtype, two.shape)
            np.testing.assert_array_equal(one, two)  # zeros may differ in their sign
            assert not one.flags.writeable
    return expected


@pytest.mark.parametrize("key", SAMPLED)
def test_each_operation(key: str) -> None:
    for sample in operations[key].samples[:2]:
        values = [np.asarray(x) for x in sample.inputs(np.random.default_rng(0))]

        def run(values: Any = values, attributes: Any = sample.attributes) -> Any:
            leaves = [pg.Variable(x) if x.dtype.kind in "fc" else pg.tensor(x) for x in values]
            inner = [x * 1.5 if x.dtype.kind in "fc" else x for x in leaves]  # pyright: ignore
            y = operations[key](*inner, **attributes)
            outputs: Any = y.items if isinstance(y, MultipleOutputs) else [y]
            terms = [pg.sum(pg.real(z) * 2.0) for z in outputs if z.dtype.kind in "fc"]
            try:
                sum(terms[1:], terms[0]).backward()
            except (GradientError, IndexError):
                return []
            return [x.grad.numpy() for x in (*leaves, *inner) if x.grad is not None]

        compared(run)


def test_what_rules_depend_on() -> None:
    def run() -> list[Any]:
        found: list[Any] = []
        for k in (2, 3, 0.5, 2.0, -1, 0, 2):
            for x in (A([0.5, 2.0]), A([[0.5], [2.0]]), A([0.5, 2.0], np.float32), A(2.0)):
                for ieee in (False, True):
                    pg.set_ieee_gradients(ieee)
                    v = pg.Variable(x)
                    y = pg.sum(pg.where(v > 1, v**k + k * v / (v + k), v - k) * A([1.0, 3.0]))
                    y.backward()
                    assert v.grad is not None
                    found.append(v.grad.numpy())
        return found

    compared(run)


def test_slices_of_shared_arrays() -> None:
    def run() -> list[Any]:
        v = pg.Variable(np.arange(12.0).reshape(3, 4))
        h = v * 2.0
        y = h[0, 1] * h[0, 1] + pg.sum(h[1:, ::2]) + pg.sum(h * h) + h[-1][2] * h[0][1]
        y = y + pg.sum(h[..., None, 0]) * h[2, 3]
        y.backward()
        return [x.grad.numpy() for x in (v, h, y)]  # pyright: ignore

    compared(run)


def test_stable_forms_several_outputs_and_rules_of_the_user() -> None:
    class Cubed(pg.Elementwise):
        def f(m, x):
            return x * x * x

        def d(y, x):
            return [3 * x * x]

    def run() -> list[Any]:
        v = pg.Variable(A([0.0, -2000.0, 0.0, 3.0]))
        losses = [
            pg.sum(pg.log(pg.softmax(v))),
            pg.sum(pg.split(v, 2)[1] ** 2),
            pg.sum(Cubed(v) * 2.0),
            pg.sqrt(pg.sum(v * v)) ** 2,
        ]
        found: list[Any] = []
        for loss in losses:
            loss.backward()
            assert v.grad is not None
            found.append(v.grad.numpy())
        return found

    compared(run)


def test_a_variable_assigned_meanwhile_and_what_isnt_reached() -> None:
    for _ in range(3):
        v, w = pg.Variable(A([3.0, 4.0]), name="v"), pg.Variable(2.0)
        y = pg.sum(v * v + pg.stop_gradient(w))
        v.assign(A([1.0, 1.0]))
        with pytest.raises(GradientError, match="'v' was assigned after"):
            y.backward()
        y = pg.sum(v * v + pg.stop_gradient(w))
        y.backward()
        assert w.grad is not None
        assert w.grad.item() == 0


def test_steps_of_an_optimizer() -> None:
    def run() -> list[Any]:
        w, b = pg.Variable(A([[0.5, -0.5], [1.0, 2.0]])), pg.Variable(A([0.1, 0.2]))
        optimizer = pg.optim.Momentum(0.1, clip_norm=1.0)
        for _ in range(4):
            h = A([[1.0, 2.0]])
            for _ in range(3):
                h = pg.tanh(h @ w + b)
            optimizer.minimize(pg.sum(h * h))
        return [v.numpy() for v in (w, b, *optimizer.variables().values())]

    pg.set_engine("numpy")
    try:
        compared(run)
    finally:
        pg.set_engine(None)


def chain(length: int) -> tuple[Any, Any]:
    v = pg.Variable(0.5)
    y: Any = v
    for _ in range(length // 2):
        y = y * 0.999 + v
    return v, y


def picked(length: int) -> tuple[Any, Any]:
    v = pg.Variable(np.ones(length // 2, np.float32))
    y: Any = v[0]
    for n in range(1, length // 2):
        y = y + v[n]
    return v, y


@pytest.mark.parametrize("make", [chain, picked])
def test_time_is_linear_in_the_length(make: Callable[[int], tuple[Any, Any]]) -> None:
    taken: dict[int, float] = {}
    for length in (1000, 1000, 10000):
        v, y = make(length)
        start = process_time()
        y.backward()
        taken[length] = process_time() - start
    assert taken[10000] < 40 * taken[1000]  # 100 × if quadratic
    if make is picked:
        assert v.grad.numpy().tolist() == [1.0] * 5000
    else:
        assert abs(v.grad.item() - (1 - 0.999**5000) / 0.001) < 3
