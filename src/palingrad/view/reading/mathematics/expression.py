"""Nodes as LaTeX: what each operation looks like on the page of a book."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import Operation
from ....ops.comparison import Equal
from ....ops.discrete import BitwiseAnd, BitwiseInvert
from ....ops.selection import Where
from .pieces import APPLIED, ATOM, POWER, PRODUCT, SUM, Piece, added, applied, from_template
from .symbols import number, value_of

Writing = Callable[[Any, Sequence[Piece]], Piece]


def written(node: Node, operands: Sequence[Piece]) -> Piece:
    """A node from how its operands are written."""
    if not isinstance(node, Operation):
        return leaf(node)
    for kind in type(node).__mro__:
        writing = WRITINGS.get(kind.__name__)
        if writing is not None and kind.__module__.startswith("palingrad."):
            return writing(node, operands)
    return from_template(node, operands)


def leaf(node: Node) -> Piece:
    """A leaf without a name: a number, a small matrix, or what kind of leaf it is."""
    if isinstance(node, Constant):
        array = node.numpy()
        if (
            array.ndim
            and array.size > 1
            and np.all(array == array.flat[0])
            and array.dtype.kind == "f"
        ):
            if array.flat[0] in (0, 1):
                return Piece(rf"\mathbf{{{array.flat[0]:.0f}}}")
            return Piece(number(array.flat[0]) + r"\,\mathbf{1}", PRODUCT)
        text = value_of(array.reshape(()) if array.size == 1 else array)
        return Piece(text, SUM if text.startswith("-") else PRODUCT if "10^" in text else ATOM)
    return Piece(f"\\mathrm{{{node.kind_name()}}}")


def written_unguarded(node: Node, operands: Sequence[Piece]) -> Piece:
    """As `written`, without the choices that only keep a rule from dividing by 0: in a derivative
    x/where(z == 0, 1, z) is read as x/z."""
    if type(node) is Where:
        condition = node.inputs[0]
        if _is_guard(condition):
            return operands[2]
        if isinstance(condition, BitwiseInvert) and _is_guard(condition.inputs[0]):
            return operands[1]
    return written(node, operands)


def _is_guard(condition: Node) -> bool:
    """Whether it asks if something is exactly 0."""
    if isinstance(condition, BitwiseAnd):
        return all(map(_is_guard, condition.inputs))
    if not isinstance(condition, Equal):
        return False
    zero = condition.inputs[1]
    return isinstance(zero, Constant) and not zero.numpy().any()


# ---------------------------------------------------------------- operations in their own way


def _multiply(z: Any, operands: Sequence[Piece]) -> Piece:
    """Numbers first, signs before all; ⊙ between arrays; nothing between letters."""
    (sign, x), (other, y) = (one.signed() for one in operands)
    minus = "-" if sign != other else ""
    both = bool(z.inputs[0].ndim and z.inputs[1].ndim)
    if both:  # c𝟏 ⊙ y is c·y
        x, y = _without_ones(x), _without_ones(y)
    if x.latex == y.latex and not _digits(x):
        return Piece(f"{minus}{x.within(ATOM)}^2", SUM if minus else POWER)
    (a, x), (b, y) = _factor(x), _factor(y)
    number = r" \cdot ".join(one for one in (a, b) if one and one != "1")
    for one, rest in ((x, y), (y, x)):
        if one.latex == "1" or (one.latex == r"\mathbf{1}" and rest.latex != "1"):
            return _with_number(minus, number, rest)
    for one, rest in ((x, y), (y, x)):
        if below := _denominator(one):
            top = _with_number("", number, rest).latex
            return _with_number(minus, "", Piece(f"\\frac{{{top}}}{{{below}}}", PRODUCT))
    if both:  # a matrix product beside ⊙ in brackets
        x, y = (one if r"\odot" in one.latex else _closed(one) for one in (x, y))
    left, right = x.within(PRODUCT), y.within(PRODUCT)
    between = r" \odot " if both else r"\,"
    if not both and (re.match(r"[\d.]", right) or _wordy(left, right)):
        between = r" \cdot "
    return _with_number(minus, number, Piece(f"{left}{between}{right}", PRODUCT))


def _closed(x: Piece) -> Piece:
    return Piece(x.within(ATOM)) if x.level == PRODUCT and r"\," in x.latex else x


def _with_number(minus: str, number: str, rest: Piece) -> Piece:
    """−number·rest, where sign and number may be missing."""
    if rest.latex == "1" and number:
        return Piece(minus + number, SUM if minus else PRODUCT)
    if not number:
        return Piece(minus + rest.within(PRODUCT), SUM) if minus else rest
    text = rest.within(PRODUCT)
    between = r" \cdot " if re.match(r"[\d.]|\\frac\{[\d.]", text) or "10^" in number else ""
    between = between or (" " if text.startswith("\\") else "")
    return Piece(f"{minus}{number}{between}{text}", SUM if minus else PRODUCT)


def _factor(x: Piece) -> tuple[str, Piece]:
    """The number that a product begins with, and the rest."""
    if _digits(x):
        return x.latex, Piece("1")
    match = re.match(r"([\d.]+)(?:\\,| |(?=[a-zA-Z(]))(?!\\cdot)(?=\D)", x.latex)
    if x.level != PRODUCT or match is None:
        return "", x
    rest = x.latex[match.end() :]
    one = re.fullmatch(r"\\?\w+(?:_\{\w+\})?|\\left\(((?!\\right).)*\\right\)", rest)
    return match[1], Piece(rest, ATOM if one else PRODUCT)


def _denominator(x: Piece) -> str:
    """The y of 1/y."""
    match = re.fullmatch(r"\\frac\{1\}\{(.*)\}", x.latex)
    if match is None:
        return ""
    depth = 0
    for one in match[1]:
        depth += {"{": 1, "}": -1}.get(one, 0)
        if depth < 0:
            return ""
    return match[1]


def _without_ones(x: Piece) -> Piece:
    rest = x.latex.removesuffix(r"\,\mathbf{1}")
    return x if rest == x.latex else Piece(rest, PRODUCT)


def _digits(x: Piece) -> bool:
    """Whether the piece is a number."""
    return re.fullmatch(r"[\d.]+(?: \\cdot 10\^\{-?\d+\})?", x.latex) is not None


def _wordy(left: str, right: str) -> bool:
    """Whether two words or functions would run into each other."""
    return bool(re.search(r"(?:mathrm|operatorname|log|sin|cos|tan)[^\^]*$", left)) or bool(
        re.match(r"\\(?:mathrm|operatorname)", right)
    )


def _matmul(z: Any, operands: Sequence[Piece]) -> Piece:
    x, y = (one.within(ATOM if r"\odot" in one.latex else PRODUCT) for one in operands)
    if z.inputs[0].ndim == z.inputs[1].ndim == 1:
        x, y = (one.within(ATOM) for one in operands)
        return Piece(f"{x}^T {y}", PRODUCT)
    return Piece(f"{x}\\,{y}", PRODUCT)


def _pow(z: Any, operands: Sequence[Piece]) -> Piece:
    x, y = operands
    if y.latex == "0.5":
        return Piece(f"\\sqrt{{{x.latex}}}")
    if y.latex == "-1":
        return Piece(f"\\frac{{1}}{{{x.latex}}}", PRODUCT)
    return Piece(f"{x.within(ATOM)}^{{{y.latex}}}", POWER)


def _square(z: Any, operands: Sequence[Piece]) -> Piece:
    return Piece(f"{operands[0].within(ATOM)}^2", POWER)


def _subtract(z: Any, operands: Sequence[Piece]) -> Piece:
    x, y = operands
    sign, rest = y.signed()
    if sign:
        return Piece(f"{x.within(SUM)} + {rest.within(PRODUCT)}", SUM)
    return Piece(f"{x.within(SUM)} - {y.within(PRODUCT)}", SUM)


def _add(z: Any, operands: Sequence[Piece]) -> Piece:
    return added(operands)


def _divide(z: Any, operands: Sequence[Piece]) -> Piece:
    (sign, x), (other, y) = (one.signed() for one in operands)
    minus = "-" if sign != other else ""
    if y.latex == "1":
        return Piece(minus + x.within(PRODUCT), SUM) if minus else x
    return Piece(f"{minus}\\frac{{{x.latex}}}{{{y.latex}}}", SUM if minus else PRODUCT)


def _negative(y: Any, operands: Sequence[Piece]) -> Piece:
    sign, x = operands[0].signed()
    return x if sign else Piece("-" + x.within(PRODUCT), SUM)


def _same(y: Any, operands: Sequence[Piece]) -> Piece:
    return operands[0]


def _reduction(sign: str) -> Writing:
    def writing(y: Any, operands: Sequence[Piece]) -> Piece:
        axis = y.attributes["axis"]
        if axis is None or y.inputs[0].ndim == 1:
            index = ""
        else:
            axes = axis if isinstance(axis, tuple) else (axis,)
            index = "_{" + ", ".join(map(str, axes)) + "}"
        return Piece(
            f"{sign}{index} {operands[0].within(PRODUCT if 'sum' in sign else ATOM)}", APPLIED
        )

    return writing


def _mean(y: Any, operands: Sequence[Piece]) -> Piece:
    """A word, not a bar: a bar is a gradient's."""
    axis = y.attributes["axis"]
    if axis is None or y.inputs[0].ndim == 1:
        return applied(r"\operatorname{mean}", operands)
    axes = axis if isinstance(axis, tuple) else (axis,)
    return applied(rf"\operatorname{{mean}}_{{{', '.join(map(str, axes))}}}", operands)


