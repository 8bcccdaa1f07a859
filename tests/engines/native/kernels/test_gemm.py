"""Matrix products of all sizes, batches, vectors, layouts and epilogues compared with NumPy in
float64. Many products share one program, because compilation dominates the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from engines.native.caches import machine_with
from palingrad.engines.native.executable import NativeExecutable
from palingrad.engines.native.kernels.gemm.small import DEPTH, SmallPlan
from palingrad.engines.native.llvm.caches import Caches
from palingrad.engines.native.llvm.target import host
from palingrad.engines.native.runtime.kernel_store import forget
from tolerances import assert_close, assert_same

Array = np.ndarray[Any, Any]
DTYPES = (np.float32, np.float64)
BATCHES = (
    ((), ()), ((), ()), ((), ()), ((3,), ()), ((), (4,)), ((3,), (3,)), ((2, 1), (3,)),
    ((2, 3), (2, 1)), ((1,), (1,)), ((0,), ()), ((2,), (1, 1)),
)  # fmt: skip

# How an operand lies: from the array that is fed to the matrix, and the array's shape.
LAYOUTS: dict[str, tuple[Callable[[Any], Any], Callable[[tuple[int, ...]], tuple[int, ...]]]] = {
    "plain": (lambda x: x, lambda s: s),
    "turned": (lambda x: x.mT, lambda s: (*s[:-2], s[-1], s[-2])),
    "every other row": (lambda x: x[..., ::2, :], lambda s: (*s[:-2], 2 * s[-2], s[-1])),
    "every third column": (lambda x: x[..., ::3], lambda s: (*s[:-1], 3 * s[-1])),
    "backwards": (lambda x: x[..., ::-1, ::-1], lambda s: s),
    "inside": (lambda x: x[..., 1:-2, 3:-1], lambda s: (*s[:-2], s[-2] + 3, s[-1] + 4)),
}


def mask(m: Any, y: Any) -> Any:
    """What a relu's backward pass multiplies with."""
    return m.where(y > 0, 1.0, 0.25)


# What happens to a product y with a row of numbers, a column of them, and an array of its shape.
EPILOGUES: dict[str, Callable[..., list[Any]]] = {
    "nothing": lambda m, y, row, column, full: [y],
    "bias": lambda m, y, row, column, full: [y + row],
    "bias, relu": lambda m, y, row, column, full: [m.maximum(y + row, 0.0)],
    "mask": lambda m, y, row, column, full: [mask(m, full) * y],
    "residual": lambda m, y, row, column, full: [y * 0.5 + full],
    "column": lambda m, y, row, column, full: [(y - column) * row],
    "kept too": lambda m, y, row, column, full: [y, y + full, m.maximum(y + row, 0.0)],
    "step": lambda m, y, row, column, full: [full * 0.75 + y * 0.25, y * y],
}


@dataclass(frozen=True)
class Case:
    """One product."""

    x: tuple[int, ...]
    y: tuple[int, ...]
    x_layout: str = "plain"
    y_layout: str = "plain"
    epilogue: str = "nothing"

    def drawn(self, rng: Any, dtype: Any) -> list[Array]:
        """Operands and what the epilogue reads, such that results are about 1."""
        depth = max(self.x[-1], 1)
        shape = np.matmul(np.empty(self.x, bool), np.empty(self.y, bool)).shape
        row = shape[-1:]
        column = (*shape[-2:-1], 1) if len(shape) > 1 else ()
        shapes = [self._fed(self.x, self.x_layout), self._fed(self.y, self.y_layout)]
        scales = [depth**-0.5, 1.0, 1.0, 1.0, 1.0]
        return [
            (scale * rng.uniform(-2, 2, one)).astype(dtype)
            for scale, one in zip(scales, [*shapes, row, column, shape], strict=True)
        ]

    @staticmethod
    def _fed(shape: tuple[int, ...], layout: str) -> tuple[int, ...]:
        return LAYOUTS[layout][1](shape) if len(shape) > 1 else shape

    def apply(self, m: Any, x: Any, y: Any, *others: Any) -> list[Any]:
        x = LAYOUTS[self.x_layout][0](x) if x.ndim > 1 else x
        y = LAYOUTS[self.y_layout][0](y) if y.ndim > 1 else y
        return EPILOGUES[self.epilogue](m, m.matmul(x, y), *others)


