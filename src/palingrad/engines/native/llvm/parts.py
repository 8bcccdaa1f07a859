"""A module that is compiled in parts, several at a time, while later parts are still emitted."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from llvmlite import ir

from ....messages.progress import Progress
from .objects import ObjectFile, can_cut, section_of
from .target import compiling, object_file
from .text import text_of

_LINES = 700  # of LLVM IR in a part, at least: some 50 ms of work
# Seconds after which a thread that runs Python lets another one run that waits. Between calls of
# LLVM, some twenty a part, a compiling thread waits for the one that emits; Python's 5 ms each time
# would be longer than these calls.
_INTERVAL = 0.0002
_NAME = re.compile(r'@"([^"]+)"')
_METADATA = re.compile(r"!(\d+)")
_LIBRARY = ("llvm.", "palingrad.")  # functions outside the module, which its names determine


class Parts:
    """Cuts the text of a module into parts, in the order in which its functions are emitted.

    Functions that another part may call are external. A part declares the functions of others that
    it calls, and has copies of the constants that it reads.

    A function that depends on nothing of its program is *shared*: it reads only constants that
    refer to no function, and calls only such functions. Its name in a part is a digest of its text,
    of these constants and of those functions' names, so that equal names mean equal code. It is in
    no part if its code is known.
    """

    def __init__(self, module: ir.Module, own: re.Pattern[str], compiler: Compiler) -> None:
        """Functions whose names match `own` keep their names."""
        self._module, self._own, self._compiler = module, own, compiler
        self._taken = 0  # globals that are in a part
        self._lines = 0
        self._texts: list[str] = []
        self._names: dict[str, str] = {}  # of each function whose name is decided: that in parts
        self._shared: dict[str, tuple[ir.Function, str]] = {}  # by new names: with their texts
        self._done: set[str] = set()  # new names of functions that are in a part, or known
        self._inside: list[str] = []  # names of the functions in the next part

    def emitted(self) -> None:
        """Hands a part to the compiler if enough has been emitted for one."""
        self._add()
        if self._lines >= _LINES:
            self._take()

    def last(self) -> None:
        """Hands over a part of everything that is in none yet."""
        self._add()
        self._take()

    def _add(self) -> None:
        new = [*islice(self._module.globals.values(), self._taken, None)]
        self._taken += len(new)
        functions = [one for one in new if isinstance(one, ir.Function) and one.blocks]
        for one in functions:
            name = self._name(one)
            if name not in self._shared:
                self._text(name, _NAME.sub(self._renamed, text_of(one)))
            elif name not in self._done:
                self._done.add(name)
                if not self._compiler.find(name):
                    self._text(name, self._shared[name][1])

    def _text(self, name: str, text: str) -> None:
        self._inside.append(name)
        self._texts.append(text)
        self._lines += text.count("\n")

    def _take(self) -> None:
        text = "".join(self._texts)
        inside, self._inside = self._inside, []
        self._texts, self._lines = [], 0
        own = set(inside)
        shared: list[str] = []
        reads = [*dict.fromkeys(_NAME.findall(text))]
        while reads:  # constants refer to others
            name = reads.pop()
            if name in own:
                continue
            own.add(name)
            one = self._shared[name][0] if name in self._shared else self._module.globals[name]
            if isinstance(one, ir.GlobalVariable):
                shared.append(_NAME.sub(self._renamed, str(one)))
                reads += _NAME.findall(shared[-1])
            else:
                shared.append(_declaration(one, name))
        head = f'target triple = "{self._module.triple}"\n'
        whole = "\n".join((head, *shared, text, *map(str, self._module.metadata)))
        self._compiler.take(whole, [name for name in inside if name in self._shared])

    # ---------------------------------------------------------------- names

    def _renamed(self, found: re.Match[str]) -> str:
        one = self._module.globals[found[1]]
        return f'@"{self._name(one) if isinstance(one, ir.Function) else found[1]}"'

    def _name(self, function: Any) -> str:
        """The function's name in parts. Calls itself as deep as functions call each other."""
        name = function.name
        if name not in self._names:
            self._names[name] = name  # also while it is decided, if the function calls itself
            if function.blocks and not self._own.fullmatch(name) and can_cut():
                self._names[name] = self._decided(function) or name
        return self._names[name]

    def _decided(self, function: Any) -> str | None:
        """The digest that is the name of a shared function, None if the function isn't shared."""
        text, digest = text_of(function), sha256()
        for name in dict.fromkeys(_NAME.findall(text)):
            one = self._module.globals[name]
            if one is function:
                continue
            if isinstance(one, ir.GlobalVariable):
                content = str(one)
                if not one.global_constant or len(_NAME.findall(content)) > 1:
                    return None
                digest.update(content.encode())
            elif one.blocks or not name.startswith(_LIBRARY):
                if self._name(one) not in self._shared:
                    return None
        own = f'@"{function.name}"'
        text = _NAME.sub(lambda one: '@""' if one[0] == own else self._renamed(one), text)
        content = _METADATA.sub(self._metadata, text) if "!" in text else text
        digest.update(content.encode())
        name = f"k{digest.hexdigest()[:40]}"
        head, block = text.replace('@""', f'@"{name}"').split("\n{", 1)
        head = head.replace("define internal ", "define ")
        self._shared[name] = function, f'{head} section "{section_of(name)}"\n{{{block}'
        return name

    def _metadata(self, found: re.Match[str]) -> str:
        """The content of a node of metadata, whose number depends on the program."""
        return str(self._module.metadata[int(found[1])]).split(" = ", 1)[1]


