"""Display names of nodes: given names, names of Python variables, or names of operations."""

from __future__ import annotations

import ast
import linecache
import sys
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from types import CodeType, FrameType

from ..autodiff.gradients import Gradient
from ..errors import printable
from ..graph.context import PACKAGE, Backward, level_of, target_of
from ..graph.kinds import Assign
from ..graph.leaves import Constant, Variable
from ..graph.node import Node
from ..graph.operation import Item, MultipleOutputs

Span = tuple[int, int, int, int]  # line, end line, column, end column, as in code.co_positions
Call = tuple[CodeType, int]
Target = str | tuple[str | None, ...]

_OPTIMISED = 1  # CO_OPTIMIZED: the function's locals are array slots, not a dict


def names_of(nodes: Sequence[Node]) -> dict[int, str]:
    """Returns the display name of each node, by its id.

    In order of precedence: the name given by the user; the Python variable that the node was
    assigned to where it was built; a variable bound to the node in a function on the call stack;
    the parameter of a differentiated function; the name of the operation. Several nodes assigned to
    one variable are numbered in the order in which they were made: h₁, h₂.
    """
    given: dict[int, str] = {}
    bound: dict[int, str] = {}
    helpers = _helpers(nodes)
    running = _running_names({id(node) for node in nodes})
    for node in nodes:
        if node._name and node._name.strip("/") and not node._unnamed:
            given[id(node)] = node._name.rstrip("/").rsplit("/", 1)[-1]
            continue
        name = _assigned(node, helpers) or running.get(id(node))
        if name is not None:
            bound[id(node)] = name
    names = _printed(given)
    counts = Counter(bound.values())
    taken = set(names.values())
    used: Counter[str] = Counter()
    for node in sorted((node for node in nodes if id(node) in bound), key=lambda one: one._serial):
        name = bound[id(node)]
        used[name] += 1
        many = counts[name] > 1 or name in taken
        names[id(node)] = name + subscript(used[name]) if many else name
    taken = set(names.values())
    for node in nodes:
        if node._alias is not None and id(node) not in names:
            names[id(node)] = _free(node._alias, taken)
    terms = _terms(nodes)
    for node in nodes:
        if id(node) not in names:
            names[id(node)] = short_name(node, {} if id(node) in terms else names)
    return names


def _terms(nodes: Sequence[Node]) -> set[int]:
    """The ids of terms of gradients: only their sum, the total, is called ∂x."""
    terms: set[int] = set()
    for node in nodes:
        target, level = target_of(node._origin), level_of(node._origin)
        if target is not None:
            same = (x for x in node.inputs if level_of(x._origin) == level)
            terms |= {id(x) for x in same if target_of(x._origin) is target}
    return terms


def _free(name: str, taken: set[str]) -> str:
    """The name, or if it is taken the first of x₂, x₃, … that isn't; it is taken from now on."""
    count, free = 1, name
    while free in taken:
        count += 1
        free = name + subscript(count)
    taken.add(free)
    return free


def _printed(given: dict[int, str]) -> dict[int, str]:
    """The given names as every format can show them: escaped, and shortened if they are long.

    Names that differ stay different: those that became equal are numbered.
    """
    shown = {name: printable(name) for name in given.values()}
    taken = {name: name for name, text in shown.items() if name == text}
    for name, text in shown.items():
        count, unique = 1, text
        while taken.setdefault(unique, name) != name:
            count += 1
            unique = f"{text}{subscript(count)}"
        shown[name] = unique
    return {key: shown[name] for key, name in given.items()}


def is_named(node: Node, name: str) -> bool:
    """Whether `name` differs from the default name of the node's operation."""
    return name != short_name(node, {})


