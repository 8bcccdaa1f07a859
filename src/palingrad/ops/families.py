"""Families of operations that are imported on first use, so that `import palingrad` stays fast.

`pg.name`, and `ops.name` in rules, import the family. `__init__.py` lists the same names for type
checkers; tests/graph/test_imports.py compares the two.
"""

from __future__ import annotations

from ..graph.registry import aliases, later
from ..graph.state.imports import imported

_HERE = __name__.rpartition(".")[0]

# Module below `palingrad.ops`: its public functions.
FAMILIES: dict[str, str] = {
    "random": "dropout normal set_seed uniform",
    "losses.cross_entropy": "cross_entropy",
    "losses.squares": "mse",
    "reduction.norms": "batch_norm layer_norm",
    "window.convolution": "conv1d conv2d",
    "window.pooling": "average_pool max_pool",
    "scan.cumulative": "cumprod cumsum cumulative_max cumulative_min cumulative_prod "
    "cumulative_sum",
    "layout.reversal": "flip fliplr flipud roll rot90",
    "layout.repetition": "repeat resize tile",
    "layout.axes": "moveaxis rollaxis swapaxes",
    "layout.padding": "pad",
    "layout.pieces": "append array_split block delete dsplit ediff1d hsplit insert "
    "trim_zeros unstack vsplit",
    "losses.regression": "gaussian_nll huber log_cosh mae poisson_nll smooth_l1",
    "losses.binary": "binary_cross_entropy binary_cross_entropy_with_logits focal_loss "
    "hinge_loss perceptron_loss",
    "losses.distances": "cosine_loss cosine_similarity js_divergence kl_divergence "
    "margin_ranking_loss triplet_loss",
    "contraction.einsum": "einsum",
    "contraction.products": "cross inner kron matvec tensordot vdot vecdot vecmat",
    "nets.activations": "celu glu hard_sigmoid hard_swish hard_tanh mish prelu relu6 selu "
    "softsign tanhshrink",
    "nets.normalization": "group_norm instance_norm local_response_norm rms_norm",
    "nets.attention": "embedding_bag scaled_dot_product_attention",
    "nets.images": "interpolate pixel_shuffle pixel_unshuffle",
    "window.transposed": "conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
    "window.adaptive": "adaptive_average_pool adaptive_max_pool global_average_pool "
    "global_max_pool locally_connected",
    "signals.windows": "bartlett blackman hamming hanning kaiser",
    "creation": "arange array asarray astype empty empty_like eye full full_like "
    "geomspace identity indices linspace logspace meshgrid ones tri "
    "zeros",
    "elementwise.habits": "allclose array_equal array_equiv deg2rad divmod fabs float_power "
    "isclose isneginf isposinf logaddexp2 modf nan_to_num rad2deg rint",
    "elementwise.numbers": "bitwise_count copysign fmax fmin fmod frexp gcd heaviside lcm "
    "ldexp nextafter signbit",
    "layout.diagonals": "diag diag_indices diagflat diagonal trace tril tril_indices triu "
    "triu_indices",
    "layout.rank": "atleast_1d atleast_2d atleast_3d broadcast_arrays broadcast_shapes "
    "column_stack dstack hstack ndim ravel shape size vstack",
    "indexing.at": "at",
    "indexing.along": "choose one_hot put_along_axis select take_along_axis",
    "indexing.counting": "bincount histogram segment_max segment_mean segment_min segment_sum",
    "indexing.positions": "ravel_multi_index unravel_index",
    "indexing.search": "argwhere digitize flatnonzero isin nonzero searchsorted",
    "indexing.sets": "intersect1d setdiff1d setxor1d union1d",
    "indexing.unique": "unique unique_all unique_counts unique_inverse unique_values",
    "order.sorting": "argpartition argsort lexsort partition sort top_k",
    "order.quantiles": "median nanmedian nanpercentile nanquantile percentile quantile",
    "scan.differences": "cumulative_trapezoid diff trapezoid",
    "reduction.averages": "average corrcoef count_nonzero cov ptp",
    "reduction.vector_norm": "vector_norm",
    "reduction.missing": "nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmin "
    "nanprod nanstd nansum nanvar",
    "special.bessel": "i0",
    "special.sine": "sinc",
    "signals.convolve": "convolve correlate",
    "signals.interpolation": "interp",
    "signals.differences": "gradient unwrap",
    "signals.polynomials": "poly polyadd polyder polyfit polyint polymul polysub polyval roots "
    "vander",
    "scan.logcumsumexp": "logcumsumexp",
    "control.scan": "fori_loop map scan",
    "control.branch": "cond switch",
    "control.while_loop": "while_loop",
    "control.associative": "associative_scan",
}
for _module, _names in FAMILIES.items():
    later.update(dict.fromkeys(_names.split(), f"{_HERE}.{_module}"))

# Modules whose functions are in a public module of their own, such as pg.linalg.
ELSEWHERE: tuple[str, ...] = (
    "distributions.student",
    "distributions.vectors",
    "fourier.several_axes",
    "fourier.transforms",
    "linalg.cholesky",
    "linalg.determinant",
    "linalg.matrix_functions",
    "linalg.lu",
    "linalg.products",
    "linalg.norms",
    "linalg.orthogonal",
    "linalg.quotient",
    "linalg.singular",
    "linalg.solve",
    "linalg.spectral",
    "linalg.triangular",
    "special.beta",
    "special.entropy",
    "special.error",
    "special.gamma",
    "special.incomplete",
    "special.zeta",
)

# Names in NumPy of functions that the array API standard, and so palingrad, calls otherwise.
ALIASES: dict[str, str] = {
    "absolute": "abs",
    "amax": "max",
    "amin": "min",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "around": "round",
    "bitwise_not": "bitwise_invert",
    "concatenate": "concat",
    "conjugate": "conj",
    "cummax": "cumulative_max",
    "cummin": "cumulative_min",
    "degrees": "rad2deg",
    "fix": "trunc",
    "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift",
    "mod": "remainder",
    "power": "pow",
    "radians": "deg2rad",
    "right_shift": "bitwise_right_shift",
    "topk": "top_k",
    "transpose": "permute_dims",
    "true_divide": "divide",
}
aliases.update(ALIASES)


def import_families() -> None:
    """Import all families, so that the registry of operations is complete."""
    for module in (*FAMILIES, *ELSEWHERE):
        imported(f"{_HERE}.{module}")
