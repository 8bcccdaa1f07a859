"""The layout: separate boxes, edges between boxes, frames around their members, deterministic."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import pytest

from palingrad.view.drawing.layout.layered import Layout, layout
from palingrad.view.drawing.layout.ranks import acyclic, ranked
from tolerances import near

pytestmark = pytest.mark.tiny


def graph(
    seed: int, count: int = 40
) -> tuple[dict[str, tuple[float, float]], list[tuple[str, str]]]:
    """Boxes of many sizes and random edges from earlier to later ones, some twice."""
    rng = random.Random(seed)
    sizes = {f"n{k}": (rng.uniform(10, 160), rng.uniform(10, 80)) for k in range(count)}
    edges = [
        (f"n{rng.randrange(max(0, k - 12), k)}", f"n{k}")
        for k in range(1, count)
        for _ in range(rng.choice([0, 1, 1, 2, 3]))
    ]
    return sizes, edges


def box(sizes: dict[str, tuple[float, float]], placed: Layout, key: str) -> tuple[float, ...]:
    (x, y), (w, h) = placed.positions[key], sizes[key]
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def overlap(one: tuple[float, ...], other: tuple[float, ...], room: float = 0.0) -> bool:
    return (
        one[0] < other[2] + room
        and other[0] < one[2] + room
        and one[1] < other[3] + room
        and other[1] < one[3] + room
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("right", [False, True])
def test_boxes_keep_apart_and_inside(seed: int, right: bool):
    sizes, edges = graph(seed)
    placed = layout(sizes, edges, right=right)
    boxes = {key: box(sizes, placed, key) for key in sizes}
    assert not [p for p in combinations(sizes, 2) if overlap(boxes[p[0]], boxes[p[1]], 8.0)]
    for left, top, end, bottom in boxes.values():
        assert min(left, top) > -1e-6
        assert end < placed.width + 1e-6
        assert bottom < placed.height + 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_edges_lead_down_from_box_to_box_each_to_a_place_of_its_own(seed: int):
    sizes, edges = graph(seed)
    placed = layout(sizes, edges)
    ends: set[tuple[float, float]] = set()
    for (a, b), path in zip(edges, placed.paths, strict=True):
        left, _, end, bottom = box(sizes, placed, a)
        assert left <= path[0][0] <= end
        assert path[0][1] == near(bottom)
        left, top, end, _ = box(sizes, placed, b)
        assert left - 2 <= path[-1][0] <= end + 2
        assert path[-1][1] == near(top)
        assert all(p[1] <= q[1] + 1e-6 for p, q in pairwise(path))
        ends.add(path[-1])
    assert len(ends) == len(edges)  # x + x arrives twice


@pytest.mark.parametrize("seed", range(6))
def test_edges_pass_between_boxes_not_through_them(seed: int):
    """Where an edge runs straight, no box is in its way; curves stay between two layers."""
    sizes, edges = graph(seed)
    placed = layout(sizes, edges)
    for (a, b), path in zip(edges, placed.paths, strict=True):
        for p, q in pairwise(path):
            line = (min(p[0], q[0]), p[1] + 0.01, max(p[0], q[0]), q[1] - 0.01)
            crossed = [k for k in sizes if k not in (a, b) and overlap(line, box(sizes, placed, k))]
            assert not crossed


def test_the_same_graph_is_placed_the_same():
    sizes, edges = graph(7)
    assert layout(sizes, edges) == layout(dict(sizes), list(edges))


def inside(one: tuple[float, ...], frame: tuple[float, ...]) -> bool:
    left, top, width, height = frame
    return left <= one[0] and top <= one[1] and one[2] <= left + width and one[3] <= top + height


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("right", [False, True])
def test_frames_contain_their_members_and_nothing_else(seed: int, right: bool):
    sizes, edges = graph(seed)
    rng = random.Random(seed)
    names = [(), ("a",), ("a", "x"), ("b",), ("c",), ("c", "y"), ("c", "y", "z")]
    groups = {key: rng.choice(names[: 2 + seed]) for key in sizes}
    placed = layout(sizes, edges, groups=groups, titles=dict.fromkeys(names[1:], 60.0), right=right)
    assert set(placed.frames) == {g[:n] for g in groups.values() for n in range(1, len(g) + 1)}
    for group, frame in placed.frames.items():
        corners = (frame[0], frame[1], frame[0] + frame[2], frame[1] + frame[3])
        for key, own in groups.items():
            if own[: len(group)] == group:
                assert inside(box(sizes, placed, key), frame), (group, key)
            else:
                assert not overlap(box(sizes, placed, key), corners), (group, key)
        for other, second in placed.frames.items():
            last = (second[0], second[1], second[0] + second[2], second[1] + second[3])
            if other[: len(group)] != group and group[: len(other)] != other:
                assert not overlap(corners, last), (group, other)


def test_a_frame_is_as_wide_as_its_title():
    placed = layout({"a": (10, 10)}, [], groups={"a": ("g",)}, titles={("g",): 200.0})
    assert placed.frames[("g",)][2] >= 200


def test_edges_touch_a_box_within_its_ports():
    sizes = dict.fromkeys("abcd", (100.0, 20.0))
    edges = [("a", "d"), ("b", "d"), ("c", "d")]
    middle = layout(sizes, edges, ports={"d": 30.0}).positions["d"][0]
    ends = [path[-1][0] - middle for path in layout(sizes, edges, ports={"d": 30.0}).paths]
    assert sorted(ends) == near([-15.0, 0.0, 15.0])


def test_upward_edges_point_up():
    sizes = dict.fromkeys("abc", (20.0, 20.0))
    placed = layout(sizes, [("a", "b"), ("b", "c")], upward={0, 1})
    assert placed.positions["a"][1] > placed.positions["b"][1] > placed.positions["c"][1]
    assert placed.paths[0][0][1] > placed.paths[0][-1][1]


def test_groups_that_are_last_stand_on_the_right():
    sizes = dict.fromkeys("abcd", (20.0, 20.0))
    edges = [("a", "b"), ("a", "c"), ("a", "d")]
    groups = {"b": ("two",), "c": ("one",)}
    placed = layout(sizes, edges, groups=groups, last=("one", "two"))
    x = {key: placed.positions[key][0] for key in "bcd"}
    assert x["d"] < x["c"] < x["b"]


def test_cycles_and_isolated_boxes_are_placed_too():
    sizes = dict.fromkeys("abcde", (20.0, 20.0))
    placed = layout(sizes, [("a", "b"), ("b", "c"), ("c", "a"), ("d", "d")])
    assert len({placed.positions[key] for key in sizes}) == 5
    assert acyclic(2, [(0, 1), (1, 0)]) == [False, True]


def test_a_chain_is_one_straight_line_and_nothing_is_an_empty_picture():
    sizes = {f"n{k}": (20.0, 20.0) for k in range(3000)}
    placed = layout(sizes, [(f"n{k}", f"n{k + 1}") for k in range(2999)])
    assert {x for x, _ in placed.positions.values()} == {10.0}
    assert layout({}, []).width == 0


def test_ranks_are_compact():
    """A variable stands above its use, not at the top of the drawing."""
    chain = [(k, k + 1) for k in range(9)]
    assert ranked(11, [*chain, (10, 9)])[10] == 8


def test_modules_one_after_another_stand_below_each_other_around_a_straight_line():
    keys: dict[str, tuple[str, ...]] = {"x": ()}
    edges: list[tuple[str, str]] = []
    before = "x"
    for k in range(8):
        keys |= {f"{one}{k}": ("net", f"layer{k}") for one in ("w", "mm", "b", "add")}
        keys[f"relu{k}"] = ("net",)
        edges += [(before, f"mm{k}"), (f"w{k}", f"mm{k}"), (f"mm{k}", f"add{k}")]
        edges += [(f"b{k}", f"add{k}"), (f"add{k}", f"relu{k}")]
        before = f"relu{k}"
    placed = layout(dict.fromkeys(keys, (90.0, 40.0)), edges, groups=keys)
    spine = [placed.positions[f"{one}{k}"][0] for k in range(8) for one in ("mm", "add", "relu")]
    assert max(spine) - min(spine) < 1
    frames = [placed.frames["net", f"layer{k}"] for k in range(8)]
    assert all(a[1] + a[3] < b[1] for a, b in pairwise(frames))
    assert all(f[1] + f[3] < placed.positions[f"relu{k}"][1] for k, f in enumerate(frames))


def test_an_edge_past_a_module_passes_outside_its_frame():
    groups = {"x": (), "w": ("block",), "h": ("block",), "k": ("block",), "y": ("block",)}
    edges = [("w", "h"), ("x", "h"), ("h", "k"), ("k", "y"), ("x", "y")]
    placed = layout(dict.fromkeys(groups, (60.0, 30.0)), edges, groups=groups)
    left, _, width, _ = placed.frames[("block",)]
    middle = placed.paths[-1][len(placed.paths[-1]) // 2 - 1]
    assert not left <= middle[0] <= left + width
