"""Mutants: a rule's syntax tree with one place changed, as someone might get it wrong."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SWAPPED = (ast.Sub, ast.Div, ast.Pow, ast.FloorDiv, ast.Mod, ast.MatMult)
COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
TRANSPOSES = {"permute_dims", "matrix_transpose"}
SUMS = {"sum", "sum_to", "mean"}
# Attributes of a node, and functions, that don't lead to its value.
STATIC = {"shape", "ndim", "dtype", "inputs", "attributes", "items", "order", "label"}
FLAT = set(
    "zeros_like ones_like sign isfinite stop_gradient isinstance type len size count axes_in "
    "axis_in sizes callable _floats text enumerate".split()
)
# The places of arguments that only tell shapes and attributes.
PLAIN_ARGUMENTS = {"restored": (1, 2), "_deviation": (0,), "sum_to": (1,), "_vector": (1, 2),
                   "unbroadcast": (1,), "_share": (0, 1, 2)}  # fmt: skip
COMMUTATIVE = {"max", "min", "add", "hypot", "scaled_tangent", "_term", "_sum_of"}
BUILDERS = {"tuple", "int", "list", "float", "set", "dict", "zip"}

Change = Callable[[ast.AST], ast.AST]


@dataclass(frozen=True)
class Mutant:
    """A changed tree, the kind of the change, and the two texts."""

    kind: str
    before: str
    after: str
    tree: ast.FunctionDef

    @property
    def what(self) -> str:
        return f"{self.before} → {self.after}"

    @property
    def has_helper(self) -> bool:
        """Whether it calls a helper that may change nothing, such as the cast to a dtype."""
        return self.after.startswith("__") and not self.after.startswith("__ops__")


def mutants(tree: ast.FunctionDef) -> list[Mutant]:
    """All mutants of a function, each of another text."""
    found: list[Mutant] = []
    seen = {ast.unparse(tree)}
    nodes, parents = list(ast.walk(tree)), _parents(tree)
    places = {node: place for place, node in enumerate(nodes)}
    packed = pickle.dumps(tree)  # a copy by pickle takes a tenth of the time of a deep copy
    for place, node in enumerate(nodes):
        for kind, change in _changes(node, parents, tree):
            copy = pickle.loads(packed)
            copied = list(ast.walk(copy))
            old = copied[place]
            before = ast.unparse(old)
            new = change(old)
            if new is not old:
                _replace(copied[places[parents[node]]], old, new)
            ast.fix_missing_locations(copy)
            text = ast.unparse(copy)
            if text not in seen:
                seen.add(text)
                found.append(Mutant(kind, before, ast.unparse(new), copy))
    return found


def _parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def _replace(parent: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for name, value in ast.iter_fields(parent):
        if value is old:
            setattr(parent, name, new)
        elif isinstance(value, list):
            value[:] = [new if one is old else one for one in value]


def _changes(
    node: ast.AST, parents: dict[ast.AST, ast.AST], tree: ast.FunctionDef
) -> Iterator[tuple[str, Change]]:
    if not _is_code(node, parents, tree):
        return
    if _is_slot(node, parents, tree):
        yield from _of_slot(node)
    if isinstance(node, ast.List) and _is_returned(node, parents):
        for place in range(len(node.elts) - 1):
            yield "swapped", lambda n, place=place: _exchanged(n, n.elts, place)
    if isinstance(node, ast.BinOp):
        yield from _of_operator(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not, ast.Invert)):
        kind = "sign" if isinstance(node.op, ast.USub) else "comparison"
        yield kind, lambda n: n.operand
    elif isinstance(node, ast.Compare):
        yield from _of_comparison(node)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield "comparison", lambda n: ast.BoolOp(other(), n.values)
    elif isinstance(node, ast.IfExp):
        yield "branch", lambda n: n.body
        yield "branch", lambda n: n.orelse
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Attribute) and node.attr in ("mT", "T"):
        yield "transpose", lambda n: n.value
    elif isinstance(node, ast.Subscript):
        yield from _of_index(node)
    elif isinstance(node, ast.Slice):
        yield from _of_slice(node)
    elif isinstance(node, ast.Constant):
        yield from _of_number(node, parents)
    elif isinstance(node, ast.keyword):
        yield from _of_keyword(node)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        if _is_value(node, parents):
            yield "second order", lambda n: _called("__stop__", n)


# ---------------------------------------------------------------- where a node stands


def _is_code(node: ast.AST, parents: dict[ast.AST, ast.AST], tree: ast.FunctionDef) -> bool:
    """Whether a node stands in the function's body, outside docstrings, errors and annotations."""
    while node is not tree:
        parent = parents.get(node)
        if parent is None or isinstance(node, (ast.arguments, ast.Raise, ast.JoinedStr)):
            return False
        if parent is tree and (node not in tree.body):
            return False
        if isinstance(parent, ast.AnnAssign) and node is parent.annotation:
            return False
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return False
        if isinstance(node, ast.If) and any(isinstance(one, ast.Raise) for one in node.body):
            return False
        node = parent
    return True


