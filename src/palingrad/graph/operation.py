"""Operation: a node computed from inputs. One class holds the formula, rules and derivative."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ..dtypes import DType, is_inexact
from ..errors import DTypeError, GradientError, GraphError, PalingradError, ShapeError
from ..maths import numpy_maths
from ..shapes import Shape, known, text
from .context import context, find_origin, quiet_here
from .declared.declares import Declares
from .describe.faults import check_formula, note_on
from .describe.nonfinite import Reason
from .describe.notation import Piece, applied, indexed, operator
from .describe.template import below, fill, stated_options, template_of
from .node import Node, next_serial
from .promotion import align
from .registry import is_shipped, name_of, operations
from .samples import Sample
from .state.observe import tell_computed, watching
from .traversal.consumers import announce

_NO_ATTRIBUTES: Mapping[str, Any] = MappingProxyType({})

# What the clones of a node don't copy, besides what each has of its own.
_OWN = frozenset("graph _grad jacobian _value _cached_value _consumers _prune_at _items "
                 "_expansion _kept _whole".split())  # fmt: skip


class Operation(Declares, Node):
    """The base of all operations. Subclass one of the kinds in `kinds.py` rather than this class.

    An instance is a node: in every rule the first parameter is that node itself, the output `y`,
    whose attributes (`y.axis`) are the keyword arguments of its constructor. A subclass defines

    - `f(m, *x, **attributes)`: the value, written with the maths namespace `m`;
    - `shape_rule(y, *shapes)` and `dtype_rule(y, *dtypes)`: the output's shape and dtype;
    - `vjp(y, g, *x)`: for each input the node g·∂y/∂x, or None where it is zero;
    - `samples`: inputs for the tests of all of these.
    """

    math: ClassVar[str] = ""  # LaTeX template with a hole for each input: "{x} + {y}"
    symbol: ClassVar[str] = ","  # printed between two inputs in code and messages
    drawn: ClassVar[str | None] = None  # the sign in a drawing; None: the symbol, if any
    commutes: ClassVar[bool] = False  # whether finite inputs may be exchanged
    associative: ClassVar[bool] = False  # whether op(a, b, c) = op(op(a, b), c)
    stays_finite: ClassVar[bool] = False  # whether finite inputs always give a finite result
    harmless: ClassVar[float | None] = None  # an argument at which value and slope are finite
    steep: ClassVar[str] = ""  # the suggested rewrite where the slope isn't finite
    onnx: ClassVar[str | None] = None
    samples: ClassVar[Sequence[Sample]] = ()
    promotes: ClassVar[bool] = True  # whether all inputs are converted to one dtype
    floats: ClassVar[bool] = False  # whether integers are converted to the default float first
    selective: ClassVar[bool] = False  # whether vjp is told, by `needed=`, which inputs need it,
    #                                    and by None, which of several outputs have no cotangent
    linear: ClassVar[bool] = False  # whether the operation maps tangents as it maps values

    attributes: Mapping[str, Any] = _NO_ATTRIBUTES

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._shipped = is_shipped(cls)
        cls._by_structure = cls._shipped or "_by_structure" in cls.__dict__
        if isinstance(cls.__dict__.get("f"), FunctionType):
            if not cls._shipped:
                check_formula(cls.__name__, cls.f)
            cls.f = staticmethod(cls.f)  # f(m, x) takes arrays, not the node
        cls._kind_name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__.rstrip("_")).lower()
        cls._plain = cls.compute is Operation.compute
        operations[name_of(cls)] = cls

    if TYPE_CHECKING:  # keyword arguments of the constructor become attributes of y

        def __getattr__(self, name: str) -> Any: ...

    _kind_name: ClassVar[str] = "operation"
    _parameters: ClassVar[tuple[str, ...]] = ()  # cache of `parameters`
    _plain: ClassVar[bool] = True  # whether f computes the value, rather than `compute`
    _library: ClassVar[str] = ""  # the native kernel of its own that may compute it
    _shipped: ClassVar[bool] = True  # whether the class is the library's, whose rules are tested
    _by_structure: ClassVar[bool] = True  # whether attributes, shapes and dtypes fix the rules

    def __init__(self, *inputs: Any, name: str | None = None, **attributes: Any) -> None:
        if attributes:
            self.attributes = attributes
            self.__dict__.update(attributes)
        state = context()
        origin = self._origin = find_origin(2, state)
        try:
            nodes = self.align_inputs(inputs)
        except PalingradError as error:
            raise self._explained(error, inputs) from None
        graph = state.graph
        if graph is None:
            values = [x._value for x in nodes]
            for value in values:
                if value is None:
                    break
            else:  # eager: every input has a value
                self.inputs = nodes
                self._serial = next_serial()
                if name is not None:
                    self._name = state.scope + name
                self._value = self._evaluate(values)
                self._unlisted = state.hidden
                if watching:
                    tell_computed(self)
                return
            graph = next((x.graph for x in nodes if x._value is None and x.graph), None)
        if graph is not None:
            nodes = graph.adopt(nodes)
        self.inputs = nodes
        self._serial = next_serial()
        self._infer()
        self._unlisted = state.hidden
        if not state.hidden:
            announce(self)
        self._settle(name, origin, graph)

    def kind_name(self) -> str:
        return self._kind_name

    @property
    def between(self) -> str:
        """The sign that a drawing shows between two inputs, or "" if there is none."""
        if self.symbol == ",":
            return ""
        return self.symbol if self.drawn is None else self.drawn

    # ---------------------------------------------------------------- rules, for subclasses

    @staticmethod
    def f(m: Any, *x: Any, **attributes: Any) -> Any:
        """The value, computed with the maths namespace `m`."""
        raise NotImplementedError("an operation needs f(m, x), compute(self, x) or expand(y, x)")

    def compute(self, *values: Any) -> Any:
        """The value, an array, for these values of the inputs."""
        return self.f(numpy_maths, *values, **self.attributes)

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        """The inputs as nodes, converted to one dtype if the operation promotes."""
        return align(inputs, promotes=self.promotes, floats=self.floats, complexes=self.complexes)

    def shape_rule(self, *shapes: Shape) -> Any:
        """The output's shape; sizes may be None."""
        raise NotImplementedError(f"{type(self).__name__} needs shape_rule(y, *shapes)")

    def dtype_rule(self, *dtypes: DType) -> Any:
        """The output's dtype."""
        return dtypes[0]

    def vjp(self, g: Any, *x: Node) -> Sequence[Any]:
        """For each input g·∂y/∂x, None where it is zero, or a function that builds it."""
        raise GradientError(f"{self.label()} has no derivative{self.built()}")

    def jvp(self, tangents: Sequence[Node | None], *x: Node) -> Node | None:
        """Σ ∂y/∂x·t over the inputs with a tangent. Without it, forward mode applies vjp twice."""
        raise NotImplementedError

    def notation(y, *x: Piece) -> Piece:
        """LaTeX of y, given that of its inputs: the template `math` filled in, or name(inputs)."""
        if not y.math:
            return applied(operator(y.kind_name()) + below(stated_options(y)), x)
        return fill(template_of(y), x, y.parameters())

    def nonfinite(y, value: float, *x: float) -> Reason:
        """Why an element `value` of y isn't finite although all inputs are, and a rewrite that
        avoids it, or a plain pair of strings. `x` are the input elements it was computed from, for
        an elementwise operation only."""
        return Reason(
            f"{y.kind_name()} of finite numbers isn't finite in {y.dtype}",
            "scaling the numbers down, means instead of sums, or float64",
        )

    @classmethod
    def masked(cls) -> str:
        """Code in which inputs outside a mask `ok` are replaced by a harmless number, or ""."""
        return ""

    # ---------------------------------------------------------------- machinery

    @classmethod
    def applied(cls, inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Self:
        """The operation applied to these inputs, without calling a constructor of the subclass."""
        node = object.__new__(cls)
        Operation.__init__(node, *inputs, **attributes)
        return node

    def rebuild(self, inputs: Sequence[Any]) -> Self:
        """The same operation on other inputs, in the current context: its rules are evaluated."""
        new = self.applied(inputs, self.attributes)
        new._name, new._unnamed = self._name, self._unnamed
        return new

    def rewired(self, inputs: Sequence[Node]) -> Self:
        """A clone if the other inputs have the same shapes and dtypes, rebuilt otherwise."""
        for new, old in zip(inputs, self.inputs, strict=True):
            if new.weak is not None:
                return self.rebuild(inputs)
            if new is not old and (new.shape != old.shape or new.dtype != old.dtype):
                return self.rebuild(inputs)
        return self.clone(inputs)

    def clone(self, inputs: Sequence[Node], *, value: Any = None) -> Self:
        """The same operation on other inputs, without evaluating its rules.

        The new node belongs to no graph and copies attributes, shape, dtype, name and origin.
        """
        state = self.__dict__.copy()
        for name in _OWN.intersection(state):
            del state[name]
        state["_shape"], state["_dtype"] = self.shape, self.dtype
        if self._origin is None:
            state["_origin"] = context().origin
        return self.unchecked(state, tuple(inputs), value=value)

    def _evaluate(self, values: Sequence[Any]) -> Any:
        """The sealed value; an error names the operation."""
        try:
            if self.attributes and self._takes_anything(values):
                self._infer()
            if self._plain:
                value = self._computed_quietly(values)
            else:
                with np.errstate(all="ignore"):
                    value = self.compute(*values)
            value = self.seal(value)
            return value if self._shipped else self._checked_result(value)
        except PalingradError as error:
            raise self._explained(error, self.inputs) from None
        except Exception as error:
            self._infer()  # a shape rule's message is clearer than NumPy's
            text = f"in {self.label()}: {self._inputs_text(self.inputs)}{self.built()}"
            call = f"{type(self).__name__}({', '.join(self.parameters())})"
            note = note_on(error, call, self.parameters(), len(self.inputs))
            error.add_note(f"{text}. {note}" if note else text)
            raise

    def _takes_anything(self, values: Sequence[Any]) -> bool:
        """Whether NumPy may accept what the shape rule refuses: an axis of a scalar; no element."""
        scalar = "axis" in self.attributes and not self.inputs[0].shape
        return scalar or any(type(value) is np.ndarray and not value.size for value in values)

    def _computed_quietly(self, values: Sequence[Any]) -> Any:
        try:
            return quiet_here.run(self.f, numpy_maths, *values, **self.attributes)
        except RuntimeError as error:
            if "cannot enter context" not in str(error):
                raise
        with np.errstate(all="ignore"):  # re-entered, for example by a signal handler
            return self.f(numpy_maths, *values, **self.attributes)

    def _checked_result(self, value: Any) -> Any:
        """The value, checked against shape and dtype rules if the operation is user-defined."""
        return value

    def seal(self, value: Any) -> Any:
        """`value` as a read-only array."""
        if type(value) is not np.ndarray:
            value = np.asarray(value)
        value.setflags(write=False)
        return value

    def _infer(self) -> None:
        """Set shape and dtype as far as the inputs determine them."""
        dtypes: list[Any] = []
        shapes: list[Any] = []
        typed = shaped = True
        for x in self.inputs:
            dtypes.append(dtype := x.dtype)
            shapes.append(shape := x.shape)
            typed, shaped = typed and dtype is not None, shaped and shape is not None
        try:
            if typed:
                self._dtype = self.dtype_rule(*dtypes)
            if shaped:
                self._shape = self.shape_rule(*shapes)
        except (ShapeError, DTypeError) as error:
            raise self._explained(error, self.inputs) from None

    def _explained(self, error: PalingradError, inputs: Sequence[Any]) -> PalingradError:
        if error.explained:
            return error
        where = "" if self.origin is None else f" Built at {self.origin}."
        fact = f"{self.kind_name()}: {error.fact.rstrip('.')}: {self._inputs_text(inputs)}.{where}"
        better = type(error)(fact, hint=error.hint)
        better.explained = True
        return better

    @classmethod
    def parameters(cls) -> tuple[str, ...]:
        """The parameter names of the operation's rule, one for each input."""
        if "_parameters" not in cls.__dict__:
            rule = cls.f if cls.f is not Operation.f else cls._rule()
            _, *inputs = inspect.signature(rule).parameters.values()
            cls._parameters = tuple(x.name for x in inputs if x.kind is x.POSITIONAL_OR_KEYWORD)
        return cls._parameters

    @classmethod
    def _rule(cls) -> Any:
        """The method that computes the value when it isn't `f`."""
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
    of_nodes: Any = None  # of Python code: (operation, *inputs) to the items as nodes

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
        """The number of outputs."""
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
        return tuple(super(MultipleOutputs, self).seal(output) for output in value)


class Item(Operation):
    """y = xᵢ: output i of an operation with several outputs."""

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
    """Whether a run produces a value for the node; a `group` of nodes has none.

    Raises GraphError for a node with several outputs: its items must be fetched instead.
    """
    if not isinstance(node, MultipleOutputs):
        return True
    if node.count:
        raise GraphError(f"{node.label()} has several outputs; fetch its items{node.built()}")
    return False


def is_known(node: Node) -> bool:
    """Whether the node's dtype and every size of its shape are known."""
    shape: Any = node.shape
    if shape is None or node.dtype is None:
        return False
    return all(map(known, shape)) if isinstance(node, MultipleOutputs) else known(shape)
