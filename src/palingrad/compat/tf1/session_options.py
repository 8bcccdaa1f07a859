"""Options and switches that scripts set, without effect here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


class ConfigProto:
    """A session's options, which palingrad's engine doesn't need."""

    def __init__(self, **options: Any) -> None:
        self.gpu_options = SimpleNamespace()
        self.__dict__.update(options)


GPUOptions = ConfigProto


def disable_v2_behavior() -> None:
    """Does nothing: this is TensorFlow 1."""


def disable_eager_execution() -> None:
    """Does nothing: graphs are built first and run later."""


def _log(message: str, *values: Any) -> None:
    print(message % values if values else message, file=sys.stderr)


def _quiet(*_: Any) -> None:
    """Writes nothing."""


logging = SimpleNamespace(
    DEBUG=10, INFO=20, WARN=30, ERROR=40, FATAL=50,
    set_verbosity=_quiet, debug=_quiet, info=_log, warn=_log, warning=_log, error=_log,
)  # fmt: skip


def _run(main: Callable[[list[str]], Any] | None = None, argv: list[str] | None = None) -> None:
    chosen: Any = main or sys.modules["__main__"].main
    sys.exit(chosen(argv or sys.argv))


app = SimpleNamespace(run=_run)
