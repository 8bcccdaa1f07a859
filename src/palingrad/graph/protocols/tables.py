"""NumPy's and SciPy's functions by name: the library's function of the same mathematics.

A function that isn't listed has the same name here, or is refused. Names are looked up in the
registry when they are first called, so a function counts from the moment it exists.
"""

from __future__ import annotations

# Ufuncs of NumPy and of scipy.special that have other names here; several: the first that exists.
UFUNCS: dict[str, str] = {
    "expit": "expit sigmoid",
    "gammaln": "gammaln lgamma",
    "log_expit": "log_sigmoid",
    "psi": "digamma psi",
}

# Functions of NumPy that have other names here.
FUNCTIONS: dict[str, str] = {
    "around": "round",
    "astype": "cast",
}

# Parameters of NumPy's functions that have other names here; "" for one that changes nothing.
OPTIONS: dict[str, dict[str, str]] = {
    "std": {"ddof": "correction"},
    "var": {"ddof": "correction"},
    "nanstd": {"ddof": "correction"},
    "nanvar": {"ddof": "correction"},
}

# Options that say how an array lies in memory or how a result is stored: values never change here.
STORAGE = frozenset({"copy", "order", "subok", "casting", "overwrite_input", "optimize"})

# How many of a function's leading parameters are written by position here; 1 for the others.
INPUTS: dict[str, int] = {
    name: count
    for count, names in {
        2: "allclose append array_equal array_split average broadcast_to convolve correlate cross "
        "digitize dot full_like inner interp isclose isin kron linalg.cross "
        "linalg.lstsq linalg.matmul linalg.matrix_power linalg.outer linalg.solve "
        "linalg.tensordot linalg.vecdot outer pad percentile nanpercentile polyval quantile "
        "nanquantile repeat reshape roll searchsorted select split hsplit vsplit "
        "dsplit take take_along_axis tensordot tile vdot astype partition argpartition trapezoid "
        "compress extract linalg.tensorsolve",
        3: "where moveaxis swapaxes interp",
    }.items()
    for name in names.split()
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
}
SCANS: dict[str, str] = {
    "add": "cumsum",
    "multiply": "cumprod",
    "maximum": "cummax",
    "minimum": "cummin",
    "logaddexp": "logcumsumexp",
}

# Functions whose results are no arrays of floats: NumPy's own, of the nodes' values.
OF_VALUES = frozenset(
    "allclose array2string array_equal array_equiv array_repr array_str iscomplexobj isrealobj "
    "may_share_memory save savetxt savez savez_compressed shares_memory".split()
)
# The same, which ask only for dtypes.
OF_DTYPES = frozenset({"can_cast", "common_type", "min_scalar_type", "result_type"})

# Functions that write into an array of NumPy's.
IN_PLACE = frozenset({"copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"})

# What to write instead of a function that has no counterpart.
INSTEAD: dict[str, str] = {
    "apply_along_axis": "the function itself, with axis=: functions of pg work on whole arrays",
    "apply_over_axes": "the function itself, with axis= a tuple",
    "choose": "pg.where(condition, x, y)",
    "delete": "x[mask], or pg.concat of the parts that stay",
    "insert": "pg.concat([x[:i], values, x[i:]])",
    "piecewise": "pg.where(condition, f(x), g(x))",
    "resize": "pg.reshape(x, shape), or pg.concat([x, x])",
    "trim_zeros": "x[first:last]",
}
