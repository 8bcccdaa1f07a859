"""Region: a graph with parameters, an attribute of an operation that runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...dtypes import DType
from ...shapes import Shape, known, text
from ..context import context, graph_scope
from ..kinds import AnonymousGraph
from ..leaves import Placeholder
from ..node import Node
from ..operation import Operation
from ..registry import ops
from ..state.lazy import lazy
from ..state.records import dataclass
from ..traversal.order import postorder
from ..traversal.replay import replay
from .key import structural_key

Form = tuple[Shape | None, DType | None, Any]  # shape, dtype, and the number of a weak one


@dataclass(frozen=True, eq=False)
class Region:
    """A graph that computes `results` from `parameters`, and reads nothing else but constants.

    The nodes and Variables of the surrounding graph that it uses, its captures, are parameters too:
    the operation that has the region has them as inputs. Two regions are equal if they compute the
    same by the same operations, so a region can be part of a cache key.
    """

    parameters: tuple[Placeholder, ...]
    results: tuple[Node, ...]

    @lazy
    def order(self) -> list[Node]:
        """The parameters that are read, and all other nodes, inputs first."""
        return postorder(*self.results)

    @lazy
    def nodes(self) -> list[Node]:
        """The parameters and all other nodes, in the same order for equal regions."""
        given: set[Node] = set(self.parameters)
        return [*self.parameters, *(x for x in self.order if x not in given)]

    @lazy
    def structural_key(self) -> str:
        """A text that is equal for equal regions only."""
        return structural_key(self.parameters, self.results, self.order)

    def __hash__(self) -> int:
        return hash(self.structural_key)

    def __eq__(self, other: object) -> bool:
        return type(other) is Region and self.structural_key == other.structural_key

    def __repr__(self) -> str:
        inputs = ", ".join(f"{x.dtype or '?'} {text(x.shape)}" for x in self.parameters)
        count = sum(isinstance(node, Operation) for node in self.order)
        return f"Region(({inputs}), {count} operations, {self.structural_key[:12]})"

    @property
    def is_concrete(self) -> bool:
        """Whether all shapes and dtypes are known."""
        return all(known(x.shape) and x.dtype is not None for x in self.parameters)

    def inlined(self, inputs: Sequence[Node]) -> list[Node]:
        """The results for these inputs, built in the open graph, or computed if none is open."""
        given: dict[Node, Node] = dict(zip(self.parameters, inputs, strict=True))
        eager = context().graph is None  # a clone isn't computed

        def rule(node: Operation, inputs: list[Any]) -> Node:
            return node.rebuild(inputs) if eager else node.rewired(inputs)

        built = replay(self.order, rule, given)
        return [built[node] for node in self.results]

    def fitted(self, forms: Sequence[Form]) -> Region:
        """The region for parameters of these forms: itself if it has them."""
        if all(same_form(form_of(x), form) for x, form in zip(self.parameters, forms, strict=True)):
            return self
        return ops.specialised_region(self, forms)

    def with_rule(
        self, rule: Callable[[Operation, list[Any]], Any], forms: Sequence[Form]
    ) -> Region:
        """The region for parameters of these forms, with every operation replaced by
        rule(operation, inputs)."""
        with graph_scope(AnonymousGraph(), hidden=True):
            given: dict[Node, Any] = {
                x: parameter(form, like=x) for x, form in zip(self.parameters, forms, strict=True)
            }
            built = replay(self.order, rule, given)
        parameters = tuple(given[x] for x in self.parameters)
        return Region(parameters, tuple(built[node] for node in self.results))


def form_of(x: Node) -> Form:
    """The form that a region's parameter has for an input like x."""
    return x.shape, x.dtype, x.weak


def same_form(a: Form, b: Form) -> bool:
    """Whether two forms are equal. NumPy's float64 equals None, which is an unknown dtype here."""
    known = (a[1] is None) == (b[1] is None)
    return known and (a[0], a[1], type(a[2])) == (b[0], b[1], type(b[2]))


def is_known_form(form: Form) -> bool:
    """Whether shape and dtype are known."""
    return known(form[0]) and form[1] is not None


def parameter(form: Form, *, like: Node | None = None, name: str | None = None) -> Placeholder:
    """A parameter of this form, with the name and origin of another node."""
    shape, dtype, weak = form
    state: dict[str, Any] = {"_shape": shape, "_dtype": dtype, "fed_by": "a region"}
    if weak is not None:
        state["weak"] = weak
    origin = None
    if like is not None:
        name, origin = name or like._name, like._origin
    return Placeholder.unchecked({**state, "_name": name, "_origin": origin or context().origin})


def marked_optimised(region: Region) -> Region:
    """The region, which the passes leave alone from now on."""
    region.__dict__["optimised"] = True
    return region


def is_optimised(region: Region) -> bool:
    """Whether the passes have been over the region."""
    return "optimised" in region.__dict__
