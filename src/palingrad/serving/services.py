"""What is served: a model of arrays, a table's rows, or a text that is continued."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..dtypes import Array
from ..errors import PalingradError
from ..io.model import Argument
from .batching import Batcher, Run, rows_are_independent
from .bodies import JSON, NPY, check_names, from_json, from_npy, parsed, to_json, to_npy
from .faults import RequestError


class Answer(NamedTuple):
    """The body of an answer, and its media type."""

    body: bytes
    type: str = JSON


class Service(Protocol):
    """Answers requests to /predict."""

    def signature(self) -> dict[str, Any]:
        """What /signature tells: the kind, inputs and outputs."""
        ...

    def schema(self) -> dict[str, Any]:
        """The JSON schema of a request's body."""
        ...

    async def answer(self, body: bytes, type: str, accepts: str) -> Answer:
        """The answer to a request. Raises RequestError."""
        ...

    def close(self) -> None:
        """End what runs."""
        ...


class Arrays:
    """A model of arrays. `facts` are told with the signature; `named` are names of the classes
    whose probabilities the output of this name holds."""

    def __init__(
        self, run: Run, inputs: Sequence[Argument], outputs: Sequence[Argument], *,
        facts: Mapping[str, Any] | None = None, classes: Sequence[str] | None = None,
        batch: int = 64, window: float = 0.0,
    ) -> None:  # fmt: skip
        self._inputs, self._outputs = list(inputs), list(outputs)
        self._facts, self._classes = dict(facts or {}), classes
        try:
            batches = batch > 1 and rows_are_independent(run, inputs)
        except PalingradError:  # random rows don't suit the model
            batches = False
        self.batcher = Batcher(run, batches=batches, most=batch, window=window)
        self._facts["batching"] = batches

    def signature(self) -> dict[str, Any]:
        classes = {} if self._classes is None else {"classes": list(self._classes)}
        return {
            "kind": "arrays",
            **self._facts,
            **classes,
            "inputs": [one.as_json() for one in self._inputs],
            "outputs": [one.as_json() for one in self._outputs],
        }

    def schema(self) -> dict[str, Any]:
        names = [one.name for one in self._inputs]
        return {
            "type": "object",
            "required": names,
            "properties": {one.name: _schema(one) for one in self._inputs},
            "additionalProperties": False,
        }

    async def answer(self, body: bytes, type: str, accepts: str) -> Answer:
        if type == NPY:
            arrays = from_npy(body, self._inputs)
        elif type == JSON:
            arrays = from_json(body, self._inputs)
        else:
            raise RequestError(415, f"content-type is {type!r:.60}, expected {JSON} or {NPY}")
        self._check_rows(arrays)
        outputs = await self.batcher(arrays)
        if NPY in accepts or (type == NPY and JSON not in accepts):
            return Answer(to_npy(self._first(outputs)), NPY)
        named: dict[str, Any] = dict(outputs)
        if self._classes is not None:
            best = next(iter(outputs.values())).argmax(axis=-1)
            named["class"] = [self._classes[number] for number in best]
        return Answer(to_json(named))

    def _first(self, outputs: dict[str, Array]) -> dict[str, Array]:
        """The outputs; of a classifier the probabilities alone."""
        return dict(list(outputs.items())[:1]) if self._classes is not None else outputs

    def _check_rows(self, arrays: Sequence[Array]) -> None:
        """Raise RequestError unless all inputs have one number of rows, one or more."""
        free = [(one.name, x) for one, x in zip(self._inputs, arrays, strict=True)
                if one.shape and one.shape[0] is None]  # fmt: skip
        counts = {len(x) for _, x in free}
        if len(counts) > 1:
            told = ", ".join(f"{name} has {len(x)} rows" for name, x in free)
            raise RequestError(422, f"inputs have one number of rows, but {told}")
        if counts == {0}:
            raise RequestError(422, f"{free[0][0]} has no rows", input=free[0][0])

    def close(self) -> None:
        self.batcher.close()


def _schema(argument: Argument) -> dict[str, Any]:
    kinds = {"f": "number", "i": "integer", "u": "integer", "b": "boolean"}
    schema: dict[str, Any] = {"type": kinds.get(argument.dtype.kind, "number")}
    for size in reversed(argument.shape or ()):
        bounds = {} if size is None else {"minItems": size, "maxItems": size}
        schema = {"type": "array", "items": schema, **bounds}
    return schema


class Option(NamedTuple):
    """A field of a request: its JSON type, its bounds and its default."""

    type: str
    default: Any
    least: float = -np.inf
    most: float = np.inf

    def schema(self) -> dict[str, Any]:
        """Its JSON schema."""
        bounds = {"minimum": self.least, "maximum": self.most} if self.type != "string" else {}
        return {"type": self.type, "default": self.default, **bounds}

    def checked(self, name: str, value: Any) -> Any:
        """The value. Raises RequestError unless it suits."""
        kinds: Any = {"string": str, "integer": int, "number": (int, float)}[self.type]
        if value is None and self.default is None:
            return None
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise RequestError(422, f"{name} is {type(value).__name__}, expected {self.type}",
                               input=name)  # fmt: skip
        number: Any = value
        if self.type != "string" and not self.least <= number <= self.most:
            bounds = f"{self.least:g} to {self.most:g}"
            raise RequestError(422, f"{name} is {number!r:.40}, expected {bounds}", input=name)
        return value


class Calls:
    """A function of a JSON object, called in a thread, one request after the other."""

    def __init__(self, kind: str, facts: Mapping[str, Any], properties: dict[str, Any],
                 call: Callable[[dict[str, Any]], dict[str, Any]]) -> None:  # fmt: skip
        self._kind, self._facts, self._properties = kind, dict(facts), properties
        self._call = call
        self._thread = ThreadPoolExecutor(1, "palingrad-serve")

    def signature(self) -> dict[str, Any]:
        return {"kind": self._kind, **self._facts, "inputs": self.schema()["properties"]}

    def schema(self) -> dict[str, Any]:
        options = {name: one.schema() if isinstance(one, Option) else one
                   for name, one in self._properties.items()}  # fmt: skip
        return {"type": "object", "properties": options, "additionalProperties": False}

    async def answer(self, body: bytes, type: str, accepts: str) -> Answer:
        if type != JSON:
            raise RequestError(415, f"content-type is {type!r:.60}, expected {JSON}")
        document = parsed(body)
        check_names(document, list(self._properties), [])
        given = {
            name: one.checked(name, document.get(name, one.default))
            if isinstance(one, Option) else document.get(name)
            for name, one in self._properties.items()
        }  # fmt: skip
        loop = asyncio.get_running_loop()
        try:
            return Answer(to_json(await loop.run_in_executor(self._thread, self._call, given)))
        except PalingradError as error:
            raise RequestError(422, str(error)) from None

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


def probabilities(scores: Array) -> Array:
    """softmax of each row's scores."""
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)
