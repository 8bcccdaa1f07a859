"""The cache on disk: compiled machine code, kept in the user's own folder.

Loaded code is executed, so the cache accepts nothing that another user could have written: folder
and entry belong to this user, are writable by this user only, and an entry is no symbolic link.
Both are opened first and checked by descriptor, so that they can't be exchanged in between. An
entry begins with a magic string and a checksum over its key and its code; a damaged, truncated or
renamed entry is compiled again. Entries are written atomically, so processes may share the folder.
Only files with both the name and the magic string of an entry are deleted.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

from ....files.atomic import put

_VARIABLE = "PALINGRAD_CACHE"
_MOST = 2048  # entries; beyond that the oldest are deleted
_MARK = b"palingrad machine code 2\n"
_SUM = len(_MARK) + 32  # bytes in front of the code: the magic string and the checksum
_ENTRY = re.compile(r"palingrad-[0-9a-f]{64}\.code")
_POSIX = os.name == "posix"  # elsewhere files have no owner and mode, and folders no descriptor


class Unkept(Exception):
    """The reason why machine code isn't kept on disk, in words."""


class Obtained(NamedTuple):
    """Machine code; whether it came from disk; why it isn't kept there, "" if it is; its key, "" if
    it isn't."""

    code: bytes
    found: bool = False
    unkept: str = ""
    key: str = ""


def folder(kind: str = "native") -> Path | None:
    """The folder of entries: in PALINGRAD_CACHE, or the user's cache; None if that is 'off'. `kind`
    is its name: of Programs, or of kernels.

    Raises Unkept if the user has no home folder.
    """
    named = os.environ.get(_VARIABLE)
    if named is not None:
        return None if named in ("", "off") else Path(os.path.expanduser(named)) / kind
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if root.startswith("~"):
        raise Unkept("there is no home folder")
    return Path(root) / "palingrad" / kind


def obtained(key: Callable[[], str], make: Callable[[], bytes]) -> Obtained:
    """The code of this key from disk; if there is none, the code that `make` returns, which is
    written to disk if possible. `key` may raise Unkept."""
    try:
        place = folder()
        if place is None:
            return Obtained(make())
        name = key()
        with opened(place, create=True) as entries:
            code = entries.read(name)
            if code is not None:
                return Obtained(code, found=True, key=name)
    except Unkept as reason:
        return Obtained(make(), unkept=str(reason))
    code = make()
    try:
        with opened(place, create=True) as entries:
            entries.write(name, code)
    except Unkept as reason:
        return Obtained(code, unkept=str(reason))
    return Obtained(code, key=name)


def recalled(name: str, code_key: Callable[[bytes], str]) -> tuple[bytes, bytes] | None:
    """The content of entry `name`, and the code whose key is in it; None unless both are there."""
    with contextlib.suppress(Unkept):
        place = folder()
        if place is not None and not _can_be_made(place):
            with opened(place, create=False) as entries:
                content = entries.read(name)
                code = None if content is None else entries.read(code_key(content))
                return None if content is None or code is None else (content, code)
    return None


def keep(name: str, content: bytes) -> None:
    """Writes an entry, if the folder can be written to."""
    with contextlib.suppress(Unkept):
        place = folder()
        if place is not None:
            with opened(place, create=True) as entries:
                entries.write(name, content)


def described() -> str:
    """The cache's state, in words."""
    counts: list[str] = []
    size = 0
    for kind, what in (("native", "of programs"), ("kernels", "of kernels")):
        try:
            place = folder(kind)
            if place is None:
                return "off"
            sizes: list[int] = []
            if not _can_be_made(place):  # else the first compilation makes it
                with opened(place, create=False) as entries:
                    sizes = [status.st_size for status in entries.statuses(_ENTRY).values()]
        except Unkept as reason:
            return f"nothing is kept: {reason}"
        counts.append(f"{len(sizes)} {what}")
        size += sum(sizes)
    return f"entries: {', '.join(counts)}, {size / 1e6:.1f} MB in {place.parent}"


def _can_be_made(place: Path) -> bool:
    """Whether a folder isn't there, and the nearest folder above it can be written to."""
    if os.path.lexists(place):
        return False
    above = next(folder for folder in place.absolute().parents if os.path.lexists(folder))
    return above.is_dir() and os.access(above, os.W_OK | os.X_OK)


def packed(key: str, code: bytes) -> bytes:
    """The content of an entry."""
    return _MARK + _checksum(key, code) + code


def unpacked(key: str, content: bytes) -> bytes | None:
    """The code in an entry, None if the entry is damaged or has another key."""
    code = content[_SUM:]
    return code if content[:_SUM] == _MARK + _checksum(key, code) else None


