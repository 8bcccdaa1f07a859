"""The command line: palingrad train, evaluate, info."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import data
from .engines.native.engine import describe
from .engines.selection import engine_names, get_engine
from .errors import DataError, PalingradError
from .ops.random import set_seed
from .train.evaluate import evaluate as evaluated
from .train.fit import fit
from .train.progress import Bar
from .train.recipes import make_optimizer, recipe
from .train.report import NAME, reported, uri
from .train.runs import Run, load_run, new_run
from .train.trained_graph import living
from .version import __version__
from .view import page
from .view.drawings import draw as drawn
from .view.page.show import Theme
from .view.script import graph_in

app = typer.Typer(
    help="Computational graphs you can read forwards and backwards.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()

DatasetName = Literal["digits", "mnist", "fashion-mnist"]
ModelName = Literal["mlp", "cnn", "logistic", "perceptron"]
OptimizerName = Literal["adam", "adamw", "adagrad", "momentum", "nesterov", "rmsprop", "sgd"]

DataFolder = Annotated[
    str | None,
    typer.Option("--data", help="Folder with the data set's files; else PALINGRAD_DATA."),
]
Engine = Annotated[str | None, typer.Option(help="Engine to run on; else the best here.")]


@app.command()
def train(
    dataset: Annotated[DatasetName, typer.Argument(help="What to learn.")],
    model: Annotated[ModelName, typer.Option(help="What learns.")] = "mlp",
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data; else 10, for digits 50.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Examples in a step.")] = 64,
    learning_rate: Annotated[
        float | None, typer.Option(min=0.0, help="Size of a step; else the model's usual one.")
    ] = None,
    optimizer: Annotated[
        OptimizerName | None, typer.Option(help="Update rule; else the model's usual one.")
    ] = None,
    engine: Engine = None,
    seed: Annotated[int, typer.Option(min=0, help="Where all random numbers start.")] = 0,
    out: Annotated[
        str | None, typer.Option(help="Run folder to write; else a new one in runs/.")
    ] = None,
    folder: DataFolder = None,
) -> None:
    """Train a model, show its progress and test accuracy, and write a run folder."""
    chosen = recipe(model)
    found = data.load(dataset, folder=folder)
    settings: dict[str, Any] = {
        "dataset": dataset,
        "model": model,
        "features": found.num_inputs,
        "classes": len(found.classes),
        "epochs": epochs or (50 if dataset == "digits" else 10),  # a small set needs more passes
        "batch_size": batch_size,
        "optimizer": optimizer or chosen.optimizer,
        "learning_rate": chosen.learning_rate if learning_rate is None else learning_rate,
        "seed": seed,
        "engine": get_engine(engine).name,
        "version": __version__,
    }
    _trained(new_run(out, settings), found, engine)


def _trained(run: Run, found: data.Dataset, engine: str | None) -> None:
    """Train as the run's settings say, show it, and write the run folder."""
    now, chosen = run.settings, run.recipe
    rule, rate, size = now["optimizer"], now["learning_rate"], now["batch_size"]
    set_seed(now["seed"])
    network = chosen.build(found.num_inputs, len(found.classes))
    console.print(
        f"{found.name}: {len(found.train):,} examples to train on, {len(found.test):,} to test on\n"
        f"{now['model']}, {rule} at {rate:g}, batches of {size}, {now['engine']} engine",
        highlight=False,
    )
    with reported(run, network, found, engine=engine) as on_epoch:
        result = fit(
            network,
            (found.train.inputs, found.train.labels),
            test=(found.test.inputs, found.test.labels),
            loss=chosen.loss,
            optimizer=make_optimizer(rule, rate),
            epochs=now["epochs"],
            batch_size=size,
            seed=now["seed"],
            engine=engine,
            reporter=Bar(console),
            on_epoch=on_epoch,
        )
    run.save(network, result)
    if result.interrupted:
        console.print("stopped by Ctrl-C; what was learnt is saved")
    accuracy = result.epochs[-1].test_accuracy or 0.0
    console.print(f"test accuracy {accuracy:.2%}", style="bold", highlight=False)
    console.print(f"run folder {run.folder}", highlight=False, markup=False, soft_wrap=True)
    place = uri(run.folder / NAME)
    console.print(f"report {place}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def evaluate(
    folder: Annotated[str, typer.Argument(metavar="RUN", help="Run folder of a training.")],
    engine: Engine = None,
    data_folder: DataFolder = None,
) -> None:
    """Evaluate a trained model on its data set's test part, class by class."""
    run = load_run(folder)
    network = run.model()
    found = data.load(run.settings["dataset"], folder=data_folder)
    test = (found.test.inputs, found.test.labels)
    result = evaluated(network, test, loss=run.recipe.loss, engine=engine)
    table = Table("class", "examples", "right", box=None, pad_edge=False)
    for number, name in enumerate(found.classes):
        these = found.test.labels == number
        share = float(np.mean(result.predictions[these] == number)) if these.any() else 0.0
        table.add_row(name, str(int(these.sum())), f"{share:.1%}")
    console.print(table)
    console.print(f"test loss {result.loss:.4f}", highlight=False)
    console.print(f"test accuracy {result.accuracy:.2%}", style="bold", highlight=False)


