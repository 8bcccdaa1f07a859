"""NumPy's and SciPy's functions by name: the library's function of the same mathematics.

A function that isn't listed has the same name here, or is refused. Names are looked up in the
registry when they are first called, so a function counts from the moment it exists.
"""

from __future__ import annotations

# Ufuncs of scipy.special, and functions of NumPy, that have other names here.
NAMES: dict[str, str] = {
    "_riemann_zeta": "zeta",
    "_zeta": "zeta",
    "around": "round",
    "expit": "sigmoid",
    "log_expit": "log_sigmoid",
}

# Options that say how an array lies in memory or how a result is stored: values never change here.
STORAGE = frozenset({"copy", "order", "subok", "casting", "overwrite_input", "optimize"})

# How many of a function's leading parameters are inputs, which have other names here. Otherwise one
# is, or as many as the library's function takes by position alone.
INPUTS: dict[str, int] = {
    **dict.fromkeys("compress dot extract inner kron outer tile vdot".split(), 2),
    "where": 3,
}

# Functions of ufuncs' methods: np.add.reduce, np.multiply.accumulate.
REDUCTIONS: dict[str, str] = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "logical_and": "all",
    "logical_or": "any",
    "logaddexp": "logsumexp",
    "fmax": "nanmax",
    "fmin": "nanmin",
}
SCANS: dict[str, str] = {
    "add": "cumsum",
    "multiply": "cumprod",
    "maximum": "cummax",
    "minimum": "cummin",
    "logaddexp": "logcumsumexp",
}

# Functions whose results have no derivatives: NumPy's own, of the nodes' values.
OF_VALUES = frozenset(
    "allclose array2string array_equal array_equiv array_repr array_str histogram2d "
    "histogram_bin_edges histogramdd may_share_memory packbits save savetxt "
    "savez savez_compressed shares_memory unpackbits".split()
)
# The same, which ask only for dtypes.
OF_DTYPES = frozenset({"can_cast", "common_type", "min_scalar_type", "result_type"})

# Functions that write into an array of NumPy's.
IN_PLACE = frozenset({"copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"})

# What to write instead of a function that has no counterpart.
INSTEAD: dict[str, str] = {
    "apply_along_axis": "the function itself, with axis=: functions of pg work on whole arrays",
    "apply_over_axes": "the function itself, with axis= a tuple",
    "piecewise": "pg.where(condition, f(x), g(x))",
}
