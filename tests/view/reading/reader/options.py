"""Options that stand below a name, std_{0; correction=1}: what a reader takes from the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

USUAL = {  # what a reader assumes where nothing is stated
    "axis": -1, "axes": None, "keepdims": False, "descending": False, "count": None, "n": None,
    "sizes": None, "norm": "backward", "correction": 0, "method": "linear", "side": "left",
    "mode": None, "offset": 0, "axis1": 0, "axis2": 1, "k": 0, "increasing": False, "times": None,
    "left": None, "right": None, "period": None, "option": None, "full": False, "alpha": None,
    "log_rate": False, "reverse": False, "ignore_index": None, "label_smoothing": 0.0,
    "reduction": "mean", "discontinuity": None, "dilation": None, "order": None, "repeats": None,
    "singular": False, "lower": None, "upper": None, "edge_order": 1, "stride": None,
    "padding": None, "groups": 1, 
}  # fmt: skip


def stated(below: str, structure: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the text below a name states, and the usual ones; `below` is the rest."""
    found: dict[str, Any] = {}
    rest: list[str] = []
    for part in re.split(r";(?:\s|\\ )*", below):
        text = re.sub(r"mathrm\{([^{}]*)\}", r"\1", part).replace("\\_", "_").strip()
        name, equals, value = text.partition("=")
        if equals:
            found[name] = value.strip() if name == "reduction" else _value(value)
        elif re.fullmatch(r"[a-z_]{2,}", text) and "mathrm" in part:
            found[text] = True
        elif text:
            rest.append(text)
    axes = re.fullmatch(r"-?\d+(?:,-?\d+)*", "; ".join(rest).replace(" ", ""))
    if axes:
        numbers = tuple(map(int, axes[0].split(",")))
        found["axis"] = numbers if len(numbers) > 1 else numbers[0]
        found["axes"] = numbers
    return {**USUAL, **structure, **found, "below": "; ".join(rest)}


def _value(text: str) -> Any:
    """A number, a word, or a tuple of them."""
    text = text.strip()
    if text.startswith("("):
        return tuple(map(_value, _parts(text[1:-1])))
    power = re.fullmatch(r"(?:(.*)\s*cdot\s*)?10\^\{(-?\d+)\}", text)
    if power:
        return float(power[1] or 1) * 10.0 ** int(power[2])
    named = {"none": None, "true": True, "false": False, "infty": float("inf")}
    if text in named:
        return named[text]
    number = re.fullmatch(r"-?\d+(\.\d+)?", text)
    return text if not number else float(text) if number[1] else int(text)


def _parts(text: str) -> list[str]:
    """The parts between commas outside brackets."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part for part in parts if part.strip()]