def short_name(node: Node, names: dict[int, str]) -> str:
    """The name of an unnamed node: its operation, or the number of a scalar constant."""
    if isinstance(node, Assign):
        variable: Variable = node.attributes["variable"]
        given = None if variable._unnamed else variable._name
        name = (
            names.get(id(variable))
            or (given and printable(given))
            or _assigned(variable, set())
            or "variable"
        )
        return f"{name.rsplit('/', 1)[-1]} ←"
    if isinstance(node, Item):
        parent = node.inputs[0]
        index: int = node.attributes["index"]
        if isinstance(parent, Gradient):
            y, x = parent.inputs[0], parent.inputs[1 + index]
            return f"∂{names.get(id(y), 'y')}/∂{names.get(id(x), 'x')}"
        return f"{names.get(id(parent), parent.kind_name())}[{index}]"
    if isinstance(node, Gradient):
        return "∂"
    if isinstance(node, Constant) and node.numpy().size == 1:
        return number(node.numpy().item())
    target = target_of(node._origin)
    if target is not None and names.get(id(target), target.kind_name()) != target.kind_name():
        return f"∂{names[id(target)]}"
    return node.kind_name()


def described(node: Node, name: str) -> str:
    """A node's display name as a title: result 0 of split, derivative by x of an unnamed node."""
    if isinstance(node, Item) and name.endswith(f"[{node.attributes['index']}]"):
        parent, called = node.inputs[0], name.rpartition("[")[0]
        if isinstance(parent, MultipleOutputs) and parent.count == 1:
            return called
        return f"result {node.attributes['index']} of {called}"
    if name.startswith("∂") and "/" not in name and node.inputs:
        return f"derivative by {name[1:]}" if name[1:] else "derivative"
    return name


def number(value: float) -> str:
    """A number with at most four significant digits and the sign − (U+2212)."""
    if isinstance(value, bool):
        return str(value)
    text = f"{value:d}" if isinstance(value, int) and abs(value) < 10**6 else f"{value:.4g}"
    return text.replace("e+0", "e").replace("e-0", "e-").replace("e+", "e").replace("-", "−")


def subscript(count: int) -> str:
    """A number as a subscript: ₁₂."""
    return "".join(chr(0x2080 + int(digit)) for digit in str(count))


# ---------------------------------------------------------------- where a node was built


def _assigned(node: Node, helpers: set[int]) -> str | None:
    """The Python variable to which the source line assigned the node when it was built."""
    place = node._origin
    if isinstance(place, Backward):
        return _returned(place)
    if place is None or id(node) in helpers:
        return None
    if isinstance(node, Constant) and node.scalar is not None:
        return None  # the 2 of y = x + 2
    target = _target(place[0], place[1])
    if isinstance(target, tuple):
        index = node.attributes["index"] if isinstance(node, Item) else len(target)
        return target[index] if index < len(target) else None
    if isinstance(node, Item):  # g = pg.gradients(y, x), of shapes that aren't known yet
        parent = node.inputs[0]
        return target if isinstance(parent, Gradient) and parent.count == 1 else None
    return target


def _returned(place: Backward) -> str | None:
    """The variable to which the call that returned a gradient is assigned."""
    if place.returned is None:
        return None
    code, instruction, position = place.returned
    target = _target(code, instruction)
    if isinstance(target, tuple):
        return target[position] if position is not None and position < len(target) else None
    return target if position is None else None


def _helpers(nodes: Sequence[Node]) -> set[int]:
    """The ids of intermediate nodes of one call, which must not get the name of its result.

    Among the nodes built by one instruction these are: nodes whose class differs from that of the
    last one; operands of a node of another class; operands of intermediate nodes. (A loop over
    `h = relu(h)` builds nodes of one class, all of them results.) What a call built besides the
    gradients that it returned is intermediate too.
    """
    helpers: set[int] = set()
    last: dict[Call, type[Node]] = {}
    gradients = {
        node._origin.returned[:2]
        for node in nodes
        if isinstance(node._origin, Backward) and node._origin.returned is not None
    }
    for node in reversed(nodes):
        call = _call(node)
        if call in gradients:
            helpers.add(id(node))
        elif call is not None:
            if type(node) is not last.setdefault(call, type(node)):
                helpers.add(id(node))
            for x in node.inputs:
                if _call(x) == call and (type(x) is not type(node) or id(node) in helpers):
                    helpers.add(id(x))
    return helpers


