"""Counter-based random numbers: Philox4x32-10, with the same bits on every engine.

Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
"""

from __future__ import annotations

import copy
import itertools
import math
import os
from collections.abc import Generator as Generator_, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..dtypes import (
    as_dtype,
    default_dtype,
    float32,
    float64,
    int32,
    is_floating,
    real_of,
    uint64,
)
from ..errors import ArgumentError, DTypeError
from ..graph.context import graph_scope
from ..graph.kinds import Composite, Random
from ..graph.leaves import Constant, Variable
from ..graph.node import Node
from ..graph.promotion import align, as_node
from ..graph.registry import ops, register
from ..graph.samples import case
from ..messages.calls import public
from ..messages.checks import number_of, shown, whole, within
from ..shapes import Shape, as_shape

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)  # the golden ratio and √3 − 1, as fractions of 2³²
_LOW = 0xFFFFFFFF


class Generator:
    """A random number generator. Each operation that draws from it has a stream of its own.

    The state is a Variable of two integers, the seed and the number of runs. Each run of a session
    or function that draws from the generator increments the second, so that the next run draws
    other numbers.
    """

    def __init__(self, seed: int | None = None) -> None:
        with graph_scope(None):
            self.state = Variable(_state(seed), trainable=False, name="random_state")
        self._streams = itertools.count()

    def seed(self, seed: int) -> None:
        """Restarts the generator from `seed`, an integer from 0 to 2⁶⁴ − 1."""
        with graph_scope(None):
            self.state.assign(_state(seed))
        self._streams = itertools.count()

    def next_stream(self) -> int:
        """A stream number that no other operation of this generator has."""
        return next(self._streams)

    @property
    def stream(self) -> int:
        """The number that `next_stream` returns next; it can be set."""
        return next(copy.copy(self._streams))

    @stream.setter
    def stream(self, number: int) -> None:
        self._streams = itertools.count(number)


def _state(seed: int | None) -> Any:
    if seed is None:
        value = int.from_bytes(os.urandom(8), "big") >> 1
    else:
        value = whole("seed", seed, like=0)
        if value >= 2**64:
            raise ArgumentError(f"seed is {value}; expected an integer from 0 to 2⁶⁴ − 1.")
    return np.array([value, 0], np.uint64)


default_generator = Generator()


@public
def set_seed(seed: int) -> None:
    """Seeds the default generator, from which operations without a `seed` of their own draw.

    seed: an integer from 0 to 2⁶⁴ − 1, else ArgumentError.
    """
    default_generator.seed(seed)


@contextmanager
def default_streams_kept() -> Generator_[None]:
    """Restores the default generator's stream counter on exit.

    Operations built after the block get the same streams as if the block hadn't built any.
    """
    saved = copy.copy(default_generator._streams)
    try:
        yield
    finally:
        default_generator._streams = saved


def philox(m: Any, counter: Sequence[Any], key: Sequence[Any]) -> list[Any]:
    """Four arrays of 32 random bits (as uint64), for counters of four words and a key of two.

    The words are 32-bit. Their upper halves hold garbage between the rounds and are masked only
    where they would change the result.
    """
    (a, b, c, d), keys = counter, list(key)
    for _ in range(10):
        first = (a & _LOW) * _MULTIPLIERS[0]  # 64-bit product of 32-bit words
        second = (c & _LOW) * _MULTIPLIERS[1]
        a, b, c, d = (second >> 32) ^ b ^ keys[0], second, (first >> 32) ^ d ^ keys[1], first
        keys = [word + weyl for word, weyl in zip(keys, _WEYL, strict=True)]
    return [word & _LOW for word in (a, b, c, d)]


def _words(m: Any, state: Any, stream: int, blocks: int) -> list[Any]:
    """Four arrays of 32 random bits, each of `blocks` words: array i holds words 4j + i."""
    seed, run = state[0], state[1]
    counter = [m.cast(m.arange(blocks), uint64), stream, run & _LOW, run >> 32]
    return philox(m, counter, [seed & _LOW, seed >> 32])


def _floats(m: Any, bits: Any, dtype: Any) -> Any:
    """Integers below 2³¹ as floats, via int32: not every CPU has vector casts from 64 bits."""
    return m.cast(m.cast(bits, int32), dtype)


