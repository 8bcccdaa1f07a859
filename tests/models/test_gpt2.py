"""Weights under GPT-2's names give GPT-2's scores, computed here in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save_file

import palingrad as pg
from palingrad.errors import CheckpointError

pytestmark = pytest.mark.tiny

LAYERS, HEADS, WIDTH, CONTEXT, VOCABULARY = 2, 3, 12, 10, 17


def arrays():
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.normal(size=shape).astype(np.float32) * 0.5

    found = {"wte.weight": draw(VOCABULARY, WIDTH), "wpe.weight": draw(CONTEXT, WIDTH)}
    for i in range(LAYERS):
        for name, *shape in [
            ("ln_1.weight", WIDTH), ("ln_1.bias", WIDTH),
            ("attn.c_attn.weight", WIDTH, 3 * WIDTH), ("attn.c_attn.bias", 3 * WIDTH),
            ("attn.c_proj.weight", WIDTH, WIDTH), ("attn.c_proj.bias", WIDTH),
            ("ln_2.weight", WIDTH), ("ln_2.bias", WIDTH),
            ("mlp.c_fc.weight", WIDTH, 4 * WIDTH), ("mlp.c_fc.bias", 4 * WIDTH),
            ("mlp.c_proj.weight", 4 * WIDTH, WIDTH), ("mlp.c_proj.bias", WIDTH),
        ]:  # fmt: skip
            found[f"h.{i}.{name}"] = draw(*shape)
        found[f"h.{i}.attn.bias"] = np.tri(CONTEXT, dtype=np.float32)[None, None]  # the mask
    return {**found, "ln_f.weight": draw(WIDTH), "ln_f.bias": draw(WIDTH)}


def reference(w, tokens):
    """The forward pass of GPT-2, in float64."""
    w = {name: x.astype(np.float64) for name, x in w.items()}
    time = tokens.shape[1]

    def norm(x, name):
        apart = x - x.mean(-1, keepdims=True)
        scaled = apart / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    def linear(x, name):
        return x @ w[f"{name}.weight"] + w[f"{name}.bias"]

    def gelu(x):
        return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2

    x = w["wte.weight"][tokens] + w["wpe.weight"][:time]
    for i in range(LAYERS):
        parts = np.split(linear(norm(x, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn"), 3, axis=-1)
        q, k, v = (p.reshape(*p.shape[:2], HEADS, -1).swapaxes(1, 2) for p in parts)
        scores = q @ k.swapaxes(-1, -2) / np.sqrt(WIDTH // HEADS)
        scores = np.where(np.tri(time, dtype=bool), scores, -np.inf)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        y = (shares / shares.sum(-1, keepdims=True)) @ v
        x = x + linear(y.swapaxes(1, 2).reshape(x.shape), f"h.{i}.attn.c_proj")
        hidden = gelu(linear(norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc"))
        x = x + linear(hidden, f"h.{i}.mlp.c_proj")
    return norm(x, "ln_f") @ w["wte.weight"].T


@pytest.mark.parametrize("prefix", ["", "transformer."])
def test_the_scores_are_those_of_the_weights(tmp_path, prefix):
    given = arrays()
    path = tmp_path / "model.safetensors"
    save_file({prefix + name: x for name, x in given.items()}, path)
    model = pg.models.gpt.from_safetensors(path, heads=HEADS)
    assert (len(model.blocks), model.context) == (LAYERS, CONTEXT)
    tokens = np.random.default_rng(1).integers(0, VOCABULARY, (2, CONTEXT))
    wanted = reference(given, tokens)
    np.testing.assert_allclose(model(tokens).numpy(), wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(pg.function(model)(tokens), wanted, rtol=1e-4, atol=1e-4)


def test_a_file_without_its_arrays_is_refused_by_name(tmp_path):
    path = tmp_path / "model.safetensors"
    given = arrays()
    del given["h.1.mlp.c_fc.bias"]
    save_file(given, path)
    with pytest.raises(CheckpointError, match=r"doesn't hold a GPT-2: h\.1\.mlp\.c_fc\.bias is"):
        pg.models.gpt.from_safetensors(path, heads=HEADS)
    save_file({"w": np.ones(2, np.float32)}, path)
    with pytest.raises(CheckpointError, match="doesn't hold a GPT-2"):
        pg.models.gpt.from_safetensors(path)
    with pytest.raises(CheckpointError, match=r"nowhere\.safetensors can't be read: No such file"):
        pg.models.gpt.from_safetensors(tmp_path / "nowhere.safetensors")
