"""Runs the original libraries' own tests and examples with palingrad in their place.

    python tools/homes.py NAME --source FOLDER

FOLDER is a checkout of the original, which the user brings; nothing of it is in this repository.
Prints what passed and what failed; the exit status is 1 if something failed that EXPECTED doesn't
explain. docs/homes.md has the counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Plots and pictures of the originals' examples are drawn by nobody here.
_STUB = """
import sys
from importlib.util import find_spec
from types import ModuleType


class Anything(ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything(name)

    def __call__(self, *args, **kwargs):
        return self


for name in ("matplotlib", "graphviz"):
    if find_spec(name) is None:
        sys.modules[name] = Anything(name)
        sys.modules[name + ".pyplot"] = Anything("pyplot")
"""


@dataclass(frozen=True)
class Original:
    """Where an original's tests and examples are, and which of them fail and why."""

    tests: tuple[str, ...] = ()  # files or folders for pytest
    scripts: tuple[str, ...] = ()  # patterns of scripts, each of which must end without an error
    expected: tuple[tuple[str, str], ...] = ()  # (part of a test's name, why it fails here)


ORIGINALS = {
    "autograd": Original(
        tests=("tests",),
        expected=(
            ("test_systematic.py::test_max", "complex numbers have no order"),
            ("test_systematic.py::test_min", "complex numbers have no order"),
            ("test_scipy.py::test_erf", "erf and erfc are of real numbers"),
            ("test_wrappers.py::test_dtypes", "floats have up to 64 bits"),
            ("test_wrappers.py::test_wrapped_name_and_docs", "docstrings have their own words"),
            ("test_linalg.py::test_pinv", "calls numpy.linalg._dot, which is private there"),
            ("test_fft.py::test_rfftn_odd_not_implemented", "odd sizes are implemented here"),
        ),
    ),
    "mlfz": Original(tests=("tests/test_nn", "tests/test_functional")),
    "micrograd": Original(tests=("test",)),
    "tensorslow": Original(scripts=("examples/*.py",)),
}


def results(original: Original, home: str, source: Path) -> Iterator[tuple[str, bool, str]]:
    """(name, whether it passed, the last line of its output) of each test and script."""
    environment = {**os.environ, "MPLBACKEND": "agg"}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sitecustomize.py").write_text(_STUB, encoding="utf-8")
        path = os.pathsep.join([folder, *filter(None, [os.environ.get("PYTHONPATH")])])
        environment["PYTHONPATH"] = path
        for pattern in original.scripts:
            for script in sorted(source.glob(pattern)):
                command = [sys.executable, "-m", "palingrad.compat", home, str(script)]
                done = subprocess.run(
                    command, capture_output=True, text=True, check=False, env=environment,
                    cwd=folder,
                )  # fmt: skip
                lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
                yield script.name, done.returncode == 0, lines[-1] if lines else ""
        if original.tests:
            yield from _tested(original, home, source, environment, Path(folder))


def _tested(
    original: Original, home: str, source: Path, environment: dict[str, str], folder: Path
) -> Iterator[tuple[str, bool, str]]:
    """The tests that pytest finds."""
    report = folder / "report.jsonl"
    plugin = folder / "reporting.py"
    plugin.write_text(
        "import json\n"
        "def pytest_runtest_logreport(report):\n"
        "    if report.when == 'call' or report.failed:\n"
        f"        with open({str(report)!r}, 'a') as file:\n"
        "            text = str(report.longrepr or '').strip().splitlines()\n"
        "            file.write(json.dumps([report.nodeid, report.passed, text[-1:]]) + '\\n')\n",
        encoding="utf-8",
    )
    paths = [str(source / test) for test in original.tests]
    command = [
        sys.executable, "-m", "palingrad.compat", home, "-m", "pytest", "-q", "-p", "reporting",
        "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(source), *paths,
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=folder
    )
    if not report.exists():
        print(done.stdout, done.stderr, file=sys.stderr)
        return
    for line in report.read_text(encoding="utf-8").splitlines():
        name, passed, text = json.loads(line)
        yield name, passed, "".join(text)


def main() -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("name", choices=sorted(ORIGINALS))
    parser.add_argument("--source", type=Path, required=True, help="a checkout of the original")
    options = parser.parse_args()
    source = options.source.resolve()
    if not source.is_dir():
        print(f"there is no folder {source}", file=sys.stderr)
        return 2
    original = ORIGINALS[options.name]
    passed = failed = explained = 0
    for name, fine, text in results(original, options.name, source):
        reason = next((why for part, why in original.expected if part in name), None)
        passed += fine
        explained += not fine and reason is not None
        failed += not fine and reason is None
        if not fine:
            print(f"{name}: {reason or text}")
    print(f"{options.name}: {passed} passed, {explained} differ as documented, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
