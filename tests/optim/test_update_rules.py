"""Every optimizer takes the steps of its published equations: eagerly, in a graph, in a function.

The equations stand here a second time, in plain NumPy. A new optimizer is proved by a new row in
ROWS; MUTANTS are wrong optimizers, which the same proof must refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import palingrad as pg
from palingrad import optim
from palingrad.optim import (
    AdaGrad,
    Adam,
    AdamW,
    GradientDescent,
    Momentum,
    Optimizer,
    RMSProp,
    cosine_decay,
)
from tolerances import assert_close

pytestmark = pytest.mark.tiny

Array = np.ndarray[Any, Any]
Rule = Callable[[Array, Array, int, dict[str, Any]], Array]

STEPS, EXAMPLES, INPUTS, OUTPUTS = 25, 5, 3, 4
_numbers = np.random.default_rng(0)
BATCHES = _numbers.normal(size=(STEPS, EXAMPLES, INPUTS))  # each step sees another mini-batch
TARGETS = _numbers.normal(size=(EXAMPLES, OUTPUTS))
WEIGHT, BIAS = _numbers.normal(size=(INPUTS, OUTPUTS)), np.zeros(OUTPUTS)


# ---------------------------------------------------------------- the equations
# A rule takes a parameter p, its gradient g, the number t of the step from 1, and the state s that
# it keeps, empty at first. It returns the parameter after the step.


def gradient_descent(rate: float) -> Rule:
    return lambda p, g, t, s: p - rate * g


def momentum(rate: float, mu: float = 0.9) -> Rule:
    def rule(p, g, t, s):
        s["v"] = mu * s.get("v", 0) + g
        return p - rate * s["v"]

    return rule


def nesterov(rate: float, mu: float = 0.9) -> Rule:
    """Sutskever et al. (2013), eq. 3 and 4, written for φ = θ + μv, where the gradient is taken."""

    def rule(p, g, t, s):
        before = s.get("v", 0)  # v = −η times ours
        s["v"] = mu * before - rate * g
        return p - mu * before + (1 + mu) * s["v"]

    return rule


def adagrad(rate: float, epsilon: float = 1e-10) -> Rule:
    def rule(p, g, t, s):
        s["s"] = s.get("s", 0) + g**2
        return p - rate * g / (np.sqrt(s["s"]) + epsilon)

    return rule


def rmsprop(rate: float, rho: float = 0.9, epsilon: float = 1e-8) -> Rule:
    def rule(p, g, t, s):
        s["s"] = rho * s.get("s", 0) + (1 - rho) * g**2
        return p - rate * g / (np.sqrt(s["s"]) + epsilon)

    return rule


def adam(rate: float, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Rule:
    """Kingma & Ba (2014), algorithm 1."""

    def rule(p, g, t, s):
        s["m"] = beta1 * s.get("m", 0) + (1 - beta1) * g
        s["v"] = beta2 * s.get("v", 0) + (1 - beta2) * g**2
        mean, square = s["m"] / (1 - beta1**t), s["v"] / (1 - beta2**t)
        return p - rate * mean / (np.sqrt(square) + epsilon)

    return rule


def adamw(rate: float, decay: float = 0.01) -> Rule:
    """Loshchilov & Hutter (2017), algorithm 2, its decay λ times the learning rate."""
    step = adam(rate)
    return lambda p, g, t, s: step(p, g, t, s) - rate * decay * p


def half_a_cosine(rate: float, steps: int) -> Rule:
    """Gradient descent whose rate falls to 0 along half a cosine in so many steps."""

    def rule(p, g, t, s):
        done = min((t - 1) / steps, 1)
        return p - rate * (1 + np.cos(np.pi * done)) / 2 * g

    return rule


class Row(NamedTuple):
    """An optimizer, and the rule that it must follow."""

    name: str
    make: Callable[[], Optimizer]
    rule: Callable[[], Rule]


ROWS = [
    Row("gradient descent", lambda: GradientDescent(0.1), lambda: gradient_descent(0.1)),
    Row("momentum", lambda: Momentum(0.05), lambda: momentum(0.05)),
    Row("momentum 0.5", lambda: Momentum(0.05, momentum=0.5), lambda: momentum(0.05, 0.5)),
    Row("nesterov", lambda: Momentum(0.05, nesterov=True), lambda: nesterov(0.05)),
    Row("adagrad", lambda: AdaGrad(0.1), lambda: adagrad(0.1)),
    Row("adagrad epsilon", lambda: AdaGrad(0.1, epsilon=0.1), lambda: adagrad(0.1, 0.1)),
    Row("rmsprop", lambda: RMSProp(0.01), lambda: rmsprop(0.01)),
    Row(
        "rmsprop options",
        lambda: RMSProp(0.01, decay=0.5, epsilon=0.1),
        lambda: rmsprop(0.01, 0.5, 0.1),
    ),
    Row("adam", lambda: Adam(0.05), lambda: adam(0.05)),
    Row(
        "adam options",
        lambda: Adam(0.05, beta1=0.5, beta2=0.8, epsilon=0.1),
        lambda: adam(0.05, 0.5, 0.8, 0.1),
    ),
    Row("adam without mean", lambda: Adam(0.05, beta1=0.0), lambda: adam(0.05, 0.0)),
    Row("adamw", lambda: AdamW(0.05), lambda: adamw(0.05)),
    Row("adamw decay", lambda: AdamW(0.05, weight_decay=0.5), lambda: adamw(0.05, 0.5)),
    Row(
        "schedule",
        lambda: GradientDescent(cosine_decay(0.1, steps=20)),
        lambda: half_a_cosine(0.1, 20),
    ),
]
ROW = {row.name: row for row in ROWS}


# ---------------------------------------------------------------- the proof


def gradients_of(weight: Array, bias: Array, x: Array) -> tuple[Array, Array]:
    """∂/∂W and ∂/∂b of ½Σ(xW + b − y)²."""
    apart = x @ weight + bias - TARGETS
    return x.T @ apart, apart.sum(axis=0)


def expected(rule: Rule) -> tuple[Array, Array]:
    """Weight and bias after all steps, in float64."""
    weight, bias = WEIGHT, BIAS
    of_weight: dict[str, Any] = {}
    of_bias: dict[str, Any] = {}
    for t, x in enumerate(BATCHES, start=1):
        slope, shift = gradients_of(weight, bias, x)
        weight, bias = rule(weight, slope, t, of_weight), rule(bias, shift, t, of_bias)
    return weight, bias


def eagerly(take_step: Callable[[Any], Any], batches: Array) -> None:
    for x in batches:
        assert take_step(x) is None


def in_a_graph(take_step: Callable[[Any], Any], batches: Array) -> None:
    with pg.Graph() as graph:
        x = pg.placeholder()  # the gradient is a promise until the first feed tells the shape
        step = take_step(x)
    session = pg.Session(graph)
    for batch in batches:
        assert session.run(step, {x: batch}) is None


def in_a_function(take_step: Callable[[Any], Any], batches: Array) -> None:
    @pg.function
    def step(x):
        take_step(x)

    for x in batches:
        step(x)


STYLES = [eagerly, in_a_graph, in_a_function]
DTYPES = [np.dtype(np.float32), np.dtype(np.float64)]


def prove(optimizer: Optimizer, rule: Rule, style: Any, dtype: np.dtype[Any]) -> None:
    """Raise AssertionError unless the optimizer takes the rule's steps."""
    weight, bias = pg.Variable(WEIGHT, dtype=dtype), pg.Variable(BIAS, dtype=dtype)
    targets = TARGETS.astype(dtype)

    def take_step(x):
        loss = pg.sum(pg.square(x @ weight + bias - targets)) / 2
        return optimizer.minimize(loss)

    style(take_step, BATCHES.astype(dtype))
    for found, wanted in zip((weight, bias), expected(rule), strict=True):
        assert_close(found.numpy(), wanted.astype(dtype))
    assert optimizer.steps.item() == STEPS


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_an_optimizer_takes_the_steps_of_its_equations(row, style, dtype):
    prove(row.make(), row.rule(), style, dtype)


