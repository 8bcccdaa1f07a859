"""The model of a drawing: the items of a graph, links between them, their roles and scopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...autodiff.gradients import Gradient
from ...errors import GraphError
from ...graph.context import level_of, result_of
from ...graph.graph import Graph
from ...graph.kinds import Assign
from ...graph.leaves import Constant, Placeholder, Variable
from ...graph.node import Node
from ...graph.operation import Item as OutputItem, MultipleOutputs, Operation
from ...graph.protocols.stand_in import node_of
from ...graph.regions.regional import Regional
from ...graph.traversal.order import postorder
from ...passes.program import Program
from ..derivatives import Derivative, as_text, derivatives_of, names_in, terms_in
from ..names import is_named, names_of, short_name
from ..scopes import ScopesOf
from ..simplified import simplified
from .layout.ranks import common
from .opened import count_of, opened

OPENED = 150  # the largest number of nodes, those of regions included, that are drawn by default
Names = tuple[str, list[str]]  # of y, and of each x
Role = Literal["forward", "backward", "update"]
Kind = Literal["constant", "placeholder", "variable", "operation"]


@dataclass(frozen=True, eq=False)
class Item:
    """What a drawing shows for one node. `key` is n0, n1, … in topological order, and n1_0_0, … in
    region 0 of n1.

    `derivative` is ∂y/∂x for the gradient that a node holds, if it has another name or none.
    The update of a Variable by a Program has an item of its own with the key u0, u1, …; its kind is
    "operation" and its node is that Variable.
    """

    key: str
    node: Node
    label: str
    role: Role
    kind: Kind
    scope: tuple[str, ...]
    derivative: str = ""


@dataclass(frozen=True)
class Link:
    """One edge: `source` is operand number `position` of `target`. A node that is used twice has
    two links."""

    source: str
    target: str
    position: int


@dataclass(frozen=True, eq=False)
class Picture:
    """All items and links in topological order. Equal graphs give equal pictures.

    `counterparts` has the node that is shown for each node of a graph that was simplified, and
    `derivatives` the names of y and of each x for the gradients ∂y/∂x.
    """

    items: tuple[Item, ...]
    links: tuple[Link, ...]
    counterparts: Mapping[Node, Node] = field(default_factory=dict[Node, Node])
    derivatives: Mapping[Node, Names] = field(default_factory=dict[Node, Names])


def picture(what: Any, *, regions: bool | None = False, simplify: bool = False) -> Picture:
    """The items and links of nodes and everything they depend on, of a Graph or of a Program.

    With `simplify` derivatives are shown simplified. With `regions` also what loops and branches
    hold, in a scope of its own; None: if that is small.
    Raises GraphError for any other argument.
    """
    what = node_of(what)
    roots, updates = _roots(what)
    ends = _ends(roots) if isinstance(what, Graph) else roots
    simple = simplified(ends) if simplify else None
    counterparts: Mapping[Node, Node] = {}
    if simple is not None:
        counterparts = simple.counterpart | dict(zip(ends, simple.roots, strict=True))
        roots = list(simple.roots)
        values = roots[len(roots) - len(updates) :]
        updates = [(variable, value) for (variable, _), value in zip(updates, values, strict=True)]
    order = postorder(*_forward(postorder(*roots)), *roots)
    names = {**names_of(order), **({} if simple is None else simple.names)}
    found = derivatives_of(order) if simple is None else simple.derivatives
    derivatives = _written(order, names, found)
    keys = {id(node): f"n{place}" for place, node in enumerate(order)}
    roles = _roles(order, [value for _, value in updates])
    scopes = _scopes(order, roles)
    if regions is None:
        regions = len(order) + count_of(order) <= OPENED
    items: list[Item] = []
    links: list[Link] = []
    for node, scope in zip(order, scopes, strict=True):
        key, role = keys[id(node)], roles[id(node)]
        operands = [keys[id(x)] for x in node.inputs]
        if regions and isinstance(node, Regional):
            named = [names[id(x)] if is_named(x, names[id(x)]) else None for x in node.inputs]
            inside = opened(node, key, operands, named, scope)
            items += [Item(x.key, x.node, x.label, role, kind_of(x.node), x.scope)
                      for x in inside.inner]  # fmt: skip
            links += [Link(*edge) for edge in inside.edges]
        else:
            links += [Link(x, key, position) for position, x in enumerate(operands)]
        name, text = names[id(node)], as_text(*derivatives[node]) if node in derivatives else ""
        text = "" if text == name else text
        items.append(Item(key, node, name, role, kind_of(node), scope, text))
    for number, (variable, value) in enumerate(updates):
        name = names.get(id(variable)) or names_of([variable])[id(variable)]
        items.append(Item(f"u{number}", variable, f"{name} ←", "update", "operation", ()))
        links.append(Link(keys[id(value)], f"u{number}", 0))
    return Picture(tuple(items), tuple(links), counterparts, derivatives)


def nodes_of(what: Any) -> set[Node]:
    """The nodes that a drawing shows. Raises GraphError as `picture` does."""
    return set(postorder(*_roots(what)[0]))


def _roots(what: Any) -> tuple[list[Node], Sequence[tuple[Variable, Node]]]:
    """The root nodes of the drawing, and the Variable updates if `what` is a Program."""
    if isinstance(what, Program):
        return list(what.roots), what.updates
    if isinstance(what, Graph):
        return list(what.nodes), ()
    nodes = [what] if isinstance(what, Node) else what
    if isinstance(nodes, (list, tuple)) and all(isinstance(node, Node) for node in nodes):
        return list(nodes), ()
    raise GraphError(
        f"expected a node, a list of nodes, a Graph or a Program, got {type(what).__name__} "
        f"{what!r:.60}",
        hint="Draw the function's result, f(x), or f.program(x) for a pg.function."
        if callable(what)
        else "",
    )


def _ends(roots: Sequence[Node]) -> list[Node]:
    """The roots that the user built or that no other root reads."""
    used = {x for node in roots for x in node.inputs}
    return [node for node in roots if node not in used or not level_of(node._origin)]


def _forward(order: Sequence[Node]) -> list[Node]:
    """The operations that no derivative leads to: they are listed before those of derivatives."""
    after: set[Node] = set()
    for node in order:
        if level_of(node._origin) or any(x in after for x in node.inputs):
            after.add(node)
    return [node for node in order if node.inputs and node not in after] if after else []


def _written(
    order: Sequence[Node], names: dict[int, str], derivatives: dict[Node, Derivative]
) -> dict[Node, Names]:
    """y and each x of each gradient ∂y/∂x; in `names`, nodes without a name are named so, and those
    that only lead to a gradient after their operation."""
    here = {node: one for node, one in derivatives.items() if id(node) in names}
    found = names_in(here, names)
    terms = terms_in(order)
    for node in order:
        if names[id(node)].startswith("∂") and node not in found:
            if node in terms or (result_of(node._origin) is not None and node not in derivatives):
                names[id(node)] = short_name(node, {})
    for node, (y, by) in found.items():
        if not is_named(node, names[id(node)]) or names[id(node)].startswith("∂"):
            names[id(node)] = as_text(y, by)
    return found


def kind_of(node: Node) -> Kind:
    """The node's kind: constant, placeholder, variable or operation."""
    if isinstance(node, Operation):
        return "operation"
    if isinstance(node, Variable):
        return "variable"
    return "placeholder" if isinstance(node, Placeholder) else "constant"


