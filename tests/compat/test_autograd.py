"""autograd's names: gradients of NumPy code, primitives, containers, SciPy's functions."""

import subprocess
import sys
from typing import Any

import numpy as onp
import pytest
import scipy.stats

import palingrad as pg
import palingrad.compat.autograd.numpy as np
from palingrad.compat.autograd import (
    builtins,
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    hessian,
    hessian_vector_product,
    holomorphic_grad,
    jacobian,
    make_ggnvp,
    make_jvp,
    make_vjp,
    multigrad_dict,
    value_and_grad,
)
from palingrad.compat.autograd.core import vspace
from palingrad.compat.autograd.extend import defjvp, defvjp, primitive
from palingrad.compat.autograd.misc import const_graph, flatten
from palingrad.compat.autograd.misc.optimizers import adam, rmsprop, sgd
from palingrad.compat.autograd.numpy.numpy_vjps import unbroadcast_f
from palingrad.compat.autograd.scipy import special
from palingrad.compat.autograd.scipy.integrate import odeint
from palingrad.compat.autograd.scipy.signal import convolve
from palingrad.compat.autograd.scipy.stats import multivariate_normal, norm
from palingrad.compat.autograd.test_util import check_grads

X = onp.array([0.3, -1.2, 0.7])


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def test_gradients_are_those_of_palingrad():
    expected = pg.grad(rosenbrock)(X)
    found = grad(rosenbrock)(X)  # by nodes, then by the Program of the structure
    for _ in range(4):
        found = grad(rosenbrock)(X)
        assert type(found) is onp.ndarray
        onp.testing.assert_array_almost_equal_nulp(found, expected, 8)
    found[0] = 7.0  # a user's optimizer writes into its gradient
    assert grad(rosenbrock)(X)[0] == expected[0]


def test_numbers_give_numbers():
    slope = grad(lambda x: x * np.sin(x))
    for _ in range(4):
        assert slope(2) == pytest.approx(onp.sin(2) + 2 * onp.cos(2), rel=1e-14)
    assert isinstance(slope(2.0), float)
    assert isinstance(value_and_grad(np.square)(3.0)[0], float)


def test_known_structures_read_new_values():
    weights = onp.array([1.0, 2.0, 3.0])

    def f(x):
        return np.sum(np.tanh(x * weights)) * 2.0

    for scale in (1.0, 2.0, 3.0, -1.0):
        weights = onp.array([1.0, 2.0, 3.0]) * scale
        expected = 2 * weights * (1 - onp.tanh(X * weights) ** 2)
        onp.testing.assert_allclose(grad(f)(X), expected, rtol=1e-13)


def test_gradients_nest():
    third = grad(grad(grad(np.sin)))
    for _ in range(3):
        assert third(0.4) == pytest.approx(-onp.cos(0.4), rel=1e-14)
    mixed = grad(lambda x: x * grad(lambda y: x * y**3)(2.0))
    for _ in range(3):
        assert mixed(5.0) == pytest.approx(2 * 5.0 * 12, rel=1e-14)
    assert deriv(deriv(np.exp))(0.5) == pytest.approx(onp.exp(0.5), rel=1e-14)


def refused(*given, **options):
    raise AssertionError("the general reverse pass was called")


