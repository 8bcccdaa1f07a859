"""Complex numbers: dtypes, values as NumPy's, refusals, in Programs, files and text."""

import math
import pickle

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import DTypeError
from tolerances import assert_close, assert_same

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))
PARTS = (0.0, -0.0, 1.5, -2.0, np.inf, -np.inf, np.nan)
SPECIAL = np.array([complex(a, b) for a in PARTS for b in PARTS])

# ---------------------------------------------------------------- dtypes

PROMOTIONS = [
    ("float32", "complex64", "complex64"),
    ("float64", "complex64", "complex128"),
    ("float16", "complex64", "complex64"),
    ("int64", "complex64", "complex64"),
    ("bool", "complex128", "complex128"),
    ("complex64", "complex128", "complex128"),
]


@pytest.mark.tiny
@pytest.mark.parametrize(("one", "other", "both"), PROMOTIONS)
def test_promotion(one, other, both):
    x, y = np.ones(2, one), np.ones(2, other)
    assert (pg.tensor(x) + pg.tensor(y)).dtype == both
    assert (pg.tensor(y) * x).dtype == both
    assert pg.result_type(x, y) == both


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("dtype", "result"),
    [
        ("float32", "complex64"),
        ("float64", "complex128"),
        ("float16", "complex64"),
        ("int8", "complex64"),
        ("complex128", "complex128"),
        ("complex64", "complex64"),
    ],
)
def test_python_numbers_are_weak(dtype, result):
    x = np.ones(2, dtype)
    assert (pg.tensor(x) * 2j).dtype == result
    assert (2j - pg.tensor(x)).dtype == result
    assert pg.function(lambda x, s: x * s)(x, 2j).dtype == result
    assert (pg.tensor(x).astype(result) * 2.5).dtype == result


def test_python_numbers_alone_have_the_parts_of_the_default_float():
    assert pg.tensor(1j).dtype == pg.tensor([1, 2j]).dtype == pg.complex64
    assert pg.Constant(1, dtype=complex).dtype == pg.complex64
    pg.set_default_dtype("float64")
    try:
        assert pg.tensor(1j).dtype == pg.complex128
    finally:
        pg.set_default_dtype("float32")


def test_a_fed_number_isnt_rounded_before_it_meets_its_array():
    found = pg.function(lambda x, s: x * s)(np.ones(1), 0.1 + 0.2j)
    assert_same(found, np.array([0.1 + 0.2j]))


def test_a_function_isnt_traced_again_for_another_number():
    traces = []
    f = pg.function(lambda z, s: traces.append(s) or z * s)
    for s in (1j, 2j, 3 + 0j):
        assert_close(f(Z, s), Z * s)
    assert len(traces) == 1


# ---------------------------------------------------------------- values

UNARY = (
    "exp log sqrt sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh exp2 expm1 log2 "
    "log10 log1p abs sign square negative positive conj real imag angle isnan isinf isfinite "
    "logical_not isreal iscomplex reciprocal ones_like zeros_like"
).split()
BINARY = "add subtract multiply divide pow equal not_equal logical_and logical_xor".split()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", UNARY)
def test_values_are_those_of_numpy(name, dtype):
    reference = getattr(np, name)
    for x in (Z, SPECIAL):
        with np.errstate(all="ignore"):
            expected = reference(x.astype(dtype))
        assert_close(getattr(pg, name)(x.astype(dtype)).numpy(), expected, name)


@pytest.mark.parametrize("name", BINARY)
def test_values_of_pairs_are_those_of_numpy(name):
    for x, y in ((Z, Z[::-1]), (SPECIAL, SPECIAL[:, None]), (Z.real, Z), (Z, 2)):
        with np.errstate(all="ignore"):
            expected = getattr(np, name)(x, y)
        assert_close(getattr(pg, name)(x, y).numpy(), expected, name)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std", "any", "all", "cumsum"])
def test_reductions_are_those_of_numpy(name):
    for axis in (0, 1):
        for x in (Z, Z.astype("complex64")):
            found = getattr(pg, name)(x, axis=axis).numpy()
            assert_close(found, getattr(np, name)(x, axis=axis), name)


