"""The layer check finds each kind of forbidden import, and lets pass what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import layers
import pytest
from layering.check import Rules, check

# graph and ops below engines below view; in view names below png and draw below page.
RULES = Rules(
    "pkg",
    {"": [["graph", "ops"], ["engines"], ["view"]], "view": [["names"], ["*"], ["page"]]},
    {"pillow": ["view/png.py"], "llvm": ["engines"]},
)
TREE = {
    "__init__.py": "",
    "graph/__init__.py": "",
    "graph/node.py": "",
    "ops/__init__.py": "",
    "ops/add.py": "class Add: ...\nclass Mul: ...\n",
    "engines/__init__.py": "",
    "engines/native.py": "",
    "view/__init__.py": "",
    "view/names.py": "",
    "view/png.py": "",
    "view/page/__init__.py": "",
    "view/page/show.py": "",
}
Found = Callable[..., list[str]]


@pytest.fixture
def found(tmp_path: Path) -> Found:
    """What is wrong with TREE with these files added or replaced, with these changes to RULES."""

    def problems(files: dict[str, str], **changes: object) -> list[str]:
        for path, text in {**TREE, **files}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        rules = Rules(**{**vars(RULES), **changes})
        return check(tmp_path, rules).problems

    return problems


def test_the_tree_of_this_package_keeps_all_rules() -> None:
    assert check(layers.ROOT, layers.RULES).problems == []


UPWARD = {
    "relative": "from ..view import names",
    "relative, a value": "from ..view.names import thing",
    "absolute": "import pkg.view.names",
    "absolute, under another name": "import pkg.view.names as n",
    "absolute, from": "from pkg.view import names",
    "the package itself": "import pkg",
    "the package's own __init__": "from .. import anything",
    "import_module": "import importlib\nx = importlib.import_module('pkg.view.names')",
    "import_module, relative": (
        "import importlib\nx = importlib.import_module('..view.names', __package__)"
    ),
    "import_module under another name": (
        "from importlib import import_module as get\nx = get('pkg.view.names')"
    ),
    "importlib under another name": "import importlib as i\nx = i.import_module('pkg.view.names')",
    "__import__": "x = __import__('pkg.view.names')",
    "sys.modules[...]": "import sys\nx = sys.modules['pkg.view.names']",
    "sys.modules.get": "import sys\nx = sys.modules.get('pkg.view.names')",
    "sys.modules under another name": "from sys import modules\nx = modules['pkg.view.names']",
    "runpy": "import runpy\nx = runpy.run_module('pkg.view.names')",
    "a lazy registry": "view = Later('pkg.view')",
    "the name of a value": "x = load('pkg.view.names.thing')",
    "for type checking": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..view import names"
    ),
    "beside it": "from ..ops import add",
}


@pytest.mark.parametrize("text", UPWARD.values(), ids=UPWARD)
def test_an_upward_import_is_found(found: Found, text: str) -> None:
    line = text.count("\n") + 1
    wrong = found({"graph/node.py": text + "\n"})
    assert any(one.startswith(f"graph/node.py:{line}: graph imports ") for one in wrong), wrong


COMPUTED = {
    "import_module": "import importlib\ndef f(name): return importlib.import_module(name)",
    "an f-string": "import importlib\ndef f(a): return importlib.import_module(f'pkg.{a}')",
    "a relative name for another package": (
        "import importlib\nx = importlib.import_module('.names', 'pkg')"
    ),
    "a name relative to a file": (
        "import importlib\nx = importlib.import_module('.ops', __name__)"
    ),
    "import_module handed on": "import importlib\nx = map(importlib.import_module, 'ab')",
    "importlib handed on": "import importlib\nx = vars(importlib)",
    "getattr": "import importlib\nx = getattr(importlib, 'import_module')(a)",
    "__import__": "def f(name): return __import__(name)",
    "builtins": "import builtins\ndef f(name): return builtins.__import__(name)",
    "sys.modules": "import sys\ndef f(name): return sys.modules[name]",
    "sys.modules beside other names": (
        "import sys\nx = y['os'] == 'os'\ndef f(name): return sys.modules[name]"
    ),
    "sys.modules by getattr": "import sys\ndef f(a): return getattr(sys, 'modules')[a]",
    "sys.modules handed on": "import sys\nx = list(sys.modules)",
    "runpy": "import runpy\ndef f(path): return runpy.run_path(path)",
    "a module's spec": "from importlib.util import spec_from_file_location as s\nx = s('a', 'b')",
    "exec": "exec('import pkg.view')",
    "eval": "eval('1')",
    "a module's __getattr__": "def __getattr__(name): ...",
}


@pytest.mark.parametrize("text", COMPUTED.values(), ids=COMPUTED)
def test_a_module_reached_by_a_computed_name_is_refused_unless_listed(
    found: Found, text: str
) -> None:
    wrong = found({"graph/node.py": text + "\n"})
    assert wrong
    assert all(one.startswith("graph/node.py:") and "isn't in the source" in one for one in wrong)
    assert found({"graph/node.py": text + "\n"}, lazy={"graph/node.py": "a reason"}) == []


ALLOWED = {
    "downward": "from ..graph import node\nfrom ..engines.native import x",
    "downward in the folder": "from . import names\nfrom .png import x",
    "its own folder, absolutely": "from pkg.view.names import x",
    "other packages": "import math\nimport numpy as np\nfrom os import path",
    "whether a package is here": "import importlib.util\nx = importlib.util.find_spec('pillow')",
    "files of the package": "from importlib.resources import files\nx = files('pkg.view.names')",
    "whether another module is loaded": "import sys\nx = 'ipykernel' in sys.modules",
    "another module that is loaded": "import sys\nx = sys.modules['os'], sys.modules.get('os')",
    "text for people": '"""pkg.view.page"""\n\ndef f():\n    "pkg.view.page"',
    "a string that names no module": "x = 'pkg', 'pkg.nowhere', 'a.pkg.view.page'",
    "a method that is called eval": "def f(model): model.eval()",
}


@pytest.mark.parametrize("text", ALLOWED.values(), ids=ALLOWED)
def test_what_is_allowed_passes(found: Found, text: str) -> None:
    assert found({"view/draw.py": text + "\n"}) == []


def test_inside_a_folder_its_own_order_counts(found: Found) -> None:
    assert found({"view/names.py": "from . import png\n"}) == [
        "view/names.py:1: names imports png, which stands above it in view/"
    ]
    assert found({"view/names.py": "", "view/png.py": "from .page.show import x\n"}) == [
        "view/png.py:1: png imports page, which stands above it in view/"
    ]
    assert found({"ops/add.py": "from ..graph import node\n", "view/png.py": ""}) == [
        "ops/add.py:1: ops imports graph, which stands beside it"
    ]
    assert found({"ops/add.py": "", "view/png.py": "from . import thing\n"}) == [
        "view/png.py:1: png imports __init__, which stands above it in view/"
    ]


def test_a_part_without_a_layer_and_a_layer_without_a_part_are_told(found: Found) -> None:
    assert found({"extra.py": ""}) == ["extra has no layer in the package"]
    assert found({"extra.py": "from .graph import node\n"}) == [
        "extra has no layer in the package",
        "extra.py:1: extra has no layer",
    ]
    order = {**RULES.order, "": [["graph", "ops"], ["engines", "gone"], ["view"], ["extra"]]}
    assert found({}, order=order) == ["the order of the package names gone, which isn't there"]


@pytest.mark.parametrize("late", [False, True])
def test_a_circle_is_found(found: Found, late: bool) -> None:
    back = "def f():\n    from . import node\n" if late else "from . import node\n"
    files = {"graph/node.py": "from .b import x\n", "graph/b.py": "from . import c\n"}
    wrong = found({**files, "graph/c.py": back, "graph/d.py": "from . import c\n"})
    assert wrong[0] == "in a circle of imports: graph/b.py, graph/c.py, graph/node.py"


def test_circles_that_import_each_other_one_way_are_told_apart(found: Found) -> None:
    files = {"graph/node.py": "from . import b\n", "graph/b.py": "from . import node\n"}
    files |= {"graph/c.py": "from . import b, d\n", "graph/d.py": "from . import c, node\n"}
    assert found(files) == [
        "in a circle of imports: graph/b.py, graph/node.py",
        "in a circle of imports: graph/c.py, graph/d.py",
    ]


def test_type_checking_may_close_a_circle_inside_a_folder(found: Found) -> None:
    hint = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .node import Node\n"
    assert found({"graph/node.py": "from .b import x\n", "graph/b.py": hint}) == []


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    import math\n",
        "def f():\n    from . import names\n",
        "try:\n    import math\nexcept ImportError: ...\n",
        "import importlib\ndef f():\n    return importlib.import_module('pkg.graph.node')\n",
    ],
)
def test_a_late_import_is_refused_unless_listed(found: Found, text: str) -> None:
    (wrong,) = found({"view/draw.py": text})
    assert wrong.endswith("an import that isn't at the top of the file")
    assert found({"view/draw.py": text}, lazy={"view/draw.py": "a reason"}) == []


def test_an_optional_package_is_imported_in_its_place_only(found: Found) -> None:
    late = "def f():\n    from pillow import Image\n"
    assert found({"view/png.py": late, "engines/native.py": "import llvm\n"}) == []
    assert found({"view/draw.py": late}) == [
        "view/draw.py:2: pillow is optional; only view/png.py imports it"
    ]


def test_no_file_needs_an_optional_package_through_another(found: Found) -> None:
    files = {"view/png.py": "import pillow\n", "view/draw.py": "from .png import x\n"}
    assert found({**files, "view/page/show.py": "from ..draw import x\n"}) == [
        "view/draw.py: pillow is optional, and importing this file imports it",
        "view/page/show.py: pillow is optional, and importing this file imports it",
    ]


def test_long_files_long_functions_and_crowded_folders_are_found(found: Found) -> None:
    assert found({"graph/node.py": "x = 1\n" * 400}) == []
    assert found({"graph/node.py": "x = 1\n" * 401}) == ["graph/node.py: 401 lines, over 400"]
    function = "class A:\n    def f(self):\n" + "        x = 1\n" * 60
    assert found({"graph/node.py": function}) == ["graph/node.py:2: f has 61 lines, over 60"]
    many = {f"graph/a{n}.py": "" for n in range(14)}
    assert found({"graph/node.py": "", **many}) == ["graph/: 15 files in one folder, over 14"]
    assert found(many, crowded={"graph": "a reason"}) == []


def test_tests_of_attributes_are_counted(found: Found) -> None:
    text = "a = hasattr(x, 'y')\nb = getattr(x, 'y', None)\nc = getattr(x, name)\n"
    assert found({"engines/native.py": text}, attribute_limits={"engines": 2}) == []
    (wrong,) = found({"engines/native.py": text}, attribute_limits={"engines": 1})
    assert wrong.endswith("limit 1: engines/native.py:1 engines/native.py:2")


def test_operations_that_engines_name_are_counted(found: Found) -> None:
    reasons = {"Add": "a reason"}
    one, two = (
        "import math\nfrom ..graph.node import x\nfrom ..ops.add import Add, other\n",
        "from ..ops.add import Add, Mul\n",
    )
    limit = {"operation_limits": {"engines": 1}, "operation_reasons": reasons}
    assert found({"engines/native.py": one}, **limit) == []
    (wrong,) = found({"engines/native.py": two}, **limit)
    assert "2 classes of operations are imported, limit 1; no reason is given for Mul" in wrong
    (wrong,) = found(
        {"engines/native.py": "from ..ops import add\n"}, operation_limits={"engines": 0}
    )
    assert "no reason is given for add.*" in wrong


def test_exceptions_that_nothing_needs_are_told(found: Found) -> None:
    assert found({}, lazy={"graph/node.py": "a reason"}, crowded={"graph": "a reason"}) == [
        "graph/node.py is listed as lazy, and imports nothing late",
        "graph/ is listed as crowded, and has 1 files",
    ]
    assert found({}, optional={**RULES.optional, "rich": ["cli.py"]}) == [
        "rich may be imported in cli.py, which isn't there"
    ]
