"""A training of the digits MLP that writes its losses: run in one process, or in each of several.

python digits_training.py FOLDER [option=value …]: see `main`. Process 0 appends a line for each
step to FOLDER/losses.
"""

from __future__ import annotations

import ast
import sys
import time
from pathlib import Path
from typing import Any

import palingrad as pg
from palingrad.data.digits import load_digits
from palingrad.optim import Adam
from palingrad.processes import index
from palingrad.train import Checkpoints, fit
from palingrad.train.progress import Quiet

ROWS, BATCH = 384, 48  # eight steps in an epoch; batches that 1, 2, 3, 4 and 6 devices can share


class Losses(Quiet):
    """Appends the mean loss of the epoch so far, in all its digits, after each step."""

    def __init__(self, path: Path, hang_at: int) -> None:
        self._path, self._left = path, hang_at

    def step_ends(self, loss: float, accuracy: float | None, steps: int = 1) -> None:
        self._left -= steps
        if self._left == 0:
            time.sleep(1000)
        if index() == 0:
            with open(self._path, "a") as file:
                file.write(f"{float(loss).hex()} {accuracy}\n")


def network() -> pg.nn.Sequential:
    return pg.nn.Sequential(pg.nn.Linear(64, 32, seed=1), pg.relu, pg.nn.Linear(32, 12, seed=2))


def trained(
    folder: Path, *, epochs: int = 3, every: int = 4, resume: bool = False,
    engine: str | None = None, sharding: Any = None, deterministic: bool = False, mesh: Any = None,
    hang_at: int = -1,
) -> Any:  # fmt: skip
    """(model, optimizer, history) of a training with checkpoints in the folder."""
    data = load_digits()
    pg.set_seed(5)
    model, optimizer = network(), Adam(1e-2)
    folder.mkdir(parents=True, exist_ok=True)
    history = fit(
        model, (data.train.inputs[:ROWS], data.train.labels[:ROWS]), optimizer=optimizer,
        batch_size=BATCH, epochs=epochs, seed=3,
        engine=engine, mesh=mesh, sharding=sharding, deterministic=deterministic,
        reporter=Losses(folder / "losses", hang_at),
        checkpoint=Checkpoints(folder / "checkpoints", keep=3, every=every), resume=resume,
    )  # fmt: skip
    return model, optimizer, history


def main() -> None:
    folder, *given = sys.argv[1:]
    options = dict(one.split("=", 1) for one in given)
    at = {name: ast.literal_eval(text) for name, text in options.items()}
    pg.scale.initialize()
    hangs = at.pop("hangs", None)
    if hangs != index():
        at.pop("hang_at", None)
    if "mesh" in at or pg.scale.process_count() == 1:
        at["mesh"] = pg.scale.mesh(at.get("mesh", {"data": -1}))
    trained(Path(folder), **at)


if __name__ == "__main__":
    main()
