"""Derivatives inside functions that are being differentiated: all nestings, and nothing is cut."""

from __future__ import annotations

import itertools
import math
import threading

import numpy as np
import pytest

import palingrad as pg
from palingrad.autodiff import calls, forward, gradients, reverse
from palingrad.errors import GradientError
from palingrad.trees import leaves
from tolerances import assert_close, assert_same

# All results are exact in float32, which Python's floats become.
W = np.array([2.0, 0.5])
X = np.array([3.0, 1.0])
FIXED = np.array([6.0, 8.0])


def whole(x):
    """An argument of any form as one vector."""
    return pg.stack(x) if isinstance(x, list) else pg.reshape(x, (-1,))


def ones(x):
    return [1.0] * len(x) if isinstance(x, list) else np.ones(np.shape(x))


def total(tree):
    return sum(pg.sum(leaf) for leaf in leaves(tree))


FORMS = {
    "array": lambda a: a,
    "list": lambda a: [float(one) for one in a],
    "float": lambda a: float(a[0]),
    "node": pg.tensor,
}

# Each gives a derivative of f, which takes one argument and returns a vector, summed or not.
TRANSFORMS = {
    "grad": lambda f, x: pg.grad(lambda u: pg.sum(f(u)))(x),
    "value_and_grad": lambda f, x: pg.value_and_grad(lambda u: pg.sum(f(u)))(x)[1],
    "vjp": lambda f, x: pg.vjp(lambda u: pg.sum(f(u)), x)[1](1.0),
    "jvp": lambda f, x: pg.jvp(f, (x,), (ones(x),))[1],
    "jacobian": lambda f, x: pg.jacobian(lambda u: pg.sum(f(u)))(x),
    "hessian": lambda f, x: pg.hessian(lambda u: pg.sum(f(u)))(x),
}


def nested(outer, inner, given):
    """`outer` by w of Σw · the sum of `inner` by x of w²x³, at x = `given`."""

    def f(w):
        return pg.sum(whole(w)) * total(inner(lambda x: whole(w) ** 2 * whole(x) ** 3, given))

    return lambda w: outer(f, w)


def expected(outer, inner, w, x):
    """The same in closed form: r = S·A with S = Σw and A = Σ a w²."""
    a = 6 * x if inner == "hessian" else 3 * x**2
    s, total_a = w.sum(), (a * w**2).sum()
    slope = total_a + 2 * s * a * w
    if outer == "hessian":
        half = np.add.outer(2 * a * w, 2 * a * w)
        return half + np.diag(2 * s * a)
    return slope.sum() if outer == "jvp" else slope


def numbers(tree):
    return np.concatenate([np.ravel(leaf) for leaf in leaves(tree)]).astype(np.float64)


PAIRS = list(itertools.product(TRANSFORMS, TRANSFORMS))
KINDS = list(itertools.product(FORMS, FORMS))


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_every_transform_in_every_other(outer, inner):
    place = PAIRS.index((outer, inner))
    for form_w, form_x in (("array", "array"), KINDS[place % len(KINDS)]):
        w, x = (v[:1] if "float" in (form_w, form_x) else v for v in (W, X))
        f = nested(TRANSFORMS[outer], TRANSFORMS[inner], FORMS[form_x](x))
        assert_close(numbers(f(FORMS[form_w](w))), numbers(expected(outer, inner, w, x)))


@pytest.mark.parametrize(("form_w", "form_x"), KINDS)
def test_arguments_of_every_form(form_w, form_x):
    w, x = (v[:1] if "float" in (form_w, form_x) else v for v in (W, X))
    f = nested(TRANSFORMS["grad"], TRANSFORMS["grad"], FORMS[form_x](x))
    assert_close(numbers(f(FORMS[form_w](w))), numbers(expected("grad", "grad", w, x)))


def test_a_nest_gives_the_same_in_a_function():
    for outer, inner in (("grad", "grad"), ("jvp", "vjp"), ("hessian", "jvp")):
        f = nested(TRANSFORMS[outer], TRANSFORMS[inner], X)
        assert_close(numbers(pg.function(f)(W)), numbers(f(W)))


