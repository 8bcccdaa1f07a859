"""The footprint of each framework: import time, compile time, memory, disk space."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from contenders import CONTENDERS, NATIVE, PEERS
from process import Process, WorkerError, surroundings
from timing import spread

IMPORTS = {"palingrad": "palingrad", "NumPy": "numpy", "PyTorch": "torch", "JAX": "jax.numpy"}
INSTALLS = {"palingrad": ("palingrad", "llvmlite"), "palingrad alone": ("palingrad",),
            "NumPy": ("numpy",), "PyTorch": ("torch",), "JAX": ("jax",)}  # fmt: skip
COMPILED = ("mlp_small", "cnn")
TRAINED = ("mlp_large", "cnn")
STEPS = 20
CLOCKED = "import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
# Environment variables that name each framework's cache of compiled code.
CACHES = (
    "XDG_CACHE_HOME",
    "PALINGRAD_CACHE",
    "TORCHINDUCTOR_CACHE_DIR",
    "JAX_COMPILATION_CACHE_DIR",
)
KEEP_ALL = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


def measured(threads: int) -> dict[str, Any]:
    """All figures by contender; figures that can't be measured are left out."""
    names = [one for one in (NATIVE, *PEERS) if CONTENDERS[one].missing() is None]
    return {
        "compiling": {task: compiling(task, names, threads) for task in COMPILED},
        "memory": {task: memory(task, names, threads) for task in TRAINED},
        "importing": importing(),
        "installed": {name: installed(roots) for name, roots in INSTALLS.items()},
    }


def compiling(task: str, names: list[str], threads: int, rounds: int = 3) -> dict[str, Any]:
    """Seconds to build the step and run it once, without the import: with an empty cache, and in a
    new process with the cache that the first process filled. Medians."""
    found: dict[str, Any] = {}
    for name in names:
        cold, warm = [], []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                environment = dict.fromkeys(CACHES, folder) | KEEP_ALL
                for times in (cold, warm):
                    process = Process(name, threads, environment)
                    try:
                        process.ask("ready")
                        times.append(process.ask("make", task=task, case=0))
                    except WorkerError:
                        break
                    finally:
                        process.end()
        if warm:
            found[name] = {"cold": statistics.median(cold), "cached": statistics.median(warm)}
    return found


def memory(task: str, names: list[str], threads: int) -> dict[str, Any]:
    """Resident memory in MB after the import, and its peak over some training steps."""
    found: dict[str, Any] = {}
    for name in names:
        process = Process(name, threads)
        try:
            process.ask("ready")
            imported = process.ask("memory")["now"]
            process.ask("make", task=task, case=0)
            process.ask("turn", times=STEPS)
            found[name] = {"imported": imported, "peak": process.ask("memory")["peak"]}
        except WorkerError:
            continue
        finally:
            process.end()
    return found


def importing(rounds: int = 9) -> dict[str, Any]:
    """Seconds of an import in a new process, measured in that process; the packages take turns."""
    there = {
        name: module
        for name, module in IMPORTS.items()
        if importlib.util.find_spec(module.partition(".")[0])
    }
    times: dict[str, list[float]] = {name: [] for name in there}
    for number in range(rounds + 1):
        for name, module in there.items():
            code = CLOCKED.format(module=module)
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, check=True, env=surroundings()
            )
            if number:  # the first import reads from the disk
                times[name].append(float(done.stdout))
    return {name: vars(spread(values)) for name, values in times.items()}


def installed(roots: tuple[str, ...]) -> float | None:
    """The size in MB of these packages and their dependencies, without bytecode."""
    wanted, seen = list(roots), set[str]()
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
        if name in seen:
            continue
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            if name in roots:
                return None
            continue
        seen.add(name)
        wanted += [re.split(r"[^\w.-]", need)[0] for need in needs if "extra ==" not in need]
    return sum(map(size, seen)) / 1e6


def size(package: str) -> float:
    """The size in bytes of the files of one package."""
    if package == "palingrad":  # an editable install
        spec = importlib.util.find_spec("palingrad")
        assert spec
        assert spec.origin
        files = [one for one in Path(spec.origin).parent.rglob("*") if one.is_file()]
    else:
        files = [Path(str(one.locate())) for one in importlib.metadata.files(package) or []]
    return sum(one.stat().st_size for one in files if one.suffix != ".pyc" and one.exists())
