"""The check: a house's rules on the tree of a package."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .imports import Computed, Import, imports_of
from .order import Order, circles, unknown, upward
from .sizes import attribute_tests, classes_imported, folder_sizes, long_functions
from .source import Package, read


@dataclass(frozen=True)
class House:
    """The rules of one package. Paths are relative to its folder; every exception has a reason."""

    name: str
    order: Order = field(default_factory=dict)
    # Optional package -> where it may be imported: a file, or a folder with all in it.
    optional: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # File that imports modules late, or by names that are computed -> why.
    lazy: Mapping[str, str] = field(default_factory=dict)
    file_lines: int = 400
    function_lines: int = 60
    folder_files: int = 14
    crowded: Mapping[str, str] = field(default_factory=dict)  # folder of more files -> why
    # Folder of engines -> how many classes of single operations it may import, and of these in
    # which a reason is given.
    operations: str = "ops"
    operation_limits: Mapping[str, int] = field(default_factory=dict)
    operation_reasons: Mapping[str, str] = field(default_factory=dict)
    # Folder -> how often its files may ask whether an object has an attribute.
    attribute_limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What is wrong, and what is worth knowing."""

    problems: list[str]
    notes: list[str]


@contextmanager
def _no_collection() -> Generator[None]:
    """Syntax trees are many objects in no circle: collecting garbage takes half of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@_no_collection()
def check(root: Path, house: House) -> Report:
    """All rules of a house on the package in the folder `root`."""
    package = read(root)
    found = {path: imports_of(package, one, house.name) for path, one in package.items()}
    imports = {
        path: [one for one in some if isinstance(one, Import)] for path, some in found.items()
    }
    counted = [*_attributes(package, house), *_operations(package, imports, house)]
    problems = [
        *_directions(imports, house),
        *_places(imports, house),
        *_needs(imports, house),
        *_computed(found, house),
        *_sizes(package, house),
        *_stale(package, imports, found, house),
        *(text for wrong, text in counted if wrong),
    ]
    return Report(problems, [_lengths(package), *(text for wrong, text in counted if not wrong)])


def _lengths(package: Package) -> str:
    lines = [one.lines for path, one in package.items() if not path.endswith("__init__.py")] or [0]
    middle, longest = statistics.median(lines), max(lines)
    return f"{len(lines)} files besides __init__; median {middle:g} lines, longest {longest}"


def _directions(imports: Mapping[str, list[Import]], house: House) -> Iterator[str]:
    yield from unknown(imports, house.order)
    for path, some in imports.items():
        for one in some:
            wrong = upward(path, one, house.order)
            if wrong:
                how = " by its name, a string" if one.text else " for type checking" * one.hint
                yield f"{path}:{one.line}: {wrong}{how}"
    for group in circles(imports):
        yield f"in a circle of imports: {', '.join(group)}"


def _places(imports: Mapping[str, list[Import]], house: House) -> Iterator[str]:
    """Optional packages in their one place; everything else at the top of the file."""
    for path, some in imports.items():
        for one in some:
            places = house.optional.get(one.outside or "")
            if places is not None:
                if not _within(path, places):
                    where = " or ".join(places)
                    yield f"{path}:{one.line}: {one.outside} is optional; only {where} imports it"
            elif one.late and not one.text and path not in house.lazy:
                yield f"{path}:{one.line}: an import that isn't at the top of the file"


def _needs(imports: Mapping[str, list[Import]], house: House) -> Iterator[str]:
    """Files that can't be imported without an optional package, though it isn't theirs to import.

    Such a file imports it at the top, or a file that does: that one imports it where it is used.
    """
    at_top = {
        path: [one for one in some if not (one.late or one.hint or one.text)]
        for path, some in imports.items()
    }
    for name, places in house.optional.items():
        needs = {path for path, some in at_top.items() if any(o.outside == name for o in some)}
        more = needs
        while more:
            more = {path for path, some in at_top.items() if any(o.target in more for o in some)}
            more -= needs
            needs |= more
        for path in sorted(needs):
            if not _within(path, places):
                yield f"{path}: {name} is optional, and importing this file imports it"


def _within(path: str, places: Sequence[str]) -> bool:
    return any(path == place or path.startswith(place + "/") for place in places)


def _computed(found: Mapping[str, list[Import | Computed]], house: House) -> Iterator[str]:
    for path, some in found.items():
        for one in some:
            if isinstance(one, Computed) and path not in house.lazy:
                yield (
                    f"{path}:{one.line}: {one.what}: which module this reaches isn't in the "
                    "source; import it at the top, or list the file as lazy with the reason"
                )


def _sizes(package: Package, house: House) -> Iterator[str]:
    for path, source in package.items():
        if source.lines > house.file_lines:
            yield f"{path}: {source.lines} lines, over {house.file_lines}"
        for line, name, lines in long_functions(source, house.function_lines):
            yield f"{path}:{line}: {name} has {lines} lines, over {house.function_lines}"
    for folder, files in sorted(folder_sizes(package).items()):
        if files > house.folder_files and folder not in house.crowded:
            yield f"{folder}/: {files} files in one folder, over {house.folder_files}"


def _attributes(package: Package, house: House) -> Iterator[tuple[bool, str]]:
    for folder, limit in house.attribute_limits.items():
        places = [
            f"{path}:{line}"
            for path, source in package.items()
            if path.startswith(folder + "/")
            for line in attribute_tests(source)
        ]
        told = f"{len(places)} tests of attributes (hasattr, getattr with a default), limit {limit}"
        yield len(places) > limit, f"{folder}/: {told}: {' '.join(places)}".rstrip(": ")


def _operations(
    package: Package, imports: Mapping[str, list[Import]], house: House
) -> Iterator[tuple[bool, str]]:
    for folder, limit in house.operation_limits.items():
        by_file = {
            path: classes_imported(package, some, house.operations)
            for path, some in imports.items()
            if path.startswith(folder + "/")
        }
        all_of_them = set[str]().union(*by_file.values())
        bare = sorted(all_of_them - set(house.operation_reasons))
        told = f"{len(all_of_them)} classes of operations are imported, limit {limit}"
        lacking = f"; no reason is given for {', '.join(bare)}" if bare else ""
        yield len(all_of_them) > limit, f"{folder}/: {told}{lacking}"
        for path, names in by_file.items():
            if names:
                yield False, f"  {path}: {len(names)}: {', '.join(sorted(names))}"


def _stale(
    package: Package,
    imports: Mapping[str, list[Import]],
    found: Mapping[str, list[Import | Computed]],
    house: House,
) -> Iterator[str]:
    """Exceptions that nothing needs: they would let in what comes later."""
    for path in house.lazy:
        late = any(one.late for one in imports.get(path, ()))
        if not late and not any(isinstance(one, Computed) for one in found.get(path, ())):
            yield f"{path} is listed as lazy, and imports nothing late"
    sizes = folder_sizes(package)
    for folder in house.crowded:
        if sizes[folder] <= house.folder_files:
            yield f"{folder}/ is listed as crowded, and has {sizes[folder]} files"
    for name, places in house.optional.items():
        for place in places:
            if not any(_within(path, [place]) for path in package):
                yield f"{name} may be imported in {place}, which isn't there"