def _declaration(function: Any, name: str) -> str:
    kinds = ", ".join(map(str, function.ftype.args))
    return f'declare {function.ftype.return_type} @"{name}"({kinds})'


def _cut(code: bytes, names: Sequence[str]) -> dict[str, bytes]:
    """The object files of these functions, by name, out of that of their part."""
    if not names:
        return {}
    whole = ObjectFile(code)
    return {name: function for name in names if (function := whole.cut(name)) is not None}


class Store(Protocol):
    """Object files of functions by name."""

    def find(self, name: str) -> bytes | None:
        """The function's object file, None if it isn't there."""
        ...

    def add(self, functions: Mapping[str, bytes]) -> None:
        """Keeps these."""
        ...


class Compiler:
    """Compiles parts on `threads` threads, the calling one included, which does so in `code`.

    To be used in a `with` block, whose end waits for the other threads. During the block no thread
    forks: a child would have LLVM's locks as they happen to be.
    """

    def __init__(self, threads: int, what: str, store: Store | None = None) -> None:
        """`what` is compiled, in words, for the line that shows the progress; `store` has the
        functions that are known."""
        self._count = threads - 1
        self._store, self._found = store, list[bytes]()
        self._names: dict[int, Sequence[str]] = {}  # of each part: those of its shared functions
        self._progress = Progress(f"compiling {what}")
        self._threads: list[threading.Thread] = []
        self._queue: SimpleQueue[tuple[int, str] | None] = SimpleQueue()
        self._codes: dict[int, bytes] = {}
        self._errors: list[BaseException] = []
        self._parts = 0
        self._before = self._during = 0.0  # Python's switch interval

    def __enter__(self) -> Compiler:
        compiling.acquire()
        self._before = sys.getswitchinterval()
        if self._count and self._before > _INTERVAL:  # else the user's choice
            sys.setswitchinterval(_INTERVAL)
        self._during = sys.getswitchinterval()
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
            if self._during < self._before and sys.getswitchinterval() == self._during:
                sys.setswitchinterval(self._before + 1e-7)  # which Python rounds down
            self._progress.end()
            compiling.release()

    def find(self, name: str) -> bool:
        """Whether the code of the shared function of this name is known; if so, it is linked."""
        found = None if self._store is None else self._store.find(name)
        if found is not None:
            self._found.append(found)
        return found is not None

    def take(self, text: str, names: Sequence[str] = ()) -> None:
        """Compiles this part, at once if another thread is free, else later. It has the shared
        functions of these names."""
        self._names[self._parts] = names
        self._queue.put((self._parts, text))
        self._parts += 1
        if len(self._threads) < min(self._count, self._parts):
            thread = threading.Thread(target=self._work, name="palingrad-compile", daemon=True)
            thread.start()
            self._threads.append(thread)
        self._progress.at(f"{len(self._codes)} parts are done")

    def code(self) -> list[bytes]:
        """The object file of each part, in order, and of each function that was known; keeps those
        of the new functions. Raises RuntimeError, as LLVM does."""
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
        codes = [self._codes[number] for number in range(self._parts)]
        if self._store is not None:
            self._store.add(
                {
                    name: function
                    for number, names in self._names.items()
                    for name, function in _cut(codes[number], names).items()
                }
            )
        return codes + self._found

    def _work(self) -> None:
        while (part := self._queue.get()) is not None:
            try:
                self._compile(*part)
            except BaseException as error:
                self._errors.append(error)

    def _compile(self, number: int, text: str) -> None:
        self._codes[number] = object_file(text)
