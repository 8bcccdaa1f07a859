"""Locates a data set's files: in a given folder, PALINGRAD_DATA, or the download cache."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import DataError
from ..files.atomic import path_text
from .fetch import fetch
from .sources import Source

VARIABLE = "PALINGRAD_DATA"


def locate(source: Source, folder: str | os.PathLike[str] | None = None) -> list[Path]:
    """The paths of the source's four files, in the order of its parts.

    If `folder` is given, it must contain them. Otherwise the folder in PALINGRAD_DATA is searched,
    and then the files are downloaded. In a folder, or its subfolder named after the data set, the
    files may be gzipped or not. Raises DataError if they are missing from `folder`, or if a folder
    contains only some of them.
    """
    if folder is not None:
        paths = _inside(_existing(folder, "the given folder"), source)
        if paths is None:
            raise DataError(
                f"{path_text(folder)} doesn't contain {source.title}: {source.parts[0].file}, with "
                f"or without .gz, is neither there nor in its subfolder {source.name}.",
                hint=f"Pass another folder, or none to use {VARIABLE} or a download.",
            )
        return paths
    variable = os.environ.get(VARIABLE)
    if variable:
        paths = _inside(_existing(variable, VARIABLE), source)
        if paths is not None:
            return paths
    cached = fetch(source)
    return [cached / f"{part.file}.gz" for part in source.parts]


def _existing(folder: str | os.PathLike[str], what: str) -> Path:
    path = Path(os.path.expanduser(folder))
    if not os.path.isdir(path):  # False also for an impossible path
        raise DataError(
            f"{path_text(path)}, {what}, isn't a folder.",
            hint=f"Set {VARIABLE} (or --data; in Python folder=...) to the folder with the data "
            "sets, or unset it to download them; the data set digits needs none.",
        )
    return path


def _inside(folder: Path, source: Source) -> list[Path] | None:
    """The four paths in the subfolder or in `folder`, None if none of the files exists."""
    for directory in (folder / source.name, folder):
        candidates = [_either(directory, part.file) for part in source.parts]
        paths = [path for path in candidates if path is not None]
        if len(paths) == len(candidates):
            return paths
        if paths:
            missing = [part.file for part, path in zip(source.parts, candidates) if path is None]
            raise DataError(
                f"{path_text(directory)} contains only part of {source.title}: "
                f"{' and '.join(missing)} (with or without .gz) are missing.",
                hint=f"Put them there, or unset {VARIABLE} to download the whole set.",
            )
    return None


def _either(directory: Path, file: str) -> Path | None:
    for path in (directory / f"{file}.gz", directory / file):
        if os.path.isfile(path):
            return path
    return None
