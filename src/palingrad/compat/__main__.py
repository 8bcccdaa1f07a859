"""python -m palingrad.compat HOME SCRIPT …: an unchanged script, run by palingrad.

    python -m palingrad.compat micrograd demo.py
    python -m palingrad.compat micrograd -m pytest test_engine.py

The names that the original is imported by are answered by palingrad's modules. `-m MODULE` runs a
module as Python does, a file whose name begins with `test_` is run by pytest.
"""

from __future__ import annotations

import importlib
import os
import runpy
import sys
from pathlib import Path

from ..messages.checks import did_you_mean
from . import HOMES
from .alias import install


def main(arguments: list[str]) -> int:
    """Runs the command line; returns the exit status."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        print("Homes:", ", ".join(HOMES))
        return 0
    home, *rest = arguments
    if home not in HOMES:
        print(f"there is no home {home!r}. {did_you_mean(home, HOMES)}", file=sys.stderr)
        print("Homes:", ", ".join(HOMES), file=sys.stderr)
        return 2
    if not rest or rest == ["-m"]:
        print(f"which script? python -m palingrad.compat {home} SCRIPT", file=sys.stderr)
        return 2
    for original in HOMES[home]:
        install(original, f"palingrad.compat.{home}")
    prepare = getattr(importlib.import_module(f"palingrad.compat.{home}"), "before_scripts", None)
    if prepare is not None:
        prepare()
    if rest[0] != "-m" and Path(rest[0]).name.startswith("test_"):
        rest = ["-m", "pytest", *rest]
    if rest[0] == "-m":
        sys.path.insert(0, os.getcwd())
        sys.argv = rest[1:]
        runpy.run_module(rest[1], run_name="__main__", alter_sys=True)
        return 0
    script = Path(rest[0])
    if not script.is_file():
        print(f"there is no file {script}", file=sys.stderr)
        return 2
    sys.argv = rest
    sys.path.insert(0, str(script.resolve().parent))
    runpy.run_path(str(script), run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
