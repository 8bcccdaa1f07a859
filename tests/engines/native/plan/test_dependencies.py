"""Dependencies between groups are the transitive closure of the edges that were added."""

from __future__ import annotations

from hypothesis import given, strategies as st

from palingrad.engines.native.plan.dependencies import Dependencies


def chain(*edges: tuple[int, int]) -> Dependencies:
    """Groups 0 … 4, of which each edge's first waits for its second."""
    dependencies = Dependencies()
    for _ in range(5):
        dependencies.new()
    for number, other in edges:
        dependencies.add(number, [other])
    return dependencies


def reached(edges: set[tuple[int, int]], start: int) -> set[int]:
    """The groups that `start` waits for, by a walk along the edges."""
    found: set[int] = set()
    waiting = [start]
    while waiting:
        number = waiting.pop()
        new = {other for one, other in edges if one == number} - found
        found |= new
        waiting += new
    return found


def test_dependencies_are_transitive():
    dependencies = chain((1, 0), (2, 1))
    assert dependencies.of(2) == [0, 1]
    assert dependencies.waits(2, 0)
    assert not dependencies.waits(0, 2)


def test_a_later_edge_reaches_existing_dependents():
    dependencies = chain((3, 2), (4, 3), (2, 0))
    assert dependencies.of(4) == [0, 2, 3]


def test_a_group_may_depend_on_a_larger_number():
    dependencies = chain((0, 4), (2, 0), (4, 1))
    assert dependencies.of(2) == [0, 1, 4]
    assert dependencies.in_order() == [1, 3, 4, 0, 2]


def test_a_cycle_is_not_permitted():
    dependencies = chain((1, 0), (2, 1))
    assert not dependencies.permits(0, [2])
    assert not dependencies.permits(1, [1])
    assert dependencies.permits(3, [2, 0])


def test_a_trial_on_a_copy_does_not_change_the_original():
    dependencies = chain((1, 0))
    trial = dependencies.copy()
    trial.add(0, [4])
    trial.add(trial.new(), [1])
    assert trial.of(1) == [0, 4]
    assert dependencies.of(1) == [0]
    assert len(dependencies.masks) == 5


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_masks_equal_the_transitive_closure(edges):
    dependencies = Dependencies()
    for _ in range(8):
        dependencies.new()
    added: set[tuple[int, int]] = set()
    for number, other in edges:
        permitted = number != other and number not in reached(added, other)
        assert dependencies.permits(number, [other]) == permitted
        if permitted:
            dependencies.add(number, [other])
            added.add((number, other))
    order = dependencies.in_order()
    for number in range(8):
        assert set(dependencies.of(number)) == reached(added, number)
        assert all(order.index(one) < order.index(number) for one in dependencies.of(number))
