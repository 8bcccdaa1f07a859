"""Functions with derivatives of their own: values, both modes, second order, vmap, errors."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import GradientError
from tolerances import assert_close

X, Y = np.array([1.0, 2.0]), np.array([0.5, -0.3])


@pg.custom_vjp
def ruled(x, y):
    return {"square": x * x * y, "sum": x + y}


def forward(x, y):
    return {"square": x * x * y, "sum": x + y}, (x, y)


def backward(residuals, g):
    x, y = residuals
    return 2 * x * y * g["square"] + g["sum"], x**2 * g["square"] + g["sum"]


ruled.defvjp(forward, backward)


@pg.custom_jvp
def pushed(x, y):
    return {"square": x * x * y, "sum": x + y}


@pushed.defjvp
def _push(args, tangents):
    (x, y), (s, t) = args, tangents
    return pushed(x, y), {"square": 2 * x * y * s + x * x * t, "sum": s + t}


def plain(x, y):
    return {"square": x * x * y, "sum": x + y}


def total(of):
    def f(x, y):
        parts = of(x, y)
        return pg.sum(parts["square"] * pg.sin(parts["sum"]))

    return f


@pytest.fixture(params=[ruled, pushed], ids=["custom_vjp", "custom_jvp"])
def own(request):
    return total(request.param)


def both(transform, own, *args):
    for one, other in zip(
        np.atleast_1d(transform(own)(*args)), np.atleast_1d(transform(total(plain))(*args))
    ):
        assert_close(one, other)


@pytest.mark.parametrize("argnums", [0, 1])
def test_gradients_of_every_order(own, argnums):
    assert_close(pg.grad(own, argnums)(X, Y), pg.grad(total(plain), argnums)(X, Y))
    assert_close(pg.hessian(own, argnums)(X, Y), pg.hessian(total(plain), argnums)(X, Y))
    third, expected = (pg.jacobian(pg.hessian(f, argnums), argnums) for f in (own, total(plain)))
    assert_close(third(X, Y), expected(X, Y))


def test_forward_mode(own):
    for one, other in zip(pg.jvp(own, (X, Y), (Y, X)), pg.jvp(total(plain), (X, Y), (Y, X))):
        assert_close(one, other)
    assert_close(pg.hvp(own, (X, Y), (Y, X))[0], pg.hvp(total(plain), (X, Y), (Y, X))[0])


def test_under_vmap_from_both_sides(own):
    xs, ys = np.stack([X, Y, X]), np.stack([Y, X, X])
    expected = pg.vmap(pg.grad(total(plain)))(xs, ys)
    assert_close(pg.vmap(pg.grad(own))(xs, ys), expected)
    assert_close(pg.grad(lambda x: pg.sum(pg.vmap(own)(x, ys)))(xs), expected)
    pushed = pg.jvp(lambda x: pg.vmap(own)(x, ys), (xs,), (ys,))[1]
    assert_close(pushed, np.sum(expected * ys, axis=1))


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_in_programs(own, engine):
    f = pg.function(pg.value_and_grad(own, (0, 1)), engine=engine)
    value, slopes = f(X, Y)
    expected, others = pg.value_and_grad(total(plain), (0, 1))(X, Y)
    assert_close(value, expected)
    for one, other in zip(slopes, others, strict=True):
        assert_close(one, other)


def test_the_rule_is_what_counts():
    @pg.custom_vjp
    def clipped(x):
        return x

    clipped.defvjp(lambda x: (x, None), lambda res, g: (pg.clip(g, -1, 1),))
    assert_close(pg.grad(lambda x: pg.sum(clipped(x) * np.array([5.0, 0.5])))(X), [1.0, 0.5])
    x = pg.tensor(X)
    pg.sum(clipped(x) * np.array([5.0, 0.5])).backward()
    assert_close(x.grad.numpy(), [1.0, 0.5])


def test_arguments_without_derivative():
    @pg.custom_vjp
    def power(x, n):
        return x**n

    power.nondiff = frozenset([1])
    power.defvjp(lambda x, n: (x**n, x), lambda n, x, g: (g * n * x ** (n - 1),))
    assert_close(pg.grad(lambda x: pg.sum(power(x, 3)))(X), 3 * X**2)

    @pg.custom_jvp
    def scaled(x, y):
        return x * y

    scaled.defjvps(lambda t, z, x, y: 10 * t, None)
    assert_close(pg.grad(scaled, (0, 1))(2.0, 3.0)[0], np.float32(10))
    assert_close(pg.grad(scaled, (0, 1))(2.0, 3.0)[1], np.float32(0))


def test_plain_arrays_call_the_function():
    assert_close(pg.tensor(ruled(X, Y)["sum"]).numpy(), X + Y)


W = pg.Variable(2.0, name="w")


def _rules(f, bwd):
    f = pg.custom_vjp(f)
    f.defvjp(lambda x: (x * x, x), bwd)
    return f


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (pg.custom_vjp(lambda x: x), "has no rule yet.*defvjp"),
        (pg.custom_jvp(lambda x: x), "has no rule yet.*defjvp"),
        (_rules(lambda x: x, lambda r, g: g), "bwd returned .* for 1 argument"),
        (_rules(lambda x: x, lambda r, g: (g, g)), "bwd returned 2 for 1 argument"),
        (_rules(lambda x: x, lambda r, g: (pg.sum(g),)), r"has shape \(\) for a node of shape"),
    ],
)
def test_wrong_rules_are_told(f, words):
    with pytest.raises(GradientError, match=words):
        pg.grad(lambda x: pg.sum(f(x)))(X)


def test_what_is_closed_over_would_lose_its_derivative():
    f = pg.custom_vjp(lambda x: x)
    f.defvjp(lambda x: (x * W, x), lambda x, g: (g,))
    with pytest.raises(GradientError, match=r"depends on variable 'w'.*Pass it as an argument"):
        pg.grad(lambda x: pg.sum(f(x)))(X)


# ---------------------------------------------------------------- checkpoint


def test_checkpoint_keeps_values_and_derivatives():
    w = pg.Variable(np.array([[1.0, 2.0], [3.0, 4.0]]) / 5)

    def net(x):
        return pg.tanh(pg.tanh(x @ w) @ w)

    kept = pg.checkpoint(net)
    assert_close(pg.grad(lambda x: pg.sum(kept(x)))(X), pg.grad(lambda x: pg.sum(net(x)))(X))
    assert_close(pg.hessian(lambda x: pg.sum(kept(x)))(X), pg.hessian(lambda x: pg.sum(net(x)))(X))
    slopes = []
    for f in (kept, net):
        loss = pg.sum(f(pg.tensor(X)))
        loss.backward()
        slopes.append(w.grad.numpy())
        compiled = pg.function(lambda x, f=f: pg.gradients(pg.sum(f(x)), w))
        slopes.append(compiled(X))
    for one in slopes[1:]:
        assert_close(one, slopes[0])


def test_checkpoint_computes_again():
    def net(x):
        return pg.tanh(pg.tanh(pg.tanh(x)))

    counts = []
    for f in (net, pg.checkpoint(net)):
        g = pg.function(pg.value_and_grad(lambda x, f=f: pg.sum(f(x))), engine="numpy")
        counts.append(g.explain(X).count("tanh ("))
    assert counts == [3, 6]


def test_checkpoint_drops_the_history():
    x = pg.tensor(X)
    y = pg.checkpoint(lambda x: pg.sin(pg.sin(x)))(x)
    assert len(pg.postorder(y)) == 4  # x, the value, the node with the rule, its item
    assert_close(pg.gradients(pg.sum(y), x).numpy(), np.cos(np.sin(X)) * np.cos(X))


@pytest.mark.parametrize("compiled", [False, True])
def test_checkpoint_draws_the_same_numbers_again(compiled):
    @pg.checkpoint
    def noisy(x):
        u = pg.uniform((2,), dtype="float64")
        return pg.sum(pg.sin(x * u)), u

    f = pg.value_and_grad(noisy, has_aux=True)
    (value, u), slope = (pg.function(f) if compiled else f)(X)
    assert_close(value, np.sum(np.sin(X * u)))
    assert_close(slope, np.cos(X * u) * u)


def test_checkpoint_refuses_values_inside():
    with pytest.raises(pg.errors.GraphError, match=r"inside pg.checkpoint"):
        pg.checkpoint(lambda x: x if x > 0 else -x)(pg.tensor(1.0))


def test_checkpoint_under_vmap_reads_the_integers_of_each_example():
    table = np.array([1.0, 4.0])

    def f(x, n):
        return pg.checkpoint(lambda x: pg.sin(x * pg.take(table, n)) ** 2)(x)

    found = pg.vmap(pg.grad(f))(X, np.array([1, 0]))
    scale = table[::-1]
    assert_close(found, 2 * np.sin(X * scale) * np.cos(X * scale) * scale)


@pytest.mark.parametrize("nondiff", [(), (1,)])
def test_integers_under_vmap_are_those_of_each_example(nondiff):
    table = np.array([1.0, 4.0])

    def f(x, n):
        return pg.sin(x) * pg.take(table, n)

    back = pg.custom_vjp(f, nondiff)
    last = () if nondiff else (None,)
    back.defvjp(
        lambda x, n: (f(x, n), (x, n)),
        lambda *given: (pg.cos(given[-2][0]) * pg.take(table, given[-2][1]) * given[-1], *last),
    )
    push = pg.custom_jvp(f, nondiff)

    @push.defjvp
    def _rule(*given):
        *fixed, args, tangents = given
        x, n = (*args, *fixed)
        return f(x, n), tangents[0] * pg.cos(x) * pg.take(table, n)

    expected = np.cos(X) * table[::-1]
    for one in (back, push):
        assert_close(pg.vmap(pg.grad(one))(X, np.array([1, 0])), expected)


@pytest.mark.parametrize("kind", [pg.custom_vjp, pg.custom_jvp])
def test_arguments_by_name_have_the_places_of_the_parameters(kind):
    @kind
    def scaled(x, k=2.0):
        return x * k

    if kind is pg.custom_vjp:
        scaled.defvjp(lambda x, k: (x * k, (x, k)), lambda kept, g: (10 * g * kept[1], g * kept[0]))
    else:
        scaled.defjvps(lambda t, y, x, k: 10 * t * k, lambda t, y, x, k: t * x)
    x, k = np.array(3.0), np.array(5.0)
    slopes = pg.grad(lambda x, k: scaled(k=k, x=x), argnums=(0, 1))(x, k)
    np.testing.assert_allclose(slopes, [50, 3])
    np.testing.assert_allclose(pg.grad(lambda x: scaled(x=x))(x), 20)

    @kind
    def named(x, *, k):
        return x * k

    if kind is pg.custom_vjp:
        named.defvjp(lambda x: (x, None), lambda kept, g: (g,))
    else:
        named.defjvps(lambda t, y, x: t)
    with pytest.raises(GradientError, match="takes k by keyword only"):
        named(x, k=k)
