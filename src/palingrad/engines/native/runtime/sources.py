"""A digest of the package's sources, on which all machine code depends.

Reading them takes longer than all else that a Program from the cache needs. So the digest is kept
on disk, by a key of the state of every file: its inode, size and times. Each change of a file sets
the time of its last change, which no program can choose. As in Git's index, a state that is only
seconds old isn't kept, because another change might fall within the resolution of that time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Generator, Iterator

from ....graph.context import PACKAGE
from ....version import LOADED
from . import cache
from .bytecode import is_outdated

# Parts of the package above the engines, on whose sources no machine code depends.
ABOVE = ("data", "io", "nn", "optim", "train", "view")

_POSIX = os.name == "posix"  # elsewhere the time of a file's last change can be set
_RACE = 2.0  # seconds: no file system's times are coarser
_MOST = 64  # digests on disk; beyond that the oldest are deleted


def sources_digest() -> bytes:
    """The digest of all sources, with their names. Raises Unkept if they aren't there or can't be
    read, or if one has changed since the package was loaded."""
    with _readable():
        return _kept_digest(dict(sorted(_statuses())))


def _kept_digest(statuses: dict[str, os.stat_result]) -> bytes:
    if not statuses:
        raise cache.Unkept("palingrad's sources aren't there")
    for path, status in statuses.items():
        _check_loaded(path, status)
    newest = max(max(one.st_mtime, one.st_ctime) for one in statuses.values())
    if not _POSIX or time.time() - newest < _RACE:
        return _digest(statuses)
    key = _key(statuses)
    with contextlib.suppress(cache.Unkept):  # the folder can't be used: then all is read
        place = cache.folder("sources")
        if place is not None:
            with cache.opened(place, create=True) as entries:
                found = entries.read(key)
                if found is None:
                    entries.write(key, found := _digest(statuses), most=_MOST)
                return found
    return _digest(statuses)


def source(path: str) -> bytes:
    """The content of a source. Raises Unkept if it can't be read, has changed since the package was
    loaded, or isn't what Python runs."""
    # A buffer takes longer than the file.
    with _readable(), open(path, "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        _check_loaded(path, status)
        content = file.read()
    if is_outdated(path, status, content):
        raise cache.Unkept(f"Python runs an older version of {path}: touch it")
    return content


@contextlib.contextmanager
def _readable() -> Generator[None]:
    """Raises Unkept for a file that can't be read: it was deleted, or the package is in an
    archive."""
    try:
        yield
    except OSError as error:
        raise cache.Unkept(f"{error.filename} can't be read ({error.strerror})") from error


def _check_loaded(path: str, status: os.stat_result) -> None:
    if status.st_mtime > LOADED or status.st_ctime > LOADED:
        raise cache.Unkept(f"{path} has changed since palingrad was loaded")


def _statuses() -> Iterator[tuple[str, os.stat_result]]:
    """(path, status) of each source. Links to folders are followed, as by imports, but once. Hidden
    files are no modules: editors keep locks there, which are links to nothing."""
    places, followed = [PACKAGE], {os.path.realpath(PACKAGE)}
    while places:
        place = places.pop()
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.name.endswith(".py"):
                    yield entry.path, entry.stat()
                elif entry.name != "__pycache__" and entry.is_dir():
                    if place == PACKAGE and entry.name in ABOVE:
                        continue
                    if entry.is_symlink():
                        if (target := os.path.realpath(entry.path)) in followed:
                            continue
                        followed.add(target)
                    places.append(entry.path)


def _key(statuses: dict[str, os.stat_result]) -> str:
    states = [
        (path, one.st_dev, one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns)
        for path, one in statuses.items()
    ]
    python = sys.implementation.cache_tag  # of the bytecode that was compared
    return hashlib.sha256(repr((python, states)).encode(errors="surrogateescape")).hexdigest()


def _digest(statuses: dict[str, os.stat_result]) -> bytes:
    """The digest. `source` refuses a file that has changed since its status was read."""
    digest = hashlib.sha256()
    for path in statuses:
        content = source(path)
        name = path[len(PACKAGE) :].encode(errors="surrogateescape")
        digest.update(b"%s %d\n" % (name, len(content)))
        digest.update(content)
    return digest.digest()
