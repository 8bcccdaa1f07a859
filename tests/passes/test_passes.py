"""Each pass: what it rewrites, what it leaves alone, and that it changes no value and none of its
inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.autodiff.gradients import Gradient
from palingrad.errors import FeedError, GraphError, ShapeError
from palingrad.graph.kinds import Composite
from palingrad.graph.leaves import Constant
from palingrad.graph.registry import ops
from palingrad.graph.traversal.order import postorder
from palingrad.graph.traversal.verify import verify
from palingrad.passes import pipeline
from palingrad.passes.advance_rng import advance_rng
from palingrad.passes.common_subexpressions import common_subexpressions
from palingrad.passes.expand import expand
from palingrad.passes.fold_constants import fold
from palingrad.passes.pipeline import optimise
from palingrad.passes.program import Program
from palingrad.passes.simplify import simplify
from palingrad.passes.specialise import specialise
from palingrad.passes.stable import stabilise
from programs import names, program_of, run
from tolerances import assert_close, assert_same

X = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]])


def texts(program: Program) -> list[str]:
    """Everything about a program's nodes that a pass could have changed."""
    return [
        f"{id(node)} {list(map(id, node.inputs))} {node.shape} {node.dtype} {node.name}"
        f" {dict(getattr(node, 'attributes', {}))} {node.graph}"
        for node in program.order
    ]


# -------------------------------------------------------------------------------- specialise


@pytest.mark.tiny
def test_specialise_makes_everything_concrete_and_keeps_promises():
    def f(x):
        slope = pg.gradients(pg.sum(pg.mean(x, axis=0) ** 2), x)
        return [slope, pg.gradients(pg.sum(slope), x)]

    program = program_of(f, X)
    verify(program.roots, forbidden=(Gradient,))
    assert [y.shape for y in program.outputs] == [(2, 3), (2, 3)]
    assert_close(run(program, X)[1], np.ones((2, 3)))


def test_specialise_leaves_the_template_as_it_was():
    x = pg.placeholder(name="x")
    y = pg.softmax(x * 2.0, name="y")
    specialise([y], {x: ((2, 3), pg.float32)})
    assert (y.shape, y.dtype, x.shape) == (None, None, None)
    wide = specialise([y], {x: ((4,), pg.float64)})
    assert (wide.outputs[0].shape, wide.outputs[0].dtype) == ((4,), pg.float64)
    assert wide.outputs[0].name == "y"
    assert wide.outputs[0].origin == y.origin


def test_specialise_leaves_what_is_concrete_alone():
    v = pg.Variable([1.0, 2.0])
    with pg.Graph():
        y = v * 2.0
    assert specialise([y], {}).outputs[0] is y


def test_a_trace_whose_shapes_are_those_of_the_arguments_is_its_own_program():
    made = []

    @pg.function
    def f(x):
        made.append((x, x * 2.0))
        return made[-1][1]

    program = f.trace(X).program
    for node, own in zip((*program.feeds, *program.outputs), made[-1], strict=True):
        assert node is own


def test_a_program_has_no_node_that_refers_to_its_gradient():
    w = pg.Variable([[1.0, 2.0, 3.0]])
    made = []

    @pg.function
    def f(x):
        y = pg.sum((w * x) ** 2)
        y.backward()
        made.append((x, y))
        return x.grad

    program = f.trace(X).program
    assert not any("_grad" in node.__dict__ for node in program.order if node is not w)
    assert all("_grad" in node.__dict__ for node in made[-1])
    assert_close(f(X), 2 * w.numpy() ** 2 * X)


def test_specialise_refuses_what_does_not_fit():
    x, y = pg.placeholder(name="x"), pg.placeholder()
    with pytest.raises(FeedError, match="placeholder 'x' needs a feed"):
        specialise([x + y], {y: ((), pg.float32)})
    with pytest.raises(ShapeError, match="matmul: inner sizes 3 and 2 differ"):
        specialise([x @ y], {x: ((2, 3), pg.float32), y: ((2, 3), pg.float32)})
    v = pg.Variable(1.0)
    with pg.Graph(), pytest.raises(GraphError, match="assigned twice"):
        specialise([v.assign(1.0), v.assign(2.0)], {})