def _unit(m: Any, state: Any, stream: int, count: int, dtype: Any) -> Any:
    """`count` numbers uniform in [0, 1): 11 random bits for float16, 24 float32, 53 float64."""
    if dtype.itemsize > 4:
        words = _words(m, state, stream, -(-count // 2))
        pairs = (words[:2], words[2:])
        units = [
            (_floats(m, high >> 5, dtype) * 2.0**26 + _floats(m, low >> 6, dtype)) * 2.0**-53
            for high, low in pairs
        ]
    else:
        narrow = 8 if dtype == float32 else 21  # the significand of float16 has 11 bits
        words = _words(m, state, stream, -(-count // 4))
        units = [_floats(m, word >> narrow, dtype) * 2.0 ** (narrow - 32) for word in words]
    return m.reshape(m.stack(units, axis=-1), (-1,))[:count]


class Draw(Random):
    """Random numbers of a shape and dtype. The input is the state of a generator."""

    samples = [
        case(np.array([7, 0], np.uint64), shape=(3, 5), stream=0, dtype=np.dtype(np.float64)),
        case(np.array([7, 1], np.uint64), shape=(3, 5), stream=2, dtype=np.dtype(np.float32)),
        case(np.array([7, 0], np.uint64), shape=(), stream=0, dtype=np.dtype(np.float64)),
        case(np.array([7, 0], np.uint64), shape=(0, 2), stream=0, dtype=np.dtype(np.float32)),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        return self.attributes["shape"]

    def dtype_rule(self, *dtypes: Any) -> Any:
        return self.attributes["dtype"]

    def vjp(y, g: Any, *x: Node) -> Sequence[Node | None]:
        return [None]


class Uniform(Draw):
    """y, with elements drawn from the uniform distribution on [0, 1)."""

    math = r"\mathcal{U}(0, 1)"

    def f(m, state, *, shape, stream, dtype):
        return m.reshape(_unit(m, state, stream, math.prod(shape), dtype), shape)


class Normal(Draw):
    """y, with elements drawn from the normal distribution N(0, 1), by the Box–Muller transform.

    Box & Muller 1958.
    """

    math = r"\mathcal{N}(0, 1)"

    def f(m, state, *, shape, stream, dtype):
        count = math.prod(shape)
        half = -(-count // 2)
        unit = _unit(m, state, stream, 2 * half, dtype)
        radius = m.sqrt(-2 * m.log(1 - unit[:half]))  # 1 − u is never 0
        angle = (2 * math.pi) * unit[half:]
        both = m.concatenate([radius * m.cos(angle), radius * m.sin(angle)], axis=0)
        return m.reshape(both[:count], shape)


class Dropout(Composite):
    """y = x/(1 − rate) with probability 1 − rate, else 0; the gradient has the same mask.

    Srivastava et al. 2014. A rate that is a node is the third input; the attribute is then None.
    """

    math = r"\operatorname{dropout}({x})"
    promotes = False
    samples = [
        case((30,), np.array([7, 0], np.uint64), rate=0.3, stream=1),
        case((3, 4), np.array([7, 0], np.uint64), rate=0.0, stream=1),
        case((30,), np.array([7, 0], np.uint64), np.array(0.3), rate=None, stream=1),
    ]

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        (x,) = align(inputs[:1], promotes=True, floats=True)
        return (x, *map(as_node, inputs[1:]))

    def shape_rule(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def expand(y, x, state, *given):
        unit = Uniform(state, shape=x.shape, stream=y.stream, dtype=float32)
        if given:
            wide = float64 if real_of(x.dtype) == float64 else float32  # for float16 too
            rate = ops.cast(given[0], wide)
            return ops.where(unit >= rate, ops.cast(x / (1 - rate), x.dtype), 0)
        return ops.where(unit >= y.rate, x * (1 / (1 - y.rate)), 0)


def _source(seed: int | None) -> tuple[Variable, int]:
    generator = default_generator if seed is None else Generator(seed)
    return generator.state, generator.next_stream()


def _floating(dtype: Any, what: str) -> Any:
    dtype = default_dtype() if dtype is None else as_dtype(dtype)
    if not is_floating(dtype):
        raise DTypeError(
            f"{what}: expected a float dtype, got {dtype}.",
            hint=f"Integers are pg.cast(10 * pg.uniform(shape), {dtype.name!r}), for example.",
        )
    return dtype


@register
def uniform(
    shape: int | Sequence[int] = (),
    *,
    low: float = 0.0,
    high: float = 1.0,
    dtype: Any = None,
    seed: int | None = None,
    name: str | None = None,
) -> Node:
    """Numbers drawn uniformly from [low, high). In a graph, each run draws new numbers.

    dtype: a float dtype, by default the default float. seed: makes a generator of its own; without
    it, the numbers come from the default generator (`pg.set_seed`).
    """
    if not isinstance(low, Node) and not isinstance(high, Node):
        first, last = number_of(low), number_of(high)
        if first is None or last is None or not first <= last < math.inf or first == -math.inf:
            raise ArgumentError(
                f"uniform: low is {shown(low)} and high {shown(high)}; expected numbers with "
                "low ≤ high.",
                hint="Write low=-1.0, high=1.0, for example.",
            )
    state, stream = _source(seed)
    dtype = _floating(dtype, "uniform")
    unit = Uniform(state, shape=as_shape(shape), stream=stream, dtype=dtype, name=name)
    return unit if (low, high) == (0, 1) else unit * (high - low) + low


@register
def normal(
    shape: int | Sequence[int] = (),
    *,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: Any = None,
    seed: int | None = None,
    name: str | None = None,
) -> Node:
    """Numbers drawn from the normal distribution N(mean, std²). In a graph, each run draws anew.

    dtype and seed: as for `uniform`.
    """
    if not isinstance(std, Node):
        within("normal: std", std, "[0, inf)", like=1.0)
    if not isinstance(mean, Node):
        within("normal: mean", mean, "(-inf, inf)", like=0.0)
    state, stream = _source(seed)
    dtype = _floating(dtype, "normal")
    standard = Normal(state, shape=as_shape(shape), stream=stream, dtype=dtype, name=name)
    return standard if (mean, std) == (0, 1) else standard * std + mean


@register
def dropout(
    x: Any, rate: float | Node, *, seed: int | None = None, name: str | None = None
) -> Node:
    """y = x/(1 − rate) with probability 1 − rate, else 0 (Srivastava et al. 2014).

    In a graph, each run draws a new mask. rate: at least 0 and below 1, else ArgumentError; or a
    scalar node, such as a placeholder, whose value isn't checked.
    """
    state, stream = _source(seed)
    if isinstance(rate, Node):
        return Dropout(x, state, rate, rate=None, stream=stream, name=name)
    within("dropout: rate", rate, "[0, 1)", like=0.5)
    return Dropout(x, state, rate=float(rate), stream=stream, name=name)


def advanced(state: Node) -> Node:
    """The state of a generator after one more run: the run counter incremented."""
    return ops.add(state, Constant(np.array([0, 1], np.uint64)))
