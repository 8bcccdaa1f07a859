"""The call of palingrad that makes an operation, found by making it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from ....autodiff.gradients import Gradient
from ....errors import GraphError
from ....graph.context import graph_scope
from ....graph.kinds import AnonymousGraph
from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import Item, Operation
from ....graph.protocols.interchange import namespace
from ....graph.registry import is_shipped
from ....signature import hashable
from ..source.code import Unwritable, plain
from ..source.text import LEVELS, Text, bracketed, infix, keyword, prefix

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "//": operator.floordiv, "%": operator.mod, "@": operator.matmul, "**": operator.pow,
    "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": operator.lshift,
    ">>": operator.rshift, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_MODULES = ("", "linalg", "special", "fft", "nn")

Call = tuple[Callable[[Sequence[Any]], Any], Callable[[Sequence[Text]], Text]]


def number_of(x: Node) -> Any:
    """The Python number that a constant was made from; None for other nodes."""
    return x.scalar if isinstance(x, Constant) else None


def call_of(
    node: Operation, texts: Sequence[Text], literals: Sequence[Text | None], imports: set[str]
) -> tuple[Text, list[int]]:
    """The expression that makes `node`, and the inputs in it that aren't written as numbers.

    `texts` are the inputs' names, `literals` their texts as numbers where they are numbers. The
    import of a class that isn't the library's is added to `imports`. Raises GraphError if no call
    makes the operation.
    """
    attempts: list[Sequence[Text | None]] = [literals]
    if any(literal is not None for literal in literals):
        attempts.append([None] * len(literals))
    for given in attempts:
        operands = [x if text is None else number_of(x)
                    for x, text in zip(node.inputs, given, strict=True)]  # fmt: skip
        written = [text if one is None else one for text, one in zip(texts, given, strict=True)]
        if not any(isinstance(one, Node) for one in operands) and operands:
            continue
        for make, write in _calls(node):
            if _makes(make, operands, node):
                return write(written), [n for n, one in enumerate(given) if one is None]
    kind = type(node)
    if _importable(kind) and _makes(lambda x: kind(*x, **node.attributes), node.inputs, node):
        # Functions such as pg.cross_entropy make several operations.
        imports.add(f"from {kind.__module__} import {kind.__name__}")
        parts = [*texts, *_options(node, node.attributes)]
        return bracketed(f"{kind.__name__}(", parts, ")", call=True), list(range(len(texts)))
    raise GraphError(
        f"translate: no call of palingrad's functions makes {node.label()}{node.built()}, "
        f"a {kind.__name__} with {dict(node.attributes)!r:.80}.",
        hint="Define an operation of your own in a module that both files import."
        if not is_shipped(kind)
        else "Fetch a node before it: palingrad translate FILE.py:name.",
    )


def _importable(kind: type[Any]) -> bool:
    """Whether another module can import the class by its name."""
    return kind.__module__ not in ("__main__", "__palingrad__") and "." not in kind.__qualname__


def _calls(node: Operation) -> Iterator[Call]:
    """The expressions that may make the operation: how to compute and how to write them."""
    kind, attributes = type(node), node.attributes
    symbol, count = kind.symbol, len(node.inputs)
    if symbol in LEVELS and symbol in _OPERATORS and count == 2 and not attributes:
        yield (
            lambda x: _OPERATORS[symbol](x[0], x[1]),
            lambda texts: infix(symbol, texts[0], texts[1]),
        )
    if kind.math == "-{x}":
        yield lambda x: -x[0], lambda texts: prefix("-", texts[0])
    if kind.math == "{x}[i]":
        index = attributes["index"]
        yield lambda x: x[0][index], lambda texts: Text(f"{_atom(texts[0])}[{_index(index)}]")
    if isinstance(node, Gradient):
        yield _gradients_of(node)
        return
    for path, function in _functions(kind._kind_name):
        given = {key: value for key, value in attributes.items() if value is not None}
        for options in (given, dict(attributes)) if len(given) < len(attributes) else (given,):
            yield _of_function(path, function, node, options)
            yield _of_function(path, function, node, options, listed=True)


def _functions(name: str) -> Iterator[tuple[str, Any]]:
    for module in _MODULES:
        place = getattr(namespace(), module, None) if module else namespace()
        function = getattr(place, name, None)
        if callable(function):
            yield f"pg.{module}.{name}" if module else f"pg.{name}", function


def _of_function(
    path: str, function: Any, node: Operation, options: Mapping[str, Any], listed: bool = False
) -> Call:
    """function(*inputs, **options), or with the inputs as one list."""

    def write(texts: Sequence[Text]) -> Text:
        inputs = [bracketed("[", texts, "]")] if listed else list(texts)
        return bracketed(f"{path}(", [*inputs, *_options(node, options)], ")", call=True)

    return (
        lambda x: function(list(x), **options) if listed else function(*x, **options),
        write,
    )


def _gradients_of(node: Operation) -> Call:
    seeded, missing = node.attributes["seeded"], node.attributes["missing"]
    end = -1 if seeded else None

    def make(x: Sequence[Any]) -> Any:
        return namespace().gradients(
            x[0], list(x[1:end]), gradient=x[-1] if seeded else None, missing=missing
        )

    def write(texts: Sequence[Text]) -> Text:
        parts = [texts[0], bracketed("[", texts[1:end], "]")]
        parts += [keyword("gradient", texts[-1])] if seeded else []
        parts += [keyword("missing", Text(plain(missing)))] if missing != "zeros" else []
        return bracketed("pg.gradients(", parts, ")", call=True)

    return make, write


def _options(node: Operation, options: Mapping[str, Any]) -> list[Text]:
    try:
        return [keyword(name, Text(plain(value))) for name, value in options.items()]
    except Unwritable as error:
        raise GraphError(
            f"translate: {node.label()}{node.built()} has an option that can't be written as "
            f"text: {error}.",
            hint="Translate the nodes before it, as in FILE.py:name.",
        ) from None


def _atom(text: Text) -> str:
    return text.flat if text.flat.isidentifier() else f"({text.flat})"


def _index(index: tuple[Any, ...]) -> str:
    return ", ".join(map(_part, index))


def _part(one: Any) -> str:
    if not isinstance(one, slice):
        return plain(one)
    start, stop, step = ("" if end is None else str(end) for end in (one.start, one.stop, one.step))
    return f"{start}:{stop}" + (f":{step}" if step else "")


def _makes(make: Callable[[Sequence[Any]], Any], operands: Sequence[Any], node: Operation) -> bool:
    """Whether the expression makes the same operation on the same inputs."""
    found: list[Any] = []
    # Whatever a function refuses, it doesn't make.
    with suppress(Exception), graph_scope(AnonymousGraph(), hidden=True, observed=False):
        made = make(operands)
        found += made if isinstance(made, (tuple, list)) else [made]
    if not found:
        return False
    one = found[0].inputs[0] if type(found[0]) is Item else found[0]
    if type(one) is not type(node) or len(one.inputs) != len(node.inputs):
        return False
    same = hashable(dict(one.attributes)) == hashable(dict(node.attributes))
    return same and all(map(_is_same, one.inputs, node.inputs))


def _is_same(a: Node, b: Node) -> bool:
    if a is b:
        return True
    if not (isinstance(a, Constant) and isinstance(b, Constant)):
        return False
    x, y = np.asarray(a._value), np.asarray(b._value)
    return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