# ---------------------------------------------------------------------------- expand, advance_rng


@pytest.mark.tiny
def test_expand_takes_composites_apart_at_every_depth():
    program = program_of(lambda x: pg.std(pg.softmax(x), axis=1), X)
    assert names(program) == ["softmax", "std"]
    expanded = expand(program)
    verify(expanded.roots, forbidden=(Composite,))
    assert {"exp", "max", "sum", "sqrt"} <= set(names(expanded))


def test_advance_counts_each_generator_in_use_once():
    generator = pg.Generator(5)

    def f(x):
        pg.set_seed(0)
        return [pg.uniform(2, seed=1) + pg.uniform(2, seed=1), pg.normal(3), pg.normal(3)]

    program = advance_rng(expand(program_of(f, X)))
    states = [variable for variable, _ in program.updates]
    assert len(states) == 3  # one for each seed given, one for all numbers without
    for state, value in program.updates:
        assert (value.shape, value.dtype) == (state.shape, pg.uint64)
    assert generator.state not in set(states)
    assert advance_rng(program).updates == program.updates  # what is counted isn't counted again


# -------------------------------------------------------------------------------- simplify


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x: x * 1.0, []),
        (lambda x: 1 * x, []),
        (lambda x: x / 1, []),
        (lambda x: x - 0.0, []),
        (lambda x: x**1, []),
        (lambda x: x**2, ["square"]),
        (lambda x: x**0, ["broadcast_to"]),  # also of NaN
        (lambda x: ops.doubly_absorbing_product(x, 1.0), []),
        (lambda x: ops.doubly_absorbing_product(2.0, x), ["multiply"]),
        (lambda x: pg.negative(-x), []),
        (lambda x: +x, []),
        (lambda x: pg.stop_gradient(x), []),
        (lambda x: pg.cast(x, pg.float64), []),
        (lambda x: pg.reshape(x, (2, 3)), []),
        (lambda x: pg.reshape(pg.reshape(x, (3, 2)), (6,)), ["reshape"]),
        (lambda x: pg.squeeze(pg.expand_dims(x)), []),
        (lambda x: x.mT.mT, []),
        (lambda x: pg.permute_dims(pg.permute_dims(x, (1, 0)), (1, 0)), []),
        (lambda x: pg.permute_dims(x[None], (1, 2, 0)).mT, ["slice", "permute_dims"]),
        (lambda x: pg.broadcast_to(x, (2, 3)), []),
        (lambda x: pg.zeros_like(x), ["broadcast_to"]),
        (lambda x: x * pg.ones_like(x), []),
        (lambda x: x * pg.broadcast_to(np.float64(1), (2, 3)), []),
        (lambda x: x - pg.broadcast_to(np.float64(0), (2, 3)), []),
        (lambda x: pg.where(True, x, 0.0), []),
        (lambda x: pg.where(np.zeros((2, 1), bool), 0.0, x), []),
        (lambda x: pg.where((x > 0) & False, 0.0, x), []),
        (lambda x: pg.where(True & (x > 0), 0.0, x), ["greater", "where"]),
        (lambda x: pg.where(True, x[:1], x), ["slice", "broadcast_to"]),
        (lambda x: x ** pg.where((x > 0) & False, np.float64(1), np.float64(2)), ["square"]),
        # what looks alike but isn't
        (lambda x: pg.where(np.array([True, False, True]), x, 0.0), ["where"]),
        (
            lambda x: pg.where((x > 0) & np.array([True, False, True]), x, 0.0),
            ["greater", "bitwise_and", "where"],
        ),
        (lambda x: x * np.ones((2, 2, 3)), ["multiply"]),
        (lambda x: x / np.ones((2, 2, 3)), ["divide"]),
        (lambda x: x - np.zeros((2, 2, 3)), ["subtract"]),
        (lambda x: x ** np.ones((2, 2, 3)), ["pow"]),
        (lambda x: x ** np.zeros((2, 2, 3)), ["pow"]),
        (lambda x: ops.doubly_absorbing_product(x, 0.0), ["doubly_absorbing_product"]),
        (lambda x: ops.doubly_absorbing_product(x, np.inf), ["doubly_absorbing_product"]),
        (lambda x: x + 0.0, ["add"]),  # −0 + 0 is 0
        (lambda x: x - -0.0, ["subtract"]),
        (lambda x: x * 0.0, ["multiply"]),  # NaN and ∞ times 0 are NaN
        (lambda x: x / x, ["divide"]),
        (lambda x: x - x, ["subtract"]),
        (lambda x: pg.cast(x, pg.float32), ["cast"]),
        (lambda x: pg.reshape(x, (3, 2)), ["reshape"]),
        (lambda x: pg.sum(x, axis=0), ["sum"]),
        (lambda x: x.mT, ["matrix_transpose"]),
    ],
)
def test_simplify(f, left):
    program = program_of(f, X)
    simple = simplify(program)
    assert names(simple) == left
    assert_same(run(simple, X)[0], run(program, X)[0])
    special = np.array([[np.nan, np.inf, -np.inf], [0.0, -0.0, 1e-300]])
    one, other = run(simple, special)[0], run(program, special)[0]
    assert_same(one, other)
    assert_same(np.signbit(one), np.signbit(other))


