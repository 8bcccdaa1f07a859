"""Random numbers by NumPy's names, from palingrad's default generator (`palingrad.set_seed`).

The numbers aren't NumPy's: they are Philox bits, the same on every engine, and of the default
float.

>>> import palingrad as pg
>>> pg.random.seed(0)
>>> pg.random.normal(size=(2, 3)).shape
(2, 3)
"""

from typing import Any

from ..messages.calls import public
from ..messages.elsewhere import RANDOM
from ..messages.names import unknown_name
from ..ops.random import default_generator, set_seed as seed
from .generator import Generator, Size

__all__ = [
    "Generator", "bernoulli", "choice", "default_rng", "exponential", "gumbel", "integers",
    "laplace", "logistic", "lognormal", "normal", "pareto", "permutation", "rand", "randint",
    "randn", "random", "random_sample", "rayleigh", "seed", "shuffle", "standard_cauchy",
    "standard_exponential", "standard_normal", "truncated_normal", "uniform", "weibull",
]  # fmt: skip


class _Default(Generator):
    """The generator that `palingrad.set_seed` seeds."""

    def __init__(self) -> None:
        self.state = default_generator.state

    def next_stream(self) -> int:
        return default_generator.next_stream()

    def seed(self, seed: int) -> None:
        default_generator.seed(seed)


_default = _Default()
bernoulli = public(_default.bernoulli)
choice = public(_default.choice)
exponential = public(_default.exponential)
gumbel = public(_default.gumbel)
integers = public(_default.integers)
laplace = public(_default.laplace)
logistic = public(_default.logistic)
lognormal = public(_default.lognormal)
normal = public(_default.normal)
pareto = public(_default.pareto)
permutation = public(_default.permutation)
random = random_sample = public(_default.random)
rayleigh = public(_default.rayleigh)
shuffle = public(_default.shuffle)
standard_cauchy = public(_default.standard_cauchy)
standard_exponential = public(_default.standard_exponential)
standard_normal = public(_default.standard_normal)
truncated_normal = public(_default.truncated_normal)
uniform = public(_default.uniform)
weibull = public(_default.weibull)


@public
def default_rng(seed: int | None = None) -> Generator:
    """A generator of its own, seeded by an integer, or by the system without one."""
    return Generator(seed)


@public
def rand(*sizes: int) -> Any:
    """Numbers drawn uniformly from [0, 1): rand(2, 3) has shape (2, 3)."""
    return _default.random(_sizes(sizes))


@public
def randn(*sizes: int) -> Any:
    """Numbers drawn from N(0, 1): randn(2, 3) has shape (2, 3)."""
    return _default.standard_normal(_sizes(sizes))


@public
def randint(low: Any, high: Any = None, size: Size = None, dtype: Any = "int64") -> Any:
    """Integers drawn uniformly from low to high − 1, or from 0 to low − 1."""
    return _default.integers(low, high, size, dtype)


def _sizes(sizes: Any) -> Any:
    """A shape given as several numbers, or as one tuple, as in PyTorch."""
    return sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, RANDOM)


def __dir__() -> list[str]:
    return sorted(__all__)
