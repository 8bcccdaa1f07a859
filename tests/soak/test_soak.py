"""A few attempts of every part of the soak; and the harness notices what fails, dies or hangs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from soak.run import PACKAGE, Part, names, run, show


@pytest.mark.parametrize("name", names())
def test_a_few_attempts_of_every_part(name, capfd):
    """The same few each time; `make soak` makes as many as there is time for."""
    (part,) = run([f"{PACKAGE}.{name}"], seed=0)
    assert part.tried
    assert not part.failures, capfd.readouterr().err


# ---------------------------------------------------------------- the harness

BROKEN = '''
"""Fails in one way or another, as the seed says."""
import os, signal, subprocess, sys, time
TIMEOUT = 1.0
CHILD = "import sys, time\\nwhile True: open(sys.argv[1], 'a').write('x'); time.sleep(0.02)"
ISOLATED = {isolated}
def attempt(seed, folder):
    (folder / "file").write_text("x")
    print("seed", seed, "was here")
    if seed == 1:
        assert seed == 0, "one is not zero"
    if seed == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    if seed == 3:
        subprocess.Popen([sys.executable, "-c", CHILD, os.environ["ALIVE"]])
        sleeping_for_ever()
    if seed == 4 and os.fork() == 0:
        raise ValueError("a fork returns")
def sleeping_for_ever():
    time.sleep(1000)
'''


def tried(tmp_path: Path, monkeypatch, text: str, attempts: int) -> Part:
    (tmp_path / "broken.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("ALIVE", str(tmp_path / "alive"))
    (part,) = run(["broken"], seed=0, attempts=attempts)
    return part


@pytest.mark.parametrize("isolated", [False, True])
def test_attempts_that_fail_die_or_hang_are_counted_and_told(
    tmp_path, monkeypatch, capsys, isolated
):
    part = tried(tmp_path, monkeypatch, BROKEN.format(isolated=isolated), 6)
    assert part.tried == 6
    failed, died, hung = part.failures
    assert "AssertionError: one is not zero" in failed
    assert "seed 1 was here" in failed
    assert "signal SIGSEGV" in died
    assert "Fatal Python error: Segmentation fault" in died
    assert "hung: not done after 1 s" in hung
    assert "in sleeping_for_ever" in hung
    written = (tmp_path / "alive").stat().st_size
    time.sleep(0.1)
    assert (tmp_path / "alive").stat().st_size == written > 0  # its child was killed too
    told = capsys.readouterr().err
    assert "To repeat: python -m soak --part broken --seed 1" in told
    assert ("--seed 0 --attempts 2" in told) != isolated
    show([part])
    assert capsys.readouterr().out.split()[:8] == [
        "part", "tried", "failed", "seconds", "broken", "6", "3", f"{part.seconds:.1f}",
    ]  # fmt: skip


def test_a_part_that_cannot_start_has_failed(tmp_path, monkeypatch, capsys):
    part = tried(tmp_path, monkeypatch, "raise ImportError('not today')", 2)
    assert ["ImportError: not today" in failure for failure in part.failures] == [True, True]


def test_time_is_shared(tmp_path, monkeypatch):
    """The slow part gets as much of it as the quick one."""
    for name, seconds in (("quick", 0.01), ("slow", 0.2)):
        text = f"import time\ndef attempt(seed, folder):\n    time.sleep({seconds})\n"
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    quick, slow = run(["quick", "slow"], seed=0, minutes=2 / 60)
    assert quick.tried > 3 * slow.tried > 3
    assert abs(quick.seconds - slow.seconds) < 1.0
