"""Sealed data: the lesson's numbers as text in which they can't be read at a glance.

This is no encryption: the key is in the page, which must compute with the numbers. It hides the
answers from someone who looks at the file or searches it, not from someone who takes it apart.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any


def sealed(data: Any) -> str:
    """`data` as JSON, added to a stream of pseudorandom bytes, in base64. Equal data gives equal
    text, since the stream's start is a checksum of the data."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    start = zlib.crc32(text)
    body = bytes(a ^ b for a, b in zip(text, _stream(start, len(text)), strict=True))
    return base64.b64encode(start.to_bytes(4, "big") + body).decode("ascii")


def opened(text: str) -> Any:
    """The data that was sealed as `text`."""
    whole = base64.b64decode(text)
    start, body = int.from_bytes(whole[:4], "big"), whole[4:]
    return json.loads(bytes(a ^ b for a, b in zip(body, _stream(start, len(body)), strict=True)))


def _stream(state: int, count: int) -> bytes:
    """`count` bytes of a 32-bit xorshift generator (Marsaglia 2003), as in assets/unseal.js."""
    state = state or 1
    found = bytearray(count)
    for place in range(count):
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        found[place] = state >> 24
    return bytes(found)
