"""Numerically stable forms of formulas that overflow or cancel when written naively."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..classes import NamedTuple
from ..dtypes import is_complex
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.registry import ops
from ..shapes import axes_in, size
from .elementwise.activation import Sigmoid
from .elementwise.arithmetic import Add, Divide, Multiply, Pow, Sqrt, Square, Subtract
from .elementwise.complexes import Abs
from .elementwise.discrete import StopGradient
from .elementwise.exponential import Exp, Log, Log1p
from .elementwise.trigonometric import Hypot
from .layout.move import ExpandDims, Reshape, Slice, Squeeze
from .reduction.axes import narrowed, widened
from .reduction.reduce import Max, Sum
from .reduction.softmax import Softmax
from .reduction.statistics import Logsumexp, Std, VectorNorm

_SOFTPLUS = "pg.softplus(x)"


class StableForm(NamedTuple):
    """A stable replacement of a node, computed from the inputs of the nodes in `skipped`."""

    build: Callable[[], Node]
    skipped: tuple[Node, ...]
    instead: str  # the source text to recommend


HAVE_FORMS = frozenset((Log, Log1p, Add))  # of `stable_form`


def stable_form(node: Node) -> StableForm | None:
    """The stable form of `node`, or None if it needs none or none is known.

    log softmax x → log_softmax, log σ(x) → log_sigmoid, log(1 + eˣ) → softplus,
    log Σ eˣ → logsumexp, max x + log Σ e^(x − max x) → logsumexp.
    """
    if type(node) is Add:
        return _of_shifted(node)
    if type(node) in (Log, Log1p) and is_complex(node.dtype):
        return None
    if type(node) is Log:
        return _of_log(node.inputs[0])
    if type(node) is Log1p and type(node.inputs[0]) is Exp:
        inner = node.inputs[0]
        return StableForm(lambda: ops.softplus(inner.inputs[0]), (inner,), _SOFTPLUS)
    return None


MAY_HAVE_FORMS = frozenset((Square, Pow, Multiply, Log, Log1p, Add))  # of `differentiable_form`


def differentiable_form(node: Node) -> StableForm | None:
    """The form in which to differentiate `node`: its stable form, or a power without its root.

    (√u)ᵖ → u^½ᵖ for p ≥ 2, and ‖x‖ᵖ → (Σ x²)^½ᵖ, likewise for |x|, hypot and std, for even p. Only
    derivatives are taken from these: their values may differ from the node's, as at √(−0)·√(−0).
    """
    if type(node) in (Square, Pow, Multiply):
        return None if is_complex(node.dtype) else _of_power(node)
    return stable_form(node)


def _of_power(node: Any) -> StableForm | None:
    """(√u)ᵖ as a power of u: the root has no derivative at 0, its powers from the square on have.

    Other powers than even ones of a norm stay as they are: their first two derivatives at 0 are
    right as written, and where Σ x² underflows those of (Σ x²)^½ᵖ would be 0.
    """
    root = node.inputs[0]
    radicand = _RADICANDS.get(type(root))
    if radicand is None:
        return None
    if type(node) is Pow:
        exponent: Any = node.inputs[1].scalar if isinstance(node.inputs[1], Constant) else None
        if exponent is None or not (2 <= exponent < math.inf):
            return None
    elif type(node) is Multiply and not _same(root, node.inputs[1]):
        return None
    else:
        exponent = 2
    if exponent % 2 and type(root) is not Sqrt:
        return None

    def build() -> Node:
        power = radicand(root, *map(widened, root.inputs))
        power = power if exponent == 2 else ops.pow(power, exponent / 2)
        return narrowed(power, node.dtype)

    skipped = node.inputs if type(node) is Multiply else (root,)
    return StableForm(build, skipped, "")


def _same(x: Any, y: Any) -> bool:
    """Whether x and y are one node, or the same operation on the same inputs."""
    if x is y:
        return True
    alike = type(x) is type(y) and x.attributes == y.attributes
    return alike and all(a is b for a, b in zip(x.inputs, y.inputs, strict=True))


_RADICANDS: dict[type, Callable[..., Node]] = {
    Hypot: lambda z, x, y: x * x + y * y,
    Sqrt: lambda y, x: ops.where(x < 0, math.nan, x),
    Std: lambda y, x: ops.var(x, axis=y.axis, keepdims=y.keepdims, correction=y.correction),
    Abs: lambda y, x: _squares(x),
    VectorNorm: lambda y, x: ops.sum(_squares(x), axis=y.axis, keepdims=y.keepdims),
}


def _squares(x: Node) -> Node:
    """|x|², elementwise."""
    return ops.real(x * ops.conj(x)) if is_complex(x.dtype) else ops.multiply(x, x)


def _of_log(inner: Any) -> StableForm | None:
    if type(inner) is Softmax:
        return StableForm(
            lambda: ops.log_softmax(inner.inputs[0], axis=inner.axis),
            (inner,),
            "pg.log_softmax(x) instead of pg.log(pg.softmax(x))",
        )
    if type(inner) is Sigmoid:
        return StableForm(
            lambda: ops.log_sigmoid(inner.inputs[0]),
            (inner,),
            "pg.log_sigmoid(x) instead of pg.log(pg.sigmoid(x))",
        )
    if type(inner) is Sum and type(inner.inputs[0]) is Exp:
        x = inner.inputs[0].inputs[0]
        return StableForm(
            lambda: ops.logsumexp(x, axis=inner.axis, keepdims=inner.keepdims),
            (inner, inner.inputs[0]),
            "pg.logsumexp(x), which doesn't underflow",
        )
    if type(inner) is Add:
        for one, other in (inner.inputs, inner.inputs[::-1]):
            if isinstance(one, Constant) and one.scalar == 1 and type(other) is Exp:
                build = lambda x=other.inputs[0]: ops.softplus(x)  # noqa: E731
                return StableForm(build, (inner, other), _SOFTPLUS)
    return None


def _of_shifted(node: Any) -> StableForm | None:
    """The logsumexp that is written with its shift, m + log Σ exp(x − m) for m = max x: it needs
    no second maximum, and no derivative of the first, whose terms cancel."""
    for shift, log in (node.inputs, node.inputs[::-1]):
        if type(log) not in (Log, Logsumexp) or is_complex(node.dtype):
            continue
        total = log if type(log) is Logsumexp else log.inputs[0]
        between = [log]
        if total is not log:
            if type(total) is not Sum or type(total.inputs[0]) is not Exp:
                continue
            between += [total, total.inputs[0]]
        gap = between[-1].inputs[0]
        if type(gap) is not Subtract or not _is_shift(gap, shift, total, node):
            continue
        x, axis, keepdims = gap.inputs[0], total.axis, total.keepdims
        return StableForm(
            lambda x=x, axis=axis, keepdims=keepdims: ops.logsumexp(
                x, axis=axis, keepdims=keepdims
            ),
            (*between, gap, *_peeled(shift), *_peeled(gap.inputs[1])),
            "pg.logsumexp(x)",
        )
    return None


def _is_shift(gap: Any, shift: Any, total: Any, node: Any) -> bool:
    """Whether gap is x minus its maximum over the axes of `total`, and `shift` that maximum too."""
    x, lowered = gap.inputs
    shapes = [one.shape for one in (x, lowered, shift, total, node, gap)]
    if any(shape is None or None in shape for shape in shapes) or x.shape != gap.shape:
        return False
    axes = axes_in(total.axis, x.ndim)
    line = tuple(1 if axis in axes else n for axis, n in enumerate(x.shape))
    if len(axes) < x.ndim and _without_ones(lowered.shape) != _without_ones(line):
        return False
    if node.shape != total.shape or size(shift.shape) != size(total.shape):
        return False
    tops = {_peeled(shift)[-1], _peeled(lowered)[-1]}
    return 0 not in x.shape and all(
        type(top) is Max and top.inputs[0] is x and axes_in(top.axis, x.ndim) == axes
        and top.dtype == node.dtype
        for top in tops
    )  # fmt: skip


def _peeled(x: Any) -> list[Any]:
    """x, what it is a layout of in the same order or without a gradient, and so on."""
    found = [x]
    while type(found[-1]) in (StopGradient, Reshape, ExpandDims, Squeeze, Slice):
        node = found[-1]
        if type(node) is Slice and not all(part in _ALL for part in node.index):
            break
        found.append(node.inputs[0])
    return found


_ALL = (None, Ellipsis, slice(None))  # parts of an index that takes everything


def _without_ones(shape: Any) -> tuple[int, ...]:
    """The shape without leading axes of size 1, to which broadcasting is indifferent."""
    return tuple(shape[next((n for n, one in enumerate(shape) if one != 1), len(shape)) :])


def written_stably(node: Node, x: Sequence[float], users: Sequence[Node]) -> str:
    """The text to recommend instead of a node that isn't finite at the numbers x, or "".

    Unlike `stable_form`, it also guesses the purpose of the node from the nodes that use it.
    """
    form = stable_form(node)
    if form is not None:
        return form.instead
    if type(node) is Log and type(node.inputs[0]) is Subtract and x[0] == 0:
        return "pg.log1p(-p) instead of pg.log(1 - p), or pg.maximum(x, 1e-7) inside"
    if type(node) is Exp:
        if any(isinstance(user, (Sum, Divide)) for user in users):
            return "pg.softmax or pg.logsumexp, which subtract the largest x first"
        if any(isinstance(user, (Add, Log1p)) for user in users):
            return f"{_SOFTPLUS} for log(1 + eˣ), pg.sigmoid(x) for 1/(1 + e⁻ˣ)"
    return ""


def smooth_form(operation: type[Node], behind: Sequence[Node]) -> str:
    """The text to recommend instead of an operation whose derivative isn't finite, or "".

    `behind` are the nodes that compute its input.
    """
    if operation is Sqrt and any(isinstance(node, (Sum, Square)) for node in behind):
        return "pg.vector_norm(x), whose slope at 0 is 0, or pg.sqrt(x + eps)"
    return ""
