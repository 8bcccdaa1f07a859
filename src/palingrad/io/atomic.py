"""A file that is written whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` under `path`, so that at any time it holds the old or the new, never a part.

    The bytes go to a temporary file in the same folder, down to the disk, and the file is then
    renamed to `path`. Whatever interrupts, the temporary file is removed; only a crash of the
    computer may leave it. Raises OSError.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:  # Ctrl-C, too, must leave no litter
        with suppress(OSError):
            temporary.unlink()
        raise
    if os.name == "posix":  # the rename itself lasts once the folder is on the disk
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            with suppress(OSError):  # some file systems can't, and the file itself is safe
                os.fsync(folder)
        finally:
            os.close(folder)
