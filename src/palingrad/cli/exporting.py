"""The command that writes a trained or saved model as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from ..io.model import load_model
from ..onnx import export as exported
from ..train.runs import Run, load_run
from ..train.tasks import tables
from .app import Command, app, console

_TOKENS = 8  # of the text for which a model of texts is written; other lengths fit, too


@app.command(cls=Command)
def export(
    folder: Annotated[str, typer.Argument(metavar="RUN", help="Run folder, or saved model.")],
    out: Annotated[str | None, typer.Option(help="File to write; default: RUN.onnx.")] = None,
    opset: Annotated[int | None, typer.Option(help="ONNX opset; default: the newest.")] = None,
) -> None:
    """Write a trained model as an ONNX file, for batches of any size."""
    model, example, axes = _model_in(Path(folder))
    path = exported(model, example, out or f"{Path(folder).resolve().name}.onnx", opset=opset,
                    dynamic_axes=axes)  # fmt: skip
    console.print(f"{path}  {path.stat().st_size / 1000:,.0f} kB", highlight=False, soft_wrap=True)


def _model_in(folder: Path) -> tuple[Any, tuple[Any, ...], Any]:
    """The model, an example of its inputs, and their dynamic axes."""
    if (folder / "run.json").exists():
        run = load_run(folder)
        model = run.model()
        given = _example(run)
        return (
            _Of(model, given),
            tuple(x for x in given if x is not None),
            _AXES.get(run.settings.get("task", "images"), "batch"),
        )
    saved = load_model(folder)
    shapes = [tuple(2 if size is None else size for size in x.shape or ()) for x in saved.inputs]
    example = tuple(np.zeros(shape, x.dtype) for shape, x in zip(shapes, saved.inputs, strict=True))
    free = all(x.shape and x.shape[0] is None for x in saved.inputs)
    return saved, example, "batch" if free else None


class _Of:
    """The model without the inputs that it isn't given: tables may lack numbers or categories."""

    def __init__(self, model: Any, given: tuple[Any, ...]) -> None:
        self.variables, self._model, self._given = model.variables, model, given

    def __call__(self, *x: Any) -> Any:
        left = iter(x)
        return self._model(*(None if one is None else next(left) for one in self._given))


_AXES: dict[str, Any] = {"text": [{0: "batch", 1: "time"}]}


def _example(run: Run) -> tuple[Any, ...]:
    settings = run.settings
    kind = settings.get("task", "images")
    if kind == "text":
        return (np.zeros((2, _TOKENS), np.int64),)
    if kind == "csv":
        columns = tables.columns_of(settings)
        row = dict.fromkeys((*columns.numbers, *columns.categories), "")
        return tuple(columns.inputs([row, row], "export"))
    shape = settings["shape"] if kind == "image-folder" else (settings["features"],)
    return (np.zeros((2, *shape), np.float32),)
