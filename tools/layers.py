"""The layer check: a file imports what stands below it, at the top of the file.

Here are the rules of this package; `layering/` checks them. By hand: python tools/layers.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from layering.check import House, check

ROOT = Path(__file__).resolve().parent.parent / "src" / "palingrad"

# From the ground up, folder by folder; `layering/order.py` says how to read it.
ORDER = {
    "": [
        ["errors", "version"],
        ["dtypes", "shapes", "trees"],
        ["sums", "windows"],
        ["maths"],
        ["graph"],
        ["ops"],
        ["autodiff"],
        ["passes"],
        ["engines"],
        ["programs", "signature"],
        ["tracing"],
        ["session", "function"],
        ["io"],
        ["view"],
        ["nn", "optim", "data"],
        ["train"],
        ["cli"],
    ],
    "engines": [["*"], ["native"], ["auto"], ["selection"]],
    "engines/native": [["llvm"], ["kernels"], ["plan"], ["runtime"], ["*"]],
    "engines/native/llvm": [["*"], ["functions"], ["maths"]],
    "engines/native/kernels": [["*"], ["gemm"], ["conv"], ["windowed"]],
    "view": [
        ["names", "binarize", "script"],
        ["nonfinite"],
        ["reading"],
        ["drawing"],
        ["page"],
        ["recording"],
        ["training"],
        ["drawings"],
    ],
    "view/drawing": [["layout"], ["*"], ["formats"]],
    "view/reading": [["mathematics", "source"]],
}

# Packages that nobody must have, and the one place that imports each: a file when it runs, a folder
# at the top of its files.
OPTIONAL = {
    "llvmlite": ["engines/native"],
    "rich": ["cli.py", "train/progress.py"],
    "typer": ["cli.py"],
    "pooch": ["data/fetch.py"],
    "safetensors": ["io/weights.py"],
    "tensorboardX": ["view/training/events.py"],
    "PIL": ["view/drawing/formats/png.py"],
}

# Files that import late, or modules whose names are computed.
LAZY = {
    "__init__.py": "nn, optim, data, io, train and view are imported when they are first used",
    "engines/native/engine.py": "the folder needs llvmlite; this file is there without it",
    "view/__init__.py": "each public name's file is imported when it is first used",
    "view/script.py": "runs the user's own file",
    "view/reading/source/copied.py": "reads the source file of a user's function",
}

CROWDED = {
    "ops": "one family of operations a file, side by side",
}

# How many classes of operations an engine imports: at most 10 is the aim, each with its reason.
OPERATION_LIMITS = {"engines": 8}
OPERATION_REASONS: dict[str, str] = {
    "Convolution": "a product of windows: a kernel reads them where they lie, in tiles",
    "ConvolutionInput": "the same kernel, which runs over the places of the input",
    "ConvolutionWeight": "a product over all places, in parts that are added up",
    "MaxPool": "a kernel that never stores the windows",
    "MaxPoolSelect": "the same kernel, which keeps the place of the largest element",
    "MaxPoolPlace": "finds the largest element again, so that no places are stored",
    "SumPool": "a kernel that never stores the windows",
    "SumPoolSpread": "the same sums over a rectangle, of the cotangent",
}

# How often files ask whether an object has an attribute; 0 is the aim.
ATTRIBUTE_LIMITS = {"engines/native": 2}

HOUSE = House(
    "palingrad",
    ORDER,
    OPTIONAL,
    LAZY,
    crowded=CROWDED,
    operation_limits=OPERATION_LIMITS,
    operation_reasons=OPERATION_REASONS,
    attribute_limits=ATTRIBUTE_LIMITS,
)


def main() -> int:
    report = check(ROOT, HOUSE)
    print("\n".join(report.problems or report.notes))
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
