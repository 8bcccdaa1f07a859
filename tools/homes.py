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
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# Modules that stand for libraries which the originals' scripts import: all, and those of one home.
STUBS = Path(__file__).parent / "homes_stubs"


@dataclass(frozen=True)
class Original:
    """Where an original's tests and examples are, and which of them fail and why."""

    tests: tuple[str, ...] = ()  # files or folders for pytest
    scripts: tuple[str, ...] = ()  # patterns of scripts, each of which must end without an error
    expected: tuple[tuple[str, str], ...] = ()  # (part of a test's name, why it fails here)
    home: str = ""  # the home that answers its imports, where that isn't the original's own
    select: str = ""  # of the tests: pytest's -k
    conftest: bool = True  # whether its conftest.py is used, which may import other libraries
    inside: bool = False  # whether scripts run in their own folder, in a copy of the checkout
    shorter: tuple[tuple[str, str], ...] = ()  # (regular expression, replacement)
    # (part of a script's name, the arguments of each process of it)
    processes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    notebooks: tuple[str, ...] = ()  # patterns of notebooks, whose outputs are compared
    names: tuple[str, ...] = ()  # modules whose names stand for those that a notebook defines


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
    "autograd-gamma": Original(  # with a venv that has SciPy
        home="autograd",
        tests=("tests",),
    ),
    "pymanopt": Original(  # with a venv that has it
        home="autograd",
        tests=(
            "tests/backends/test_autograd.py",
            "tests/test_problem_backend_interface.py",
            "tests/optimizers",
            "tests/manifolds",
        ),
        conftest=False,  # it imports TensorFlow and PyTorch
    ),
    "lifelines": Original(  # with a venv that has its dependencies; some tests take a minute
        home="autograd",
        tests=("lifelines/tests/test_estimation.py",),
        # The other fitters don't import autograd.
        select="TestPiecewise or TestLog or TestWeibull or TestGeneralizedGamma or TestExponential "
        "or TestParametric or TestUnivariate or TestCustom or TestRegressionFitters or TestAFT or "
        "TestMixtureCure or TestCoxPHFitterPieces or TestBaseFitter",
    ),
    "matrixslow": Original(
        scripts=("example/ch*/*.py",),
        inside=True,
        # One epoch, and 20 steps of the filter.
        shorter=(
            (r"epoch in range\(\d+\)", "epoch in range(1)"),
            (r"epoches=\d+", "epoches=1"),
            (r"i in range\(1000\)", "i in range(20)"),
        ),
        expected=(
            ("ch10/client.py", "serving by gRPC is refused"),
            ("ch10/serving.py", "serving by gRPC is refused"),
        ),
        processes=(
            (
                "ch11/ps_example.py",
                ("--role ps", *(f"--role worker --worker_index {i}" for i in range(3))),
            ),
            ("ch11/allreduce_example.py", tuple(f"--worker_index {i}" for i in range(3))),
        ),
    ),
    "mlfz": Original(
        tests=("tests/test_nn", "tests/test_functional"),
        notebooks=("docs/02-*/*.ipynb", "docs/03-*/*.ipynb"),
        # A tenth of the steps, and a hundredth of the points of the pictures. Of 10000 steps 500:
        # later the training amplifies roundings, also in the original.
        shorter=(
            (r"n_steps = 10000\b", "n_steps = 5000"),
            (r"n_steps = (\d+)0\b", r"n_steps = \1"),
            (r"i % 1000 == 0", "i % 100 == 0"),
            (r"\bres = 100", "res = 10"),
        ),
    ),
    "micrograd": Original(tests=("test",)),
    "tensorslow": Original(
        scripts=("examples/*.py",),
        notebooks=("jupyter_notebook/*.ipynb",),
        names=("tensorslow", "tensorslow.train", "tensorslow.gradients"),
    ),
    "tf1": Original(
        scripts=(
            "examples/1_Introduction/basic_operations.py",
            "examples/1_Introduction/helloworld.py",
            "examples/2_BasicModels/linear_regression.py",
            "examples/2_BasicModels/logistic_regression.py",
            "examples/2_BasicModels/nearest_neighbor.py",
            "examples/3_NeuralNetworks/*_raw.py",
            "examples/3_NeuralNetworks/autoencoder.py",
            "examples/3_NeuralNetworks/bidirectional_rnn.py",
            "examples/3_NeuralNetworks/dynamic_rnn.py",
            "examples/3_NeuralNetworks/multilayer_perceptron.py",
            "examples/3_NeuralNetworks/recurrent_network.py",
            "examples/4_Utils/*.py",
        )
    ),
}


Result = tuple[str, str, str]  # (name, "passed", "failed" or "skipped", the output's last line)


