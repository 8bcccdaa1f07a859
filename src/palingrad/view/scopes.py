"""Scopes of nodes in drawings: those open when a node was built; those of a leaf's owner."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import printable
from ..graph.context import modules_of
from ..graph.leaves import Constant, Placeholder, Variable
from ..graph.node import Node
from .names import subscript

Scopes = tuple[str, ...]
Module = weakref.ref[Any] | None
Key = tuple[Any, ...]  # names of scopes and ids of references to their modules, alternately


class ScopesOf:
    """The scopes of nodes, outermost first.

    Scopes of one name that different modules opened are numbered in the order in which their nodes
    were made: Linear₁, Linear₂. `modules` holds what opened each scope.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._built: dict[int, Scopes] = {}
        self.modules: dict[Scopes, Module] = {}
        self._owned: dict[int, set[int]] = {}
        built = {id(node): _opened(node) for node in nodes}
        alike: dict[Key, list[Module]] = {}  # (outer parts, name) → the modules of that name
        for node in sorted(nodes, key=lambda node: node._serial):
            for key, module in _keys(built[id(node)]):
                same = alike.setdefault(key, [])
                if not any(module is one for one in same):
                    same.append(module)
        for node in nodes:
            scopes: Scopes = ()
            for key, module in _keys(built[id(node)]):
                same = alike[key]
                at = next(place for place, one in enumerate(same) if one is module)
                number = subscript(at + 1) if len(same) > 1 else ""
                scopes = (*scopes, printable(key[-1]) + number)
                self.modules[scopes] = module
            self._built[id(node)] = scopes

    def __getitem__(self, node: Node) -> Scopes:
        """The scopes that were open when the node was built."""
        return self._built[id(node)]

    def of_leaf(self, leaf: Node, readers: Scopes) -> Scopes:
        """The scopes of a leaf that was built outside all scopes, and is read in `readers`.

        A number in an expression is where it is read, a parameter in the module that has it. An
        input of a module isn't part of it.
        """
        if isinstance(leaf, Constant) and leaf.scalar is not None:
            return readers
        if isinstance(leaf, Placeholder):
            return ()
        for depth in range(len(readers), 0, -1):
            module = self.modules.get(readers[:depth])
            held = None if module is None else module()
            if id(leaf) in self._leaves(held) or (held is None and isinstance(leaf, Variable)):
                return readers[:depth]
        return ()

    def _leaves(self, module: Any) -> set[int]:
        """The ids of the nodes that a module and those in it hold."""
        if module is None:
            return set()
        if id(module) not in self._owned:
            found = {id(one) for one in module.variables().values()}
            for part in module.modules().values():
                found |= {id(one) for one in vars(part).values() if isinstance(one, Node)}
            self._owned[id(module)] = found
        return self._owned[id(module)]


def _keys(parts: Sequence[tuple[str, Module]]) -> Iterator[tuple[Key, Module]]:
    """For each part what tells it from others but its own module, and that module."""
    outer: Key = ()
    for name, module in parts:
        yield (*outer, name), module
        outer = (*outer, name, id(module))


def _opened(node: Node) -> tuple[tuple[str, Module], ...]:
    """The names of the scopes that the node was built in, and what opened them."""
    path = "" if node._origin is None else node._origin[2]
    names = [name for name in path.split("/") if name]
    modules = modules_of(path)
    if node._name is not None and "/" in node._name:
        given = [name for name in node._name.split("/")[:-1] if name]
        if given != names:
            names, modules = given, ()
    if len(modules) != len(names):
        modules = (None,) * len(names)
    return tuple(zip(names, modules, strict=True))
