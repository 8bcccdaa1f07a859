"""The first call of training steps, in fresh processes: with an empty cache, and with a filled one.

    python benchmarks/first_call.py [NAME …]     NAME: mlp, cnn, gpt-LAYERS, chain-NODES

Prints the seconds of the imports, of the first call and of a later one, which computes the same,
wall and CPU, and where the first call's CPU time went: all threads of the process together. Goals:
mlp 0.4 s, cnn 0.8 s, gpt-4 2 s, gpt-12 2.6 s in all with an empty cache, 0.10 s beyond the imports
with a filled one, chain-100000 2 s.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar

from process import surroundings

NAMES = ("mlp", "cnn", "gpt-4", "gpt-12", "chain-100000")
_NATIVE = "palingrad.engines.native"
# (phase, module, function).
PROBES = (
    ("trace", "palingrad.functions", "trace"),
    ("passes", "palingrad.programs", "optimise"),
    ("template key", f"{_NATIVE}.recalled", "template_key"),
    ("recall", f"{_NATIVE}.recalled", "RecalledExecutable"),
    ("lower", f"{_NATIVE}.plan.lower", "lowered"),
    ("schedule", f"{_NATIVE}.plan.schedule", "scheduled"),
    ("buffers", f"{_NATIVE}.executable", "BufferTable"),
    ("key", f"{_NATIVE}.executable", "program_key"),
    ("emit", f"{_NATIVE}.executable", "Module"),
    ("compile", f"{_NATIVE}.llvm.parts", "object_file"),
    ("load", f"{_NATIVE}.executable", "Library"),
)


class Phases(threading.local):
    """CPU seconds of all threads by phase; the time of an inner phase isn't counted for the outer
    one."""

    seconds: ClassVar[dict[str, float]] = {}

    def __init__(self) -> None:
        self._inner: list[float] = []

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        start = time.thread_time()
        self._inner.append(0.0)
        try:
            yield
        finally:
            spent = time.thread_time() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + spent - self._inner.pop()
            if self._inner:
                self._inner[-1] += spent

    def probe(self) -> None:
        """Measures the functions of PROBES from now on."""
        for name, module, function in PROBES:
            owner = importlib.import_module(module)
            found = getattr(owner, function)
            setattr(owner, function, self._measured(name, found))

    def _measured(self, name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(f)
        def measured(*given: Any, **options: Any) -> Any:
            with self.phase(name):
                return f(*given, **options)

        return measured


def step_of(name: str) -> Callable[[], float]:
    """The step of this name."""
    import networks
    from contenders.in_palingrad import Framework
    from transformer import Transformer

    kind, _, number = name.partition("-")
    framework = Framework(2, "native")
    if kind == "gpt":
        return framework.train_transformer(Transformer(int(number), 4, 128, tokens=64, batch=12))
    if kind == "chain":
        return chain(int(number))
    network = {
        "mlp": networks.mlp(784, 100, 20, 10, batch=64),
        "cnn": networks.cnn(28, 5, (32, 64), 512, 10, batch=128),
    }[name]
    return framework.train(network)


def chain(nodes: int) -> Callable[[], float]:
    """A chain of elementwise operations on one number, run once by NumPy."""
    import palingrad as pg

    @pg.function(engine="numpy")
    def run(x: Any) -> Any:
        for number in range(nodes // 2):
            x = pg.sin(x * (1 + number / nodes))
        return x

    return lambda: float(run(1.0))


def child(name: str, probed: bool) -> dict[str, Any]:
    """The figures of one process."""
    wall, cpu = time.perf_counter(), time.process_time()
    import palingrad as pg

    importlib.import_module(f"{_NATIVE}.recalled")
    imported, imported_cpu = time.perf_counter() - wall, time.process_time() - cpu
    phases = Phases()
    if probed:
        phases.probe()
    step = step_of(name)
    wall, cpu = time.perf_counter(), time.process_time()
    with phases.phase("rest"):
        value = step()
    found = {
        "import": imported, "import_cpu": imported_cpu, "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu, "value": value, "phases": dict(phases.seconds),
        "version": pg.__version__,
    }  # fmt: skip
    wall, cpu = time.perf_counter(), time.process_time()
    step()
    later = {"later": time.perf_counter() - wall, "later_cpu": time.process_time() - cpu}
    return found | later


def measured(name: str, cache: str) -> dict[str, Any]:
    """The figures of `child` in a process of its own, which keeps machine code in `cache`."""
    command = [sys.executable, __file__, "--child", name]
    environment = surroundings() | {"PALINGRAD_CACHE": cache}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main(names: list[str]) -> None:
    """Prints two lines for each name."""
    for name in names or NAMES:
        with tempfile.TemporaryDirectory() as cache:
            for state in ("cold", "cached"):
                found = measured(name, cache)
                parts = sorted(found["phases"].items(), key=lambda part: -part[1])
                shown = ", ".join(f"{key} {seconds:.2f}" for key, seconds in parts)
                print(
                    f"{name:12} {state:6} import {found['import']:.2f} "
                    f"call {found['wall']:6.2f} later {found['later']:.2f} s "
                    f"(CPU {found['import_cpu']:.2f}, {found['cpu']:6.2f}, "
                    f"{found['later_cpu']:.2f})  CPU by phase: {shown}",
                    flush=True,
                )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(child(sys.argv[2], probed=True)))
    else:
        main(sys.argv[1:])
