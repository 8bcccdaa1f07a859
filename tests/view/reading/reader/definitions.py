"""Textbook definitions of functions that formulas name, by NumPy and SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg as sl
import scipy.special as sp

from .windows import convolution

Function = Callable[..., Any]


def plain(x: Any) -> Any:
    """Numbers that SciPy and LAPACK take: not long doubles."""
    x = np.asarray(x)
    if x.dtype.kind == "f":
        return x.astype(np.float64)
    return x.astype(np.complex128) if x.dtype.kind == "c" else x


def of(function: Any) -> Function:
    return lambda o, *x: function(*map(plain, x))


def exact(function: Any) -> Function:
    """A function that takes long doubles, in which less overflows."""
    return lambda o, *x: function(*x)


def axes(o: Any) -> Any:
    below = o["below"]
    return tuple(map(int, below.split(","))) if below else None


def along(function: Any, **more: Any) -> Function:
    """A reduction along the axes that are the function's index."""
    return lambda o, x, *rest: function(x, axis=axes(o), **more)


def deviation(function: Any) -> Function:
    return lambda o, x: function(x, axis=axes(o), ddof=o.get("correction", 0))


def axis_of(o: Any, default: Any = -1) -> Any:
    return o.get("axis", default)


def softmax(o: Any, x: Any) -> Any:
    if o["below"] == "j \\le i" or "le" in o["below"]:
        t, u = x.shape[-2:]
        x = np.where(np.tril(np.ones((t, u), bool)), x, -np.inf)
    x = np.asarray(x, np.longdouble)
    axis = axis_of(o)
    with np.errstate(all="ignore"):
        powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
        return np.nan_to_num(powers / powers.sum(axis=axis, keepdims=True))


def scanned(function: Any) -> Function:
    def scan(o: Any, x: Any) -> Any:
        axis = int(o["below"]) if o["below"] else 0
        if o["above"]:  # from the end
            return np.flip(function(np.flip(x, axis), axis=axis), axis)
        return function(x, axis=axis)

    return scan


def norm(o: Any, x: Any, which: str, axes: str) -> Any:
    size = np.abs(x)
    axis = tuple(int(part) for part in axes.split(",")) if axes else None
    matrix = which != "F" and (axis is None or len(axis) == 2) and x.ndim > 1
    if not matrix:
        if which == "0":
            return np.sum(size != 0, axis=axis)
        if which.endswith("infty"):
            extreme = np.min if which.startswith("-") else np.max
            return extreme(size, axis=axis)
        p = 2.0 if which == "F" else float(which)
        return np.power(np.sum(np.power(size, p), axis=axis), 1 / p)
    order = {"F": "fro", "*": "nuc", "infty": np.inf, "-infty": -np.inf}.get(which)
    order = float(which) if order is None else order
    return np.linalg.norm(plain(x), order, axis=axis or (0, 1))


def vec(o: Any, x: Any) -> Any:
    """The elements as a vector; those of some axes as a last axis."""
    if not o["below"]:
        return np.ravel(x)
    chosen = [axis % x.ndim for axis in axes(o)]
    x = np.moveaxis(x, chosen, range(-len(chosen), 0))
    return x.reshape(*x.shape[: x.ndim - len(chosen)], -1)


def joined(o: Any, axis: int, *x: Any) -> Any:
    if all(np.ndim(one) < 2 for one in x):  # numbers in a vector
        x = tuple(map(np.atleast_1d, x))
    return np.concatenate(x, axis=axis)


def gelu_tanh(x: Any) -> Any:
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def cofactors(x: Any) -> Any:
    def one(a: Any) -> Any:
        n = len(a)
        minors = [
            [np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(n)] for i in range(n)
        ]
        return np.array(minors) * np.array([[(-1) ** (i + j) for j in range(n)] for i in range(n)])

    return np.stack([one(a) for a in x.reshape(-1, *x.shape[-2:])]).reshape(x.shape)


def polygamma(o: Any, x: Any) -> Any:
    order = o["above"].strip("()")
    return sp.polygamma(int(order), plain(x)) if order else sp.digamma(plain(x))


def elu(x: Any, alpha: float, scale: float = 1.0) -> Any:
    return scale * np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))


def huber(o: Any, d: Any) -> Any:
    delta = o["delta"]
    size = np.abs(d)
    return np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))


def smooth(o: Any, d: Any) -> Any:
    beta = o["beta"]
    size = np.abs(d)
    return size if beta == 0 else np.where(size < beta, size**2 / (2 * beta), size - beta / 2)