D = {
    "grad": lambda f, x: pg.grad(f)(x),
    "vjp": lambda f, x: pg.vjp(f, x)[1](1.0)[0],
    "jvp": lambda f, x: pg.jvp(f, (x,), (1.0,))[1],
    "jacobian": lambda f, x: pg.jacobian(f)(x),
}


@pytest.mark.parametrize("names", list(itertools.product(D, D, D)))
def test_three_levels_closing_over_any_of_them(names):
    first, second, third = (D[name] for name in names)
    for f, value in (
        (lambda a, b, c: a * b * c**2, 8 * 2 * 3 * 5),  # 8abc
        (lambda a, b, c: a * c**2, 4 * 2 * 5),  # of the outermost: 4ac
        (lambda a, b, c: b * c**2, 4 * 3 * 5),  # of the middle one: 4bc
        (lambda a, b, c: c**2, 2 * 5),
    ):

        def middle(a, b, f=f):
            return b * third(lambda c: f(a, b, c), 5.0)

        found = first(lambda a, m=middle: a * second(lambda b: m(a, b), 3.0), 2.0)
        assert_same(np.asarray(found), np.float32(value))


def test_perturbations_are_not_confused():
    inner = pg.jvp(lambda x: x * pg.jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,))
    assert_same(inner[1], np.float32(1))
    assert_same(pg.grad(lambda x: x * pg.grad(lambda y: x + y)(2.0))(1.0), np.float32(1))
    assert_same(pg.grad(lambda x: x * pg.grad(lambda y: x * y)(2.0))(3.0), np.float32(6))


def test_vjps_and_tangents_keep_the_outer_dependence():
    _, pull = pg.vjp(lambda x: x**2, X)
    assert_close(pg.grad(lambda w: pg.sum(w * pull(w)[0]))(W), 4 * X * W)
    along = pg.grad(lambda t: pg.sum(t * pg.jvp(lambda x: x**2, (X,), (t,))[1]))(W)
    assert_close(along, 4 * X * W)
    late = pg.tensor(W)
    assert_same(pg.gradients(pull(late)[0], late, gradient=W).numpy(), 2 * X * W)


# -------------------------------------------------------------------------------- closures


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("leaf", [pg.Variable, pg.tensor])
def test_backward_reaches_what_the_function_closes_over(name, leaf):
    v = leaf(W)
    y = nested(lambda f, w: f(w), TRANSFORMS[name], X)(v)
    y.backward()
    assert_close(v.grad.numpy(), expected("grad", name, W, X))


def test_results_are_nodes_if_the_function_closes_over_a_node():
    v = pg.Variable(2.0)
    scale = v * 3
    for f in (
        lambda x: x * v,
        lambda x: x + v,
        lambda x: x * pg.stop_gradient(x) * v,
        lambda x: x * scale,
    ):
        value, slope = pg.value_and_grad(f)(3.0)
        assert isinstance(value, pg.Node)
        assert isinstance(slope, pg.Node)


def test_results_are_arrays_if_nothing_outside_is_differentiable():
    v, count = pg.Variable(2.0), pg.Variable(3)
    for f in (
        lambda x: x * 2.0 * W[0],
        lambda x: x * pg.stop_gradient(v),
        lambda x: x * count,  # an integer has no derivative
        lambda x: x * pg.tensor(2.0),  # made inside
        lambda x: pg.grad(lambda y: y**3)(x),
        lambda x: x * pg.grad(lambda y: y**3)(2.0),
    ):
        assert type(pg.grad(f)(3.0)) is np.ndarray


# -------------------------------------------------------------------------------- how far it walks


