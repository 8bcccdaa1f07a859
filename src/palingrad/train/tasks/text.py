"""Texts, whose next character or byte is predicted: a GPT or an LSTM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import models
from ...data.text import Text, Tokenizer, read_text
from ...errors import DataError
from ...messages.checks import within
from ...nn.module import Module

MODELS = ("gpt", "lstm")
_SIZES = {  # of nanoGPT on a CPU, and of an LSTM that takes about as long
    "gpt": {"context": 64, "layers": 4, "heads": 4, "width": 128},
    "lstm": {"context": 64, "layers": 1, "width": 256},
}


def begin(settings: dict[str, Any], folder: str | None) -> dict[str, Any]:
    """The settings with the vocabulary and the model's sizes."""
    kind = settings.pop("tokens", None) or "characters"
    if settings.get("dropout") is not None:
        within("train text: dropout", settings["dropout"], "[0, 1)", like=0.1)
    found = read_text([settings["source"]], tokens=kind)
    sizes = dict(_SIZES[settings["model"]])
    sizes |= {name: value for name, value in settings.pop("sizes", {}).items() if value}
    size = settings["batch_size"] or 16
    _check_sizes(found, sizes, size)
    return {
        **settings,
        "tokens": kind,
        "characters": found.tokenizer.characters,
        "sizes": sizes,
        "epochs": settings["epochs"] or 10,
        "optimizer": settings["optimizer"] or "adamw",
        "learning_rate": 2e-3 if settings["learning_rate"] is None else settings["learning_rate"],
        "batch_size": size,
    }


def _check_sizes(found: Text, sizes: Mapping[str, int], batch_size: int) -> None:
    """Raise DataError for sizes that no model has, or that the text is too short for."""
    heads, width, context = sizes.get("heads", 1), sizes["width"], sizes["context"]
    if width % heads:
        raise DataError(f"a gpt has {heads} heads, which don't divide width {width}.",
                        hint=f"Write --width {-(-width // heads) * heads}.")  # fmt: skip
    if found.steps(context, batch_size) < 1 or not len(found.windows(context)[0]):
        raise DataError(
            f"the text has {len(found.train):,} training and {len(found.test):,} test tokens, too "
            f"few for a batch of {batch_size} windows of {context} and a test window.",
            hint="Take a smaller --context or --batch-size, or a longer text.",
        )


def tokenizer(settings: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer of a run."""
    return Tokenizer(settings["characters"])


def build(settings: Mapping[str, Any]) -> Module:
    """The model of a run."""
    sizes = dict(settings["sizes"])
    count = tokenizer(settings).count
    if settings["model"] == "gpt":
        return models.gpt(count, dropout=settings.get("dropout", 0.0), **sizes)
    del sizes["context"]
    return models.char_rnn(count, dropout=settings.get("dropout", 0.0), **sizes)


def load(settings: Mapping[str, Any], folder: str | None) -> Text:
    """The text."""
    return read_text([settings["source"]], tokens=settings["tokens"])


def loss(settings: Mapping[str, Any]) -> Any:
    """The mean over all tokens, in nats."""
    return "cross_entropy"


def metrics(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """None beside the loss."""
    return ()


def describe(loaded: Text) -> str:
    """How many tokens there are."""
    return (f"{len(loaded.train):,} training tokens and {len(loaded.test):,} test tokens of "
            f"{loaded.tokenizer.count}")  # fmt: skip


def continued(
    model: Any, settings: Mapping[str, Any], prompt: str, count: int, **options: Any
) -> str:
    """`count` more characters or bytes of a prompt; a GPT goes on from the last half of its context
    when it is full."""
    tokens = tokenizer(settings).encode(prompt or "\n")[None]
    context = settings["sizes"]["context"]
    seed = options.pop("seed", 0)
    found = [np.zeros((1, 0), np.int64)]
    left = count
    while left > 0:
        if isinstance(model, models.gpt):
            tokens = tokens[:, -max(context // 2, 1) :]
            step = min(left, context + 1 - tokens.shape[1])
        else:
            step = left
        new = models.generate(model, tokens, step, seed=seed, **options)
        found.append(new)
        tokens = np.concatenate([tokens, new], axis=1)
        left, seed = left - step, seed + 1
    return tokenizer(settings).decode(np.concatenate(found, axis=1))
