"""The names of `tensorflow`: what `import tensorflow as tf` gives."""

from . import (
    arrays as _arrays,
    contrib as contrib,
    errors as errors,
    initializers as _initializers,
    layers as layers,
    losses as losses,
    nn as nn,
    summary as summary,
    train as train,
)
from .arrays import (
    concat as concat,
    constant as constant,
    expand_dims as expand_dims,
    eye as eye,
    fill as fill,
    gather as gather,
    linspace as linspace,
    one_hot as one_hot,
    ones as ones,
    ones_like as ones_like,
    pad as pad,
    placeholder as placeholder,
    rank as rank,
    reshape as reshape,
    reverse as reverse,
    shape as shape,
    size as size,
    split as split,
    squeeze as squeeze,
    stack as stack,
    tile as tile,
    transpose as transpose,
    unstack as unstack,
    where as where,
    zeros as zeros,
    zeros_like as zeros_like,
)
from .framework.convert import convert_to_tensor as convert_to_tensor
from .framework.graph import (
    Graph as Graph,
    GraphKeys as GraphKeys,
    Operation as Operation,
    Tensor as Tensor,
    device as device,
    get_default_graph as get_default_graph,
    get_default_session as get_default_session,
    missing as _missing,
    reset_default_graph as reset_default_graph,
)
from .framework.session import InteractiveSession as InteractiveSession, Session as Session
from .framework.types import (
    DTYPES as _DTYPES,
    Dimension as Dimension,
    DType as DType,
    TensorShape as TensorShape,
    as_dtype as as_dtype,
)
from .framework.variables import (
    Variable as Variable,
    add_to_collection as add_to_collection,
    assign as assign,
    assign_add as assign_add,
    assign_sub as assign_sub,
    control_dependencies as control_dependencies,
    get_collection as get_collection,
    global_variables as global_variables,
    global_variables_initializer as global_variables_initializer,
    group as group,
    local_variables as local_variables,
    local_variables_initializer as local_variables_initializer,
    name_scope as name_scope,
    no_op as no_op,
    trainable_variables as trainable_variables,
    variables_initializer as variables_initializer,
)
from .maths import *  # noqa: F403
from .random_numbers import (
    random_normal as random_normal,
    random_shuffle as random_shuffle,
    random_uniform as random_uniform,
    set_random_seed as set_random_seed,
    truncated_normal as truncated_normal,
)
from .scopes import (
    AUTO_REUSE as AUTO_REUSE,
    VariableScope as VariableScope,
    get_variable as get_variable,
    get_variable_scope as get_variable_scope,
    variable_scope as variable_scope,
)
from .session_options import (
    ConfigProto as ConfigProto,
    GPUOptions as GPUOptions,
    app as app,
    disable_eager_execution as disable_eager_execution,
    disable_v2_behavior as disable_v2_behavior,
    logging as logging,
)
from .train.gradients import gradients as gradients

range, slice = _arrays.range_, _arrays.slice_
constant_initializer = _initializers.Constant
glorot_normal_initializer = _initializers.GlorotNormal
glorot_uniform_initializer = _initializers.GlorotUniform
ones_initializer = _initializers.Ones
random_normal_initializer = _initializers.RandomNormal
random_uniform_initializer = _initializers.RandomUniform
truncated_normal_initializer = _initializers.TruncatedNormal
variance_scaling_initializer = _initializers.VarianceScaling
zeros_initializer = _initializers.Zeros
initialize_all_variables = global_variables_initializer
globals().update(_DTYPES)
__version__ = VERSION = "1.15.0"
_NAMES = sorted(name for name in globals() if name[0] != "_")


def refusal(module: str, name: str) -> AttributeError:
    """The error for a name that isn't here, with those that are."""
    return _missing(module, name, _NAMES)