def _is_returned(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    return isinstance(parents.get(node), ast.Return)


def _is_slot(node: ast.AST, parents: dict[ast.AST, ast.AST], tree: ast.FunctionDef) -> bool:
    """Whether a node is what a rule returns for one input, or what a helper returns."""
    if not isinstance(node, ast.expr) or isinstance(
        node, (ast.List, ast.ListComp, ast.Lambda, ast.Tuple, ast.Compare, ast.IfExp, ast.Starred)
    ):
        return False
    if isinstance(node, ast.Constant) and node.value in (None, 0):
        return False
    parent = parents[node]
    if isinstance(parent, (ast.Lambda, ast.Return, ast.ListComp)):
        return node is not getattr(parent, "args", None)
    return isinstance(parent, ast.List) and _is_returned(parent, parents)


def _is_value(node: ast.Name, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a name stands for numbers that a derivative may depend on."""
    child: ast.AST = node
    parent = parents[child]
    if isinstance(parent, (ast.Attribute, ast.Call)) and child is getattr(parent, "func", None):
        return False
    if isinstance(parent, ast.Attribute):
        return parent.attr in ("mT", "T")
    if isinstance(parent, (ast.Starred, ast.Subscript)) and child is not parent.value:
        return False
    while not isinstance(parent, (ast.stmt, ast.Lambda)):
        if isinstance(parent, (ast.Compare, ast.keyword, ast.Slice, ast.comprehension, ast.BoolOp)):
            return False
        if isinstance(parent, ast.IfExp) and child is parent.test:
            return False
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.FloorDiv):
            return False
        if isinstance(parent, ast.Call) and _name(parent) in FLAT:
            return False
        if isinstance(parent, ast.Call) and child in parent.args:
            if parent.args.index(child) in PLAIN_ARGUMENTS.get(_name(parent), ()):
                return False
        if isinstance(parent, ast.Subscript) and child is parent.slice:
            return False
        if isinstance(parent, ast.Attribute) and parent.attr in STATIC:
            return False
        child, parent = parent, parents[parent]
    return not isinstance(parent, (ast.If, ast.While)) or child is not parent.test


def _name(call: ast.Call) -> str:
    """The last part of the name of what is called."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


# ---------------------------------------------------------------- how it is changed


def _of_slot(node: ast.AST) -> Iterator[tuple[str, Change]]:
    yield "sign", lambda n: ast.UnaryOp(ast.USub(), n)
    yield "factor", lambda n: ast.BinOp(ast.Constant(2), ast.Mult(), n)
    yield "dropped", lambda n: ast.Constant(None)
    yield "second order", lambda n: _called("__stop__", n)
    yield "dtype", lambda n: _called("__narrow__", n)
    yield "dtype", lambda n: _called("__widen__", n)


def _of_operator(node: ast.BinOp) -> Iterator[tuple[str, Change]]:
    if isinstance(node.op, (ast.Add, ast.Sub)):
        other = ast.Sub if isinstance(node.op, ast.Add) else ast.Add
        yield "sign", lambda n: ast.BinOp(n.left, other(), n.right)
        yield "dropped", lambda n: n.left
        yield "dropped", lambda n: n.right
    if isinstance(node.op, (ast.Mult, ast.Div, ast.Pow, ast.BitAnd, ast.BitOr)):
        yield "dropped", lambda n: n.left
        yield "dropped", lambda n: n.right
    if isinstance(node.op, (ast.BitAnd, ast.BitOr)):
        other_bit = ast.BitOr if isinstance(node.op, ast.BitAnd) else ast.BitAnd
        yield "comparison", lambda n: ast.BinOp(n.left, other_bit(), n.right)
    if isinstance(node.op, SWAPPED):
        yield "swapped", lambda n: ast.BinOp(n.right, n.op, n.left)


def _of_comparison(node: ast.Compare) -> Iterator[tuple[str, Change]]:
    for place, op in enumerate(node.ops):
        for other in COMPARED.get(type(op), ()):

            def changed(n, place=place, other=other):
                n.ops[place] = other()
                return n

            yield "comparison", changed


def _of_call(node: ast.Call) -> Iterator[tuple[str, Change]]:
    name = _name(node)
    if name in FLAT - {"stop_gradient", "sign"}:
        return
    if name == "range" and node.args:
        yield (
            "off by one",
            lambda n: ast.Call(
                n.func, [*n.args[:-1], ast.BinOp(n.args[-1], ast.Sub(), ast.Constant(1))], []
            ),
        )
        return
    if name in BUILDERS:
        return
    if node.args and not isinstance(node.args[0], ast.Starred):
        kind = "transpose" if name in TRANSPOSES else "sum" if name in SUMS else "call"
        yield kind, lambda n: n.args[0]
    if name == "where" and len(node.args) == 3:
        yield "branch", lambda n: n.args[1]
        yield "branch", lambda n: n.args[2]
    if name in COMMUTATIVE:
        return
    if len(node.args) > 1 and not any(isinstance(one, ast.Starred) for one in node.args[:2]):
        yield "swapped", lambda n: _exchanged(n, n.args, 0)
    if name in ("sum", "mean"):
        yield "sum", lambda n: _renamed(n, "mean" if _name(n) == "sum" else "sum")


def _of_index(node: ast.Subscript) -> Iterator[tuple[str, Change]]:
    if isinstance(node.slice, (ast.Slice, ast.Tuple)):
        reversing = any(isinstance(one, ast.Slice) and one.step for one in ast.walk(node.slice))
        yield ("transpose" if reversing else "call"), lambda n: n.value


def _of_slice(node: ast.Slice) -> Iterator[tuple[str, Change]]:
    for end in ("lower", "upper"):
        if getattr(node, end) is not None:
            for op in (ast.Add, ast.Sub):

                def moved(n, end=end, op=op):
                    setattr(n, end, ast.BinOp(getattr(n, end), op(), ast.Constant(1)))
                    return n

                yield "off by one", moved


def _of_number(node: ast.Constant, parents: dict[ast.AST, ast.AST]) -> Iterator[tuple[str, Change]]:
    if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
        return
    if isinstance(parents[node], ast.keyword):
        return  # axes are changed as keywords
    if isinstance(node.value, float):
        yield "factor", lambda n: ast.Constant(n.value * 1.5)
    else:
        index = isinstance(parents[node], (ast.Subscript, ast.Tuple, ast.Slice))
        yield ("off by one" if index else "factor"), lambda n: ast.Constant(n.value + 1)


def _of_keyword(node: ast.keyword) -> Iterator[tuple[str, Change]]:
    if node.arg == "keepdims" and isinstance(node.value, ast.Constant):
        yield "axis", lambda n: ast.keyword(n.arg, ast.Constant(not n.value.value))
    if node.arg != "axis":
        return
    for other in (0, -1, None):
        yield "axis", lambda n, other=other: ast.keyword(n.arg, ast.Constant(other))


def _called(name: str, argument: ast.AST) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), [argument], [])


def _renamed(call: ast.Call, name: str) -> ast.Call:
    func = ast.Attribute(ast.Name("__ops__", ast.Load()), name, ast.Load())
    return ast.Call(func, call.args, call.keywords)


def _exchanged(node: ast.AST, items: list[ast.expr], place: int) -> ast.AST:
    items[place], items[place + 1] = items[place + 1], items[place]
    return node
