"""Pooling by the largest element, and putting cotangents back to where it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph.node import Node
from ...shapes import sizes
from .body import dtype_of
from .frame import Frame
from .images import Image, clear, planes
from .loop import Unit
from .loops import integer, loop, place_of, read, vectors, write
from .target import host
from .values import Value, chosen, value_type
from .views import View


class _Windows:
    """The windows of x (n, c, y, x) and how vectors run: along channels if these are neighbours."""

    def __init__(self, node: Node, x: Node, views: dict[Node, View]) -> None:
        self.node = node
        self.image = Image.of(views[x])
        self.dtype = dtype_of(x)
        a: Any = node
        self.size, self.stride, padding, _ = planes(a.attributes, a.attributes["size"])
        self.before = (padding[0][0], padding[1][0])
        self.framed = any(one for pair in padding for one in pair)
        self.n, self.c, self.height, self.width = self.image.size
        beside = self.image.steps[1] == 1
        most = host().lanes(self.dtype.itemsize)
        self.lanes = min(most, 1 << max(self.c - 1, 0).bit_length()) if beside else 1

    def taps(self) -> list[tuple[int, int]]:
        """The places in a window, in order."""
        return [(i, j) for i in range(self.size[0]) for j in range(self.size[1])]


class _Emitter:
    """What both kernels emit for one window and some channels."""

    def __init__(self, windows: _Windows, frame: Frame) -> None:
        self.w, self.frame, self.b = windows, frame, frame.builder
        base = windows.image.view
        self.x = frame.typed(base.base, windows.dtype, base.offset)
        kind = value_type(windows.dtype, windows.lanes)
        self.best = frame.slot(kind)
        self.which = frame.slot(value_type(np.dtype(np.int32), windows.lanes))

    def inside(self, y: Any, x: Any) -> Any:
        """Whether the place is in the image."""
        b, w = self.b, self.w
        fits = b.and_(
            b.icmp_unsigned("<", y, integer(w.height)), b.icmp_unsigned("<", x, integer(w.width))
        )
        return fits

    def place(self, oy: Any, ox: Any, i: int, j: int) -> tuple[Any, Any]:
        """Row and column of a tap of the window at (oy, ox)."""
        b, w = self.b, self.w
        y = b.add(b.mul(oy, integer(w.stride[0])), integer(i - w.before[0]))
        x = b.add(b.mul(ox, integer(w.stride[1])), integer(j - w.before[1]))
        return y, x

    def find(self, image: Any, oy: Any, ox: Any, channel: Any, active: int) -> None:
        """The largest element of the window, and which tap it is: of equal ones the first."""
        b, w = self.b, self.w
        lanes = w.lanes
        number = np.dtype(np.int32)
        lowest = Value(b, None, w.dtype, lanes).number(-np.inf)
        b.store(lowest.code, self.best)
        b.store(Value(b, None, number, lanes).number(0).code, self.which)
        for tap, (i, j) in enumerate(w.taps()):
            y, x = self.place(oy, ox, i, j)

            def look(tap: int = tap, y: Any = y, x: Any = x) -> None:
                value = self.element(image, channel, y, x, active)
                best = Value(b, b.load(self.best), w.dtype, lanes)
                which = Value(b, b.load(self.which), number, lanes)
                better = (value > best) | ((value != value) & (best == best))
                b.store(chosen(better, value, best).code, self.best)
                b.store(chosen(better, which.number(tap), which).code, self.which)

            if w.framed:
                with b.if_then(self.inside(y, x)):
                    look()
            else:
                look()

    def element(self, image: Any, channel: Any, y: Any, x: Any, active: int) -> Value:
        """The input's elements at a place."""
        w = self.w
        place = place_of(self.b, [image, channel, y, x], w.image.steps, integer(0))
        return read(self.b, self.x, w.dtype, place, w.lanes, 1, active)