def test_nested_gradients_of_known_structures_are_replayed(monkeypatch):
    times = onp.array([0.5, 1.0, 2.0])

    def hazards(p):
        hazard = elementwise_grad(lambda t: (t / p[0]) ** p[1] + np.log1p(t * p[0]))(times)
        return np.sum(np.log(hazard) * onp.array([1.0, 0.5, 2.0]))

    def by_hand(p):
        a, b = p[0], p[1]
        hazard = b * times ** (b - 1) / a**b + a / (1 + times * a)
        return np.sum(np.log(hazard) * onp.array([1.0, 0.5, 2.0]))

    points = [onp.array([1.5 + 0.1 * n, 0.7 + 0.2 * n]) for n in range(6)]
    both = value_and_grad(hazards)
    found = [both(p) for p in points[:3]]
    bends = [hessian(hazards)(p) for p in points[:3]]
    monkeypatch.setattr("palingrad.compat.autograd.core.reverse", refused)
    found += [both(p) for p in points[3:]]
    bends += [hessian(hazards)(p) for p in points[3:]]
    for p, (value, slopes), bend in zip(points, found, bends, strict=True):
        assert type(slopes) is onp.ndarray
        onp.testing.assert_allclose(value, by_hand(p), rtol=1e-13)
        step = 1e-6 * onp.eye(2)
        differences = [(by_hand(p + s) - by_hand(p - s)) / 2e-6 for s in step]
        onp.testing.assert_allclose(slopes, differences, rtol=1e-7)
        onp.testing.assert_allclose(bend, bend.T, rtol=1e-12)
        changes = [(both(p + s)[1] - both(p - s)[1]) / 2e-6 for s in step]
        onp.testing.assert_allclose(bend, changes, rtol=1e-6)


def test_replayed_gradients_have_the_general_ones_bits():
    def inner(t, p):
        return np.sum(np.exp(-t * p) / (1 + t * t)) + np.max(t) * p[0]

    def outer(p):
        return np.sum(grad(inner)(X * p, p) * p)

    at = onp.array([0.4, 1.1, -0.2])
    first, *later = [grad(outer)(at) for _ in range(4)]
    for one in later:
        onp.testing.assert_array_equal(one, first)


def test_primitives_join_the_program_of_a_known_structure(monkeypatch):
    @primitive
    def cubed(x):
        return x**3

    defvjp(cubed, lambda ans, x: lambda g: 3 * x**2 * g)
    gradient = grad(lambda x: np.sum(cubed(x * 2.0)))
    for _ in range(3):
        gradient(X)
    monkeypatch.setattr("palingrad.compat.autograd.core.reverse", refused)
    onp.testing.assert_allclose(gradient(X + 1), 24 * (X + 1) ** 2, rtol=1e-15)


def test_slices_are_taken_by_the_short_path():
    x = pg.tensor(onp.array([[0.0, -1.0], [2.0, 3.0]]))
    for index in (0, -1, (1, 0), (0, 0), (slice(None), 1), (..., None), slice(2, 0, -1)):
        y = x[index]
        onp.testing.assert_array_equal(y.numpy(), x.numpy()[index])
        assert not y.numpy().flags.writeable
        total = onp.zeros((2, 2))
        total[index] = 1
        onp.testing.assert_array_equal(pg.gradients(pg.sum(y), x).numpy(), total)
    with pytest.raises(pg.errors.OutOfRangeError, match="index 2 is out of range"):
        x[2]


def test_operands_are_promoted_as_without_the_short_path():
    x = pg.tensor(onp.array([1.0, 2.0], onp.float32))
    for other in (onp.float64(0.1), onp.array([0.1, 0.2]), onp.array([1, 2]), 0.1, onp.float32(3)):
        results: list[Any] = [x * other, other * x, pg.multiply(other, x)]
        for made in results:
            plain = onp.multiply(x.numpy(), other)
            assert made.dtype == plain.dtype or isinstance(other, onp.ndarray)
            onp.testing.assert_allclose(made.numpy(), plain, rtol=1e-6)
    weak = pg.Constant(2.0)
    assert (weak * onp.array([0.1], onp.float64)).dtype == onp.float64
    assert (weak * 0.1).dtype == onp.float32


def test_arrays_are_joined_from_any_iterable():
    parts = {"a": X, "b": 2 * X}
    stacked = grad(lambda x: np.sum(np.stack({"a": x, "b": x * x}.values()) ** 2))(X)
    onp.testing.assert_allclose(stacked, 2 * X + 4 * X**3, rtol=1e-15)
    onp.testing.assert_array_equal(np.stack(parts.values()), onp.stack([X, 2 * X]))


