"""The proof battery: what every operation must do, checked on the samples that it brings.

`prove(operation)` raises AssertionError or GradientError where an operation is wrong. It takes a
user's own operation as well as a built-in one. Each check is a function of all `Case`s of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

import numpy as np

import palingrad as pg
from cases import (
    Array,
    Case,
    along,
    backwards,
    by_columns,
    compiled,
    dtypes,
    eager,
    floats,
    followed,
    is_float,
    of_floats,
    stepped,
    summed_to,
    together,
    values,
    weighted_sum,
    weights,
)
from laws import a_reduction_is_made_of_its_parts as of_its_parts
from palingrad.errors import GradientError, PalingradError, ShapeError
from palingrad.graph.kinds import Composite, Elementwise, Random
from palingrad.graph.operation import Operation
from palingrad.graph.registry import operations
from tolerances import assert_close, assert_same

Check = Callable[[Sequence[Case]], None]
MOST_DIRECTIONS = 12  # of one input, that second derivatives are taken along
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def shipped() -> list[type[Operation]]:
    """Every operation of the library that computes something, not the bases that they share."""
    return [
        operation
        for operation in operations.values()
        if operation.__module__.startswith("palingrad.") and _computes(operation)
    ]


def _computes(operation: type[Operation]) -> bool:
    return (
        operation.f is not Operation.f
        or getattr(operation, "expand", None) not in (None, Composite.expand)
        or operation.compute not in (Operation.compute, Composite.compute)
    )


def prove(operation: type[Operation]) -> None:
    """Raise AssertionError or GradientError unless `operation` passes every check."""
    assert operation.samples, f"{operation.__name__} has no samples"
    for check in CHECKS:
        examine(operation, check)


def examine(operation: type[Operation], check: Check, engines: Sequence[str] = ()) -> None:
    """Raise AssertionError or GradientError unless `operation` passes one check on its samples,
    on these engines or else on all."""
    engines = engines or pg.engine_names()
    check([Case(operation, sample, engines) for sample in operation.samples])


@contextmanager
def told(case: Case, check: str) -> Iterator[None]:
    """What goes wrong is an AssertionError or a GradientError that says where."""
    where = f"{case.operation.__name__} {case.sample.text}: {check}"
    try:
        yield
    except (AssertionError, GradientError) as error:
        error.add_note(where)
        raise
    except Exception as error:
        raise AssertionError(f"{where}: {error!r}") from error


def of_each(check: Callable[[Case], None]) -> Check:
    """A check of one case as a check of one after the other."""

    @wraps(check)
    def of_all(cases: Sequence[Case]) -> None:
        for case in cases:
            with told(case, check.__name__):
                check(case)

    return of_all


def of_all(check: Check) -> Check:
    """A check of all cases in one Program, for compiling takes longest. Where it fails, each case
    is looked at alone, so that the message tells which it was."""

    @wraps(check)
    def then_each(cases: Sequence[Case]) -> None:
        try:
            check(cases)
        except Exception:
            for case in cases:
                with told(case, check.__name__):
                    check([case])
            with told(cases[0], f"{check.__name__}, but only together with the other samples"):
                raise

    return then_each


# -------------------------------------------------------------------------------- checks


@of_each
def rules_tell_shape_and_dtype(case: Case) -> None:
    """What shape and dtype rule say before computing is what computing gives."""
    for dtype in FLOATS:
        arrays = case.arrays(dtype)
        actual = case.outputs(*map(pg.tensor, arrays))
        with pg.Graph():
            known = case.outputs(*[pg.placeholder(a.shape, dtype=a.dtype) for a in arrays])
        for node, result in zip(known, values(actual), strict=True):
            assert node.shape == result.shape, f"rule {node.shape}, result {result.shape}"
            assert node.dtype == result.dtype, f"rule {node.dtype}, result {result.dtype}"
        for node, result in zip(_of_unknown_sizes(case, arrays), values(actual), strict=False):
            assert node.dtype in (None, result.dtype), f"rule {node.dtype}, result {result.dtype}"
            if node.shape is not None:
                assert len(node.shape) == result.ndim, f"rule {node.shape}, not {result.shape}"
                fits = all(a in (None, b) for a, b in zip(node.shape, result.shape, strict=True))
                assert fits, f"rule {node.shape}, result {result.shape}"


def _of_unknown_sizes(case: Case, arrays: Sequence[Array]) -> list[pg.Node]:
    with pg.Graph():
        xs = [pg.placeholder((None,) * a.ndim, dtype=a.dtype) for a in arrays]
        try:
            return case.outputs(*xs)
        except ShapeError as error:
            if "isn't known yet" in str(error):
                return []
            raise


@of_all
def engines_agree(cases: Sequence[Case]) -> None:
    """Every engine computes what NumPy computes at once: results and gradients, in both dtypes."""
    shared = together([(case, FLOATS) for case in cases])
    for engine in cases[0].engines:
        results = shared.compiled(engine)(shared.fed)
        for one, other in zip(results, shared.expected, strict=True):
            assert_close(one, other, engine)


@of_each
def styles_agree(case: Case) -> None:
    """A graph of known shapes and dtypes, and a function, compute what NumPy computes at once."""
    for dtype in FLOATS if "numpy" in case.engines else ():
        arrays = case.arrays(dtype)
        xs, ys, slopes = eager(case, arrays)
        expected = values([*ys, *slopes])
        found = compiled(case, xs, ys, "numpy", template=False)(arrays)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other, "shapes and dtypes are known")
        traced = pg.function(lambda *a: case.outputs(*a), engine="numpy")(*arrays)
        for one, other in zip(traced, expected[: len(ys)], strict=True):
            assert_close(one, other, "function")


@of_each
def derivatives_are_slopes(case: Case) -> None:
    """Reverse mode agrees with central differences, in float64, first and second order.

    The second derivatives of large inputs are taken along a few directions, for a difference of
    gradients is taken for each element.
    """
    arrays = case.arrays()
    if case.sample.smooth and all(map(_has_differences, arrays)):
        f, steps = along(case.outputs, arrays, MOST_DIRECTIONS)
        if steps is arrays:
            pg.check_gradients(f, *arrays, order=2)
        else:
            pg.check_gradients(case.outputs, *arrays, order=1)
            pg.check_gradients(f, *steps, order=2)


def _has_differences(array: Array) -> bool:
    """Whether central differences can be taken: not at infinity, nor where steps are too wide."""
    return array.dtype.kind != "f" or bool(np.all(np.abs(array) < 100))


@of_each
def forward_is_the_transpose_of_reverse(case: Case) -> None:
    """g·(J t) = (gᵀJ)·t, and J t has the shape and dtype of the result."""
    for dtype in FLOATS:
        f, floats = of_floats(case, case.arrays(dtype))
        ys, pull = pg.vjp(f, *floats)
        if not floats or not ys:
            continue
        rng = np.random.default_rng(1)
        ts = [rng.uniform(-1, 1, x.shape).astype(dtype) for x in floats]
        pushed = pg.jvp(f, floats, ts)[1]
        for y, t in zip(ys, pushed, strict=True):
            assert (t.shape, t.dtype) == (y.shape, y.dtype), "a tangent differs from its result"
        gs = [weights(y) for y in ys]
        left, right = _inner(gs, pushed), _inner(pull(gs), ts)
        if np.isfinite(left) and np.isfinite(right):
            assert_close(dtype.type(left), dtype.type(right), "forward, reverse")


@np.errstate(all="ignore")
def _inner(xs: Sequence[Any], ys: Sequence[Any]) -> float:
    return sum(float(np.sum(x * y, dtype=np.float64)) for x, y in zip(xs, ys, strict=True))


@of_each
def gradients_keep_shape_and_dtype(case: Case) -> None:
    """A gradient is like its input, and no float on its way is wider or narrower than the input."""
    for dtype in FLOATS:
        xs, ys, first = eager(case, case.arrays(dtype))
        second = pg.gradients(weighted_sum(first, first), floats(xs)) if first else []
        for slopes in (first, second):
            for x, g in zip(floats(xs), slopes):
                assert g.shape == x.shape, f"gradient {g.shape} of an input {x.shape}"
                assert g.dtype == x.dtype, f"gradient {g.dtype} of an input {x.dtype}"
        if case.chooses_dtype or not floats(xs):
            continue
        for node in [*ys, *_on_the_way([*first, *second])]:
            if is_float(node) and not isinstance(node, Random):
                assert set(dtypes(node)) == {dtype}, f"{node.label()}: {node.dtype} among {dtype}"


def _on_the_way(nodes: Sequence[pg.Node]) -> list[pg.Node]:
    """The nodes that numbers reach `nodes` through: what decides a comparison isn't among them."""
    return pg.postorder(*nodes, inputs=lambda node: node.inputs if is_float(node) else ())