def test_every_optimizer_has_a_row():
    public = [getattr(optim, name) for name in optim.__all__]
    optimizers = {x for x in public if isinstance(x, type) and issubclass(x, Optimizer)}
    assert optimizers - {Optimizer} == {type(row.make()) for row in ROWS}


@pytest.mark.parametrize(
    ("optimizer", "rate"),
    [
        (GradientDescent(), 0.01),
        (Momentum(), 0.01),
        (AdaGrad(), 0.01),
        (RMSProp(), 0.001),
        (Adam(), 0.001),
        (AdamW(), 0.001),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Optimizer) else "",
)
def test_an_optimizer_has_its_usual_learning_rate(optimizer, rate):
    assert optimizer.learning_rate.item() == rate


# ---------------------------------------------------------------- the museum


class AdamWithoutBiasCorrection(Adam):
    def update(self, parameter, gradient, rate, step, **slots):
        return super().update(parameter, gradient, rate, step + 1e9, **slots)  # βᵗ is 0: ignored


class AdamWithoutSecondCorrection(Adam):
    def update(self, parameter, gradient, rate, step, **slots):
        m = self.beta1 * slots["mean"] + (1 - self.beta1) * gradient
        v = self.beta2 * slots["square"] + (1 - self.beta2) * gradient**2
        corrected = m / (1 - self.beta1**step)
        return parameter - rate * corrected / (pg.sqrt(v) + self.epsilon), {"mean": m, "square": v}