@dataclass(eq=False)
class PoolMax(Unit):
    """The largest element of each window."""

    def items(self, views: dict[Node, View]) -> int:
        """Rows of the result."""
        image = Image.of(views[self.nodes[0]])
        return image.size[0] * image.size[2]

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        shape = sizes(self.nodes[0].inputs[0].shape)
        return 0.3 * float(np.prod(shape))

    def emit(self, frame: Frame) -> None:
        """The code for rows `frame.begin` to `frame.end`."""
        b = frame.builder
        node = self.nodes[0]
        w = _Windows(node, node.inputs[0], frame.views)
        emitter = _Emitter(w, frame)
        out = Image.of(frame.views[node])
        z = frame.typed(node, w.dtype)
        height, width = out.size[2:]
        with loop(b, frame.begin, frame.end) as item:
            image, oy = b.sdiv(item, integer(height)), b.srem(item, integer(height))
            with loop(b, integer(0), integer(width)) as ox:

                def one(channel: Any, active: int) -> None:
                    emitter.find(image, oy, ox, channel, active)
                    value = Value(b, b.load(emitter.best), w.dtype, w.lanes)
                    place = place_of(b, [image, channel, oy, ox], out.steps, integer(0))
                    write(b, z, value, place, out.steps[1], active)

                vectors(b, w.c, w.lanes, one)


@dataclass(eq=False)
class PoolPlace(Unit):
    """Zeros with each cotangent added where its window's largest element was."""

    def _windows(self, views: dict[Node, View]) -> _Windows:
        node = self.nodes[0]
        return _Windows(node, node.inputs[1], views)

    def _exact(self, views: dict[Node, View]) -> bool:
        """Whether each element is in one window: then it is written once."""
        w = self._windows(views)
        _, _, height, width = Image.of(views[self.nodes[0].inputs[0]]).size
        covers = (height * w.stride[0], width * w.stride[1]) == (w.height, w.width)
        return covers and tuple(w.size) == tuple(w.stride) and not w.framed

    def items(self, views: dict[Node, View]) -> int:
        """Rows of windows, or whole images where windows overlap."""
        n, _, height, _ = Image.of(views[self.nodes[0].inputs[0]]).size
        return n * height if self._exact(views) else n

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        return 0.6 * float(np.prod(sizes(self.nodes[0].shape)))

    def emit(self, frame: Frame) -> None:
        """The code for items `frame.begin` to `frame.end`."""
        b = frame.builder
        node = self.nodes[0]
        cotangent = Image.of(frame.views[node.inputs[0]])
        w = self._windows(frame.views)
        emitter = _Emitter(w, frame)
        dtype = dtype_of(node)
        g = frame.typed(cotangent.view.base, dtype, cotangent.view.offset)
        z = frame.typed(node, dtype)
        out = Image.of(frame.views[node])
        exact = self._exact(frame.views)
        height, width = cotangent.size[2:]

        def row(image: Any, oy: Any) -> None:
            with loop(b, integer(0), integer(width)) as ox:

                def one(channel: Any, active: int) -> None:
                    emitter.find(image, oy, ox, channel, active)
                    which = Value(b, b.load(emitter.which), np.dtype(np.int32), w.lanes)
                    place = place_of(b, [image, channel, oy, ox], cotangent.steps, integer(0))
                    step = cotangent.steps[1] if w.lanes > 1 else 1
                    value = read(b, g, dtype, place, w.lanes, step, active)
                    for tap, (i, j) in enumerate(w.taps()):
                        y, x = emitter.place(oy, ox, i, j)
                        part = chosen(which == tap, value, value.number(0))
                        if w.framed:
                            with b.if_then(emitter.inside(y, x)):
                                put(image, channel, y, x, part, active)
                        else:
                            put(image, channel, y, x, part, active)

                vectors(b, w.c, w.lanes, one)

        def put(image: Any, channel: Any, y: Any, x: Any, part: Value, active: int) -> None:
            place = place_of(b, [image, channel, y, x], out.steps, integer(0))
            if not exact:
                part = part + read(b, z, dtype, place, w.lanes, out.steps[1], active)
            write(b, z, part, place, out.steps[1], active)

        with loop(b, frame.begin, frame.end) as item:
            if exact:
                row(b.sdiv(item, integer(height)), b.srem(item, integer(height)))
            else:
                whole = out.size[1] * out.size[2] * out.size[3]
                clear(b, dtype, b.gep(z, [b.mul(item, integer(whole))]), whole)
                with loop(b, integer(0), integer(height)) as oy:
                    row(item, oy)
