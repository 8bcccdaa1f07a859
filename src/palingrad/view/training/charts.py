"""Line charts as inline SVG, coloured by the page's CSS for light and dark; no plotting library."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 560, 270
LEFT, RIGHT, TOP, BOTTOM = 54, 96, 14, 40


@dataclass(frozen=True)
class Series:
    """One curve; `look` is the CSS class that sets its colour and dashes."""

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
    fractions: bool = False,
) -> str:
    """Returns a line chart. floor=True starts the y axis at 0; percent=True shows y in percent;
    fractions=True shows both axes from 0 to 1. Else x are whole numbers."""
    drawn = [curve for curve in series if curve.y]
    ys = [y for curve in drawn for y in curve.y if math.isfinite(y)]
    xs = [x for curve in drawn for x in curve.x]
    if not ys:
        return ""
    rows = ticks(0.0 if floor else min(ys), max(ys), most=1.0 if percent else None)
    columns = [
        x for x in ticks(min(xs), max(xs), count=8) if min(xs) <= x <= max(xs) and x == int(x)
    ]
    low, high = min(xs), max(xs)
    if fractions:
        rows = columns = ticks(0.0, 1.0)
        low, high = 0.0, 1.0
    across = _scale(low, high, LEFT, WIDTH - RIGHT)
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
    parts += [_curve(curve, across, up, percent) for curve in drawn]
    parts += _labels(drawn, up)
    return "".join([*parts, "</svg>"])


def _tick(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text class="tick" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def ticks(low: float, high: float, *, count: int = 5, most: float | None = None) -> list[float]:
    """About `count` round numbers that span low … high, none larger than `most`."""
    if high <= low:
        low, high = low - (abs(low) or 1) * 0.1, high + (abs(high) or 1) * 0.1
        high = high if most is None else min(high, most)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    numbers = [round(place * step, 12) for place in range(first, last + 1)]
    return numbers if most is None else [y for y in numbers if y <= most] or [low, high]


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    span = (high - low) or 1.0
    return lambda value: round(start + (value - low) / span * (end - start), 1)


def _curve(
    curve: Series, across: Callable[[float], float], up: Callable[[float], float], percent: bool
) -> str:
    points = [(x, y) for x, y in zip(curve.x, curve.y, strict=True) if math.isfinite(y)]
    line = " ".join(f"{across(x)},{up(y)}" for x, y in points)
    form = ".2%" if percent else ".4g"
    dots = "".join(
        f'<circle class="{curve.look}" cx="{across(x)}" cy="{up(y)}" r="3">'
        f"<title>{escape(curve.name)}, {x:g}: {y:{form}}</title></circle>"
        for x, y in (points if len(points) <= 100 else points[-1:])
    )
    return f'<polyline class="{curve.look}" points="{line}"/>{dots}'


def _labels(drawn: Sequence[Series], up: Callable[[float], float]) -> list[str]:
    """The name of each curve at its end, without overlaps."""
    ends = [(up(curve.y[-1]), curve) for curve in drawn if math.isfinite(curve.y[-1])]
    ends.sort(key=lambda end: end[0])
    labels: list[str] = []
    before = -math.inf
    for at, curve in ends:
        before = max(at, before + 16)
        labels.append(f'<text class="name {curve.look}" x="{WIDTH - RIGHT + 10}" '
                      f'y="{before + 4}">{escape(curve.name)}</text>')  # fmt: skip
    return labels
