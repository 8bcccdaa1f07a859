"""Where a data set's files are: a folder that was named, PALINGRAD_DATA, or the download cache."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import DataError
from .fetch import fetch
from .sources import Source

VARIABLE = "PALINGRAD_DATA"


def locate(source: Source, folder: str | os.PathLike[str] | None = None) -> list[Path]:
    """The paths of the source's four files, in the order of its parts.

    A `folder` that is given must hold them. The folder that PALINGRAD_DATA names comes next, and
    may hold other sets only. Else the files are downloaded. In a folder they may be gzipped or not,
    and lie in a subfolder with the set's name. Raises DataError where they don't, or not all.
    """
    if folder is not None:
        paths = _inside(_existing(folder, "the folder that was given"), source)
        if paths is None:
            raise DataError(
                f"{folder} holds no {source.title}: neither there nor in its subfolder "
                f"{source.name} is {source.parts[0].file}, with or without .gz.",
                hint=f"Pass another folder, or none to use {VARIABLE} or a download.",
            )
        return paths
    named = os.environ.get(VARIABLE)
    if named:
        paths = _inside(_existing(named, VARIABLE), source)
        if paths is not None:
            return paths
    cached = fetch(source)
    return [cached / f"{part.file}.gz" for part in source.parts]


def _existing(folder: str | os.PathLike[str], said_by: str) -> Path:
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise DataError(
            f"{path}, {said_by}, is no folder.",
            hint=f"Set {VARIABLE} (or --data; in Python folder=...) to the folder that holds the "
            "data sets, or to nothing to download them.",
        )
    return path


def _inside(folder: Path, source: Source) -> list[Path] | None:
    """The four paths in `folder` or its subfolder, None where not one is there."""
    for place in (folder / source.name, folder):
        found = [_either(place, part.file) for part in source.parts]
        paths = [path for path in found if path is not None]
        if len(paths) == len(found):
            return paths
        if paths:
            missing = [part.file for part, path in zip(source.parts, found) if path is None]
            raise DataError(
                f"{place} holds {source.title} only in part: {' and '.join(missing)} (with or "
                "without .gz) are missing.",
                hint=f"Put them there, or unset {VARIABLE} to download the whole set.",
            )
    return None


def _either(place: Path, file: str) -> Path | None:
    for path in (place / f"{file}.gz", place / file):
        if path.is_file():
            return path
    return None
