"""The judge names the process that has died, hangs, or does something else; and nobody else."""

from __future__ import annotations

import pytest

from palingrad.processes.judge import BUSY, Judge


def judge(counts, patience=20.0):
    """A judge of processes with these (count, label), all heard at time 0."""
    found = Judge(patience)
    for index, at in enumerate(counts):
        found.joins(index, f"host{index}, pid {index}", 0.0)
        found.hears(index, {"at": [*at, ""]}, 0.0)
    return found


def hear(found, now, **at):
    for index in found.known:
        message = at.get(f"p{index}", {})
        found.hears(index, message, now)


def test_nobody_is_accused_while_all_are_equal():
    found = judge([(5, "a run")] * 3)
    for now in range(0, 10_000, 10):
        hear(found, float(now))
        assert found.verdict(float(now)) is None


def test_one_that_is_behind_hangs_after_the_patience():
    found = judge([(6, "a run"), (5, "a run"), (6, "a run")])
    hear(found, 20.0)
    assert found.verdict(20.0) is None
    hear(found, 21.0)
    verdict = found.verdict(21.0)
    assert verdict is not None
    assert verdict.startswith("process 1 (host1, pid 1) hangs: process 0 (host0, pid 0) waits")


def test_the_wait_begins_when_the_others_wait():
    found = judge([(5, "a run"), (5, "a run")])
    hear(found, 100.0, p0={"at": [6, "a run", ""]})
    assert found.verdict(100.0) is None
    hear(found, 119.0)
    assert found.verdict(119.0) is None
    hear(found, 121.0)
    assert "process 1" in (found.verdict(121.0) or "")


def test_a_busy_one_has_more_time():
    found = judge([(6, "a run"), (5, "a run")])
    found.hears(1, {"at": [5, "a run", "the report"]}, 0.0)
    for now in range(0, 20 * BUSY, 10):
        hear(found, float(now))
        assert found.verdict(float(now)) is None
    hear(found, 20.0 * BUSY + 1)
    assert "busy with the report" in (found.verdict(20.0 * BUSY + 1) or "")


def test_a_silent_one_is_named_though_nobody_waits():
    found = judge([(5, "a run")] * 3)
    found.hears(0, {}, 25.0)
    found.hears(2, {}, 25.0)
    verdict = found.verdict(25.0) or ""
    assert verdict.startswith("process 1 (host1, pid 1) gave no sign of life for 20 s")
    found.hears(1, {"bye": True}, 25.0)  # one that has ended needn't
    for index in (0, 2):
        found.hears(index, {}, 50.0)
    assert found.verdict(50.0) is None


@pytest.mark.parametrize("label", ["the checkpoint a", "a run"])
def test_processes_at_different_places(label):
    found = judge([(5, "a run"), (5, label)])
    verdict = found.verdict(0.0)
    assert (verdict is None) == (label == "a run")
    assert verdict is None or "process 1 (host1, pid 1) at the checkpoint a" in verdict


def test_one_that_has_ended_while_others_wait():
    found = judge([(5, "a run"), (5, "a run")])
    found.hears(1, {"bye": True}, 1.0)
    assert found.verdict(1.0) is None
    found.hears(0, {"at": [6, "a run", ""]}, 2.0)
    assert "process 1 (host1, pid 1) has ended, but process 0" in (found.verdict(2.0) or "")
