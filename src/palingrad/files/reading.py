"""Reading files that may be anything: every fault is an OSError or a ValueError with its reason."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

# Opening a pipe doesn't wait for its other end.
_FLAGS = os.O_RDONLY | (
    os.O_NONBLOCK | os.O_CLOEXEC if os.name == "posix" else getattr(os, "O_BINARY", 0)
)


def read_file(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a regular file.

    Raises OSError, whose `strerror` is the reason: there is no such file, it is a folder, a device
    or a pipe, which may never end, or it doesn't fit into memory.
    """
    try:
        with open(path, "rb", opener=lambda name, _: os.open(name, _FLAGS)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(errno.EINVAL, "it is a device or a pipe, not a file")
            return file.read()
    except ValueError as error:  # a NUL, or characters that the file system's encoding lacks
        raise OSError(errno.EINVAL, "no file can have this name") from error
    except MemoryError as error:
        raise OSError(errno.ENOMEM, "it doesn't fit into memory") from error


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError, also for a text that is nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("its JSON is nested too deeply") from error
    except MemoryError as error:
        raise ValueError("its JSON doesn't fit into memory") from error


def beside(path: Path, suffix: str = "") -> list[str]:
    """The names with this suffix in the folder of a path that may not exist."""
    try:
        return [name for name in os.listdir(path.parent) if name.endswith(suffix)]
    except (OSError, ValueError):
        return []
