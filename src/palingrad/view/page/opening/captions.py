"""Captions: each operation's formula and its derivatives as plain text with holes for operands.

The page fills the holes with names, v₁ = a · x, and with numbers, 2 · 3. Operations with the same
attributes, shapes and literal constants share a caption.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ....autodiff.reverse import pulled_back
from ....dtypes import float64, is_complex, is_inexact
from ....errors import PalingradError
from ....graph.context import graph_scope
from ....graph.describe.notation import PRODUCT, Piece
from ....graph.kinds import AnonymousGraph, Assign, Elementwise
from ....graph.leaves import Constant, Placeholder
from ....graph.node import Node
from ....graph.operation import MultipleOutputs, Operation
from ....graph.registry import ops
from ....graph.traversal.order import postorder
from ....ops.contract import Matmul
from ....ops.elementwise.arithmetic import Positive
from ....ops.elementwise.discrete import Cast
from ....passes.common_subexpressions import common_subexpressions
from ....passes.fold_constants import fold
from ....passes.program import Program
from ....passes.simplify import simplify
from ...reading.mathematics.expression import leaf, written_unguarded
from ...reading.mathematics.plain import plain

Caption = dict[str, Any]
HOLE = 0xE000  # the code point that stands for the first operand
OWN, SEED = chr(HOLE + 0xF0), chr(HOLE + 0xF1)  # the node itself, and its cotangent
ONES = chr(HOLE + 0xF2)  # an array of ones
LARGEST = 400  # distinct captions that are written
LONGEST = 70  # characters of a formula
_HOLES = f"[{chr(HOLE)}-{SEED}]"
# What may stand between the holes of a formula that is evaluated with numbers.
_WORDS = "σ|relu|tanh|sinh|cosh|sin|cos|tan|arcsin|arccos|arctan|erf|log|max|min|√|∛|e"
_SAFE = re.compile(rf"(?:{_HOLES}|{_WORDS}|[\d.]+|[ +−·/^(),|⁻¹²³⁴⁵⁶⁷⁸⁹])*")
_AMBIGUOUS = re.compile(rf"{_HOLES}[a-zσ]|(?:log|sin|cos|tan|erf) \(.*\)/")


class Captions:
    """The table of all distinct captions of a page."""

    def __init__(self) -> None:
        self.table: list[Caption] = []
        self._known: dict[Any, int] = {}

    def of(
        self, node: Operation, values: Mapping[Node, Any], label: Callable[[Node], str]
    ) -> int | None:
        """The number of the node's caption; None if the node has none. `label` names a node."""
        if isinstance(node, (MultipleOutputs, Assign)) or len(node.inputs) > 16:
            return None
        shapes = [_shape(x, values) for x in node.inputs]
        literals = {
            place: leaf(x)
            for place, x in enumerate(node.inputs)
            if isinstance(x, Constant) and _literal(x, label(x))
        }
        attributes = {name: _option(one) for name, one in node.attributes.items()}
        key = (
            type(node), str(node.dtype), repr(sorted(attributes.items())), tuple(shapes),
            repr(sorted(literals.items())),
        )  # fmt: skip
        if key not in self._known:
            if len(self.table) >= LARGEST:
                return None
            self._known[key] = len(self.table)
            self.table.append(_caption(node, shapes, literals, attributes))
        return self._known[key]


def product_entry(node: Operation, values: Mapping[Node, Any]) -> Caption | None:
    """An entry of a matrix product as a sum of products: {'e': entry, 't': the three largest terms
    as pairs, 'n', 'r': the number of the others and their sum}; None for other operations.

    It is exported where the operands are too large for the page."""
    if type(node) is not Matmul or _shape(node, values) is None or is_complex(node.dtype):
        return None
    a, b = (np.asarray(values[x], np.float64) for x in node.inputs)
    if max(a.ndim, b.ndim) > 2 or a.shape[-1] < 4 or a.size == 0 or b.size == 0:
        return None
    b = b.reshape(b.shape[0], -1)
    result = np.ravel(values[node])
    entry = int(np.argmax(result != 0))
    row, column = divmod(entry, b.shape[1])
    left, right = a.reshape(-1, a.shape[-1])[row], b[:, column]
    order = np.argsort(-np.abs(left * right), kind="stable")
    first, others = order[:3], order[3:]
    rest = float(left[others] @ right[others])
    pairs = [[float(left[k]), float(right[k])] for k in first]
    if not np.isfinite([rest, *np.ravel(pairs)]).all():
        return None
    return {"e": entry, "t": pairs, "n": len(others), "r": rest}


def _shape(x: Node, values: Mapping[Node, Any]) -> tuple[int, ...] | None:
    value = values.get(x)
    return None if value is None or isinstance(value, tuple) else tuple(np.shape(value))