def _call(node: Node) -> Call | None:
    """The code object and instruction that built a node."""
    place = node._origin
    return None if place is None or isinstance(place, Backward) else place[:2]


@lru_cache(4096)
def _target(code: CodeType, instruction: int) -> Target | None:
    """The target to which the statement at this instruction assigns its value, or None."""
    span = next(
        (s for n, s in enumerate(code.co_positions()) if n == instruction // 2), (None,) * 4
    )
    line, end, column, end_column = span
    if line is None or end is None or column is None or end_column is None:
        return None
    source = linecache.getlines(code.co_filename)
    if not source:
        return None
    return _targets("".join(source)).get((line, end, column, end_column))


@lru_cache(64)
def _targets(source: str) -> dict[Span, Target]:
    """The targets of all assignments in a file, by the source spans of the assigned expressions."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # such as a notebook's magic commands
        return {}
    targets: dict[Span, Target] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            _match(node.targets[0], node.value, targets)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            _match(node.target, node.value, targets)
        elif isinstance(node, ast.NamedExpr):
            _match(node.target, node.value, targets)
        elif isinstance(node, ast.AugAssign):
            _put(node.target, node, targets)
    return targets


def _match(target: ast.expr, value: ast.expr, targets: dict[Span, Target]) -> None:
    pairs = [(target, value)]
    while pairs:
        target, value = pairs.pop()
        if isinstance(value, ast.IfExp):
            pairs += [(target, value.body), (target, value.orelse)]
        elif isinstance(target, (ast.Tuple, ast.List)):
            if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
                pairs += zip(target.elts, value.elts, strict=True)
            else:
                _put(target, value, targets)
        else:
            _put(target, value, targets)


def _put(target: ast.expr, value: ast.expr | ast.AugAssign, targets: dict[Span, Target]) -> None:
    assert value.end_lineno is not None
    assert value.end_col_offset is not None
    span = (value.lineno, value.end_lineno, value.col_offset, value.end_col_offset)
    if isinstance(target, (ast.Tuple, ast.List)):
        targets[span] = tuple(map(_spelled, target.elts))
    elif (name := _spelled(target)) is not None:
        targets[span] = name


def _spelled(target: ast.expr) -> str | None:
    """A target's display name: `h` for `self.h` and `h`, `hs[0]` for a constant index, `hs` for
    any other index; None for `_` and other targets."""
    if isinstance(target, ast.Attribute):
        return target.attr
    if isinstance(target, ast.Name):
        return None if set(target.id) == {"_"} else target.id
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
        if isinstance(target.slice, ast.Constant):
            return ast.unparse(target)
        return target.value.id
    return None


# ---------------------------------------------------------------- variables on the call stack


def _running_names(wanted: set[int]) -> dict[int, str]:
    """Variables bound to one of the `wanted` nodes in user functions on the call stack, by node id.

    Inner functions take precedence. No frame or value is referenced after the return.
    """
    names: dict[int, str] = {}
    seen: set[int] = set()  # modules, by their globals: many frames share one
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            spaces = [frame.f_locals]
            if frame.f_locals is not frame.f_globals and id(frame.f_globals) not in seen:
                spaces.append(frame.f_globals)
            seen.add(id(frame.f_globals))
            for space in spaces:
                for name, value in list(space.items()):
                    if id(value) in wanted and isinstance(value, Node) and _is_name(name):
                        names.setdefault(id(value), name)
            if sys.version_info < (3, 13) and frame.f_code.co_flags & _OPTIMISED:
                spaces[0].clear()  # a snapshot that the frame caches, and that keeps nodes alive
        frame = frame.f_back
    return names


def _is_name(name: str) -> bool:
    """Whether a user has chosen it: not _, and not what pytest adds to functions, @py_assert1."""
    return name.isidentifier() and bool(name.strip("_"))
