"""Synthetic clicks: rows of categories whose probability of a click has known interactions."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..dtypes import Array


@dataclass(frozen=True, eq=False)
class Clicks:
    """Categories (n, fields), clicks (n,) of 0 and 1, and the log-odds (n,) that they were drawn
    from; `sizes` is how many categories each field has."""

    sizes: tuple[int, ...]
    categories: Array
    clicks: Array
    log_odds: Array

    def as_csv(self) -> str:
        """The rows as a CSV file with the columns field_0 …, click."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*(f"field_{i}" for i in range(len(self.sizes))), "click"])
        for row, click in zip(self.categories, self.clicks, strict=True):
            writer.writerow([*(f"c{value}" for value in row), int(click)])
        return text.getvalue()


def synthetic_clicks(
    rows: int = 50_000, *, sizes: Sequence[int] = (20, 20, 20, 10, 10), factors: int = 2,
    seed: int = 0,
) -> Clicks:  # fmt: skip
    """Clicks with log-odds b + Σ wᵢ + Σ vᵢ·vⱼ over pairs of fields + a product of three fields.

    A linear model finds the first two terms only, a factorization machine the third, too, and a
    deep model the last. w, v, and signs for the triple product are normal or ±1, drawn by `seed`.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    weights = [rng.normal(scale=0.4, size=size) for size in sizes]
    vectors = [rng.normal(scale=0.7, size=(size, factors)) for size in sizes]
    signs = [rng.choice([-1.0, 1.0], size=size) for size in sizes[:3]]
    categories = np.stack([rng.integers(0, size, rows) for size in sizes], axis=1)
    linear = sum(w[categories[:, i]] for i, w in enumerate(weights))
    drawn = np.stack([v[categories[:, i]] for i, v in enumerate(vectors)], axis=1)
    total = drawn.sum(axis=1)
    pairs = ((total**2).sum(axis=-1) - (drawn**2).sum(axis=(1, 2))) / 2
    triple = np.prod([sign[categories[:, i]] for i, sign in enumerate(signs)], axis=0)
    log_odds = -0.5 + linear + pairs + 1.5 * triple
    clicks = (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)
    return Clicks(tuple(sizes), categories, clicks, log_odds)
