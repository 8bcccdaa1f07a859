"""Complex numbers in every function: NumPy's values, or a refusal by name; and in every operation:
the battery's checks, or a refusal by name."""

import numpy as np
import pytest

import palingrad as pg
from palingrad.dtypes import is_complex, is_floating
from palingrad.errors import DTypeError
from palingrad.proof import shipped
from palingrad.proof.case import Case
from palingrad.proof.complexes import complex_cases, turned
from tolerances import assert_close

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))
S = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3))
H = S @ S.conj().T + np.eye(3)
R = RNG.normal(size=(3, 4))
V, W = Z[0], Z[1]
GAPS = np.where(R > 1, complex(1, np.nan), Z)

# Functions and arguments whose values are NumPy's, besides those of test_complex.py.
CALLS = [
    *[(name, (Z,)) for name in "exp2 expm1 log1p square reciprocal positive isreal".split()],
    *[(name, (GAPS,)) for name in "nansum nanprod nanmean nanvar nanstd nan_to_num".split()],
    *[(name, (V,)) for name in "trapezoid gradient diff ediff1d cumsum cumprod average".split()],
    *[(name, (V,)) for name in "count_nonzero nonzero nancumsum unique diag flip imag".split()],
    *[(name, (V, W)) for name in "polyval convolve correlate vdot inner outer append isin".split()],
    *[(name, (Z, Z + 1e-9)) for name in "isclose allclose array_equal vecdot divide".split()],
    *[(name, (S, Z)) for name in "dot matmul kron".split()],
    *[(name, (S,)) for name in "trace diagonal tril rot90 cov corrcoef".split()],
    *[("matvec", (S, S[0])), ("vecmat", (S[0], S)), ("cross", (S, S)), ("tensordot", (Z, Z, 2))],
    *[("einsum", ("ij,kj->ik", Z, Z)), ("roll", (V, 1)), ("tile", (V, 2)), ("repeat", (V, 2))],
    *[("pad", (V, 2)), ("where", (R > 0, Z, 0)), ("vander", (V, 3)), ("power", (Z, 2.5))],
    *[("float_power", (Z, 2)), ("take_along_axis", (Z, np.argsort(R, 1), 1)), ("stack", ([Z, Z],))],
    ("interp", (R[0], np.arange(4.0), V)),
    *[("select", ([R > 0, R < -1], [Z, 2 * Z], 0)), ("insert", (V, 1, 2j)), ("delete", (V, 1))],
    *[(f"linalg.{name}", (S,)) for name in "inv det slogdet cond matrix_rank".split()],
    *[(f"linalg.{name}", (Z,)) for name in "pinv svdvals".split()],
    *[("linalg.cholesky", (H,)), ("linalg.eigvalsh", (H,)), ("linalg.solve", (S, Z))],
    *[("linalg.norm", (Z, order)) for order in (None, 1, 2, -2, np.inf, "fro", "nuc")],
    *[("linalg.norm", (V, order)) for order in (0, 1, 3, -1, np.inf, -np.inf)],
    *[("linalg.matrix_power", (S, n)) for n in (3, 0, -2)],
    *[("linalg.multi_dot", ([S, S, Z],)), ("linalg.tensorinv", (S, 1))],
    *[(f"fft.{name}", (Z,)) for name in "fft ifft irfft hfft fft2 ifftn irfftn fftshift".split()],
]
# NumPy orders complex numbers by their real parts, or has no such function of complex numbers.
REFUSED = [
    *[(name, (V,)) for name in "ptp median sort argsort max min argmax nanmax sinc cbrt".split()],
    *[(name, (V,)) for name in "floor fabs unwrap signbit deg2rad isposinf modf".split()],
    *[(name, (V, W)) for name in "maximum fmax floor_divide hypot logaddexp copysign".split()],
    *[("searchsorted", (V, W)), ("quantile", (V, 0.5)), ("nanquantile", (V, 0.5))],
    *[("interp", (V, np.arange(4.0), R[0])), ("clip", (V, 0, 1))],
    *[(f"fft.{name}", (Z,)) for name in "rfft rfftn ihfft".split()],
]
NAMES = {"ptp": "ptp", "median": "quantile", "fft.rfft": "rfft", "fft.rfftn": "rfftn"}


def member(module, name):
    for part in name.split("."):
        module = getattr(module, part)
    return module


def numbered(calls):
    return [pytest.param(*one, id=f"{number}-{one[0]}") for number, one in enumerate(calls)]


@pytest.mark.parametrize(("name", "arguments"), numbered(CALLS))
def test_values_are_those_of_numpy(name, arguments):
    found, expected = member(pg, name)(*arguments), member(np, name)(*arguments)
    many = isinstance(expected, tuple)
    for one, other in zip(found if many else [found], expected if many else [expected]):
        value = np.asarray(one.numpy() if isinstance(one, pg.Node) else one)
        assert value.dtype == np.asarray(other).dtype
        assert_close(value, np.asarray(other), name)


@pytest.mark.parametrize(("name", "arguments"), numbered(REFUSED))
def test_what_has_no_complex_value_is_refused_by_name(name, arguments):
    known = NAMES.get(name, name.rpartition(".")[2])
    with pytest.raises(DTypeError, match=f"^{known}: expected real numbers, got complex128"):
        member(pg, name)(*arguments)


@pytest.mark.parametrize("how", ["min", "max"])
@pytest.mark.parametrize("index", [0, slice(2), [0, 1]])
def test_extremes_of_complex_elements_are_refused(how, index):
    with pytest.raises(DTypeError, match="complex numbers have no order"):
        getattr(pg.tensor(V).at[index], how)(2j)


def test_extremes_of_complex_segments_are_refused():
    with pytest.raises(DTypeError, match="segment_max: expected real numbers"):
        pg.segment_max(V, np.array([0, 0, 1, 1]), 2)


# ---------------------------------------------------------------- every operation

# Their vectors have phases that nothing determines: tests/ops/test_linalg_complex.py.
PHASES = {"Eig", "Eigh", "SVD"}
OF_REALS = [
    operation
    for operation in shipped()
    if any(is_floating(x.dtype) for s in operation.samples for x in Case(operation, s).arrays())
]


@pytest.mark.parametrize("operation", OF_REALS, ids=lambda operation: operation.__name__)
def test_every_operation_is_checked_with_complex_numbers_or_refuses_them(operation):
    cases = [Case(operation, sample) for sample in operation.samples]
    own = any(is_complex(x.dtype) for case in cases for x in case.arrays())
    if own or complex_cases(operation) or operation.__name__ in PHASES:
        return
    smooth = [case.sample for case in cases if case.sample.smooth]
    for sample in smooth:
        case = Case(operation, turned(sample))
        if not any(is_complex(x.dtype) for x in case.arrays()):
            continue
        try:
            with np.errstate(all="ignore"):
                values = [y.dtype for y in case.outputs(*map(pg.tensor, case.arrays()))]
        except DTypeError as error:
            name, told = operation._kind_name, str(error)
            assert told.startswith((f"{name}:", "top_k:" if name == "argsort" else name)), told
        else:
            assert not any(map(is_complex, values)), f"{sample.text} is taken, but not checked"