def _roles(order: Sequence[Node], updates: Sequence[Node]) -> dict[int, Role]:
    """The role of each node, by id: "backward" for nodes of a backward pass, "update" for nodes
    that only updates of Variables use, otherwise "forward"."""
    uses: dict[int, list[Node]] = {id(node): [] for node in order}
    for node in order:
        for x in node.inputs:
            uses[id(x)].append(node)
    roles: dict[int, Role] = {}
    updated = {id(node) for node in updates}
    assignments = _assignments(order)
    lines = {node._origin for node in order if isinstance(node, Assign)} - {None}
    for node in reversed(order):  # consumers before producers
        users = uses[id(node)]
        if level_of(node._origin) or _is_gradient(node):
            roles[id(node)] = "backward"
        elif id(node) in assignments:
            roles[id(node)] = "update"
        elif node._origin in lines and isinstance(node, Operation):  # built by the optimizer's call
            roles[id(node)] = "update"
        elif (users and all(roles[id(user)] == "update" for user in users)) or (
            not users and id(node) in updated and isinstance(node, Operation)
        ):
            roles[id(node)] = "update"
        else:
            roles[id(node)] = "forward"
    return {id(node): _leaf_role(node, uses[id(node)], roles) for node in order}


def _leaf_role(node: Node, users: Sequence[Node], roles: dict[int, Role]) -> Role:
    """The role of a node; a constant takes the role that all its consumers share."""
    if not node.inputs and users and isinstance(node, Constant):
        first = roles[id(users[0])]
        if all(roles[id(user)] == first for user in users):
            return first
    return roles[id(node)]


def _is_gradient(node: Node) -> bool:
    """Whether the node is a Gradient that is not expanded yet, or one of its outputs."""
    if isinstance(node, OutputItem):
        return isinstance(node.inputs[0], Gradient)
    return isinstance(node, Gradient)


def _assignments(order: Sequence[Node]) -> set[int]:
    """The ids of assignments, and of groups that contain only assignments."""
    ids: set[int] = set()
    for node in order:
        group = isinstance(node, MultipleOutputs) and not isinstance(node, Gradient)
        if isinstance(node, Assign) or (
            group and node.inputs and all(id(x) in ids for x in node.inputs)
        ):
            ids.add(id(node))
    return ids


def _scopes(order: Sequence[Node], roles: dict[int, Role]) -> list[tuple[str, ...]]:
    """The scopes of each node: those open when it was built. A leaf built outside all scopes gets
    the innermost scope that contains all its consumers, unless it is an input of it."""
    own = ScopesOf(order)
    shared: dict[int, tuple[str, ...]] = {}
    for node in order:
        for x in node.inputs:
            if not x.inputs and not own[x] and roles[id(x)] == roles[id(node)]:
                mine = own[node]
                shared[id(x)] = common(shared[id(x)], mine) if id(x) in shared else mine
    scopes: list[tuple[str, ...]] = []
    for node in order:
        if roles[id(node)] == "update" and isinstance(node, Variable):
            scopes.append(())
        else:
            readers = shared.get(id(node))
            scopes.append(own[node] if readers is None else own.of_leaf(node, readers))
    return scopes
