"""Folding: a block that comes again and again is drawn once, with how often: × 12."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .scene import Box, Scene, Wire

LONGEST = 240  # boxes of a block that is looked for
LEAST = 3  # times that a block comes at least
EFFORT = 3_000_000  # boxes that are compared at most: what isn't found by then is drawn in full


def folded(scene: Scene) -> Scene:
    """The scene with each run of equal blocks, one after another, drawn once.

    Blocks are equal where their boxes are, in order, and are wired alike: to the same place of
    their own block or the one before, or to the same box outside.
    """
    for _ in range(2):  # once more for blocks of folded blocks
        runs = _runs(scene)
        if not runs:
            return scene
        scene = _without(scene, runs)
    return scene


def _runs(scene: Scene) -> list[tuple[int, int, int]]:
    """Runs of equal blocks: (first box, boxes in a block, blocks), none over another."""
    place = {box.key: number for number, box in enumerate(scene.boxes)}
    sources: list[list[tuple[int, str]]] = [[] for _ in scene.boxes]
    for wire in scene.wires:
        sources[place[wire.target]].append((place[wire.source], wire.mark))
    kinds: dict[object, int] = {}
    looks = [_look(box, len(sources[number])) for number, box in enumerate(scene.boxes)]
    ids = np.array([kinds.setdefault(look, len(kinds)) for look in looks])
    free = np.ones(len(ids), bool)
    found: list[tuple[int, int, int]] = []
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
                    found.append((start, length, count))
                    free[start : start + count * length] = False
                    start += count * length
                else:  # a run that begins before this would hold the difference too
                    start = max(start + 1, differs - 2 * length + 1)
    return sorted(found)


def _look(box: Box, operands: int) -> tuple[object, ...]:
    """What equal boxes have in common: not their names and values."""
    return box.form, box.tone, box.role, box.kind, box.note, operands, box.badge


def _first_different(
    sources: Sequence[Sequence[tuple[int, str]]], start: int, length: int, most: int
) -> int:
    """The first box from `start` on that isn't wired like the one a block before it, or the end of
    `most` blocks.

    The first block may be fed from elsewhere, where the second is fed from the first.
    """
    end = start + most * length
    handed: dict[int, int] = {}  # a box of the first block: what the first reads in its place
    for box in range(start + length, end):
        second = box < start + 2 * length
        for (a, mark), (b, other) in zip(sources[box - length], sources[box], strict=True):
            if second and start <= b < start + length:
                alike = handed.setdefault(b, a) == a
            else:
                alike = b in (a, a + length)
            if mark != other or not alike:
                return box
    return end


def _without(scene: Scene, runs: Sequence[tuple[int, int, int]]) -> Scene:
    """The scene with the first block of each run for all of it."""
    boxes: list[Box] = []
    stands: dict[str, str] = {}
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
        while common and members[common] == length:  # a scope that comes with each block
            common = common[:-1]
        frame = (f"× {count} from {block[0].key}",) if length > 1 else ()
        for number, box in enumerate(scene.boxes[start : start + length * count]):
            stands[box.key] = block[number % length].key
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
    return replace(scene, boxes=boxes, wires=_rewired(scene, stands, order), titles=titles)


def _common(block: Sequence[Box]) -> tuple[str, ...]:
    groups = [box.group for box in block]
    length = 0
    while all(len(group) > length and group[length] == groups[0][length] for group in groups):
        length += 1
    return groups[0][:length]


def _rewired(scene: Scene, stands: dict[str, str], order: dict[str, int]) -> list[Wire]:
    """Wires between what is left, each once; what one block hands to the next stays inside."""
    wires: dict[tuple[str, str, str, str], Wire] = {}
    alike: dict[tuple[str, str, str, str], int] = {}
    for wire in scene.wires:
        source, target = stands.get(wire.source, wire.source), stands.get(wire.target, wire.target)
        if (source, target) == (wire.source, wire.target):
            place = alike.get((source, target, wire.mark, ""), 0)
            alike[source, target, wire.mark, ""] = place + 1
            wires[source, target, wire.mark, str(place)] = wire  # duplicates of one box stay
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
