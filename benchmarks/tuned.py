"""The native engine's tuned constants with the cases that depend on them, and all other numbers.

What follows from the sizes of the caches isn't tuned (`kernels/gemm/blocking.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

ENGINE = "palingrad.engines.native"
Cases = tuple[tuple[str, int], ...]  # tasks and numbers of their cases


@dataclass(frozen=True)
class Constant:
    """A module's constant, and the cases of tasks whose code depends on it."""

    module: str
    name: str
    cases: Cases

    @property
    def title(self) -> str:
        """Module and name."""
        return f"{self.module}.{self.name}"

    @property
    def value(self) -> float:
        """The constant as it is."""
        return getattr(import_module(f"{ENGINE}.{self.module}"), self.name)

    def changed(self, factor: float) -> dict[str, str]:
        """The environment of a worker that changes the constant before anything is compiled."""
        value = type(self.value)(self.value * factor)
        return {"BENCHMARK_CONSTANT": f"{ENGINE}.{self.module}:{self.name}={value}"}


_MLPS: Cases = (("mlp_small", 0), ("mlp_large", 0), ("mlp_others", 4))
_PRODUCTS: Cases = (("mlp_large", 0), ("mlp_others", 4), ("matmul", 3), ("matmul", 10))
_GPT: Cases = (("transformer_small", 0),)
_CNN: Cases = (("cnn", 0), ("cnn_others", 0))
_ROWS: Cases = (("softmax", 1), ("layer_norm", 1), *_GPT)
_THIN: Cases = (("inference", 0), ("inference", 1), ("matmul_shapes", 0))
_SPLIT: Cases = (*_THIN, ("matmul_shapes", 7), *_MLPS[:2])
_DOTS: Cases = (("matmul_shapes", 1), ("matmul_shapes", 3))
_ELEMENTS: Cases = (("gelu", 1), ("chain", 1), *_MLPS[:1])
_SUMS: Cases = (("logsumexp", 1), ("layer_norm", 1))
_SCANS: Cases = (("arrays", 14), ("arrays", 17))
_FACTORS: Cases = (("arrays", 22), ("arrays", 25))
_LOOPS: Cases = (("recurrence", 0), ("lstm", 0))
_ALL: Cases = (*_MLPS, *_GPT)
_CASES: dict[str, dict[str, Cases]] = {
    "kernels.gemm.blocking": {
        "_ROWS": (*_PRODUCTS, *_GPT), "_STRIP": (*_PRODUCTS, *_GPT),
        "_TRAFFIC": (*_PRODUCTS, *_GPT),
    },
    "kernels.gemm.panels": {"_DEPTH": _PRODUCTS, "_RIGHT": (*_PRODUCTS, *_GPT)},
    "kernels.gemm.family": {"_LARGE": (*_PRODUCTS, *_MLPS[:1], *_GPT)},
    "kernels.gemm.small": {
        "DEPTH": (("matmul_shapes", 8), *_MLPS[:1]), "_LITTLE": (("matmul_shapes", 8), *_MLPS[:1]),
    },
    "kernels.gemm.microkernel": {"_AHEAD": _PRODUCTS, "_NEXT": (*_PRODUCTS, *_MLPS[:1])},
    "kernels.gemm.dot": {"_STREAMS": _DOTS},
    "kernels.gemm.split_k": {
        "_SHARE": _SPLIT, "_THIN": _SPLIT, "_DEEP": _SPLIT, "_PART": _SPLIT, "_SUMS": _SPLIT,
        "_MOST": _SPLIT, "_TERMS": _SPLIT, "_AHEAD": _THIN, "_BLOCK": _SPLIT,
    },
    "kernels.attention.plan": {"_BLOCK": _GPT, "_TOGETHER": _GPT, "_STACK": _GPT},
    "plan.attention.find": {"_LEAST": _GPT, "_DEPTH": _GPT},
    "kernels.conv.plans": {"_TERMS": _CNN, "_MOST": _CNN, "_ITEMS": _CNN, "_SUMS": _CNN},
    "kernels.conv.weight_gradient": {"_LENGTH": _CNN},
    "kernels.conv.pooling": {"_UNROLLED": _CNN},
    "kernels.conv.depthwise": {"_PLACES": _CNN, "_UNROLLED": _CNN},
    "kernels.elementwise.loop_nest": {"BLOCK": _ELEMENTS},
    "kernels.formula": {"_LONG": _ELEMENTS},
    "kernels.reducers": {"BLOCK": (*_SUMS, *_DOTS)},
    "kernels.reduction_plan": {"STREAMS": _SUMS, "_PART": _SUMS},
    "kernels.row": {
        "_ROW": _ROWS, "_SHORT": _ROWS, "_FEW": _ROWS, "_STREAMS": _ROWS, "_MANY": _ROWS,
    },
    "plan.fusion": {"_ROW": _ROWS},
    "kernels.movement.gather_scatter": {
        "_BLOCKS": (("arrays", 11),), "_UNROLLED": (("arrays", 8), ("arrays", 11)),
    },
    "kernels.scan.plan": {"_STREAMS": _SCANS},
    "kernels.scan.kernel": {"_STEP": _SCANS},
    "kernels.factor.lu": {"_BLOCK": _FACTORS[:1]},
    "kernels.factor.panels": {"_VECTORS": _FACTORS},
    "kernels.factor.substitution": {"_VECTORS": _FACTORS, "_HEIGHT": _FACTORS},
    "kernels.factor.stages": {"NS": _FACTORS},
    "kernels.loop.operations": {"_PARTS": _LOOPS, "_WIDE": _LOOPS, "_CHAIN": _LOOPS},
    "kernels.loop.plan": {"MOST": _LOOPS, "_ELEMENTS": _LOOPS, "_BYTES": _LOOPS},
    "kernels.control": {"_STEP": _LOOPS},
    "llvm.loops": {"PREFETCH_DISTANCE": (*_ELEMENTS, *_ROWS)},
    "plan.schedule": {"_CHUNK": _ALL, "_MOST": _ALL, "_SERIAL": _ALL},
    "plan.joining.membership": {"_LIVE": _GPT},
    "plan.joining.sinking": {"_MAX_SUNK": _GPT, "_MANY": _GPT, "_LIGHT": _GPT},
    "runtime.thread_pool": {"_SPINS": _ALL, "_PATIENCE": _ALL},
}  # fmt: skip
CONSTANTS = tuple(
    Constant(module, name, cases)
    for module, names in _CASES.items()
    for name, cases in names.items()
)