def _transposed(y: Any, operands: Sequence[Piece]) -> Piece:
    axes = y.attributes.get("axes")
    if y.ndim is not None and y.ndim > 2 and axes is not None:
        order = ", ".join(map(str, axes))
        return applied(f"\\operatorname{{permute}}_{{{order}}}", operands)
    return Piece(f"{operands[0].within(ATOM)}^T", POWER)


def _slice(y: Any, operands: Sequence[Piece]) -> Piece:
    texts: list[str] = []
    for part in y.attributes["index"]:
        if isinstance(part, slice):
            ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
            texts.append(":".join(ends) + ("" if part.step is None else f":{part.step}"))
        else:
            texts.append({None: r"\mathrm{new}", Ellipsis: r"\dots"}.get(part) or str(part))
    return Piece(f"{_indexable(operands[0])}_{{[{', '.join(texts)}]}}", ATOM)


def _indexable(x: Piece) -> str:
    """What another index can be put to."""
    return f"{{{x.latex}}}" if "_" in x.latex and x.level == ATOM else x.within(ATOM)


def _broadcast(y: Any, operands: Sequence[Piece]) -> Piece:
    """A number in every place of an array: times 𝟏."""
    x = y.inputs[0]
    if x.shape is None or any(size != 1 for size in x.shape) or not y.shape:
        return operands[0]
    if operands[0].latex in ("1", r"\mathbf{1}"):
        return Piece(r"\mathbf{1}")
    return Piece(f"{operands[0].within(PRODUCT)}\\,\\mathbf{{1}}", PRODUCT)


