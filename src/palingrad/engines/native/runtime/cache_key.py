"""The cache key of machine code: a digest of everything that the code depends on.

The key covers the program; its plan; the package's sources, including the operations' formulas;
the versions of LLVM, NumPy and Python; and the CPU. A planning decision that depends on anything
else, such as the contents of a constant, changes the plan and thereby the key. Emitting code reads
no constants except single numbers, which the key covers too.

Lowering has replaced a user's elementwise operation by the library's operations. Any other formula
from outside the package, such as a replaced rule, may depend on anything: a global, a file, the
time. Code that contains such a formula has no key.
"""

from __future__ import annotations

import hashlib
import os
import platform
from array import array as row_of
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from types import EllipsisType, FunctionType
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from ....dtypes import default_dtype
from ....graph.derivatives.cotangents import ieee_gradients
from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import Operation
from ....graph.regions.region import Region
from ....graph.regions.regional import Regional
from ....graph.registry import is_shipped
from ....passes.pipeline import PASSES
from ....passes.program import Program
from ....passes.simplify import RULES
from ....version import __version__
from ..kernels.control import Control
from ..llvm import objects, parts, target
from ..llvm.target import host
from ..plan.schedule import Schedule
from .buffers import BufferTable
from .cache import Unkept
from .sources import ABOVE, source, sources_digest


def program_key(program: Program, schedule: Schedule, buffers: BufferTable) -> str:
    """The key of a program's code. Raises Unkept if the code depends on more than a key covers."""
    digest = hashlib.sha256(_surroundings())
    by_numpy = {x for one in schedule.kernels if not one.kernel.is_native for x in one.kernel.nodes}
    control = {x.kernel.node: x.kernel for x in schedule.kernels if isinstance(x.kernel, Control)}
    numbers: dict[Node, int] = {}
    for node in program.order:
        numbers[node] = len(numbers)
        if node in control and control[node].regions:
            operation = _controlled(control[node])
        else:
            operation = type(node).__name__ if node in by_numpy else _computed(node)
        inputs = [numbers[x] for x in node.inputs]
        digest.update(f"{operation} {inputs} {node.shape} {node.dtype}\n".encode())
    leaves = [*program.feeds, *(variable for variable, _ in program.updates)]
    types = [(leaf.shape, str(leaf.dtype)) for leaf in leaves]
    ends = [numbers.get(x, -1) for x in program.feeds], [numbers[x] for x in program.outputs]
    updates = [(numbers.get(x, -1), numbers[value]) for x, value in program.updates]
    plan = [*_planned(schedule, buffers, numbers)]
    digest.update(repr((types, ends, updates, plan)).encode())
    return digest.hexdigest()


def engine_key(name: str) -> str:
    """The key of code that depends on no program. Raises Unkept where `program_key` does."""
    return hashlib.sha256(_surroundings() + name.encode()).hexdigest()


@cache
def compiler_key() -> bytes:
    """A digest of all on which machine code depends besides its LLVM IR: LLVM, the CPU, and the
    modules that call LLVM. Raises Unkept."""
    digest = hashlib.sha256(repr((llvmlite.__version__, llvm.llvm_version_info, host())).encode())
    for module in (target, parts, objects):
        digest.update(source(str(module.__file__)))
    return digest.digest()


def template_key(program: Program) -> str | None:
    """The key of what is kept of a Program before the passes; None if the passes and the planning
    may depend on more than a key covers, or shall be verified.

    They are functions of the Program, of the package's sources, the CPU and the settings of the
    process: so the key holds all of the Program, the values of constants included.
    """
    rules = (*PASSES, *RULES.values())
    if os.environ.get("PALINGRAD_VERIFY") == "1" or not all(
        _is_covered(rule.__module__) for rule in rules
    ):
        return None
    try:
        surroundings = _surroundings()
        words = _words(program)
    except (Unkept, KeyError):  # an attribute that is no plain value, or a node that isn't an input
        return None
    if words is None:
        return None
    kinds, content = words
    settings = repr((str(default_dtype()), ieee_gradients()))
    if not are_untouched(kinds):
        return None
    return hashlib.sha256(surroundings + settings.encode() + content).hexdigest()


def _words(program: Program) -> tuple[set[type[Operation]], bytes] | None:
    """(the operations' classes, the Program as bytes that determine it); None for large constants.
    Raises KeyError and Unkept as `_exactly` does.

    What many nodes have in common, such as a shape, is written once and numbered.
    """
    table: dict[Any, int] = {}  # number of each class with a shape and a dtype, or of a text
    numbers: dict[Node, int] = {}
    words: list[int] = []
    leaves = (*program.feeds, *(variable for variable, _ in program.updates))
    size = 0
    for node in dict.fromkeys((*leaves, *program.order)):
        numbers[node] = len(numbers)
        words.append(table.setdefault((type(node), node.shape, node.dtype), len(table)))
        if isinstance(node, Operation):
            inputs = node.inputs
            words.append(len(inputs))
            words += [numbers[x] for x in inputs]
            text = ""
            if node.attributes:
                text = repr([(name, _exactly(x, numbers)) for name, x in node.attributes.items()])
        elif isinstance(node, Constant):
            size += node._value.nbytes
            if size > _MOST:
                return None
            text = f"{_weak(node.weak)} {_weak(node.scalar)} {node._value.tobytes().hex()}"
        else:
            text = _weak(node.weak)
        words.append(table.setdefault(text, len(table)))
    ends = (
        len(program.feeds),
        [numbers[x] for x in program.outputs],
        [numbers[x] for _, x in program.updates],
    )
    common = [
        word if isinstance(word, str) else (word[0], word[1], str(word[2])) for word in table
    ]  # a class is its module and name
    content = repr((ends, common, len(words))).encode() + row_of("q", words).tobytes()
    return kinds_of(numbers), content


