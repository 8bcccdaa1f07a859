"""One operation in one class: it reaches every style, order and engine, and the battery."""

import importlib.util
import subprocess
from pathlib import Path

import numpy as np
import pytest

import palingrad as pg
from palingrad.proof import prove
from styles import in_every_style
from tolerances import assert_close

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("own", ROOT / "examples" / "own_operation.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mish(x):
    return x * np.tanh(np.log1p(np.exp(x)))


def mish_slope(x):
    u, sigmoid = np.tanh(np.log1p(np.exp(x))), 1 / (1 + np.exp(-x))
    return u + x * sigmoid * (1 - u * u)


X = np.linspace(-2, 2, 9)


def test_the_battery_proves_it(example):
    prove(example.Mish)


def test_its_values_are_its_formula_on_every_engine(example):
    assert_close(example.mish(X).value, mish(X))
    for engine in pg.engine_names():
        assert_close(pg.function(example.mish, engine=engine)(X), mish(X))


@in_every_style
def test_its_derivative_is_right_in_every_style(example, slope):
    assert_close(slope(lambda x: pg.sum(example.mish(x)), X), mish_slope(X))


def test_its_second_derivative_is_right_in_every_style(example):
    h = 1e-5
    expected = (mish_slope(X + h) - mish_slope(X - h)) / (2 * h)

    def total(x):
        return pg.sum(example.mish(x))

    found = [pg.hessian(total)(X).diagonal()]
    x = pg.tensor(X)
    found.append(pg.gradients(pg.sum(pg.gradients(total(x), x)), x).value)
    with pg.Graph():
        x = pg.placeholder()
        second = pg.gradients(pg.sum(pg.gradients(total(x), x)), x)
    found.append(pg.Session().run(second, {x: X}))
    for one in found:
        np.testing.assert_allclose(one, expected, rtol=1e-6, atol=1e-8)


def test_a_wrong_derivative_of_it_is_caught(example):
    class Wrong(example.Mish):
        def d(y, x):
            return [y + x]

    with pytest.raises((AssertionError, pg.errors.GradientError)):
        prove(Wrong)


def test_an_elementwise_operation_of_palingrad_stands_in_two_files():
    """Its family's file and one line of exports; the page of operations is generated."""
    done = subprocess.run(
        ["grep", "-rlwi", "silu", "src"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = set(done.stdout.split()) - {
        "src/palingrad/nn/activations.py",  # the layer that applies it
        "src/palingrad/nn/__init__.py",
    }
    assert {f for f in files if f.endswith(".py")} == {
        "src/palingrad/ops/activation.py",
        "src/palingrad/__init__.py",
    }
