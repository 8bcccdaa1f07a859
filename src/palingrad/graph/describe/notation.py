"""LaTeX expressions with precedence, combined with the brackets that they need.

An operation's LaTeX is built from that of its inputs: by its template `math`, whose holes `{x}` are
filled with the inputs, or by its method `notation(y, *x)` if a template isn't enough.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ...classes import NamedTuple

# Precedence levels, from loosest to tightest.
RELATION, SUM, PRODUCT, APPLIED, POWER, ATOM = range(6)
BACKSLASH = "\\"
_ONES = r"\\mathbf\{1\}(?:_\{[^{}]*\})?"  # 𝟏, and of a shape
_TOKEN = r"(?s)\\[a-zA-Z]+|\\.|(?<=\S) [+-] |."
_OPENING = {"{", "(", "[", r"\left", r"\begin"}
_CLOSING = {"}", ")", "]", r"\right", r"\end"}


class Piece(NamedTuple):
    """A LaTeX expression and its precedence."""

    latex: str
    level: int = ATOM

    def signed(self) -> tuple[str, Piece]:
        """A leading minus that applies to the whole expression, or "", and the rest."""
        if self.level == SUM and self.latex.startswith("-"):
            if not _has_terms(self.latex[1:]):
                symbol = re.fullmatch(r"\\?\w+(?:_\{\w+\})?", self.latex[1:])
                return "-", Piece(self.latex[1:], ATOM if symbol else PRODUCT)
        return "", self

    def within(self, level: int) -> str:
        """The LaTeX, in brackets if the precedence is lower than `level`."""
        return self.latex if self.level >= level else f"\\left({self.latex}\\right)"


def _has_terms(latex: str) -> bool:
    """Whether it is a sum: a + or − between terms, outside all brackets."""
    depth = 0
    for token in re.findall(_TOKEN, latex):
        if depth == 0 and token in (" + ", " - "):
            return True
        depth += token in _OPENING
        depth -= token in _CLOSING
    return False


def _times(count: int, term: Piece) -> Piece:
    sign, rest = term.signed()
    text = rest.within(PRODUCT)
    return Piece(
        f"{sign}{count}{' ' if text[0] == BACKSLASH else ''}{text}", SUM if sign else PRODUCT
    )


def added(terms: Sequence[Piece]) -> Piece:
    """A sum; negative terms are subtracted, and n equal terms are written as n times the term."""
    counts = Counter(term.latex for term in terms)
    if len(counts) < len(terms) and not any(re.match(r"-?[\d.]", text) for text in counts):
        terms = [
            term if counts[term.latex] == 1 else _times(counts[term.latex], term)
            for term in dict.fromkeys(terms)
        ]
    total = terms[0]
    for term in terms[1:]:
        text = term.within(SUM)
        end = f"- {text[1:]}" if text.startswith("-") else f"+ {text}"  # a + (−b + c) is a − b + c
        total = Piece(f"{total.within(SUM)} {end}", SUM)
    return total


def subtracted(x: Piece, y: Piece) -> Piece:
    """x − y, or x + z where y is −z."""
    sign, rest = y.signed()
    if sign:
        return Piece(f"{x.within(SUM)} + {rest.within(PRODUCT)}", SUM)
    return Piece(f"{x.within(SUM)} - {y.within(PRODUCT)}", SUM)


def negated(x: Piece) -> Piece:
    """−x, or z where x is −z."""
    sign, rest = x.signed()
    return rest if sign else Piece("-" + x.within(PRODUCT), SUM)


def quotient(x: Piece, y: Piece) -> Piece:
    """x/y as a fraction, with a minus in front of it."""
    (sign, x), (other, y) = x.signed(), y.signed()
    minus = "-" if sign != other else ""
    if y.latex == "1":
        return Piece(minus + x.within(PRODUCT), SUM) if minus else x
    return Piece(f"{minus}\\frac{{{x.latex}}}{{{y.latex}}}", SUM if minus else PRODUCT)


def power(x: Piece, y: Piece) -> Piece:
    """xʸ; √x for y = 0.5 and 1/x for y = −1."""
    if y.latex == "0.5":
        return Piece(f"\\sqrt{{{x.latex}}}")
    if y.latex == "-1":
        return Piece(f"\\frac{{1}}{{{x.latex}}}", PRODUCT)
    return Piece(f"{x.within(ATOM)}^{{{y.latex}}}", POWER)


def applied(name: str, operands: Sequence[Piece]) -> Piece:
    """name(operands)."""
    return Piece(f"{name}\\left({', '.join(x.latex for x in operands)}\\right)", ATOM)


def operator(name: str) -> str:
    """A word as a function name."""
    return "\\operatorname{" + name.replace("_", "\\_") + "}"


def subscripted(x: Piece, index: str) -> Piece:
    """x with a subscript; an x that has one already is put in braces."""
    inner = f"{{{x.latex}}}" if "_" in x.latex and x.level == ATOM else x.within(ATOM)
    return Piece(f"{inner}_{{{index}}}", ATOM)


def indexed(x: Piece, index: str) -> Piece:
    """x[index]."""
    return subscripted(x, f"[{index}]")


def index_text(index: Sequence[object]) -> str:
    """Integers, slices, None and … as in an index expression."""
    texts: list[str] = []
    for part in index:
        if isinstance(part, slice):
            ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
            texts.append(":".join(ends) + ("" if part.step is None else f":{part.step}"))
        elif part is None:
            texts.append(r"\mathrm{new}")
        else:
            texts.append(r"\dots" if part is Ellipsis else str(part))
    return ", ".join(texts)


def attribute_text(value: object) -> str:
    """An attribute in a formula: numbers, as 10^{-5} if they are small, and axes."""
    if isinstance(value, (tuple, list)):
        return ", ".join(map(attribute_text, value))
    if not isinstance(value, float):
        return str(value)
    text = f"{value:.10g}"
    digits, _, exponent = text.partition("e")
    if not exponent:
        return text
    power = f"10^{{{int(exponent)}}}"
    return power if digits == "1" else rf"{digits} \cdot {power}"


def word(name: str) -> str:
    """A word, or the name of an option, in upright letters."""
    return "\\mathrm{" + name.replace("_", "\\_") + "}"


def option_text(value: object) -> str:
    """The value of an option in a formula."""
    if isinstance(value, (tuple, list)):
        inner = ", ".join(map(option_text, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return word(str(value).lower() if not isinstance(value, str) else value)
    if isinstance(value, float) and abs(value) == float("inf"):
        return r"\infty" if value > 0 else r"-\infty"
    return attribute_text(value)


def sized(sign: str, shape: Sequence[int | None]) -> str:
    """𝟎 or 𝟏 of a shape: \\mathbf{1}_{3 \\times 4}."""
    sizes = [r"\cdot" if size is None else str(size) for size in shape]
    text = r" \times ".join(sizes)
    return rf"\mathbf{{{sign}}}_{{{text}}}" if text else sign


def vec(x: Piece, axes: Sequence[int] = ()) -> Piece:
    """The elements of an array as a vector, by rows; those of some axes as a last axis."""
    below = f"_{{{', '.join(map(str, axes))}}}" if axes else ""
    return Piece(rf"\operatorname{{vec}}{below} {x.within(ATOM)}", APPLIED)


def norm_notation(x: Piece, which: str, axes: object) -> Piece:
    """‖x‖ₚ; the axes follow p: ‖x‖_{2; 0, 1}. Without both it is the 2-norm of the whole."""
    plain = "F" if isinstance(axes, tuple) and len(axes) == 2 else "2"
    below = f"{which or plain}; {attribute_text(axes)}" if axes is not None else which
    return Piece(rf"\left\lVert {x.latex}\right\rVert" + (f"_{{{below}}}" if below else ""))


def filled(x: Piece, ones: str = r"\mathbf{1}") -> Piece:
    """An array whose elements all equal x: x·𝟏."""
    if x.latex == "1" or re.fullmatch(_ONES, x.latex):
        return Piece(ones)
    if x.latex == "0":
        return Piece(ones.replace("{1}", "{0}", 1))
    return Piece(f"{x.within(PRODUCT)}\\,{ones}", PRODUCT)


def truth(x: Piece) -> Piece:
    """A relation as a number: the Iverson bracket [x > 0], 1 or 0."""
    return Piece(f"\\left[{x.latex}\\right]") if x.level == RELATION else x


def chosen(c: Piece, x: Piece, y: Piece, *, arrays: bool = False) -> Piece:
    """x where c holds, else y; if one of them is 0, the other times an Iverson bracket of c."""
    times = r" \odot " if arrays else r"\,"
    x, y = truth(x), truth(y)
    if y.latex in ("0", "0.0"):
        holds = f"\\left[{c.latex}\\right]"
        if x.latex in ("1", r"\mathbf{1}"):
            return Piece(holds)
        return Piece(f"{holds}{times}{x.within(PRODUCT)}", PRODUCT)
    if x.latex in ("0", "0.0"):
        holds = f"\\left[\\lnot\\,({c.latex})\\right]"
        return Piece(f"{holds}{times}{y.within(PRODUCT)}", PRODUCT)
    branches = rf"{x.latex} & \mathrm{{if}}\ {c.latex} \\ {y.latex} & \mathrm{{else}}"
    return Piece(rf"\begin{{cases}} {branches} \end{{cases}}")


# ---------------------------------------------------------------- products


def product(
    x: Piece, y: Piece, *, arrays: bool, whole: tuple[bool, bool] = (False, False)
) -> Piece:
    """x·y: sign first, then numbers; ⊙ between two arrays, a thin space between scalars. `whole`
    says which of them has the shape of the product: a 𝟏 in the other one is left out."""
    (sign, x), (other, y) = x.signed(), y.signed()
    minus = "-" if sign != other else ""
    if arrays:  # c𝟏 ⊙ y is c·y
        x = _without_ones(x) if whole[1] else x
        y = _without_ones(y) if whole[0] else y
    if x.latex == y.latex and not _digits(x):
        return Piece(f"{minus}{x.within(ATOM)}^2", SUM if minus else POWER)
    (a, x), (b, y) = _factor(x), _factor(y)
    number = _multiplied([factor for factor in (a, b) if factor and factor != "1"])
    for factor, rest, fits in ((x, y, whole[1]), (y, x, whole[0])):
        ones = fits and re.fullmatch(_ONES, factor.latex) is not None
        if factor.latex == "1" or (ones and rest.latex != "1"):
            return _with_number(minus, number, rest)
    for factor, rest in ((x, y), (y, x)):
        if below := _denominator(factor):
            top = _with_number("", number, rest).latex
            return _with_number(minus, "", Piece(f"\\frac{{{top}}}{{{below}}}", PRODUCT))
    if arrays:  # a matrix product next to ⊙ is put in brackets
        x, y = (piece if r"\odot" in piece.latex else _closed(piece) for piece in (x, y))
    left, right = leading(x).within(PRODUCT), y.within(PRODUCT)
    between = r" \odot " if arrays else r"\,"
    if not arrays and (re.match(r"[\d.]", right) or _wordy(left, right)):
        between = r" \cdot "
    return _with_number(minus, number, Piece(f"{left}{between}{right}", PRODUCT))


def _multiplied(numbers: Sequence[str]) -> str:
    """The product of two numbers, worked out if they are short: longer ones may be rounded."""
    if len(numbers) == 2 and all(re.fullmatch(r"[\d.]{1,4}", text) for text in numbers):
        if all(len(re.sub(r"^0\.0*|\.", "", text)) < 4 for text in numbers):
            exact = f"{float(numbers[0]) * float(numbers[1]):.6f}"  # three decimals each at most
            exact = exact.rstrip("0").rstrip(".")
            return "" if exact == "1" else exact
    return r" \cdot ".join(numbers)


def leading(x: Piece) -> Piece:
    """An operand in front of a product: Σ x, max x and the like would take what follows too."""
    greedy = re.match(r"(\\log\s*)?\\(sum|prod|max|min|arg|forall|exists)(?![a-zA-Z])", x.latex)
    return Piece(f"\\left({x.latex}\\right)") if greedy and x.level <= APPLIED else x


def _closed(x: Piece) -> Piece:
    return Piece(x.within(ATOM)) if x.level == PRODUCT and r"\," in x.latex else x


def _with_number(minus: str, number: str, rest: Piece) -> Piece:
    """−number·rest; sign and number may be empty."""
    if rest.latex == "1" and number:
        return Piece(minus + number, SUM if minus else PRODUCT)
    if not number:
        return Piece(minus + rest.within(PRODUCT), SUM) if minus else rest
    text = rest.within(PRODUCT)
    between = r" \cdot " if re.match(r"[\d.]|\\frac\{[\d.]", text) or "10^" in number else ""
    between = between or (" " if text.startswith("\\") else "")
    return Piece(f"{minus}{number}{between}{text}", SUM if minus else PRODUCT)


def _factor(x: Piece) -> tuple[str, Piece]:
    """The leading numeric factor of a product, or "", and the rest."""
    if _digits(x):
        return x.latex, Piece("1")
    match = re.match(r"([\d.]+)(?:\\,| |(?=[a-zA-Z(]))(?!\\cdot)(?=\D)", x.latex)
    if x.level != PRODUCT or match is None:
        return "", x
    rest = x.latex[match.end() :]
    atom = re.fullmatch(r"\\?\w+(?:_\{\w+\})?|\\left\(((?!\\right).)*\\right\)", rest)
    return match[1], Piece(rest, ATOM if atom else PRODUCT)


def _denominator(x: Piece) -> str:
    """The y of 1/y, or "" if x isn't such a fraction."""
    match = re.fullmatch(r"\\frac\{1\}\{(.*)\}", x.latex)
    if match is None:
        return ""
    depth = 0
    for character in match[1]:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return ""
    return match[1]


def _without_ones(x: Piece) -> Piece:
    rest = re.sub(rf"\\\\,{_ONES}$", "", x.latex)
    return x if rest == x.latex else Piece(rest, PRODUCT)


def _digits(x: Piece) -> bool:
    """Whether the expression is a number."""
    return re.fullmatch(r"[\d.]+(?: \\cdot 10\^\{-?\d+\})?", x.latex) is not None


def _wordy(left: str, right: str) -> bool:
    """Whether two words or function names would be adjacent. A private-use character is a
    placeholder for an operand of any name."""
    if re.search(r"[\ue000-\uf8ff]", left + right):
        return True
    return bool(re.search(r"(?:mathrm|operatorname|log|sin|cos|tan)[^\^]*$", left)) or bool(
        re.match(r"\\(?:mathrm|operatorname)", right)
    )
