"""Operation: a node that computes its value from inputs. One class holds all its mathematics."""

from __future__ import annotations

import inspect
import re
import weakref
from collections.abc import Mapping, Sequence
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ..dtypes import DType, is_inexact
from ..errors import DTypeError, GradientError, GraphError, PalingradError, ShapeError
from ..maths import numpy_maths
from ..shapes import Shape, known, text
from .context import context, find_origin, quietly
from .describe.nonfinite import Reason
from .describe.notation import Piece, applied, indexed, operator
from .describe.template import fill
from .node import Node, next_serial
from .observe import tell_computed, watching
from .promotion import align
from .registry import is_shipped, name_of, operations
from .samples import Sample

_NO_ATTRIBUTES: Mapping[str, Any] = MappingProxyType({})

# What belongs to one node and not to its clones.
_OWN = frozenset(
    "graph grad jacobian inputs _value _cached_value _consumers _prune_at _serial _items "
    "_expansion".split()
)


class Operation(Node):
    """The base of all operations; subclass one of the kinds rather than this.

    An instance is a node: in every rule the first parameter is that node itself, the output `y`,
    whose attributes (`y.axis`) are the keyword arguments that it was made with. A subclass gives

    - `f(m, *x, **attributes)`: the value, written with the maths namespace `m`;
    - `shape_rule(y, *shapes)` and `dtype_rule(y, *dtypes)`: what is known before computing;
    - `vjp(y, g, *x)`: for each input the node g·∂y/∂x, or None where there is none;
    - `samples`: inputs that prove all of that.
    """

    # What is said of the operation. All of it has an answer without these: its name.
    math: ClassVar[str] = ""  # LaTeX, with a hole for each input: "{x} + {y}"
    symbol: ClassVar[str] = ","  # what stands between two inputs in code and messages
    drawn: ClassVar[str | None] = None  # the sign in a drawing; None: the symbol, if any
    commutes: ClassVar[bool] = False  # whether the inputs may change places
    associative: ClassVar[bool] = False  # whether of many inputs it is a chain of itself on two
    stays_finite: ClassVar[bool] = False  # whether finite inputs always give a finite result
    harmless: ClassVar[float | None] = None  # a number at which value and slope are finite
    steep: ClassVar[str] = ""  # what to write where the slope isn't finite
    onnx: ClassVar[str | None] = None
    samples: ClassVar[Sequence[Sample]] = ()
    promotes: ClassVar[bool] = True  # whether all inputs are brought to one dtype
    floats: ClassVar[bool] = False  # whether integers become the default float first
    linear: ClassVar[bool] = False  # whether the operation itself maps tangents

    attributes: Mapping[str, Any] = _NO_ATTRIBUTES

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if isinstance(cls.__dict__.get("f"), FunctionType):
            cls.f = staticmethod(cls.f)  # f(m, x) takes arrays, no node
        cls._kind_name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__.rstrip("_")).lower()
        cls._plain = cls.compute is Operation.compute
        cls._shipped = is_shipped(cls)
        operations[name_of(cls)] = cls

    if TYPE_CHECKING:  # the keyword arguments that a subclass is made with are attributes of y

        def __getattr__(self, name: str) -> Any: ...

    _kind_name: ClassVar[str] = "operation"
    _parameters: ClassVar[tuple[str, ...]] = ()  # of the rule, once somebody asked
    _plain: ClassVar[bool] = True  # whether f alone computes the value
    _shipped: ClassVar[bool] = True  # whether the library's tests prove its rules

    def __init__(self, *inputs: Any, name: str | None = None, **attributes: Any) -> None:
        if attributes:
            self.attributes = attributes
            self.__dict__.update(attributes)
        origin = self._origin = find_origin(2)
        try:
            nodes = self.align_inputs(inputs)
        except PalingradError as error:
            raise self._explained(error, inputs) from None
        graph = context.graph
        if graph is None:
            values = [x._value for x in nodes]
            for value in values:
                if value is None:
                    break
            else:  # eager: every input has a value
                self.inputs = nodes
                self._serial = next_serial()
                if name is not None:
                    self._name = context.scope + name
                self._value = self._evaluate(values)
                if not context.hidden:
                    self._announce()
                if watching:
                    tell_computed(self)
                return
            graph = next((x.graph for x in nodes if x._value is None and x.graph), None)
        if graph is not None:
            nodes = graph.adopt(nodes)
        self.inputs = nodes
        self._serial = next_serial()
        self._infer()
        if not context.hidden:
            self._announce()
        self._settle(name, origin, graph)

    def _announce(self) -> None:
        """Make this node known to its inputs as a consumer, which doesn't keep it alive."""
        reference = weakref.ref(self)
        for x in self.inputs:
            consumers = x._consumers
            if consumers is None:
                x._consumers = [reference]
            elif len(consumers) < x._prune_at:
                consumers.append(reference)
            else:  # drop the dead, at a cost that stays constant for each edge
                consumers[:] = [other for other in consumers if other() is not None]
                consumers.append(reference)
                x._prune_at = 2 * len(consumers) + 16

    def kind_name(self) -> str:
        return self._kind_name

    @property
    def between(self) -> str:
        """The sign that a drawing shows between two inputs, "" where there is none."""
        if self.symbol == ",":
            return ""
        return self.symbol if self.drawn is None else self.drawn

    # ---------------------------------------------------------------- rules, for subclasses

    @staticmethod
    def f(m: Any, *x: Any, **attributes: Any) -> Any:
        """The value, computed by the maths namespace `m`."""
        raise NotImplementedError("an operation needs f(m, x), compute(self, x) or expand(y, x)")

    def compute(self, *values: Any) -> Any:
        """The value for these input values, as arrays."""
        return self.f(numpy_maths, *values, **self.attributes)

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        """What the caller gave, as nodes; brought to one dtype where the operation wants that."""
        return align(inputs, promotes=self.promotes, floats=self.floats)

    def shape_rule(self, *shapes: Shape) -> Any:
        """The output's shape; sizes may be None."""
        raise NotImplementedError(f"{type(self).__name__} needs shape_rule(y, *shapes)")

    def dtype_rule(self, *dtypes: DType) -> Any:
        """The output's dtype."""
        return dtypes[0]

    def vjp(self, g: Any, *x: Node) -> Sequence[Any]:
        """For each input g·∂y/∂x, None where nothing flows, or a function that makes it."""
        raise GradientError(f"{self.label()} has no derivative{self.built()}")

    def jvp(self, tangents: Sequence[Node | None], *x: Node) -> Node | None:
        """Σ ∂y/∂x·t over the inputs with a tangent; the default pulls back twice."""
        raise NotImplementedError

    def notation(y, *x: Piece) -> Piece:
        """y as mathematics, from how its inputs are written: `math`, filled, or name(inputs)."""
        if not y.math:
            return applied(operator(y.kind_name()), x)
        return fill(y.math, x, y.parameters())

    def nonfinite(y, value: float, *x: float) -> Reason:
        """Why an element of y isn't finite though all inputs are, and what to write instead.

        `value` is that element; `x` are, of an elementwise operation, the numbers it came from.
        A pair of strings will do.
        """
        return Reason(
            f"{y.kind_name()} of finite numbers isn't finite in {y.dtype}",
            "scale the numbers down, take means for sums, or use float64",
        )

    @classmethod
    def masked(cls) -> str:
        """How it is written where a mask `ok` keeps harmful inputs out, "" where unknown."""
        return ""

    def structure(y, position: int, size: int, out: int) -> str:
        """What the matrix ∂y/∂x of an input is, of y's size `out` and the input's, in few words."""
        return "general"

    # ---------------------------------------------------------------- machinery

    @classmethod
    def applied(cls, inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Self:
        """This operation on these inputs, in the context of now; a constructor of the subclass
        isn't called."""
        node = object.__new__(cls)
        Operation.__init__(node, *inputs, **attributes)
        return node

    def rebuild(self, inputs: Sequence[Any]) -> Self:
        """The same operation on other inputs, in the context of now."""
        new = self.applied(inputs, self.attributes)
        new._name, new._unnamed = self._name, self._unnamed
        return new

    def rewired(self, inputs: Sequence[Node]) -> Self:
        """The same operation on other inputs, as a node of no graph that has no value. Mostly the
        inputs are of the same shapes and dtypes as before: then so is the new node."""
        for new, old in zip(inputs, self.inputs, strict=True):
            if new.shape != old.shape or new.dtype != old.dtype or new.weak is not None:
                return self.rebuild(inputs)
        return self.clone(inputs)

    def clone(self, inputs: Sequence[Node], *, value: Any = None) -> Self:
        """The same operation on other inputs, without a look at its rules: a node of no graph, with
        this one's attributes, shape, dtype, name and origin, and with `value` if one is given."""
        state = {name: one for name, one in self.__dict__.items() if name not in _OWN}
        state.update(_shape=self.shape, _dtype=self.dtype)
        if self._origin is None:
            state["_origin"] = context.origin
        return self.unchecked(state, tuple(inputs), value=value)

    def _evaluate(self, values: Sequence[Any]) -> Any:
        """The sealed value; an error names the operation."""
        try:
            if self._plain and not self.attributes:
                value = self._computed_quietly(values)
            else:
                if self._takes_anything(values):
                    self._infer()
                with np.errstate(all="ignore"):
                    value = self.compute(*values)
            value = self.seal(value)
            return value if self._shipped else self._held(value)
        except PalingradError as error:
            raise self._explained(error, self.inputs) from None
        except Exception as error:
            self._infer()  # a shape rule says it better than NumPy
            error.add_note(f"in {self.label()}: {self._inputs_text(self.inputs)}{self.built()}")
            raise

    def _takes_anything(self, values: Sequence[Any]) -> bool:
        """Whether NumPy may be laxer than the shape rule: with an axis of a scalar, or nothing."""
        scalar = "axis" in self.attributes and not self.inputs[0].shape
        return scalar or any(type(value) is np.ndarray and not value.size for value in values)

    def _computed_quietly(self, values: Sequence[Any]) -> Any:
        try:
            return (context.quiet or quietly()).run(self.f, numpy_maths, *values)
        except RuntimeError as error:
            if "cannot enter context" not in str(error):
                raise
        with np.errstate(all="ignore"):  # a formula interrupted by another, by a signal say
            return self.f(numpy_maths, *values)

    def _held(self, value: Any) -> Any:
        """The value of a user's operation, held to what its rules say."""
        return value

    def seal(self, value: Any) -> Any:
        """`value` as the read-only array that a node holds."""
        if type(value) is not np.ndarray:
            value = np.asarray(value)
        value.setflags(write=False)
        return value

    def _infer(self) -> None:
        """Shape and dtype as far as the inputs tell them."""
        dtypes = [x.dtype for x in self.inputs]
        shapes = [x.shape for x in self.inputs]
        try:
            if all(dtype is not None for dtype in dtypes):
                self._dtype = self.dtype_rule(*dtypes)  # pyright: ignore[reportArgumentType]
            if all(shape is not None for shape in shapes):
                self._shape = self.shape_rule(*shapes)  # pyright: ignore[reportArgumentType]
        except (ShapeError, DTypeError) as error:
            raise self._explained(error, self.inputs) from None

    def _explained(self, error: PalingradError, inputs: Sequence[Any]) -> PalingradError:
        if error.explained:
            return error
        where = "" if self.origin is None else f" Built at {self.origin}."
        fact = f"{self.kind_name()}: {error.fact}: {self._inputs_text(inputs)}.{where}"
        better = type(error)(fact, hint=error.hint)
        better.explained = True
        return better

    @classmethod
    def parameters(cls) -> tuple[str, ...]:
        """The names that the operation's rule gives its inputs."""
        if "_parameters" not in cls.__dict__:
            rule = cls.f if cls.f is not Operation.f else cls._rule()
            _, *given = inspect.signature(rule).parameters.values()
            cls._parameters = tuple(x.name for x in given if x.kind is x.POSITIONAL_OR_KEYWORD)
        return cls._parameters

    @classmethod
    def _rule(cls) -> Any:
        """What computes the value, where that isn't `f`."""
        return cls.compute

    def _inputs_text(self, inputs: Sequence[Any]) -> str:
        names = list(self.parameters())
        names += [f"x{number}" for number in range(len(names), len(inputs))]
        parts = [
            f"{name} {text(x.shape)} {x.dtype or '?'}"
            if isinstance(x, Node)
            else f"{name} {x!r:.40}"
            for name, x in zip(names, inputs, strict=False)
        ]
        return (f" {self.symbol} " if self.symbol != "," else ", ").join(parts)


class MultipleOutputs(Operation):
    """An operation with several outputs: one node, plus one `Item` node for each output."""

    _items: tuple[Item, ...] | None = None

    @property
    def shape(self) -> Any:
        """The outputs' shapes."""
        return self._shape if self._value is None else tuple(value.shape for value in self._value)

    @property
    def dtype(self) -> Any:
        """The outputs' dtypes."""
        return self._dtype if self._value is None else tuple(value.dtype for value in self._value)

    @property
    def count(self) -> int:
        """How many outputs there are."""
        raise NotImplementedError(f"{type(self).__name__} needs count")

    @property
    def items(self) -> tuple[Item, ...]:
        """One node for each output."""
        if self._items is None:
            self._items = tuple(Item(self, index=index) for index in range(self.count))
        return self._items

    @property
    def _differentiable(self) -> bool:
        return any(is_inexact(dtype) for dtype in self.dtype)

    def seal(self, value: Any) -> Any:
        return tuple(super(MultipleOutputs, self).seal(one) for one in value)


class Item(Operation):
    """y = xᵢ, one output of an operation with several."""

    math = r"{x}_{i}"
    promotes = False
    stays_finite = True

    def f(m, x, *, index):
        return x[index]

    def shape_rule(y, shapes):
        return shapes[y.attributes["index"]]

    def dtype_rule(y, dtypes):
        return dtypes[y.attributes["index"]]

    def notation(y, x):
        return indexed(x, str(y.attributes["index"]))

    def structure(y, position, size, out):
        return "selection"


def has_value(node: Node) -> bool:
    """Whether a run gives the node a value: a group of nodes that are run together has none.

    Raises GraphError for a node with several outputs, of which one must be asked for.
    """
    if not isinstance(node, MultipleOutputs):
        return True
    if node.count:
        raise GraphError(f"{node.label()} has several outputs; take those{node.built()}")
    return False


def is_known(node: Node) -> bool:
    """Whether the node's shape and dtype are known whole."""
    shape: Any = node.shape
    if shape is None or node.dtype is None:
        return False
    return all(map(known, shape)) if isinstance(node, MultipleOutputs) else known(shape)
