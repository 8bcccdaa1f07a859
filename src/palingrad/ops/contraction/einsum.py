"""Einstein summation over labelled axes, as pairwise contractions in a good order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from ...dtypes import int32, is_boolean, is_floating
from ...errors import ArgumentError
from ...graph.describe.notation import applied, operator
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case
from ...messages.checks import flag, shown
from ...shapes import sizes
from ..reduction.axes import narrowed, widened
from .pairs import Term, contracted
from .subscripts import LETTERS, Labels, from_sublists, labels_of, sizes_of, written

Path = tuple[tuple[int, ...], ...]  # which of the terms that are left are contracted in each step

_OPTIMAL_UP_TO = 5  # operands: the search of all orders takes milliseconds; beyond, greedy


class Einsum(Composite):
    """y = Σ x₀·x₁·… over the axes whose labels aren't in the output, by NumPy's subscripts.

    Axes of one label are multiplied along each other; in one operand they are its diagonal. The
    sum is made of pairwise contractions, each a matrix product, a product or a sum; `order` is
    "optimal", "greedy", "given" (from left to right) or a path of positions as from
    `numpy.einsum_path`.
    """

    math = r"\operatorname{einsum}({x}, \dots)"
    samples = [
        case((2, 3), (3, 4), subscripts="ij,jk->ki", order="optimal"),
        case((2, 3), (3, 2), (2,), subscripts="ij,ji,i", order="optimal"),
        case((2, 3, 3), (2, 1), subscripts="...ii,...i->...", order="optimal"),
        case((2, 3), (2, 4), (2, 3, 4), subscripts="bi,bj,bij->b", order="greedy"),
        case((3, 2), subscripts="ij->j", order="given"),
        case((2,), (3,), (1, 2), subscripts="i,j,ki->ijk", order=((0, 2), (0, 1))),
    ]

    def shape_rule(y, *shapes):
        operands, output = labels_of(y.attributes["subscripts"], list(map(len, shapes)))
        dims = sizes_of(operands, shapes)
        return tuple(dims[label] for label in output)

    def expand(y, *xs):
        shapes = [sizes(x.shape) for x in xs]
        operands, output = labels_of(y.subscripts, list(map(len, shapes)))
        dims = sizes_of(operands, shapes)
        dtype = xs[0].dtype
        terms: list[Term] = []
        for x, labels in zip(xs, operands, strict=True):
            x = ops.cast(x, int32) if is_boolean(dtype) else widened_floats(x)
            terms.append(Term(x, labels).diagonal().squeezed(dims))
        for step in _path(terms, output, y.order):
            chosen = [terms[place] for place in sorted(set(step))]
            terms = [term for place, term in enumerate(terms) if place not in step]
            total = chosen[0]
            for count, other in enumerate(chosen[1:], 2):
                kept = {*output, *chain(*(term.labels for term in [*terms, *chosen[count:]]))}
                total = contracted(total, other, kept)
            terms.append(total)
        (last,) = terms
        result = last.summed(output).in_order(output).x
        if is_boolean(dtype):
            return result != 0
        return narrowed(result, dtype)

    def notation(y, *x):
        places = y.subscripts.replace("->", r" \to ").replace("...", r"\dots ")
        return applied(f"{operator('einsum')}_{{{places}}}", x)

    def structure(y, position, size, out):
        return "sums of products of the other operands"


def widened_floats(x: Any) -> Any:
    """x in the dtype in which products of floats are accumulated; integers wrap around."""
    return widened(x) if is_floating(x.dtype) else x


def _path(terms: Sequence[Term], output: Labels, order: Any) -> Path:
    """The steps of the contraction, each of which appends its result to the terms that are left."""
    if isinstance(order, tuple):
        done = len(terms) - sum(len(set(step)) - 1 for step in order)
        return order if done <= 1 else (*order, tuple(range(done)))
    everything = tuple(range(len(terms)))
    labels = dict.fromkeys(chain(*(term.labels for term in terms), output))
    if len(terms) <= 2 or order == "given" or len(labels) > len(LETTERS):
        return (everything,)
    letter = dict(zip(labels, LETTERS))  # einsum_path takes letters only
    inputs = ",".join("".join(letter[label] for label in term.labels) for term in terms)
    result = "".join(letter[label] for label in output)
    shapes: list[Any] = [np.broadcast_to(np.float32(0), term.x.shape) for term in terms]
    search = "greedy" if len(terms) > _OPTIMAL_UP_TO else order
    path = np.einsum_path(f"{inputs}->{result}", *shapes, optimize=search)[0]
    return tuple(tuple(step) for step in path[1:])


@register
def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    optimize: Any = True,
    dtype: Any = None,
    name: str | None = None,
) -> Node:
    """y = Σ x₀·x₁·… over the axes whose labels aren't in the output, by NumPy's subscripts.

    In "ij,jk->ik" each letter labels an axis of an operand or of the output; axes of one label
    are multiplied along each other. "..." stands for axes that broadcast, a label that an operand
    repeats for its diagonal. Without "->" the output has the letters that occur once, sorted.
    Operands and lists of integers may alternate instead: einsum(x, [0, 1], y, [1, 2], [0, 2]).

    The order of the pairwise contractions is chosen for the fewest products, by `optimize`: True
    or "optimal", "greedy" (which is faster to find), False for the order given, or a path of
    `numpy.einsum_path`. Raises ShapeError for sizes that differ, ArgumentError for subscripts
    that mean nothing.

    >>> import numpy as np, palingrad as pg
    >>> pg.einsum("ij,ij->i", np.eye(2), [[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([1., 4.])
    """
    if isinstance(subscripts, str):
        given, plain = list(operands), subscripts
    elif len(operands) and isinstance(operands[0], (list, tuple)):
        given, plain = from_sublists([subscripts, *operands])
    else:
        raise ArgumentError(
            f"einsum: the first argument is {shown(subscripts)}, not subscripts.",
            hint="Write pg.einsum('ij,jk->ik', x, y).",
        )
    plain = written(plain, len(given))
    if dtype is not None:
        given = [ops.cast(x, dtype) for x in given]
    return Einsum(*given, subscripts=plain, order=_order(optimize, len(given)), name=name)


def _order(optimize: Any, count: int) -> Any:
    """The attribute `order` for NumPy's `optimize`."""
    if isinstance(optimize, str) and optimize in ("greedy", "optimal"):
        return optimize
    if isinstance(optimize, (list, tuple)):
        steps = list(optimize)
        if steps[:1] in (["optimal"], ["greedy"]):  # with a limit of memory, as in NumPy
            return steps[0]
        if steps[:1] == ["einsum_path"]:
            steps = steps[1:]
        return _checked(steps, count)
    try:
        return "optimal" if flag("einsum: optimize", optimize) else "given"
    except ArgumentError as error:
        hint = "Write optimize=True, 'greedy', 'optimal' or a path of np.einsum_path."
        raise ArgumentError(error.fact, hint=hint) from None


def _checked(steps: Sequence[Any], count: int) -> Path:
    path: list[tuple[int, ...]] = []
    left = count
    for step in steps:
        fits = isinstance(step, (list, tuple)) and len(step) > 0
        if not fits or not all(isinstance(n, int) and 0 <= n < left for n in step):
            raise ArgumentError(
                f"einsum: step {step!r} of optimize doesn't name some of {left} terms.",
                hint="Write a path as np.einsum_path returns it: ['einsum_path', (0, 1), (0, 1)].",
            )
        left -= len(set(step)) - 1
        path.append(tuple(step))
    return tuple(path)
