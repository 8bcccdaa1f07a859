"""Probability distributions, with SciPy's names and signatures, differentiable in all arguments.

`pg.stats.norm.logpdf(x, loc, scale)`; `pg.stats.norm(loc, scale).logpdf(x)` binds the parameters.
Parameters outside of their domain give NaN. docs/special.md describes the edges. Most need SciPy.
"""

from ..messages.elsewhere import STATS as _STATS
from ..messages.names import unknown_name as _unknown_name
from .beta import Beta as _Beta
from .gamma import Chi2 as _Chi2, Gamma as _Gamma
from .norm import Norm as _Norm
from .poisson import Poisson as _Poisson
from .student import T as _T
from .vectors import Dirichlet as _Dirichlet, Multivariate_Normal as _MultivariateNormal

beta = _Beta()
chi2 = _Chi2()
dirichlet = _Dirichlet()
gamma = _Gamma()
multivariate_normal = _MultivariateNormal()
norm = _Norm()
poisson = _Poisson()
t = _T()

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"]


def __getattr__(name: str) -> object:
    raise _unknown_name(__name__, name, __all__, _STATS)


def __dir__() -> list[str]:
    return sorted(__all__)
