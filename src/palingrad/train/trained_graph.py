"""The graph of a trained network: its loss on a few test examples, with its weights as they are."""

from __future__ import annotations

from .. import data
from ..dtypes import float32
from ..graph.node import Node
from ..graph.promotion import tensor
from .runs import load_run


def living(folder: str, data_folder: str | None = None, *, examples: int = 8) -> tuple[str, Node]:
    """A title and the loss of a run folder's network on the first test examples."""
    run = load_run(folder)
    found = data.load(run.settings["dataset"], folder=data_folder)
    model = run.model()
    images = tensor(found.test.inputs[:examples], dtype=float32, name="images")
    labels = tensor(found.test.labels[:examples], name="labels")
    loss = run.recipe.loss(model(images), labels)
    return f"{run.settings['dataset']} {run.settings['model']}", loss