@pytest.mark.parametrize(
    ("f", "w"),
    [
        (lambda u, w: pg.expand_dims(u, 1) @ w, (1, 4)),
        (lambda u, w: pg.reshape(u, (3, 1)) @ w.mT, (4, 1)),
        (lambda u, w: w @ pg.expand_dims(u, 0), (4, 1)),
        (lambda u, w: w.mT @ pg.reshape(u, (1, 3)), (1, 4)),
        (lambda u, w: pg.expand_dims(u, 1) @ w, (1, 1)),
        (lambda u, w: w @ pg.expand_dims(u, 1), (4, 3)),
        (lambda u, w: w.mT @ pg.expand_dims(u, 1), (3, 4)),
        (lambda u, w: pg.expand_dims(u, 0) @ w, (3, 4)),
        (lambda u, w: pg.expand_dims(u, 0) @ w.mT, (4, 3)),
    ],
)
def test_a_product_with_a_column_or_a_row_made_flat(f, w):
    """Whether it is an outer product or one with a vector."""
    u, w = np.arange(1.0, 4.0), np.arange(2.0, 2.0 + np.prod(w)).reshape(w)
    flat = pg.function(lambda u, w: pg.reshape(f(u, w), (-1,)), engine="numpy")
    assert_same(np.asarray(flat(u, w)), f(pg.tensor(u), pg.tensor(w)).numpy().ravel())


def test_passes_leave_alone_what_they_are_told_to():
    """`where` says which operations may be replaced, and of which constants the values count."""
    ones = np.ones((2, 3))

    def f(x: Any) -> list[Any]:
        return [pg.sin(x) * 1.0 + pg.sin(x) * ones, pg.exp(pg.negative(np.float64(2))) * x]

    program = program_of(f, X)

    def literal(node: Any) -> bool:
        return not isinstance(node, Constant) or node.numpy().size == 1

    def cosine(node: Any) -> bool:
        return node.kind_name() == "cos"

    assert names(simplify(program, where=literal)).count("multiply") == 2
    assert names(simplify(program)).count("multiply") == 1
    assert simplify(program, where=cosine) is program
    assert names(common_subexpressions(program, where=literal)).count("sin") == 1
    assert names(common_subexpressions(program, where=cosine)) == names(program)
    assert "exp" not in names(fold(program, where=literal))
    assert fold(program, where=cosine) is program
    for rewrite in (simplify, fold, common_subexpressions):
        for one, other in zip(
            run(rewrite(program, where=literal), X), run(program, X), strict=True
        ):
            assert_same(one, other)


