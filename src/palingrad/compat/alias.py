"""Import names of other libraries, answered by the modules of a home."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType


class _Loader(importlib.abc.Loader):
    """Loads a module of a home under the name of the original's."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._spec: importlib.machinery.ModuleSpec | None = None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._target)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has put the alias's in its place


class _Finder(importlib.abc.MetaPathFinder):
    """Finds `original` and its submodules in `home`."""

    def __init__(self, original: str, home: str) -> None:
        self.original, self.home = original, home

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.original and not fullname.startswith(f"{self.original}."):
            return None
        name = self.home + fullname[len(self.original) :]
        if importlib.util.find_spec(name) is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, _Loader(name), is_package=True)


def install(original: str, home: str) -> None:
    """Makes `import original` import `home`, a package, from now on. An original that is imported
    already is dropped from `sys.modules`."""
    for name in [one for one in sys.modules if one == original or one.startswith(f"{original}.")]:
        del sys.modules[name]
    for finder in sys.meta_path:
        if isinstance(finder, _Finder) and finder.original == original:
            sys.meta_path.remove(finder)
            break
    sys.meta_path.insert(0, _Finder(original, home))