class AdamOneStepAhead(Adam):
    def update(self, parameter, gradient, rate, step, **slots):
        return super().update(parameter, gradient, rate, step + 1, **slots)


class AdamWithEpsilonInTheRoot(Adam):
    def update(self, parameter, gradient, rate, step, **slots):
        m = self.beta1 * slots["mean"] + (1 - self.beta1) * gradient
        v = self.beta2 * slots["square"] + (1 - self.beta2) * gradient**2
        mean, square = m / (1 - self.beta1**step), v / (1 - self.beta2**step)
        new = parameter - rate * mean / pg.sqrt(square + self.epsilon)
        return new, {"mean": m, "square": v}


class AdamThatSwapsItsSlots(Adam):
    def update(self, parameter, gradient, rate, step, **slots):
        new, changed = super().update(parameter, gradient, rate, step, **slots)
        return new, {"mean": changed["square"], "square": changed["mean"]}


class DecayInTheGradient(AdamW):
    def update(self, parameter, gradient, rate, step, **slots):
        decayed = gradient + self.weight_decay * parameter
        return Adam.update(self, parameter, decayed, rate, step, **slots)


class DecayAfterTheStep(AdamW):
    def update(self, parameter, gradient, rate, step, **slots):
        new, changed = Adam.update(self, parameter, gradient, rate, step, **slots)
        return new - rate * self.weight_decay * new, changed


class DampedMomentum(Momentum):
    def update(self, parameter, gradient, rate, step, **slots):
        return super().update(parameter, gradient * (1 - self.momentum), rate, step, **slots)


class ForgetfulMomentum(Momentum):
    def update(self, parameter, gradient, rate, step, **slots):
        return super().update(parameter, gradient, rate, step, **slots)[0], {}


class NesterovWithoutLookingAhead(Momentum):
    def __init__(self, *args, **options):
        super().__init__(*args, **{**options, "nesterov": False})


class AdaGradWithEpsilonInTheRoot(AdaGrad):
    def update(self, parameter, gradient, rate, step, **slots):
        squares = slots["squares"] + gradient**2
        return parameter - rate * gradient / pg.sqrt(squares + self.epsilon), {"squares": squares}


