"""Checks of results: rules, engines, styles, memory layouts, dtypes, arrays without elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array, is_floating
from ..errors import PalingradError, ShapeError
from ..functions import function
from ..graph.graph import Graph
from ..graph.kinds import Random
from ..graph.leaves import placeholder
from ..graph.node import Node
from ..graph.promotion import tensor
from ..graph.registry import is_shipped
from .case import (
    Case,
    Drawn,
    SharedProgram,
    backwards,
    by_columns,
    compiled_together,
    drawn_together,
    eager,
    floats,
    followed,
    stepped,
    values,
)
from .checks import FLOATS, Subject, each, together
from .tolerances import assert_close, assert_same, require

OTHER_DTYPES = tuple(map(np.dtype, ("float16", "int32", "int64", "uint8", "bool")))


@each
def rules_tell_shape_and_dtype(case: Case) -> None:
    """What shape and dtype rule say before computing is what computing gives."""
    for dtype in FLOATS:
        arrays = case.arrays(dtype)
        actual = case.outputs(*map(tensor, arrays))
        with Graph():
            known = case.outputs(*[placeholder(a.shape, dtype=a.dtype) for a in arrays])
        for node, result in zip(known, values(actual), strict=True):
            require(node.shape == result.shape, f"rule {node.shape}, result {result.shape}")
            require(node.dtype == result.dtype, f"rule {node.dtype}, result {result.dtype}")
        for node, result in zip(_of_unknown_sizes(case, arrays), values(actual), strict=False):
            said = f"rule {node.dtype}, result {result.dtype}"
            require(node.dtype in (None, result.dtype), said)
            if node.shape is not None:
                said = f"rule {node.shape}, result {result.shape}"
                require(len(node.shape) == result.ndim, said)
                pairs = zip(node.shape, result.shape, strict=True)
                require(all(a in (None, b) for a, b in pairs), said)


def _of_unknown_sizes(case: Case, arrays: Sequence[Array]) -> list[Node]:
    with Graph():
        xs = [placeholder((None,) * a.ndim, dtype=a.dtype) for a in arrays]
        try:
            return case.outputs(*xs)
        except ShapeError as error:
            if "isn't known yet" in str(error):
                return []
            raise


@together
def engines_agree(subject: Subject) -> None:
    """Every engine computes what NumPy computes at once: results and gradients, in both dtypes."""
    expected = subject.drawn[2]
    for engine in subject.engines:
        for one, other in zip(subject.run(engine)[1], expected, strict=True):
            assert_close(one, other, engine)


@together
def styles_agree(subject: Subject) -> None:
    """A graph of known shapes and dtypes, and a function, compute what NumPy computes at once."""
    if "numpy" not in subject.engines:
        return
    drawn, fed, expected = subject.drawn
    run = compiled_together(drawn, "numpy", template=False)
    for one, other in zip(run(fed), expected, strict=True):
        assert_close(one, other, "shapes and dtypes are known")

    def outputs(*arrays: Any) -> list[Node]:
        given = iter(arrays)
        return [y for case, xs, _ in drawn for y in case.outputs(*[next(given) for _ in xs])]

    computed = [y.numpy() for _, _, ys in drawn for y in ys]
    traced = function(outputs, engine="numpy")(*fed)
    for one, other in zip(traced, computed, strict=True):
        assert_close(one, other, "function")


@together
def layout_does_not_matter(subject: Subject) -> None:
    """Strided, reversed and column-major inputs give what contiguous ones give."""
    for case in subject.cases:
        arrays = case.arrays()
        expected = values(case.outputs(*arrays))
        views = case.outputs(*[tensor(followed(array))[..., 0] for array in arrays])
        for one, other in zip(values(views), expected, strict=True):
            assert_close(one, other, "views")
    _, fed, expected = subject.drawn
    for engine in subject.compilers:
        run = subject.program(engine)
        for layout in (by_columns, stepped, backwards):
            for one, other in zip(run(list(map(layout, fed))), expected, strict=True):
                assert_close(one, other, f"{engine}, {layout.__name__}")


@together
def nothing_is_written_to(subject: Subject) -> None:
    """Feeds are left alone and never handed out again; inputs and results are read-only.

    The first case of an operation is a Program of its own too, of this and its gradients.
    """
    for engine in subject.engines:
        fed, results = subject.run(engine)  # which `engines_agree` compares
        _assert_untouched(fed, subject.drawn[1], results)
    for drawn, before, expected in [
        drawn_together([(one, FLOATS[1:])]) for one in subject.first(1)
    ]:
        alone = SharedProgram(drawn)
        for engine in subject.compilers:
            fed = [array.copy() for array in before]
            results = alone.run(engine, fed)
            _assert_untouched(fed, before, results)
            for one, other in zip(results, expected, strict=True):
                assert_close(one, other, engine)
    for case in subject.cases:
        arrays = case.arrays()
        before = [array.copy() for array in arrays]
        nodes = case.outputs(*arrays)
        _assert_untouched(arrays, before, values(nodes))
        for x in nodes[0].inputs:
            parts: Any = x.value if isinstance(x.value, tuple) else (x.value,)
            for value in parts:
                require(not value.flags.writeable, "an input could be written to")


def _assert_untouched(
    arrays: Sequence[Array], before: Sequence[Array], results: Sequence[Array]
) -> None:
    for array, old in zip(arrays, before, strict=True):
        require(array.flags.writeable, "a feed was made read-only")
        assert_same(array, old, "a feed was changed")
        for result in results:
            require(not np.shares_memory(array, result), "a result shares memory with a feed")
    for result in results:
        require(not result.flags.writeable, "a result could be written to")


@each
def other_dtypes_follow_the_rule(case: Case) -> None:
    """With half floats, integers and booleans the rule tells the dtype, or no node is made."""
    for dtype in OTHER_DTYPES if varies(case) else ():
        arrays = case.arrays(dtype)
        try:
            actual = case.outputs(*map(tensor, arrays))
        except PalingradError:
            actual = None
        except np.linalg.LinAlgError:
            continue  # rounded to integers, the sample's matrix is singular
        with Graph():
            inputs = [placeholder(a.shape, dtype=a.dtype) for a in arrays]
            known = outputs_or_refusal(case, inputs)
        said = f"{dtype}: {known}, but computed {actual}"
        require((actual is None) == (known is None), said)
        for node, result in zip(known or (), actual or (), strict=True):
            require(
                (node.shape, node.dtype) == (result.shape, result.dtype),
                f"{dtype}: rule {node.shape} {node.dtype}, result {result.shape} {result.dtype}",
            )


def varies(case: Case) -> bool:
    """Whether the floats of a case may be drawn in other dtypes."""
    reals = any(is_floating(x.dtype) for x in case.arrays())
    return case.sample.smooth and not case.chooses_dtype and reals


def outputs_or_refusal(case: Case, inputs: Sequence[Any]) -> list[Node] | None:
    """The outputs, or None where the operation refuses the inputs or their values."""
    try:
        return case.outputs(*inputs)
    except (PalingradError, np.linalg.LinAlgError):
        return None


@together
def empty_arrays_agree(subject: Subject) -> None:
    """Arrays without elements give results and gradients of the right shape, alike on all engines.

    Each size that occurs in one of the first two samples is made 0 in turn. What eager code
    refuses, a function refuses with the same kind of error; the library's own operations refuse
    only with errors that say why.
    """
    drawn: list[Drawn] = []
    fed: list[Array] = []
    expected: list[Array] = []
    for case, arrays in emptied(subject):
        try:
            xs, ys, slopes = eager(case, arrays)
        except Exception as error:
            if is_shipped(case.operation) and not isinstance(error, (PalingradError, IndexError)):
                raise
            _refused_alike(case, arrays, error, subject.engines)
            continue
        for x, slope in zip(floats(xs), slopes):
            said = f"gradient {slope.shape} {slope.dtype} of an input {x.shape} {x.dtype}"
            require((slope.shape, slope.dtype) == (x.shape, x.dtype), said)
        drawn.append((case, xs, ys))
        fed += arrays
        expected += values([*ys, *slopes])
    shared = SharedProgram(drawn)
    for engine in subject.compilers if drawn else ():
        found = shared.run(engine, fed)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other, f"{engine}, without elements")


def emptied(subject: Subject) -> list[tuple[Case, list[Array]]]:
    """The first two cases of each operation with each size that they have made 0 in turn."""
    found: list[tuple[Case, list[Array]]] = []
    for case in subject.first(2):
        if issubclass(case.operation, Random):  # whose state isn't data
            continue
        arrays = case.arrays(np.float32)
        for size in sorted({one for array in arrays for one in array.shape if one}):
            found.append((case, [_without(array, size) for array in arrays]))
    return found


def _without(array: Array, size: int) -> Array:
    """`array` with its axes of `size` made empty."""
    shape = tuple(0 if one == size else one for one in array.shape)
    return array if shape == array.shape else np.zeros(shape, array.dtype)


def _refused_alike(
    case: Case, arrays: Sequence[Array], error: Exception, engines: Sequence[str]
) -> None:
    for engine in engines:
        try:
            function(lambda *a: case.outputs(*a), engine=engine)(*arrays)
        except type(error):
            continue
        shapes = [array.shape for array in arrays]
        raise AssertionError(f"{engine} accepts {shapes}, which eager code refuses: {error}")
