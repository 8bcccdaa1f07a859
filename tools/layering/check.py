"""The layer check: applies the rules of a package to its files."""

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
class Rules:
    """The rules of one package. Paths are relative to its folder; each exception has a reason."""

    name: str
    order: Order = field(default_factory=dict)
    # Optional package -> the files and folders that may import it.
    optional: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # File that imports modules inside functions, or by computed names -> the reason.
    lazy: Mapping[str, str] = field(default_factory=dict)
    file_lines: int = 400
    function_lines: int = 60
    folder_files: int = 14
    crowded: Mapping[str, str] = field(default_factory=dict)  # folder over the limit -> the reason
    # Folder of engines -> the number of operation classes that it may import; class -> the reason.
    operations: str = "ops"
    operation_limits: Mapping[str, int] = field(default_factory=dict)
    operation_reasons: Mapping[str, str] = field(default_factory=dict)
    # Folder -> the number of attribute tests that its files may contain.
    attribute_limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """The violations of the rules, and some statistics."""

    problems: list[str]
    notes: list[str]


@contextmanager
def _no_collection() -> Generator[None]:
    """Disables garbage collection, which takes half of the time: syntax trees are many objects."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_no_collection()
def check(root: Path, rules: Rules) -> Report:
    """The report on the package in the folder `root`."""
    package = read(root)
    found = {path: imports_of(package, one, rules.name) for path, one in package.items()}
    imports = {
        path: [one for one in some if isinstance(one, Import)] for path, some in found.items()
    }
    counted = [*_attributes(package, rules), *_operations(package, imports, rules)]
    problems = [
        *_directions(imports, rules),
        *_places(imports, rules),
        *_needs(imports, rules),
        *_computed(found, rules),
        *_sizes(package, rules),
        *_stale(package, imports, found, rules),
        *(text for wrong, text in counted if wrong),
    ]
    return Report(problems, [_lengths(package), *(text for wrong, text in counted if not wrong)])


def _lengths(package: Package) -> str:
    lines = [one.lines for path, one in package.items() if not path.endswith("__init__.py")] or [0]
    middle, longest = statistics.median(lines), max(lines)
    return f"{len(lines)} files besides __init__; median {middle:g} lines, longest {longest}"


def _directions(imports: Mapping[str, list[Import]], rules: Rules) -> Iterator[str]:
    yield from unknown(imports, rules.order)
    for path, some in imports.items():
        for one in some:
            wrong = upward(path, one, rules.order)
            if wrong:
                how = " by its name, a string" if one.text else " for type checking" * one.hint
                yield f"{path}:{one.line}: {wrong}{how}"
    for group in circles(imports):
        yield f"in a circle of imports: {', '.join(group)}"


def _places(imports: Mapping[str, list[Import]], rules: Rules) -> Iterator[str]:
    """Optional packages imported elsewhere, and other imports not at the top of the file."""
    for path, some in imports.items():
        for one in some:
            places = rules.optional.get(one.outside or "")
            if places is not None:
                if not _within(path, places):
                    where = " or ".join(places)
                    yield f"{path}:{one.line}: {one.outside} is optional; only {where} imports it"
            elif one.late and not one.text and path not in rules.lazy:
                yield f"{path}:{one.line}: an import that isn't at the top of the file"


def _needs(imports: Mapping[str, list[Import]], rules: Rules) -> Iterator[str]:
    """Files that can't be imported without an optional package that they may not import.

    Such a file imports, at the top, the package or another file that does.
    """
    at_top = {
        path: [one for one in some if not (one.late or one.hint or one.text)]
        for path, some in imports.items()
    }
    for name, places in rules.optional.items():
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


def _computed(found: Mapping[str, list[Import | Computed]], rules: Rules) -> Iterator[str]:
    for path, some in found.items():
        for one in some:
            if isinstance(one, Computed) and path not in rules.lazy:
                yield (
                    f"{path}:{one.line}: {one.what}: which module this reaches isn't in the "
                    "source; import it at the top, or list the file as lazy with the reason"
                )


def _sizes(package: Package, rules: Rules) -> Iterator[str]:
    for path, source in package.items():
        if source.lines > rules.file_lines:
            yield f"{path}: {source.lines} lines, over {rules.file_lines}"
        for line, name, lines in long_functions(source, rules.function_lines):
            yield f"{path}:{line}: {name} has {lines} lines, over {rules.function_lines}"
    for folder, files in sorted(folder_sizes(package).items()):
        if files > rules.folder_files and folder not in rules.crowded:
            yield f"{folder}/: {files} files in one folder, over {rules.folder_files}"


def _attributes(package: Package, rules: Rules) -> Iterator[tuple[bool, str]]:
    for folder, limit in rules.attribute_limits.items():
        places = [
            f"{path}:{line}"
            for path, source in package.items()
            if path.startswith(folder + "/")
            for line in attribute_tests(source)
        ]
        text = f"{len(places)} tests of attributes (hasattr, getattr with a default), limit {limit}"
        yield len(places) > limit, f"{folder}/: {text}: {' '.join(places)}".rstrip(": ")


def _operations(
    package: Package, imports: Mapping[str, list[Import]], rules: Rules
) -> Iterator[tuple[bool, str]]:
    for folder, limit in rules.operation_limits.items():
        by_file = {
            path: classes_imported(package, some, rules.operations)
            for path, some in imports.items()
            if path.startswith(folder + "/")
        }
        all_of_them = set[str]().union(*by_file.values())
        bare = sorted(all_of_them - set(rules.operation_reasons))
        text = f"{len(all_of_them)} classes of operations are imported, limit {limit}"
        lacking = f"; no reason is given for {', '.join(bare)}" if bare else ""
        yield len(all_of_them) > limit, f"{folder}/: {text}{lacking}"
        for path, names in by_file.items():
            if names:
                yield False, f"  {path}: {len(names)}: {', '.join(sorted(names))}"


def _stale(
    package: Package,
    imports: Mapping[str, list[Import]],
    found: Mapping[str, list[Import | Computed]],
    rules: Rules,
) -> Iterator[str]:
    """Exceptions that no file needs any more."""
    for path in rules.lazy:
        late = any(one.late for one in imports.get(path, ()))
        if not late and not any(isinstance(one, Computed) for one in found.get(path, ())):
            yield f"{path} is listed as lazy, and imports nothing late"
    sizes = folder_sizes(package)
    for folder in rules.crowded:
        if sizes[folder] <= rules.folder_files:
            yield f"{folder}/ is listed as crowded, and has {sizes[folder]} files"
    for name, places in rules.optional.items():
        for place in places:
            if not any(_within(path, [place]) for path in package):
                yield f"{name} may be imported in {place}, which isn't there"
