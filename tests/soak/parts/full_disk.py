"""A disk that fills in the middle of a write: a WriteError, the old file whole, no litter."""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import palingrad as pg
from palingrad.errors import PalingradError, WriteError
from palingrad.io import save_checkpoint

ISOLATED = True  # limits the files of its process, and mounts
SHORT = 6
ROOM = 1024  # kB of a small disk


def attempt(seed: int, folder: Path) -> None:
    """Save, fill the disk, save again, make room, save again."""
    rng = random.Random(seed)
    name = rng.choice(list(WRITERS))
    write = WRITERS[name]
    (folder / "reference").mkdir()
    write(folder / "reference", 2.0)
    new = _contents(folder / "reference")
    with _small_disk(folder / "disk") if seed % 3 == 0 else _plain(folder / "disk") as mounted:
        place = folder / "disk"
        (place / "out").mkdir()
        write(place / "out", 1.0)
        old = _contents(place / "out")
        with _filled(place, old, rng) if mounted else _limited(old, rng):
            error = _failure(lambda: write(place / "out", 2.0))
        now = _contents(place / "out")
        assert now.keys() == old.keys(), f"{name}: there are {now.keys()} after {error!r}"
        if error is None:
            assert now == new, f"{name}: there is no error, but what is saved is not whole"
        else:
            _check(name, error)
            assert now != new, f"{name}: {error!r}, but everything is saved"
            whole = all(now[file] in (old[file], new[file]) for file in now)
            assert whole, f"{name}: after {error!r} a file is neither the old nor the new one"
        write(place / "out", 2.0)
        assert _contents(place / "out") == new, f"{name}: once there is room, another content"


def _failure(write: Callable[[], None]) -> PalingradError | None:
    try:
        write()
    except PalingradError as error:
        return error
    return None


def _check(name: str, error: PalingradError) -> None:
    full = isinstance(error, WriteError) or isinstance(error.__cause__, WriteError)
    assert full, f"{name}: {error!r} has no WriteError as its cause"
    told = "No space left on device" in str(error) or "File too large" in str(error)
    assert told, f"{name}: {error}"


def _contents(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir()}


# ---------------------------------------------------------------- disks


@contextmanager
def _plain(place: Path) -> Iterator[bool]:
    place.mkdir()
    yield False


@contextmanager
def _small_disk(place: Path) -> Iterator[bool]:
    """A folder on a small disk of its own, where the system lets us mount one."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}k", "none", str(place)]
    mounted = shutil.which("mount") and subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield bool(mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def _filled(place: Path, old: dict[str, bytes], rng: random.Random) -> Iterator[None]:
    """Within, the disk has room for less than what is there already."""
    disk = os.statvfs(place)
    free = disk.f_bavail * disk.f_frsize
    left = rng.randrange(sum(map(len, old.values())))
    (place / "filler").write_bytes(bytes(max(free - left, 0)))
    try:
        yield
    finally:
        (place / "filler").unlink()


@contextmanager
def _limited(old: dict[str, bytes], rng: random.Random) -> Iterator[None]:
    """Within, a file can't be as long as the longest one that is there."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = rng.randrange(max(map(len, old.values())))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# ---------------------------------------------------------------- writers


def _checkpoint(folder: Path, number: float) -> None:
    save_checkpoint(folder, {"w": np.full(8000, number, np.float32)}, meta={"number": number})


def _tape(folder: Path, number: float) -> None:
    with pg.record() as tape:
        pg.exp(pg.Variable(np.full(3000, number / 4)))
    tape.save(folder / "tape")


def _drawing(form: str) -> Callable[[Path, float], None]:
    def draw(folder: Path, number: float) -> None:
        pg.view.draw(pg.sigmoid(pg.Variable(number, name="a")), folder / f"graph.{form}")

    return draw


def _page(folder: Path, number: float) -> None:
    pg.view(pg.sigmoid(pg.Variable(number, name="a")), folder / "page.html", open=False, time=False)


def _source(folder: Path, number: float) -> None:
    w = pg.Variable(np.full(9000, number, np.float32), name="w")
    pg.source(w * 2.0, inline=10).save(folder / "module.py")


def _recording(folder: Path, number: float) -> None:
    pg.set_seed(0)
    model = pg.nn.Linear(3, 2)
    inputs = np.full((8, 3), number, np.float32)
    watched = pg.view.Recording(folder / "steps.html", every=1)
    pg.train.fit(
        model,
        (inputs, np.zeros(8, int)),
        optimizer=pg.optim.GradientDescent(0.1),
        batch_size=4,
        epochs=1,
        record=watched,
        engine="numpy",
    )


WRITERS = {
    "checkpoint": _checkpoint,
    "tape": _tape,
    "svg": _drawing("svg"),
    "png": _drawing("png"),
    "pdf": _drawing("pdf"),
    "page": _page,
    "source": _source,
    "recording": _recording,
}
