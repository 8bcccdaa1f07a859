"""Atomic replacement of a file."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically: a reader sees the old or the new content, never a part.

    The bytes are written to a temporary file in the same folder and flushed to the disk; the file
    is then renamed to `path`. On any exception the temporary file is removed; only a crash of the
    computer may leave it. Raises OSError.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:  # including KeyboardInterrupt
        with suppress(OSError):
            temporary.unlink()
        raise
    if os.name == "posix":  # the rename is durable only once the folder is flushed
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            with suppress(OSError):  # not all file systems support it; the file itself is safe
                os.fsync(folder)
        finally:
            os.close(folder)
