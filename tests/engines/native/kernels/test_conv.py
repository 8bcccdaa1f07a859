"""Convolutions and poolings of all shapes compared with plain loops over taps in float64: forward,
both gradients, and fused epilogues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from tolerances import assert_close, assert_same

Array = np.ndarray[Any, Any]
DTYPES = (np.float32, np.float64)


# ------------------------------------------------------------------ what is expected


def taps(x: Array, size: Any, stride: Any, padding: Any, dilation: Any, fill: float) -> Any:
    """(place in the window, its elements (n, c, *places) as a view of the padded x), and the x."""
    space = len(size)
    padded = np.pad(x, [(0, 0), (0, 0), *padding], constant_values=fill)
    places = [
        (extent - (k - 1) * d - 1) // s + 1
        for extent, k, s, d in zip(padded.shape[2:], size, stride, dilation, strict=True)
    ]
    found: list[tuple[tuple[int, ...], Array]] = []
    for tap in np.ndindex(*size):
        index = tuple(
            slice(tap[a] * dilation[a], tap[a] * dilation[a] + stride[a] * places[a], stride[a])
            for a in range(space)
        )
        found.append((tap, padded[(slice(None), slice(None), *index)]))
    inside = tuple(
        slice(before, before + extent)
        for (before, _), extent in zip(padding, x.shape[2:], strict=True)
    )
    return found, padded, (slice(None), slice(None), *inside)


def convolved(x: Array, w: Array, options: Any, groups: int = 1) -> Array:
    if groups > 1:
        parts = zip(np.split(x, groups, 1), np.split(w, groups, 0), strict=True)
        return np.concatenate([convolved(*part, options) for part in parts], 1)
    total: Any = 0.0
    for tap, part in taps(x, w.shape[2:], **options, fill=0.0)[0]:
        total = total + np.einsum("nc...,oc->no...", part, w[(slice(None), slice(None), *tap)])
    return total


def pulled_back(x: Array, w: Array, g: Array, options: Any, groups: int = 1) -> tuple[Array, Array]:
    """The gradients of x and w where that of the result is g."""
    if groups > 1:
        cut = (np.split(x, groups, 1), np.split(w, groups, 0), np.split(g, groups, 1))
        of_x, of_w = zip(*[pulled_back(*part, options) for part in zip(*cut)], strict=True)
        return np.concatenate(of_x, 1), np.concatenate(of_w, 0)
    room = np.zeros_like(x)
    parts, padded, inside = taps(room, w.shape[2:], **options, fill=0.0)
    of_w = np.zeros_like(w)
    for (tap, part), (_, seen) in zip(parts, taps(x, w.shape[2:], **options, fill=0.0)[0]):
        one = (slice(None), slice(None), *tap)
        part += np.einsum("no...,oc->nc...", g, w[one])
        axes = (0, *range(2, x.ndim))
        of_w[one] = np.tensordot(g, seen, (axes, axes))
    return padded[inside], of_w


# ------------------------------------------------------------------ convolutions


@dataclass(frozen=True)
class Case:
    """One convolution of x (n, c, *space) with w (o, c/groups, *size)."""

    n: int
    c: int
    o: int
    space: tuple[int, ...]
    size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    fused: bool  # bias and relu behind
    groups: int = 1

    def options(self) -> dict[str, Any]:
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    def drawn(self, rng: Any, dtype: Any) -> list[Array]:
        terms = self.c // self.groups * int(np.prod(self.size))
        x = rng.uniform(-1.7, 1.7, (self.n, self.c, *self.space))
        w = rng.uniform(-1.7, 1.7, (self.o, self.c // self.groups, *self.size)) * terms**-0.5
        bias = rng.uniform(-1, 1, (self.o, *(1 for _ in self.size)))
        return [one.astype(dtype) for one in (x, w, bias)]

    def build(self, x: Any, w: Any, bias: Any) -> list[Any]:
        """The result and the gradients of x and w for a cotangent that depends on the result."""
        convolve = pg.conv2d if len(self.size) == 2 else pg.conv1d
        y = convolve(x, w, groups=self.groups, **self.options())
        z = pg.maximum(y + bias, 0.0) if self.fused else y
        return [z, *pg.gradients(pg.sum(z * z), [x, w])]

    def exact(self, x: Array, w: Array, bias: Array) -> list[Array]:
        y = convolved(x, w, self.options(), self.groups)
        z = np.maximum(y + bias, 0) if self.fused else y
        return [z, *pulled_back(x, w, 2 * z, self.options(), self.groups)]


def some(rng: Any, count: int, spaces: int, most: int, groups: Any = (1,)) -> list[Case]:
    """Cases at random; with more than one group, one in three of each channel alone."""
    cases: list[Case] = []
    while len(cases) < count:

        def each(low: int, high: int) -> tuple[int, ...]:
            return tuple(int(rng.integers(low, high + 1)) for _ in range(spaces))

        plain = rng.random() < 0.3
        size, stride, dilation = each(1, 5), each(1, 3), each(1, 3)
        padding = tuple((int(a), int(b)) for a, b in zip(each(0, 3), each(0, 3), strict=True))
        if plain:
            stride = dilation = (1,) * spaces
            padding = tuple((k // 2, k // 2) for k in size)
        if rng.random() < 0.3:
            dilation = (1,) * spaces
        space = each(1, most)
        widths = [
            extent + sum(pair) - (k - 1) * d
            for extent, pair, k, d in zip(space, padding, size, dilation, strict=True)
        ]
        if min(widths) < 1:
            continue
        n = int(rng.integers(1, 5))
        c, o = (int(rng.choice([1, 2, 3, rng.integers(1, 40), rng.integers(1, 71)])) for _ in "co")
        parts = int(rng.choice(groups))
        if parts > 1:
            each = [(1, 1), (min(c, 9), min(o, 40)), (1, 3)][len(cases) % 3]
            c, o = parts * each[0], parts * each[1]
        if n * c * o * np.prod(space) * np.prod(size) > 2e7:
            continue
        fused = bool(len(cases) % 2)
        cases.append(Case(n, c, o, space, size, stride, padding, dilation, fused, parts))
    return cases


def check(cases: list[Case], seed: int, *dtypes: Any) -> None:
    """All cases in one program, each in the next of `dtypes`, and each result against the loops."""
    rng = np.random.default_rng(seed)
    kinds = [dtypes[number % len(dtypes)] for number in range(len(cases))]
    fed = [case.drawn(rng, dtype) for case, dtype in zip(cases, kinds, strict=True)]

    @pg.function(engine="native")
    def run(fed: Any) -> Any:
        return [case.build(*some) for case, some in zip(cases, fed, strict=True)]

    for case, dtype, arrays, found in zip(cases, kinds, fed, run(fed), strict=True):
        expected = case.exact(*(one.astype(np.float64) for one in arrays))
        for what, one, other in zip(("y", "x", "w"), found, expected, strict=True):
            scale = max(float(np.abs(other).max(initial=0.0)), 1.0)  # sums of many terms
            assert one.dtype == dtype
            assert_close(one / dtype(scale), (other / scale).astype(dtype), f"{what} of {case}")
    assert "Fallback" not in run.explain(fed)


# Cases at random take the dtypes in turn, by pairs: every other case of a pair is fused.
IN_TURN = (np.float32, np.float32, np.float64, np.float64)


# Two seeds reach every line of the kernels that ten do; the soak's part `convolutions` goes on.


@pytest.mark.parametrize("seed", range(2))
def test_convolutions_over_two_axes(seed):
    check(some(np.random.default_rng(seed), 6, 2, 24), seed, *IN_TURN)


def test_convolutions_over_one_axis():
    check(some(np.random.default_rng(0), 8, 1, 70), 0, *IN_TURN)


@pytest.mark.parametrize("seed", range(2))
def test_grouped_and_depthwise_convolutions(seed):
    rng = np.random.default_rng(seed)
    groups = (2, 3, 5, 8, 16, 17, 40)
    cases = [*some(rng, 6, 2, 20, groups), *some(rng, 3, 1, 70, groups)]
    check(cases, seed, *(IN_TURN if seed % 2 else IN_TURN[::-1]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_depthwise_windows_of_many_taps(dtype):
    # More taps than are written out, more than the registers hold, rows of one place.
    none, same = ((0, 0), (0, 0)), ((3, 3), (3, 3))
    check(
        [
            Case(2, 18, 18, (9, 10), (7, 7), (1, 1), same, (1, 1), True, 18),
            Case(2, 5, 5, (12, 11), (2, 11), (2, 1), none, (1, 1), False, 5),
            Case(1, 33, 33, (6, 6), (5, 5), (1, 1), ((2, 2), (2, 2)), (1, 1), True, 33),
            Case(3, 20, 20, (40,), (31,), (2,), ((4, 0),), (1,), True, 20),
        ],
        0, dtype,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradient_of_a_weight_is_summed_in_parts_of_the_images(dtype):
    zeros, ones = ((1, 1), (0, 2)), (1, 1)
    cases = [
        Case(13, 3, 20, (15, 14), (3, 2), ones, zeros, ones, True, 1),  # 8 parts of 1 or 2 images
        Case(70, 2, 5, (6, 7), (2, 2), (2, 1), zeros, (1, 2), False, 1),  # and of blocks of images
        Case(5, 6, 4, (16, 13), (3, 3), ones, zeros, ones, False, 2),
        Case(3, 200, 170, (3, 4), (4, 4), ones, zeros, ones, True, 1),  # too large for parts
    ]
    check(cases, 0, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_convolutions_of_one_channel_one_tap_and_one_position(dtype):
    same = ((0, 0), (0, 0))
    check(
        [
            Case(1, 1, 1, (1, 1), (1, 1), (1, 1), same, (1, 1), True),
            Case(3, 1, 33, (9, 70), (5, 5), (1, 1), ((2, 2), (2, 2)), (1, 1), True),
            Case(2, 70, 1, (6, 5), (1, 1), (1, 1), same, (1, 1), False),
            Case(2, 5, 6, (8, 1), (3, 1), (2, 1), ((1, 1), (0, 0)), (1, 1), True),
            Case(2, 3, 17, (4, 4), (4, 4), (1, 1), same, (1, 1), False),
            Case(1, 4, 3, (7, 7), (2, 2), (3, 3), same, (1, 1), True),  # rows nobody reads
        ],
        0, dtype,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_consecutive_convolutions_share_padded_images(dtype):
    # One image read by two convolutions and a pooling; results in channels-last order are added,
    # transposed, reshaped and reduced again.
    rng = np.random.default_rng(5)
    shapes = [(3, 5, 12, 10), (7, 5, 3, 3), (7, 5, 3, 3), (4, 7, 2, 2), (7, 1, 1)]
    fed = [(0.3 * rng.normal(size=shape)).astype(dtype) for shape in shapes]

    def f(x: Any, u: Any, v: Any, w: Any, bias: Any) -> list[Any]:
        one, other = pg.conv2d(x, u, padding=1), pg.conv2d(x, v, padding=1)
        y = pg.tanh(one + bias) * other + bias
        pooled = pg.max_pool(y, 2)
        z = pg.conv2d(pooled, w)
        flat = pg.reshape(z, (3, -1))
        turned = pg.permute_dims(pooled, (0, 2, 3, 1)) @ pg.reshape(w, (-1, 4))[:7]
        total = (
            pg.sum(pg.softmax(flat)[:, :3])
            + pg.mean(turned * turned)
            + pg.sum(one, axis=1)[0, 0, 0]
        )
        return [total, flat, turned, *pg.gradients(total, [x, u, v, w, bias])]

    found = pg.function(f, engine="native")(*fed)
    expected = pg.function(f, engine="numpy")(*(one.astype(np.float64) for one in fed))
    for one, other in zip(found, expected, strict=True):
        scale = max(float(np.abs(other).max()), 1.0)
        assert_close(one / dtype(scale), (other / scale).astype(dtype))


# ------------------------------------------------------------------ pooling


def pooled(x: Array, options: Any) -> tuple[Array, Array]:
    """The largest element of each window, NaN if there is one, and the tap it is at: the first."""
    lie = {name: options[name] for name in ("size", "stride", "padding")}
    ones = (1,) * len(options["size"])
    parts = [part for _, part in taps(x, **lie, dilation=ones, fill=-np.inf)[0]]
    stacked = np.stack(parts, axis=-1)
    return stacked.max(axis=-1), stacked.argmax(axis=-1)


def put_back(x: Array, g: Array, which: Array, options: Any) -> Array:
    room = np.zeros(x.shape)
    ones = (1,) * len(options["size"])
    parts, padded, inside = taps(room, **options, dilation=ones, fill=0.0)
    for number, (_, part) in enumerate(parts):
        part += np.where(which == number, g, 0)
    return padded[inside]


POOLS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 8, 6), dict(size=(2, 2), stride=(2, 2), padding=((0, 0), (0, 0)))),
    ((2, 33, 9, 7), dict(size=(2, 2), stride=(2, 2), padding=((0, 0), (0, 0)))),
    ((1, 17, 9, 8), dict(size=(3, 3), stride=(2, 2), padding=((1, 1), (1, 1)))),
    ((2, 4, 7, 9), dict(size=(3, 2), stride=(1, 1), padding=((2, 0), (0, 1)))),
    ((3, 1, 5, 70), dict(size=(1, 5), stride=(1, 2), padding=((0, 0), (4, 4)))),
    ((2, 5, 9, 9), dict(size=(2, 2), stride=(3, 3), padding=((0, 0), (0, 0)))),
    ((2, 16, 1, 1), dict(size=(1, 1), stride=(1, 1), padding=((0, 0), (0, 0)))),
    ((2, 6, 23), dict(size=(3,), stride=(2,), padding=((1, 2),))),
    ((4, 31, 12), dict(size=(4,), stride=(4,), padding=((0, 0),))),
]
WIDE: list[tuple[tuple[int, ...], dict[str, Any]]] = [  # of more taps than are written out
    ((2, 3, 20, 16), dict(size=(8, 9), stride=(4, 7), padding=((3, 0), (0, 2)))),
    ((2, 5, 14, 11), dict(size=(6, 5), stride=(4, 3), padding=((0, 0), (0, 0)))),
    ((2, 17, 9, 7), dict(size=(9, 7), stride=(9, 7), padding=((0, 0), (0, 0)))),
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_poolings_overlapping_padded_and_with_gaps(dtype):
    rng = np.random.default_rng(0)
    # Few different numbers: most windows have several largest elements, of which the first counts.
    # The second of each pair comes from a kernel, which leaves channels beside each other.
    fed = [rng.integers(-3, 4, shape).astype(dtype) for shape, _ in POOLS]
    scales = [rng.normal(size=pooled(x, o)[0].shape).astype(dtype) for x, (_, o) in zip(fed, POOLS)]
    weights = [np.eye(x.shape[1], dtype=dtype)[(..., *[None] * (x.ndim - 2))] for x in fed]

    @pg.function(engine="native")
    def run(fed: Any, weights: Any, scales: Any) -> Any:
        found: list[Any] = []
        for x, w, scale, (_, options) in zip(fed, weights, scales, POOLS, strict=True):
            convolve = pg.conv2d if x.ndim == 4 else pg.conv1d
            for image in (x, convolve(x, w)):
                y = pg.max_pool(image, **options)
                found.append([y, pg.gradients(pg.sum(y * scale), image)])
        return found

    results = iter(run(fed, weights, scales))
    for x, scale, (_, options) in zip(fed, scales, POOLS, strict=True):
        largest, which = pooled(x, options)
        slope = put_back(x, scale.astype(np.float64), which, options).astype(dtype)
        for _ in range(2):
            y, g = next(results)
            assert_same(y, largest, str(options))
            assert_close(g, slope, str(options))
    assert "Fallback" not in run.explain(fed, weights, scales)


@pytest.mark.parametrize("dtype", DTYPES)
def test_max_pooling_selects_the_first_nan_or_infinity(dtype):
    rng = np.random.default_rng(1)
    numbers = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0], dtype)
    fed = [rng.choice(numbers, shape) for shape, _ in POOLS]

    @pg.function(engine="native")
    def run(fed: Any) -> Any:
        found: list[Any] = []
        for x, (_, options) in zip(fed, POOLS, strict=True):
            y = pg.max_pool(x, **options)
            found.append([y, pg.gradients(pg.sum(y), x)])
        return found

    for x, (y, g), (_, options) in zip(fed, run(fed), POOLS, strict=True):
        largest, which = pooled(x, options)
        assert_same(y, largest, str(options))
        expected = put_back(x, np.ones(largest.shape), which, options).astype(dtype)
        assert_same(g, expected, str(options))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pool", [pg.average_pool, pg.max_pool])
def test_poolings_and_their_first_and_second_derivatives(dtype, pool):
    # Images that are fed and images from a kernel, which leaves channels beside each other, take
    # turns, and the two dtypes take opposite turns; what follows a pooling is computed with it. The
    # second derivatives are moves and elementwise operations that both poolings share, so each has
    # them in a dtype of its own.
    second = (dtype is np.float32) == (pool is pg.max_pool)
    turn = dtype is np.float32
    rng = np.random.default_rng(2)
    pools = [*POOLS, *WIDE]
    fed = [rng.normal(size=shape).astype(dtype) for shape, _ in pools]
    weights = [np.eye(x.shape[1], dtype=dtype)[(..., *[None] * (x.ndim - 2))] for x in fed]

    def f(fed: Any, weights: Any) -> Any:
        found: list[Any] = []
        for number, (x, w, (_, options)) in enumerate(zip(fed, weights, pools, strict=True)):
            convolve = pg.conv2d if x.ndim == 4 else pg.conv1d
            image = x if number % 2 == turn else convolve(x, w)
            y = pool(image, **options)
            slope = pg.gradients(pg.sum(pg.tanh(y) * y), image)
            found += [pg.maximum(y, 0.1), slope]
            found += [pg.gradients(pg.sum(slope * slope), image)] if second else []
        return found

    native = pg.function(f, engine="native")
    expected = pg.function(f, engine="numpy")(
        [x.astype(np.float64) for x in fed], [w.astype(np.float64) for w in weights]
    )
    for one, other in zip(native(fed, weights), expected, strict=True):
        assert one.dtype == dtype
        scale = max(float(np.abs(other).max()), 1.0)
        assert_close(one / dtype(scale), (other / scale).astype(dtype))
    assert "Fallback" not in native.explain(fed, weights)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shape", "size", "stride", "fused"),
    [
        ((2, 5, 8, 6), 2, None, True),
        ((3, 20, 9, 6), (3, 2), None, True),
        ((2, 3, 12), (4,), None, True),
        ((2, 5, 9, 7), 2, None, False),  # a row and a column are in no window
        ((2, 5, 8, 6), (3, 2), (1, 2), False),
    ],
)
def test_the_mask_of_a_relu_is_fused_with_the_adjoint_of_max_pooling(
    dtype, shape, size, stride, fused
):
    def f(x: Any) -> Any:
        y = pg.relu(x)
        slope = pg.gradients(pg.sum(pg.sin(pg.max_pool(y, size, stride=stride))), [x])[0]
        return [slope, slope * 2 + y]

    x = np.random.default_rng(7).normal(size=shape).astype(dtype)
    compiled = pg.function(f, engine="native")
    for one, other in zip(compiled(x), pg.function(f, engine="numpy")(x), strict=True):
        assert_close(one, other)
    text = compiled.explain(x)
    assert ("max_pool_place, greater, where" in text) == fused, text


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.bool_])
def test_max_pooling_of_integers_and_booleans(dtype):
    x = np.random.default_rng(3).integers(-200, 200, (2, 5, 9, 8)).astype(dtype)

    def f(x: Any) -> Any:
        return pg.max_pool(x, 3, stride=2, padding=1)

    native = pg.function(f, engine="native")
    assert_same(native(x), pg.function(f, engine="numpy")(x))
    assert "Fallback" not in native.explain(x)


def test_a_convolutional_network_trains_in_place_with_the_same_bits_for_any_number_of_threads():
    rng = np.random.default_rng(4)
    shapes = [(24, 3, 3, 3), (24, 1, 3, 3), (48, 24, 1, 1), (48, 6, 3, 3), (48, 10)]
    start = [(0.3 * rng.normal(size=shape)).astype(np.float32) for shape in shapes]
    x = rng.normal(size=(6, 3, 20, 20)).astype(np.float32)
    labels = rng.integers(0, 10, 6)

    def trained(engine: str, threads: int) -> list[Array]:
        weights = [pg.Variable(one) for one in start]
        stem, each, point, part, out = weights
        adam = pg.optim.Adam(learning_rate=0.003)

        @pg.function(engine=engine)
        def step(x: Any, labels: Any) -> Any:
            y = pg.relu(pg.conv2d(x, stem, padding=1))
            y = pg.relu(pg.conv2d(y, each, padding=1, groups=24))
            y = pg.average_pool(pg.relu(pg.conv2d(y, point)), 2)
            y = pg.relu(pg.conv2d(y, part, stride=2, padding=1, groups=8))
            y = pg.average_pool(y, 3, stride=2, padding=1)
            loss = pg.cross_entropy(pg.mean(y, axis=(2, 3)) @ out, labels)
            adam.minimize(loss, weights)
            return loss

        before = pg.get_num_threads()
        pg.set_num_threads(threads)
        try:
            losses = [np.asarray(step(x, labels)) for _ in range(8)]
            if engine == "native":
                said = step.explain(x, labels)
                assert "Fallback" not in said
                assert "updated in place" in said
                place = each.numpy().ctypes.data
                step(x, labels)
                assert each.numpy().ctypes.data == place
            return [*losses, *(one.numpy() for one in weights)]
        finally:
            pg.set_num_threads(before)

    one, two, four = (trained("native", threads) for threads in (1, 2, 4))
    for a, b, c in zip(one, two, four, strict=True):
        assert_same(b, a)
        assert_same(c, a)
    assert one[7] < 0.8 * one[0]
    for a, b in zip(one[:2], trained("numpy", 1), strict=False):  # two steps: then noise grows
        assert_close(a, b)