def test_an_array_of_an_expression_may_be_written_to_afterwards():
    weights = onp.array([1.0, 2.0, 3.0])
    vjp, value = make_vjp(lambda x: np.sum(weights * x * x))(X)
    weights[:] = 0
    onp.testing.assert_allclose(vjp(1.0), 2 * X * onp.array([1.0, 2.0, 3.0]), rtol=1e-15)
    assert value != 0


def test_a_variable_from_outside_keeps_its_derivative():
    outer = pg.Variable(onp.array(3.0))
    for _ in range(3):
        slope = grad(lambda x: outer * x**2)(2.0)
        assert pg.gradients(slope, [outer])[0].item() == 4.0


def test_results_of_every_operator():
    def f(x):
        return np.array([x[0] * x[1], np.sin(x[2])])

    expected = onp.array([[-1.2, 0.3, 0.0], [0.0, 0.0, onp.cos(0.7)]])
    for _ in range(3):
        onp.testing.assert_allclose(jacobian(f)(X), expected, rtol=1e-14)
    quadratic = hessian(lambda x: x[0] ** 2 * x[1])(X)
    onp.testing.assert_allclose(quadratic, [[-2.4, 0.6, 0], [0.6, 0, 0], [0, 0, 0]], rtol=1e-13)
    v = onp.array([1.0, 2.0, 3.0])
    onp.testing.assert_allclose(
        hessian_vector_product(rosenbrock)(X, v), hessian(rosenbrock)(X) @ v, rtol=1e-12
    )
    onp.testing.assert_allclose(make_jvp(f)(X)(v)[1], expected @ v, rtol=1e-14)
    pull, y = make_vjp(f)(X)
    for seed in (onp.array([1.0, 0.0]), onp.array([-2.0, 5.0])):
        onp.testing.assert_allclose(pull(seed), seed @ expected, rtol=1e-14)
    onp.testing.assert_allclose(y, [-0.36, onp.sin(0.7)])
    onp.testing.assert_allclose(make_ggnvp(f)(X)(v), expected.T @ expected @ v, rtol=1e-12)
    onp.testing.assert_allclose(elementwise_grad(np.tanh)(X), 1 - onp.tanh(X) ** 2, rtol=1e-13)
    assert holomorphic_grad(lambda z: z**3)(1 + 2j) == pytest.approx(3 * (1 + 2j) ** 2)
    gradient, aux = grad_and_aux(lambda x: (x**2, x + 1))(3.0)
    assert (gradient, aux) == (6.0, 4.0)


def test_containers_keep_their_structure():
    def f(p):
        return p["a"] * np.sum(p["b"][0]) + p["b"][1]

    found = grad(f)({"a": 2.0, "b": [X, 5.0]})
    assert found["a"] == pytest.approx(X.sum())
    onp.testing.assert_array_equal(found["b"][0], [2.0, 2.0, 2.0])
    assert found["b"][1] == 1.0
    assert multigrad_dict(lambda x, y=2.0: x * y)(3.0) == {"x": 2.0, "y": 3.0}
    assert builtins.isinstance({}, builtins.DictBox)


@pytest.mark.filterwarnings("ignore:Output seems independent")
def test_results_that_have_no_gradient():
    for f in (lambda x: x, lambda x: np.allclose(x, x), lambda x: "text"):
        with pytest.raises(TypeError):
            grad(f)(X)
    with pytest.warns(UserWarning, match="independent"):
        assert grad(lambda x: 2.0)(3.0) == 0.0


def test_primitives_have_the_user_s_derivatives():
    @primitive
    def cube(x, y):
        return onp.asarray(x) ** 3 * y

    defvjp(cube, lambda ans, x, y: lambda g: 3 * g * x**2 * y, lambda ans, x, y: lambda g: g * x**3)
    defjvp(cube, lambda g, ans, x, y: 3 * g * x**2 * y, lambda g, ans, x, y: g * x**3)
    check_grads(lambda x, y: np.sin(cube(x, y)), (0, 1), modes=["fwd", "rev"])(X, X + 2)
    with pytest.raises(NotImplementedError):
        grad(primitive(lambda x: x * 2.0))(1.0)


