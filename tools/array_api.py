"""The array API's public test suite, run against palingrad and against NumPy.

The suite is https://github.com/data-apis/array-api-tests, cloned with its submodule and installed
with `pip install -r requirements.txt`. Run, from the folder of this repository:

    git clone --recurse-submodules https://github.com/data-apis/array-api-tests suite
    .venv/bin/python -m pip install -r suite/requirements.txt
    .venv/bin/python tools/array_api.py suite

It prints how many tests each module passes, and the tests that palingrad fails, with those that
NumPy fails too marked. Arguments after `--` are pytest's: `tools/array_api.py suite -- -k linalg`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

PALINGRAD, NUMPY = "palingrad", "numpy"


def outcomes(suite: Path, module: str, max_examples: int, options: list[str]) -> dict[str, str]:
    """For each test "passed", "skipped", or the first line of why it failed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable, "-m", "pytest", "array_api_tests", "-q", "--tb=line", "-p",
            "no:cacheprovider", "--disable-deadline", "--derandomize",
            f"--max-examples={max_examples}", f"--junitxml={report}", *options,
        ]  # fmt: skip
        environment = {**os.environ, "ARRAY_API_TESTS_MODULE": module}
        run = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True)
        if not report.exists():
            sys.exit(f"the suite didn't run with {module}:\n{run.stdout}{run.stderr}")
        found: dict[str, str] = {}
        for case in ElementTree.parse(report).iter("testcase"):
            name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
            found[name] = _outcome(case)
        return found


def _outcome(case: ElementTree.Element) -> str:
    for kind in ("failure", "error"):
        fault = case.find(kind)
        if fault is not None:
            return (fault.get("message") or kind).strip().split("\n")[0][:160]
    return "passed" if case.find("skipped") is None else "skipped"


def _summary(found: dict[str, str]) -> str:
    kinds = Counter(one if one in ("passed", "skipped") else "failed" for one in found.values())
    return ", ".join(f"{kinds[kind]} {kind}" for kind in ("passed", "failed", "skipped"))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("suite", type=Path, help="the folder of array-api-tests")
    parser.add_argument("--max-examples", type=int, default=20)
    parser.add_argument("--without-numpy", action="store_true", help="run palingrad alone")
    parser.add_argument("options", nargs="*", help="for pytest")
    given = parser.parse_args()
    results = {
        module: outcomes(given.suite, module, given.max_examples, given.options)
        for module in ((PALINGRAD,) if given.without_numpy else (PALINGRAD, NUMPY))
    }
    for module, found in results.items():
        print(f"{module:10} {_summary(found)}")
    theirs = results.get(NUMPY, {})
    for test, outcome in sorted(results[PALINGRAD].items()):
        if outcome not in ("passed", "skipped"):
            too = theirs.get(test, "passed") not in ("passed", "skipped")
            print(f"{'both fail' if too else 'fails    '} {test}: {outcome}")
    only = [
        test
        for test, outcome in sorted(theirs.items())
        if outcome not in ("passed", "skipped") and results[PALINGRAD].get(test) == "passed"
    ]
    print("\n".join(f"NumPy alone fails {test}" for test in only))
    return 0


if __name__ == "__main__":
    sys.exit(main())
