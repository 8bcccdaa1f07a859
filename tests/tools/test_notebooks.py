"""tools/notebooks.py: equal outputs pass, and others are named."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "notebooks.py"


def cell(source, text="", raises=""):
    outputs = [{"output_type": "execute_result", "data": {"text/plain": [text]}}] if text else []
    outputs += [{"output_type": "error", "ename": raises}] if raises else []
    return {"cell_type": "code", "source": [source], "outputs": outputs}


CELLS = (
    cell("import numpy as np\nx = np.array([1.0, 2.0]) / 3\nx", "array([0.33333333, 0.66666667])"),
    cell("np.random.rand()", "0.123"),  # of another seed
    cell("undefined", raises="NameError"),
)


@pytest.fixture
def compared(tmp_path):
    def run(cells, change=None):
        notebook, record = tmp_path / "one.ipynb", tmp_path / "record.json"
        notebook.write_text(json.dumps({"cells": cells}))
        command = [sys.executable, str(TOOL), str(notebook)]
        subprocess.run([*command, "--record", str(record)], check=True)
        if change is not None:
            found = json.loads(record.read_text())
            found[change] = ["0.50000", ""]
            record.write_text(json.dumps(found))
        done = subprocess.run(
            [*command, "--reference", str(record)], check=False, capture_output=True, text=True
        )
        return done.returncode, json.loads(done.stdout)

    return run


def test_equal_outputs_pass(compared):
    status, found = compared(list(CELLS))
    assert (status, found["failed"]) == (0, [])
    assert (found["ran"], found["equal"], found["random"]) == (3, 1, 1)


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (0, cell(CELLS[0]["source"][0], "array([0.33333333, 0.66666697])")),
        (0, cell(CELLS[0]["source"][0], "array([0.33333333])")),
        (2, cell("1", raises="NameError")),
    ],
)
def test_other_outputs_are_named(compared, place, wrong):
    status, found = compared([*CELLS[:place], wrong, *CELLS[place + 1 :]])
    assert status == 1
    assert [text.split(":")[0] for text in found["failed"]] == [f"cell {place + 1}"]


def test_a_cell_that_fails_in_the_original_too(compared):
    status, found = compared([*CELLS, cell("1 / 0", "1")])
    assert (status, found["fails there"]) == (0, 1)
    status, found = compared([*CELLS, cell("1 / 0", "1")], change=3)
    assert (status, len(found["failed"])) == (1, 1)


def test_random_numbers_are_those_of_the_original(compared):
    status, found = compared(list(CELLS), change=1)
    assert status == 1
    assert "instead of 0.50000" in found["failed"][0]