def test_a_cotangent_is_summed_to_its_argument():
    times = primitive(lambda x, y: x * y)
    defvjp(
        times,
        lambda ans, x, y: unbroadcast_f(x, lambda g: g * y),
        lambda ans, x, y: unbroadcast_f(y, lambda g: g * x),
    )
    matrix = onp.ones((2, 3)) * X
    found = grad(lambda x, y: np.sum(times(x, y)), (0, 1))(onp.ones((1, 3)), matrix)
    onp.testing.assert_allclose(found[0], 2 * X[None])
    onp.testing.assert_allclose(found[1], onp.ones((2, 3)))


def test_const_graph_calls_the_function_once():
    calls = []

    def f(x, y):
        calls.append(x)
        return x * np.exp(y)

    kept = const_graph(f)
    for x, y in ((1.0, 0.5), (2.0, -1.0), (3.0, 0.0)):
        assert kept(x, y) == pytest.approx(x * onp.exp(y), rel=1e-15)
    assert len(calls) == 1
    assert grad(kept)(4.0, 1.0) == pytest.approx(onp.e, rel=1e-15)


def test_flatten_and_optimizers():
    vector, unflatten = flatten({"a": X, "b": (1.0, 2.0)})
    onp.testing.assert_array_equal(vector, [*X, 1.0, 2.0])
    assert unflatten(vector * 2)["b"] == (2.0, 4.0)
    start = {"w": onp.array([1.0, -2.0])}
    gradient = grad(lambda p, i: np.sum(p["w"] ** 2))
    for optimizer in (sgd, rmsprop, adam):
        found = optimizer(gradient, start, num_iters=400, step_size=0.02)
        assert onp.abs(found["w"]).max() < 0.1, optimizer


def test_dicts_are_flattened_in_the_order_of_their_keys():
    value = {"b": [onp.array([1.0, 2.0]), {"z": 3.0, "y": 4.0}], "a": 5.0}
    vector, unflatten = flatten(value)
    assert vector.tolist() == [5.0, 1.0, 2.0, 4.0, 3.0]
    back = unflatten(vector)
    assert list(back) == ["b", "a"]
    assert list(back["b"][1].items()) == [("z", 3.0), ("y", 4.0)]
    by_nodes = grad(lambda v: flatten({"q": v["q"] * 2, "p": v["p"] * 3})[0] @ onp.arange(2.0))
    assert by_nodes({"q": onp.ones(1), "p": onp.ones(1)})["q"].tolist() == [2.0]


def test_vector_spaces():
    space = vspace(onp.zeros((2, 1), complex))
    assert (space.size, space.shape) == (4, (2, 1))
    onp.testing.assert_array_equal(sum(space.standard_basis()), space.ones())
    assert vspace((1.0, [X])) == vspace((2.0, [X + 1])) != vspace((1.0, (X,)))


def test_numpy_functions_as_autograd_has_them():
    assert np.any([True]), "its names must not take the place of Python's in the functions below"
    assert np.all([True])
    assert np.isinf(np.sum(onp.inf))
    assert np.where(True, [1, 2], [3, 4]) == [1, 2]
    onp.testing.assert_array_equal(np.where(condition=[True, False], x=X[:2], y=0.0), [0.3, 0.0])
    assert isinstance(grad(lambda x: np.sum(np.split(x, 3)[1]))(X), onp.ndarray)
    assert isinstance(np.split(pg.tensor(X), 3), list)
    assert np.int64(pg.tensor(2.7)) == 2
    assert isinstance(onp.int64(2), np.int64)
    onp.testing.assert_array_equal(grad(lambda x: np.sum(x[np.int64(np.abs(x))]))(X), [2, 1, 0])
    onp.testing.assert_array_equal(np.r_[pg.tensor(X), 1.0].numpy(), [*X, 1.0])


