"""Progress: of a training, none, or a bar and a line for each epoch; of other steps, a bar."""

from __future__ import annotations

from typing import Any, Protocol


class Reporter(Protocol):
    """Receives the events of the training loop."""

    def __enter__(self) -> Reporter: ...
    def __exit__(self, *_: object) -> None: ...
    def epoch_starts(self, number: int, epochs: int, steps: int) -> None:
        """Epoch `number` of `epochs` starts; it has `steps` steps, or 0 if that isn't known."""
        ...

    def step_ends(self, loss: float, accuracy: float | None, steps: int = 1) -> None:
        """`steps` more steps are done; loss and accuracy are the epoch's means so far; accuracy is
        None where there are no classes."""
        ...

    def epoch_ends(self, epoch: Any) -> None:
        """The epoch is done and evaluated."""
        ...


class Quiet:
    """A Reporter that prints nothing."""

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *_: object) -> None: ...

    def epoch_starts(self, number: int, epochs: int, steps: int) -> None:
        """Do nothing."""

    def step_ends(self, loss: float, accuracy: float | None, steps: int = 1) -> None:
        """Do nothing."""

    def epoch_ends(self, epoch: Any) -> None:
        """Do nothing."""


class Bar:
    """A progress bar for the current epoch, and a line for each finished one, by rich."""

    def __init__(self, console: Any) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed}/{task.total}"),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )
        self._task: Any = None

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def epoch_starts(self, number: int, epochs: int, steps: int) -> None:
        """Start a new bar."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        known = steps or None  # 0: an iterable doesn't say how many batches it gives
        text = f"epoch {number:>{len(str(epochs))}}/{epochs}"
        self._task = self._progress.add_task(text, total=known, numbers="")

    def step_ends(self, loss: float, accuracy: float | None, steps: int = 1) -> None:
        """Advance the bar."""
        share = "" if accuracy is None else f"  accuracy {accuracy:.2%}"
        numbers = f"loss {loss:.4f}{share}"
        self._progress.update(self._task, advance=steps, numbers=numbers)

    def epoch_ends(self, epoch: Any) -> None:
        """Print the epoch's line."""
        line = f"epoch {epoch.number:>3}  loss {epoch.loss:.4f}"
        if epoch.accuracy is not None:
            line += f"  accuracy {epoch.accuracy:6.2%}"
        if epoch.test_loss is not None:
            line += f"  test {epoch.test_loss:.4f}"
            if epoch.test_accuracy is not None:
                line += f" {epoch.test_accuracy:6.2%}"
        for name, value in epoch.metrics.items():
            if isinstance(value, float):
                line += f"  {name} {value:.4f}"
        self._console.print(f"{line}  {epoch.seconds:.2f} s", highlight=False)


class Steps:
    """A progress bar for a number of named steps, by rich; it is removed at the end."""

    def __init__(self, console: Any, total: int) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        columns = ("{task.completed}/{task.total}", "{task.description}")
        self._progress = Progress(
            BarColumn(bar_width=30), *map(TextColumn, columns), console=console, transient=True
        )
        self._task: Any = self._progress.add_task("", total=total)

    def __enter__(self) -> Steps:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def start(self, name: str) -> None:
        """A step of this name starts; the one before it is done."""
        started = self._progress.tasks[0].description != ""
        self._progress.update(self._task, description=name, advance=int(started))