def _checksum(key: str, code: bytes) -> bytes:
    return hashlib.sha256(key.encode() + code).digest()


# ---------------------------------------------------------------- the folder


class Folder:
    """The open folder of entries: files are opened relative to its descriptor, so renaming the
    folder or replacing it by a link has no effect."""

    def __init__(self, place: Path, descriptor: int | None) -> None:
        self._place, self._descriptor = place, descriptor

    def read(self, key: str) -> bytes | None:
        """The code of this key, None if there is no trusted entry."""
        try:
            content = self._content(_entry_name(key))
        except OSError:
            return None
        return None if content is None else unpacked(key, content)

    def write(self, key: str, code: bytes, *, tidies: bool = True, most: int = 0) -> None:
        """Writes an entry; with `tidies` deletes what other processes have left, and the oldest
        entries beyond `most`, by default 2048. Raises Unkept where it can't be written."""
        try:
            name, content = _entry_name(key), packed(key, code)
            # A crash of the computer may damage an entry: then its checksum differs.
            put(
                self._place, self._descriptor, name, content,
                mode=0o600, durable=False, sweeps=tidies,
            )  # fmt: skip
            if tidies:
                self._prune(most or _MOST)
        except OSError as error:
            raise Unkept(f"{self._place} can't be written to ({error.strerror})") from error

    def names(self, form: re.Pattern[str]) -> list[str]:
        """The files whose names are of this form."""
        listed = os.listdir(self._place if self._descriptor is None else self._descriptor)
        return [name for name in listed if form.fullmatch(name)]

    def statuses(self, form: re.Pattern[str]) -> dict[str, os.stat_result]:
        """The status of each file whose name is of this form; of a link itself."""
        found: dict[str, os.stat_result] = {}
        for name in self.names(form):
            with contextlib.suppress(FileNotFoundError):  # another process has just deleted it
                found[name] = os.stat(
                    self._at(name), dir_fd=self._descriptor, follow_symlinks=False
                )
        return found

    def _prune(self, most: int) -> None:
        """Deletes the oldest entries beyond this number."""
        entries = self.names(_ENTRY)
        oldest: list[str] = []
        if len(entries) > most:  # deletes an eighth, so that most writes read no file's age
            ages = {name: status.st_mtime for name, status in self.statuses(_ENTRY).items()}
            oldest = sorted(ages, key=lambda name: ages[name])[: len(entries) - most * 7 // 8]
        for name in oldest:
            with contextlib.suppress(OSError):
                content = self._content(name, len(_MARK))
                if content is not None and content == _MARK[: len(content)]:
                    os.unlink(self._at(name), dir_fd=self._descriptor)

    def _content(self, name: str, size: int = -1) -> bytes | None:
        """The file's content, None if another user can have written it or it is no regular file."""
        with open(self._open(name, os.O_RDONLY | _SAFELY), "rb") as file:
            status = os.fstat(file.fileno())
            trusted = stat.S_ISREG(status.st_mode) and not _distrust(status)
            return file.read(size) if trusted else None

    def _open(self, name: str, flags: int) -> int:
        return os.open(self._at(name), flags, 0o600, dir_fd=self._descriptor)

    def _at(self, name: str) -> str:
        return name if self._descriptor is not None else str(self._place / name)


# Opening does not follow a link, and does not block on a pipe or a device.
_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC if _POSIX else getattr(os, "O_BINARY", 0)


def _entry_name(key: str) -> str:
    return f"palingrad-{key}.code"


@contextlib.contextmanager
def opened(place: Path, *, create: bool) -> Generator[Folder]:
    """The folder, opened. Raises Unkept if it can't be opened or another user may write to it."""
    with contextlib.ExitStack() as stack:
        descriptor = None
        try:
            if create:
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
            statuses = [os.lstat(place)]  # a link to the folder must be the user's own as well
            if _POSIX:
                descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                stack.callback(os.close, descriptor)
                statuses.append(os.fstat(descriptor))
        except OSError as error:
            raise Unkept(f"{place} can't be opened ({error.strerror})") from error
        for distrust in filter(None, map(_distrust, statuses)):
            raise Unkept(f"{place} {distrust}")
        yield Folder(place, descriptor)


def _distrust(status: os.stat_result) -> str:
    """Why another user could have written the file or folder, "" if none could."""
    if not _POSIX:
        return ""
    if status.st_uid != os.geteuid():
        return "belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not stat.S_ISLNK(status.st_mode):
        return "can be written to by other users: run chmod go-w on it"
    return ""
