"""Downloads: each file from the first mirror that has it, its hash checked, kept in a cache."""

from __future__ import annotations

from pathlib import Path

from ..errors import DataError
from .sources import Source

_BY_HAND = (
    "Check the connection, or fetch the files by hand into a folder and set PALINGRAD_DATA to it "
    "(or pass --data; in Python folder=...). The data set `digits` needs no download."
)


def fetch(source: Source, cache: Path | None = None) -> Path:
    """The folder of a cache that holds the original .gz files, downloaded where they aren't there.

    `cache` is the folder of all data sets, by default the system's for palingrad. pooch writes to a
    temporary file beside, checks the md5, then moves it: what is under the name is always whole.
    Raises DataError where no mirror has a file with the right hash.
    """
    try:
        import pooch
    except ImportError as error:
        raise DataError(
            f"{source.title} isn't on this computer and the package pooch, which downloads it, "
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
            ) as error:  # requests' errors are OSErrors, a wrong hash isn't
                failures.append(f"{mirror}{file}: {error!s:.160}")
        else:
            raise DataError(
                f"{source.title}: {file} couldn't be downloaded to {folder}. "
                + "; ".join(failures)
                + ".",
                hint=_BY_HAND,
            )
    return folder
