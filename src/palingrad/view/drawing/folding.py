"""Folding of repeated blocks: a run of equal blocks is drawn once, with its count: × 12."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .scene import Box, Scene, Wire

LONGEST = 240  # the largest number of boxes in a block
LEAST = 3  # the smallest number of blocks in a run
EFFORT = 3_000_000  # the largest number of box comparisons; later runs are drawn in full


def folded(scene: Scene) -> Scene:
    """The scene with each run of consecutive equal blocks drawn once.

    Two blocks are equal if their boxes are equal in order and wired same: each operand is at the
    same position in its own block or in the previous one, or is the same box outside.
    """
    for _ in range(2):  # the second pass folds blocks of folded blocks
        runs = _runs(scene)
        if not runs:
            return scene
        scene = _without(scene, runs)
    return scene


def _runs(scene: Scene) -> list[tuple[int, int, int]]:
    """Runs of equal blocks that don't overlap: (first box, boxes per block, blocks)."""
    place = {box.key: number for number, box in enumerate(scene.boxes)}
    sources: list[list[tuple[int, str]]] = [[] for _ in scene.boxes]
    for wire in scene.wires:
        sources[place[wire.target]].append((place[wire.source], wire.mark))
    kinds: dict[object, int] = {}
    properties = [_properties(box, len(sources[number])) for number, box in enumerate(scene.boxes)]
    ids = np.array([kinds.setdefault(key, len(kinds)) for key in properties])
    free = np.ones(len(ids), bool)
    runs: list[tuple[int, int, int]] = []
    effort = EFFORT
    for length in range(1, min(LONGEST, len(ids) // LEAST) + 1):
        same = (ids[:-length] == ids[length:]) & free[:-length] & free[length:]
        edges = np.flatnonzero(np.diff(np.concatenate(([0], same.view(np.int8), [0]))))
        for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            while stop - start >= (LEAST - 1) * length and effort > 0:
                most = (stop - start) // length + 1
                differs = _first_different(sources, start, length, most)
                count = (differs - start) // length
                effort -= differs - start
                if count >= LEAST:
                    runs.append((start, length, count))
                    free[start : start + count * length] = False
                    start += count * length
                else:  # a run that starts earlier would contain the same difference
                    start = max(start + 1, differs - 2 * length + 1)
    return sorted(runs)


def _properties(box: Box, operands: int) -> tuple[object, ...]:
    """The properties that equal boxes share: all but names and values."""
    return box.form, box.tone, box.role, box.kind, box.note, operands, box.badge


def _first_different(
    sources: Sequence[Sequence[tuple[int, str]]], start: int, length: int, most: int
) -> int:
    """The first box after `start` that is wired differently from the box one block earlier, or the
    end of `most` blocks.

    Where the second block reads from the first, the first block may read from any box.
    """
    end = start + most * length
    previous: dict[int, int] = {}  # a box of the first block → what the first block reads instead
    for box in range(start + length, end):
        second = box < start + 2 * length
        for (a, mark), (b, other) in zip(sources[box - length], sources[box], strict=True):
            if second and start <= b < start + length:
                same = previous.setdefault(b, a) == a
            else:
                same = b in (a, a + length)
            if mark != other or not same:
                return box
    return end


def _without(scene: Scene, runs: Sequence[tuple[int, int, int]]) -> Scene:
    """The scene in which the first block of each run represents the whole run."""
    boxes: list[Box] = []
    representative: dict[str, str] = {}
    order: dict[str, int] = {}
    titles = dict(scene.titles)
    done = 0
    members = Counter(
        box.group[:depth] for box in scene.boxes for depth in range(1, len(box.group) + 1)
    )
    for start, length, count in runs:
        boxes += scene.boxes[done:start]
        block = scene.boxes[start : start + length]
        common = _common(block)
        while common and members[common] == length:  # a scope that is part of each block
            common = common[:-1]
        frame = (f"× {count} from {block[0].key}",) if length > 1 else ()
        for number, box in enumerate(scene.boxes[start : start + length * count]):
            representative[box.key] = block[number % length].key
            order[box.key] = number % length
        for box in block:
            new = replace(box, group=(*common, *frame, *box.group[len(common) :]))
            if length == 1:
                new = replace(new, badge=f"× {count}", form="stack")
            new.tip += f"\nthe first of {count}"
            boxes.append(new)
            for depth in range(len(common), len(new.group)):
                group = new.group[: depth + 1]
                old = scene.titles.get(box.group[: depth + 1 - len(frame)], "")
                titles[group] = f"× {count}" if frame and depth == len(common) else old
        done = start + length * count
    boxes += scene.boxes[done:]
    return replace(scene, boxes=boxes, wires=_rewired(scene, representative, order), titles=titles)


def _common(block: Sequence[Box]) -> tuple[str, ...]:
    groups = [box.group for box in block]
    length = 0
    while all(len(group) > length and group[length] == groups[0][length] for group in groups):
        length += 1
    return groups[0][:length]


def _rewired(scene: Scene, representative: dict[str, str], order: dict[str, int]) -> list[Wire]:
    """The wires between remaining boxes, each once, without those from one block to the next."""
    wires: dict[tuple[str, str, str, str], Wire] = {}
    same: dict[tuple[str, str, str, str], int] = {}
    for wire in scene.wires:
        source, target = (
            representative.get(wire.source, wire.source),
            representative.get(wire.target, wire.target),
        )
        if (source, target) == (wire.source, wire.target):
            place = same.get((source, target, wire.mark, ""), 0)
            same[source, target, wire.mark, ""] = place + 1
            wires[source, target, wire.mark, str(place)] = wire  # an operand may occur twice
            continue
        if (
            wire.source in order
            and wire.target in order
            and order[wire.source] >= order[wire.target]
        ):
            continue
        key = source, target, wire.mark, "0"
        if key not in wires:
            wires[key] = replace(wire, source=source, target=target)
    return list(wires.values())
