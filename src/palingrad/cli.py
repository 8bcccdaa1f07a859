"""The command line: palingrad train, evaluate, view, draw, translate, check, info."""

from __future__ import annotations

import io
import json
import os
import platform
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal, NoReturn

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand

from . import data
from .engines.native.engine import describe
from .engines.selection import engine_names, get_engine
from .errors import GraphError, PalingradError, WriteError
from .files.atomic import path_text
from .files.terminal import SPELLED
from .messages.checks import counted, nearest
from .messages.keywords import SYNONYMS
from .ops.random import set_seed
from .proof.battery import CHECKS
from .proof.fault import shown
from .proof.find import Found, find
from .proof.report import COLUMNS, QUICK, Report, checked
from .train.evaluate import evaluate as evaluated
from .train.fit import fit
from .train.progress import Bar, Steps
from .train.recipes import make_optimizer, recipe
from .train.report import NAME, reported, uri
from .train.runs import Run, load_run, new_run
from .train.trained_graph import trained_graph
from .version import __version__
from .view import page
from .view.drawings import draw as drawn
from .view.page.show import Theme
from .view.reading.translation import Style, translate as translated
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
    typer.Option("--data", help="Folder with the data set's files; default: PALINGRAD_DATA."),
]
Engine = Annotated[
    str | None, typer.Option(help="Engine: numpy, native or auto; default: PALINGRAD_ENGINE, auto.")
]


class Command(TyperCommand):
    """A command that suggests its own option for one of another name, such as --lr."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            given = getattr(error, "option_name", None)  # of an option that doesn't exist
            if given is not None:
                word = given.lstrip("-").replace("-", "_")
                names = {name: name for p in self.params for name in p.opts if name[:2] == "--"}
                meant = [f"--{one.replace('_', '-')}" for one in SYNONYMS.get(word, ())]
                found = [one for one in meant if one in names] or [nearest(given, names)]
                vars(error)["possibilities"] = [one for one in found if one] or sorted(names)
            raise


@app.command(cls=Command)
def train(
    dataset: Annotated[DatasetName, typer.Argument(help="Data set to train on.")],
    model: Annotated[ModelName, typer.Option(help="Model to train.")] = "mlp",
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data; default: 10, for digits 50.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Examples per step.")] = 64,
    learning_rate: Annotated[
        float | None, typer.Option(min=0.0, help="Learning rate; default: the model's.")
    ] = None,
    optimizer: Annotated[
        OptimizerName | None, typer.Option(help="Optimizer; default: the model's.")
    ] = None,
    engine: Engine = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")] = 0,
    out: Annotated[
        str | None, typer.Option(help="Run folder to write; default: a new one in runs/.")
    ] = None,
    folder: DataFolder = None,
) -> None:
    """Train a model, show its progress and test accuracy, and write a run folder."""
    defaults = recipe(model)
    loaded = data.load(dataset, folder=folder)
    settings: dict[str, Any] = {
        "dataset": dataset,
        "model": model,
        "features": loaded.num_inputs,
        "classes": len(loaded.classes),
        "epochs": epochs or (50 if dataset == "digits" else 10),  # a small set needs more passes
        "batch_size": batch_size,
        "optimizer": optimizer or defaults.optimizer,
        "learning_rate": defaults.learning_rate if learning_rate is None else learning_rate,
        "seed": seed,
        "engine": get_engine(engine).name,
        "version": __version__,
    }
    _train(new_run(out, settings), loaded, engine)


def _train(run: Run, dataset: data.Dataset, engine: str | None) -> None:
    """Train with the run's settings, print the results, and write the run folder."""
    settings, chosen = run.settings, run.recipe
    rule, rate, size = settings["optimizer"], settings["learning_rate"], settings["batch_size"]
    set_seed(settings["seed"])
    network = chosen.build(dataset.num_inputs, len(dataset.classes))
    console.print(
        f"{dataset.name}: {len(dataset.train):,} training examples, "
        f"{len(dataset.test):,} test examples\n"
        f"{settings['model']}, {rule}, learning rate {rate:g}, batch size {size}, "
        f"{settings['engine']} engine",
        highlight=False,
    )
    with reported(run, network, dataset, engine=engine) as on_epoch:
        result = fit(
            network,
            (dataset.train.inputs, dataset.train.labels),
            test=(dataset.test.inputs, dataset.test.labels),
            loss=chosen.loss,
            optimizer=make_optimizer(rule, rate),
            epochs=settings["epochs"],
            batch_size=size,
            seed=settings["seed"],
            engine=engine,
            reporter=Bar(console),
            on_epoch=on_epoch,
        )
        run.save(network, result)
        if result.interrupted:
            console.print("stopped by Ctrl-C; the trained parameters are saved")
        accuracy = result.epochs[-1].test_accuracy or 0.0
        console.print(f"test accuracy {accuracy:.2%}", style="bold", highlight=False)
        console.print(f"run folder {run.folder}", highlight=False, markup=False, soft_wrap=True)
    report = uri(run.folder / NAME)
    console.print(f"report {report}", highlight=False, markup=False, soft_wrap=True)


