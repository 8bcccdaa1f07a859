"""Pooling: the maximum or the sum of each window, and the adjoints.

The sum over a window, and its adjoint, the sum of the cotangents of all windows that contain an
element, are both sums over a rectangle: of the image, or of the cotangent.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from .....dtypes import DType, lowest
from .....graph.node import Node
from .....graph.state.records import dataclass
from .....ops.window.pooling import MaxPoolSelect, SumPool, SumPoolSpread
from .....shapes import size, sizes, text
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import integer, loop, place_of, read, splat, vectors, write
from ...llvm.strided_view import View
from ...llvm.target import host
from ...llvm.values import Value, chosen, value_type
from ..formula import dtype_of
from ..gemm.epilogue import Epilogue
from ..kernel import Fused, Kernel, Views
from ..movement.copy import clear
from .padded_images import Image, planes

_UNROLLED = 25  # taps at most of an unrolled window
_TAP = np.dtype(np.int32)


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows over an image (n, c, y, x). Vectors run along the channels if these are contiguous in
    the image, and in the adjoint of sum pooling."""

    image: Image
    dtype: DType
    size: tuple[int, int]
    stride: tuple[int, int]
    before: tuple[int, int]  # rows and columns of padding in front of the image
    is_padded: bool  # whether there is padding
    lanes: int

    @classmethod
    def of(cls, node: Any, view: View) -> Windows:
        """The node's windows over the view of an image."""
        image = Image.of(view)
        dtype = dtype_of(view.base)
        window, stride, padding, _ = planes(node.attributes, node.attributes["size"])
        contiguous = image.steps[1] == 1 or isinstance(node, SumPoolSpread)
        most = host().lanes(dtype.itemsize)
        lanes = min(most, 1 << max(image.size[1] - 1, 0).bit_length()) if contiguous else 1
        is_padded = any(any(pair) for pair in padding)
        return cls(image, dtype, window, stride, (padding[0][0], padding[1][0]), is_padded, lanes)

    @property
    def channels(self) -> int:
        """The channels of the image."""
        return self.image.size[1]

    @property
    def count(self) -> int:
        """The taps of a window."""
        return self.size[0] * self.size[1]


class _Source:
    """Emits reads of an image, `lanes` channels at a time."""

    def __init__(self, image: Image, lanes: int, context: KernelContext) -> None:
        self.image, self.lanes, self.b = image, lanes, context.builder
        self.dtype = dtype_of(image.view.base)
        self.start = context.typed(image.view.base, self.dtype, image.view.offset)

    def at(self, image: Any, channel: Any, y: Any, x: Any, active: int) -> Value:
        """The elements at a position."""
        steps = self.image.steps
        place = place_of(self.b, [image, channel, y, x], steps, integer(0))
        step = steps[1] if self.lanes > 1 else 1
        return read(self.b, self.start, self.dtype, place, self.lanes, step, active)


