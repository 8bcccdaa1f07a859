"""docs/native.md is true: its examples run, and its worked example is the generated code."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

from llvmlite import binding

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "native.md"


def test_each_example_runs():
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    found = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags)
    assert found.attempted >= 8
    assert found.failed == 0


def test_the_worked_example_is_what_is_generated():
    command = [sys.executable, str(ROOT / "tools" / "native_example.py"), "--check"]
    environment = {**os.environ, "PALINGRAD_CACHE": "off"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_worked_example_is_in_llvms_language():
    found = re.search(r"```llvm\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    binding.parse_assembly(found[1]).verify()
