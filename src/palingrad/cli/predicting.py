"""What `palingrad predict` prints, for each kind of data."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import data
from ..data.image_folder import opened
from ..errors import DataError
from ..train.runs import Run
from ..train.tasks import tables, text


def predictions(run: Run, inputs: Sequence[str], options: Mapping[str, Any]) -> Iterator[str]:
    """Lines for the inputs of a command: images, one csv file, or the beginning of a text."""
    kind, model = run.settings.get("task", "images"), run.model()
    if kind == "text":
        prompt = " ".join(inputs)
        given = dict(options)
        count = given.pop("count")
        yield prompt + text.continued(model, run.settings, prompt, count, **given)
        return
    if not inputs:
        raise DataError("predict needs an input.", hint="Pass image files, or a csv file.")
    if kind == "csv":
        if len(inputs) > 1:
            raise DataError(f"predict takes one csv file, got {len(inputs)}.")
        yield from _as_csv(tables.predicted(model, run.settings, inputs[0]))
        return
    yield from _classified(run, model, [Path(one) for one in inputs])


def _as_csv(rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    line = io.StringIO()
    writer = csv.DictWriter(line, list(rows[0]), lineterminator="")
    for number in range(-1, len(rows)):
        line.seek(0)
        line.truncate()
        if number < 0:
            writer.writeheader()
        else:
            writer.writerow(rows[number])
        yield line.getvalue()


def _classified(run: Run, model: Any, paths: Sequence[Path]) -> Iterator[str]:
    """For each image its path, class and probability, with tabs between."""
    settings = run.settings
    if settings.get("task") == "image-folder":
        (channels, side, _), names = settings["shape"], settings["names"]
        shape: tuple[int, ...] = tuple(settings["shape"])
    else:
        side = math.isqrt(settings["features"])
        channels, shape = 1, (settings["features"],)
        names = data.class_names(settings["dataset"])
    for path in paths:
        x = opened(path, side, channels=channels).reshape(1, *shape)
        scores = model(x).numpy().astype(np.float64)[0]
        shares = np.exp(scores - scores.max())
        best = int(shares.argmax())
        yield f"{path}\t{names[best]}\t{shares[best] / shares.sum():.4f}"
