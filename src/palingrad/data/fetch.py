"""Downloads data sets from mirrors into a cache, and verifies their hashes."""

from __future__ import annotations

import hashlib
import io
import math
from pathlib import Path
from typing import Any

from ..errors import DataError, WriteError
from ..files.atomic import make_folder, path_text, write_atomically
from ..files.reading import read_file
from .sources import Part, Source

_SPARE = 1_000_000  # bytes by which gzip data may be longer than the numbers in it

_BY_HAND = (
    "Check the connection, or download the files manually and set PALINGRAD_DATA to their folder "
    "(or pass --data; in Python folder=...). The data set `digits` needs no download."
)


class _Download(io.BytesIO):
    """The memory that a download is written to. Raises ValueError when it is longer than `most`."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def write(self, piece: Any, /) -> int:
        if self.tell() + len(piece) > self._most:
            raise ValueError(f"the file is longer than {self._most:,} bytes")
        return super().write(piece)


def fetch(source: Source, cache: Path | None = None) -> Path:
    """The cache folder with the original .gz files; missing files are downloaded.

    `cache` is the folder of all data sets, by default the user's cache folder for palingrad. A file
    is written after its MD5 was checked, so that a cached file is always complete. Raises DataError
    if no mirror has a file with the right hash, or if the cache can't be written.
    """
    try:
        import pooch
    except ImportError as error:
        raise DataError(
            f"{source.title} isn't on this computer, and the package pooch, needed to download it, "
            "isn't installed.",
            hint=f"pip install pooch. {_BY_HAND}",
        ) from error
    folder = (cache or Path(pooch.os_cache("palingrad"))) / source.name
    for part in source.parts:
        path = folder / f"{part.file}.gz"
        if not _complete(path, part):
            try:
                make_folder(folder)  # before the download
                write_atomically(path, _downloaded(source, part, path, pooch.HTTPDownloader()))
            except WriteError as error:
                raise DataError(
                    f"{source.title} couldn't be downloaded to {path_text(folder)}: {error.fact}",
                    hint=f"{error.hint} Or set PALINGRAD_DATA to a folder with the files.".strip(),
                ) from error
    return folder


def _complete(path: Path, part: Part) -> bool:
    try:
        return _md5(read_file(path)) == part.md5
    except OSError:
        return False


def _downloaded(source: Source, part: Part, path: Path, download: Any) -> bytes:
    """The bytes of a file from the first mirror that has it. Raises DataError."""
    failures: list[str] = []
    for mirror in source.mirrors:
        url = mirror + path.name
        received = _Download(math.prod(part.shape) + _SPARE)
        try:
            download(url, received, None)
        except (OSError, ValueError) as error:  # errors of requests are OSErrors
            failures.append(f"{url}: {error!s:.160}")
            continue
        content = received.getvalue()
        if _md5(content) == part.md5:
            return content
        failures.append(f"{url}: MD5 hash of downloaded file is {_md5(content)}, not {part.md5}")
    raise DataError(
        f"{source.title}: {path.name} couldn't be downloaded to {path_text(path.parent)}. "
        f"{'; '.join(failures)}.",
        hint=_BY_HAND,
    )


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
