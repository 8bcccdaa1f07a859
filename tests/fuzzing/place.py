"""Putting an operation into a graph: inputs and attributes that its samples say are valid.

An input of a sample tells the kind of dtype, the shape and the range of numbers that the operation
takes. An earlier value that is like that is taken, or one that moves and a clip make so, or a new
leaf. What the operation then refuses by name is tried otherwise; at last with the sample itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import palingrad as pg
from fuzzing.attributes import varied
from fuzzing.formulas import TEXTS
from fuzzing.program import Array, Call, Leaf, Piece, Role, Value
from fuzzing.values import Palette, leaf
from palingrad.errors import PalingradError
from palingrad.graph.kinds import Elementwise, Random
from palingrad.graph.operation import MultipleOutputs, Operation
from palingrad.graph.registry import ops
from palingrad.graph.samples import Sample
from palingrad.ops.elementwise.selection import Clip
from palingrad.ops.layout.move import BroadcastTo, Reshape, Slice

LARGEST = 20_000  # elements of a value
TRIES = 6
# What NumPy itself raises on bad numbers: an index out of range, an integer to a negative power.
REFUSALS = (PalingradError, IndexError, ValueError)


@dataclass
class Pool:
    """The values of a graph so far, with the nodes that eager code makes of them."""

    rng: np.random.Generator
    palette: Palette
    nodes: dict[Value, pg.Node] = field(default_factory=dict)

    def chance(self, probability: float) -> bool:
        """True that often."""
        return bool(self.rng.random() < probability)

    def add_leaf(self, array: Array, *, generator: bool = False) -> Leaf:
        """A new leaf with this array."""
        value = leaf(self.rng, array, self.palette)
        if generator and value.role is Role.VARIABLE:
            value = Leaf(value.array, Role.CONSTANT)
        self.nodes[value] = pg.tensor(value.array)
        return value

    def add(
        self, operation: type[Operation], inputs: tuple[Any, ...], attributes: Mapping[str, Any]
    ) -> list[Value]:
        """The values of a new call. Raises what eager code raises."""
        nodes = [self.nodes[x] if isinstance(x, Value) else x for x in inputs]
        made = operation(*nodes, **attributes)
        if not _is_public(operation):
            _check_later(operation, nodes, attributes)
        call = Call(operation, inputs, dict(attributes))
        if isinstance(made, MultipleOutputs):
            pieces = [Piece(call, index) for index in range(made.count)]
            self.nodes.update(zip(pieces, made.items, strict=True))
            return list(pieces)
        if made.numpy().size > LARGEST:
            raise pg.errors.ShapeError(f"{made.shape} is too large for a small graph")
        self.nodes[call] = made
        return [call]

    def recent(self, values: list[Value]) -> Value | None:
        """One of some values, more likely a late one, so that graphs grow deep."""
        if not values:
            return None
        place = int(len(values) * np.sqrt(self.rng.random()))
        return values[place]


def _is_public(operation: type[Operation]) -> bool:
    """Whether users call the operation by its name: then eager and deferred code refuse alike."""
    return getattr(ops, operation._kind_name, None) is not None or operation in TEXTS


def _check_later(operation: Any, nodes: list[Any], attributes: Mapping[str, Any]) -> None:
    """Raise where a deferred node of these inputs is refused: only rules of others make it."""
    with pg.Graph():
        operation(
            *(
                pg.placeholder(x.shape, dtype=x.dtype) if isinstance(x, pg.Node) else x
                for x in nodes
            ),
            **attributes,
        )


def real_samples(operation: type[Operation]) -> list[Sample]:
    """The samples without complex numbers, which programs have none of."""
    rng = np.random.default_rng(0)
    found: list[Sample] = []
    for sample in operation.samples:
        dtypes = [np.asarray(x).dtype for x in sample.inputs(rng)]
        if "dtype" in sample.attributes:
            dtypes.append(np.dtype(sample.attributes["dtype"]))
        if not any(dtype.kind == "c" for dtype in dtypes):
            found.append(sample)
    return found


def place(pool: Pool, operation: type[Operation]) -> list[Value]:
    """The values of a new call of `operation`. Raises AssertionError where nothing fits."""
    refused: list[str] = []
    for number in range(TRIES + 1):
        samples = real_samples(operation)
        sample = samples[int(pool.rng.integers(len(samples)))]
        before = dict(pool.nodes)
        try:
            return _placed(pool, operation, sample, plain=number == TRIES)
        except Exception as error:
            if not isinstance(error, REFUSALS) and operation not in TEXTS:
                raise  # of what users write, NumPy says in its own words what is wrong
            pool.nodes = before
            refused.append(str(error))
    raise AssertionError(f"{operation.__name__} finds no place in a graph: {refused[-1]}")


def _placed(pool: Pool, operation: type[Operation], sample: Sample, *, plain: bool) -> list[Value]:
    arrays = [np.asarray(x) for x in sample.inputs(pool.rng)]
    generator = issubclass(operation, Random)
    if plain:
        dtype = pool.palette.dtype(pool.rng, "f")  # one for all: some operations take no others
        leaves = (pool.add_leaf(_with_floats(array, dtype), generator=True) for array in arrays)
        return pool.add(operation, tuple(leaves), sample.attributes)
    free = issubclass(operation, Elementwise)
    inputs: list[Any] = []
    shape: tuple[int, ...] | None = None
    for array in arrays:
        value = _input(pool, array, shape if free else array.shape, free=free, state=generator)
        inputs.append(value)
        shape = pool.nodes[value].numpy().shape if shape is None else shape
    if len(inputs) > 1 and issubclass(operation, Elementwise) and pool.chance(0.15):
        inputs[pool.rng.integers(len(inputs))] = _number(pool, arrays[0])
    nodes = [pool.nodes[x] for x in inputs if isinstance(x, Value)]
    attributes = varied(pool.rng, operation, sample.attributes, nodes)
    return pool.add(operation, tuple(inputs), attributes)


def _number(pool: Pool, array: Array) -> Any:
    """A Python number of about the sample's range."""
    if not array.size:
        return 1
    one = array.ravel()[pool.rng.integers(array.size)].item()
    if isinstance(one, float) and pool.chance(0.3) and np.isfinite(one):
        return round(one)
    return one