def _option(value: Any) -> str:
    """The value of an attribute in a call."""
    if isinstance(value, Node):
        return value.label()
    return value.name if isinstance(value, np.dtype) else repr(value)


def _literal(x: Constant, label: str) -> bool:
    """Whether the constant is a number that has no name and that four digits write exactly."""
    if x.shape != () or not re.fullmatch(r"[−-]?[\d.]+", label):
        return False
    number = float(x.numpy())
    return number in (float(label.replace("−", "-")), float(f"{number:.4g}"))


def _caption(
    node: Operation,
    shapes: Sequence[tuple[int, ...] | None],
    literals: Mapping[int, Piece],
    attributes: Mapping[str, str],
) -> Caption:
    """{'w': formula, 'e': 1 if it holds for each element, 'c': the operands written as literals,
    'd': for each operand, the local derivative of scalars or the adjoint rule of arrays}."""
    holes = [literals.get(n, Piece(chr(HOLE + n))) for n in range(len(shapes))]
    caption: Caption = {"w": _formula(node, holes, attributes)}
    if isinstance(node, Elementwise):
        caption["e"] = 1
    if literals:
        caption["c"] = list(literals)
    if is_inexact(node.dtype) and None not in shapes:
        try:
            caption["d"] = _derivatives(node, shapes, holes, literals)
        except Exception:  # a user's rule may raise anything for these operands
            pass
    return caption


def _formula(node: Operation, holes: Sequence[Piece], attributes: Mapping[str, str]) -> str:
    """The node's notation; a call if an elementwise notation can't be read with numbers."""
    try:
        text = plain(node.notation(*holes).latex)
    except PalingradError:
        text = ""
    entrywise = isinstance(node, Elementwise)
    if entrywise:
        text = re.sub(
            rf"({_HOLES}|(?<![a-z\d.])[\d.]+) ?(?={_HOLES}|[a-zσ(])",
            r"\1 · ",
            text.replace("⊙", "·"),
        )
    if isinstance(node, (Cast, Positive)) and len(text) == 1:
        return text  # the number itself
    safe = _SAFE.fullmatch(text) and not _AMBIGUOUS.search(text) and len(text) > 1
    if (entrywise and (not safe or attributes)) or len(text) > LONGEST:
        options = [f"{name}={value}" for name, value in attributes.items()]
        operands = [plain(hole.latex) for hole in holes]
        return f"{node.kind_name()}({', '.join([*operands, *options])})"
    return text


def _derivatives(
    node: Operation,
    shapes: Sequence[tuple[int, ...] | None],
    holes: Sequence[Piece],
    literals: Mapping[int, Piece],
) -> list[str | None]:
    """The node's vjp rule as text, for each operand; of scalars without the cotangent."""
    with graph_scope(AnonymousGraph(), hidden=True, observed=False):
        operands: list[Any] = [
            x if n in literals else Placeholder(shape, dtype=x.dtype)
            for n, (x, shape) in enumerate(zip(node.inputs, shapes, strict=True))
        ]
        y: Any = node.rebuild(operands)
        pieces = {id(x): hole for x, hole in zip(operands, holes, strict=True)}
        pieces[id(y)] = Piece(OWN)
        scalar = all(np.prod(shape or (1,)) == 1 for shape in (*shapes, y.shape))
        g = ops.ones_like(y) if scalar else Placeholder(y.shape, dtype=y.dtype or float64)
        pieces[id(g)] = Piece("1" if scalar else SEED)
        wanted = [is_inexact(x.dtype) and n not in literals for n, x in enumerate(node.inputs)]
        found = pulled_back(y, g, wanted)
        simple = iter(_simple([c for c in found if c is not None]))
        texts = [None if c is None else _text(next(simple), pieces, scalar) for c in found]
    return texts


def _text(c: Node, pieces: Mapping[int, Piece], scalar: bool) -> str | None:
    known = dict(pieces)
    for inner in postorder(c, inputs=lambda x: () if id(x) in pieces else x.inputs):
        if id(inner) not in known:
            known[id(inner)] = written_unguarded(inner, [known[id(x)] for x in inner.inputs])
    piece = known[id(c)]
    latex = piece.within(PRODUCT) if scalar else piece.latex.replace(r"\mathbf{1}", ONES)
    text = plain(latex).replace(ONES, "𝟏")
    return text if len(text) <= LONGEST else None


def _simple(nodes: Sequence[Node]) -> Sequence[Node]:
    program = Program((), tuple(nodes))
    for rewrite in (simplify, fold, common_subexpressions, simplify):
        program = rewrite(program)
    return program.outputs
