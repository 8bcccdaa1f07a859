"""How long an import takes in a fresh process, as the process itself measures it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable


def timed(module: str) -> Callable[[], float]:
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"

    def measure() -> float:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        return float(done.stdout)

    return measure


def contenders() -> dict[str, Callable[[], float]]:
    return {"import palingrad": timed("palingrad"), "import numpy": timed("numpy")}
