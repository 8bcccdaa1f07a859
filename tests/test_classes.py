"""The library's NamedTuple is that of `typing`."""

import copy
import pickle
import typing

import pytest

from palingrad import classes
from palingrad.graph.describe.notation import ATOM, Piece


class Point(classes.NamedTuple):
    x: float
    y: float = 0.0


class Expected(typing.NamedTuple):
    x: float
    y: float = 0.0


@pytest.mark.parametrize("values", [((1.0,), {}), ((1.0, 2.0), {}), ((), {"y": 2.0, "x": 1.0})])
def test_a_named_tuple_is_that_of_typing(values):
    given, named = values
    found, expected = Point(*given, **named), Expected(*given, **named)
    assert found == expected
    assert hash(found) == hash(expected)
    assert repr(found) == repr(expected).replace("Expected", "Point")
    assert (found.x, found.y, *found) == (expected.x, expected.y, *expected)
    assert found._replace(y=3.0) == expected._replace(y=3.0)
    assert found._asdict() == expected._asdict()
    assert Point._fields == Expected._fields
    assert Point._field_defaults == Expected._field_defaults
    for same in (copy.copy(found), copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert (type(same), same) == (Point, found)
    with pytest.raises(AttributeError):
        typing.cast(typing.Any, found).x = 2.0
    match found:
        case Point(x, y):
            assert (x, y) == expected
        case _:
            pytest.fail("no match")


@pytest.mark.parametrize(
    ("given", "named"),
    [((), {}), ((1, 2, 3), {}), ((1,), {"x": 2}), ((1,), {"z": 2}), ((1, 2), {"z": 2})],
)
def test_values_that_do_not_fit_are_refused(given, named):
    for kind in (Point, Expected):
        with pytest.raises(TypeError):
            kind(*given, **named)


def test_its_methods_and_defaults_stay():
    assert Piece("-x", level=ATOM).signed()[1] == Piece("-x")
    assert Piece("x").level == ATOM