def some(rng: Any, count: int, most: int = 70) -> list[Case]:
    """Cases at random, small sizes and single rows and columns more often than others."""

    def extent() -> int:
        return int(
            rng.choice([1, rng.integers(1, 20), rng.integers(1, most + 1)], p=[0.2, 0.2, 0.6])
        )

    cases: list[Case] = []
    for number in range(count):
        rows, depth, columns = extent(), extent(), extent()
        if rng.random() < 0.04:
            rows, depth, columns = rng.permutation([0, depth, columns]).tolist()
        before, dependencies = BATCHES[rng.integers(len(BATCHES))]
        x, y = (*before, rows, depth), (*dependencies, depth, columns)
        kind = rng.random()
        if kind < 0.08:
            x = (depth,)
        elif kind < 0.16:
            y = (depth,)
        elif kind < 0.19:
            x, y = (depth,), (depth,)
        names = list(LAYOUTS) if rng.random() < 0.5 else ["plain", "turned"]
        one, other = (str(name) for name in rng.choice(names, 2))
        epilogue = list(EPILOGUES)[number % len(EPILOGUES)]
        cases.append(Case(x, y, one, other, epilogue))
    return cases


def check(cases: list[Case], seed: int, *dtypes: Any) -> str:
    """All cases in one program, each in the next of `dtypes`, against NumPy in float64. Returns
    what the program says of itself."""
    rng = np.random.default_rng(seed)
    kinds = [dtypes[number % len(dtypes)] for number in range(len(cases))]
    fed = [case.drawn(rng, dtype) for case, dtype in zip(cases, kinds, strict=True)]

    @pg.function(engine="native")
    def run(fed: Any) -> Any:
        return [case.apply(pg, *some) for case, some in zip(cases, fed, strict=True)]

    found = run(fed)
    for case, dtype, arrays, results in zip(cases, kinds, fed, found, strict=True):
        exact = case.apply(np, *(array.astype(np.float64) for array in arrays))
        for one, other in zip(results, exact, strict=True):
            assert_close(one, np.asarray(other).astype(dtype), str(case))
    text = run.explain(fed)
    assert "Fallback" not in text
    return text


