"""Atomic replacement of a file: the one way in which palingrad writes files.

A temporary file `.palingrad-<16 hex digits>.part` in the target's folder is written, flushed to the
disk and renamed. Its writer holds a lock on it, which ends with the process: an unlocked `.part`
file was left by a process that was killed, and the next save into the folder deletes it.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import WriteError, printable

try:
    import fcntl
except ImportError:  # Windows, where a file that is open can't be deleted
    fcntl = None

_POSIX = os.name == "posix"  # elsewhere a folder can't be opened
_PART = re.compile(r"\.palingrad-[0-9a-f]{16}\.part")
_HOUR = 3600.0  # seconds after which a `.part` file counts as left where files can't be locked
# Opening follows no link, and doesn't wait for the other end of a pipe.
_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC if _POSIX else getattr(os, "O_BINARY", 0)
_HINTS = {
    errno.ENOENT: "Create the folder first, or choose another path.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.ENOTDIR: "A part of the path is a file: choose another path.",
    errno.EEXIST: "A file stands where a folder is needed: choose another path.",
    errno.EISDIR: "Name a file in that folder.",
    errno.EFBIG: "The limit for the size of files (ulimit -f) is smaller than the file.",
    **dict.fromkeys(
        (errno.ENOSPC, errno.EDQUOT), "Free some space, or choose a folder on another disk."
    ),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS), "Check the permissions, or choose another folder."
    ),
}


def write_atomically(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write `content` to `path` atomically: a reader sees the old or the new content, never a part.

    A replaced file keeps its permissions, a link stays a link, and text is encoded as UTF-8, with
    U+FFFD for a lone surrogate. A device or a pipe is written to directly. On any exception the
    temporary file is removed. Raises WriteError, after which the old file is intact.
    """
    data = _encoded(content) if isinstance(content, str) else content
    with explained(path):
        target, mode = _target(os.fspath(path))
        if mode is not None and not stat.S_ISREG(mode):
            with open(target, "wb") as file:
                file.write(data)
            return
        folder, name = os.path.split(target)
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC) if _POSIX else None
        try:
            put(Path(folder), descriptor, name, data, mode=mode)
        finally:
            if descriptor is not None:
                os.close(descriptor)


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a character, such as from a file name that isn't text
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def make_folder(path: Path) -> None:
    """Create a folder and those above it, unless they exist. Raises WriteError."""
    with explained(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def explained(path: str | os.PathLike[str]) -> Generator[None]:
    """Convert the exceptions of writing to `path` to a WriteError that says what to do."""
    try:
        yield
    except WriteError:
        raise
    except (OSError, ValueError) as error:
        raise write_error(path, error) from error


def write_error(path: str | os.PathLike[str], error: OSError | ValueError) -> WriteError:
    """The WriteError for an exception of writing to `path`.

    A ValueError comes from a path that no file system can have: with a NUL, or with characters
    that its encoding lacks.
    """
    number = getattr(error, "errno", None)
    if isinstance(error, OSError):
        reason, hint = error.strerror or str(error), _HINTS.get(number or 0, "")
    else:
        reason, hint = "no file can have this name", "Choose another name."
    converted = WriteError(f"{path_text(path)} can't be written: {reason}.", hint=hint)
    converted.errno = number
    return converted


def path_text(path: str | os.PathLike[str]) -> str:
    """A path as a message shows it."""
    return printable(str(path), 400)


def _target(path: str) -> tuple[str, int | None]:
    """The absolute path of the file to write, behind links, and its mode, None if there is none.

    Raises OSError for a folder, and for a file that may not be written to.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        return path, mode  # a device such as /dev/stdout: its links lead to no name
    if path.endswith(os.sep) or (mode is not None and stat.S_ISDIR(mode)):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if mode is not None and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return os.path.realpath(path), mode


def put(
    folder: Path,
    descriptor: int | None,
    name: str,
    content: bytes,
    *,
    mode: int | None = None,
    durable: bool = True,
    sweeps: bool = True,
) -> None:
    """Write the file `name` into a folder, which is open as `descriptor` (None: not POSIX).

    `mode` is the mode of the file, by default that of any new file. `durable` flushes to the
    disk, so that the content outlives a crash of the computer. `sweeps` deletes temporary files
    that other processes have left, for which the folder is listed. Raises OSError.
    """
    at = _Within(folder, descriptor)
    for part in at.parts() if sweeps else ():
        at.delete_if_left(part)
    new = f".palingrad-{os.urandom(8).hex()}.part"
    try:
        with at.created(new, mode) as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
            if _POSIX:
                at.rename(new, name)  # while the lock is held
        if not _POSIX:
            at.rename(new, name)
    except BaseException:  # including KeyboardInterrupt
        with suppress(OSError):
            at.delete(new)
        raise
    if durable and descriptor is not None:  # the rename is durable once the folder is flushed
        with suppress(OSError):  # not all file systems support it; the file itself is safe
            os.fsync(descriptor)


class _Within:
    """The operations on files of one folder, relative to its descriptor if it has one: renaming
    the folder or replacing it by a link has no effect on them."""

    def __init__(self, folder: Path, descriptor: int | None) -> None:
        self._folder, self._descriptor = folder, descriptor

    def parts(self) -> list[str]:
        """The names of palingrad's temporary files."""
        folder = self._folder if self._descriptor is None else self._descriptor
        try:
            return [name for name in os.listdir(folder) if _PART.fullmatch(name)]
        except OSError:  # a folder that may be written to but not read
            return []

    def created(self, name: str, mode: int | None) -> Any:
        """A new file, locked and opened for writing, with this mode or that of any new file."""
        allowed = 0o666 if mode is None else stat.S_IMODE(mode)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        while True:
            file = open(name, "wb", opener=lambda at, _: self._opened(at, flags, allowed))
            if mode is not None and _POSIX:
                os.fchmod(file.fileno(), allowed)  # whatever the umask is
            if not _locked(file.fileno(), wait=True) or os.fstat(file.fileno()).st_nlink:
                return file
            file.close()  # another save deleted it before it was locked

    def delete_if_left(self, name: str) -> None:
        """Delete a temporary file that no process is writing any more."""
        with suppress(OSError):
            if fcntl is None:
                if _old(os.stat(self._at(name), dir_fd=self._descriptor)):
                    self.delete(name)
                return
            with open(name, "rb", opener=lambda at, _: self._opened(at, os.O_RDONLY)) as file:
                status, locked = os.fstat(file.fileno()), _locked(file.fileno())
                left = _old(status) if locked is None else locked
                if left and stat.S_ISREG(status.st_mode):
                    self.delete(name)  # while it is locked

    def rename(self, old: str, new: str) -> None:
        """Give a file the name `new`; a file that has it is replaced."""
        folder = self._descriptor
        os.replace(self._at(old), self._at(new), src_dir_fd=folder, dst_dir_fd=folder)

    def delete(self, name: str) -> None:
        """Delete a file."""
        os.unlink(self._at(name), dir_fd=self._descriptor)

    def _opened(self, name: str, flags: int, mode: int = 0) -> int:
        return os.open(self._at(name), flags | _SAFELY, mode, dir_fd=self._descriptor)

    def _at(self, name: str) -> str:
        return name if self._descriptor is not None else str(self._folder / name)


def _old(status: os.stat_result) -> bool:
    return time.time() - status.st_mtime > _HOUR


def _locked(descriptor: int, *, wait: bool = False) -> bool | None:
    """Lock an open file until it is closed: True if it is locked, False if another process holds
    the lock, None where the system or the file system can't lock."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