def test_a_sum_over_axes_of_one_element_is_a_reshape():
    program = simplify(program_of(lambda x: pg.sum(x[None], axis=0), X))
    assert names(program) == ["slice", "reshape"]
    assert_same(run(program, X)[0], X)


# -------------------------------------------------------------------------------- fold


@pytest.mark.tiny
def test_fold_computes_what_depends_on_constants_alone():
    program = fold(program_of(lambda x: x * pg.exp(pg.sum(np.ones(3)) * 2.0), X))
    assert names(program) == ["multiply"]
    folded = program.outputs[0].inputs[1]
    assert isinstance(folded, Constant)
    assert_close(folded.numpy(), np.exp(6.0))


def test_fold_computes_what_has_no_elements():
    empty = np.zeros(0)
    program = fold(program_of(lambda x: pg.sum(pg.exp(x) * empty) + 3 * pg.sum(x), empty))
    assert "exp" not in names(program)
    assert "multiply" in names(program)
    x = np.zeros((0, 2))
    (total,) = run(fold(program_of(lambda x: pg.sum(pg.exp(x), axis=0), x)), x)
    assert_same(total, np.zeros(2))


def test_fold_leaves_what_is_huge_random_assigned_or_ones_own():
    class Mine(pg.Custom):
        def compute(self, x):
            return x + 1

    huge = fold(program_of(lambda x: pg.broadcast_to(2.0, (100, 100)) + 0.0 * x[0, 0], X))
    assert "broadcast_to" in names(huge)
    assert names(fold(program_of(lambda x: Mine(np.ones(2)), X))) == ["mine"]
    assert "uniform" in names(fold(expand(program_of(lambda x: pg.dropout(x, 0.5, seed=1), X))))
    v = pg.Variable(1.0)
    assert names(fold(program_of(lambda x: v * 2.0, X))) == ["multiply"]


def slopes(f: Any, x: Any) -> Any:
    return optimise(program_of(pg.grad(lambda x: pg.sum(f(x))), x))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: pg.sin(x[:, -1]) * x[:, 0] * pg.exp(x[:, 1]),
        lambda x: pg.sin(x[..., 1:]) * x[..., :1],
        lambda x: pg.sin(x[1:]) * pg.exp(x[..., :1, :]),
        lambda x: pg.sin(x[:, 2]) * x[:, 0],  # gaps
        lambda x: pg.sin(x[:, :2]) * x[:, 1:],  # overlapping
        lambda x: pg.sin(x[0]) * x[-1] * x[0] * x[:1],  # the same again
        lambda x: x[:, :1] * pg.exp(x) * x[:, 1:2],  # and all of it
    ],
)
def test_gradients_of_slices_are_joined(f):
    program = slopes(f, X)
    assert "concat" in names(program)
    assert "place" not in names(program)
    (found,) = run(program, X)
    assert_close(found, run(program_of(pg.grad(lambda x: pg.sum(f(x))), X), X)[0])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: pg.sin(x[:, ::2]) * x[:, 1::2],  # alternating
        lambda x: pg.sum(pg.sin(x[0])) + pg.sum(x[:, 0] ** 3),  # along two axes
    ],
)
def test_gradients_of_other_slices_are_added(f):
    program = slopes(f, X)
    assert "place" in names(program)
    assert_close(run(program, X)[0], run(program_of(pg.grad(lambda x: pg.sum(f(x))), X), X)[0])