# Numbers of modules that aren't tuned, and why not.
_LIMITS = "bounds memory, time or text; what is beyond it is refused, deleted or done otherwise"
_LAYOUT = "a place or a bit in memory that two parts of the engine agree on"
_HARDWARE = "what all CPUs of a kind have in common"
_ODE = "of code that no task here has; measured by `benchmarks/twelve.py ode`"
_BUNDLE = "of code that no task here has; measured by `benchmarks/twelve.py ba`"
_HAND = "of code that no task here has; measured by `benchmarks/twelve.py ht`"
NOT_TUNED: Mapping[str, Mapping[str, str]] = {
    "control.emit": {"BROKEN": _LAYOUT},
    "control.signals": {"INTERRUPTED": _LAYOUT},
    "executable": {"TIMES": _LAYOUT, "_CALL_SECONDS": _LIMITS},
    "kernels.attention.plan": {"_LINE": _HARDWARE},
    "kernels.control": {"_LINE": _HARDWARE, "PATIENCE": _LIMITS, "BRIEF": _ODE},
    "kernels.elementwise.short_rows": {"_ROWS": _HAND, "_SHORT": _HAND, "_WORK": _HAND},
    "kernels.factor.family": {"_MOST": _LIMITS},
    "kernels.formula": {"_MOST": _LIMITS},
    "kernels.gemm.panels": {"_PAGE": _HARDWARE},
    "kernels.library.factors": {"_MOST": _LIMITS},
    "kernels.loop.kernel": {"_LONG": _ODE},
    "kernels.loop.plan": {"_SECONDS": _LIMITS, "_INSTRUCTION": _LIMITS, "_GUESS": _LIMITS},
    "kernels.loop.registers": {"NOTHING": _LAYOUT},
    "kernels.stencil.alignment": {"EDGE": _ODE, "MOST_DEPTH": _ODE, "MOST_LAG": _ODE},
    "kernels.stencil.kernel": {"BLOCK": _ODE},
    "llvm.caches": {"LINE": _HARDWARE},
    "llvm.flush_denormals": {"_MXCSR": _HARDWARE, "_FPCR": _HARDWARE},
    "llvm.library_functions": {"_ARRAY_FUNCTIONS": _LAYOUT, "_SORT": _LAYOUT},
    "llvm.objects": {"_EXECUTABLE": _LAYOUT},
    "llvm.parts": {
        "_LINES": "of compile time, not of the code's", "_INTERVAL": "of compile time, too",
    },
    "native_loops": {"TIMES": _LAYOUT, "_CALL_SECONDS": _LIMITS, "_FIRST": _LIMITS},
    "kernels.movement.transposition": {"_LANES": _LIMITS, "_ROWS": _HAND, "_COLUMNS": _HAND},
    "plan.attention.find": {"_MOST": _LIMITS, "_MATRICES": "one for each of two threads"},
    "plan.attention.factors": {"_MOST": _LIMITS},
    "plan.buffer_planner": {"_ALIGNMENT": _HARDWARE},
    "plan.joining.gathers": {"_READERS": _HAND},
    "plan.joining.membership": {"_LOOP": _BUNDLE},
    "plan.joining.reductions": {"_LOOP": _HAND},
    "plan.joining.stencils": {"SHORTEST": _ODE, "_MOST": _ODE},
    "plan.lower": {"TERMS": "bounds the rounding error (docs/numerics.md)"},
    "plan.schedule": {"MAX_CHUNKS": _LAYOUT},
    "recalled": {"_MOST": _LIMITS},
    "report": {"_WIDTH": _LIMITS, "_NAMES": _LIMITS},
    "runtime.array_fields": {"READABLE": _LAYOUT},
    "runtime.buffers": {"_LINE": _HARDWARE},
    "runtime.bytecode": {"_HEADER": _LAYOUT, "_WORD": _LAYOUT},
    "runtime.cache": {"_MOST": _LIMITS},
    "runtime.cache_key": {"_MOST": _LIMITS},
    "runtime.kernel_store": {"_BYTES": _LIMITS, "_MOST": _LIMITS, "_SELDOM": _LIMITS,
                             "_written": "a counter"},
    "runtime.lease": {"_FORK_PATIENCE": _LIMITS, "_UNCONFIRMED": _LAYOUT},
    "runtime.lease_words": {"REFUSED": _LAYOUT},
    "runtime.sources": {"_MOST": _LIMITS, "_RACE": _LIMITS},
    "runtime.thread_pool": {"DEQUES": _LAYOUT},
    "runtime.work_stealing": {"_BITS": _LAYOUT, "_LATER": _LAYOUT},
}  # fmt: skip
