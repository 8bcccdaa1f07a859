"""The services of run folders: images, tables and texts."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import data
from ..dtypes import Array
from ..errors import DataError
from ..functions import function
from ..io.model import Argument, SavedModel
from ..train.runs import Run, load_run
from ..train.tasks import tables, text
from .faults import RequestError
from .services import Arrays, Calls, Option, Service, probabilities

_MOST_CHARACTERS = 10_000


def service_of_run(folder: str | os.PathLike[str], **options: Any) -> Service:
    """The service of a run folder. `options` are those of Arrays."""
    run = load_run(folder)
    kind = run.settings.get("task", "images")
    if kind == "text":
        return _text(run)
    return _table(run) if kind == "csv" else _images(run, options)


def service_of_model(model: SavedModel, **options: Any) -> Service:
    """The service of a saved model."""
    return Arrays(named(model, [one.name for one in model.outputs]), model.inputs, model.outputs,
                  **options)  # fmt: skip


def named(model: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
    """The function from a list of arrays to outputs by name."""
    compiled = model if isinstance(model, SavedModel) else function(model)

    def run(inputs: Sequence[Array]) -> dict[str, Array]:
        outputs = compiled(*inputs)
        if isinstance(outputs, dict):
            return {str(name): np.asarray(x) for name, x in outputs.items()}
        several = isinstance(outputs, (tuple, list))
        listed: Sequence[Any] = outputs if several else (outputs,)
        return dict(zip(names, map(np.asarray, listed), strict=True))

    return run


def _images(run: Run, options: Mapping[str, Any]) -> Service:
    settings = run.settings
    if settings.get("task") == "image-folder":
        shape: tuple[int, ...] = tuple(settings["shape"])
        image, classes = settings["shape"], settings["names"]
    else:
        side = math.isqrt(settings["features"])
        shape, image = (settings["features"],), [1, side, side]
        classes = data.class_names(settings["dataset"])
    compiled = function(run.model())

    def predict(inputs: Sequence[Array]) -> dict[str, Array]:
        scores = np.asarray(compiled(*inputs))
        return {"probabilities": probabilities(scores), "scores": scores}

    single = np.dtype(np.float32)
    outputs = [Argument(name, (None, len(classes)), single) for name in ("probabilities", "scores")]
    facts = {"kind": "image", "image": list(image)}  # (channels, height, width)
    return Arrays(predict, [Argument("x", (None, *shape), single)], outputs, facts=facts,
                  classes=classes, **options)  # fmt: skip


def _table(run: Run) -> Service:
    columns, model = tables.columns_of(run.settings), run.model()
    known = {**dict.fromkeys(columns.numbers, "number"),
             **dict.fromkeys(columns.categories, "category")}  # fmt: skip

    def predict(given: dict[str, Any]) -> dict[str, Any]:
        rows = [_row(row, f"rows[{number}]", known) for number, row in enumerate(_rows(given))]
        return {"rows": tables.predicted_rows(model, run.settings, rows, "rows")}

    row = {
        "type": "object",
        "required": list(known),
        "properties": {name: {"type": "number" if kind == "number" else "string"}
                       for name, kind in known.items()},
    }  # fmt: skip
    return Calls("rows", {"columns": known, "target": columns.target},
                 {"rows": {"type": "array", "items": row}}, predict)  # fmt: skip


def _rows(given: Mapping[str, Any]) -> list[Any]:
    rows = given["rows"]
    if not isinstance(rows, list) or not rows:
        raise RequestError(422, "rows is no list of objects, one for each row", position="rows")
    return rows


def _row(row: Any, where: str, known: Mapping[str, str]) -> dict[str, str]:
    """The row as a csv file has it."""
    if not isinstance(row, dict):
        raise RequestError(422, f"{where} isn't an object", position=where)
    for name, kind in known.items():
        at, value = f"{where}.{name}", row.get(name)
        if name not in row:
            raise RequestError(422, f"{at} is missing", position=at)
        if isinstance(value, bool) or not isinstance(value, (str, int, float, type(None))):
            raise RequestError(422, f"{at} is no {kind}", position=at)
        if kind == "number" and isinstance(value, str) and value.strip() and not _is_number(value):
            raise RequestError(422, f"{at} is {value!r:.40}, expected a number", position=at)
    unknown = [name for name in row if name not in known]
    if unknown:
        raise RequestError(422, f"{where} has unknown columns: {', '.join(map(str, unknown)):.200}",
                           position=where)  # fmt: skip
    return {name: "" if row[name] is None else str(row[name]) for name in known}


def _is_number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _text(run: Run) -> Service:
    model, settings = run.model(), run.settings
    options = {
        "prompt": Option("string", ""),
        "count": Option("integer", 200, 1, _MOST_CHARACTERS),
        "temperature": Option("number", 0.8, 0, 100),
        "top_k": Option("integer", None, 1, 2**31),
        "seed": Option("integer", 0, 0, 2**63),
    }

    def generate(given: dict[str, Any]) -> dict[str, Any]:
        prompt = given["prompt"]
        if len(prompt) > _MOST_CHARACTERS:
            raise DataError(f"the prompt has {len(prompt):,} characters, more than "
                            f"{_MOST_CHARACTERS:,}.")  # fmt: skip
        how = {name: given[name] for name in ("temperature", "top_k", "seed")}
        return {"prompt": prompt,
                "text": text.continued(model, settings, prompt, given["count"], **how)}  # fmt: skip

    return Calls("text", {"model": settings["model"]}, options, generate)