def test_products_and_layouts_are_those_of_numpy():
    z = pg.tensor(Z)
    assert_close((z @ z.T).numpy(), Z @ Z.T)
    assert_close((z[:, 0] @ z).numpy(), Z[:, 0] @ Z)
    assert_close(pg.outer(z[0], z[1]).numpy(), np.outer(Z[0], Z[1]))
    assert_close(pg.tensordot(z, z, 2).numpy(), np.tensordot(Z, Z, 2))
    assert_close(pg.vdot(z, z).numpy(), np.vdot(Z, Z))
    assert_close(pg.vector_norm(z).numpy(), np.asarray(np.linalg.norm(Z)))
    assert_same(pg.concat([z, z.T.reshape(3, 4)])[::2, 1:].numpy(),
                np.concatenate([Z, Z.T.reshape(3, 4)])[::2, 1:])  # fmt: skip
    assert_same(pg.where(pg.abs(z) > 1, z, 1j).numpy(), np.where(np.abs(Z) > 1, Z, 1j))
    assert_same(pg.take(z, [2, 0], axis=0).numpy(), Z[[2, 0]])
    assert_same(pg.complex(Z.real, Z.imag).numpy(), Z)
    assert complex(pg.sum(z * 0 + 1j)) == 12j


def test_parts_that_are_infinite_stay_what_they_are():
    found = pg.complex(np.array([np.inf, 1.0]), np.array([1.0, np.nan])).numpy()
    assert_same(found.real, np.array([np.inf, 1.0]))
    assert_same(found.imag, np.array([1.0, np.nan]))


def test_which_arrays_are_complex():
    assert pg.iscomplexobj(1j)
    assert pg.iscomplexobj(pg.tensor(Z))
    assert pg.isrealobj(pg.tensor(1.0))
    assert not pg.isrealobj(Z)
    with pg.Graph(), pytest.raises(DTypeError, match="isn't known yet"):
        pg.iscomplexobj(pg.placeholder())


REFUSED = [
    *("floor ceil trunc max min argmax argmin cbrt sigmoid relu softmax logsumexp").split(),
    *("sort argsort median cumulative_max layer_norm erf".split()),
]


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_an_order_is_refused(name):
    f = getattr(pg, name)
    for call in (f, pg.function(f)):
        with pytest.raises(DTypeError, match="expected real numbers, got complex128"):
            call(Z)


@pytest.mark.parametrize("name", ["less", "maximum", "floor_divide", "remainder", "hypot", "mse"])
def test_what_needs_an_order_of_two_is_refused(name):
    for x, y in ((Z, Z), (Z.real, Z), (Z, 1.0) if name != "mse" else (Z, Z.real)):
        with pytest.raises(DTypeError, match="expected real numbers, got complex128"):
            getattr(pg, name)(x, y)


def test_imaginary_parts_are_never_dropped():
    z = pg.tensor(Z)
    for lose in (
        lambda: pg.cast(z, "float64"),
        lambda: pg.cast(z, "int64"),
        lambda: pg.tensor(Z, dtype="float32"),
        lambda: pg.Variable([1.0, 2.0]).assign([1j, 2]),
        lambda: float(z[0, 0]),
        lambda: np.asarray(z, dtype=float),
    ):
        with pytest.raises(DTypeError):
            lose()
    assert_same(pg.cast(z, "bool").numpy(), Z != 0)


# ---------------------------------------------------------------- in programs


def fourier(n):
    k = np.arange(n)
    return np.exp(-2j * np.pi * np.outer(k, k) / n).astype("complex64")


def spectrum(x, z):
    """Real and complex nodes that need each other."""
    y = pg.tanh(x @ x) * 2 + 1
    w = fourier(8) @ (y * z)
    power = pg.real(w * pg.conj(w))
    return pg.exp(-power / 100), w.T, z * 2, w[::2, 1:], pg.where(x > 0, w, 0)


@pytest.mark.parametrize("engine", pg.engine_names())
def test_programs_mix_real_and_complex_nodes(engine):
    x = RNG.normal(size=(8, 8)).astype("float32")
    z = (RNG.normal(size=(8, 8)) + 1j * RNG.normal(size=(8, 8))).astype("complex64")
    slopes = lambda x, z: pg.grad(lambda x, z: pg.sum(spectrum(x, z)[0]), (0, 1))(x, z)  # noqa: E731
    run, pull = pg.function(spectrum, engine=engine), pg.function(slopes, engine=engine)
    for fed in (z, np.asfortranarray(z), z[::-1]):
        expected = [y.numpy() for y in spectrum(pg.tensor(x), pg.tensor(fed))]
        for found, one in zip(run(x, fed), expected, strict=True):
            assert found.dtype == one.dtype
            assert np.allclose(found, one, rtol=1e-4, atol=1e-4)
        for found, one in zip(pull(x, fed), slopes(x, fed), strict=True):
            assert found.dtype == one.dtype
            assert np.allclose(found, one, rtol=1e-3, atol=1e-4)


