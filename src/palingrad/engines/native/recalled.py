"""Executables from the cache that need neither passes nor a plan: what their runs need is kept on
disk beside the machine code, by a key of the Program before the passes.

The Program is optimised and planned only when somebody asks for it: to explain it, or for the words
of an error.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ...graph.declared.bounds import Bounds
from ...graph.leaves import Variable
from ...graph.operation import Operation
from ...graph.registry import name_of, operations
from ...passes.program import Program
from ...shapes import sizes
from ..base import Executable
from .executable import NativeExecutable
from .kernels.control import Control
from .kernels.loop.kernel import EndlessInRegisters, InRegisters
from .module import segments
from .plan.lower import lowered
from .plan.schedule import Schedule, scheduled
from .report import explained
from .run_plan import RunPlan
from .runtime import cache
from .runtime.buffers import BufferTable, Memory, MemoryPlan
from .runtime.cache_key import are_untouched, kinds_of, template_key

_MOST = 1 << 20  # bytes of constants that are kept beside a program's code

Kept = tuple[Any, ...]  # what `marshal` writes: the code's key, then as `_kept` returns it


def compiled(template: Program, optimised: Callable[[], Program], make: Any) -> Executable:
    """The executable of a Program before the passes: recalled from disk if it is there, else
    `make(optimised())`, which is kept."""
    key = template_key(template)
    if key is None:
        return make(optimised())
    variables = _variables(template)
    found = cache.recalled(key, lambda content: marshal.loads(content)[0])
    if found is not None:
        kept: Kept = marshal.loads(found[0])
        if _still_holds(kept):
            return RecalledExecutable(variables, optimised, kept, found[1])
    executable = make(optimised())
    if type(executable) is NativeExecutable:
        content = _kept(executable, variables)
        if content is not None:
            cache.keep(key, content)
    return executable


def _variables(template: Program) -> list[Variable]:
    """The Variables of a Program in an order that its key determines."""
    found = dict.fromkeys(node for node in template.order if isinstance(node, Variable))
    return [*(found | dict.fromkeys(variable for variable, _ in template.updates))]


def _kept(executable: NativeExecutable, variables: list[Variable]) -> bytes | None:
    """What a RecalledExecutable needs, as bytes; None where it needs nodes."""
    buffers, program, plan = executable.buffers, executable.program, executable.plan.in_numbers()
    number = {variable: place for place, variable in enumerate(variables)}
    updated = [variable for variable, _ in program.updates]
    needed = {*program.reads, *updated}
    whole = plan is not None and 0 < executable.plan.starts == len(segments(executable.schedule))
    if not (executable.key and whole and needed <= number.keys()):
        return None
    if sum(array.nbytes for array in buffers.fixed.values()) > _MOST:
        return None
    kinds = sorted(
        {name_of(type(node)) for node in _operations(program, executable.schedule)}
        | set(map(name_of, kinds_of(program.order)))
    )
    content: Kept = (
        executable.key,
        tuple(kinds),
        plan,
        tuple(number[variable] for variable in program.reads),
        tuple(number[variable] for variable in updated),
        buffers.given,
        tuple((sizes(shape), dtype.str) for shape, dtype in buffers.results),
        tuple(
            (slot, array.dtype.str, array.shape, array.tobytes())
            for slot, array in buffers.fixed.items()
        ),
        buffers.count,
        (buffers.arena_bytes, buffers.control_bytes),
        tuple((slot, check.low, check.high) for slot, check in buffers.checks),
    )
    try:
        return marshal.dumps(content)
    except ValueError:  # a number of NumPy's
        return None


def _operations(program: Program, schedule: Schedule) -> list[Operation]:
    """The operations of a Program, and of the regions that run within its machine code."""
    found = [node for node in program.order if isinstance(node, Operation)]
    for one in schedule.kernels:
        if isinstance(one.kernel, Control):
            for region in one.kernel.regions:
                found += _operations(region.program, region.schedule)
        if isinstance(one.kernel, (InRegisters, EndlessInRegisters)):
            found += one.kernel.plan.operations()
    return found


def _still_holds(kept: Kept) -> bool:
    """Whether the operations of the kept Program are as the library has them. One that isn't
    imported yet is."""
    return are_untouched([kind for name in kept[1] if (kind := operations.get(name)) is not None])


class RecalledExecutable(NativeExecutable):
    """A Program as machine code, of which only what runs need has been loaded."""

    def __init__(
        self, variables: list[Variable], optimised: Callable[[], Program], kept: Kept, code: bytes
    ) -> None:
        key, _, plan, reads, updated, *memory = kept
        self._bind(tuple(variables[n] for n in reads), tuple(variables[n] for n in updated))
        self._recipe = _Recipe(optimised)
        self.buffers = cast(BufferTable, _Recalled(self._recipe, *memory))
        self.from_cache, self.unkept, self.key = True, "", key
        self._load(code, RunPlan.from_numbers(plan))
        self._quick = self._shortest()

    @property
    def program(self) -> Program:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The Program, lowered."""
        return self._recipe.program

    @property
    def schedule(self) -> Schedule:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The schedule, made anew."""
        return self._recipe.schedule

    @property
    def table(self) -> BufferTable:
        return self._recipe.buffers

    def emitted(self) -> str:
        return NativeExecutable(self.program, self.schedule).emitted()

    def explain(self) -> str:
        recipe = self._recipe
        return explained(recipe.program, recipe.schedule, recipe.buffers, True, "")


class _Recipe:
    """The Program, its schedule and its buffers, each made when it is first asked for."""

    def __init__(self, optimised: Callable[[], Program]) -> None:
        self._optimised = optimised
        self._made: tuple[Program, Schedule, BufferTable] | None = None

    def _all(self) -> tuple[Program, Schedule, BufferTable]:
        if self._made is None:
            program = lowered(self._optimised())
            schedule = scheduled(program)
            self._made = program, schedule, BufferTable(program, schedule)
        return self._made

    @property
    def program(self) -> Program:
        """The Program, lowered."""
        return self._all()[0]

    @property
    def schedule(self) -> Schedule:
        """Its schedule."""
        return self._all()[1]

    @property
    def buffers(self) -> BufferTable:
        """Its buffers."""
        return self._all()[2]


class _Recalled(MemoryPlan):
    """The memory of a recalled Program's runs. Checks raise the errors of the Program's nodes."""

    def __init__(
        self, recipe: _Recipe, given: int, results: Any, fixed: Any, count: int, sizes: Any,
        checks: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            given=given,
            results=[(shape, np.dtype(dtype)) for shape, dtype in results],
            fixed={
                slot: np.frombuffer(content, dtype).reshape(shape)
                for slot, dtype, shape, content in fixed
            },
            from_numpy=(),
            count=count,
            sizes=sizes,
        )
        self._recipe = recipe
        self.checks = [
            (slot, Bounds(cast(Any, None), low, high, self._error(number)))
            for number, (slot, low, high) in enumerate(checks)
        ]

    def _error(self, number: int) -> Callable[[int, int], Exception]:
        recipe = self._recipe
        return lambda least, most: recipe.buffers.checks[number][1].error(least, most)

    @property
    def bounds_checks(self) -> Any:
        """The kernels that check computed integers."""
        return self._recipe.buffers.bounds_checks

    def diagnostics(self, owner: Any, memory: Memory) -> list[int]:
        """As `BufferTable.diagnostics`, which places them alike."""
        return self._recipe.buffers.diagnostics(owner, memory)
