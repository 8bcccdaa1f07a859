"""Processes that compile at once, while the cache on disk is damaged, filled, pruned and removed:
every result is right, and a folder left alone afterwards works again."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

import palingrad as pg
from palingrad.engines.native.runtime import cache
from tolerances import assert_close

ISOLATED = True
SHORT = 4
X = np.linspace(-1, 1, 5, dtype=np.float32)
PROGRAMS = 6  # few, so that processes meet at the same entries


def attempt(seed: int, folder: Path) -> None:
    """Some processes compile while others do harm; afterwards one alone finds order."""
    draw = random.Random(seed)
    os.environ["PALINGRAD_CACHE"] = str(folder)
    entries = folder / "native"
    if draw.random() < 0.7:
        users(folder, [draw.randrange(PROGRAMS) for _ in range(3)])  # something to damage
    harm = draw.choice([damage, fill, prune, remove, kill, nothing])
    print(f"harm: {harm.__name__}")
    working = [
        forked(lambda: users(folder, [draw.randrange(PROGRAMS) for _ in range(6)]), draw.random())
        for _ in range(3)
    ]
    harm(draw, entries, working)
    killed = working if harm is kill else []
    for pid in working:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code == 0 or (pid in killed and code == -signal.SIGKILL), f"ended with {code}"
    for number in range(PROGRAMS):
        use(number)  # writes what is missing or damaged
    for number in range(PROGRAMS):
        said = use(number)
        assert "code from the cache" in said or "(Is a directory)" in said, (
            f"program {number} isn't kept although nobody disturbs: {said}\n{listing(entries)}"
        )
    left = list(entries.glob(".palingrad-*"))
    assert harm is kill or not left, f"unfinished files are left: {left}"


def users(folder: Path, numbers: list[int]) -> None:
    """Compile these programs and run them."""
    for number in numbers:
        use(number)


def use(number: int) -> str:
    """Compile program `number` in a new function, run it, and let it explain itself."""
    f = pg.function(lambda x: pg.tanh(x) * float(number) + x, engine="native")
    assert_close(f(X), np.tanh(X) * np.float32(number) + X)
    return " ".join(f.explain(X).split())


def forked(work: Callable[[], None], seed: float) -> int:
    """The number of a new process that does this work; its exit status is 1 if that fails."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        random.seed(seed)
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


# ---------------------------------------------------------------- harm


def nothing(draw: random.Random, entries: Path, working: list[int]) -> None:
    """No harm: only many processes at once."""


def damage(draw: random.Random, entries: Path, working: list[int]) -> None:
    """Entries are cut, overwritten, exchanged, made unreadable, or replaced by something else."""
    for path in found(draw, entries):
        with contextlib.suppress(OSError):
            spoil(draw, path, found(draw, entries) or [path])


def spoil(draw: random.Random, path: Path, others: list[Path]) -> None:
    """One entry, spoiled in one way."""
    way = draw.randrange(9)
    if way == 0:
        os.truncate(path, draw.randrange(path.stat().st_size))
    elif way == 1:
        with open(path, "r+b") as file:  # a bit, in place: also in what a process is just reading
            file.seek(draw.randrange(path.stat().st_size))
            file.write(bytes([draw.randrange(256)]))
    elif way == 2:
        path.write_bytes(draw.randbytes(draw.randrange(9000)))
    elif way == 3:
        shutil.copyfile(draw.choice(others), path)  # another program's code
    elif way == 4:
        with open(path, "ab") as file:
            file.write(draw.randbytes(100))
    elif way == 5:
        path.chmod(draw.choice([0o000, 0o666, 0o777]))
    else:
        path.unlink()
        make = draw.choice([os.mkdir, os.mkfifo, lambda place: os.symlink("/dev/zero", place)])
        make(path)


def fill(draw: random.Random, entries: Path, working: list[int]) -> None:
    """No space is left: files end after a few bytes; meanwhile results are right nevertheless."""
    entries.mkdir(mode=0o700, exist_ok=True)
    limit = draw.choice([0, 10, 100, 3000])

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        for number in range(PROGRAMS):
            use(number)

    working.append(forked(full, draw.random()))


def prune(draw: random.Random, entries: Path, working: list[int]) -> None:
    """Some processes keep two entries only, and delete what others are about to read."""

    def pruning() -> None:
        cache._MOST = 2
        for _ in range(8):
            use(random.randrange(PROGRAMS))

    working += [forked(pruning, draw.random()) for _ in range(2)]


def remove(draw: random.Random, entries: Path, working: list[int]) -> None:
    """The folder disappears, becomes a file, a link or other people's, again and again."""
    for _ in range(4):
        time.sleep(draw.random() * 0.03)
        with contextlib.suppress(OSError):
            moved = entries.with_name(f"moved-{draw.randrange(1000)}")
            entries.rename(moved)
            way = draw.randrange(4)
            if way == 0:
                entries.write_bytes(b"")
            elif way == 1:
                entries.symlink_to(moved)
            elif way == 2:
                entries.mkdir()
                entries.chmod(0o777)
    time.sleep(0.02)
    with contextlib.suppress(OSError):
        if entries.is_dir() and not entries.is_symlink():
            shutil.rmtree(entries)
        else:
            entries.unlink()
    if entries.is_dir():  # a process has just made it anew
        entries.chmod(0o700)


def kill(draw: random.Random, entries: Path, working: list[int]) -> None:
    """The processes are killed while they compile, write or read."""
    for pid in working:
        time.sleep(draw.random() * 0.03)
        os.kill(pid, signal.SIGKILL)


def found(draw: random.Random, entries: Path) -> list[Path]:
    """The entries, in a drawn order."""
    listed = sorted(entries.glob("palingrad-*.code")) if entries.is_dir() else []
    return draw.sample(listed, len(listed))


def listing(entries: Path) -> str:
    """The files in the folder."""
    if not entries.is_dir():
        return f"{entries} is no folder"
    return ", ".join(f"{path.name} {path.lstat()}" for path in entries.iterdir())
