"""Whether Python runs what a source says: the bytecode that it keeps may be of an older version.

Python takes bytecode for that of a source if the source's size and time in seconds are those that
were noted. After an edit within a second that keeps the size, or one whose time was set back, the
old version runs, and the machine code that it emits must not be kept for the new one.
"""

from __future__ import annotations

import marshal
import os
from importlib.util import MAGIC_NUMBER, cache_from_source

_HEADER = 16  # bytes: magic number, flags, time and size of the source
_WORD = 0xFFFFFFFF


def is_outdated(path: str, status: os.stat_result, content: bytes) -> bool:
    """Whether Python would run bytecode of another version of the source than this content.

    Only bytecode that was written before the source's last change is compared, which takes long.
    """
    try:
        place = cache_from_source(path)
        if os.stat(place).st_ctime_ns > status.st_ctime_ns:
            return False
        with open(place, "rb") as file:
            kept = file.read()
    except (OSError, NotImplementedError):  # Python keeps none
        return False
    noted = kept[:_HEADER]
    parts = (0, int(status.st_mtime) & _WORD, status.st_size & _WORD)
    if noted != MAGIC_NUMBER + b"".join(part.to_bytes(4, "little") for part in parts):
        return False  # it isn't used
    try:
        return marshal.loads(kept[_HEADER:]) != compile(content, path, "exec", dont_inherit=True)
    except (EOFError, TypeError, ValueError, SyntaxError):
        return True
