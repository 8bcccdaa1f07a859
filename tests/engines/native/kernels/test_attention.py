"""One kernel computes attention, forward and backward, in blocks of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.executable import NativeExecutable
from palingrad.engines.native.kernels.attention import plan
from palingrad.engines.native.kernels.attention.kernel import Attention
from palingrad.engines.native.plan.attention import build
from palingrad.engines.native.plan.lower import lowered
from tolerances import assert_close, assert_same

# (batch, queries, keys, heads, depth): tiles and vectors that are full, and that aren't.
SHAPES = [
    (2, 64, 64, 4, 32),
    (1, 48, 48, 3, 64),
    (2, 17, 17, 1, 5),
    (2, 100, 100, 2, 16),
    (3, 16, 16, 1, 4),
    (1, 33, 80, 2, 8),
    (1, 80, 33, 2, 24),
    (2, 300, 300, 1, 8),
    (2, 16, 1100, 1, 4),
]


def parts(batch: int, queries: int, keys: int, heads: int, depth: int, dtype: Any) -> list[Any]:
    """Queries, keys and values (batch, tokens, heads · depth), and a cotangent."""
    rng = np.random.default_rng(0)
    lengths = queries, keys, keys, queries
    return [rng.standard_normal((batch, n, heads * depth)).astype(dtype) for n in lengths]


def attention(heads: int, **options: Any) -> Any:
    def split(x: Any) -> Any:
        return x.reshape(*x.shape[:-1], heads, -1).transpose(0, 2, 1, 3)

    def f(q: Any, k: Any, v: Any, g: Any) -> Any:
        def loss(q: Any, k: Any, v: Any) -> Any:
            y = pg.scaled_dot_product_attention(*map(split, (q, k, v)), **options)
            y = y.transpose(0, 2, 1, 3).reshape(g.shape)
            return (y * g).sum(), y

        slopes = pg.grad(lambda *x: loss(*x)[0], argnums=(0, 1, 2))(q, k, v)
        return loss(q, k, v)[1], *slopes

    return f


def compared(f: Any, given: list[Any], *, fused: bool = True) -> list[Any]:
    """The results of native code, which are NumPy's."""
    native = pg.function(f, engine="native")
    found = list(native(*given))
    assert ("attention by blocks of rows" in native.explain(*given)) == fused
    for one, other in zip(found, pg.function(f, engine="numpy")(*given), strict=True):
        assert_close(one, other)
    return found


@pytest.mark.parametrize("number", range(len(SHAPES)))
def test_values_and_gradients_are_those_of_numpy(number: int):
    shape, dtypes = SHAPES[number], (np.float32, np.float64)
    for causal in (False, True):
        dtype = dtypes[(number + causal) % 2]
        compared(attention(shape[3], causal=causal), parts(*shape, dtype))


def test_masks_are_operands():
    given = parts(2, 40, 40, 2, 8, np.float32)
    rng = np.random.default_rng(1)
    some = rng.random((40, 40)) < 0.5
    some[3] = False  # a query that sees no key
    compared(attention(2, mask=some), given)
    compared(attention(2, mask=rng.standard_normal((2, 1, 1, 40)).astype(np.float32)), given)
    compared(attention(2, mask=some, causal=True), given)


def test_working_memory_may_be_in_the_arena(monkeypatch: pytest.MonkeyPatch):
    given, f = parts(2, 64, 64, 2, 16, np.float32), attention(2, causal=True)
    before = compared(f, given)
    monkeypatch.setenv("PALINGRAD_CACHE", "off")  # whose key doesn't contain what is changed here
    monkeypatch.setattr(plan, "_STACK", 0)
    for one, other in zip(compared(f, given), before, strict=True):
        assert_same(one, other)


