r"""Loops and branches as mathematics: recurrences with the formula of their body, and cases.

A carry of a loop is v^{(t)}, after t steps; a loop that runs backwards counts down. Rows that a
loop stacks are v_{[t]}. Branches are cases of their formulas.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ....dtypes import is_boolean, is_integer
from ....graph.describe.notation import POWER, SUM, Piece, added, indexed, subscripted
from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import Item
from ....graph.regions.region import Region
from ....graph.regions.regional import Regional
from ....ops.control.branch import Switch
from ....ops.control.loop import Loop
from ....ops.control.while_loop import WhileLoop
from .expression import Writing, written
from .plain import plain

_TERM = 48  # the largest number of plain-text characters of an expression within another
_FOR = r"\quad \mathrm{for}\ "
_COUNTERS = "tskrmn"  # of a loop, of a loop in its body, …


@dataclass
class Page:
    """Where equations are written: `line` takes one, `new` gives a name that is free. `results` are
    those of the loops that are on the page, by the node's id and number."""

    line: Callable[[str], None]
    new: Callable[[], str]
    write: Writing = written
    taken: Collection[str] = ()  # names that no counter has
    results: dict[tuple[int, int], Piece] = field(default_factory=dict[tuple[int, int], Piece])

    def within(self, when: str) -> Page:
        """A page whose equations hold for the steps of a loop around them."""
        steps = when.removeprefix(_FOR)
        if not when:
            return self

        def line(text: str) -> None:
            self.line(f"{text}, {steps}" if _FOR in text else f"{text}{when}")

        return replace(self, line=line)

    def counter(self, depth: int) -> str:
        """The letter that counts the steps of a loop within `depth` others."""
        free = [letter for letter in _COUNTERS if letter not in self.taken]
        return free[depth] if depth < len(free) else rf"\tau_{{{depth}}}"


def results_of(
    node: Regional,
    operands: Sequence[Piece],
    page: Page,
    names: Mapping[int, str | None],
    depth: int = 0,
) -> list[Piece]:
    """The results of a loop or a branch, after the equations that define them are on the page.

    `names` has the results that are read, by number, with their names if they have some.
    """
    if isinstance(node, Loop):
        return _loop(node, operands, page, names, depth)
    if isinstance(node, WhileLoop):
        return _while(node, operands, page, names, depth)
    if isinstance(node, Switch):
        return _branches(node, operands, page, depth)
    return [indexed(node.notation(*operands), str(n)) for n in range(node.count)]


def results_read(
    node: Node, order: Sequence[Node], names: Mapping[int, str]
) -> dict[int, str | None]:
    """The numbers of a node's results that are read in `order`, with their names."""
    items = (x for x in order if type(x) is Item and x.inputs[0] is node)
    return {x.attributes["index"]: names.get(id(x)) for x in items}


def _at(name: str, step: str) -> Piece:
    return Piece(f"{_closed(name)}^{{({step})}}", POWER)


def _closed(name: str) -> str:
    return f"{{{name}}}" if "'" in name else name


def _loop(
    node: Loop, operands: Sequence[Piece], page: Page, names: Mapping[int, str | None], depth: int
) -> list[Piece]:
    t = page.counter(depth)
    carries, slices, _, reverse = node.steps()
    length: int | None = node.attributes["length"]  # None in a template
    own = [names.get(n) or page.new() for n in range(node.count)]
    before, after = (f"{t}+1", t) if reverse else (t, f"{t}+1")
    first, last = ("0" if length is None else str(length), "0")[:: 1 if reverse else -1]
    if length is None:
        first, last = ("n", "0") if reverse else ("0", "n")
    for name, start in zip(own[:carries], operands, strict=False):
        page.line(f"{_at(name, first).latex} = {start.within(SUM)}")
    body = node.regions[0]
    rows = [
        _row(x, piece, t)
        for x, piece in zip(
            node.inputs[carries:], operands[carries : carries + slices], strict=False
        )
    ]
    inside = [*(_at(name, before) for name in own[:carries]), *rows, *operands[carries + slices :]]
    ends = ("n-1" if length is None else str(length - 1), "0")
    start, end = ends if reverse else ends[::-1]
    steps = rf"{t} = {start}" if start == end else rf"{t} = {start}, \dots, {end}"
    steps = r"\mathrm{no}\ t" if length == 0 else steps
    when = rf"\quad \mathrm{{for}}\ {steps}"
    found = _body(body, inside, page, when, t, depth)
    written_as: dict[int, str] = {}
    for n, (name, y) in enumerate(zip(own, body.results, strict=True)):
        if n >= carries and n not in names:
            continue  # rows that nobody reads
        left = _at(name, after) if n < carries else subscripted(Piece(name), f"[{t}]")
        right = written_as.setdefault(id(y), left.latex) if y.inputs else left.latex
        text = found[n].within(SUM) if right == left.latex else right
        page.line(f"{left.latex} = {text}{when}")
    return [_at(name, last) for name in own[:carries]] + [Piece(name) for name in own[carries:]]


