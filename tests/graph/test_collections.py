"""Python's garbage collector while graphs are built."""

from __future__ import annotations

import gc

import pytest

import palingrad as pg
from palingrad.graph.state import collections
from palingrad.graph.state.collections import rare_collections


@pytest.fixture
def thresholds():
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)


def test_collections_are_rare_only_while_a_program_is_made(thresholds):
    seen = []

    @pg.function(engine="numpy")
    def f(x):
        seen.append(gc.get_threshold())
        return x * 2.0

    f(1.0)
    assert seen[0][0] > thresholds[0]
    assert gc.get_threshold() == thresholds


def test_thresholds_come_back_after_an_error_and_after_nested_use(thresholds):
    def fails():
        with rare_collections():
            with rare_collections():
                pass
            assert gc.get_threshold()[0] > thresholds[0]
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fails()
    assert gc.get_threshold() == thresholds


@pytest.mark.parametrize("own", [(0, 10, 10), (500_000, 5, 5)])
def test_thresholds_of_the_user_stay(thresholds, own):
    gc.set_threshold(*own)
    with rare_collections():
        assert gc.get_threshold() == own
    assert gc.get_threshold() == own
    gc.set_threshold(*thresholds)
    with rare_collections():
        gc.set_threshold(*own)
    assert gc.get_threshold() == own


def test_threads_that_end_at_once_restore_the_thresholds_once(thresholds, monkeypatch):
    """The other one ends where this one has looked whether it is the last."""

    class Interrupted:
        set_threshold = staticmethod(gc.set_threshold)
        ended = False

        def get_threshold(self):
            found = gc.get_threshold()
            if found[:2] == collections._RARE and not self.ended:
                self.ended = True
                with rare_collections():
                    pass
            return found

    with rare_collections():
        monkeypatch.setattr(collections, "gc", Interrupted())
    assert gc.get_threshold() == thresholds
