"""Writes docs/numpy.md: the functions of NumPy and SciPy that palingrad has, and why others are
left out.

The lists are those of the installed NumPy, and of the functions of SciPy for which HIPS autograd
has derivatives. With --check nothing is written; an outdated page, and a function that is neither
here nor explained, are an error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import palingrad as pg

VERSION = f"NumPy {'.'.join(np.__version__.split('.')[:2])}"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "numpy.md"

# The functions of SciPy for which HIPS autograd has derivatives.
SPECIAL = (
    "beta betainc betaln digamma erf erfc erfcinv erfinv expit gamma gammainc gammaincc gammaln "
    "gammasgn i0 i1 iv ive j0 j1 jn logit logsumexp multigammaln polygamma psi rgamma y0 y1 yn"
)
SCIPY_LINALG = "solve_triangular solve_banded solve_sylvester sqrtm"
STATS = "beta chi2 dirichlet gamma multivariate_normal norm poisson t"
SIGNAL = "convolve"
INTEGRATE = "odeint"

# Why functions are left out. A key is a name, or several with one reason.
LEFT_OUT: dict[str, str] = {
    "array2string array_repr array_str base_repr binary_repr format_float_positional "
    "format_float_scientific get_printoptions printoptions set_printoptions": "text of arrays: "
    "print(x.numpy()); nodes are printed with NumPy's print options",
    "fromfile fromstring frombuffer fromiter fromregex genfromtxt load loadtxt save savetxt savez "
    "savez_compressed": "files: of x.numpy(), and pg.tensor(np.load(path))",
    "apply_along_axis apply_over_axes frompyfunc piecewise": "functions of Python, called for "
    "parts of an array: functions of pg take whole arrays, with axis=; pg.where, pg.select choose",
    "fromfunction": "f(*pg.indices(shape))",
    "asanyarray asarray_chkfinite ascontiguousarray asfortranarray require": "pg.asarray(x): nodes "
    "don't show how their arrays lie in memory, and have no subclasses",
    "isfortran may_share_memory shares_memory nested_iters getbufsize setbufsize": "memory: nodes "
    "don't show how their arrays lie in it",
    "asmatrix bmat": "matrices with an * of their own: pg.tensor, pg.block and x @ y",
    "busday_count busday_offset is_busday isnat datetime_as_string datetime_data": "dates: they "
    "have no derivatives",
    "common_type min_scalar_type mintypecode promote_types": "pg.result_type; rules of its own, "
    "see [numerics.md](numerics.md#dtype-promotion)",
    "issubdtype typename": "dtypes are NumPy's: np.issubdtype(x.dtype, np.floating); pg.isdtype",
    "iterable isscalar": "isinstance(x, pg.Node), x.ndim",
    "copyto fill_diagonal place put putmask": "in place: pg.where, x.at[index].set(values), "
    "pg.put_along_axis are new arrays",
    "compress extract": "x[mask], pg.take; np.compress and np.extract work on nodes",
    "copy": "x.copy()",
    "einsum_path": "pg.einsum chooses the order of its products itself",
    "diag_indices_from tril_indices_from triu_indices_from mask_indices": "pg.diag_indices(n), "
    "pg.tril_indices(n), pg.triu_indices(n)",
    "ix_": "x[rows[:, None], columns]",
    "histogram2d histogram_bin_edges histogramdd": "counts, which have no derivative: NumPy's "
    "own take nodes; pg.histogram for one axis",
    "packbits unpackbits": "bits, which have no derivative: NumPy's own take nodes",
    "spacing": "pg.nextafter(x, pg.inf) - x",
    "real_if_close": "pg.real(x): the dtype would depend on values",
    "sort_complex": "complex numbers have no order here: of x.numpy()",
    "polydiv": "the remainder's length would depend on values: of coefficients as arrays",
    "row_stack": "pg.vstack, of which it is the old name",
    "geterr geterrcall seterr seterrcall": "nothing warns; pg.debug_nans finds the first NaN",
    "get_include info show_config show_runtime test": "NumPy itself",
}


def functions(module: ModuleType) -> list[str]:
    """The public functions and ufuncs of a module of NumPy."""
    found = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return [name for name, one in found.items() if callable(one) and not isinstance(one, type)]


def here(space: Any) -> Callable[[str], bool]:
    return lambda name: name in dir(space) and callable(getattr(space, name))


def section(title: str, names: Iterable[str], has: Callable[[str], bool], prefix: str) -> list[str]:
    names = sorted(names)
    present = [name for name in names if has(name)]
    rest = [name for name in names if not has(name)]
    reasons: dict[str, list[str]] = {}
    for name in rest:
        reasons.setdefault(reason(name), []).append(name)
    lines = [f"## {title}", "", f"{len(present)} of {len(names)}, as `{prefix}.name`:", ""]
    lines += [", ".join(f"`{name}`" for name in present) + ".", ""]
    if rest:
        lines += ["Left out:", "", "| functions | why, or what to write |", "|---|---|"]
        lines += [
            f"| {', '.join(f'`{name}`' for name in found)} | {why} |"
            for why, found in sorted(reasons.items(), key=lambda one: one[1])
        ]
    return [*lines, ""]


def reason(name: str) -> str:
    for names, why in LEFT_OUT.items():
        if name in names.split():
            return why
    return "?"


def page() -> str:
    lines = [
        "# NumPy's functions",
        "",
        "Generated by `python tools/numpy_coverage.py`. Don't edit it. NumPy's own functions work "
        "on nodes too:",
        "`np.sin(x)` is `pg.sin(x)`.",
        "",
        f"The lists are those of {VERSION}.",
        "",
        *section("numpy", functions(np), here(pg), "pg"),
        *section("numpy.linalg", functions(np.linalg), here(pg.linalg), "pg.linalg"),
        *section("numpy.fft", functions(np.fft), here(pg.fft), "pg.fft"),
        *section("scipy.special, as in autograd", SPECIAL.split(), here(pg.special), "pg.special"),
        *section(
            "scipy.linalg, as in autograd", SCIPY_LINALG.split(), here(pg.linalg), "pg.linalg"
        ),
        *section(
            "scipy.stats, as in autograd",
            STATS.split(),
            lambda name: name in dir(pg.stats),
            "pg.stats",
        ),
        *section("scipy.signal, as in autograd", SIGNAL.split(), here(pg), "pg"),
    ]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    if "--check" in sys.argv[1:] and PAGE.exists() and VERSION not in PAGE.read_text():
        print(f"{PAGE.name} was written with another NumPy than {VERSION}: not checked")
        return 0
    text = page()
    unexplained = [line for line in text.splitlines() if line.endswith("| ? |")]
    if unexplained:
        print("Neither here nor explained in tools/numpy_coverage.py:", *unexplained, sep="\n")
        return 1
    if "--check" in sys.argv[1:]:
        if not PAGE.exists() or PAGE.read_text() != text:
            print(f"{PAGE.name} is outdated: run python tools/numpy_coverage.py")
            return 1
        return 0
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