def focal(o: Any, p: Any, y: Any) -> Any:
    gamma, alpha = o["gamma"], o["alpha"]
    one, other = (1, 1) if alpha is None else (alpha, 1 - alpha)
    hit = one * y * (1 - p) ** gamma * np.log(p)
    return -hit - other * (1 - y) * p**gamma * np.log(1 - p)


def poisson(o: Any, x: Any, y: Any) -> Any:
    loss = np.exp(x) - y * x if o["log_rate"] else x - y * np.log(x)
    if o["full"]:
        stirling = y * np.log(y) - y + np.log(2 * np.pi * y) / 2
        loss = loss + np.where(y > 1, stirling, 0)
    return loss


def gaussian(o: Any, x: Any, y: Any, v: Any) -> Any:
    v = np.maximum(v, o["epsilon"])
    loss = (np.log(v) + (x - y) ** 2 / v) / 2
    return loss + np.log(2 * np.pi) / 2 if o["full"] else loss


def cosine(o: Any, x: Any, y: Any) -> Any:
    axis = axis_of(o)

    def length(z: Any) -> Any:
        return np.sqrt(np.sum(z * z, axis=axis))

    return np.sum(x * y, axis=axis) / (length(x) * length(y))


def kl(o: Any, p: Any, q: Any) -> Any:
    return np.sum(np.where(p == 0, 0, p * (np.log(p) - np.log(q))), axis=axis_of(o))


def js(o: Any, p: Any, q: Any) -> Any:
    m = (p + q) / 2
    return (kl(o, p, m) + kl(o, q, m)) / 2


def crossentropy(o: Any, x: Any, p: Any, w: Any = None) -> Any:
    axis = o["axis"]
    x = np.moveaxis(x, axis, -1)
    classes = x.shape[-1]
    logs = x - np.log(np.sum(np.exp(x), axis=-1, keepdims=True))
    w = np.ones(classes) if w is None else w
    kept = np.ones(x.shape[:-1], bool)
    counted = p.dtype.kind in "iu"
    if counted:
        kept = p != o["ignore_index"] if o["ignore_index"] is not None else kept
        labels = np.where(kept, p, 0)
        target = np.eye(classes)[labels]
        weight = w[labels] * kept
    else:
        target = np.moveaxis(p, axis, -1)
        weight = None
    s = o["label_smoothing"]
    target = (1 - s) * target + s / classes
    each = -np.sum(target * w * logs, axis=-1) * kept
    if o["reduction"] == "none":
        return each
    total = each.sum()
    if o["reduction"] == "mean":
        total = total / (each.size if weight is None else weight.sum())
    return total


def average(o: Any, x: Any, w: Any) -> Any:
    axis = axes(o)
    w = np.broadcast_to(w, x.shape)
    return np.sum(x * w, axis) / np.sum(w, axis)


def transform(o: Any, x: Any) -> Any:
    inverse = o["above"] == "-1"
    half, _, axes = o["below"].partition(";")
    if half not in ("r", "h"):
        half, axes = "", o["below"]
    kind = {"": "fft", "r": "rfft", "h": "hfft"}[half]
    name = kind if not inverse else {"fft": "ifft", "rfft": "irfft", "hfft": "ihfft"}[kind]
    numbers = tuple(map(int, axes.split(","))) if axes.strip() else (-1,)
    o = {**o, "axis": numbers[0], "axes": numbers, "sizes": o["sizes"] or (None,) * len(numbers)}
    if len(numbers) == 1:
        return getattr(np.fft, name)(plain(x), o["n"], o["axis"], o["norm"])
    sizes = [x.shape[a] if n is None else n for n, a in zip(o["sizes"], o["axes"])]
    if inverse and half and o["sizes"][-1] is None:
        sizes[-1] = 2 * (sizes[-1] - 1)
    return getattr(np.fft, f"{name}n")(plain(x), sizes, o["axes"], o["norm"])


def parts(o: Any, sign: str) -> list[tuple[int, ...]]:
    """The integers below a name, on both sides of a sign."""
    sides = o["below"].partition(sign)[::2]
    return [tuple(int(n) for n in side.replace(" ", "").split(",") if n) for side in sides]


def rolled(o: Any) -> Any:
    shift, axis = parts(o, ";")
    return (shift, axis) if axis else (shift[0], None)


def solve_sylvester(o: Any, a: Any, b: Any, q: Any) -> Any:
    shape = np.broadcast_shapes(a.shape[:-2], b.shape[:-2], q.shape[:-2])
    parts = [np.broadcast_to(plain(m), (*shape, *m.shape[-2:])) for m in (a, b, q)]
    flat = [m.reshape(-1, *m.shape[-2:]) for m in parts]
    found = np.stack([sl.solve_sylvester(*m) for m in zip(*flat)])
    return found.reshape(*shape, *found.shape[-2:])