def _filled(sign: str) -> Writing:
    def writing(y: Any, operands: Sequence[Piece]) -> Piece:
        return Piece(f"\\mathbf{{{sign}}}" if y.ndim else sign)

    return writing


def _where(z: Any, operands: Sequence[Piece]) -> Piece:
    """A choice; with 0 as one branch a product with Iverson's bracket, 1 where it holds."""
    c, x, y = operands
    if y.latex in ("0", "0.0"):
        holds = f"\\left[{c.latex}\\right]"
        if x.latex in ("1", r"\mathbf{1}"):
            return Piece(holds)
        return Piece(f"{holds}\\,{x.within(PRODUCT)}", PRODUCT)
    if x.latex in ("0", "0.0"):
        return Piece(f"\\left[\\lnot\\,({c.latex})\\right]\\,{y.within(PRODUCT)}", PRODUCT)
    branches = rf"{x.latex} & \mathrm{{if}}\ {c.latex} \\ {y.latex} & \mathrm{{else}}"
    return Piece(rf"\begin{{cases}} {branches} \end{{cases}}")


def _concat(y: Any, operands: Sequence[Piece]) -> Piece:
    inner = r";\, ".join(one.latex for one in operands)
    return Piece(f"\\left[{inner}\\right]")


def _item(y: Any, operands: Sequence[Piece]) -> Piece:
    return Piece(f"{_indexable(operands[0])}_{{[{y.attributes['index']}]}}", ATOM)


def _group(y: Any, operands: Sequence[Piece]) -> Piece:
    return Piece(r"\left\{" + ", ".join(one.latex for one in operands) + r"\right\}")


WRITINGS: dict[str, Writing] = {
    "Add": _add, "Subtract": _subtract, "Multiply": _multiply, "Divide": _divide, "Pow": _pow,
    "Negative": _negative, "Square": _square, "Matmul": _matmul, "Positive": _same, "Cast": _same,
    "StopGradient": _same, "Latest": _same, "After": _same, "ExpandDims": _same, "Squeeze": _same,
    "Sum": _reduction(r"\sum"), "Prod": _reduction(r"\prod"), "Max": _reduction(r"\max"),
    "Min": _reduction(r"\min"), "Var": _reduction(r"\operatorname{var}"),
    "Std": _reduction(r"\operatorname{std}"), "Argmax": _reduction(r"\arg\max"),
    "Argmin": _reduction(r"\arg\min"), "Mean": _mean, "PermuteDims": _transposed,
    "MatrixTranspose": _transposed, "Slice": _slice, "BroadcastTo": _broadcast, "Where": _where,
    "OnesLike": _filled("1"), "ZerosLike": _filled("0"), "Concat": _concat, "Item": _item,
    "Group": _group,
}  # fmt: skip
