"""The layer check: a file imports only from lower layers, at the top of the file.

This file declares the rules of the package, `layering/` checks them. Run: python tools/layers.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from layering.check import Rules, check

ROOT = Path(__file__).resolve().parent.parent / "src" / "palingrad"

# The layers of each folder, the lowest first; `layering/order.py` explains the notation.
ORDER = {
    "": [
        ["errors", "version", "classes"],
        ["files"],
        ["messages"],
        ["processes"],
        ["dtypes", "shapes", "trees"],
        ["sums"],
        ["maths"],
        ["graph"],
        ["ops"],
        ["fft", "linalg", "random"],
        ["autodiff"],
        ["passes"],
        ["engines"],
        ["signature"],
        ["programs"],
        ["tracing"],
        ["session", "functions", "eager"],
        ["sparse"],
        ["solvers"],
        ["scalars"],
        ["io"],
        ["onnx"],
        ["scale"],
        ["view"],
        ["proof"],
        ["nn", "optim", "data", "special", "stats"],
        ["models"],
        ["train"],
        ["serving"],
        ["cli"],
        ["compat"],
        ["loading"],
        ["__main__"],
    ],
    "eager": [["pullbacks"], ["*"]],
    "engines": [["*"], ["native", "xla"], ["auto"], ["selection"]],
    "engines/xla": [["jaxlib"], ["feeding"], ["mesh"], ["*"]],
    "engines/native": [["llvm"], ["kernels"], ["plan"], ["runtime"], ["*"]],
    "engines/native/llvm": [["*"], ["functions"], ["maths"]],
    "engines/native/kernels": [["*"], ["gemm"], ["attention", "conv", "factor"], ["windowed"]],
    "view": [
        ["names", "binarize", "script"],
        ["scopes"],
        ["derivatives", "rewriting"],
        ["simplified"],
        ["nonfinite"],
        ["reading"],
        ["drawing"],
        ["page"],
        ["lessons"],
        ["recording"],
        ["training"],
        ["drawings"],
    ],
    "view/drawing": [["layout"], ["*"], ["formats"]],
    "view/reading": [["mathematics", "source"], ["translation"]],
}

# Optional packages, and the places that may import them: a file does so when it runs, a folder at
# the top of its files.
OPTIONAL = {
    "llvmlite": ["engines/native"],
    "jax": ["engines/xla", "scale/runtime.py"],
    "rich": ["cli", "__main__.py", "train/progress.py"],
    "typer": ["cli", "__main__.py"],
    "pooch": ["data/fetch.py"],
    "safetensors": ["io/weights.py"],
    "tensorboardX": ["view/training/events.py"],
    "scipy": [
        "maths/matrices",
        "maths/special",
        "engines/native/llvm/library_functions.py",
        "compat/autograd/scipy",
        "sparse/sparsity.py",
        "sparse/operators/base.py",
        "solvers",
    ],
    "onnx": ["onnx"],
    "orjson": ["serving"],
    "starlette": ["serving"],
    "uvicorn": ["serving"],
    "PIL": ["view/drawing/formats/png.py", "data/image_folder.py"],
}

# Files that import inside functions, or import modules whose names are computed.
LAZY = {
    "files/atomic.py": "only POSIX has fcntl",
    "messages/checks.py": "difflib is imported for the first message that needs it",
    "maths/blas.py": "threadpoolctl is imported for the first product that needs it",
    "maths/library/special.py": "the formulas need SciPy, and are imported when first used",
    "__init__.py": "subpackages and families of operations are imported when they are first used",
    "loading.py": "imports while the garbage collector pauses",
    "fft/__init__.py": "explains names that don't exist",
    "linalg/__init__.py": "explains names that don't exist",
    "random/__init__.py": "explains names that don't exist",
    "models/__init__.py": "explains names that don't exist",
    "nn/__init__.py": "explains names that don't exist",
    "optim/__init__.py": "explains names that don't exist",
    "io/__init__.py": "explains names that don't exist",
    "data/__init__.py": "explains names that don't exist",
    "special/__init__.py": "explains names that don't exist",
    "stats/__init__.py": "explains names that don't exist",
    "train/__init__.py": "explains names that don't exist",
    "scale/__init__.py": "explains names that don't exist",
    "onnx/__init__.py": "the folders need the package onnx, which is optional",
    "serving/__init__.py": "the server needs Starlette and uvicorn, which are optional",
    "engines/native/engine.py": "the folder needs llvmlite; this file works without it",
    "engines/native/runtime/bytecode.py": "imports nothing: importlib says where bytecode is kept",
    "engines/xla/engine.py": "the folder needs JAX; this file works without it",
    "engines/native/llvm/library_functions.py": "modules of C functions are imported when code "
    "first calls one, and NumPy's is private",
    "view/__init__.py": "each public name's file is imported when it is first used",
    "graph/state/imports.py": "imports what the other files of this list name",
    "view/script.py": "runs the user's own file",
    "compat/alias.py": "imports the modules of a home under the original's names",
    "compat/__main__.py": "runs the user's own script",
    "compat/matrixslow/core/graph.py": "draws with networkx and Matplotlib, which are optional",
    **{
        f"compat/tf1/{name}.py": "explains names that don't exist"
        for name in (
            "__init__",
            "compat/v1/__init__",
            "contrib/__init__",
            "contrib/layers",
            "contrib/rnn",
            "layers/__init__",
            "losses",
            "nn/__init__",
            "summary",
            "train/__init__",
        )
    },
    "compat/tensorslow/__init__.py": "the default graph, which changes, is an attribute",
    "proof/find.py": "imports the module that a user names",
    "view/reading/source/copied.py": "reads the source file of a user's function",
}

# The number of operation classes that an engine may import (the aim is at most 10), with reasons.
OPERATION_LIMITS = {"engines": 9}
OPERATION_REASONS: dict[str, str] = {
    "Convolution": "a matrix product of windows, which the kernel reads in place, in tiles",
    "ConvolutionInput": "the same kernel, over the positions of the input",
    "ConvolutionWeight": "a matrix product over all positions, split along them",
    "Multiply": "attention's kernel multiplies by 1/√depth what it packs (0.6 of 75 ms a GPT step)",
    "MaxPool": "a kernel that never stores the windows",
    "MaxPoolSelect": "the same kernel, which selects at the largest element",
    "MaxPoolPlace": "finds the largest element again, so that no indices are stored",
    "SumPool": "a kernel that never stores the windows",
    "SumPoolSpread": "the same sums over a rectangle of the cotangent",
}

# The number of attribute tests (hasattr, getattr with a default) in a folder; the aim is 0.
ATTRIBUTE_LIMITS = {"engines/native": 2}

RULES = Rules(
    "palingrad",
    ORDER,
    OPTIONAL,
    LAZY,
    operation_limits=OPERATION_LIMITS,
    operation_reasons=OPERATION_REASONS,
    attribute_limits=ATTRIBUTE_LIMITS,
)


def main() -> int:
    report = check(ROOT, RULES)
    print("\n".join(report.problems or report.notes))
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
