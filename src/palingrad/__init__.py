"""palingrad: computational graphs, automatic differentiation and a native compiler, in Python."""

from math import e as e, inf as inf, nan as nan, pi as pi
from typing import TYPE_CHECKING

from .version import __version__ as __version__  # first: it notes when the rest was loaded

# isort: split
from . import loading as loading  # second: it imports the rest while no garbage is collected

# isort: split
from . import errors as errors
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
from .graph.protocols.interchange import VERSIONS as _VERSIONS, set_namespace as _set_namespace
from .graph.regions.regional import derive_regions_with as _derive_regions_with
from .graph.registry import later as _later, private as _private, show_with as _show_with
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

if TYPE_CHECKING:
    from . import (
        data as data,
        fft as fft,
        io as io,
        linalg as linalg,
        models as models,
        nn as nn,
        onnx as onnx,
        optim as optim,
        random as random,
        scale as scale,
        serving as serving,
        special as special,
        stats as stats,
        train as train,
        view as view,
    )
    from .autodiff.check import check_gradients as check_gradients
    from .autodiff.custom import (
        checkpoint as checkpoint,
        custom_jvp as custom_jvp,
        custom_vjp as custom_vjp,
    )
    from .autodiff.gradients import (
        gradients as gradients,
    )
    from .autodiff.implicit import (
        custom_linear_solve as custom_linear_solve,
        custom_root as custom_root,
    )
    from .autodiff.jacobians import clear_jacobians as clear_jacobians, jacobians as jacobians
    from .autodiff.second import (
        hessian as hessian,
        hvp as hvp,
        jacobian as jacobian,
        linearize as linearize,
    )
    from .autodiff.transforms import (
        elementwise_grad as elementwise_grad,
        grad as grad,
        grad_and_aux as grad_and_aux,
        jvp as jvp,
        make_jvp as make_jvp,
        value_and_grad as value_and_grad,
        vjp as vjp,
    )
    from .autodiff.vmap import vmap as vmap
    from .engines.selection import (
        engine_names as engine_names,
        get_engine as get_engine,
        set_engine as set_engine,
    )
    from .engines.threads import (
        get_num_threads as get_num_threads,
        set_num_threads as set_num_threads,
    )
    from .functions import function as function
    from .graph.protocols.dlpack import from_dlpack as from_dlpack
    from .graph.protocols.inspection import (
        __array_namespace_info__ as __array_namespace_info__,
        can_cast as can_cast,
        finfo as finfo,
        iinfo as iinfo,
        isdtype as isdtype,
        result_type as result_type,
    )
    from .ops.lazy import *  # noqa: F403
    from .random.generator import Generator as Generator
    from .serving import serve as serve
    from .session import Session as Session
    from .solvers.least_squares import least_squares as least_squares
    from .solvers.minimize import minimize as minimize
    from .solvers.odeint import odeint as odeint
    from .solvers.root import fixed_point as fixed_point, root as root
    from .sparse.jacobian import (
        sparse_hessian as sparse_hessian,
        sparse_jacobian as sparse_jacobian,
        sparsity_pattern as sparsity_pattern,
    )
    from .sparse.operators.local import local_jacobian as local_jacobian
    from .view.lessons.lesson import lesson as lesson
    from .view.nonfinite.debug_nans import debug_nans as debug_nans
    from .view.reading.mathematics.derivation import derivation as derivation
    from .view.reading.mathematics.latex import latex as latex
    from .view.reading.source.source import source as source
    from .view.recording.recorder import record as record
    from .view.recording.tape import load_tape as load_tape


bool = bool_
newaxis = None

