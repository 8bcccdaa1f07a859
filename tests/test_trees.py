"""Trees are taken apart and put together again in the same form."""

from __future__ import annotations

from collections import namedtuple

from palingrad.trees import leaves, mapped, rebuilt

Point = namedtuple("Point", "x y")
TREE = {"b": [1, (2, 3)], "a": Point(4, {"z": 5}), "empty": [[], {}, ()]}


def test_leaves_from_left_to_right_and_back():
    assert leaves(TREE) == [1, 2, 3, 4, 5]
    assert rebuilt(TREE, iter(leaves(TREE))) == TREE
    assert leaves(7) == [7]


def test_mapped_keeps_the_form():
    doubled = mapped(lambda x: 2 * x, TREE)
    assert doubled == {"b": [2, (4, 6)], "a": Point(8, {"z": 10}), "empty": [[], {}, ()]}
    assert type(doubled["a"]) is Point
    assert type(doubled["b"][1]) is tuple