def _walked(monkeypatch, f):
    """How many nodes derivatives look at while f runs."""
    counts = [0]

    def counted(function):
        def wrapper(*args, **kwargs):
            found = list(function(*args, **kwargs))
            counts[0] += len(found)
            return found

        return wrapper

    with monkeypatch.context() as patch:
        for module in (reverse, forward, gradients):
            patch.setattr(module, "postorder", counted(module.postorder))
        patch.setattr(calls, "dependencies", counted(calls.dependencies))
        f()
    return counts[0]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_an_inner_derivative_does_not_walk_the_history_around_it(monkeypatch, name):
    for form in (lambda w: w, lambda w: X):  # of an outer node, and closing over one
        walked = []

        def loop(w, form=form, walked=walked):
            for _ in range(8):
                given = w

                def turn(w=given):
                    return TRANSFORMS[name](lambda x: whole(w) ** 2 * whole(x) ** 3, form(w))

                walked.append(_walked(monkeypatch, turn))
                w = 0.5 * w + 0.1 * pg.sin(given)
            return pg.sum(w)

        pg.grad(loop)(W)
        assert walked[0] > 5
        assert max(walked) == walked[0]


def test_nodes_newer_than_an_argument_are_found_whenever_they_were_built():
    early, late = pg.tensor(W), pg.tensor(X)
    product = early * late
    again = pg.tensor(1.0)
    y = pg.sum(pg.log(pg.softmax(product)) * again)  # through its stable form
    slow = pg.gradients(y, [early, late, again])
    for x, g in zip((early, late, again), slow, strict=True):
        assert_same(pg.gradients(y, x).numpy(), g.numpy())


# -------------------------------------------------------------------------------- nothing is cut


def _stored(t):
    c = np.zeros(2)
    c[0] = t * t
    return pg.sum(c * t)


CUTS = {
    "float": lambda t: t * float(t),
    "int": lambda t: t * int(t),
    "numpy": lambda t: t * t.numpy(),
    "value": lambda t: t * (2 * t).value,
    "item": lambda t: t * (t + 1).item(),
    "asarray": lambda t: t * np.asarray(t),
    "array": lambda t: pg.sum(t * np.array([t, 2 * t])),
    "math": lambda t: t * math.sin(t),
    "stored": _stored,
    "variable": lambda t: t * pg.Variable(2 * t),
    "function": lambda t: t * pg.function(lambda x: x * t)(np.array(1.0)),
    "function of a node": lambda t: t * pg.function(lambda x, u=2 * t: x * u)(np.array(1.0)),
    "session": lambda t: t * pg.Session().run(t * 2),
    "inner": lambda t: t * pg.grad(lambda x: x * float(t))(1.0),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_node_that_is_differentiated_does_not_become_a_number(name):
    f = CUTS[name]
    for call in (
        lambda: pg.grad(f)(3.0),
        lambda: pg.vjp(f, 3.0),
        lambda: pg.jvp(f, (3.0,), (1.0,)),
        lambda: pg.hessian(f)(3.0),
    ):
        with pytest.raises((GradientError, ValueError)) as caught:
            call()
        error = caught.value  # NumPy raises a ValueError from ours where an element is set
        error = error if isinstance(error, GradientError) else error.__cause__
        assert isinstance(error, GradientError)
        assert "inside a function that is being differentiated" in str(error)
    assert float(pg.tensor(2.0) * 3) == 6  # and outside all is as before


def test_conversions_in_another_thread_raise_too():
    caught = []

    def f(t):
        def work():
            with pytest.raises(GradientError, match="would become a plain number"):
                float(2 * t)
            caught.append(True)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return t

    pg.grad(f)(3.0)
    assert caught == [True]


def test_values_without_derivative_may_be_converted():
    fixed = pg.tensor(FIXED / 2) * 2

    def f(t):
        assert t[0] > 0
        assert bool(t[1])
        assert f"{t[0]:.1f} {len(t)} {t}".startswith("3.0 2 Constant(")
        index = int(pg.argmax(t))
        steps = float(pg.floor(t[0])) + float(t[0] > 0) + float(pg.stop_gradient(t)[1])
        return pg.sum(t[index] * t * steps * fixed.numpy())

    assert_close(pg.grad(f)(X), 5 * (X[0] * FIXED + [np.sum(X * FIXED), 0]))