def test_several_blocks_add_up_to_the_whole(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PALINGRAD_CACHE", "off")
    monkeypatch.setattr(plan, "_BLOCK", 1)
    compared(attention(2, causal=True), parts(1, 60, 60, 2, 16, np.float32))
    compared(attention(2), parts(1, 60, 60, 2, 16, np.float32))


def test_the_bits_do_not_depend_on_the_number_of_threads():
    given, f = parts(2, 64, 64, 4, 32, np.float32), attention(4, causal=True)
    before = pg.get_num_threads()
    try:
        pg.set_num_threads(1)
        alone = list(pg.function(f, engine="native")(*given))
        pg.set_num_threads(2)
        together = list(pg.function(f, engine="native")(*given))
    finally:
        pg.set_num_threads(before)
    for one, other in zip(alone, together, strict=True):
        assert_same(one, other)


def test_a_causal_mask_skips_what_it_hides():
    given = parts(2, 64, 64, 2, 8, np.float32)

    def seen(f: Any) -> list[int | None]:
        program = pg.function(f, engine="native").program(*given)
        nodes = [node for node in lowered(program).order if isinstance(node, build.Attended)]
        return [node.recipe.seen for node in nodes]

    assert seen(attention(2, causal=True)) == [0] * 4
    assert seen(attention(2)) == [None] * 4
    assert seen(attention(2, mask=np.tri(64, dtype=bool, k=5))) == [5] * 4
    assert seen(attention(2, mask=np.tri(64, dtype=bool, k=-1))) == [None] * 4
    some = np.tri(64, dtype=bool)
    some[40, 3] = False
    assert seen(attention(2, mask=some)) == [None] * 4

    def shifted(q: Any, k: Any, v: Any, g: Any) -> Any:  # hidden weights aren't 0
        scores = pg.where(np.tri(64, dtype=bool), q @ k.mT, -1.0)
        return pg.softmax(scores) @ v

    assert seen(shifted) == [None]
    compared(shifted, given)


def test_what_a_mask_hides_is_not_read_and_what_it_shows_is():
    q, k, v, g = parts(2, 64, 64, 2, 8, np.float32)
    expected, *_ = pg.function(attention(2, causal=True), engine="numpy")(q, k, v, g)
    v = v.copy()
    v[0, 63] = np.nan
    found, *_ = pg.function(attention(2, causal=True), engine="native")(q, k, v, g)
    assert np.isnan(found[0, 63]).all()
    assert_close(found[1], expected[1])
    assert_close(found[0, 0], expected[0, 0])


def test_a_softmax_written_out_is_found():
    given = parts(3, 32, 32, 1, 8, np.float64)

    def f(q: Any, k: Any, v: Any, g: Any) -> Any:
        scores = pg.exp(q @ k.mT)
        return (scores / pg.sum(scores, axis=-1, keepdims=True)) @ v

    compared(f, given)


def test_weights_that_something_else_reads_are_in_memory():
    given = parts(2, 32, 32, 1, 8, np.float32)

    def returned(q: Any, k: Any, v: Any, g: Any) -> Any:
        weights = pg.softmax(q @ k.mT)
        return weights @ v, weights

    def read(q: Any, k: Any, v: Any, g: Any) -> Any:
        weights = pg.softmax(q @ k.mT)
        return weights @ v, pg.sum(weights, axis=-2)

    def multiplied(q: Any, k: Any, v: Any, g: Any) -> Any:
        weights = pg.softmax(q @ k.mT)
        return [weights @ weights.mT]

    def without_rows(q: Any, k: Any, v: Any, g: Any) -> Any:
        return [pg.relu(q @ k.mT) @ v]

    for f in (returned, read, multiplied, without_rows):
        compared(f, given, fused=False)


def test_equal_layers_share_their_code():
    given = parts(2, 32, 32, 2, 8, np.float32)

    def attended(x: Any, k: Any) -> Any:
        split = [one.reshape(2, 32, 2, 8).transpose(0, 2, 1, 3) for one in (x, k, x)]
        y = pg.scaled_dot_product_attention(*split, causal=True)
        return pg.tanh(y.transpose(0, 2, 1, 3).reshape(2, 32, 16))

    def f(q: Any, k: Any, v: Any, g: Any) -> Any:
        return [attended(attended(attended(q, k), k), k)]

    compared(f, given)
    executable = NativeExecutable(pg.function(f, engine="native").program(*given))
    kernels = [one.kernel for one in executable.schedule.kernels]
    assert sum(isinstance(one, Attention) for one in kernels) == 3
    assert executable.emitted().count('define void @"attention_') == 2  # the first reads a feed


def test_few_tokens_and_single_matrices_are_left_alone():
    compared(attention(2), parts(2, 8, 8, 2, 4, np.float32), fused=False)
    compared(attention(1), parts(1, 32, 32, 1, 4, np.float32), fused=False)


def test_results_that_depend_on_each_other_are_computed_one_after_another():
    given = parts(2, 32, 32, 2, 4, np.float32)

    def f(q: Any, k: Any, v: Any, g: Any) -> Any:
        """The weights multiply what they have produced."""
        weights = pg.softmax(q @ k.mT)
        first = weights @ v
        return [weights @ pg.tanh(first), weights.mT @ g]

    compared(f, given)


def test_second_derivatives_are_right():
    given = parts(2, 16, 16, 1, 3, np.float64)

    def f(q: Any, k: Any, v: Any, g: Any) -> Any:
        def slope(q: Any) -> Any:
            y = pg.scaled_dot_product_attention(q, k, v, causal=True)
            return pg.sum(y * y)

        return [pg.hvp(slope, (q,), (g,))]

    native = pg.function(f, engine="native")(*given)
    for one, other in zip(native, pg.function(f, engine="numpy")(*given), strict=True):
        assert_close(one, other)


def test_weights_of_a_layer_train_alike():
    """A step that updates weights through attention, in both engines."""
    rng = np.random.default_rng(2)
    x, g = (rng.standard_normal((2, 32, 16)).astype(np.float32) for _ in range(2))
    start = (0.3 * rng.standard_normal((16, 48))).astype(np.float32)

    def trained(engine: str) -> Any:
        w = pg.Variable(start)

        @pg.function(engine=engine)
        def step(x: Any, g: Any) -> Any:
            split = (x @ w).reshape(2, 32, 3, 2, 8)
            q, k, v = (split[:, :, part].transpose(0, 2, 1, 3) for part in range(3))
            y = pg.scaled_dot_product_attention(q, k, v, causal=True)
            loss = pg.mean(pg.square(y.transpose(0, 2, 1, 3).reshape(2, 32, 16) - g))
            optimizer.minimize(loss)
            return loss

        optimizer = pg.optim.GradientDescent(0.5)
        return [step(x, g) for _ in range(5)], w.numpy()

    for one, other in zip(trained("native"), trained("numpy"), strict=True):
        assert_close(np.asarray(one), np.asarray(other))


def test_multiples_are_computed_by_the_kernel():
    shape = (2, 40, 40, 2, 8)
    given = parts(*shape, np.float64)
    for scale in (None, 0.3, -1.7):
        for causal in (False, True):
            f = attention(shape[3], causal=causal, scale=scale)
            compared(f, given)
            program = pg.function(f, engine="native").program(*given)
            kernels = [one.kernel for one in NativeExecutable(program).schedule.kernels]
            assert any(isinstance(one, Attention) for one in kernels)
            assert not any(type(x).__name__ == "Multiply" for one in kernels for x in one.nodes)


def test_multiples_that_something_else_reads_are_in_memory_too():
    given = [one.reshape(3, 32, 8) for one in parts(3, 32, 32, 1, 8, np.float32)]

    def f(q: Any, k: Any, v: Any, g: Any) -> Any:
        queries, values = q * 0.25, v * 3.0
        y = pg.softmax(queries @ (k * 0.5).mT) @ values
        return y, y * 2.0, queries

    def both_factors(q: Any, k: Any, v: Any, g: Any) -> Any:
        return [pg.softmax((q * 0.25) @ (k * 8.0).mT) @ (v * 3.0) * 2.0]

    compared(f, given)
    assert "Rows" not in pg.function(f, engine="native").explain(*given)  # no weights in memory
    compared(both_factors, given)


def test_factors_that_may_bring_numbers_out_of_range_are_left_to_their_own_kernels():
    given = [one.reshape(3, 32, 8) for one in parts(3, 32, 32, 1, 8, np.float32)]
    for factor in (np.float32(np.inf), np.float32(0)):
        compared(lambda q, k, v, g, by=factor: [pg.softmax(q @ k.mT) @ v * by], given)
