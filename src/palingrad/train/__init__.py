"""Training: the loop, evaluation, run folders, and the models of the command line."""

from ..messages.elsewhere import TRAINING
from ..messages.names import unknown_name
from .evaluate import Evaluation, evaluate
from .fit import fit
from .history import Epoch, History
from .recipes import Recipe, recipe, recipe_names
from .runs import Run, load_run
from .saving import Checkpoints

__all__ = [
    "Checkpoints",
    "Epoch",
    "Evaluation",
    "History",
    "Recipe",
    "Run",
    "evaluate",
    "fit",
    "load_run",
    "recipe",
    "recipe_names",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, TRAINING)


def __dir__() -> list[str]:
    return sorted(__all__)
