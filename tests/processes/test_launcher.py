"""The launcher numbers processes and their output, passes signals on, and ends all with one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from palingrad.cli import app
from palingrad.errors import ProcessError
from palingrad.processes import launcher
from palingrad.processes.launcher import Launch, environment

_SHOW = """
import os, sys
index = int(os.environ["PALINGRAD_INDEX"])
print("I am", index, "of", os.environ["PALINGRAD_PROCESSES"], os.environ["XLA_FLAGS"])
print("half a line", file=sys.stderr, end="")
"""
_FAIL = """
import os, sys, time
if os.environ["PALINGRAD_INDEX"] == "1":
    sys.exit(7)
time.sleep(60)
"""
_SIGNALS = """
import os, signal, sys, time
def handler(number, frame):
    print("got", number, flush=True)
    sys.exit(0)
signal.signal(signal.SIGINT, handler)
print("ready", flush=True)
time.sleep(60)
"""
_LAUNCH = "import sys; from palingrad.processes.launcher import Launch; " \
    "sys.exit(Launch([sys.executable, '-c', sys.argv[1]], int(sys.argv[2])).run())"  # fmt: skip


def python(text):
    return [sys.executable, "-c", text]


def test_each_process_knows_who_it_is_and_its_lines_say_so(capsys, monkeypatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)  # which other tests set
    assert Launch(python(_SHOW), 3, 2).run() == 0
    told = capsys.readouterr()
    wanted = [f"[{k}] I am {k} of 3 --xla_force_host_platform_device_count=2" for k in range(3)]
    assert sorted(told.out.splitlines()) == wanted
    assert sorted(told.err.splitlines()) == [f"[{k}] half a line" for k in range(3)]


def test_the_first_failure_is_the_status_and_ends_the_others(capsys, monkeypatch):
    monkeypatch.setattr(launcher, "_ENDING", 0.2)
    start = time.monotonic()
    assert Launch(python(_FAIL), 3).run() == 7
    assert time.monotonic() - start < 10
    told = capsys.readouterr().err
    assert "launch: process 1 (pid " in told
    assert "ended with status 7" in told
    assert "launch: ends process 0, process 2, which didn't end by itself" in told


def test_a_process_that_is_killed_is_named(capsys, monkeypatch):
    monkeypatch.setattr(launcher, "_ENDING", 0.1)
    text = "import os, time; os.environ['PALINGRAD_INDEX'] == '0' and os.kill(os.getpid(), 9); " \
        "time.sleep(60)"  # fmt: skip
    assert Launch(python(text), 2).run() == 128 + 9
    assert "was ended by SIGKILL" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_all_processes_once(number):
    script = _SIGNALS.replace("SIGINT", signal.Signals(number).name)
    with subprocess.Popen([*python(_LAUNCH), script, "2"], stdout=subprocess.PIPE, text=True,
                          start_new_session=True) as started:  # fmt: skip
        assert started.stdout is not None
        lines = [started.stdout.readline() for _ in range(2)]
        os.killpg(started.pid, number)  # as a terminal does: to its whole group
        lines += started.stdout.readlines()
        assert started.wait(20) == 0
    assert sorted(lines) == sorted(
        f"[{k}] {x}\n" for k in (0, 1) for x in ("ready", f"got {number:d}")
    )


def test_a_command_that_does_not_exist():
    with pytest.raises(ProcessError, match=r"can't be started: No such file.*after --"):
        Launch(["no-such-command-here"], 2)


def test_the_environment_keeps_other_flags():
    base = {"XLA_FLAGS": "--a=1 --xla_force_host_platform_device_count=8", "HOME": "/h"}
    found = environment(base, 2, 4, 99, 3)
    assert found["XLA_FLAGS"] == "--a=1 --xla_force_host_platform_device_count=3"
    assert found["PALINGRAD_ADDRESS"] == "127.0.0.1:99"
    assert found["JAX_LOCAL_DEVICE_IDS"] == "6,7,8"
    assert found["HOME"] == "/h"


def test_the_command(capfd):
    command = ["launch", "-n", "2", "--", *python("import os; print(os.environ['XLA_FLAGS'])")]
    with pytest.raises(SystemExit) as ended:
        app(command)
    assert ended.value.code == 0
    told = sorted(capfd.readouterr().out.splitlines())
    assert [line[:4] for line in told] == ["[0] ", "[1] "]
    assert all(line.endswith("device_count=1") for line in told)
