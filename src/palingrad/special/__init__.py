"""Special functions, with SciPy's names, and their derivatives in all arguments, to any order.

docs/special.md lists their accuracy. `polygamma`, `multigammaln` and Bessel functions take their
order as a Python number. Most need SciPy.
"""

from ..messages.elsewhere import FUNCTIONS as _FUNCTIONS
from ..messages.names import unknown_name as _unknown_name
from ..ops.elementwise.activation import (
    erf as erf,
    erfc as erfc,
)
from ..ops.elementwise.arithmetic import cbrt as cbrt
from ..ops.elementwise.exponential import exp2 as exp2, expm1 as expm1, log1p as log1p
from ..ops.special.bessel import (
    i0 as i0,
    i0e as i0e,
    i1 as i1,
    i1e as i1e,
    iv as iv,
    ive as ive,
    j0 as j0,
    j1 as j1,
    jn as jn,
    jv as jv,
    kv as kv,
    y0 as y0,
    y1 as y1,
    yn as yn,
    yv as yv,
)
from ..ops.special.beta import (
    beta as beta,
    betaln as betaln,
    binom as binom,
    comb as comb,
    factorial as factorial,
    poch as poch,
)
from ..ops.special.entropy import (
    entr as entr,
    exp10 as exp10,
    kl_div as kl_div,
    logit as logit,
    rel_entr as rel_entr,
    xlog1py as xlog1py,
    xlogy as xlogy,
)
from ..ops.special.error import (
    erfcinv as erfcinv,
    erfcx as erfcx,
    erfinv as erfinv,
    log_ndtr as log_ndtr,
    ndtr as ndtr,
    ndtri as ndtri,
)
from ..ops.special.gamma import (
    digamma as digamma,
    gamma as gamma,
    gammasgn as gammasgn,
    lgamma as lgamma,
    multigammaln as multigammaln,
    polygamma as polygamma,
    rgamma as rgamma,
)
from ..ops.special.incomplete import (
    betainc as betainc,
    betaincc as betaincc,
    gammainc as gammainc,
    gammaincc as gammaincc,
)
from ..ops.special.sine import sinc as sinc
from ..ops.special.sums import (
    log_softmax as log_softmax,
    logsumexp as logsumexp,
    softmax as softmax,
)
from ..ops.special.zeta import zeta as zeta

psi, gammaln = digamma, lgamma  # SciPy's names


def __getattr__(name: str) -> object:
    raise _unknown_name(__name__, name, __dir__(), _FUNCTIONS)


def __dir__() -> list[str]:
    return sorted(name for name in globals() if not name.startswith("_"))
