"""The commands that train and use models: train, evaluate, predict, runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from ..engines.placement import Mesh
from ..engines.selection import get_engine
from ..errors import DataError, EngineError
from ..ops.random import set_seed
from ..processes import count, first_alone, index
from ..scale.mesh import mesh as mesh_of, parsed
from ..scale.processes import initialize_if_launched
from ..train.evaluate import evaluate as evaluated
from ..train.fit import fit
from ..train.progress import Bar, Quiet
from ..train.recipes import optimizer_of
from ..train.report import NAME, reported, uri
from ..train.runs import Run, load_run, new_run
from ..train.saving import Checkpoints
from ..train.tasks import TASKS, check_model
from ..version import __version__
from ..view.training.recording import Recording
from . import options
from .app import Command, DataFolder, Engine, app, console
from .predicting import predictions
from .runs import compared, listed


@dataclass(frozen=True)
class Devices:
    """What a training runs on: an engine, and with a mesh many devices."""

    engine: str | None
    mesh: Mesh | None
    sharding: str | None
    deterministic: bool

    @classmethod
    def of(
        cls, engine: str | None, mesh: str | None, sharding: str | None, deterministic: bool
    ) -> Devices:
        """Those of the command line's options. A mesh needs the xla engine, and is its choice; of
        several processes, which have one, only the first prints."""
        initialize_if_launched()
        console.quiet = index() > 0
        if mesh is None and count() > 1:
            mesh = "data=-1"
        if mesh is None:
            return cls(engine, None, sharding, deterministic)
        if engine not in (None, "xla", "xla:bfloat16"):
            raise EngineError(f"--mesh is for the xla engine, not for {engine}.",
                              hint="Leave --engine out, or write --engine xla.")  # fmt: skip
        return cls(engine or "xla", mesh_of(parsed(mesh)), sharding, deterministic)

    def __str__(self) -> str:
        if self.mesh is None:
            return ""
        how = f", {self.sharding}" if self.sharding else ""
        return f" on {self.mesh}{how}{', deterministic' if self.deterministic else ''}"


@app.command(cls=Command)
def train(
    dataset: options.Dataset,
    source: options.Source = None,
    model: options.Model = None,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = None,
    learning_rate: options.LearningRate = None,
    optimizer: options.Optimizer = None,
    schedule: options.Schedule = "constant",
    warmup: options.Warmup = None,
    weight_decay: options.WeightDecay = None,
    clip: options.Clip = None,
    patience: options.Patience = None,
    target: options.Target = None,
    tokens: options.Tokens = None,
    context: options.Context = None,
    layers: options.Layers = None,
    width: options.Width = None,
    dropout: options.Dropout = None,
    size: options.Size = None,
    engine: Engine = None,
    mesh: options.Mesh = None,
    sharding: options.Sharding = None,
    deterministic: options.Deterministic = False,
    seed: options.Seed = 0,
    out: options.Out = None,
    resume: options.Resume = None,
    record: options.Record = None,
    tensorboard: options.TensorBoard = None,
    folder: DataFolder = None,
) -> None:
    """Train a model, show its progress and test accuracy, and write a run folder."""
    given = {"target": target, "tokens": tokens, "size": size, "dropout": dropout,
             "schedule": None if schedule == "constant" else schedule, "warmup": warmup,
             "weight_decay": weight_decay, "clip": clip, "patience": patience,
             "sizes": {"context": context, "layers": layers, "width": width}}  # fmt: skip
    devices = Devices.of(engine, mesh, sharding, deterministic)
    recording = None
    if record is not None or tensorboard is not None:
        recording = Recording(path=record, tensorboard=tensorboard)
    if resume is not None:
        _train(load_run(resume), devices, recording, folder, goes_on=epochs or True)
        return
    kind = dataset if dataset in TASKS else "images"
    settings: dict[str, Any] = {
        "dataset": dataset,
        "model": model or {"text": "gpt", "image-folder": "resnet20"}.get(kind, "mlp"),
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "seed": seed,
        "engine": get_engine(devices.engine).name,
        "version": __version__,
        **_of_kind(kind, source, given),
    }
    check_model(TASKS[kind], settings["model"])
    settings = first_alone("the data", lambda: TASKS[kind].begin(settings, folder))
    with new_run(out, settings) as run:
        _train(run, devices, recording, folder)


def _of_kind(kind: str, source: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """The settings that only this kind of data has. Raises DataError for those of another kind."""
    own = {"text": ("tokens", "sizes", "dropout"), "csv": ("target",),
           "image-folder": ("size",)}.get(kind, ())  # fmt: skip
    every = ("schedule", "warmup", "weight_decay", "clip", "patience")
    chosen = {name: x for name, x in given.items() if x is not None and
              (name != "sizes" or any(x.values()))}  # fmt: skip
    for name in chosen:
        if name not in (*own, *every):
            raise DataError(
                f"--{'context' if name == 'sizes' else name.replace('_', '-')} isn't an option "
                f"of {kind}."
            )
    if (source is None) != (kind == "images"):
        raise DataError(
            f"train {kind} needs a file or folder." if source is None else
            f"the data set has no source {source!r:.60}.",
            hint="Write palingrad train text FILE, train csv FILE --target COLUMN, or "
            "train image-folder FOLDER.",
        )  # fmt: skip
    if kind == "images":
        return chosen
    return {"task": kind, "source": str(Path(str(source)).resolve()), **chosen}


def _train(
    run: Run, devices: Devices, record: Recording | None, folder: str | None,
    goes_on: int | bool = False,
) -> None:  # fmt: skip
    """Train with the run's settings, print the results, and write the run folder."""
    task, settings = run.task, run.settings
    if goes_on is not True and goes_on:
        settings["epochs"] = goes_on
    loaded = first_alone("the data", lambda: task.load(settings, folder))
    set_seed(settings["seed"])
    network = task.build(settings)
    train, test, count = run.parts(loaded)
    rule = optimizer_of(settings, count * settings["epochs"])
    rate, size = settings["learning_rate"], settings["batch_size"]
    console.print(
        f"{task.describe(loaded)}\n{settings['model']}, {settings['optimizer']}, learning rate "
        f"{rate:g}, batch size {size}, {settings['engine']} engine{devices}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    with reported(run, network, loaded, engine=devices.engine) as on_epoch:
        result = fit(
            network,
            train,
            test=test,
            loss=task.loss(settings),
            metrics=task.metrics(settings),
            optimizer=rule,
            epochs=settings["epochs"],
            batch_size=size,
            patience=settings.get("patience"),
            seed=settings["seed"],
            engine=devices.engine,
            mesh=devices.mesh,
            sharding=devices.sharding,
            deterministic=devices.deterministic,
            reporter=Bar(console) if index() == 0 else Quiet(),
            on_epoch=on_epoch,
            record=record,
            checkpoint=Checkpoints(run.folder / "checkpoints", keep=1),
            resume=bool(goes_on),
        )
        run.save(network, result)
        if result.interrupted:
            console.print("stopped by Ctrl-C; the trained parameters are saved")
        _print_result(run, result.epochs[-1])
        console.print(f"run folder {run.folder}", highlight=False, markup=False, soft_wrap=True)
    report = uri(run.folder / NAME)
    console.print(f"report {report}", highlight=False, markup=False, soft_wrap=True)


def _print_result(run: Run, epoch: Any) -> None:
    """The test accuracy, or what there is in its place."""
    if run.settings.get("task") == "text":
        text = f"test loss {epoch.test_loss:.4f} nats a token"
    elif epoch.test_accuracy is not None:
        text = f"test accuracy {epoch.test_accuracy:.2%}"
    else:
        numbers = {"test loss": epoch.test_loss, **epoch.metrics}
        text = ", ".join(f"{name} {value:.4f}" for name, value in numbers.items())
    console.print(text, style="bold", highlight=False)


@app.command(cls=Command)
def evaluate(
    folder: Annotated[str, typer.Argument(metavar="RUN", help="Run folder of a training.")],
    engine: Engine = None,
    data_folder: DataFolder = None,
) -> None:
    """Evaluate a trained model on its test data, class by class."""
    run = load_run(folder)
    network, task = run.model(), run.task
    loaded = task.load(run.settings, data_folder)
    test = run.parts(loaded)[1]
    result = evaluated(network, test, loss=task.loss(run.settings),
                       metrics=task.metrics(run.settings), engine=engine)  # fmt: skip
    names = run.classes(loaded)
    if names:
        _print_classes(names, test[1], result.predictions)
    console.print(f"test loss {result.loss:.4f}", highlight=False)
    for name, value in result.metrics.items():
        console.print(f"test {name} {value:.4f}", highlight=False)
    if result.accuracy is not None:
        console.print(f"test accuracy {result.accuracy:.2%}", style="bold", highlight=False)


def _print_classes(names: Sequence[str], labels: Any, predictions: Any) -> None:
    table = Table("class", "examples", "accuracy", box=None, pad_edge=False)
    for number, name in enumerate(names):
        members = labels == number
        accuracy = float(np.mean(predictions[members] == number)) if members.any() else 0.0
        table.add_row(name, str(int(members.sum())), f"{accuracy:.1%}")
    console.print(table)


@app.command(cls=Command)
def predict(
    folder: Annotated[str, typer.Argument(metavar="RUN", help="Run folder of a training.")],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(help="Image files, a csv file, or the beginning of a text."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="text: characters to write.")] = 400,
    temperature: Annotated[
        float, typer.Option(min=0.0, help="text: 0 takes the likeliest, 1 draws as it has learnt.")
    ] = 0.8,
    top_k: Annotated[
        int | None, typer.Option(min=1, help="text: draw from the likeliest only.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="text: seed of the draws.")] = 0,
) -> None:
    """Predict the classes of images, the target of a csv file, or how a text goes on."""
    run = load_run(folder)
    how = {"count": count, "temperature": temperature, "top_k": top_k, "seed": seed}
    for line in predictions(run, inputs or [], how):
        print(line)


@app.command(cls=Command)
def runs(
    folders: Annotated[
        list[str] | None, typer.Argument(help="Two run folders to compare; default: list all.")
    ] = None,
    root: Annotated[str, typer.Option(help="Folder of the run folders.")] = "runs",
    out: Annotated[str, typer.Option(help="HTML page of the comparison.")] = "comparison.html",
) -> None:
    """List trainings, or compare some: curves overlaid, and the settings that differ."""
    if not folders:
        console.print(listed(root))
        return
    table, page = compared([load_run(one) for one in folders], out)
    console.print(table)
    console.print(page, highlight=False, markup=False, soft_wrap=True)
