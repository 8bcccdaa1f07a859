"""A description of the machine and of the versions of all packages."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import time
from pathlib import Path

PACKAGES = ("numpy", "llvmlite", "torch", "jax", "jaxlib")


def description(threads: int) -> list[str]:
    """The description as lines of text."""
    model, vectors = "unknown processor", ""
    if Path("/proc/cpuinfo").exists():
        text = Path("/proc/cpuinfo").read_text()
        lines = (line.split(":", 1) for line in text.splitlines() if ":" in line)
        model = next((value.strip() for key, value in lines if key.strip() == "model name"), model)
        vectors = next((f" ({one})" for one in ("avx512f", "avx2", "neon") if one in text), "")
    return [
        f"{model}{vectors}, {os.cpu_count()} cores, {threads} threads, {platform.system()} "
        f"{platform.release()} {platform.machine()}, {time.strftime('%Y-%m-%d')}",
        f"Python {platform.python_version()}, palingrad {_version('palingrad')} at {_commit()}, "
        + ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    ]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        commit = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        )
        changed = subprocess.run(
            [*git, "status", "--porcelain", "../src"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "an unknown commit"
    return commit.stdout.strip() + (" with changes" if changed.stdout.strip() else "")
