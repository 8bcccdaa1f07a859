"""Values that are needed at the same time never share bytes; values that are not, do."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, strategies as st

from palingrad.engines.native.plan.buffer_planner import LiveRange, plan_buffers

pytestmark = pytest.mark.tiny
LINE = 64  # bytes: a cache line, and the widest vector


def live_range(first: int, stages: int, size: int) -> LiveRange:
    return LiveRange(first, first + stages, size)


def overlap(one: LiveRange, other: LiveRange) -> bool:
    return one.first <= other.last and other.first <= one.last


@given(st.lists(st.builds(live_range, st.integers(0, 8), st.integers(0, 5), st.integers(0, 300))))
def test_values_that_live_at_once_lie_apart_on_whole_lines_inside_the_arena(ranges):
    offsets, size = plan_buffers(ranges)
    for offset, one in zip(offsets, ranges, strict=True):
        assert offset % LINE == 0
        assert 0 <= offset <= offset + one.size <= size
    for (a, one), (b, other) in combinations(zip(offsets, ranges, strict=True), 2):
        if overlap(one, other) and one.size and other.size:
            assert a + one.size <= b or b + other.size <= a


def test_an_arena_is_no_larger_than_what_lives_at_once():
    chain = [LiveRange(stage, stage + 1, 1000) for stage in range(10)]  # each read by the next
    offsets, size = plan_buffers(chain)
    assert size == 2 * 1024
    assert len(set(offsets)) == 2
    assert plan_buffers([LiveRange(0, 9, 64), *chain])[1] == 64 + 2 * 1024


def test_a_value_read_in_a_stage_is_not_written_over_by_that_stage():
    offsets, _ = plan_buffers([LiveRange(0, 3, 8), LiveRange(3, 4, 8), LiveRange(4, 5, 8)])
    assert offsets[0] != offsets[1] != offsets[2]
    assert offsets[0] == offsets[2]


def test_a_small_value_fills_a_gap_between_large_ones():
    large, small = LiveRange(0, 5, 640), LiveRange(2, 2, 100)
    gap = LiveRange(0, 1, 256)  # free again when `small` is needed
    assert plan_buffers([large, gap, small])[0][2] == plan_buffers([large, gap, small])[0][1]


def test_nothing_needs_no_memory():
    assert plan_buffers([]) == ([], 0)