class RMSPropWithSharesSwapped(RMSProp):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.decay = 1 - self.decay


class Ascent(GradientDescent):
    def update(self, parameter, gradient, rate, step, **slots):
        return parameter + rate * gradient, {}


MUTANTS = [
    (lambda: AdamWithoutBiasCorrection(0.05), "adam"),
    (lambda: AdamWithoutSecondCorrection(0.05), "adam"),
    (lambda: AdamOneStepAhead(0.05), "adam"),
    (lambda: AdamWithEpsilonInTheRoot(0.05, beta1=0.5, beta2=0.8, epsilon=0.1), "adam options"),
    (lambda: AdamThatSwapsItsSlots(0.05), "adam"),
    (lambda: DecayInTheGradient(0.05), "adamw"),
    (lambda: DecayAfterTheStep(0.05), "adamw"),
    (lambda: DampedMomentum(0.05), "momentum"),
    (lambda: ForgetfulMomentum(0.05), "momentum"),
    (lambda: NesterovWithoutLookingAhead(0.05), "nesterov"),
    (lambda: AdaGradWithEpsilonInTheRoot(0.1, epsilon=0.1), "adagrad epsilon"),
    (lambda: RMSPropWithSharesSwapped(0.01), "rmsprop"),
    (lambda: Ascent(0.1), "gradient descent"),
    (lambda: GradientDescent(0.1), "schedule"),
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(
    ("mutant", "name"), MUTANTS, ids=[type(mutant()).__name__ for mutant, _ in MUTANTS]
)
def test_the_proof_refuses_a_wrong_optimizer(mutant, name, dtype):
    with pytest.raises(AssertionError, match="elements differ"):
        prove(mutant(), ROW[name].rule(), in_a_function, dtype)


# ---------------------------------------------------------------- Adam's first steps

ULPS = 8  # a few roundings


def size_of_step(optimizer: Adam, t: int, g: float) -> Array:
    """How far Adam goes in step t, counted in learning rates, from zeroed means, in float32."""
    w = pg.Variable(np.float32(0))
    optimizer.steps.assign(t - 1)
    optimizer.minimize(w * np.float32(g))
    return -w.numpy() / np.float32(optimizer.learning_rate.numpy())


class AdamWithTheNaiveCorrection(Adam):
    """1 − βᵗ as it is written: in float32 little is left of 1 − 0.999."""

    def update(self, parameter, gradient, rate, step, **slots):
        m = self.beta1 * slots["mean"] + (1 - self.beta1) * gradient
        v = self.beta2 * slots["square"] + (1 - self.beta2) * gradient**2
        beta1, beta2 = (pg.tensor(np.float32(b)) for b in (self.beta1, self.beta2))
        mean, square = m / (1 - beta1**step), v / (1 - beta2**step)
        new = parameter - rate * mean / (pg.sqrt(square) + self.epsilon)
        return new, {"mean": m, "square": v}


@pytest.mark.parametrize("g", [1e-3, 1.0, -1e3])
@pytest.mark.parametrize("t", [1, 2, 10, 1000, 1_000_000])
def test_the_bias_correction_is_accurate_in_float32(t, g):
    mean, square = 0.1 * g / (1 - 0.9**t), 0.001 * g**2 / (1 - 0.999**t)
    wanted = np.float32(mean / (np.sqrt(square) + 1e-8))
    np.testing.assert_array_max_ulp(size_of_step(Adam(0.001), t, g), wanted, maxulp=ULPS)


def test_the_naive_bias_correction_would_be_seen():
    with pytest.raises(AssertionError, match="not almost equal up to"):
        np.testing.assert_array_max_ulp(
            size_of_step(AdamWithTheNaiveCorrection(0.001), 1, 3.0), np.float32(1), maxulp=ULPS
        )