@of_each
def inputs_may_be_related(case: Case) -> None:
    """An input that comes twice counts twice, and one that depends on another counts once more."""
    arrays = case.arrays()
    places = [place for place, x in enumerate(arrays) if x.dtype.kind == "f"]
    pairs = [(i, j) for i in places for j in places if i < j and arrays[i].shape == arrays[j].shape]
    for i, j in pairs[:1]:
        for factor in (1.0, 0.5):
            apart = list(map(pg.tensor, arrays))
            apart[j] = pg.tensor(factor * arrays[i])
            ys = case.outputs(*apart)
            if not any(map(is_float, ys)):
                return
            one, other = pg.gradients(weighted_sum(ys, ys), [apart[i], apart[j]])
            x = apart[i]
            related: list[Any] = list(apart)
            related[j] = x if factor == 1 else x * factor
            ys = case.outputs(*related)
            found = pg.gradients(weighted_sum(ys, ys), x)
            assert_close(found.numpy(), (one + factor * other).numpy(), f"inputs {i} and {j}")


@of_each
def broadcasting_is_undone(case: Case) -> None:
    """Elementwise: small inputs give what inputs broadcast by hand give, gradients summed back.

    The shapes are pairs, scalars and empty arrays.
    """
    arrays = case.arrays()
    if not issubclass(case.operation, Elementwise) or any(not array.size for array in arrays):
        return
    for pattern in (((3, 1), (4,)), ((), (2, 3)), ((2, 1), (0,)), ((), ())):
        small = [np.resize(array, pattern[place % 2]) for place, array in enumerate(arrays)]
        wide = [np.array(array) for array in np.broadcast_arrays(*small)]
        xs, ys, slopes = eager(case, small)
        _, wide_ys, wide_slopes = eager(case, wide)
        for one, other in zip(values(ys), values(wide_ys), strict=True):
            assert_close(one, other, f"broadcast {pattern}")
        for x, one, other in zip(floats(xs), slopes, wide_slopes):
            assert_close(one.numpy(), summed_to(other.numpy(), x.shape), f"gradient {pattern}")