def test_values_that_vmap_places_are_joined():
    x = pg.placeholder((2, 3), dtype="float64")
    slope = pg.vmap(pg.grad(lambda row: row[0] * pg.sin(row[1]) * row[0]))(x)
    program = optimise(Program((x,), (slope,)))
    assert names(program).count("concat") == 1
    a, b = X[:, 0], X[:, 1]
    assert_close(run(program, X)[0], np.stack([2 * a * np.sin(b), a * a * np.cos(b), 0 * a], 1))


@pytest.mark.parametrize(
    "step",
    [
        lambda c, x: (c * x, c + x),
        lambda c, x: (x, x),  # the row itself
        lambda c, x: (c, pg.tensor(1.0)),  # the first carry, and a constant
        lambda c, x: (pg.fori_loop(0, 2, lambda i, c: c * x + i, c), None),  # a loop inside
    ],
)
def test_a_loop_of_one_step_is_its_body(step):
    def f(x: Any) -> Any:
        carry, ys = pg.scan(step, x[0], x[1:])
        return pg.sum(carry**2) + (0 if ys is None else pg.sum(ys**3))

    assert names(optimise(program_of(f, X))).count("loop") <= (
        "fori" in str(step.__code__.co_names)
    )
    slope = pg.grad(f)
    for given in (X, np.vstack([X, X])[:2]):
        program = program_of(slope, given)
        assert_close(run(optimise(program), given)[0], run(program, given)[0])


def test_a_sum_that_is_read_twice_is_joined_once():
    def f(x: Any) -> Any:
        both = pg.grad(lambda x: pg.sum(x[1:] * x[:-1]))(x)
        return both + pg.exp(both)

    program = optimise(program_of(f, X))
    assert names(program).count("concat") == 1
    assert "place" not in names(program)
    assert_close(run(program, X)[0], run(program_of(f, X), X)[0])


def test_sums_with_too_many_segments_are_left_as_they_are():
    x = np.arange(200.0)
    program = slopes(lambda x: pg.stack([x[n] * x[n + 1] for n in range(198)]), x)
    assert_close(run(program, x)[0], np.r_[x[1], x[:-3] + x[2:-1], x[197], 0])


# -------------------------------------------------------------------------- common_subexpressions


@pytest.mark.tiny
def test_share_computes_equal_things_once():
    def f(x):
        return [
            pg.sin(x) * 2.0 + pg.sin(x) * 2.0,
            pg.sum(x, axis=0) + pg.sum(x, axis=0),
            pg.stack([x + np.arange(3.0), x + np.arange(3.0)]),
        ]

    program = common_subexpressions(program_of(f, X))
    counts = {name: names(program).count(name) for name in set(names(program))}
    assert (counts["sin"], counts["multiply"], counts["sum"]) == (1, 1, 1)
    assert counts["add"] == 3
    for one, other in zip(run(program, X), run(program_of(f, X), X), strict=True):
        assert_same(one, other)


def test_share_keeps_apart_what_only_looks_alike():
    class Mine(pg.Custom):
        def compute(self, x):
            return x + 1

    def f(x):
        return [
            pg.sum(x, axis=0) - pg.sum(x, axis=1)[0],
            x[0:1] - x[1:2],
            pg.cast(x, pg.float32) + pg.cast(pg.cast(x, pg.float64), pg.float64),
            Mine(x) + Mine(x),
            pg.uniform(2, seed=1) + pg.uniform(2, seed=2),
            pg.leaky_relu(x, slope=0.1) - pg.leaky_relu(x, slope=0.2),
            x * 1 + x * 1.0 + pg.cast(x, int) * 1,
        ]

    program = common_subexpressions(program_of(f, X))
    assert names(program).count("sum") == 2
    assert names(program).count("mine") == 2
    assert names(program).count("uniform") == 2
    assert names(program).count("leaky_relu") == 2


def test_share_keeps_constants_of_other_shapes_and_dtypes_apart():
    zeros = [np.zeros(()), np.zeros(1), np.zeros((1, 1)), np.zeros((), np.int64), np.array(-0.0)]
    program = program_of(lambda x: [pg.add(zero, zero) for zero in zeros], X)
    found = run(common_subexpressions(program), X)
    for zero, one in zip(zeros, found, strict=True):
        assert_same(one, zero)
        assert_same(np.signbit(one), np.signbit(zero))