# Subpackages and modules, imported on first use.
_PARTS = (
    "data", "fft", "io", "linalg", "models", "nn", "onnx", "optim", "random", "scale", "serving",
    "special", "stats", "train", "view",
)  # fmt: skip
# Functions of modules that are imported on first use.
_ELSEWHERE = {
    name: f"{__name__}.{module}"
    for module, names in {
        "autodiff.check": "check_gradients",
        "autodiff.custom": "checkpoint custom_jvp custom_vjp",
        "autodiff.gradients": "gradients",
        "autodiff.implicit": "custom_linear_solve custom_root",
        "autodiff.jacobians": "clear_jacobians jacobians",
        "autodiff.transforms": "elementwise_grad grad grad_and_aux jvp make_jvp value_and_grad vjp",
        "autodiff.second": "hessian hvp jacobian linearize",
        "autodiff.vmap": "vmap",
        "engines.selection": "engine_names get_engine set_engine",
        "engines.threads": "get_num_threads set_num_threads",
        "functions": "function",
        "graph.protocols.dlpack": "from_dlpack",
        "graph.protocols.inspection": "__array_namespace_info__ can_cast finfo iinfo isdtype "
        "result_type",
        "random": "Generator",
        "serving": "serve",
        "session": "Session",
        "solvers.least_squares": "least_squares",
        "solvers.minimize": "minimize",
        "solvers.odeint": "odeint",
        "solvers.root": "fixed_point root",
        "sparse.jacobian": "sparse_hessian sparse_jacobian sparsity_pattern",
        "sparse.operators.local": "local_jacobian",
        "view": "debug_nans derivation latex lesson load_tape record source",
    }.items()
    for name in names.split()
}

# Functions that nodes and rules call, of modules above them.
_private.update({
    name: f"{__name__}.{module}"
    for module, names in {
        "autodiff.batching": "on_inputs over_examples",
        "autodiff.gradients": "backward",
        "autodiff.jacobians": "clear_jacobians evaluate jacobians",
        "autodiff.reverse": "pull_back",
        "eager.composites": "composite_value",
        "eager.control": "regions_evaluated keep_from_now_on",
        "eager.gradients": "slopes_since",
        "eager.tapes": "tape_differentiated",
    }.items()
    for name in names.split()
})  # fmt: skip


def __getattr__(name: str) -> object:
    if name in _PARTS:
        return _imported(f"{__name__}.{name}")
    if name in _ELSEWHERE:
        found = getattr(_imported(_ELSEWHERE[name]), name)
        globals()[name] = found  # found at once from now on
        return found
    known = _ALIASES.get(name, name)
    if known in _later or known is not name:
        found = getattr(_imported(_later[known]), known) if known in _later else globals()[known]
        globals()[name] = found  # found at once from now on
        return found
    if name == "__all__":  # for `from palingrad import *`, which finds nothing late by itself
        return [one for one in __dir__() if not one.startswith("_") and one not in _PARTS]
    if not name.startswith("_"):
        from importlib.util import find_spec

        if find_spec(f"{__name__}.{name}"):
            return _imported(f"{__name__}.{name}")  # as if something had imported it before
    elsewhere = dict(_FUNCTIONS)
    if isinstance(kind := vars(errors).get(name), type) and issubclass(kind, Exception):
        elsewhere[name] = f"pg.errors.{name}"
    if not name.startswith("_"):
        for part in ("fft", "linalg", "random", "special"):
            if name in dir(_imported(f"{__name__}.{part}")):
                elsewhere.setdefault(name, f"pg.{part}.{name}")
    raise _unknown_name(__name__, name, __dir__(), elsewhere)


def __dir__() -> list[str]:
    inner = [name for name, one in globals().items() if isinstance(one, type(errors))]
    names = {*globals(), *_ELSEWHERE, *_later, *_ALIASES}
    return sorted((names - {*inner, "TYPE_CHECKING"}) | {"errors", "ops", *_PARTS})


_derive_regions_with(lambda: _imported(f"{__name__}.autodiff.control"))
_show_with(lambda: _imported(f"{__name__}.view"))
_set_namespace(lambda: _imported(__name__))
__array_api_version__ = _VERSIONS[-1]