@of_all
def layout_does_not_matter(cases: Sequence[Case]) -> None:
    """Strided, reversed and column-major inputs give what contiguous ones give."""
    for case in cases:
        arrays = case.arrays()
        expected = values(case.outputs(*arrays))
        views = case.outputs(*[pg.tensor(followed(array))[..., 0] for array in arrays])
        for one, other in zip(values(views), expected, strict=True):
            assert_close(one, other, "views")
    shared = together([(case, FLOATS) for case in cases])
    for engine in cases[0].engines:
        for layout in (by_columns, stepped, backwards):
            results = shared.compiled(engine)(list(map(layout, shared.fed)))
            for one, other in zip(results, shared.expected, strict=True):
                assert_close(one, other, f"{engine}, {layout.__name__}")


@of_all
def nothing_is_written_to(cases: Sequence[Case]) -> None:
    """Feeds are left alone and never handed out again; inputs and results are read-only.

    The first case is a Program of its own too, of one operation and its gradients.
    """
    for some, kinds in ((cases, FLOATS), (cases[:1], FLOATS[1:])):
        shared = together([(case, kinds) for case in some])
        before = [array.copy() for array in shared.fed]
        for engine in cases[0].engines:
            results = shared.compiled(engine)(shared.fed)
            _assert_untouched(shared.fed, before, results)
            for one, other in zip(results, shared.expected, strict=True):
                assert_close(one, other, engine)
    for case in cases:
        arrays = case.arrays()
        before = [array.copy() for array in arrays]
        nodes = case.outputs(*arrays)
        _assert_untouched(arrays, before, values(nodes))
        for x in nodes[0].inputs:
            for value in x.value if isinstance(x.value, tuple) else (x.value,):
                assert not value.flags.writeable, "an input could be written to"


def _assert_untouched(
    arrays: Sequence[Array], before: Sequence[Array], results: Sequence[Array]
) -> None:
    for array, old in zip(arrays, before, strict=True):
        assert array.flags.writeable, "a feed was made read-only"
        assert_same(array, old, "a feed was changed")
        for result in results:
            assert not np.shares_memory(array, result), "a result shares memory with a feed"
    for result in results:
        assert not result.flags.writeable, "a result could be written to"


@of_each
def other_dtypes_follow_the_rule(case: Case) -> None:
    """With half floats, integers and booleans the rule tells the dtype, or no node is made."""
    for dtype in map(np.dtype, ("float16", "int32", "int64", "uint8", "bool")):
        drawn = case.arrays()
        if not case.sample.smooth or case.chooses_dtype or not any(map(is_float, drawn)):
            return
        with np.errstate(all="ignore"):
            arrays = [x.astype(dtype) if is_float(x) else x for x in drawn]
        try:
            actual = case.outputs(*map(pg.tensor, arrays))
        except PalingradError:
            actual = None
        try:
            with pg.Graph():
                known = case.outputs(*[pg.placeholder(a.shape, dtype=a.dtype) for a in arrays])
        except PalingradError:
            known = None
        assert (actual is None) == (known is None), f"{dtype}: {known}, but computed {actual}"
        for node, result in zip(known or (), actual or (), strict=True):
            assert (node.shape, node.dtype) == (result.shape, result.dtype), (
                f"{dtype}: rule {node.shape} {node.dtype}, result {result.shape} {result.dtype}"
            )


a_reduction_is_made_of_its_parts = of_each(of_its_parts)

CHECKS = (
    rules_tell_shape_and_dtype,
    engines_agree,
    styles_agree,
    derivatives_are_slopes,
    forward_is_the_transpose_of_reverse,
    gradients_keep_shape_and_dtype,
    inputs_may_be_related,
    broadcasting_is_undone,
    layout_does_not_matter,
    nothing_is_written_to,
    other_dtypes_follow_the_rule,
    a_reduction_is_made_of_its_parts,
)