def test_share_merges_equal_constants_of_any_size():
    rows = [np.arange(300.0), np.arange(300.0), np.arange(1.0, 301.0), np.arange(300.0)]
    program = common_subexpressions(program_of(lambda x: [pg.exp(row) for row in rows], X))
    one, other, last, again = program.outputs
    assert one is other is again
    assert last is not one
    assert_same(run(program, X)[2], np.exp(rows[2]))


def test_share_keeps_attributes_apart_that_compare_equal():
    class Times(pg.Elementwise):
        def f(m, x, *, k):
            return x * k[0]

    zeros = [0.0, -0.0, np.float32(0.0), np.float32(-0.0), 0]
    program = program_of(lambda x: [Times(x, k=(zero,)) for zero in zeros], X)
    for zero, one in zip(zeros, run(common_subexpressions(program), X), strict=True):
        assert_same(np.signbit(one), np.signbit(X * zero))


def test_share_merges_one_random_operation_with_itself_alone():
    def f(x):
        u = pg.uniform(3, seed=1)
        return [u + u, u * 2.0]

    one, other = run(common_subexpressions(program_of(f, X)), X)
    assert_same(one, other)


# -------------------------------------------------------------------------------- stabilise


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("f", "form"),
    [
        (lambda x: pg.log(pg.softmax(x, axis=0)), "log_softmax"),
        (lambda x: pg.log(pg.sigmoid(x)), "softplus"),
        (lambda x: pg.log(1 + pg.exp(x)), "softplus"),
        (lambda x: pg.log1p(pg.exp(x)), "softplus"),
        (lambda x: pg.log(pg.sum(pg.exp(x), axis=0, keepdims=True)), "logsumexp"),
    ],
)
def test_stabilise_prefers_the_stable_form(f, form):
    program = program_of(f, X)
    stable = stabilise(program)
    assert form in names(stable)
    assert "log" not in names(stable)
    assert_close(run(stable, X)[0], run(program, X)[0])
    assert np.isfinite(run(stable, 500 * X)[0]).all()


def shifted(x: Any, top: Any, shift: Any, **given: Any) -> Any:
    return shift + pg.log(pg.sum(pg.exp(x - top), **given))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: shifted(x, pg.max(x), pg.max(x)),
        lambda x: shifted(x, pg.stop_gradient(pg.max(x)), pg.max(x)),
        lambda x: shifted(x, pg.max(x, 0), pg.max(x, 0), axis=0),
        lambda x: shifted(x, *2 * (pg.max(x, 1, keepdims=True),), axis=1, keepdims=True),
        lambda x: shifted(x, pg.max(x, 1)[:, None], pg.max(x, 1), axis=1),
    ],
)
@pytest.mark.parametrize("order", [0, 1])
def test_a_logsumexp_that_is_written_with_its_maximum_has_one(f, order):
    x = pg.placeholder((2, 3), dtype="float64")
    y = f(x) if order == 0 else pg.gradients(pg.sum(f(x) ** 2), x)
    program = optimise(specialise([y], {x: (X.shape, X.dtype)}))
    assert names(program).count("max") == 1
    plain = specialise([y], {x: (X.shape, X.dtype)})
    assert_close(run(program, X)[0], run(plain, X)[0])
    assert np.isfinite(run(program, 500 * X)[0]).all()


