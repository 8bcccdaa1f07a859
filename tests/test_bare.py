"""With nothing but NumPy the library imports, computes and trains; the rest it imports late."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import palingrad

SOURCE = Path(palingrad.__file__).parent.parent

# Finds no package but Python's own, NumPy and this one, whatever is installed.
ONLY_NUMPY = """
import sys

class Blind:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        package = name.partition(".")[0]
        if package in sys.stdlib_module_names or package in ("numpy", "palingrad"):
            return self.finder.find_spec(name, path, target)
        return None

sys.meta_path[:] = map(Blind, sys.meta_path)
"""

TRAIN = """
import numpy as np
import palingrad as pg

x = np.linspace(-1, 1, 32)[:, None]
w, b = pg.Variable([[0.0]], dtype=float), pg.Variable([0.0])

@pg.function
def step(x, y):
    loss, (of_w, of_b) = pg.value_and_grad(lambda w, b: pg.mse(x @ w + b, y), (0, 1))(w, b)
    w.assign(w - 0.5 * of_w)
    b.assign(b - 0.5 * of_b)
    return loss

for _ in range(100):
    loss = step(x.astype(np.float32), (3 * x + 1).astype(np.float32))
assert loss < 1e-6, loss
print(pg.engine_names())
"""

LATE = [
    *["rich", "typer", "pooch", "safetensors", "matplotlib", "llvmlite", "jax", "onnx", "numba"],
    "numpy.random",
    "scipy",
]


def run(code: str) -> str:
    """What a fresh Python prints, warnings being errors."""
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(SOURCE), "PATH": ""},
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.mark.tiny
def test_a_graph_trains_with_nothing_but_numpy():
    assert run(ONLY_NUMPY + TRAIN) == "['numpy']\n"


@pytest.mark.tiny
def test_the_import_takes_nothing_along_that_it_may_need_later():
    loaded = run("import sys, palingrad; print(*sys.modules)").split()
    assert "numpy" in loaded
    assert [name for name in LATE if name in loaded] == []


def test_what_is_refused_here_is_really_refused():
    code = ONLY_NUMPY + "import rich"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "No module named 'rich'" in found.stderr
