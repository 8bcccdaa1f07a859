"""Runs a notebook's code cells in order and compares what they print with the notebook's outputs.

    python tools/notebooks.py NOTEBOOK --record FILE
    python -m palingrad.compat HOME tools/notebooks.py NOTEBOOK --reference FILE

The value of a cell's last expression is shown as Jupyter shows it. Numbers are compared to the
digits that are printed. Outputs that depend on random numbers are found by a run of another seed.
They are compared with those of the original for the same seed, to 10⁻⁶ of their size: `--record`
writes these, run with the original.

--names MODULE: start with the public names of that module, and skip cells that only define those,
or register gradients of their own: for notebooks that develop a library.

Prints one line of JSON: the counts of cells that ran and that were skipped, of outputs that are
equal to the notebook's and, where they are random, to the original's, of cells that raise an error
that the notebook doesn't have but the original with today's NumPy has too; and what failed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import io
import json
import random
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w])")
ADDRESS = re.compile(r"<(?:[^<>]|<locals>)* at 0x[0-9a-f]+>")


def shown(value: Any) -> str:
    """The text of a value, as NumPy 2 shows it."""
    return "" if value is None else repr(value)


def run_cell(source: str, names: dict[str, Any]) -> tuple[str, str]:
    """(what it prints and shows, the name of the exception that it raises or "")."""
    magic = ("%", "!")  # lines for Jupyter
    source = "\n".join(one for one in source.splitlines() if not one.lstrip().startswith(magic))
    printed = io.StringIO()
    try:
        tree = ast.parse(source)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        with contextlib.redirect_stdout(printed):
            exec(compile(tree, "<cell>", "exec"), names)
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
                print(shown(value))
    except Exception as error:
        return f"{type(error).__name__}: {error}", type(error).__name__
    return printed.getvalue(), ""


def expected(cell: dict[str, Any]) -> tuple[str, str]:
    """(the text, the name of the exception) that the notebook has for a cell."""
    text, raised = "", ""
    for output in cell["outputs"]:
        if output["output_type"] == "stream" and output["name"] == "stdout":
            text += "".join(output["text"])
        elif output["output_type"] == "error":
            raised = output["ename"]
        elif "image/png" not in output.get("data", {}):
            text += "".join(output.get("data", {}).get("text/plain", "")) + "\n"
    return ADDRESS.sub("", text), raised


def taken_apart(text: str) -> tuple[str, list[str]]:
    """(the text without its numbers and spaces, the numbers)."""
    text = ADDRESS.sub("", text)
    words = re.sub(r"[\s,']|np\.\w+64\(|\)", "", NUMBER.sub("#", text))
    return words, NUMBER.findall(text)


def digits(number: str) -> float:
    """The value of a unit of the last digit that is printed."""
    mantissa, _, exponent = number.lower().partition("e")
    places = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - places)


def difference(found: str, wanted: str, relative: float = 1e-14) -> str:
    """What differs by more than two units of the last digit and that part of a number, or ""."""
    words, numbers = taken_apart(found)
    words_wanted, numbers_wanted = taken_apart(wanted)
    if words != words_wanted or len(numbers) != len(numbers_wanted):
        return f"{found.strip()[:200]!r} instead of {wanted.strip()[:200]!r}"
    for mine, theirs in zip(numbers, numbers_wanted, strict=True):
        unit = max(2 * digits(theirs), relative * abs(float(theirs))) if "." in theirs else 0.0
        if not abs(float(mine) - float(theirs)) <= unit:
            return f"{mine} instead of {theirs}"
    return ""


def developed(source: str, known: set[str]) -> bool:
    """Whether a cell only imports and defines what the library has, or registers its gradients."""
    for one in ast.parse(source).body:
        if isinstance(one, (ast.ClassDef, ast.FunctionDef)):
            registers = any("RegisterGradient" in ast.unparse(d) for d in one.decorator_list)
            if one.name not in known and not registers:
                return False
        elif isinstance(one, ast.Assign):
            if not all(isinstance(t, ast.Name) and t.id.startswith("_") for t in one.targets):
                return False
        elif not isinstance(one, (ast.Import, ast.ImportFrom)):
            return False
    return bool(source.strip())


def run_notebook(
    cells: list[dict[str, Any]], seed: int, modules: list[str]
) -> list[tuple[str, str] | None]:
    """What each cell prints and raises; None for a cell that is skipped."""
    random.seed(seed)
    np.random.seed(seed)
    names: dict[str, Any] = {"__name__": "__main__"}
    for module in modules:
        names.update((k, v) for k, v in vars(importlib.import_module(module)).items())
    names.update(__name__="__main__", np=np)
    known = {name for name in names if modules}
    found: list[tuple[str, str] | None] = []
    for cell in cells:
        source = "".join(cell["source"])
        if modules and developed(source, known):
            with contextlib.suppress(Exception):
                tree = ast.parse(source)
                tree.body = [one for one in tree.body if isinstance(one, ast.Import)]
                exec(compile(tree, "<cell>", "exec"), names)
            found.append(None)
        else:
            found.append(run_cell(source, names))
    return found


def main() -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--names", action="append", default=[], help="a module of names")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--record", type=Path, help="write the outputs of the original")
    group.add_argument("--reference", type=Path, help="the outputs of the original")
    options = parser.parse_args()
    notebook = json.loads(options.notebook.read_text(encoding="utf-8"))
    cells = [one for one in notebook["cells"] if one["cell_type"] == "code"]
    first = run_notebook(cells, 0, options.names)
    if options.record:
        options.record.write_text(json.dumps(first), encoding="utf-8")
        return 0
    second = run_notebook(cells, 1, options.names)
    reference = json.loads(options.reference.read_text(encoding="utf-8"))
    counts = {"ran": 0, "skipped": 0, "equal": 0, "random": 0, "fails there": 0}
    failed: list[str] = []
    for number, (cell, one, other, original) in enumerate(
        zip(cells, first, second, reference, strict=True), 1
    ):
        if one is None:
            counts["skipped"] += 1
            continue
        wanted, raises = expected(cell)
        counts["ran"] += one[1] == raises
        timed = any(line.lstrip().startswith("%time") for line in cell["source"])
        compared = bool(wanted.strip()) and not raises and not timed
        if one[1] and one[1] == original[1] != raises:
            counts["fails there"] += 1
            continue
        if one[1] != raises:
            differs = one[0][:200] if one[1] else f"no {raises}"
        elif not compared:
            continue
        elif one != other:
            differs = difference(one[0], original[0], 1e-6)
        else:
            differs = difference(one[0], wanted)
        if differs:
            failed.append(f"cell {number}: {differs}")
        else:
            counts["equal" if one == other else "random"] += 1
    print(json.dumps({**counts, "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
