"""GPT-2's weights by their published names, in a safetensors file.

wte.weight and wpe.weight are the tables of tokens and positions; h.i.attn.c_attn, attn.c_proj,
mlp.c_fc and mlp.c_proj the linear layers of block i, whose weights are (inputs, outputs); h.i.ln_1,
h.i.ln_2 and ln_f the layer norms. A prefix "transformer." is allowed, attn.bias is a mask.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..dtypes import Array, float32
from ..errors import CheckpointError
from ..files.atomic import path_text
from ..files.reading import read_file
from ..graph.leaves import Variable
from ..io.restore import restore
from ..io.weights import unpacked

_BLOCK = {
    "norm1.scale": "ln_1.weight",
    "norm1.offset": "ln_1.bias",
    "attention.qkv.weight": "attn.c_attn.weight",
    "attention.qkv.bias": "attn.c_attn.bias",
    "attention.output.weight": "attn.c_proj.weight",
    "attention.output.bias": "attn.c_proj.bias",
    "norm2.scale": "ln_2.weight",
    "norm2.offset": "ln_2.bias",
    "feed_forward.up.weight": "mlp.c_fc.weight",
    "feed_forward.up.bias": "mlp.c_fc.bias",
    "feed_forward.down.weight": "mlp.c_proj.weight",
    "feed_forward.down.bias": "mlp.c_proj.bias",
}
_ENDS = {
    "embedding.table": "wte.weight",
    "positions.table": "wpe.weight",
    "norm.scale": "ln_f.weight",
    "norm.offset": "ln_f.bias",
}


@dataclass(frozen=True)
class Weights:
    """The arrays of a file by GPT-2's names."""

    path: str
    arrays: Mapping[str, Array]

    def assign(self, variables: Mapping[str, Variable]) -> None:
        """Set a model's Variables. Raises CheckpointError if one's array is missing or misfits."""
        layers = sum(name.endswith("norm1.scale") for name in variables)
        restore(variables, {own: self.arrays[name] for own, name in _names(layers).items()})


def _names(layers: int) -> dict[str, str]:
    """GPT-2's name for each of the model's."""
    blocks = {
        f"blocks.{number}.{own}": f"h.{number}.{name}"
        for number in range(layers)
        for own, name in _BLOCK.items()
    }
    return {**_ENDS, **blocks}


def load_gpt2(path: str | os.PathLike[str], heads: int | None) -> tuple[Weights, dict[str, Any]]:
    """The weights in a file, and the sizes of their model."""
    shown = path_text(Path(path))
    try:
        content = read_file(Path(path))
    except OSError as error:
        raise CheckpointError(f"{shown} can't be read: {error.strerror or error}") from error
    try:
        found, _ = unpacked(content)
    except CheckpointError as error:
        raise CheckpointError(f"{shown}: {error.fact}.", hint=error.hint) from error
    arrays = {name.removeprefix("transformer."): x for name, x in found.items()}
    layers = 0
    while f"h.{layers}.ln_1.weight" in arrays:
        layers += 1
    missing = [name for name in _names(max(layers, 1)).values() if name not in arrays]
    tables = [arrays.get(name) for name in ("wte.weight", "wpe.weight")]
    if missing or any(table is None or table.ndim != 2 for table in tables):
        raise CheckpointError(
            f"{shown} doesn't hold a GPT-2: {', '.join(missing[:4]) or 'a table'} is missing.",
            hint="Its arrays have the names of GPT-2's published weights, such as h.0.ln_1.weight.",
        )
    used = {name: arrays[name].astype(float32) for name in _names(layers).values()}
    vocabulary, width = used["wte.weight"].shape
    sizes = dict(vocabulary=vocabulary, context=used["wpe.weight"].shape[0], layers=layers,
                 heads=max(width // 64, 1) if heads is None else heads, width=width)  # fmt: skip
    return Weights(shown, used), sizes
