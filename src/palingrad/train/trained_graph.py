"""The graph of a trained network: its loss on a few test examples."""

from __future__ import annotations

from .. import data
from ..dtypes import float32
from ..graph.node import Node
from ..graph.promotion import tensor
from .runs import load_run


def trained_graph(
    folder: str, data_folder: str | None = None, *, examples: int = 8
) -> tuple[str, Node]:
    """(title, loss) for the network in a run folder, evaluated on the first test examples."""
    run = load_run(folder)
    test = data.load(run.settings["dataset"], folder=data_folder).test
    model = run.model()
    images = tensor(test.inputs[:examples], dtype=float32, name="images")
    labels = tensor(test.labels[:examples], name="labels")
    loss = run.recipe.loss(model(images), labels)
    return f"{run.settings['dataset']} {run.settings['model']}", loss
