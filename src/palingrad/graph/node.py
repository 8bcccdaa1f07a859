"""Node: one vertex of a computational graph, with its place, its value and its derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ..dtypes import Array, DType, Scalar, is_inexact
from ..errors import GraphError
from ..shapes import Shape, text
from .context import Origin, SourceLocation, context
from .differentiated import arguments, check_not_cut
from .observe import tell_read, watching
from .operators import Operators
from .registry import viewer

if TYPE_CHECKING:
    from .graph import Graph


next_serial = count(1).__next__


class Node(Operators):
    """One vertex of a graph. Nodes never change what they compute; only Variables change value.

    `value` is a read-only array, or None while the node waits for a feed or a session. `grad` and
    `jacobian` are set by `backward()` and `jacobians()`. `origin` is the line that built the node.
    """

    inputs: tuple[Node, ...] = ()
    graph: Graph | None = None
    grad: Node | None = None
    jacobian: Array | None = None
    piecewise_constant: ClassVar[bool] = False  # whether ∂y/∂x = 0 for each input
    weak: Scalar | None = None  # the Python number it stands for, if so: gives way in promotion
    _origin: SourceLocation | None = None
    _value: Any = None
    _cached_value: Any = None  # of a deferred node, kept by Graph.evaluate until a Variable changes
    _shape: Any = None
    _dtype: Any = None
    _name: str | None = None
    _unnamed: bool = False  # whether a graph made the name up
    _consumers: list[Any] | None = None
    _prune_at: int = 16
    # Larger than those of the nodes it was made from, so that a search for what depends on a node
    # can stop at older ones. 0 only on leaves that nobody differentiates with respect to.
    _serial: int = 0

    # ---------------------------------------------------------------- what it is

    @property
    def value(self) -> Array | None:
        """The node's value as a read-only array, or None where it isn't computed yet."""
        value = self._read()
        if arguments and value is not None:
            check_not_cut(self)
        return value

    def _read(self) -> Any:
        """The value, which is handed out to be looked at."""
        if watching:
            tell_read(self)
        return self._known()

    def _known(self) -> Any:
        """The value, without a word to observers."""
        return self._cached_value if self._value is None else self._value

    @property
    def shape(self) -> Shape | None:
        """The sizes, None for each unknown one; None where even the rank is unknown."""
        value = self._value
        return self._shape if value is None else value.shape

    @property
    def dtype(self) -> DType | None:
        """The dtype, or None while it is unknown."""
        value = self._value
        return self._dtype if value is None else value.dtype

    @property
    def ndim(self) -> int | None:
        """The number of axes, or None while it is unknown."""
        shape = self.shape
        return None if shape is None else len(shape)

    @property
    def name(self) -> str:
        """The given name with its scopes, else one made from the operation's."""
        return self._name or self.kind_name()

    @property
    def origin(self) -> Origin | None:
        """The line of the user's code that built the node."""
        return None if self._origin is None else Origin.of(self._origin)

    @property
    def consumers(self) -> tuple[Node, ...]:
        """The living nodes that take this one as input, once for each edge, oldest first."""
        found = (reference() for reference in self._consumers or ())
        return tuple(node for node in found if node is not None)

    @property
    def deferred(self) -> bool:
        """Whether the node waits for a session: it has no value of its own."""
        return self._value is None

    def kind_name(self) -> str:
        """The kind of node in the lower-case words that names are made of."""
        return type(self).__name__.lower()

    @property
    def _differentiable(self) -> bool:
        """Whether gradients can reach the node: it is known to hold floats."""
        dtype = self.dtype
        return is_inexact(dtype)

    # ---------------------------------------------------------------- how it is built

    @classmethod
    def unchecked(
        cls, state: Mapping[str, Any], inputs: tuple[Node, ...] = (), *, value: Any = None
    ) -> Self:
        """A node of no graph that has this state, these inputs and this value, and no more: nothing
        is aligned, inferred or computed, and neither its inputs nor observers hear of it."""
        node = object.__new__(cls)
        node.__dict__.update(state)
        node.inputs = inputs
        node._serial = next_serial()
        if value is not None:
            node._value = value
        return node

    def _settle(self, name: str | None, origin: SourceLocation | None, graph: Graph | None) -> None:
        """Take name, origin and graph; a graph makes the name its own."""
        self._origin = origin
        if name is not None:
            self._name = context.scope + name
        if graph is not None:
            graph.add(self)

    # ---------------------------------------------------------------- as a value

    def numpy(self) -> Array:
        """The value as a read-only array. Raises GraphError while there is none."""
        value = self.value
        if value is None:
            raise GraphError(f"{self.label()} has no value yet{self.built()}: {self._value_hint()}")
        return value

    def _value_hint(self) -> str:
        if context.graph is None:
            return "it waits for a session. Run it with pg.Session().run(node, feeds)"
        return context.graph.value_hint(self)

    def item(self) -> Any:
        """The only element as a Python number."""
        return self.numpy().item()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        value = self.numpy()
        return np.array(value, dtype) if copy else np.asarray(value, dtype)

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        value = self._read()
        return format((self.numpy() if value is None else value).item(), spec)

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __index__(self) -> int:
        return self.numpy().__index__()

    def __bool__(self) -> bool:
        if self._value is None:
            raise GraphError(
                f"{self.label()} has no value yet{self.built()}, so it can't decide an `if`; "
                f"use pg.where(condition, x, y): {self._value_hint()}"
            )
        return bool(self._value)

    def __len__(self) -> int:
        shape = self.shape
        if not shape or shape[0] is None:
            raise TypeError(f"{self.label()} has no known length")
        return shape[0]

    # ---------------------------------------------------------------- for people

    def draw(self, path: Any = None, **options: Any) -> Any:
        """A picture of what the node depends on, written to `path` by its ending (.svg, .png, .pdf,
        .html, .dot, .mmd, .txt); without a path the picture itself. Options: see
        `palingrad.view.draw`."""
        return viewer().draw(self, path, **options)

    def _repr_html_(self) -> str | None:
        return viewer().html_of(self)

    def _repr_svg_(self) -> str | None:
        return viewer().svg_of(self)

    def label(self) -> str:
        """The operation and the name, for messages."""
        kind = self.kind_name()
        return kind if self.name == kind else f"{kind} {self.name!r}"

    def built(self) -> str:
        """' (built at file:line)' for messages, or nothing where that is unknown."""
        return "" if self.origin is None else f" (built at {self.origin})"

    def __str__(self) -> str:
        if watching:
            tell_read(self)
        return repr(self)

    def __repr__(self) -> str:
        parts: list[str] = []
        value = self._known()
        if isinstance(value, np.ndarray):
            body = np.array2string(value, separator=", ", threshold=8, prefix=" " * 4)
            parts.append(body)
        if self._name is not None:
            parts.append(f"name={self._name!r}")
        if not isinstance(value, np.ndarray):
            parts.append(f"shape={text(self.shape)}")
        elif value.ndim:
            parts.append(f"shape={value.shape}")
        parts.append(f"dtype={self.dtype or '?'}")
        return f"{type(self).__name__}({', '.join(parts)})"
