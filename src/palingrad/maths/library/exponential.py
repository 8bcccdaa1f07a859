"""The exponential of matrices and its derivative, by scaling and squaring of Padé approximants.

N. J. Higham, "The scaling and squaring method for the matrix exponential revisited", SIAM J. Matrix
Anal. Appl. 26 (2005); A. H. Al-Mohy and N. J. Higham, "A new scaling and squaring algorithm for the
matrix exponential", 31 (2009), which avoids overscaling, and "Computing the Fréchet derivative of
the matrix exponential", 30 (2009).
"""

from __future__ import annotations

from typing import Any

import numpy as np

# By the degree of the approximant: the norm up to which its backward error is below a rounding in
# double precision, and that for which its derivative's is; the coefficients.
DEGREES = (
    (3, 1.495585217958292e-2, 1.08e-2, (120.0, 60.0, 12.0, 1.0)),
    (5, 2.539398330063230e-1, 2.00e-1, (30240.0, 15120.0, 3360.0, 420.0, 30.0, 1.0)),
    (7, 9.504178996162932e-1, 7.83e-1,
     (17297280.0, 8648640.0, 1995840.0, 277200.0, 25200.0, 1512.0, 56.0, 1.0)),
    (9, 2.097847961257068e0, 1.78e0,
     (17643225600.0, 8821612800.0, 2075673600.0, 302702400.0, 30270240.0, 2162160.0, 110880.0,
      3960.0, 90.0, 1.0)),
    (13, 4.25, 4.74,
     (64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0,
      129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0,
      40840800.0, 960960.0, 16380.0, 182.0, 1.0)),
)  # fmt: skip


def one_norm(x: Any) -> Any:
    """The largest sum of absolute values in a column, of each matrix."""
    return np.max(np.sum(np.abs(x), axis=-2), axis=-1, initial=0)


def squarings(x: Any, x4: Any, x6: Any) -> Any:
    """For each matrix the integer s, which may be negative, for which the approximant of degree 13
    is exact at x/2ˢ.

    ‖x⁴‖^¼ and ‖x⁶‖^⅙ bound the norms of all higher powers, by less than ‖x‖ if x isn't normal; the
    second part keeps the rounding errors of the approximant itself small.
    """
    size = np.maximum(one_norm(x4) ** (1 / 4), one_norm(x6) ** (1 / 6))
    s = np.ceil(np.log2(np.maximum(size / 4.25, 1e-300)))
    s = np.where(np.isfinite(s), s, 0)
    small = np.abs(x) / 2.0 ** s[..., None, None]
    row = np.ones((*x.shape[:-2], 1, x.shape[-1]))
    for _ in range(27):
        row = row @ small  # sums over the columns of |x|²⁷
    c = 1 / 113250775606021113483283660800000000  # of x²⁷ in the backward error
    error = c * np.max(row, axis=(-2, -1), initial=0) / np.maximum(one_norm(small), 1e-300)
    more = np.ceil(np.log2(np.maximum(error * 2.0**53, 1)) / 26)
    return s + np.where(np.isfinite(more), more, 0)


def times(a: Any, b: Any) -> Any:
    """The product of two pairs (matrix, its derivative or None)."""
    value = a[0] @ b[0]
    return value, None if a[1] is None else a[0] @ b[1] + a[1] @ b[0]


def combined(coefficients: Any, pairs: Any, constant: float = 0.0) -> Any:
    """The sum of pairs, each times its coefficient, plus `constant` times the identity."""
    n = pairs[0][0].shape[-1]
    value = sum(float(c) * x for c, (x, _) in zip(coefficients, pairs))
    value = value + constant * np.eye(n, dtype=pairs[0][0].dtype)
    if pairs[0][1] is None:
        return value, None
    return value, sum(float(c) * t for c, (_, t) in zip(coefficients, pairs))


def exponential(x: Any, t: Any) -> Any:
    """eˣ and its derivative in the direction t, or None if t is None."""
    if not x.size:
        return x.copy(), None if t is None else t.copy()
    norm = one_norm(x)
    for degree, bound, steep, b in DEGREES[:-1]:
        if np.all(norm <= (bound if t is None else min(bound, steep))):
            second = times((x, t), (x, t))
            powers = [second]
            while len(powers) < degree // 2:
                powers.append(times(powers[-1], second))
            odd, even = combined(b[3::2], powers, b[1]), combined(b[2::2], powers, b[0])
            return quotient(times((x, t), odd), even)
    return squared(x, t, norm)


def squared(x: Any, t: Any, norm: Any) -> Any:
    """The same for matrices of any norms: by squaring the approximant of degree 13 at x/2ˢ."""
    b = DEGREES[-1][-1]
    norm = np.where(np.isfinite(norm), np.maximum(norm, 1), 1)
    before = np.ceil(np.log2(norm))  # so that x⁶ is finite
    first = scaled((x, t), -before)
    second = times(first, first)
    x4 = times(second, second)
    x6 = times(x4, second)
    more = np.maximum(squarings(first[0], x4[0], x6[0]), -before)
    first, *powers = (
        scaled(pair, -more * n) for pair, n in ((first, 1), (second, 2), (x4, 4), (x6, 6))
    )
    odd = combined((1, *b[3:8:2]), [times(powers[-1], combined(b[9::2], powers)), *powers], b[1])
    even = combined((1, *b[2:8:2]), [times(powers[-1], combined(b[8::2], powers)), *powers], b[0])
    result = quotient(times(first, odd), even)
    steps = before + more
    for step in range(int(np.max(steps))):
        going = (step < steps)[..., None, None]
        result = tuple(
            None if old is None else np.where(going, new, old)
            for new, old in zip(times(result, result), result)
        )
    return result


def scaled(pair: Any, exponent: Any) -> Any:
    """The pair times 2 to the exponent of each matrix."""
    x, t = pair
    factor = (2.0 ** np.asarray(exponent)[..., None, None]).astype(x.real.dtype)
    return x * factor, None if t is None else t * factor


def quotient(odd: Any, even: Any) -> Any:
    """(even − odd)⁻¹ (even + odd) of pairs."""
    denominator = even[0] - odd[0]
    value = np.linalg.solve(denominator, even[0] + odd[0])
    if odd[1] is None:
        return value, None
    rest = odd[1] + even[1] + (odd[1] - even[1]) @ value
    return value, np.linalg.solve(denominator, rest)


def expm(x: Any) -> Any:
    """eˣ = Σ xᵏ/k!, of matrices."""
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    return exponential(wide, None)[0].astype(x.dtype)


def expm_frechet(x: Any, t: Any) -> Any:
    """The derivative of `expm` at x in the direction t."""
    if x.dtype == np.float16:
        return expm_frechet(x.astype(np.float32), t.astype(np.float32)).astype(x.dtype)
    return exponential(x, np.broadcast_to(t, x.shape))[1].astype(x.dtype)