def _row(x: Node, piece: Piece, t: str) -> Piece:
    """Row t of an array: t itself of 0, 1, 2, …"""
    if isinstance(x, Constant) and x.ndim == 1:
        array = x.numpy()
        if is_integer(array.dtype) and array.size and np.all(np.diff(array) == 1):
            return Piece(t) if array[0] == 0 else added([Piece(t), Piece(str(array[0]))])
    return indexed(piece, t)


def _while(
    node: WhileLoop,
    operands: Sequence[Piece],
    page: Page,
    names: Mapping[int, str | None],
    depth: int,
) -> list[Piece]:
    t = page.counter(depth)
    own = [names.get(n) or page.new() for n in range(node.count)]
    for name, start in zip(own, operands, strict=False):
        page.line(f"{_at(name, '0').latex} = {start.within(SUM)}")
    inside = [*(_at(name, t) for name in own), *operands[node.count :]]
    condition, body = node.regions
    (holds,) = _body(condition, inside, page, "", t, depth)
    last = page.new()
    found = _body(body, inside, page, rf"\quad \mathrm{{for}}\ {t} < {last}", t, depth)
    for name, piece in zip(own, found, strict=True):
        left = _at(name, f"{t}+1").latex
        page.line(rf"{left} = {piece.within(SUM)}\quad \mathrm{{for}}\ {t} < {last}")
    first = rf"\min\{{{t} \mid \lnot\,\left({holds.latex}\right)\}}"
    most = node.attributes["max_steps"]
    page.line(f"{last} = " + (first if most is None else rf"\min\left({most}, {first}\right)"))
    return [_at(name, last) for name in own]


def _branches(node: Switch, operands: Sequence[Piece], page: Page, depth: int) -> list[Piece]:
    chooser, given = operands[0], operands[1:]
    found = [_body(region, given, page, "", "", depth) for region in node.regions]
    dtype = node.inputs[0].dtype
    either = dtype is not None and is_boolean(dtype) and len(found) == 2
    results: list[Piece] = []
    for each in zip(*(found[::-1] if either else found), strict=True):
        if either:
            tests = [rf"\mathrm{{if}}\ {chooser.latex}", r"\mathrm{else}"]
        else:
            holds = chooser.within(SUM)
            tests = [rf"\mathrm{{if}}\ {holds} = {n}" for n in range(len(each))]
        rows = r" \\ ".join(f"{x.latex} & {test}" for x, test in zip(each, tests, strict=True))
        results.append(Piece(rf"\begin{{cases}} {rows} \end{{cases}}"))
    return results


def _body(
    region: Region, given: Sequence[Piece], page: Page, when: str, t: str, depth: int
) -> list[Piece]:
    """The results of a region for these operands. Long terms, and those that are used more than
    once, have equations of their own, for each step."""
    pieces = {id(x): piece for x, piece in zip(region.parameters, given, strict=True)}
    uses = Counter(id(x) for node in region.order for x in node.inputs)
    inner: dict[int, list[Piece]] = {}
    ends = {id(y) for y in region.results}
    for node in region.order:
        if id(node) in pieces:
            continue
        operands = [pieces[id(x)] for x in node.inputs]
        if isinstance(node, Regional):
            read = results_read(node, [*region.order, *region.results], {})
            inner[id(node)] = results_of(node, operands, page.within(when), read, depth + 1)
            pieces[id(node)] = Piece("")
            continue
        if type(node) is Item and id(node.inputs[0]) in inner:
            piece = inner[id(node.inputs[0])][node.attributes["index"]]
        else:
            piece = page.write(node, operands)
        length = len(plain(piece.latex))
        repeated = uses[id(node)] > 1 and length > 12
        if node.inputs and (length > _TERM or repeated) and id(node) not in ends:
            name = page.new()
            piece, right = (_at(name, t) if t else Piece(name)), piece
            page.line(f"{piece.latex} = {right.within(SUM)}{when}")
        pieces[id(node)] = piece
    return [pieces[id(y)] for y in region.results]
