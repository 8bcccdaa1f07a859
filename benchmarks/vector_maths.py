"""The native engine's functions and NumPy's ufuncs: ns per element on 10⁴ numbers.

python benchmarks/vector_maths.py [name ...]
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir

from palingrad.engines.native.llvm.loops import integer, read, vectors, write
from palingrad.engines.native.llvm.maths import NativeMaths
from palingrad.engines.native.llvm.target import Library, host, machine_code
from palingrad.maths import numpy_maths
from palingrad.ops.elementwise.activation import Gelu, GeluTanh, Sigmoid, Softplus

COUNT, ROUNDS, TIMES = 10_000, 15, 20
POSITIVE = (1e-3, 1e3)
# The arguments of each function: numbers evenly spaced between two bounds.
RANGES = {
    "exp": (-20, 20), "exp2": (-20, 20), "expm1": (-5, 5), "log": POSITIVE, "log2": POSITIVE,
    "log10": POSITIVE, "log1p": (-0.9, 10), "sinh": (-5, 5), "cosh": (-5, 5), "tanh": (-3, 3),
    "arcsinh": (-9, 9), "arccosh": (1, 9), "arctanh": (-1, 1), "sin": (-20, 20), "cos": (-20, 20),
    "tan": (-20, 20), "arcsin": (-1, 1), "arccos": (-1, 1), "arctan": (-9, 9), "sqrt": POSITIVE,
    "cbrt": (-9, 9), "erf": (-3, 3), "erfc": (-3, 3),
    "sigmoid": (-9, 9), "softplus": (-9, 9), "gelu": (-5, 5), "gelu_tanh": (-5, 5),
}  # fmt: skip
PAIRS = {
    "power": (0.1, 9), "hypot": (-9, 9), "arctan2": (-9, 9), "logaddexp": (-9, 9),
    "floor_divide": (1, 99), "mod": (1, 99),
}  # fmt: skip
FORMULAS: dict[str, Any] = {
    "sigmoid": Sigmoid, "softplus": Softplus, "gelu": Gelu, "gelu_tanh": GeluTanh
}  # fmt: skip


def formula(name: str, maths: Any) -> Callable[..., Any]:
    """The function of this name in a maths namespace."""
    if name in FORMULAS:
        return lambda x: FORMULAS[name].f(maths, x)
    return getattr(maths, name)


def compiled(name: str, inputs: list[Any], result: Any) -> Callable[[], None]:
    """A function that calls generated code for all elements of the result."""
    dtype = result.dtype
    module = ir.Module()
    pointer = ir.IntType(8).as_pointer()
    signature = ir.FunctionType(ir.VoidType(), [pointer.as_pointer()])
    builder = ir.IRBuilder(ir.Function(module, signature, "go").append_basic_block())
    table = builder.function.args[0]
    places = range(len(inputs) + 1)
    *sources, target = (builder.load(builder.gep(table, [integer(n)])) for n in places)

    def body(index: Any, lanes: int) -> None:
        values = [read(builder, source, dtype, index, lanes, 1) for source in sources]
        write(builder, target, formula(name, NativeMaths())(*values), index)

    vectors(builder, len(result), host().lanes(dtype.itemsize), body)
    builder.ret_void()
    library = Library(machine_code(str(module)))
    call = library.function("go")
    pointers = (ctypes.c_void_p * len(places))(*(x.ctypes.data for x in (*inputs, result)))
    address = ctypes.addressof(pointers)

    def run(_keep: Any = (library, pointers, inputs, result)) -> None:
        call(address)

    return run


def nanoseconds(call: Callable[[], Any]) -> float:
    """The time of a call per element, in ns."""
    start = time.perf_counter()
    for _ in range(TIMES):
        call()
    return (time.perf_counter() - start) / TIMES / COUNT * 1e9


def measured(name: str, dtype: Any) -> tuple[float, float]:
    """The fastest rounds of generated code and of NumPy."""
    low, high = RANGES.get(name) or PAIRS[name]
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(low, high, COUNT).astype(dtype) for _ in range(1 + (name in PAIRS))]
    ours = compiled(name, inputs, np.empty(COUNT, dtype))
    theirs = formula(name, numpy_maths)
    rounds = [(nanoseconds(ours), nanoseconds(lambda: theirs(*inputs))) for _ in range(ROUNDS)]
    return min(one for one, _ in rounds), min(other for _, other in rounds)


def main() -> None:
    names = sys.argv[1:] or [*RANGES, *PAIRS]
    print(f"{'ns an element':14} {'float32':>8} {'NumPy':>8} {'float64':>8} {'NumPy':>8}")
    for name in names:
        row = [number for dtype in (np.float32, np.float64) for number in measured(name, dtype)]
        print(f"{name:14} " + " ".join(f"{number:8.2f}" for number in row))


if __name__ == "__main__":
    main()
