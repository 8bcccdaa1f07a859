"""Reads equations line by line, and runs those of a loop once for each step."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .arrays import value_of

_NAME = r"(?:\\mathrm\{[^{}]*\}|\\[a-zA-Z]+|[A-Za-z])(?:_\{\d+\}|_\d)?"
_CARRY = re.compile(rf"({_NAME})\^\{{\(([^()]*)\)\}}")
_ROW = re.compile(rf"\{{({_NAME})\}}_\{{\[(\w)\]\}}|({_NAME})_\{{\[(\w)\]\}}")
_MOST = 1000


def run(lines: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all names after these equations."""
    known = dict(values)
    at = 0
    while at < len(lines):
        when = _when(lines[at])
        if not when:
            _assign(lines[at], known, {})
            at += 1
            continue
        end = at
        while end < len(lines) and _when(lines[end]) == when:
            end += 1
        _loop(lines[at:end], when, lines[end:], known)
        at = end
    return known


def _when(line: str) -> str:
    return line.partition(r"\quad \mathrm{for}\ ")[2]


def _loop(body: Sequence[str], when: str, rest: Sequence[str], known: dict[str, Any]) -> None:
    counter = when[0]
    bounds = re.fullmatch(rf"{counter} = (-?\d+)(?:, \\dots, (-?\d+))?", when)
    if bounds:
        first, last = int(bounds[1]), int(bounds[2] or bounds[1])
        steps = range(first, last + (1 if last >= first else -1), 1 if last >= first else -1)
        for step in steps:
            for line in body:
                _assign(line, known, {counter: step})
        return
    if when.endswith(r"\mathrm{no}\ t"):
        return
    name = when.partition(" < ")[2]
    ends = next(x for x in rest if x.startswith(f"{name} = "))
    holds = re.search(r"\\lnot\\,\\left\((.*)\\right\)\\\}", ends)
    assert holds
    most = re.search(r"\\min\\left\((\d+),", ends)
    for step in range(_MOST):
        known[name] = step
        if (most and step >= int(most[1])) or not _value(holds[1], known, {counter: step}):
            return
        for line in body:
            _assign(line, known, {counter: step})


def _assign(line: str, known: dict[str, Any], at: Mapping[str, int]) -> None:
    line = line.partition(r"\quad")[0]
    left, _, right = line.partition(" = ")
    right = re.sub(r"^\\frac\{\\partial.*?\}\{\\partial.*?\} = ", "", right)
    if r"\min\{" in right:
        return  # the number of steps, found when they were taken
    value = _value(right, known, at)
    carry, row = _CARRY.fullmatch(left), _ROW.fullmatch(left)
    if carry:
        known[f"{carry[1]}@{_step(carry[2], known, at)}"] = value
    elif row:
        known.setdefault(f"{row[1] or row[3]}@rows", {})[at[row[2] or row[4]]] = value
        rows = known[f"{row[1] or row[3]}@rows"]
        known[row[1] or row[3]] = np.stack([rows[n] for n in sorted(rows)])
    else:
        known[left] = value


def _step(text: str, known: Mapping[str, Any], at: Mapping[str, int]) -> int:
    for part, number in at.items():
        text = re.sub(rf"\b{part}\b", str(number), text)
    for name, value in known.items():
        if text == name:
            return int(value)
    return sum(map(int, text.split("+")))


def _value(text: str, known: Mapping[str, Any], at: Mapping[str, int]) -> Any:
    """The value of an expression in which counters have these values."""
    values = dict(known)
    free = [chr(code) for code in range(0x100, 0x180)]

    def stand_in(value: Any) -> str:
        name = free.pop()
        values[name] = value
        return name

    text = _CARRY.sub(lambda m: stand_in(known[f"{m[1]}@{_step(m[2], known, at)}"]), text)
    for name, number in at.items():
        text = re.sub(rf"\[{name}\]", f"[{number}]", text)
        values[name] = number
    return value_of(text, values, {})