@app.command()
def view(
    what: Annotated[
        str,
        typer.Argument(help="file.py, file.py:name for one of its nodes, or a training's folder."),
    ],
    out: Annotated[str | None, typer.Option(help="HTML file to write.")] = None,
    theme: Annotated[Theme, typer.Option(help="Colours of the page.")] = "auto",
    browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the browser.")] = True,
    folder: DataFolder = None,
) -> None:
    """Make the page of a graph: values, derivatives, every path, both passes step by step."""
    title, graph = living(what, folder) if os.path.isdir(what) else graph_in(what)
    made = page.show(graph, title=title, theme=theme, open=False)
    with _written(out or f"{title}.html"):
        if out or not browser:
            made.save(out or f"{title}.html")
        path = made.open() if browser else made.path
    console.print(f"{path}  {len(made.text) / 1000:,.0f} kB", highlight=False, soft_wrap=True)


@app.command()
def draw(
    what: Annotated[
        str, typer.Argument(help="file.py, or file.py:name for one of its graphs or nodes.")
    ],
    out: Annotated[
        str | None, typer.Option(help="File to write: .svg .png .pdf .html .dot .mmd .txt")
    ] = None,
    nodes: Annotated[
        Literal["operations", "values", "bipartite", "neurons"], typer.Option(help="What is a box.")
    ] = "operations",
    granularity: Annotated[
        Literal["tensor", "vector", "scalar"], typer.Option(help="What is a node.")
    ] = "tensor",
    style: Annotated[
        Literal["auto", "light", "dark", "print"], typer.Option(help="Colours.")
    ] = "auto",
    right: Annotated[bool, typer.Option("--right", help="From left to right.")] = False,
    fold: Annotated[
        bool | None, typer.Option("--fold/--no-fold", help="Draw repeated blocks once.")
    ] = None,
) -> None:
    """Draw a graph that a file of Python code builds."""
    title, graph = graph_in(what)
    path = out or f"{title}.svg"
    direction = "right" if right else "down"
    with _written(path):
        drawn(
            graph,
            path,
            nodes=nodes,
            granularity=granularity,
            style=style,
            direction=direction,
            fold=fold,
        )
    console.print(path, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def _written(path: str) -> Generator[None]:
    """What keeps a file from being written is told in one line."""
    try:
        yield
    except OSError as error:
        raise DataError(f"can't write {path}: {error.strerror}") from error


@app.command()
def info() -> None:
    """Show versions, the machine, engines and data sets."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("palingrad", __version__)
    table.add_row("python", platform.python_version())
    table.add_row("numpy", np.__version__)
    table.add_row("machine", f"{platform.machine()}, {os.cpu_count()} cores")
    table.add_row("engines", ", ".join(engine_names()) + f" (now {get_engine().name})")
    for name, text in describe():
        table.add_row(name, text)
    for name in data.names():
        table.add_row(f"data: {name}", data.describe(name))
    console.print(table)


def main() -> None:
    """Run the command line; errors that users can mend are one line, without a traceback."""
    try:
        app()
    except PalingradError as error:
        message = Text.assemble(("error:", "red"), f" {error}")  # not markup: may hold [brackets]
        Console(stderr=True).print(message, soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
