"""The contenders, one framework per file: each builds the same networks and formulas.

A framework's methods return a `step`, a function that is called repeatedly. That of
`train(network)` takes one Adam step and returns the loss as a Python number, as does that of
`train_transformer(network)`; that of
`infer(network)` returns the scores of one batch as a NumPy array, and that of `generate(given)` the
likeliest tokens after a prompt; that of `formula(name, *arrays)`
computes one of the file's `FORMULAS`, that of `transform` one of `transforms.TRANSFORMS`, and that
of `eager` one of `FORMULAS` without compiling it; `eager_gradient` computes the first gradient of a
formula in `eager.py`, and `eager_train` trains, both without compiling. A framework has those
methods of which a task is its contender. `problem` makes a function of the framework's namespace
(`problems_in_….py`) and calls it with arrays. Inputs are arrays of the framework's own type, made
before the measurement.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from networks import Network
from transformer import Continuation, Transformer

Step = Callable[[], Any]


class Framework(Protocol):
    def train(self, network: Network) -> Step: ...

    def train_transformer(self, network: Transformer) -> Step: ...

    def infer(self, network: Network) -> Step: ...

    def generate(self, given: Continuation) -> Step: ...

    def formula(self, name: str, *arrays: np.ndarray) -> Step: ...

    def transform(self, name: str, *arrays: np.ndarray) -> Step: ...

    def eager(self, name: str, *arrays: np.ndarray) -> Step: ...

    def eager_gradient(self, name: str, *arrays: np.ndarray) -> Step: ...

    def eager_train(self, network: Network) -> Step: ...

    def problem(self, solve: Callable[[Any], Any], arrays: Sequence[np.ndarray]) -> Step: ...


@dataclass(frozen=True)
class Contender:
    """A framework with its settings, which runs in its own process."""

    package: str  # the package that must be installed
    module: str
    settings: dict[str, Any] = field(default_factory=dict)
    peer: bool = False
    compiler: bool = False  # whether it needs a C++ compiler
    derivative: bool = False  # whether it computes the gradient of what the others compute

    def missing(self) -> str | None:
        """The reason why it can't run here, or None."""
        if importlib.util.find_spec(self.package) is None:
            return f"{self.package} isn't installed"
        if self.compiler and not shutil.which(os.environ.get("CXX", "g++")):
            return "there is no C++ compiler"
        return None

    def framework(self, threads: int) -> Framework:
        module = importlib.import_module(f"contenders.{self.module}")
        return module.Framework(threads=threads, **self.settings)


NATIVE = "palingrad"
CONTENDERS = {
    NATIVE: Contender("llvmlite", "in_palingrad", {"engine": "native"}),
    "palingrad, numpy": Contender("palingrad", "in_palingrad", {"engine": "numpy"}),
    "palingrad, gradient": Contender(
        "llvmlite", "in_palingrad", {"engine": "native", "gradient": True}, derivative=True
    ),
    "NumPy": Contender("numpy", "in_numpy"),
    "PyTorch": Contender("torch", "in_pytorch", peer=True),
    "PyTorch compiled": Contender(
        "torch", "in_pytorch", {"compiled": True}, peer=True, compiler=True
    ),
    "JAX": Contender("jax", "in_jax", peer=True),
    "MyGrad": Contender("mygrad", "in_mygrad"),
    "autograd": Contender("autograd", "in_autograd"),
    "micrograd": Contender("micrograd", "in_micrograd"),
}
PEERS = tuple(name for name, one in CONTENDERS.items() if one.peer)


def chain(m: Any, x: Any) -> Any:
    """A chain of ten elementwise operations; `m` is the framework's own namespace."""
    y = abs(x * 1.5 + 0.5)
    y = m.tanh(m.sqrt(y) * x) - x
    return m.exp(y * y * -0.5)
