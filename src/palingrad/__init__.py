"""palingrad: computational graphs, automatic differentiation and a native compiler, in Python."""

from math import e as e, inf as inf, nan as nan, pi as pi
from typing import TYPE_CHECKING

from .version import __version__ as __version__  # first: it notes when the rest was loaded

# isort: split
from . import errors as errors
from .autodiff.check import check_gradients as check_gradients
from .autodiff.gradients import gradients as gradients
from .autodiff.jacobians import clear_jacobians as clear_jacobians, jacobians as jacobians
from .autodiff.transforms import (
    grad as grad,
    hessian as hessian,
    jacobian as jacobian,
    jvp as jvp,
    value_and_grad as value_and_grad,
    vjp as vjp,
)
from .dtypes import (
    bool_ as bool_,
    complex64 as complex64,
    complex128 as complex128,
    default_dtype as default_dtype,
    float16 as float16,
    float32 as float32,
    float64 as float64,
    int8 as int8,
    int16 as int16,
    int32 as int32,
    int64 as int64,
    set_default_dtype as set_default_dtype,
    uint8 as uint8,
    uint16 as uint16,
    uint32 as uint32,
    uint64 as uint64,
)
from .engines.selection import (
    engine_names as engine_names,
    get_engine as get_engine,
    set_engine as set_engine,
)
from .engines.threads import (
    get_num_threads as get_num_threads,
    set_num_threads as set_num_threads,
)
from .function import function as function
from .graph.context import name_scope as name_scope
from .graph.derivatives.cotangents import (
    ieee_gradients as ieee_gradients,
    set_ieee_gradients as set_ieee_gradients,
)
from .graph.functions import binary as binary, unary as unary
from .graph.graph import (
    Graph as Graph,
    get_default_graph as get_default_graph,
    reset_default_graph as reset_default_graph,
)
from .graph.kinds import (
    Composite as Composite,
    Custom as Custom,
    Elementwise as Elementwise,
    Layout as Layout,
    Reduce as Reduce,
)
from .graph.leaves import (
    Constant as Constant,
    Placeholder as Placeholder,
    Variable as Variable,
    placeholder as placeholder,
)
from .graph.node import Node as Node
from .graph.operation import Operation as Operation
from .graph.promotion import tensor as tensor
from .graph.registry import later as _later, show_with as _show_with
from .graph.samples import case as case, edge as edge, kink as kink
from .graph.state.imports import imported as _imported
from .graph.traversal.order import postorder as postorder
from .messages.elsewhere import FUNCTIONS as _FUNCTIONS
from .messages.names import unknown_name as _unknown_name
from .ops.contract import dot as dot, matmul as matmul, outer as outer
from .ops.elementwise.absorbing import absorbing_product as absorbing_product
from .ops.elementwise.activation import (
    elu as elu,
    erf as erf,
    erfc as erfc,
    gelu as gelu,
    leaky_relu as leaky_relu,
    log_sigmoid as log_sigmoid,
    relu as relu,
    sigmoid as sigmoid,
    silu as silu,
    softplus as softplus,
)
from .ops.elementwise.arithmetic import (
    add as add,
    cbrt as cbrt,
    divide as divide,
    floor_divide as floor_divide,
    multiply as multiply,
    negative as negative,
    positive as positive,
    pow as pow,
    reciprocal as reciprocal,
    remainder as remainder,
    sqrt as sqrt,
    square as square,
    subtract as subtract,
)
from .ops.elementwise.comparison import (
    equal as equal,
    greater as greater,
    greater_equal as greater_equal,
    isfinite as isfinite,
    isinf as isinf,
    isnan as isnan,
    less as less,
    less_equal as less_equal,
    logical_and as logical_and,
    logical_not as logical_not,
    logical_or as logical_or,
    logical_xor as logical_xor,
    not_equal as not_equal,
)
from .ops.elementwise.complexes import (
    abs as abs,
    angle as angle,
    complex as complex,
    conj as conj,
    imag as imag,
    iscomplex as iscomplex,
    iscomplexobj as iscomplexobj,
    isreal as isreal,
    isrealobj as isrealobj,
    real as real,
    sign as sign,
)
from .ops.elementwise.discrete import (
    bitwise_and as bitwise_and,
    bitwise_invert as bitwise_invert,
    bitwise_left_shift as bitwise_left_shift,
    bitwise_or as bitwise_or,
    bitwise_right_shift as bitwise_right_shift,
    bitwise_xor as bitwise_xor,
    cast as cast,
    ceil as ceil,
    floor as floor,
    ones_like as ones_like,
    round as round,
    stop_gradient as stop_gradient,
    trunc as trunc,
    zeros_like as zeros_like,
)
from .ops.elementwise.exponential import (
    exp as exp,
    exp2 as exp2,
    expm1 as expm1,
    log as log,
    log1p as log1p,
    log2 as log2,
    log10 as log10,
    logaddexp as logaddexp,
)
from .ops.elementwise.selection import (
    clip as clip,
    maximum as maximum,
    minimum as minimum,
    where as where,
)
from .ops.elementwise.trigonometric import (
    acos as acos,
    acosh as acosh,
    asin as asin,
    asinh as asinh,
    atan as atan,
    atan2 as atan2,
    atanh as atanh,
    cos as cos,
    cosh as cosh,
    hypot as hypot,
    sin as sin,
    sinh as sinh,
    tan as tan,
    tanh as tanh,
)
from .ops.families import ALIASES as _ALIASES
from .ops.layout.join import concat as concat, split as split, stack as stack
from .ops.layout.move import (
    broadcast_to as broadcast_to,
    expand_dims as expand_dims,
    flatten as flatten,
    matrix_transpose as matrix_transpose,
    permute_dims as permute_dims,
    reshape as reshape,
    squeeze as squeeze,
)
from .ops.layout.take import embedding as embedding, take as take
from .ops.losses.cross_entropy import cross_entropy as cross_entropy
from .ops.losses.squares import mse as mse
from .ops.random import (
    Generator as Generator,
    dropout as dropout,
    normal as normal,
    set_seed as set_seed,
    uniform as uniform,
)
from .ops.reduction.norms import batch_norm as batch_norm, layer_norm as layer_norm
from .ops.reduction.reduce import (
    all as all,
    any as any,
    argmax as argmax,
    argmin as argmin,
    max as max,
    min as min,
    prod as prod,
    sum as sum,
)
from .ops.reduction.softmax import log_softmax as log_softmax, softmax as softmax
from .ops.reduction.statistics import (
    logsumexp as logsumexp,
    mean as mean,
    std as std,
    var as var,
)
from .ops.state import after as after, group as group
from .ops.window.convolution import conv1d as conv1d, conv2d as conv2d
from .ops.window.pooling import average_pool as average_pool, max_pool as max_pool
from .session import Session as Session

