"""A picture of a sparsity pattern, as SVG."""

from __future__ import annotations

import numpy as np

from ..dtypes import Array

_SIDE = 320  # pixels of the longer side
_CELLS = 160  # along the longer side; larger matrices share cells, shaded by how full they are


def svg_of(rows: Array, columns: Array, shape: tuple[int, int]) -> str:
    """The places of a matrix as dark cells, first row at the top."""
    longest = max(*shape, 1)
    cell = max(1, -(-longest // _CELLS))  # entries along the side of a cell
    height, width = (max(1, -(-length // cell)) for length in shape)
    scale = _SIDE / max(height, width)
    counts = np.bincount((rows // cell) * width + columns // cell, minlength=height * width)
    full = cell * cell
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * scale + 2:.0f}" '
        f'height="{height * scale + 2:.0f}" role="img">',
        f"<title>{rows.size} places in {shape[0]} × {shape[1]}</title>",
        f'<rect x="1" y="1" width="{width * scale:.1f}" height="{height * scale:.1f}" '
        'fill="#fff" stroke="#888"/>',
    ]
    for place in np.flatnonzero(counts).tolist():
        y, x = divmod(place, width)
        shade = 0.35 + 0.65 * min(1.0, counts[place] / full)
        parts.append(
            f'<rect x="{1 + x * scale:.2f}" y="{1 + y * scale:.2f}" width="{scale:.2f}" '
            f'height="{scale:.2f}" fill="#1f4e79" fill-opacity="{shade:.2f}"/>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