class _Largest:
    """Emits the search for the largest element of a window, and for its tap."""

    def __init__(self, windows: Windows, context: KernelContext) -> None:
        self.w, self.b = windows, context.builder
        self.x = _Source(windows.image, windows.lanes, context)
        self.best = context.slot(value_type(windows.dtype, windows.lanes))
        self.which = context.slot(value_type(_TAP, windows.lanes))

    def taps(self, at: tuple[Any, Any], body: Callable[[Value, Any, Any], None]) -> None:
        """Emits `body(tap, y, x)` for each tap, in order, of the window at these indices, if the
        tap is inside the image; `tap` has the tap's number in every lane."""
        b, w = self.b, self.w
        down, across = w.size

        def one(i: Any, j: Any) -> None:
            (y, x), (oy, ox) = ((i, j), at)
            y = b.add(b.mul(oy, integer(w.stride[0])), b.sub(y, integer(w.before[0])))
            x = b.add(b.mul(ox, integer(w.stride[1])), b.sub(x, integer(w.before[1])))
            number = b.trunc(b.add(b.mul(i, integer(across)), j), value_type(_TAP, 1))
            code = splat(b, number, w.lanes) if w.lanes > 1 else number
            tap = Value(b, code, _TAP, w.lanes)
            if not w.is_padded:
                body(tap, y, x)
                return
            inside = b.and_(
                b.icmp_unsigned("<", y, integer(w.image.size[2])),
                b.icmp_unsigned("<", x, integer(w.image.size[3])),
            )
            with b.if_then(inside):
                body(tap, y, x)

        if w.count > _UNROLLED:
            with loop(b, integer(0), integer(down)) as i, loop(b, integer(0), integer(across)) as j:
                one(i, j)
            return
        for tap in range(w.count):
            one(integer(tap // across), integer(tap % across))

    def find(self, image: Any, at: tuple[Any, Any], channel: Any, active: int) -> None:
        """Emits the search in one window; of equal elements the first counts."""
        b, w = self.b, self.w
        start = Value(b, None, w.dtype, w.lanes).number(lowest(w.dtype))
        b.store(start.code, self.best)
        b.store(Value(b, None, _TAP, w.lanes).number(0).code, self.which)

        def consider(tap: Value, y: Any, x: Any) -> None:
            value = self.x.at(image, channel, y, x, active)
            best, which = self.found()
            better = (value > best) | ((value != value) & (best == best))
            b.store(chosen(better, value, best).code, self.best)
            b.store(chosen(better, tap, which).code, self.which)

        self.taps(at, consider)

    def found(self) -> tuple[Value, Value]:
        """The largest element, and its tap."""
        b, w = self.b, self.w
        best = Value(b, b.load(self.best), w.dtype, w.lanes)
        return best, Value(b, b.load(self.which), _TAP, w.lanes)


@dataclass(frozen=True, eq=False)
class Pool(Kernel):
    """One number for each position of the result, and elementwise nodes of the same shape."""

    windows: Windows  # over the image that is read
    result: Image

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Self:
        """The kernel of these nodes."""
        node = fused.first
        windows = Windows.of(node, views[node.inputs[-1]])
        return cls(fused, windows, Image.of(views[node]))

    @property
    def items(self) -> int:
        """Rows of the result."""
        return self.result.size[0] * self.result.size[2]

    @property
    def cost(self) -> float:
        node = self.fused.first
        each = 0.1 * len(self.nodes) * size(sizes(node.shape))
        return each + 0.2 * size(sizes(node.inputs[0].shape))

    def space(self) -> str:
        return f"{text(sizes(self.fused.first.shape))} {dtype_of(self.fused.first)}"

    @abstractmethod
    def value(self, context: KernelContext) -> Callable[..., Value]:
        """The function that emits the result's elements at (image, (y, x), channel, active)."""

    def emit(self, context: KernelContext) -> None:
        b, w = context.builder, self.windows
        value = self.value(context)
        epilogue = Epilogue(self.fused, context, w.lanes, axis=1)
        *_, height, width = self.result.size
        flat = len(sizes(self.fused.first.shape)) == 3
        with loop(b, context.begin, context.end) as item:
            image, y = b.sdiv(item, integer(height)), b.srem(item, integer(height))
            with loop(b, integer(0), integer(width)) as x:

                def one(channel: Any, active: int) -> None:
                    place = [image, channel, x] if flat else [image, channel, y, x]
                    found = value(image, (y, x), channel, active)
                    epilogue.elements(place, found, active)

                vectors(b, w.channels, w.lanes, one)


@dataclass(frozen=True, eq=False)
class PoolMax(Pool):
    """The largest element of each window, or another image's element at the same position."""

    label, description = "PoolMax", "max pooling"

    def value(self, context: KernelContext) -> Callable[..., Value]:
        b, node, w = context.builder, self.fused.first, self.windows
        largest = _Largest(w, context)
        if not isinstance(node, MaxPoolSelect):

            def best(image: Any, at: Any, channel: Any, active: int) -> Value:
                largest.find(image, at, channel, active)
                return largest.found()[0]

            return best
        source = _Source(Image.of(context.views[node.inputs[0]]), w.lanes, context)
        slot = context.slot(value_type(w.dtype, w.lanes))

        def selected(image: Any, at: Any, channel: Any, active: int) -> Value:
            largest.find(image, at, channel, active)
            _, which = largest.found()
            b.store(Value(b, None, w.dtype, w.lanes).number(0).code, slot)

            def consider(tap: Value, y: Any, x: Any) -> None:
                so_far = Value(b, b.load(slot), w.dtype, w.lanes)
                element = source.at(image, channel, y, x, active)
                b.store(chosen(which == tap, element, so_far).code, slot)

            largest.taps(at, consider)
            return Value(b, b.load(slot), w.dtype, w.lanes)

        return selected


@dataclass(frozen=True, eq=False)
class PoolSum(Pool):
    """The sum of each window, or for each element the sum over all windows that contain it."""

    label, description = "PoolSum", "sum pooling"

    def value(self, context: KernelContext) -> Callable[..., Value]:
        b, w = context.builder, self.windows
        source = _Source(w.image, w.lanes, context)
        slot = context.slot(value_type(w.dtype, w.lanes))

        def total(image: Any, at: Any, channel: Any, active: int) -> Value:
            b.store(Value(b, None, w.dtype, w.lanes).number(0).code, slot)

            def add(y: Any, x: Any) -> None:
                so_far = Value(b, b.load(slot), w.dtype, w.lanes)
                b.store((so_far + source.at(image, channel, y, x, active)).code, slot)

            rows, columns = (self._range(context, axis, at[axis]) for axis in (0, 1))
            if rows[2] * columns[2] in range(1, _UNROLLED + 1):
                for tap in range(rows[2] * columns[2]):
                    i, j = divmod(tap, columns[2])
                    add(b.add(rows[0], integer(i)), b.add(columns[0], integer(j)))
            else:
                with loop(b, *rows[:2]) as y, loop(b, *columns[:2]) as x:
                    add(y, x)
            return Value(b, b.load(slot), w.dtype, w.lanes)

        return total

    def _range(self, context: KernelContext, axis: int, at: Any) -> tuple[Any, Any, int]:
        """(first, end, count) of the summed range on an axis for the result's position `at`; the
        count is 0 if it isn't the same at every position."""
        b, w = context.builder, self.windows
        k, s, before = w.size[axis], w.stride[axis], w.before[axis]
        extent = w.image.size[2 + axis]
        if isinstance(self.fused.first, SumPool):
            # Place o has the elements o·s − before … o·s − before + k − 1.
            start = b.sub(b.mul(at, integer(s)), integer(before))
            stop = b.add(start, integer(k))
            fixed = 0 if w.is_padded else k
        else:
            # Element y is in the places from ⌈(y + before − k + 1)/s⌉ to ⌊(y + before)/s⌋.
            y = b.add(at, integer(before))
            start = b.sdiv(b.add(y, integer(s - k)), integer(s))
            stop = b.add(b.sdiv(y, integer(s)), integer(1))
            whole = self.result.size[2 + axis] == extent * s
            fixed = int(k == s and whole and not w.is_padded)
        if fixed:
            return start, stop, fixed
        low = b.icmp_signed("<", start, integer(0))
        return b.select(low, integer(0), start), context.smaller(stop, integer(extent)), 0


def is_tiled(node: Node) -> bool:
    """Whether the windows tile the image: each element is in exactly one."""
    a: Any = node
    k, stride, padding, _ = planes(a.attributes, a.attributes["size"])
    space = sizes(a.inputs[1].shape)[2:]
    whole = all(
        extent % step == 0 for extent, step in zip(space, a.attributes["stride"], strict=True)
    )
    return whole and tuple(k) == tuple(stride) and not any(one for pair in padding for one in pair)


@dataclass(frozen=True, eq=False)
class PoolPlace(Kernel):
    """The adjoint of max pooling: zeros with each cotangent added at its window's largest element;
    and elementwise nodes of the same shape, if the windows tile the image."""

    label, description = "PoolPlace", "max pooling, gradient of the input"

    windows: Windows
    cotangent: Image
    result: Image
    tiled: bool

    @classmethod
    def of(cls, fused: Fused, views: Views) -> PoolPlace:
        """The kernel of these nodes."""
        node = fused.first
        g, x = (views[one] for one in node.inputs)
        result = Image.of(views[node])
        return cls(fused, Windows.of(node, x), Image.of(g), result, is_tiled(node))

    @property
    def items(self) -> int:
        """The rows of windows, or the images if windows overlap."""
        n, _, height, _ = self.cotangent.size
        return n * height if self.tiled else n

    @property
    def cost(self) -> float:
        return (0.5 + 0.1 * len(self.nodes)) * size(sizes(self.fused.first.shape))

    def space(self) -> str:
        return f"{text(sizes(self.fused.first.shape))} {dtype_of(self.fused.first)}"

    def emit(self, context: KernelContext) -> None:
        b, w = context.builder, self.windows
        g = _Source(self.cotangent, w.lanes, context)
        largest = _Largest(w, context)
        height, width = self.cotangent.size[2:]
        put = self._once(context) if self.tiled else self._added(context)

        def row(image: Any, oy: Any) -> None:
            with loop(b, integer(0), integer(width)) as ox:

                def one(channel: Any, active: int) -> None:
                    largest.find(image, (oy, ox), channel, active)
                    _, which = largest.found()
                    value = g.at(image, channel, oy, ox, active)

                    def at_tap(tap: Value, y: Any, x: Any) -> None:
                        part = chosen(which == tap, value, value.number(0))
                        put([image, channel, y, x], part, active)

                    largest.taps((oy, ox), at_tap)

                vectors(b, w.channels, w.lanes, one)

        with loop(b, context.begin, context.end) as item:
            if self.tiled:
                row(b.sdiv(item, integer(height)), b.srem(item, integer(height)))
            else:
                self._clear(context, item)
                with loop(b, integer(0), integer(height)) as oy:
                    row(item, oy)

    def _clear(self, context: KernelContext, image: Any) -> None:
        b, node = context.builder, self.fused.first
        whole = size(self.result.size[1:])
        start = b.gep(context.typed(node, dtype_of(node)), [b.mul(image, integer(whole))])
        clear(b, dtype_of(node), start, whole)

    def _once(self, context: KernelContext) -> Callable[..., None]:
        """The function that emits the epilogue and store of an element [image, channel, y, x]."""
        epilogue = Epilogue(self.fused, context, self.windows.lanes, axis=1)
        flat = len(sizes(self.fused.first.shape)) == 3

        def put(place: list[Any], part: Value, active: int) -> None:
            epilogue.elements([*place[:2], place[3]] if flat else place, part, active)

        return put

    def _added(self, context: KernelContext) -> Callable[..., None]:
        """The function that emits an addition to the element [image, channel, y, x]."""
        b, node = context.builder, self.fused.first
        dtype, steps = dtype_of(node), self.result.steps
        z = context.typed(node, dtype)

        def put(place: list[Any], part: Value, active: int) -> None:
            at = place_of(b, place, steps, integer(0))
            so_far = read(b, z, dtype, at, part.lanes, steps[1], active)
            write(b, z, part + so_far, at, steps[1], active)

        return put