if TYPE_CHECKING:
    from . import (
        data as data,
        io as io,
        linalg as linalg,
        nn as nn,
        optim as optim,
        special as special,
        train as train,
        view as view,
    )
    from .ops.contraction.einsum import einsum as einsum
    from .ops.contraction.products import (
        cross as cross,
        inner as inner,
        kron as kron,
        matvec as matvec,
        tensordot as tensordot,
        vdot as vdot,
        vecdot as vecdot,
        vecmat as vecmat,
    )
    from .ops.creation import (
        arange as arange,
        array as array,
        asarray as asarray,
        astype as astype,
        empty as empty,
        empty_like as empty_like,
        eye as eye,
        full as full,
        full_like as full_like,
        geomspace as geomspace,
        identity as identity,
        indices as indices,
        linspace as linspace,
        logspace as logspace,
        meshgrid as meshgrid,
        ones as ones,
        tri as tri,
        zeros as zeros,
    )
    from .ops.elementwise.habits import (
        allclose as allclose,
        array_equal as array_equal,
        array_equiv as array_equiv,
        deg2rad as deg2rad,
        divmod as divmod,
        fabs as fabs,
        float_power as float_power,
        isclose as isclose,
        isneginf as isneginf,
        isposinf as isposinf,
        logaddexp2 as logaddexp2,
        modf as modf,
        nan_to_num as nan_to_num,
        rad2deg as rad2deg,
        rint as rint,
    )
    from .ops.elementwise.numbers import (
        bitwise_count as bitwise_count,
        copysign as copysign,
        fmax as fmax,
        fmin as fmin,
        fmod as fmod,
        frexp as frexp,
        gcd as gcd,
        heaviside as heaviside,
        lcm as lcm,
        ldexp as ldexp,
        nextafter as nextafter,
        signbit as signbit,
    )
    from .ops.layout.axes import (
        moveaxis as moveaxis,
        rollaxis as rollaxis,
        swapaxes as swapaxes,
    )
    from .ops.layout.diagonals import (
        diag as diag,
        diag_indices as diag_indices,
        diagflat as diagflat,
        diagonal as diagonal,
        trace as trace,
        tril as tril,
        tril_indices as tril_indices,
        triu as triu,
        triu_indices as triu_indices,
    )
    from .ops.layout.padding import pad as pad
    from .ops.layout.pieces import (
        append as append,
        array_split as array_split,
        block as block,
        delete as delete,
        dsplit as dsplit,
        ediff1d as ediff1d,
        hsplit as hsplit,
        insert as insert,
        trim_zeros as trim_zeros,
        unstack as unstack,
        vsplit as vsplit,
    )
    from .ops.layout.rank import (
        atleast_1d as atleast_1d,
        atleast_2d as atleast_2d,
        atleast_3d as atleast_3d,
        broadcast_arrays as broadcast_arrays,
        broadcast_shapes as broadcast_shapes,
        column_stack as column_stack,
        dstack as dstack,
        hstack as hstack,
        ndim as ndim,
        ravel as ravel,
        shape as shape,
        size as size,
        vstack as vstack,
    )
    from .ops.layout.repetition import repeat as repeat, resize as resize, tile as tile
    from .ops.layout.reversal import (
        flip as flip,
        fliplr as fliplr,
        flipud as flipud,
        roll as roll,
        rot90 as rot90,
    )
    from .ops.losses.binary import (
        binary_cross_entropy as binary_cross_entropy,
        binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
        focal_loss as focal_loss,
        hinge_loss as hinge_loss,
        perceptron_loss as perceptron_loss,
    )
    from .ops.losses.distances import (
        cosine_loss as cosine_loss,
        cosine_similarity as cosine_similarity,
        js_divergence as js_divergence,
        kl_divergence as kl_divergence,
        margin_ranking_loss as margin_ranking_loss,
        triplet_loss as triplet_loss,
    )
    from .ops.losses.regression import (
        gaussian_nll as gaussian_nll,
        huber as huber,
        log_cosh as log_cosh,
        mae as mae,
        poisson_nll as poisson_nll,
        smooth_l1 as smooth_l1,
    )
    from .ops.nets.activations import (
        celu as celu,
        glu as glu,
        hard_sigmoid as hard_sigmoid,
        hard_swish as hard_swish,
        hard_tanh as hard_tanh,
        mish as mish,
        prelu as prelu,
        relu6 as relu6,
        selu as selu,
        softsign as softsign,
        tanhshrink as tanhshrink,
    )
    from .ops.nets.attention import (
        embedding_bag as embedding_bag,
        scaled_dot_product_attention as scaled_dot_product_attention,
    )
    from .ops.nets.images import (
        interpolate as interpolate,
        pixel_shuffle as pixel_shuffle,
        pixel_unshuffle as pixel_unshuffle,
    )
    from .ops.nets.normalization import (
        group_norm as group_norm,
        instance_norm as instance_norm,
        local_response_norm as local_response_norm,
        rms_norm as rms_norm,
    )
    from .ops.order.quantiles import (
        median as median,
        nanmedian as nanmedian,
        nanpercentile as nanpercentile,
        nanquantile as nanquantile,
        percentile as percentile,
        quantile as quantile,
    )
    from .ops.order.sorting import (
        argpartition as argpartition,
        argsort as argsort,
        lexsort as lexsort,
        partition as partition,
        sort as sort,
        top_k as top_k,
    )
    from .ops.reduction.averages import (
        average as average,
        corrcoef as corrcoef,
        count_nonzero as count_nonzero,
        cov as cov,
        ptp as ptp,
    )
    from .ops.reduction.missing import (
        nanargmax as nanargmax,
        nanargmin as nanargmin,
        nancumprod as nancumprod,
        nancumsum as nancumsum,
        nanmax as nanmax,
        nanmean as nanmean,
        nanmin as nanmin,
        nanprod as nanprod,
        nanstd as nanstd,
        nansum as nansum,
        nanvar as nanvar,
    )
    from .ops.reduction.vector_norm import (
        vector_norm as vector_norm,
    )
    from .ops.scan.cumulative import (
        cumprod as cumprod,
        cumsum as cumsum,
        cumulative_max as cumulative_max,
        cumulative_min as cumulative_min,
        cumulative_prod as cumulative_prod,
        cumulative_sum as cumulative_sum,
    )
    from .ops.scan.differences import (
        cumulative_trapezoid as cumulative_trapezoid,
        diff as diff,
        trapezoid as trapezoid,
    )
    from .ops.scan.logcumsumexp import (
        logcumsumexp as logcumsumexp,
    )
    from .ops.window.adaptive import (
        adaptive_average_pool as adaptive_average_pool,
        adaptive_max_pool as adaptive_max_pool,
        global_average_pool as global_average_pool,
        global_max_pool as global_max_pool,
        locally_connected as locally_connected,
    )
    from .ops.window.transposed import (
        conv3d as conv3d,
        conv_transpose1d as conv_transpose1d,
        conv_transpose2d as conv_transpose2d,
        conv_transpose3d as conv_transpose3d,
    )
    from .view.nonfinite.debug_nans import debug_nans as debug_nans
    from .view.reading.mathematics.derivation import derivation as derivation
    from .view.reading.mathematics.latex import latex as latex
    from .view.reading.source.source import source as source
    from .view.recording.recorder import record as record
    from .view.recording.tape import load_tape as load_tape

    absolute = abs
    amax = max
    amin = min
    arccos = acos
    arccosh = acosh
    arcsin = asin
    arcsinh = asinh
    arctan = atan
    arctan2 = atan2
    arctanh = atanh
    bitwise_not = bitwise_invert
    concatenate = concat
    cummax = cumulative_max
    cummin = cumulative_min
    topk = top_k
    degrees = rad2deg
    fix = trunc
    invert = bitwise_invert
    left_shift = bitwise_left_shift
    mod = remainder
    power = pow
    radians = deg2rad
    right_shift = bitwise_right_shift
    transpose = permute_dims
    true_divide = divide


bool = bool_
newaxis = None
# Subpackages and modules, imported on first use.
_PARTS = ("data", "io", "linalg", "nn", "optim", "special", "train", "view")
_VIEWS = (
    "debug_nans",
    "derivation",
    "latex",
    "load_tape",
    "record",
    "source",
)  # functions of view, likewise


def __getattr__(name: str) -> object:
    if name in _PARTS:
        return _imported(f"{__name__}.{name}")
    if name in _VIEWS:
        return getattr(_imported(f"{__name__}.view"), name)
    known = _ALIASES.get(name, name)
    if known in _later or known is not name:
        found = getattr(_imported(_later[known]), known) if known in _later else globals()[known]
        globals()[name] = found  # found at once from now on
        return found
    raise _unknown_name(__name__, name, __dir__(), _FUNCTIONS)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PARTS, *_VIEWS, *_later, *_ALIASES])


_show_with(lambda: _imported(f"{__name__}.view"))
