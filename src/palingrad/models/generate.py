"""Continues a text, token by token, by compiled steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array, is_integer
from ..errors import ArgumentError, DTypeError, ShapeError
from ..functions import function
from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.calls import public
from ..messages.checks import shown, whole, within
from ..shapes import sizes, text
from .text import GPT, CharRNN

_MOST = 16  # compiled generators of a model that are kept


@public
def generate(
    model: GPT | CharRNN,
    prompt: Any,
    count: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
    engine: str | None = None,
) -> Array:
    """`count` tokens that follow a prompt (batch, time): integers (batch, count).

    Each is drawn from softmax(scores/temperature) of the `top_k` likeliest; temperature 0 takes the
    likeliest. A GPT keeps the keys and values of the text in caches, so that each token costs one
    step; prompt and tokens together must fit into its context. The same seed gives the same tokens.
    """
    tokens = _prompt(prompt)
    count = whole("generate: count", count, like=100)
    within("generate: temperature", temperature, "[0, inf)", like=0.8)
    if top_k is not None:
        top_k = whole("generate: top_k", top_k, least=1, like=40)
    if isinstance(model, GPT) and tokens.shape[1] + count - 1 > model.context:
        raise ArgumentError(
            f"generate: {tokens.shape[1]} + {count} tokens don't fit into a context of "
            f"{model.context}.",
            hint=f"Take count={max(model.context + 1 - tokens.shape[1], 0)}, or a shorter prompt.",
        )
    if not count:
        return tokens[:, :0]
    key = count, temperature > 0, top_k, engine
    known = _compiled(model)
    compiled = known.pop(key, None) or function(_writer(model, *key[:3]), engine=engine)
    known[key] = compiled  # as the latest
    if len(known) > _MOST:
        del known[next(iter(known))]
    draws = np.random.Generator(np.random.Philox(seed)).random((count, len(tokens)))
    draws *= 1 - 2**-40  # a draw of 1 − 2⁻⁵³ times the total would be the total
    return compiled(tokens, draws, float(temperature))


def _compiled(model: Any) -> dict[Any, Any]:
    """The compiled generators of a model, which live as long as it; a copy has its own."""
    owner, found = vars(model).get("_generators", (None, {}))
    if owner != id(model):
        vars(model)["_generators"] = id(model), (found := {})
    return found


def _prompt(prompt: Any) -> Array:
    tokens = np.asarray(prompt)
    if tokens.ndim != 2 or not tokens.shape[1]:
        raise ShapeError(f"generate: a prompt is (batch, time ≥ 1), got {text(tokens.shape)}.",
                         hint="One text is a batch of one: prompt[None].")  # fmt: skip
    if not is_integer(tokens.dtype):
        raise DTypeError(f"generate: a prompt is {shown(tokens.dtype)}; expected integers.",
                         hint="Tokens are numbers of characters or words.")  # fmt: skip
    return tokens.astype(np.int64)


def _writer(
    model: Any, count: int, draws_tokens: bool, top_k: int | None
) -> Callable[[Any, Any, Any], Node]:
    """The function from a prompt, uniform draws (count, batch) and the temperature to tokens
    (batch, count)."""

    def write(prompt: Any, draws: Any, temperature: Any) -> Node:
        def chosen(scores: Any, draw: Any) -> Node:
            if not draws_tokens:
                return ops.argmax(scores, axis=-1)
            return _drawn(scores / temperature, draw, top_k)

        batch = sizes(as_node(prompt).shape)[0]
        scores, state = _started(model, prompt, batch)
        first = chosen(scores[:, -1], draws[0])  # (batch,)

        def step(carry: Any, draw: Any) -> Any:
            token, before = carry
            scores, after = _continued(model, ops.expand_dims(token, -1), before)
            new = chosen(scores[:, -1], draw)
            return (new, after), new

        _, rest = ops.scan(step, (first, state), draws[1:])  # (count − 1, batch)
        return ops.swapaxes(ops.concat([ops.expand_dims(first, 0), rest], axis=0), 0, 1)

    return write


def _started(model: Any, prompt: Any, batch: int) -> tuple[Any, Any]:
    if isinstance(model, GPT):
        scores, caches = model(prompt, caches=model.empty_caches(batch))
        return scores, _flat(caches)
    return model(prompt, return_state=True)


def _continued(model: Any, token: Any, state: Any) -> tuple[Any, Any]:
    if isinstance(model, GPT):
        scores, caches = model(token, caches=_caches(model, state))
        return scores, _flat(caches)
    return model(token, state, return_state=True)


def _flat(caches: Any) -> Any:
    return [(cache.keys, cache.values, cache.length) for cache in caches]


def _caches(model: GPT, state: Any) -> Any:
    kind = type(model.empty_caches(1)[0])
    return tuple(kind(*parts) for parts in state)


def _drawn(scores: Any, draw: Any, top_k: int | None) -> Node:
    """Tokens (batch,) by the inverse of the distribution function at draws (batch,)."""
    vocabulary = scores.shape[-1]
    if top_k is not None and top_k < vocabulary:
        least = ops.sort(scores, axis=-1)[:, -top_k]  # (batch,)
        scores = ops.where(scores >= ops.expand_dims(least, -1), scores, -np.inf)
    shares = ops.cumsum(ops.softmax(ops.astype(scores, "float64"), axis=-1), axis=-1)
    total = shares[:, -1:]  # 1, up to rounding
    reached = shares > ops.expand_dims(draw, -1) * total  # the first is the token
    return ops.argmax(reached, axis=-1)  # (batch,)
