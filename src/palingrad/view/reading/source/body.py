"""Function bodies: writes expressions as statements, and nests short expressions."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from .code import Code
from .text import ATOM, WIDTH, Text, broken

_LONGEST = 56  # characters of the longest nested expression
_DEEPEST = 4  # the largest nesting depth
_NOT_A_NAME = re.compile(r"\W+")
_CONSTANT = re.compile(r"CONSTANT_\d+")
_CONFUSED = {"l": "l_", "I": "I_", "O": "O_"}  # names that look like digits


def identifier(name: str) -> str:
    """`name` as a Python identifier: h₁ becomes h1, hidden/bias becomes hidden_bias."""
    text = unicodedata.normalize("NFKC", name.replace("∂", "grad_"))
    text = _NOT_A_NAME.sub("_", text).strip("_") or "value"
    text = f"x{text}" if text[0].isdigit() else text
    text = unicodedata.normalize("NFKC", text)
    text = text if text.isidentifier() else "value"
    text = text[:40].rstrip("_")
    text = f"{text}_" if _CONSTANT.fullmatch(text) else text  # the module's own
    return f"{text}_" if keyword.iskeyword(text) else _CONFUSED.get(text, text)


class Names:
    """A set of used names; `new` returns an unused one."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._next: Counter[str] = Counter()

    def __iter__(self) -> Iterator[str]:
        return iter(self._taken)

    def same(self, name: str) -> str:
        """`name` unchanged, which must be an identifier; with a number appended if it is taken."""
        if name in self._taken:
            return self.new(name)
        self._taken.add(name)
        return name

    def new(self, wanted: str, numbered: bool = False) -> str:
        """`wanted` as an identifier, with a number appended if it is taken or if `numbered`."""
        base = identifier(wanted)
        name = base
        while numbered or name in self._taken:
            self._next[base] += 1
            name = f"{base}{'_' if base[-1].isdigit() or numbered else ''}{self._next[base]}"
            if name not in self._taken:
                break
        self._taken.add(name)
        return name


class Statement:
    """An assignment in a body: name = text."""

    def __init__(self, name: str, text: Text, code: Code) -> None:
        self.name, self.text, self.code = name, text, code

    def lines(self, indent: int = 4) -> list[str]:
        """The indented lines of the statement, with the code's comment."""
        comment = f"  # {self.code.comment}" if self.code.comment else ""
        lines = broken(f"{self.name} = ", self.text, indent, comment)
        if len(lines) == 1 and len(lines[0]) <= WIDTH:
            return lines
        bare = broken(f"{self.name} = ", self.text, indent)
        return [" " * indent + comment.strip(), *bare] if comment else bare


class Body:
    """Builds the statements for expressions, and the texts that refer to their results."""

    def __init__(self, names: Names, leaves: dict[int, str]) -> None:
        self.statements: list[Statement] = []
        self.texts: dict[int, Text] = {key: Text(name) for key, name in leaves.items()}
        self._names = names
        self._depth: dict[int, int] = {}
        self._pending: dict[int, Code] = {}  # to be nested in their consumer, unless too long

    def write(self, codes: Sequence[Code], results: Sequence[Code]) -> list[Text]:
        """Writes `codes`, operands first, and returns the texts of `results`."""
        order = _inner_first(codes)
        uses = Counter(id(x) for code in order for x in code.operands)
        stages = {id(x): code.stage for code in order for x in code.operands}
        for code in order:
            if id(code) in self.texts:
                continue
            self._fit(code)
            light = code.light and not code.named and self.texts[id(code.operands[0])].flat
            if code.atom or (light and light.isidentifier()):
                self.texts[id(code)] = self._text(code)
                continue
            alone = uses[id(code)] == 1 and stages[id(code)] == code.stage
            if alone and not code.named:
                self.texts[id(code)] = self._text(code)
                self._depth[id(code)] = 1 + max(
                    (self._depth.get(id(x), 0) for x in code.operands), default=0
                )
                self._pending[id(code)] = code
            elif uses[id(code)] or code.named:
                self._assign(code)
            else:
                self.texts[id(code)] = self._text(code)
        return [self.texts[id(code)] for code in results]

    def _text(self, code: Code) -> Text:
        return code.write(*(self.texts[id(x)] for x in code.operands))

    def _fit(self, code: Code) -> None:
        """Write operands that are too long or too deep to be nested as separate statements."""
        inner = [x for x in code.operands if id(x) in self._pending]
        for x in inner:
            text = self.texts[id(x)]
            if len(text.flat) > _LONGEST or self._depth[id(x)] >= _DEEPEST:
                self._assign(x)
        inner = [x for x in inner if id(x) in self._pending]
        inner.sort(key=lambda x: len(self.texts[id(x)].flat))
        while inner and len(self._text(code).flat) > WIDTH - 36:
            self._assign(inner.pop())

    def _assign(self, code: Code) -> None:
        """Append the statement name = text, and refer to the code by its name from now on."""
        self._pending.pop(id(code), None)
        self._depth.pop(id(code), None)
        text = self._text(code)
        name = self._names.new(*self._preferred_name(code))
        self.statements.append(Statement(name, text, code))
        self.texts[id(code)] = Text(name, ATOM)

    def _preferred_name(self, code: Code) -> tuple[str, bool]:
        """The preferred name of a statement, and whether it must have a number."""
        target = None if code.of is None else self.texts.get(id(code.of))
        if target is not None and target.flat.isidentifier() and not code.named:
            return f"grad_{target.flat}", False
        return code.name or "part", not (code.name and code.named)


def _inner_first(codes: Sequence[Code]) -> list[Code]:
    """`codes` and all their operands, each once, operands first."""
    order: list[Code] = []
    done: set[int] = set()
    stack: list[tuple[Code, bool]] = [(code, False) for code in reversed(codes)]
    while stack:
        code, ready = stack.pop()
        if ready:
            order.append(code)
        elif id(code) not in done:
            done.add(id(code))
            stack.append((code, True))
            stack.extend((x, False) for x in reversed(code.operands) if id(x) not in done)
    return order


def wrapped(text: str, indent: str, width: int = WIDTH) -> list[str]:
    """`text` wrapped into lines that start with `indent` and have at most `width` characters."""
    lines: list[str] = []
    line = indent
    for word in text.split():
        if len(line) + len(word) + 1 > width and line != indent:
            lines.append(line.rstrip())
            line = indent
        line += word + " "
    return [*lines, line.rstrip()]
