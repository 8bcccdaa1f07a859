"""pg.random: NumPy's names on palingrad's generator."""

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, UnknownNameError

r = pg.random
N = 20_000
DRAWS = {  # the mean and the standard deviation that are expected
    "rand": (lambda: r.rand(N), 0.5, 12**-0.5),
    "randn": (lambda: r.randn(N), 0, 1),
    "random": (lambda: r.random(N), 0.5, 12**-0.5),
    "normal": (lambda: r.normal(2.0, 3.0, N), 2, 3),
    "uniform": (lambda: r.uniform(-1, 3, N), 1, 4 * 12**-0.5),
    "randint": (lambda: r.randint(0, 10, N), 4.5, 8.25**0.5),
    "integers to the end": (lambda: r.integers(1, 6, N, endpoint=True), 3.5, (35 / 12) ** 0.5),
    "bernoulli": (lambda: r.bernoulli(0.3, N), 0.3, 0.21**0.5),
    "exponential": (lambda: r.exponential(2.0, N), 2, 2),
    "laplace": (lambda: r.laplace(1.0, 2.0, N), 1, 8**0.5),
    "gumbel": (lambda: r.gumbel(0.0, 1.0, N), 0.5772, np.pi / 6**0.5),
    "logistic": (lambda: r.logistic(1.0, 1.0, N), 1, np.pi / 3**0.5),
    "lognormal": (lambda: r.lognormal(0.0, 0.5, N), np.exp(0.125), 0.6039),
    "rayleigh": (lambda: r.rayleigh(1.0, N), (np.pi / 2) ** 0.5, (2 - np.pi / 2) ** 0.5),
    "weibull": (lambda: r.weibull(2.0, N), 0.8862, 0.4633),
    "pareto": (lambda: r.pareto(5.0, N), 0.25, 0.3227),
    "truncated_normal": (lambda: r.truncated_normal(-1.0, 1.0, N), 0, 0.5396),
    "choice": (lambda: r.choice([1.0, 2.0, 5.0], N, p=[0.5, 0.25, 0.25]), 2.25, 1.639),
}


@pytest.mark.parametrize(("draw", "mean", "deviation"), DRAWS.values(), ids=list(DRAWS))
def test_moments(draw, mean, deviation):
    r.seed(1)
    drawn = draw().numpy().astype(float)
    assert drawn.shape == (N,)
    assert abs(drawn.mean() - mean) < 6 * deviation / N**0.5
    assert drawn.std() == pytest.approx(deviation, rel=0.08)


def test_the_same_seed_gives_the_same_numbers():
    draws = []
    for _ in range(2):
        r.seed(5)
        draws.append([r.rand(2).tolist(), r.permutation(5).tolist(), r.randint(0, 9, 3).tolist()])
    assert draws[0] == draws[1]
    assert r.default_rng(3).random(4).tolist() == pg.Generator(3).random(4).tolist()
    assert r.default_rng(3).random(4).tolist() != r.default_rng(4).random(4).tolist()


def test_all_engines_draw_the_same_numbers_and_each_run_new_ones():
    found = []
    for engine in ("numpy", "native"):
        generator = r.default_rng(7)
        draw = pg.function(
            lambda x, g=generator: x + pg.cast(g.integers(0, 1000, 5), x.dtype), engine=engine
        )
        found.append([draw(0.0).tolist(), draw(0.0).tolist()])
    assert found[0] == found[1]
    assert found[0][0] != found[0][1]


def test_dtypes_and_shapes():
    assert r.randn(2, 3).shape == r.normal(size=(2, 3)).shape == (2, 3)
    assert r.rand().shape == r.normal().shape == ()
    assert r.normal(np.zeros((2, 1)), [1.0, 2.0, 3.0]).shape == (2, 3)
    assert r.rand(2).dtype == np.float32
    assert r.normal(np.zeros(3)).dtype == np.float64
    assert r.randint(0, 3, 2).dtype == np.int64
    assert r.randint(0, 3, 2, dtype="int8").dtype == np.int8
    assert r.bernoulli(0.5, 2).dtype == np.bool_


def test_orders_and_choices():
    r.seed(2)
    assert sorted(r.permutation(10).tolist()) == list(range(10))
    rows = np.arange(6).reshape(3, 2)
    assert sorted(r.permutation(rows).tolist()) == rows.tolist()
    assert sorted(r.permutation(rows, axis=1)[0].tolist()) == [0, 1]
    assert sorted(r.choice(4, 4, replace=False).tolist()) == [0, 1, 2, 3]
    assert sorted(r.choice(3, 2, False, p=[0.5, 0.0, 0.5]).tolist()) == [0, 2]
    assert r.choice(5, (2, 2)).shape == (2, 2)
    assert r.choice([7.0]).shape == ()


def test_derivatives_reach_locations_and_scales():
    def f(loc, scale):
        return pg.sum(r.default_rng(3).normal(loc, scale, 4))

    noise = r.default_rng(3).normal(0.0, 1.0, 4).numpy()
    assert pg.grad(f)(1.0, 2.0) == 4
    assert pg.grad(lambda scale: f(1.0, scale))(2.0) == pytest.approx(noise.sum(), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "expected"),
    [
        (lambda: r.shuffle([1, 2]), ArgumentError, r"Write x = permutation\(x\)"),
        (lambda: r.normal(0.0, -1.0), ArgumentError, "normal: scale is -1.0"),
        (lambda: r.uniform(2, 1), ArgumentError, "low ≤ high"),
        (lambda: r.randint(5, 5), ArgumentError, "there are 0 from 5"),
        (lambda: r.choice(3, 4, replace=False), ArgumentError, "4 of 3 elements"),
        (lambda: r.choice(3, 4, p=[0.5, 0.5]), ArgumentError, "one probability for each of 3"),
        (lambda: r.normal(dim=3), ArgumentError, "no argument is called 'dim'"),  # pyright: ignore
        (lambda: r.poisson(3.0), UnknownNameError, r"np.random.default_rng\(seed\).poisson"),  # pyright: ignore
        (lambda: pg.randn(3), UnknownNameError, r"pg.random.randn\(2, 3\)"),  # pyright: ignore
    ],
)
def test_what_is_refused_says_what_to_write(call, error, expected):
    with pytest.raises(error, match=expected):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda rng: rng.integers(0, 300, size=3, dtype="int8"),
        lambda rng: rng.integers(-1, 3, dtype="uint8"),
        lambda rng: rng.choice(3, p=[0.5, -0.5, 1]),
        lambda rng: rng.choice(3, 2, replace=False, p=[0, 0, 1.0]),
        lambda rng: rng.pareto(-1.0, size=2),
        lambda rng: rng.weibull(np.array([1.0, -1.0])),
        lambda rng: rng.normal(0, [1.0, -1.0]),
        lambda rng: rng.exponential(np.array(-1.0)),
    ],
)
def test_parameters_that_numpy_refuses(call):
    with pytest.raises(ValueError):  # noqa: PT011, NumPy's message
        call(np.random.default_rng(0))
    with pytest.raises(pg.errors.ArgumentError):
        call(pg.random.default_rng(0))


def test_a_probability_is_at_most_1():
    with pytest.raises(pg.errors.ArgumentError, match=r"bernoulli: p is 1\.5"):
        pg.random.default_rng(0).bernoulli(1.5)
    with pytest.raises(pg.errors.ArgumentError, match="scale is -1"):
        pg.random.default_rng(0).normal(0, pg.tensor([-1.0]))