_MOST = 1 << 20  # bytes of constants in a template's key


def _weak(number: Any) -> str:
    return f"{type(number).__name__} {number!r}"


def kinds_of(nodes: Collection[Node]) -> set[type[Operation]]:
    """The classes of these operations and of those in their regions."""
    kinds = {kind for kind in set(map(type, nodes)) if issubclass(kind, Operation)}
    if any(issubclass(kind, Regional) for kind in kinds):
        for node in nodes:
            if isinstance(node, Regional):
                for region in node.regions:
                    kinds |= kinds_of(region.order)
    return kinds


def are_untouched(kinds: Iterable[type[Operation]]) -> bool:
    """Whether all rules of the classes of these operations are the library's own."""
    classes = dict.fromkeys(cls for kind in kinds for cls in kind.__mro__)
    return all(map(is_shipped, kinds)) and not any(
        isinstance(function, FunctionType) and not _is_covered(function.__module__)
        for cls in classes
        for rule in vars(cls).values()
        for function in (rule.__func__ if isinstance(rule, (staticmethod, classmethod)) else rule,)
    )


# ---------------------------------------------------------------- the program


def _computed(node: Node) -> str:
    """The node's operation and attributes. Inputs, shape and dtype are not included."""
    if isinstance(node, Constant) and node.shape == ():
        return f"number {node.numpy().tobytes().hex()}"
    if not isinstance(node, Operation):
        return type(node).__name__
    kind = type(node)
    if not (is_shipped(kind) and _is_covered(kind.__module__) and _is_covered(kind.f.__module__)):
        raise Unkept(f"the formula of {kind.__name__} isn't palingrad's own")
    attributes = [(name, _exactly(value)) for name, value in sorted(node.attributes.items())]
    return f"{kind.__module__}.{kind.__qualname__} {attributes}"


def _controlled(kernel: Control) -> str:
    """A control flow: its operation, the keys of its regions, and where they are in memory."""
    kind, attributes = type(kernel.node), {**kernel.node.attributes}
    del attributes["regions"]
    keys = [program_key(one.program, one.schedule, one.buffers) for one in kernel.regions]
    results = [(one.results, one.passed) for one in kernel.regions]
    words = [(name, _exactly(value)) for name, value in sorted(attributes.items())]
    return f"{kind.__module__}.{kind.__qualname__} {words} {keys} {results}"


def _is_covered(module: str) -> bool:
    """Whether the key covers the source of a module."""
    package, *parts = module.split(".")
    return package == __name__.split(".")[0] and parts[0] not in ABOVE


_PRINTED = frozenset((bool, int, str, type(None)))


def _exactly(value: Any, numbers: Mapping[Node, int] | None = None) -> str:
    """An attribute as text that determines it; a node (also an input) as its class, or as its
    number. Raises KeyError for a node without one."""
    if type(value) in _PRINTED:
        return repr(value)
    if isinstance(value, Node):
        return type(value).__name__ if numbers is None else f"node {numbers[value]}"
    if isinstance(value, (np.ndarray, np.generic)):
        return f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__}({', '.join(_exactly(one, numbers) for one in value)})"
    if value is None or isinstance(
        value, (bool, int, float, str, bytes, slice, EllipsisType, np.dtype)
    ):
        return repr(value)
    if isinstance(value, Region):
        return _region(value)
    raise Unkept(f"an attribute is a {type(value).__name__}")


def _region(region: Region) -> str:
    """A region as text that determines what it computes. Raises Unkept."""
    numbers: dict[Node, int] = {}
    lines: list[str] = []
    for node in dict.fromkeys((*region.parameters, *region.order)):
        numbers[node] = len(numbers)
        inputs = [numbers[x] for x in node.inputs]
        value = node.numpy().tobytes().hex() if isinstance(node, Constant) else ""
        lines.append(
            f"{_computed(node)} {inputs} {node.shape} {node.dtype} {_weak(node.weak)} {value}"
        )
    return f"Region({lines}, {[numbers[x] for x in region.results]})"


def _planned(
    schedule: Schedule, buffers: BufferTable, numbers: Mapping[Node, int]
) -> Iterator[tuple[Any, ...]]:
    """The plan: each kernel with its stage, items and chunks, and the place of each buffer."""
    for one in schedule.kernels:
        nodes = [numbers.get(x, -1) for x in one.kernel.nodes]
        work = one.stage, one.items, one.chunks, one.serial
        yield type(one.kernel).__name__, nodes, work, buffers.find(one.kernel)
    yield buffers.objects, buffers.count, buffers.arena_bytes, schedule.flushes
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
    return hashlib.sha256(repr((versions, host())).encode() + sources_digest()).digest()