def _with_floats(array: Array, dtype: Any) -> Array:
    """A sample's array with its floats in this dtype."""
    if array.dtype.kind != "f":
        return array
    with np.errstate(all="ignore"):
        return array.astype(dtype)


def _bounds(array: Array) -> tuple[float, float]:
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    return (float(finite.min()), float(finite.max())) if finite.size else (-2.0, 2.0)


def _input(
    pool: Pool, array: Array, shape: tuple[int, ...] | None, *, free: bool, state: bool
) -> Value:
    """A value like the sample's array: an earlier one, or a new leaf."""
    kind = {"b": "b", "f": "f"}.get(array.dtype.kind, "i")
    if pool.chance(0.7):
        found = _earlier(pool, array, kind, shape, free=free)
        if found is not None and not (state and isinstance(found, Leaf)):
            return found
    if free and pool.chance(0.7):
        low, high = _bounds(array)
        wanted = pool.palette.shape(pool.rng) if shape is None else _broadcastable(pool, shape)
        if kind == "f" and pool.chance(0.2):
            kind = "i"  # integers become floats, or stay what they are
        return pool.add_leaf(pool.palette.array(pool.rng, kind, wanted, low, high))
    return pool.add_leaf(_with_floats(array, pool.palette.dtype(pool.rng, "f")), generator=state)


def _broadcastable(pool: Pool, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that broadcasts with another."""
    found = shape[pool.rng.integers(len(shape) + 1) :] if pool.chance(0.2) else shape
    return tuple(1 if pool.chance(0.1) else size for size in found)


def _earlier(
    pool: Pool, array: Array, kind: str, shape: tuple[int, ...] | None, *, free: bool
) -> Value | None:
    low, high = _bounds(array)
    values: list[Value] = [
        value
        for value, node in pool.nodes.items()
        if node.dtype is not None and {"b": "b", "f": "f"}.get(node.dtype.kind, "i") == kind
    ]
    if free and shape is not None:
        wide = [v for v in values if _broadcasts(pool.nodes[v].shape, shape)]
        values = wide or values
    elif not free and pool.chance(0.5):
        values = [v for v in values if pool.nodes[v].shape == shape] or values
    if array.dtype.kind in "iu":
        if not free and array.dtype != np.int64:  # a dtype that isn't the usual one is meant
            values = [v for v in values if pool.nodes[v].dtype == array.dtype]
        values = [v for v in values if _within(pool.nodes[v], low, high)]
    value = pool.recent(values)
    if value is None:
        return None
    if kind == "f" and not _within(pool.nodes[value], low, high) and pool.chance(0.7):
        value = pool.add(Clip, (value, low, high), {})[0]
    if shape is not None and pool.nodes[value].shape != shape:
        if free and not _broadcasts(pool.nodes[value].shape, shape):
            value = _fitted(pool, value, shape)
        elif not free and pool.chance(0.5):
            value = _fitted(pool, value, shape)
    return value


@np.errstate(all="ignore")
def _within(node: pg.Node, low: float, high: float) -> bool:
    array = node.numpy()
    return array.size == 0 or bool(np.all((array >= low) & (array <= high)))


def _broadcasts(one: Any, other: tuple[int, ...]) -> bool:
    try:
        return int(np.prod(np.broadcast_shapes(one, other))) <= LARGEST
    except ValueError:
        return False


def _fitted(pool: Pool, value: Value, shape: tuple[int, ...]) -> Value:
    """The value brought to a shape by moves."""
    old: Any = pool.nodes[value].shape
    have, want = int(np.prod(old)), int(np.prod(shape))
    if have == want:
        return pool.add(Reshape, (value,), dict(shape=shape))[0]
    if have == 0:
        raise pg.errors.ShapeError("nothing to fill a shape with")
    flat = pool.add(Reshape, (value,), dict(shape=(-1,)))[0]
    if have < want:
        rows = -(-want // have)
        flat = pool.add(BroadcastTo, (flat,), dict(shape=(rows, have)))[0]
        flat = pool.add(Reshape, (flat,), dict(shape=(-1,)))[0]
    part = pool.add(Slice, (flat,), dict(index=(slice(None, want),)))[0]
    return pool.add(Reshape, (part,), dict(shape=shape))[0]