@app.command(cls=Command)
def evaluate(
    folder: Annotated[str, typer.Argument(metavar="RUN", help="Run folder of a training.")],
    engine: Engine = None,
    data_folder: DataFolder = None,
) -> None:
    """Evaluate a trained model on its data set's test split, class by class."""
    run = load_run(folder)
    network = run.model()
    dataset = data.load(run.settings["dataset"], folder=data_folder)
    test = (dataset.test.inputs, dataset.test.labels)
    result = evaluated(network, test, loss=run.recipe.loss, engine=engine)
    table = Table("class", "examples", "accuracy", box=None, pad_edge=False)
    for number, name in enumerate(dataset.classes):
        members = dataset.test.labels == number
        accuracy = float(np.mean(result.predictions[members] == number)) if members.any() else 0.0
        table.add_row(name, str(int(members.sum())), f"{accuracy:.1%}")
    console.print(table)
    console.print(f"test loss {result.loss:.4f}", highlight=False)
    console.print(f"test accuracy {result.accuracy:.2%}", style="bold", highlight=False)


@app.command(cls=Command)
def view(
    what: Annotated[
        str,
        typer.Argument(help="file.py, file.py:name for one of its nodes, or a run folder."),
    ],
    out: Annotated[str | None, typer.Option(help="HTML file to write.")] = None,
    theme: Annotated[Theme, typer.Option(help="Colours of the page.")] = "auto",
    browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the browser.")] = True,
    folder: DataFolder = None,
) -> None:
    """Make an interactive HTML page of a graph: values, derivatives, both passes step by step."""
    title, graph = trained_graph(what, folder) if os.path.isdir(what) else graph_in(what)
    shown = page.show(graph, title=title, theme=theme, open=False)
    if out or not browser:
        shown.save(out or f"{title}.html")
    path = shown.open() if browser else shown.path
    console.print(f"{path}  {len(shown.text) / 1000:,.0f} kB", highlight=False, soft_wrap=True)


@app.command(cls=Command)
def draw(
    what: Annotated[
        str, typer.Argument(help="file.py, or file.py:name for one of its graphs or nodes.")
    ],
    out: Annotated[
        str | None, typer.Option(help="File to write: .svg .png .pdf .html .dot .mmd .txt")
    ] = None,
    nodes: Annotated[
        Literal["operations", "values", "bipartite", "neurons"],
        typer.Option(help="What each box represents."),
    ] = "operations",
    granularity: Annotated[
        Literal["tensor", "vector", "scalar"], typer.Option(help="One node per tensor, …")
    ] = "tensor",
    style: Annotated[
        Literal["auto", "light", "dark", "print"], typer.Option(help="Colours.")
    ] = "auto",
    right: Annotated[bool, typer.Option("--right", help="Draw from left to right.")] = False,
    fold: Annotated[
        bool | None, typer.Option("--fold/--no-fold", help="Draw repeated blocks once.")
    ] = None,
) -> None:
    """Draw a graph that a Python file builds."""
    title, graph = graph_in(what)
    path = out or f"{title}.svg"
    drawn(
        graph,
        path,
        nodes=nodes,
        granularity=granularity,
        style=style,
        direction="right" if right else "down",
        fold=fold,
    )
    console.print(path, highlight=False, markup=False, soft_wrap=True)


@app.command(cls=Command)
def translate(
    what: Annotated[
        str, typer.Argument(help="file.py, or file.py:name for one of its graphs or nodes.")
    ],
    to: Annotated[Style, typer.Option(help="How the written code computes.")],
    out: Annotated[
        str | None, typer.Option(help="File to write (.py); default: standard output.")
    ] = None,
) -> None:
    """Print a graph that a Python file builds as palingrad's code in another style."""
    title, graph = graph_in(what)
    text = translated(graph, to=to, name=title)
    if out is not None:
        text.save(out)
        console.print(out, highlight=False, markup=False, soft_wrap=True)
    elif text.arrays:
        raise GraphError(
            f"translate: {', '.join(text.arrays)} would take more than 1,000 numbers of text.",
            hint="Write --out FILE.py: arrays are saved beside it, in FILE.npz.",
        )
    else:
        print(text, end="")