def results(original: Original, home: str, source: Path, only: str) -> Iterator[Result]:
    """The results of the tests, scripts and notebooks that `only` selects by their names."""
    environment = {**os.environ, "MPLBACKEND": "agg"}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("common", home):
            if (STUBS / name).is_dir():
                shutil.copytree(STUBS / name, folder, dirs_exist_ok=True)
        home = original.home or home
        path = os.pathsep.join([folder, str(source), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment["PYTHONPATH"] = path
        if original.scripts:
            yield from _run(original, home, source, environment, Path(folder), only)
        if original.notebooks:
            yield from _noted(original, home, source, environment, Path(folder), only)
        if original.tests:
            yield from _tested(original, home, source, environment, Path(folder), only)


def _run(
    original: Original, home: str, source: Path, environment: dict[str, str], folder: Path,
    only: str,
) -> Iterator[Result]:  # fmt: skip
    """The scripts, one after another."""
    if original.inside:
        copy = folder / "copy"
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns(".git"))
        source = copy
    for script in (one for pattern in original.scripts for one in sorted(source.glob(pattern))):
        name = str(script.relative_to(source))
        if only not in name:
            continue
        if original.shorter:
            _shortened(original, script, script)
        rows = next((rows for part, rows in original.processes if part in name), ("",))
        command = [sys.executable, "-m", "palingrad.compat", home, str(script)]
        where = script.parent if original.inside else folder
        fine, text = _ended([[*command, *row.split()] for row in rows], environment, where)
        lines = text.strip().splitlines()
        said = [line for line in lines if "ccuracy:" in line] or lines or [""]
        yield name, "passed" if fine else "failed", said[-1]


def _shortened(original: Original, script: Path, place: Path) -> None:
    """Writes a script or notebook that takes less time."""
    text = script.read_text(encoding="utf-8")
    for pattern, replacement in original.shorter:
        text = re.sub(pattern, replacement, text)
    place.write_text(text, encoding="utf-8")


def _ended(commands: list[list[str]], environment: dict[str, str], where: Path) -> tuple[bool, str]:
    """Processes that run at the same time: whether all ended well, and what the last one printed,
    or what the first that didn't end well said."""
    with ThreadPoolExecutor(len(commands)) as pool:
        ended = list(
            pool.map(
                lambda command: subprocess.run(
                    command, capture_output=True, text=True, check=False, env=environment, cwd=where
                ),
                commands,
            )
        )
    bad = [one for one in ended if one.returncode]
    return not bad, bad[0].stderr or bad[0].stdout if bad else ended[-1].stdout


def _noted(
    original: Original, home: str, source: Path, environment: dict[str, str], folder: Path,
    only: str,
) -> Iterator[Result]:  # fmt: skip
    """The notebooks, whose counts are the last line of the output."""
    record = str(folder / "record.json")
    names = [word for name in original.names for word in ("--names", name)]
    for notebook in (n for pattern in original.notebooks for n in sorted(source.glob(pattern))):
        name = str(notebook.relative_to(source))
        if only not in name:
            continue
        _shortened(original, notebook, folder / notebook.name)
        ending = [str(Path(__file__).with_name("notebooks.py")), str(folder / notebook.name)]
        for command in (
            [sys.executable, *ending, "--record", record],
            [
                sys.executable,
                "-m",
                "palingrad.compat",
                home,
                *ending,
                *names,
                "--reference",
                record,
            ],
        ):
            fine, text = _ended([command], environment, folder)
            if not fine:
                break
        yield name, "passed" if fine else "failed", (text.strip().splitlines() or [""])[-1]


def _tested(
    original: Original, home: str, source: Path, environment: dict[str, str], folder: Path,
    only: str,
) -> Iterator[Result]:  # fmt: skip
    """The tests that pytest finds."""
    report = folder / "report.jsonl"
    plugin = folder / "reporting.py"
    plugin.write_text(
        "import json, random\n"
        "import numpy\n"
        "def pytest_runtest_setup(item):\n"
        "    random.seed(42)\n"
        "    numpy.random.seed(42)\n"
        "def pytest_runtest_logreport(report):\n"
        "    if report.when == 'call' or not report.passed:\n"
        f"        with open({str(report)!r}, 'a') as file:\n"
        "            text = str(report.longrepr or '').strip().splitlines()\n"
        "            row = [report.nodeid, report.outcome, text[-1:]]\n"
        "            file.write(json.dumps(row) + '\\n')\n",
        encoding="utf-8",
    )
    selected = " and ".join(f"({part})" for part in (original.select, only) if part)
    paths = [str(source / test) for test in original.tests]
    command = [
        sys.executable, "-m", "palingrad.compat", home, "-m", "pytest", "-q", "-p", "reporting",
        "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(source), *paths,
        *([] if original.conftest else ["--noconftest"]),
        *(["-k", selected] if selected else []),
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=folder
    )
    if not report.exists():
        print(done.stdout, done.stderr, file=sys.stderr)
        return
    for line in report.read_text(encoding="utf-8").splitlines():
        name, outcome, text = json.loads(line)
        yield name, outcome, "".join(text)


def main() -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("name", choices=sorted(ORIGINALS))
    parser.add_argument("--source", type=Path, required=True, help="a checkout of the original")
    parser.add_argument("--only", default="", help="a part of the names of what is run")
    parser.add_argument("--verbose", action="store_true", help="print each result's last line")
    options = parser.parse_args()
    source = options.source.resolve()
    if not source.is_dir():
        print(f"there is no folder {source}", file=sys.stderr)
        return 2
    original = ORIGINALS[options.name]
    passed = failed = explained = skipped = 0
    for name, outcome, text in results(original, options.name, source, options.only):
        reason = next((why for part, why in original.expected if part in name), None)
        passed += outcome == "passed"
        skipped += outcome == "skipped"
        explained += outcome == "failed" and reason is not None
        failed += outcome == "failed" and reason is None
        if outcome == "failed" or options.verbose or "ccuracy:" in text:
            print(f"{name}: {outcome}: {reason or text}", flush=True)
    print(f"{options.name}: {passed} passed, {explained} differ as documented, {skipped} skipped, "
          f"{failed} failed")  # fmt: skip
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
