"""Processes are killed while they save checkpoints, tapes, pages, drawings: files are whole."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import palingrad as pg
from palingrad.io import load_checkpoint, save_checkpoint
from palingrad.view.page.show import Page

ISOLATED = True  # forks
SHORT = 4
PART = re.compile(r"\.palingrad-[0-9a-f]{16}\.part")


def attempt(seed: int, folder: Path) -> None:
    """Kill one of two processes that save side by side; then save, and look at what is there."""
    rng = random.Random(seed)
    name = rng.choice(list(SAVERS))
    save, number_in = SAVERS[name]
    size = rng.choice((1, 1000, 300_000))  # elements
    save(folder, 0, size)
    files = sorted(os.listdir(folder))
    reader, writer = os.pipe()
    killed = _saving(lambda count: save(folder, count, size), writer)
    beside = folder / "beside"
    beside.mkdir()
    survivor = _saving(lambda count: SAVERS["checkpoint"][0](beside, count, 1000), writer)
    other = _saving(lambda count: save(folder, 1000 + count, size), writer)
    os.close(writer)
    time.sleep(rng.uniform(0.01, 0.4))
    os.kill(killed, signal.SIGKILL)
    os.waitpid(killed, 0)
    for pid in (survivor, other):
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), f"{name}: a process saving beside ended"
    time.sleep(rng.uniform(0.0, 0.05))
    for pid in (survivor, other):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    with os.fdopen(reader, "rb") as pipe:
        faults = pipe.read().decode()
    assert not faults, f"{name}: a save failed beside others: {faults}"
    number = number_in(folder, size)
    assert 0 <= number < 3000, f"{name}: what was loaded is of save {number}"
    left = [file for file in os.listdir(folder) if PART.fullmatch(file)]
    assert len(left) <= 2, f"{name}: two processes were killed in it and left {left}"
    save(folder, 5000, size)
    assert number_in(folder, size) == 5000
    found = sorted(set(os.listdir(folder)) - {"beside"})
    assert found == files, f"{name}: after the next save there are {found}"


def _saving(save: Callable[[int], object], faults: int) -> int:
    """The id of a process that saves until it is killed; a failure is written to `faults`."""
    pid = os.fork()
    if pid == 0:
        try:
            for count in range(1, 1000):
                save(count)
            time.sleep(60)
        except BaseException as error:
            os.write(faults, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(1)
    return pid


# ---------------------------------------------------------------- savers, and their readers


def _save_checkpoint(folder: Path, count: int, size: int) -> None:
    arrays = {"a": np.full(size, count, np.float32), "b": np.full(3, count)}
    save_checkpoint(folder, arrays, meta={"count": count})


def _checkpoint(folder: Path, size: int) -> int:
    checkpoint = load_checkpoint(folder)
    count = checkpoint.meta["count"]
    assert checkpoint.arrays["a"].shape == (size,)
    assert all(np.all(array == count) for array in checkpoint.arrays.values())
    return count


def _save_tape(folder: Path, count: int, size: int) -> None:
    with pg.record() as tape:
        pg.square(pg.Variable(np.full(size, count, np.float64), name="w"), name="y")
    tape.save(folder / "tape")


def _tape(folder: Path, size: int) -> int:
    tape = pg.load_tape(folder / "tape")
    w, y = tape.value("w"), tape.value("y")
    assert np.array_equal(w * w, y)
    return int(w[-1])


def _save_page(folder: Path, count: int, size: int) -> None:
    Page(f"<!--{count}-->{'x' * size}<!--{count}-->").save(folder / "page.html")


def _page(folder: Path, size: int) -> int:
    text = (folder / "page.html").read_text()
    marks = re.fullmatch(r"<!--(\d+)-->x+<!--(\d+)-->", text)
    assert marks is not None, f"a page of {len(text)} characters is not whole"
    assert marks[1] == marks[2]
    return int(marks[1])


def _save_drawing(folder: Path, count: int, size: int) -> None:
    pg.view.draw(pg.Variable(1.0, name=f"first {count}") * 2.0, folder / "graph.svg")


def _drawing(folder: Path, size: int) -> int:
    text = (folder / "graph.svg").read_text()
    assert text.endswith("</svg>\n")
    return int(re.findall(r">first (\d+)<", text)[0])


SAVERS = {
    "checkpoint": (_save_checkpoint, _checkpoint),
    "tape": (_save_tape, _tape),
    "page": (_save_page, _page),
    "drawing": (_save_drawing, _drawing),
}
