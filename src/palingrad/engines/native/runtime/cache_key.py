"""The key of machine code on disk: a digest of everything that the code depends on.

That is the program; the plan that was made of it; the package's sources, with the operations'
formulas among them; LLVM, NumPy, Python and the CPU. A decision that a plan takes for any other
reason, because of what a constant holds say, is seen in the plan and so is in the key. Emitting
code reads no constants but single numbers, which are in the key too.

A user's elementwise formula has been read before, and is the library's operations in the program.
Any other formula that isn't the package's own, one that was replaced say, may depend on anything:
on globals, a file, the time. Code with such a formula in it has no key.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterator, Mapping
from functools import cache
from types import EllipsisType
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from ....graph.context import PACKAGE
from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import Operation
from ....graph.registry import is_shipped
from ....passes.program import Program
from ....version import LOADED, __version__
from ..llvm.target import host
from ..plan.schedule import Schedule
from .buffers import BufferTable
from .cache import Unkept

# Parts of the package whose sources no machine code depends on: they stand above the engines.
_ABOVE = ("data", "io", "nn", "optim", "train", "view")


def program_key(program: Program, schedule: Schedule, buffers: BufferTable) -> str:
    """The key of a program's code. Raises Unkept if it depends on what no key can hold."""
    digest = hashlib.sha256(_surroundings())
    by_numpy = {x for one in schedule.kernels if not one.kernel.is_native for x in one.kernel.nodes}
    numbers: dict[Node, int] = {}
    for node in program.order:
        numbers[node] = len(numbers)
        what = type(node).__name__ if node in by_numpy else _computed(node)
        inputs = [numbers[x] for x in node.inputs]
        digest.update(f"{what} {inputs} {node.shape} {node.dtype}\n".encode())
    leaves = [*program.feeds, *(variable for variable, _ in program.updates)]
    types = [(one.shape, str(one.dtype)) for one in leaves]
    given = [numbers.get(x, -1) for x in program.feeds], [numbers[x] for x in program.outputs]
    changed = [(numbers.get(one, -1), numbers[value]) for one, value in program.updates]
    plan = [*_planned(schedule, buffers, numbers)]
    digest.update(repr((types, given, changed, plan)).encode())
    return digest.hexdigest()


def engine_key(name: str) -> str:
    """The key of code that depends on no program. Raises Unkept."""
    return hashlib.sha256(_surroundings() + name.encode()).hexdigest()


# ---------------------------------------------------------------- the program


def _computed(node: Node) -> str:
    """What generated code computes at a node, but for inputs, shape and dtype."""
    if isinstance(node, Constant) and node.shape == ():
        return f"number {node.numpy().tobytes().hex()}"
    if not isinstance(node, Operation):
        return type(node).__name__
    kind = type(node)
    if not (is_shipped(kind) and _is_covered(kind.__module__) and _is_covered(kind.f.__module__)):
        raise Unkept(f"the formula of {kind.__name__} isn't palingrad's own")
    attributes = [(name, _exactly(value)) for name, value in sorted(node.attributes.items())]
    return f"{kind.__module__}.{kind.__qualname__} {attributes}"


def _is_covered(module: str) -> bool:
    """Whether the key holds the source of a module."""
    package, *parts = module.split(".")
    return package == __name__.split(".")[0] and parts[0] not in _ABOVE


_PLAIN = (bool, int, float, str, bytes, slice, EllipsisType, np.dtype)


def _exactly(value: Any) -> str:
    """An attribute in words that say all of it; a node by its kind, for it is an input too."""
    if isinstance(value, Node):
        return type(value).__name__
    if isinstance(value, (np.ndarray, np.generic)):
        return f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__}({', '.join(map(_exactly, value))})"
    if value is None or isinstance(
        value, (bool, int, float, str, bytes, slice, EllipsisType, np.dtype)
    ):
        return repr(value)
    raise Unkept(f"an attribute is a {type(value).__name__}")


def _planned(
    schedule: Schedule, buffers: BufferTable, numbers: Mapping[Node, int]
) -> Iterator[tuple[Any, ...]]:
    """The kernels, in which order and how many pieces they run, and where everything lies."""
    for one in schedule.kernels:
        nodes = [numbers.get(x, -1) for x in one.kernel.nodes]
        work = one.stage, one.items, one.chunks, one.serial
        yield type(one.kernel).__name__, nodes, work, buffers.find(one.kernel)
    yield buffers.objects, buffers.count, buffers.arena_bytes, schedule.trains
    yield tuple(map(buffers.find, numbers))
    for slot, check in buffers.checks:
        yield slot, check.low, check.high


# ---------------------------------------------------------------- what else code depends on


@cache
def _surroundings() -> bytes:
    """A digest of the package's sources, the libraries, and the CPU. Raises Unkept."""
    versions = (
        __version__, llvmlite.__version__, llvm.llvm_version_info, np.__version__,
        platform.python_version(), platform.python_implementation(),
    )  # fmt: skip
    digest = hashlib.sha256(repr((versions, host())).encode())
    for name, content in _sources():
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.digest()


def _sources() -> Iterator[tuple[str, bytes]]:
    """The package's sources. Raises Unkept where they aren't what was loaded."""
    paths: list[str] = []
    for place, folders, files in os.walk(PACKAGE):
        if place == PACKAGE:
            folders[:] = [name for name in folders if name not in _ABOVE]
        paths += [os.path.join(place, name) for name in files if name.endswith(".py")]
    if not paths:
        raise Unkept("palingrad's sources aren't there")
    for path in sorted(paths):
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            if max(status.st_mtime, status.st_ctime) > LOADED:
                raise Unkept(f"{path} has changed since palingrad was loaded")
            yield os.path.relpath(path, PACKAGE), file.read()
