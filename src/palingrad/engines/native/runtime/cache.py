"""The cache on disk: machine code of programs compiled before, by what they compute and where.

A key is made of the program, this version of palingrad and of LLVM, and the CPU. Entries carry a
checksum; one that doesn't fit is as good as none. They are written to a file of their own and
renamed, so that several processes may share the folder.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from functools import cache as once
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from ....graph.leaves import Constant, Placeholder, Variable
from ....graph.node import Node
from ....passes.program import Program
from ....version import __version__
from ..llvm.target import host

_VARIABLE = "PALINGRAD_CACHE"
_MOST = 512  # entries; the oldest go
_SUM = 32  # bytes of the checksum in front of the code


def folder() -> Path | None:
    """The folder of entries: PALINGRAD_CACHE's, or the user's cache; None if that is 'off'."""
    named = os.environ.get(_VARIABLE)
    if named is not None:
        return None if named in ("", "off") else Path(named).expanduser() / "native"
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "palingrad" / "native"


def key_of(program: Program) -> str | None:
    """A name that two programs share only if the same code computes both.

    None for a program with an operation of the user's own, whose formula may depend on anything.
    """
    if any(not type(node).__module__.startswith("palingrad.") for node in program.order):
        return None
    digest = hashlib.sha256(_surroundings())
    numbers: dict[Node, int] = {}
    for node in program.order:
        numbers[node] = len(numbers)
        digest.update(_described(node, [numbers[x] for x in node.inputs]).encode())
    given = [[numbers.get(x, -1) for x in program.feeds], [numbers[x] for x in program.outputs]]
    changed = [(numbers.get(one, -1), numbers[value]) for one, value in program.updates]
    shapes = [
        (one.shape, str(one.dtype)) for one in (*program.feeds, *(v for v, _ in program.updates))
    ]
    digest.update(repr((given, changed, shapes)).encode())
    return digest.hexdigest()


def kept_key(name: str) -> str:
    """The name of code that only depends on the engine's own files and on the CPU."""
    return hashlib.sha256(_surroundings() + name.encode()).hexdigest()


def _described(node: Node, inputs: list[int]) -> str:
    """Everything about a node that its code depends on."""
    kind = type(node)
    what = f"{kind.__module__}.{kind.__qualname__} {inputs} {node.shape} {node.dtype}"
    if isinstance(node, Constant) and node.shape == ():
        return f"{what} {node.numpy().tobytes().hex()}"
    if isinstance(node, (Constant, Placeholder, Variable)):
        return what
    attributes: Mapping[str, Any] = getattr(node, "attributes", {})
    return f"{what} {sorted((name, _plain(value)) for name, value in attributes.items())}"


def _plain(value: Any) -> str:
    """An attribute in words that say all of it; a node by its kind, for it is an input too."""
    if isinstance(value, Node):
        return type(value).__name__
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__}({', '.join(map(_plain, value))})"
    return repr(value)


@once
def _surroundings() -> bytes:
    """This code, LLVM and the CPU."""
    target = host()
    source = Path(__file__).resolve().parents[1]
    files = sorted(source.rglob("*.py"))
    stamps = [(one.name, one.stat().st_size, one.stat().st_mtime_ns) for one in files]
    parts = (__version__, llvmlite.__version__, llvm.llvm_version_info, repr(target), stamps)
    return repr(parts).encode()


def load(key: str | None) -> bytes | None:
    """The machine code kept under this key, None if there is none or it is damaged."""
    place = folder()
    if place is None or key is None:
        return None
    try:
        content = (place / key).read_bytes()
    except OSError:
        return None
    code = content[_SUM:]
    return code if hashlib.sha256(code).digest() == content[:_SUM] else None


def store(key: str | None, code: bytes) -> None:
    """Keep machine code; a folder that can't be written to is no error."""
    place = folder()
    if place is None or key is None:
        return
    try:
        place.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        os.replace(name, place / key)
        _prune(place)
    except OSError:
        return


def _prune(place: Path) -> None:
    entries = [one for one in place.iterdir() if not one.name.startswith(".")]
    if len(entries) > _MOST:
        entries.sort(key=lambda one: one.stat().st_mtime)
        for one in entries[: len(entries) - _MOST]:
            one.unlink(missing_ok=True)


def entries() -> tuple[int, int]:
    """How many programs are kept, and their bytes together."""
    place = folder()
    if place is None or not place.is_dir():
        return 0, 0
    sizes = [one.stat().st_size for one in place.iterdir() if not one.name.startswith(".")]
    return len(sizes), sum(sizes)