@pytest.mark.parametrize(
    "f",
    [
        lambda x: shifted(x, pg.max(x, 0), pg.max(x), axis=0),  # another maximum is added
        lambda x: shifted(x, pg.max(x, 1)[:, None], pg.max(x, 1)[:, None], axis=1),  # (2, 2)
        lambda x: shifted(x, pg.max(x, 0), pg.max(x, 0)),
        lambda x: shifted(x, pg.max(2 * x), pg.max(2 * x)),
        lambda x: shifted(x, pg.min(x), pg.min(x)),
    ],
)
def test_other_shifts_are_kept(f):
    program = program_of(f, X)
    kept = program_of(f, X)
    assert_close(run(optimise(program), X)[0], run(kept, X)[0])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: pg.log(2 + pg.exp(x)),
        lambda x: pg.log(pg.sum(x, axis=0)),
        lambda x: pg.log2(pg.sigmoid(x)),
        lambda x: pg.log(1 + pg.exp2(x)),
    ],
)
def test_stabilise_leaves_other_logarithms_alone(f):
    program = program_of(f, np.abs(X))
    assert names(stabilise(program)) == names(program)


# -------------------------------------------------------------------------------- all of them


def busy(x: Any) -> Any:
    """A bit of everything: composites, gradients, random numbers, moves, splits, constants."""
    one, two = pg.split(pg.log(pg.softmax(x, axis=-1)), sizes=[1, 2], axis=1)
    y = pg.sum(one * 1.0, axis=0) + pg.std(two.mT.mT**2, axis=1) * pg.exp(pg.tensor(1.0))
    dropped = pg.dropout(x, 0.5, seed=3)
    return [y, pg.gradients(pg.sum(y), x), dropped, pg.outer(x[0], x[1]) + 0 * pg.mean(x)]


@pytest.mark.tiny
@pytest.mark.parametrize("one", dict.fromkeys(pipeline.PASSES), ids=lambda one: one.__name__)
def test_a_pass_keeps_values_feeds_and_what_it_is_given(one):
    program = program_of(busy, X)
    before, expected = texts(program), run(program, X)
    after = one(program)
    assert texts(program) == before
    assert after.feeds == program.feeds
    assert [(y.shape, y.dtype) for y in after.outputs] == [
        (y.shape, y.dtype) for y in program.outputs
    ]
    verify(after.roots)
    for found, wanted in zip(run(after, X), expected, strict=True):
        assert_close(found, wanted)


def test_dead_nodes_are_gone():
    program = program_of(lambda x: [x * 2.0, pg.exp(x)], X)
    kept = Program(program.feeds, program.outputs[:1])
    assert names(optimise(kept)) == ["multiply"]


def test_a_rewritten_node_is_the_same_operation_on_other_inputs():
    x, y = pg.placeholder((2, 3)), pg.placeholder((2, 3))
    z = pg.placeholder((4, 3))
    with pg.name_scope("here"):
        total = pg.sum(x, axis=1, keepdims=True, name="total")
    other = total.rewired([y])
    assert (type(other), other.inputs, other.attributes) == (type(total), (y,), total.attributes)
    assert (other.axis, other.name, other.origin) == (1, "here/total", total.origin)
    assert (other.shape, other.dtype) == ((2, 1), total.dtype)
    assert total.rewired([z]).shape == (4, 1)  # of another shape, which is inferred


def test_a_rewritten_composite_is_expanded_anew():
    x, y = pg.placeholder((2, 3)), pg.placeholder((2, 3))
    made = pg.softmax(x)
    assert x in pg.postorder(made.expansion)
    assert y in pg.postorder(made.rewired([y]).expansion)


def test_a_programs_order_and_kinds_are_those_of_its_nodes():
    v = pg.Variable(2.0)
    x = np.ones(3, np.float32)
    for f in (lambda x: (x * 2, pg.exp(x)), lambda x: (x + v, v.assign(pg.sum(x)))[0]):
        program = pg.function(f).trace(x).program
        for one in (program, optimise(program)):
            order = postorder(*one.roots)
            assert len(one.order) == len(order)
            assert all(a is b for a, b in zip(one.order, order, strict=True))
            assert one.kinds == {type(node) for node in order}
    assert program.has(pg.Variable)
    assert not program.has(Composite)