@pytest.mark.parametrize("seed", range(4))
def test_products_of_all_sizes_layouts_and_batches(seed):
    # Of the three times that an epilogue comes, one dtype has two and the other one; two seeds
    # turn that round.
    eights = [DTYPES[(number // len(EPILOGUES) + seed) % 2] for number in range(24)]
    check(some(np.random.default_rng(seed), 24), seed, *eights)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_number_of_rows_columns_and_terms_around_a_tile(dtype):
    # A tile is 14 rows and 2 vectors, or fewer: around its edges lie the masks and the remainders.
    sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 24, 25, 28, 29, 31, 32, 33, 64, 65]
    rng = np.random.default_rng(0)
    rows, depths, columns = (rng.permutation(sizes).tolist() for _ in range(3))
    layouts = ("plain", "turned")
    cases = [
        Case((a, b), (b, c), layouts[number % 2], layouts[number // 2 % 2], epilogue)
        for number, (a, b, c) in enumerate(zip(rows, depths, columns, strict=True))
        for epilogue in ("bias, relu",)
    ]
    check(cases, 0, dtype)


def test_matrices_of_a_batch_with_one_right_operand_are_multiplied_as_one():
    merged = [
        Case((3, 5, 16), (16, 24), epilogue="kept too"),
        Case((2, 3, 30, 65), (65, 70), "plain", "turned", "bias, relu"),  # both operands packed
        Case((4, 5, 600), (600, 70), epilogue="residual"),  # terms in parts
        Case((3, 5, 9), (1, 9, 20), "every third column", epilogue="mask"),
    ]
    for turn, case in enumerate(merged):
        rows = np.prod(case.x[:-1])
        assert f"({rows}, {case.x[-1]}) × " in " ".join(check([case], turn, np.float32).split())
    apart = [
        Case((3, 5, 16), (16, 24), "turned", epilogue="bias"),
        Case((3, 6, 16), (16, 24), "backwards", "backwards", "bias"),
        Case((3, 5, 16), (3, 16, 24), epilogue="bias"),
        Case((3, 5, 16), (16, 24), epilogue="column"),  # one column for all matrices
    ]
    for turn, case in enumerate(apart):
        assert "(3,) of (" in " ".join(check([case], turn, np.float32).split())


def test_rows_that_an_epilogue_does_not_read_evenly_stay_apart():
    rng = np.random.default_rng(0)
    x, y, places = (rng.random(s, np.float32) for s in ((3, 5, 8), (8, 16), (5, 16)))
    f = pg.function(lambda x, y, places: pg.matmul(x, y) + places, engine="native")
    assert_close(f(x, y, places), x @ y + places)
    assert "(3,) of (5, 8)" in " ".join(f.explain(x, y, places).split())


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_of_more_terms_than_a_panel(dtype):
    deep = DEPTH + 37
    check(
        [
            Case((30, deep), (deep, 19), epilogue="kept too"),
            Case((5, 2 * DEPTH), (2 * DEPTH, 33), "turned", "turned", "bias, relu"),
            Case((2, 3, deep), (deep, 17), "plain", "turned", "step"),
            Case((deep,), (deep, 40), epilogue="residual"),
            Case((90, deep), (deep,), "turned", epilogue="mask"),
            Case((1, deep), (deep, 1)),
        ],
        1, dtype,
    )  # fmt: skip


LARGE = [
    Case((211, 257), (257, 190), epilogue="bias, relu"),
    Case((203, 300), (300, 161), "turned", "plain", "kept too"),
    Case((97, 513), (513, 180), "plain", "turned"),
    Case((230, 201), (201, 199), "turned", "turned", "step"),
    Case((3, 130, 170), (170, 150), "every third column", "backwards", "residual"),
    Case((2, 141, 200), (2, 200, 160), "inside", "inside", "mask"),
    Case((100, 1100), (1100, 110), "turned", "turned", "bias, relu"),
    Case((120, 260), (3, 260, 200), "plain", "turned", "step"),
    Case((270, 1024), (1024, 280), epilogue="bias, relu"),
    Case((100, 512), (512, 280), "every other row", epilogue="bias, relu"),  # a page apart
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_products_are_packed_in_blocks(dtype):
    check(LARGE, 2, dtype)


@pytest.mark.parametrize(
    ("case", "packed"),
    [
        (LARGE[0], "Right"), (LARGE[2], None), (LARGE[6], "Left"), (LARGE[8], "Right"),
        (LARGE[9], "Left"),
    ],
)  # fmt: skip
def test_the_smaller_operand_is_packed_once_or_read_unpacked(case, packed):
    fed = case.drawn(np.random.default_rng(0), np.float32)
    f = pg.function(lambda *fed: case.apply(pg, *fed), engine="native")
    with machine_with(Caches()):
        text = f.explain(*fed)
    assert "LargeProduct" in text
    assert [name for name in ("Left", "Right") if f"Pack{name}" in text] == [packed][: bool(packed)]


# Few rows and many terms: the terms are summed in parts.
SPLIT = [
    Case((64, 784), (784, 100), epilogue="bias, relu"),
    Case((33, 1000), (1000, 101), "turned", epilogue="kept too"),
    Case((17, 900), (900, 310), "inside", "inside", "step"),
    Case((1, 1024), (1024, 1000), epilogue="residual"),
    Case((3, 1531), (1531, 389), "turned", "inside", "column"),
    Case((1, 700), (700, 900), "every third column", epilogue="nothing"),
    Case((2, 4097), (4097, 640), epilogue="mask"),
    Case((700,), (700, 900), epilogue="bias"),
    Case((1, 500), (500, 4111), epilogue="bias"),  # sums in two panels
    Case((2, 700), (700, 107), epilogue="kept too"),  # a rest of three columns
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_terms_of_a_few_rows_are_summed_in_parts(dtype):
    assert check(SPLIT, 5, dtype).count("terms in parts") == len(SPLIT)


# What follows reads and writes so much that it is computed for whole strips of rows.
STREAMING = [
    Case((300, 40), (40, 1000), epilogue="step"),
    Case((290, 17), (17, 1100), "turned", "plain", "kept too"),
    Case((600, 130), (130, 509), "turned", "turned", "residual"),
    Case((3, 260, 30), (3, 30, 500), epilogue="step"),
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_epilogues_on_large_arrays_run_on_whole_rows(dtype):
    check(STREAMING, 6, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_of_one_term_are_elementwise(dtype):
    f = pg.function(lambda x, y: pg.matmul(x, y) + 1.0, engine="native")
    rng = np.random.default_rng(7)
    for shapes in (((70, 1), (1, 90)), ((3, 5, 1), (1, 7)), ((4, 1, 6, 1), (2, 1, 5))):
        x, y = (rng.normal(size=shape).astype(dtype) for shape in shapes)
        assert_same(f(x, y), np.matmul(x, y) + dtype(1))
        assert "matrix product" not in f.explain(x, y)


@pytest.mark.parametrize("depth", [0, 1, 2, 40])
def test_a_sum_of_zeros_is_positive(depth):
    x, y = np.zeros((20, depth), np.float32), -np.ones((depth, 20), np.float32)
    f = pg.function(lambda x, y: pg.matmul(x, y) * 1.0, engine="native")
    assert not np.signbit(f(x, y)).any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_of_a_product_do_not_depend_on_their_neighbours(dtype):
    # Each element is summed in one order, wherever its tile lies.
    rng = np.random.default_rng(3)
    x, y = (rng.normal(size=shape).astype(dtype) for shape in ((67, 50), (50, 45)))
    f = pg.function(lambda x, y: [pg.matmul(x, y), pg.matmul(x[5:], y)], engine="native")
    whole, part = f(x, y)
    np.testing.assert_array_equal(whole[5:], part)


@pytest.mark.parametrize("dtype", DTYPES)
def test_derivatives_of_products_follow_all_transposes(dtype):
    shapes = [
        ((13, 21), (21, 34)), ((1, 40), (40, 3)), ((4, 9, 5), (5, 7)), ((3, 1, 6, 5), (2, 5, 3)),
        ((11,), (11, 30)), ((30, 11), (11,)), ((17,), (17,)), ((70, 1), (1, 70)),
    ]  # fmt: skip
    rng = np.random.default_rng(4)
    fed = [
        [(x[-1] ** -0.5 * rng.normal(size=x)).astype(dtype), rng.normal(size=y).astype(dtype)]
        for x, y in shapes
    ]

    def slopes(pairs: Any) -> Any:
        total: Any = sum(pg.sum(pg.sin(pg.matmul(x, y))) for x, y in pairs)
        return pg.gradients(total, [one for pair in pairs for one in pair])

    found = pg.function(slopes, engine="native")(fed)
    exact = slopes([[pg.tensor(one.astype(np.float64)) for one in pair] for pair in fed])
    for one, other in zip(found, exact, strict=True):
        scale = max(float(np.abs(other.numpy()).max()), 1.0)
        assert_close(one / dtype(scale), (other.numpy() / scale).astype(dtype))


# Products modulo 2ⁿ are the same with a sign and without: one of each width has all cases.
INTEGERS = {np.int8: 12, np.uint16: 12, np.int32: 12, np.uint32: 3, np.int64: 3, np.uint64: 12}


@pytest.mark.parametrize(("dtype", "count"), INTEGERS.items())
def test_products_of_integers_wrap_around_as_numpys(dtype, count):
    rng = np.random.default_rng(6)
    cases = [*some(rng, count), Case((30, DEPTH + 37), (DEPTH + 37, 19)), Case((1, 90), (90, 1))]
    cases += [LARGE[0]] if count > 3 else []
    shapes = [
        (case._fed(case.x, case.x_layout), case._fed(case.y, case.y_layout)) for case in cases
    ]
    fed = [[rng.integers(-(2**62), 2**62, one).astype(dtype) for one in both] for both in shapes]

    def products(m: Any, fed: Any) -> list[Any]:
        found: list[Any] = []
        for case, (x, y) in zip(cases, fed, strict=True):
            x = LAYOUTS[case.x_layout][0](x) if x.ndim > 1 else x
            y = LAYOUTS[case.y_layout][0](y) if y.ndim > 1 else y
            z = m.matmul(x, y)
            found += [z, m.bitwise_xor(z, 85)]
        return found

    native = pg.function(lambda fed: products(pg, fed), engine="native")
    for one, other in zip(native(fed), products(np, fed), strict=True):
        assert_same(one, np.asarray(other))
    assert "Fallback" not in native.explain(fed)


def test_products_of_booleans_are_any_over_logical_and():
    rng = np.random.default_rng(7)
    x, y = rng.random((13, 300)) < 0.05, rng.random((300, 21)) < 0.05
    native = pg.function(pg.matmul, engine="native")
    assert_same(native(x, y), x @ y)
    assert_same(native(np.ones((2, 256), bool), np.ones(256, bool)), np.ones(2, bool))
    assert "Fallback" not in native.explain(x, y)


def test_the_epilogue_is_emitted_once_for_tiles_of_both_heights():
    # 64 rows are tiles of 11 and of 10 rows; the columns fill whole vectors.
    x, w = np.ones((64, 40), np.float32), np.ones((40, 32), np.float32)
    f = pg.function(lambda x, w: pg.tanh(x @ w), engine="numpy")
    text = NativeExecutable(f.program(x, w)).emitted()
    kernel = text[text.index('define void @"product_0"') :].split("\n}")[0]
    assert kernel.count('call void @"tile') == 2
    assert kernel.count("fdiv") == 1


def test_products_of_little_work_share_tiles_and_have_the_same_bits(monkeypatch):
    rng = np.random.default_rng(5)
    x, y, z = (rng.standard_normal(s).astype(np.float32) for s in ((64, 30), (30, 20), (20, 13)))
    monkeypatch.setenv("PALINGRAD_CACHE", "off")
    found: list[Any] = []
    for shares in (True, False):
        if not shares:
            monkeypatch.setattr(SmallPlan, "pitched", False)
        forget()
        f = pg.function(lambda x, y, z: pg.relu(pg.relu(x @ y) @ z), engine="native")
        executable = NativeExecutable(f.program(x, y, z))
        count = executable.emitted().count('define void @"tile')
        found.append((count, executable([x, y, z])[0].tobytes()))
    (few, shared), (many, apart) = found
    assert shared == apart
    assert (few < many) == (host().registers == 16)
