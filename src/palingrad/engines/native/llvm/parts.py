"""A module that is compiled in parts, several at a time, while later parts are still emitted."""

from __future__ import annotations

import contextlib
import re
import threading
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any

from llvmlite import ir

from ....messages.progress import Progress
from .target import compiling, object_file

_LINES = 1500  # of LLVM IR in a part, at least: about 0.2 s of work
_NAME = re.compile(r'@"([^"]+)"')


class Parts:
    """Cuts the text of a module into parts, in the order in which its functions are emitted.

    Functions that another part may call are external. A part declares the functions of others that
    it calls, and has copies of the constants that it reads.
    """

    def __init__(self, module: ir.Module) -> None:
        self._module = module
        self._taken = 0  # globals that are in a part
        self._lines = 0
        self._texts: list[str] = []

    def grown(self) -> str | None:
        """The next part if enough has been emitted for one, else None."""
        self._add()
        return self._part() if self._lines >= _LINES else None

    def last(self) -> str:
        """A part of everything that is in none yet."""
        self._add()
        return self._part()

    def _add(self) -> None:
        new = [*islice(self._module.globals.values(), self._taken, None)]
        self._taken += len(new)
        for one in new:
            if isinstance(one, ir.Function) and one.blocks:
                self._texts.append(str(one))
                self._lines += self._texts[-1].count("\n")

    def _part(self) -> str:
        text = "".join(self._texts)
        self._texts, self._lines = [], 0
        own = set(re.findall(r'^define [^@]*@"([^"]+)"', text, re.MULTILINE))
        shared: list[str] = []
        reads = [*dict.fromkeys(_NAME.findall(text))]
        while reads:  # constants refer to others
            name = reads.pop()
            if name in own:
                continue
            own.add(name)
            one = self._module.globals[name]
            if isinstance(one, ir.GlobalVariable):
                shared.append(str(one))
                reads += _NAME.findall(shared[-1])
            else:
                shared.append(_declaration(one))
        head = f'target triple = "{self._module.triple}"\n'
        return "\n".join((head, *shared, text, *map(str, self._module.metadata)))


def _declaration(function: Any) -> str:
    kinds = ", ".join(map(str, function.ftype.args))
    return f'declare {function.ftype.return_type} @"{function.name}"({kinds})'


class Compiler:
    """Compiles parts on `threads` threads, the calling one included, which does so in `code`.

    To be used in a `with` block, whose end waits for the other threads. During the block no thread
    forks: a child would have LLVM's locks as they happen to be.
    """

    def __init__(self, threads: int, what: str) -> None:
        """`what` is compiled, in words, for the line that shows the progress."""
        self._count = threads - 1
        self._progress = Progress(f"compiling {what}")
        self._threads: list[threading.Thread] = []
        self._queue: SimpleQueue[tuple[int, str] | None] = SimpleQueue()
        self._codes: dict[int, bytes] = {}
        self._errors: list[BaseException] = []
        self._parts = 0

    def __enter__(self) -> Compiler:
        compiling.acquire()
        return self

    def __exit__(self, *error: object) -> None:
        try:
            with contextlib.suppress(Empty):  # after an error nobody wants the rest
                while error[0] is not None:
                    self._queue.get_nowait()
            for _ in self._threads:
                self._queue.put(None)
            for thread in self._threads:
                thread.join()
        finally:
            self._progress.end()
            compiling.release()

    def take(self, text: str) -> None:
        """Compiles this part, at once if another thread is free, else later."""
        self._queue.put((self._parts, text))
        self._parts += 1
        if len(self._threads) < min(self._count, self._parts):
            thread = threading.Thread(target=self._work, name="palingrad-compile", daemon=True)
            thread.start()
            self._threads.append(thread)
        self._progress.at(f"{len(self._codes)} parts are done")

    def code(self) -> list[bytes]:
        """The object file of each part, in order. Raises RuntimeError, as LLVM does."""
        with contextlib.suppress(Empty):
            while not self._errors:
                part = self._queue.get_nowait()
                assert part is not None
                self._progress.at(f"{len(self._codes)} of {self._parts} parts are done")
                self._compile(*part)
        for _ in self._threads:
            self._queue.put(None)
        while self._threads:
            self._threads[-1].join()
            self._threads.pop()
        for error in self._errors:
            raise error
        return [self._codes[number] for number in range(self._parts)]

    def _work(self) -> None:
        while (part := self._queue.get()) is not None:
            try:
                self._compile(*part)
            except BaseException as error:
                self._errors.append(error)

    def _compile(self, number: int, text: str) -> None:
        self._codes[number] = object_file(text)
