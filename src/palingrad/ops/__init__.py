"""The operations, one family a file: formula, shape rule, derivative and samples of each."""

from .activation import elu, erf, erfc, gelu, leaky_relu, log_sigmoid, relu, sigmoid, silu, softplus
from .arithmetic import (
    abs,
    add,
    cbrt,
    divide,
    floor_divide,
    multiply,
    negative,
    positive,
    pow,
    reciprocal,
    remainder,
    sign,
    sqrt,
    square,
    subtract,
)
from .comparison import (
    equal,
    greater,
    greater_equal,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
)
from .contract import dot, matmul, outer
from .discrete import (
    bitwise_and,
    bitwise_invert,
    bitwise_or,
    bitwise_xor,
    cast,
    ceil,
    floor,
    ones_like,
    round,
    stop_gradient,
    trunc,
    zeros_like,
)
from .exponential import exp, exp2, expm1, log, log1p, log2, log10, logaddexp
from .join import concat, split, stack
from .loss import cross_entropy, mse
from .move import (
    broadcast_to,
    expand_dims,
    flatten,
    matrix_transpose,
    permute_dims,
    reshape,
    squeeze,
)
from .normalise import log_softmax, softmax
from .random import Generator, dropout, normal, set_seed, uniform
from .reduce import all, any, argmax, argmin, max, min, prod, sum
from .selection import clip, maximum, minimum, where
from .state import group
from .statistics import logsumexp, mean, std, var
from .trigonometric import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    hypot,
    sin,
    sinh,
    tan,
    tanh,
)
