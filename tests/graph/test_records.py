"""Data classes of `graph/state/records.py` behave as those of `dataclasses`."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import field
from typing import Any

import pytest

from palingrad.graph.state import records

pytestmark = pytest.mark.tiny


def pair(**options: bool) -> list[Any]:
    """The same class, by Python's decorator and by ours."""

    def made(decorator: Any) -> Any:
        @decorator(**options)
        class Point:
            """A point."""

            x: float
            y: float = 2.0
            tags: list[str] = field(default_factory=list)
            source: Any = field(default=None, compare=False, repr=False)

            def total(self) -> float:
                return self.x + self.y

        return Point

    return [made(dataclasses.dataclass), made(records.dataclass)]


@pytest.mark.parametrize("options", [{}, {"frozen": True}, {"frozen": True, "eq": False}])
def test_instances_are_as_those_of_dataclasses(options):
    found: list[Any] = []
    for kind in pair(**options):
        one, other = kind(1.0), kind(x=1.0, y=2.0, source=3)
        named = kind(1.0, source=5, y=7.0)
        found.append([
            repr(one), repr(named), one == other, one == named, one != other, one.total(),
            one.tags is other.tags, [f.name for f in dataclasses.fields(kind)],
            dataclasses.asdict(dataclasses.replace(one, y=9.0)), dataclasses.is_dataclass(one),
            one == (1.0, 2.0, []), copy.copy(one).__dict__, kind.__match_args__,
            kind.__hash__ is None, kind.__hash__ is object.__hash__,
        ])  # fmt: skip
    assert found[0] == found[1]


def test_frozen_instances_refuse_changes_and_have_the_hash_of_their_fields():
    for kind in pair(frozen=True):
        one = kind(1.0, tags=())
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
            one.x = 2.0
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
            del one.x
        assert hash(one) == hash(kind(1.0, tags=(), source=4)) == hash((1.0, 2.0, ()))


@pytest.mark.parametrize(
    ("given", "named"),
    [((), {}), ((1, 2, 3, 4, 5), {}), ((1,), {"x": 2}), ((1,), {"z": 2}), ((), {"y": 2})],
)
def test_calls_that_do_not_fit_are_refused(given, named):
    for kind in pair(frozen=True):
        with pytest.raises(TypeError):
            kind(*given, **named)


def test_a_subclass_has_the_fields_of_its_base_first():
    decorators: list[Any] = [dataclasses.dataclass, records.dataclass]
    for decorator in decorators:

        @decorator(frozen=True, eq=False)
        class Base:
            x: int

        @decorator(frozen=True, eq=False)
        class Sub(Base):
            y: int = 2

            def __post_init__(self) -> None:
                assert self.x < self.y, "x is below y"

        if decorator is records.dataclass:
            assert vars(Sub)["__frozen__"]
        one = Sub(1)
        assert (one.x, one.y) == (1, 2)
        with pytest.raises(AssertionError, match="x is below y"):
            Sub(3, 2)
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.x = 4


@records.dataclass(frozen=True)
class Kept:
    """A record that can be pickled."""

    x: int


def test_a_record_survives_pickling():
    assert pickle.loads(pickle.dumps(Kept(3))) == Kept(3)