@app.command(cls=Command)
def check(
    operations: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[OPERATION]...",
            help="Names of operations, file.py, file.py:Class or module:Class; default: all.",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="numpy engine, derivatives of two orders, no ULP.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    engine: Engine = None,
) -> None:
    """Prove operations on their samples: derivatives, dtypes, shapes, engines, accuracy.

    Each fault is printed as a small program that shows it, and the exit status is 1.
    """
    engines = [get_engine(engine).name] if engine else ["numpy"] if quick else engine_names()
    found = find(operations or [])
    reports: list[tuple[Found, Report]] = []
    with Steps(Console(stderr=True), len(found)) as steps:
        for one in found:
            steps.start(one.operation._kind_name)
            reports.append((one, checked(one.operation, engines, QUICK if quick else CHECKS)))
    faults = [(report, fault, one) for one, report in reports for fault in report.faults]
    programs = [shown(fault, one.operation, one.imported, engines) for _, fault, one in faults]
    if as_json:
        listed = [
            {"operation": one.operation._kind_name, "check": fault.check, "program": text}
            for (_, fault, one), text in zip(faults, programs, strict=True)
        ]
        proved = [report.as_json() for _, report in reports]
        print(json.dumps({"engines": list(engines), "operations": proved, "faults": listed}))
    else:
        _print_reports([report for _, report in reports], engines)
        for text in programs:
            console.print(f"\n{text}", highlight=False, markup=False, soft_wrap=True)
    if faults:
        sys.exit(1)


def _print_reports(reports: list[Report], engines: Sequence[str]) -> None:
    measured = [engine for engine in engines if any(engine in one.ulps for one in reports)]
    names = [column.name for column in COLUMNS]
    headings = ["operation", *names, *[f"ULP {engine}" for engine in measured]]
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for one in reports:
        cells = [one.facts.get(name) or Text("fault", style="red") for name in names]
        ulps = [f"{one.ulps[engine]:.1f}" if engine in one.ulps else "" for engine in measured]
        table.add_row(one.operation._kind_name, *cells, *ulps)
    Console(width=max(console.width, 170)).print(table)  # a terminal wraps what is wider
    faulty = sum(bool(one.faults) for one in reports)
    samples = sum(len(one.operation.samples) for one in reports)
    console.print(
        f"{counted(len(reports), 'operation')} on {counted(samples, 'sample')}, "
        f"{'engine' if len(engines) == 1 else 'engines'} {', '.join(engines)}: "
        f"{faulty or 'none'} with faults",
        style="bold",
        highlight=False,
    )


@app.command(cls=Command)
def info() -> None:
    """Show versions, the machine, the engines and the data sets."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("palingrad", __version__)
    table.add_row("python", platform.python_version())
    table.add_row("numpy", np.__version__)
    table.add_row("machine", f"{platform.machine()}, {os.cpu_count()} cores")
    table.add_row("engines", ", ".join(engine_names()) + f" (selected: {get_engine().name})")
    for name, text in describe():
        table.add_row(name, text)
    for name in data.names():
        table.add_row(f"data: {name}", data.describe(name))
    console.print(table)


def main() -> None:
    """Run the command line; palingrad's own errors are printed as one line, without a traceback.

    The exit status is 2 for a mistake in what was asked, 1 if a file or the output can't be
    written.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=SPELLED)
    try:
        app()
    except PalingradError as error:
        unwritten = isinstance(error, WriteError) or isinstance(error.__cause__, WriteError)
        _fail(str(error), 1 if unwritten else 2)
    except OSError as error:  # of standard output, which other packages write to
        place = path_text(error.filename) if error.filename else "standard output"
        with suppress(OSError, ValueError, AttributeError):
            # What is left in the buffer can't be written when Python exits either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(f"{place} can't be used: {error.strerror or error}.", 1)


def _fail(message: str, status: int) -> NoReturn:
    """Print the message, if standard error can be written to, and exit."""
    text = Text.assemble(("error:", "red"), f" {message}")  # no markup: it may have [brackets]
    with suppress(OSError):
        Console(stderr=True).print(text, soft_wrap=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
