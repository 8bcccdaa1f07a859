"""Generated modules: run as files of their own, and shown to ruff, all of a test at once."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

IMPORTS = re.compile(r"^ *(?:import ([\w.]+)|from ([\w.]+) import )", re.MULTILINE)
PROJECT = Path(__file__).resolve().parents[3] / "pyproject.toml"


class Folder:
    """A folder of generated modules."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def load(self, source: Any) -> dict[str, Any]:
        """Save the module and run it: its names."""
        self.count += 1
        file = self.path / f"module_{self.count}.py"
        if source.arrays:
            source.save(file)
        else:  # `save` also waits until the disk has it
            file.write_text(source, encoding="utf-8")
        imported = [one or other for one, other in IMPORTS.findall(source)]
        # Special functions are the only ones that aren't copied; factorisations call SciPy's.
        calls = source.count("from palingrad.maths.library.special import special")
        factors = source.count("\ndef lapack(")
        expected = [*["palingrad.maths.library.special"] * calls, *["scipy.linalg"] * factors]
        assert sorted(imported) == ["numpy", *expected]
        assert calls == source.count("return special(")
        return runpy.run_path(str(file))

    def check(self) -> None:
        """ruff finds nothing: neither with its own rules nor with this project's, nor to format."""
        ruff = [sys.executable, "-m", "ruff"]
        own = ["--isolated", "--line-length", "100", "--no-cache", "--target-version", "py311"]
        for command in (
            [*ruff, "check", *own],
            [*ruff, "check", "--config", str(PROJECT), "--no-cache"],
            [*ruff, "format", "--check", "--diff", *own],
        ):
            found = subprocess.run([*command, str(self.path)], capture_output=True, text=True)
            assert found.returncode == 0, (found.stdout + found.stderr)[:6000]
