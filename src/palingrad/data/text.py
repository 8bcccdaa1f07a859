"""Texts as tokens: characters or bytes, in a training part and a test part."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import DataError
from ..files.atomic import path_text
from ..files.reading import read_file
from ..messages.checks import shown
from .batching import shuffled


@dataclass(frozen=True, eq=False)
class Tokenizer:
    """The characters that have a token, in the order of their numbers; None stands for bytes."""

    characters: str | None

    @property
    def count(self) -> int:
        """The number of tokens."""
        return 256 if self.characters is None else len(self.characters)

    def encode(self, text: str) -> Array:
        """The text's tokens (int64). Raises DataError for a character that has none."""
        if self.characters is None:
            return np.frombuffer(text.encode(), np.uint8).astype(np.int64)
        numbers = {character: number for number, character in enumerate(self.characters)}
        unknown = sorted(set(text) - set(numbers))
        if unknown:
            raise DataError(
                f"the text has {len(unknown)} characters that the model hasn't seen, such as "
                f"{unknown[0]!r}.",
                hint="Write it with those of the training text, or train on bytes.",
            )
        return np.array([numbers[character] for character in text], np.int64)

    def decode(self, tokens: Any) -> str:
        """The text of tokens; bytes that aren't UTF-8 become �."""
        numbers = np.asarray(tokens).ravel()
        if self.characters is None:
            return numbers.astype(np.uint8).tobytes().decode(errors="replace")
        return "".join([self.characters[number] for number in numbers])


@dataclass(frozen=True, eq=False)
class Text:
    """A text as tokens, the first nine tenths for training, the rest for tests."""

    tokenizer: Tokenizer
    train: Array
    test: Array

    def __repr__(self) -> str:
        return (f"<Text: {len(self.train):,} training and {len(self.test):,} test tokens of "
                f"{self.tokenizer.count}>")  # fmt: skip

    def windows(self, context: int) -> tuple[Array, Array]:
        """The test part as rows of `context` tokens, and the tokens that follow each."""
        rows = (len(self.test) - 1) // context
        cut = self.test[: rows * context + 1]
        return cut[:-1].reshape(rows, context), cut[1:].reshape(rows, context)

    def batches(
        self, context: int, batch_size: int, *, seed: int, epoch: int
    ) -> Iterator[tuple[Array, Array]]:
        """Batches of windows (batch, context) of the training part and the tokens that follow.

        The windows lie side by side, from a place that `seed` and `epoch` draw, so that an epoch
        reads each token about once.
        """
        order = shuffled(max(context, 1), seed, epoch)
        first = int(order[0])
        rows = (len(self.train) - 1 - first) // context
        places = first + context * shuffled(rows, seed, epoch)
        reach = np.arange(context + 1)
        for start in range(0, rows - rows % batch_size, batch_size):
            window = self.train[places[start : start + batch_size, None] + reach]
            yield window[:, :-1], window[:, 1:]

    def steps(self, context: int, batch_size: int) -> int:
        """The number of batches in an epoch, at least."""
        return (len(self.train) - context) // context // batch_size


def read_text(paths: Sequence[str | os.PathLike[str]], *, tokens: str = "characters") -> Text:
    """The text of files, one after the other, as `tokens`, 'characters' or 'bytes'.

    Raises DataError for a file that can't be read, isn't UTF-8, or is too short.
    """
    content = b"".join([_content(Path(os.path.expanduser(path))) for path in paths])
    if tokens not in ("characters", "bytes"):
        raise DataError(f"tokens is {shown(tokens)}; expected 'characters' or 'bytes'.")
    if tokens == "bytes":
        tokenizer = Tokenizer(None)
        numbers = np.frombuffer(content, np.uint8).astype(np.int64)
    else:
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise DataError(f"{path_text(Path(paths[0]))} isn't UTF-8 at byte {error.start}.",
                            hint="Take --tokens bytes.") from None  # fmt: skip
        tokenizer = Tokenizer("".join(sorted(set(text))))
        numbers = tokenizer.encode(text)
    if len(numbers) < 20:
        raise DataError(f"{path_text(Path(paths[0]))} has {len(numbers)} tokens: too short to "
                        "train on.", hint="Take a text of some thousands.")  # fmt: skip
    cut = len(numbers) * 9 // 10
    return Text(tokenizer, numbers[:cut], numbers[cut:])


def _content(path: Path) -> bytes:
    try:
        return read_file(path)
    except OSError as error:
        raise DataError(f"{path_text(path)} can't be read: {error.strerror or error}.",
                        hint="Pass the path of a text file.") from error  # fmt: skip
