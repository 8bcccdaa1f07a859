"""PyTorch: a text continued token by token, with keys and values in caches of fixed size.

The step is compiled whole: embeddings, blocks, writing into the caches, and the choice of the next
token. A loop in Python calls it, because torch.compile would unroll one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from transformer import Continuation

from contenders.transformer_in_pytorch import parameters


def continued(given: Continuation, compiled: Callable[[Any], Any]) -> Callable[[], Any]:
    """The function that returns the tokens that follow the prompt."""
    network = given.network
    weights = {name: one.detach() for name, one in parameters(network.weights()).items()}
    shape = network.batch, network.heads, network.tokens, network.width // network.heads
    caches = [(torch.zeros(shape), torch.zeros(shape)) for _ in range(network.layers)]
    columns = torch.arange(network.tokens)

    def linear(name: str, x: Any) -> Any:
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(name: str, x: Any) -> Any:
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.scale"], weights[f"{name}.offset"])

    def next_token(tokens: Any, places: Any) -> Any:
        """The likeliest token after `tokens` (batch, time), which stand at `places` (time,)."""
        batch, time = tokens.shape
        x = F.embedding(tokens, weights["embedding"]) + weights["positions"][places]
        seen = columns <= places[:, None]  # (time, tokens)
        for layer, (keys, values) in enumerate(caches):
            packed = linear(f"{layer}.attention", norm(f"{layer}.norm1", x))
            q, k, v = (one.view(batch, time, network.heads, -1).transpose(1, 2)
                       for one in packed.split(network.width, dim=2))  # fmt: skip
            keys.index_copy_(2, places, k)
            values.index_copy_(2, places, v)
            y = F.scaled_dot_product_attention(q, keys, values, attn_mask=seen)
            y = y.transpose(1, 2).reshape(batch, time, network.width)
            x = x + linear(f"{layer}.projection", y)
            hidden = F.gelu(linear(f"{layer}.up", norm(f"{layer}.norm2", x)), approximate="tanh")
            x = x + linear(f"{layer}.down", hidden)
        return F.linear(norm("norm", x[:, -1:]), weights["embedding"]).argmax(-1)  # (batch, 1)

    first, later = compiled(next_token), compiled(next_token)
    prompt = torch.from_numpy(given.text())
    places = torch.arange(network.tokens)

    @torch.inference_mode()
    def step() -> Any:
        token = first(prompt, places[: given.prompt])
        found = [token]
        for place in range(given.prompt, network.tokens - 1):
            token = later(token, places[place : place + 1])
            found.append(token)
        return torch.cat(found, dim=1).numpy()

    return step
