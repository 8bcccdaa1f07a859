"""First imports: neither an interrupt nor a signal handler finds a module half imported."""

import ast
import gc
import inspect
import pickle
import pydoc
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import palingrad as pg
from palingrad.graph.registry import later
from palingrad.graph.state.imports import imported
from palingrad.ops.families import ALIASES, import_families

SLOW = "import time\ntime.sleep(0.2)\nvalue = 1\n"
pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")


class Interrupt(BaseException):
    """What a handler raises."""


@pytest.fixture
def during(tmp_path, monkeypatch):
    def run(name: str, handle: Callable[[], None]) -> int:
        (tmp_path / f"{name}.py").write_text(SLOW)
        monkeypatch.syspath_prepend(tmp_path)
        before = signal.signal(signal.SIGALRM, lambda *_: handle())
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            return imported(name).value
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    return run


def test_a_handler_during_an_import_gets_the_whole_module(during):
    values: list[int] = []
    assert during("slow_read", lambda: values.append(imported("slow_read").value)) == 1
    assert values == [1]


def test_an_interrupted_import_is_completed(during):
    def interrupt() -> None:
        raise Interrupt

    with pytest.raises(Interrupt):
        during("slow_interrupted", interrupt)
    assert imported("slow_interrupted").value == 1


def test_the_error_of_an_import_is_raised(tmp_path, monkeypatch):
    (tmp_path / "slow_broken.py").write_text("raise ValueError('broken')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="broken"):
        imported("slow_broken")


def test_the_tables_list_what_families_define_and_what_type_checkers_read():
    import_families()
    tree = ast.parse((Path(pg.__file__).parent / "ops" / "lazy.py").read_text())
    checked = {
        alias.asname: (f"palingrad.ops.{node.module}", alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    expected = {name: (module, name) for name, module in later.items()}
    for alias, name in ALIASES.items():
        expected[alias] = (getattr(pg, name).__module__, name)
    assert checked == expected, "run `python tools/families.py`"
    for name, module in later.items():
        assert getattr(pg, name).__module__ == module, name
    for alias, name in ALIASES.items():
        assert getattr(pg, alias) is getattr(pg, name)


def in_a_new_process(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("before", "collects", "frozen"),
    [("", "True", "0"), ("gc.disable()", "False", "0"), ("gc.freeze()", "True", "some")],
)
def test_the_import_leaves_the_garbage_collector_as_it_was(before, collects, frozen):
    code = (
        f"import gc\n{before}\nimport palingrad\n"
        "print(gc.isenabled(), 'some' if gc.get_freeze_count() else 0, *gc.get_threshold())"
    )
    assert in_a_new_process(code) == [collects, frozen, *map(str, gc.get_threshold())]


def test_the_import_leaves_out_what_few_programs_need():
    code = "import sys, palingrad as pg\nprint(*sys.modules)"
    found = set(in_a_new_process(code)) - set(
        in_a_new_process("import sys, numpy\nprint(*sys.modules)")
    )
    parts = (
        *("passes.pipeline", "ops.random", "ops.window.convolution", "ops.control.loop"),
        *("autodiff", "eager", "engines", "functions", "passes", "session"),
    )
    assert "palingrad.ops.contract" in found
    assert not found & {"hashlib", "difflib", *(f"palingrad.{part}" for part in parts)}


def test_a_star_import_takes_what_is_imported_late():
    code = "from palingrad import *\nprint(callable(grad), callable(function), callable(conv2d))"
    assert in_a_new_process(code) == ["True"] * 3


def test_what_is_imported_late_is_there_before_its_first_use():
    code = (
        "import palingrad as pg\nnames = dir(pg)\n"
        "print(pg.session.Session is pg.Session, pg.engines.selection.get_engine is pg.get_engine,"
        " hasattr(pg, 'frobnicate'))\n"
        "from palingrad import *\n"
        "modules = {name for name in names if isinstance(getattr(pg, name), type(pg))}\n"
        "print({n for n in names if n[0] != '_'} - modules <= globals().keys(), dir(pg) == names)"
    )
    assert in_a_new_process(code) == ["True", "True", "False", "True", "True"]


def test_every_public_name_is_documented_pickled_and_placed():
    page = pydoc.plain(pydoc.render_doc(pg))
    for name in dir(pg):
        value = getattr(pg, name)
        if name.startswith("_") or isinstance(value, ModuleType):
            continue
        assert re.search(rf"\b{name}\b", page), name
        again = pickle.loads(pickle.dumps(value))
        assert again is value or again == value or value != value, name
        if callable(value):
            assert inspect.getmodule(value) is not None, name
            assert inspect.getdoc(value), name
            assert inspect.signature(value), name


def test_type_checkers_read_every_name_that_is_imported_late():
    tree = ast.parse(Path(pg.__file__).read_text())
    (block,) = [one for one in tree.body if isinstance(one, ast.If)]
    read = {alias.name: one.module for one in block.body if isinstance(one, ast.ImportFrom)
            for alias in one.names if alias.name != "*"}  # fmt: skip
    assert read.keys() == {*vars(pg)["_PARTS"], *vars(pg)["_ELSEWHERE"]}
    for name, module in read.items():
        parent = imported(f"palingrad.{module}") if module else pg
        assert getattr(parent, name) is getattr(pg, name), name


def test_the_engine_of_the_environment_is_that_at_the_import():
    code = (
        "import os\nos.environ['PALINGRAD_ENGINE'] = 'numpi'\nimport palingrad as pg\n"
        "os.environ['PALINGRAD_ENGINE'] = 'numpy'\n"
        "try: pg.function(lambda x: x)(1.0)\n"
        "except pg.errors.EngineError as error: print(error)"
    )
    assert "'numpi'" in " ".join(in_a_new_process(code))