@pytest.mark.skipif("native" not in pg.engine_names(), reason="needs llvmlite")
def test_explain_says_what_numpy_computes():
    f = pg.function(lambda x, z: pg.tanh(x) * z, engine="native")
    told = " ".join(f.explain(np.ones(3), Z[0, :3]).split())
    assert "tanh" in told
    assert "multiply, because generated code doesn't support complex128" in told


@pytest.mark.parametrize("engine", pg.engine_names())
@pytest.mark.parametrize(
    "optimizer",
    [
        pg.optim.GradientDescent(0.1),
        pg.optim.Momentum(0.05),
        pg.optim.Adam(0.3),
        pg.optim.GradientDescent(0.1, clip_norm=10.0),
    ],
)
def test_complex_least_squares(optimizer, engine):
    rng = np.random.default_rng(1)
    a = rng.normal(size=(12, 3)) + 1j * rng.normal(size=(12, 3))
    truth = np.array([1 + 1j, 2 - 1j, -0.5j])
    b = a @ truth
    w = pg.Variable(np.zeros(3, complex))

    @pg.function(engine=engine)
    def step():
        optimizer.minimize(pg.mean(pg.abs(a @ w - b) ** 2), [w])

    for _ in range(200):
        step()
    assert np.allclose(w.numpy(), truth, atol=1e-3)


def test_a_unitary_is_found_by_its_generator():
    """e^{iθ·X} = cos θ + i·X·sin θ for the Pauli matrix X: θ from a target state."""
    flip = np.array([[0, 1], [1, 0]], complex)

    def fidelity(theta):
        gate = pg.cos(theta) * np.eye(2) + 1j * pg.sin(theta) * flip
        state = gate @ np.array([1, 0], complex)
        target = np.array([math.cos(0.7), 1j * math.sin(0.7)])
        return pg.abs(pg.vdot(target, state)) ** 2

    theta = np.asarray(0.2)
    for _ in range(100):
        theta = theta + 0.3 * pg.grad(fidelity)(theta)
    assert abs(theta - 0.7) < 1e-6


# ---------------------------------------------------------------- files, text


def test_checkpoints_and_copies(tmp_path):
    w = pg.Variable(Z, name="w")
    arrays = {"w": w, "empty": np.zeros((0, 2), "complex64"), "number": np.asarray(2j), "x": Z.real}
    pg.io.save_checkpoint(tmp_path / "a", arrays)
    found = pg.io.load_checkpoint(tmp_path / "a").arrays
    for name, array in arrays.items():
        assert_same(found[name], array.numpy() if isinstance(array, pg.Variable) else array)
        assert not found[name].flags.writeable
    assert_same(pickle.loads(pickle.dumps(w)).numpy(), Z)


def test_tapes(tmp_path):
    with pg.record() as tape:
        pg.sum(pg.abs(pg.tensor(Z) * 1j)).numpy()
    tape.save(tmp_path / "a.tape")
    values = pg.load_tape(tmp_path / "a.tape").runs[0].values
    for found, value in zip(values, tape.runs[0].values, strict=True):
        assert_same(found, value)


def test_drawings_text_and_source(tmp_path):
    with pg.Graph():
        z = pg.placeholder((2,), dtype=pg.complex64, name="z")
        y = pg.sum(pg.abs(z * (1 - 2j) + 1j), name="y")
    value = pg.sum(pg.abs(pg.tensor([1 + 2j]) * (1 - 2j)))
    for node in (y, value):
        for ending in ("svg", "html", "dot", "txt"):
            node.draw(tmp_path / f"graph.{ending}")
    assert pg.latex(y) == r"y = \sum \left|z\,\left(1 - 2\,i\right) + i\right|"
    code = {}
    exec(pg.source(y), code)
    assert np.allclose(code["y"](np.array([1j, 2], "complex64")),
                       np.sum(np.abs(np.array([1j, 2]) * (1 - 2j) + 1j)))  # fmt: skip


def test_the_page_leaves_complex_values_out(tmp_path):
    pg.sum(pg.abs(pg.tensor([1 + 2j, 3]) * (1 - 2j))).draw(tmp_path / "page.html")
    assert "the page doesn't compute with complex numbers" in (tmp_path / "page.html").read_text()


def test_debug_nans_names_the_place():
    with (
        pytest.raises(pg.errors.NonFiniteError, match=r"−∞\+0i in log: log of 0\+0i"),
        pg.debug_nans(),
    ):
        pg.log(pg.tensor([0j])).numpy()
