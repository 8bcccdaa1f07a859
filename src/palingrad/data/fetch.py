"""Downloads data sets from mirrors into a cache, and verifies their hashes."""

from __future__ import annotations

from pathlib import Path

from ..errors import DataError
from .sources import Source

_BY_HAND = (
    "Check the connection, or download the files manually and set PALINGRAD_DATA to their folder "
    "(or pass --data; in Python folder=...). The data set `digits` needs no download."
)


def fetch(source: Source, cache: Path | None = None) -> Path:
    """The cache folder with the original .gz files; missing files are downloaded.

    `cache` is the folder of all data sets, by default the user's cache folder for palingrad. pooch
    downloads to a temporary file, checks the MD5 and renames it, so that a cached file is always
    complete. Raises DataError if no mirror has a file with the right hash.
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
        file = f"{part.file}.gz"
        failures: list[str] = []
        for mirror in source.mirrors:
            try:
                pooch.retrieve(mirror + file, f"md5:{part.md5}", fname=file, path=folder)
                break
            except (
                OSError,
                ValueError,
            ) as error:  # errors of requests are OSErrors; a wrong hash is a ValueError
                failures.append(f"{mirror}{file}: {error!s:.160}")
        else:
            raise DataError(
                f"{source.title}: {file} couldn't be downloaded to {folder}. "
                + "; ".join(failures)
                + ".",
                hint=_BY_HAND,
            )
    return folder