def stacked(function: Any) -> Function:
    def each(o: Any, x: Any, *rest: Any) -> Any:
        x = plain(x)
        flat = x.reshape(-1, *x.shape[-2:])
        return np.stack([function(m, *rest) for m in flat]).reshape(*x.shape[:-2], *function(
            flat[0], *rest).shape)  # fmt: skip

    return each


def pad(o: Any, x: Any) -> Any:
    mode, option = o["mode"], o["option"]
    keys = {"constant": "constant_values", "linear_ramp": "end_values", "reflect": "reflect_type",
            "symmetric": "reflect_type"}  # fmt: skip
    more = {keys[mode]: option} if mode in keys and option is not None else {}
    if mode in ("maximum", "minimum", "mean", "median") and option is not None:
        more = {"stat_length": option}
    return np.pad(x, o["width"], mode, **more)


def quantile(nan: bool) -> Function:
    def quantile(o: Any, x: Any) -> Any:
        function = np.nanquantile if nan else np.quantile
        return function(plain(x), o["q"], axes(o), method=o["method"])

    return quantile


def sorted(o: Any, x: Any) -> Any:
    found = np.sort(x, o["axis"])
    return np.flip(found, o["axis"]) if o["descending"] else found


def argsorted(o: Any, x: Any) -> Any:
    key = -x if o["descending"] else x
    found = np.argsort(key, o["axis"], kind="stable")
    return found if o["count"] is None else np.take(found, range(o["count"]), o["axis"])


def tri(lower: bool) -> Function:
    return lambda o, x: (np.tril if lower else np.triu)(x, int(o["below"] or 0))


def convolve(o: Any, x: Any, y: Any) -> Any:
    if x.ndim > 1:
        return convolution(o, x, y)
    return np.convolve(plain(x), plain(y), o["mode"])


def tensordot(o: Any, x: Any, y: Any) -> Any:
    return np.tensordot(x, y, o["axes"])


def band(o: Any, ab: Any) -> Any:
    lower, upper, n = o["lower"], o["upper"], ab.shape[-1]
    whole = np.zeros((*ab.shape[:-2], n, n), ab.dtype)
    for i in range(n):
        for j in range(max(i - lower, 0), min(i + upper + 1, n)):
            whole[..., i, j] = ab[..., upper + i - j, j]
    return whole


def onehot(o: Any, x: Any) -> Any:
    return (x[..., None] == np.arange(o["depth"])) * 1


def filled(o: Any, given: Any) -> Any:
    """Zeros of the shape that an update of 𝟎 writes into."""
    if "size" not in o:
        return np.zeros(o["shape"])
    shape, axis = list(given.shape), o["axis"]
    axes = o["index_ndim"]
    return np.zeros((*shape[:axis], o["size"], *shape[axis + axes :]), np.result_type(given))


def recurrence(o: Any, a: Any, b: Any) -> Any:
    axis = o["axis"] if o["below"] else 0
    a, b = (np.moveaxis(np.broadcast_to(z, np.broadcast_shapes(a.shape, b.shape)), axis, 0)
            for z in (a, b))  # fmt: skip
    places = range(len(b))[::-1] if o["above"] else range(len(b))
    y, before = np.array(b), None
    for i in places:
        y[i] = b[i] if before is None else a[i] * before + b[i]
        before = y[i]
    return np.moveaxis(y, 0, axis)


def shuffled(o: Any, x: Any) -> Any:
    r = o["factor"]
    *lead, c, h, w = x.shape
    x = x.reshape(*lead, c // r**2, r, r, h, w)
    n = len(lead)
    order = [*range(n + 1), n + 3, n + 1, n + 4, n + 2]
    return x.transpose(order).reshape(*lead, c // r**2, h * r, w * r)


def dirichlet(x: Any, a: Any) -> Any:
    x, a = plain(x), plain(a)
    if x.shape[0] == a.shape[-1] - 1:  # without the last coordinate
        x = np.concatenate([x, 1 - x.sum(0, keepdims=True)])
    a = a.reshape(-1, *[1] * (x.ndim - 1))
    return sp.gammaln(a.sum()) - sp.gammaln(a).sum() + ((a - 1) * np.log(x)).sum(0)


def gauss(o: Any, x: Any, mean: Any, cov: Any) -> Any:
    import scipy.stats as st

    if np.ndim(cov) == 0:
        return np.exp(-((x - mean) ** 2) / (2 * cov)) / np.sqrt(2 * np.pi * cov)
    n = np.shape(x)[-1]
    mean = np.broadcast_to(mean, (n,))
    cov = np.eye(n) * cov if np.ndim(cov) < 2 else cov
    return st.multivariate_normal(plain(mean), plain(cov), o["singular"]).pdf(plain(x))
