"""Plots of the originals' examples are drawn by nobody where Matplotlib isn't installed."""

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