@pytest.mark.parametrize("uplo", ["L", "U"])
def test_eigh_reads_a_triangle_and_signs_agree(uplo):
    a = onp.random.default_rng(3).standard_normal((4, 4))
    values, vectors = np.linalg.eigh(a, uplo)
    onp.testing.assert_array_equal(np.linalg.eigh(pg.tensor(a), uplo)[1].numpy(), vectors)
    onp.testing.assert_allclose(values, onp.linalg.eigh(a, uplo)[0], rtol=1e-12)
    check_grads(lambda a: tuple(np.linalg.eigh(a, uplo)), modes=["rev"], order=1)(a)


def test_scipy_functions():
    check_grads(lambda x, s: norm.logsf(x, 0.5, s), (0, 1), modes=["rev"])(X, X**2 + 1)
    assert norm.ppf(0.3) == scipy.stats.norm.ppf(0.3)
    covariance = onp.array([[2.0, 0.3], [0.3, 1.0]])
    check_grads(lambda x: multivariate_normal.logpdf(x, X[:2], covariance), modes=["rev"])(X[1:])
    check_grads(lambda x: special.logsumexp(x) * special.gammaln(x[2]), modes=["rev"])(X)
    check_grads(lambda x, y: convolve(x, y, mode="same"), (0, 1), modes=["rev"])(X, X[:2])


def test_odeint_is_differentiable_in_everything():
    def f(y, t, rate, amplitude):
        return -rate * y + amplitude * np.sin(t)

    def solve(y0, t, rate, amplitude):
        return odeint(f, y0, t, (rate, amplitude), rtol=1e-10, atol=1e-10)

    times, y0 = onp.array([0.0, 0.4, 1.0]), onp.array([1.0, -0.5])
    check_grads(solve, (0, 1, 2, 3), modes=["rev"], order=1)(y0, times, 0.7, onp.array([1.0, 2.0]))
    decay = grad(lambda rate: odeint(f, y0, times, (rate, 0.0), rtol=1e-10, atol=1e-10)[-1, 0])(0.7)
    assert decay == pytest.approx(-onp.exp(-0.7), rel=1e-6)
    first = grad(lambda y0: odeint(lambda t, y: -y, y0, times, tfirst=True)[1, 1])(y0)
    onp.testing.assert_allclose(first, [0.0, onp.exp(-0.4)], rtol=1e-5)


def test_odeint_names_the_options_that_its_adjoint_can_t_have():
    times, y0 = onp.array([0.0, 1.0]), onp.array([1.0, 2.0])

    def gradient(**options):
        return grad(lambda y0: odeint(lambda y, t: -y, y0, times, **options)[1, 0])(y0)

    for name in ("Dfun", "full_output", "ml", "h0", "tcrit", "col_deriv"):
        with pytest.raises(NotImplementedError, match=f"no {name}="):
            gradient(**{name: 1})
    with pytest.raises(NotImplementedError, match="one number as atol=, got 2"):
        gradient(atol=onp.array([1e-8, 1e-8]))
    rough, fine = gradient(rtol=1e-2, atol=1e-2), gradient(rtol=1e-11, atol=1e-11, mxstep=5000)
    onp.testing.assert_allclose(fine, [onp.exp(-1), 0], atol=1e-9)
    assert abs(rough[0] - onp.exp(-1)) > 1e-6
    assert odeint(lambda y, t: -y, y0, times, full_output=True)[1]["message"]


def test_a_script_that_imports_autograd_runs(tmp_path):
    script = tmp_path / "fit.py"
    script.write_text(
        "import autograd.numpy as np\n"
        "from autograd import grad\n"
        "import autograd\n"
        "print(autograd.__file__.count('palingrad'), grad(lambda x: np.sin(x))(0.0))\n"
    )
    command = [sys.executable, "-m", "palingrad.compat", "autograd", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "1.0"
    assert int(done.stdout.split()[0]) >= 1
