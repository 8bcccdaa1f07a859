"""What devices do together in a Program that each of them computes whole, in a `jax.shard_map`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from ....dtypes import int64
from ...placement import Spec
from ..jaxlib import jax, jnp, lax


def shared(
    body: Callable[[Sequence[Any]], tuple[list[Any], list[Any]]], rows: Sequence[Any], length: int,
    axis: str, devices: int,
) -> tuple[list[Any], list[Any]]:  # fmt: skip
    """(stacked results, joined spans) of a body for each row, of which each device along an axis of
    the mesh computes its part, one row after another.

    XLA mustn't see how many these are: a body that runs once would be compiled together with what
    surrounds it, and its sums might be rounded otherwise. So the number is computed.
    """
    mine = length // devices
    number = lax.axis_index(axis).astype(int64)
    count = jnp.where(number < devices, mine, 0)

    def row(place: Any) -> list[Any]:
        return [lax.dynamic_index_in_dim(x, place, keepdims=False) for x in rows]

    forms = jax.eval_shape(lambda: body(row(jnp.asarray(0, int64))))
    empty = jax.tree.map(lambda x: jnp.zeros((mine, *x.shape), x.dtype), forms)

    def step(place: Any, stacks: Any) -> Any:
        # Barriers, so that the body is compiled alike wherever it stands.
        given = lax.optimization_barrier(row(number * mine + place))
        results = lax.optimization_barrier(body(given))
        return jax.tree.map(
            lambda stack, x: lax.dynamic_update_index_in_dim(stack, x, place, 0), stacks, results
        )

    stacks, pairs = lax.fori_loop(jnp.zeros((), int64), count, step, empty)
    stacks, pairs = jax.tree.map(
        lambda x: lax.all_gather(x, axis, axis=0, tiled=True), (stacks, pairs)
    )
    return list(stacks), [(jnp.min(least), jnp.max(most)) for least, most in pairs]


def gathered(part: Any, spec: Spec) -> Any:
    """The whole of an array of which each device has a part."""
    for place, axes in enumerate(spec):
        if axes is not None:
            part = lax.all_gather(part, axes, axis=place, tiled=True)
    return part


def part_of(x: Any, spec: Spec, sizes: Mapping[str, int]) -> Any:
    """The part of a whole array that this device keeps."""
    names = tuple(
        name for axes in spec for name in ((axes,) if isinstance(axes, str) else axes or ())
    )
    count = prod(sizes[name] for name in names)
    if count > 1:
        # From a neighbour, whose copy is the same: XLA fuses no exchange, but would fuse the cut
        # with what computes x, which may then be rounded otherwise.
        x = lax.ppermute(x, names, [(n, (n + 1) % count) for n in range(count)])
    for place, axes in enumerate(spec):
        if axes is None:
            continue
        names = (axes,) if isinstance(axes, str) else axes
        length = x.shape[place] // prod(sizes[name] for name in names)
        start = lax.axis_index(names) * length
        x = lax.dynamic_slice_in_dim(x, start, length, place)
    return x
