"""Curves as inline SVG, coloured by the page's CSS: no plotting library, light and dark alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 560, 270
LEFT, RIGHT, TOP, BOTTOM = 54, 96, 14, 40


@dataclass(frozen=True)
class Series:
    """One curve; `look` is the class that its colour and dashes come from."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    look: str


def curves(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str,
    percent: bool = False,
    floor: bool = False,
) -> str:
    """A line chart. With floor=True the axis starts at 0; with percent=True y are shares."""
    drawn = [one for one in series if one.y]
    ys = [y for one in drawn for y in one.y if math.isfinite(y)]
    xs = [x for one in drawn for x in one.x]
    if not ys:
        return ""
    rows = ticks(0.0 if floor else min(ys), max(ys), most=1.0 if percent else None)
    columns = [
        x for x in ticks(min(xs), max(xs), count=8) if min(xs) <= x <= max(xs) and x == int(x)
    ]
    across = _scale(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    up = _scale(rows[0], rows[-1], HEIGHT - BOTTOM, TOP)
    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
             f"<title>{escape(title)}</title>"]  # fmt: skip
    for y in rows:
        text = f"{100 * y:.4g} %" if percent else f"{y:.4g}"
        at = up(y)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}"/>')
        parts.append(_tick(LEFT - 8, at + 4, text, "end"))
    parts += [_tick(across(x), HEIGHT - BOTTOM + 19, f"{x:g}") for x in columns]
    parts.append(_tick((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 3, x_label))
    parts += [_curve(one, across, up, percent) for one in drawn]
    parts += _labels(drawn, up)
    return "".join([*parts, "</svg>"])


def _tick(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text class="tick" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def ticks(low: float, high: float, *, count: int = 5, most: float | None = None) -> list[float]:
    """About `count` round numbers that enclose low … high, no larger than `most`."""
    if high <= low:
        low, high = low - (abs(low) or 1) * 0.1, high + (abs(high) or 1) * 0.1
        high = high if most is None else min(high, most)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    found = [round(place * step, 12) for place in range(first, last + 1)]
    return found if most is None else [y for y in found if y <= most] or [low, high]


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    span = (high - low) or 1.0
    return lambda value: round(start + (value - low) / span * (end - start), 1)


def _curve(
    one: Series, across: Callable[[float], float], up: Callable[[float], float], percent: bool
) -> str:
    points = [(x, y) for x, y in zip(one.x, one.y, strict=True) if math.isfinite(y)]
    line = " ".join(f"{across(x)},{up(y)}" for x, y in points)
    form = ".2%" if percent else ".4g"
    dots = "".join(
        f'<circle class="{one.look}" cx="{across(x)}" cy="{up(y)}" r="3">'
        f"<title>{escape(one.name)}, {x:g}: {y:{form}}</title></circle>"
        for x, y in (points if len(points) <= 100 else points[-1:])
    )
    return f'<polyline class="{one.look}" points="{line}"/>{dots}'


def _labels(drawn: Sequence[Series], up: Callable[[float], float]) -> list[str]:
    """Each curve's name at its end, apart from each other."""
    ends = sorted((up(one.y[-1]), one) for one in drawn if math.isfinite(one.y[-1]))
    found: list[str] = []
    before = -math.inf
    for at, one in ends:
        before = max(at, before + 16)
        found.append(f'<text class="name {one.look}" x="{WIDTH - RIGHT + 10}" '
                     f'y="{before + 4}">{escape(one.name)}</text>')  # fmt: skip
    return found
