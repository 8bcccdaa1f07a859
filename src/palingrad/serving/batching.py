"""Batches concurrent requests: those that arrive while one is computed are computed together.

A request that finds the model idle is computed at once, so that a lone client doesn't wait;
`window` seconds can be added. Batches are padded to powers of two, so that few sizes are compiled,
with copies of their last row. This is right only if rows don't influence each other, which is
tested before the first request (`rows_are_independent`).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array, is_floating, is_inexact
from .faults import RequestError

Run = Callable[[Sequence[Array]], dict[str, Array]]
_FORMS = 1000  # whose times are kept
_TINY = 5e-5  # seconds; batching such calls would save nothing
_SHORT = 5e-4  # a shorter call runs in the event loop, because a thread costs as much


class Waiting(NamedTuple):
    """A request in the queue."""

    arrays: list[Array]
    rows: int
    form: Any  # shapes without rows: only equal ones are batched
    answer: asyncio.Future[dict[str, Array]]


class Batcher:
    """A queue in front of a model. `most` rows are computed together; `limit` requests wait."""

    def __init__(
        self, run: Run, *, batches: bool = True, most: int = 64, window: float = 0.0,
        limit: int = 1024,
    ) -> None:  # fmt: skip
        self._run, self._batches = run, batches
        self._most, self._window, self._limit = most, window, limit
        self._queue: deque[Waiting] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "palingrad-serve")
        self._seconds: dict[Any, float] = {}  # of a call, by form and number of rows
        self.computed = 0  # batches, for tests

    async def __call__(self, arrays: list[Array]) -> dict[str, Array]:
        """The outputs for these inputs. Raises RequestError if too many requests wait."""
        if len(self._queue) >= self._limit:
            raise RequestError(503, f"{self._limit} requests are waiting already; try again later")
        form = tuple((x.shape[1:], x.dtype) for x in arrays)
        rows = len(arrays[0]) if self._batches else 1
        if self._at_once(form, rows):
            self.computed += 1
            return self._timed((form, rows), arrays)
        answer: asyncio.Future[dict[str, Array]] = asyncio.get_running_loop().create_future()
        self._queue.append(Waiting(arrays, rows, form, answer))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await answer

    def _at_once(self, form: Any, rows: int) -> bool:
        """Whether the call takes less time than a place in the queue, and nothing waits there."""
        if self._queue or self._window or self._worker is not None or rows & (rows - 1):
            return False
        return self._seconds.get((form, rows), 1.0) < _TINY

    async def _work(self) -> None:
        """Computes batch after batch until no request waits."""
        try:
            while self._queue:
                if self._window and self._batches:
                    await asyncio.sleep(self._window)
                batch = self._taken()
                if batch:
                    await self._answer(batch)
        finally:
            self._worker = None

    def _taken(self) -> list[Waiting]:
        """The first request in the queue, and those that fit into one batch with it."""
        batch: list[Waiting] = []
        rest: list[Waiting] = []
        rows = 0
        while self._queue:
            one = self._queue.popleft()
            if one.answer.done():  # its time was over
                continue
            fits = not batch or (self._batches and one.form == batch[0].form
                                 and rows + one.rows <= self._most)  # fmt: skip
            (batch if fits else rest).append(one)
            rows += one.rows if fits else 0
            if rows >= self._most or not self._batches:
                break
        self._queue.extendleft(reversed(rest))
        return batch

    async def _answer(self, batch: Sequence[Waiting]) -> None:
        try:
            results = await self._computed(batch)
        except Exception as error:
            if len(batch) > 1:  # one may be at fault: each alone
                for one in batch:
                    await self._answer([one])
            elif not batch[0].answer.done():
                batch[0].answer.set_exception(error)
            return
        for one, result in zip(batch, results, strict=True):
            if not one.answer.done():
                one.answer.set_result(result)

    async def _computed(self, batch: Sequence[Waiting]) -> list[dict[str, Array]]:
        """The outputs of each request."""
        rows = sum(one.rows for one in batch)
        padded = 1 << (rows - 1).bit_length() if self._batches else rows
        inputs = batch[0].arrays
        if len(batch) > 1 or padded > rows:
            inputs = [
                np.concatenate([*parts, *[parts[-1][-1:]] * (padded - rows)])
                for parts in zip(*(one.arrays for one in batch), strict=True)
            ]
        key = batch[0].form, padded
        if self._seconds.get(key, 1.0) < _SHORT:
            outputs = self._timed(key, inputs)
        else:
            loop = asyncio.get_running_loop()
            outputs = await loop.run_in_executor(self._thread, self._timed, key, inputs)
        self.computed += 1
        if len(batch) == 1 and padded == rows:
            return [outputs]
        ends = np.cumsum([0, *(one.rows for one in batch)])
        return [{name: x[a:b] for name, x in outputs.items()} for a, b in pairwise(ends)]

    def _timed(self, key: Any, inputs: Sequence[Array]) -> dict[str, Array]:
        if len(self._seconds) > _FORMS:  # clients choose the sizes of free axes
            self._seconds.clear()
        began = time.perf_counter()
        outputs = self._run(inputs)
        taken, before = time.perf_counter() - began, self._seconds.get(key)
        # One call that the machine interrupted doesn't make the next ones long.
        self._seconds[key] = taken if before is None else min(taken, 2 * before)
        return outputs

    def close(self) -> None:
        """Stop the thread, after the call that it computes."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def rows_are_independent(run: Run, inputs: Sequence[Any]) -> bool:
    """Whether each row of the outputs depends on the same row of the inputs alone, by four random
    rows, computed together and one by one. `inputs` are Arguments."""
    if not inputs or any(not one.shape or one.shape[0] is not None for one in inputs):
        return False
    rng = np.random.Generator(np.random.Philox(0))
    rows: list[Array] = []
    for one in inputs:
        shape = (4, *(3 if size is None else size for size in one.shape[1:]))
        draws = rng.normal(size=shape) if is_inexact(one.dtype) else rng.integers(0, 2, shape)
        rows.append(draws.astype(one.dtype))
    together = run(rows)
    for place in range(4):
        alone = run([x[place : place + 1] for x in rows])
        for name, y in together.items():
            if y.shape[:1] != (4,) or alone[name].shape != (1, *y.shape[1:]):
                return False
            if not _close(alone[name][0], y[place]):
                return False
    return True


def _close(a: Array, b: Array) -> bool:
    """Equal up to the rounding of another order of summation."""
    if not is_inexact(a.dtype):
        return bool(np.array_equal(a, b))
    eps = float(np.finfo(a.dtype).eps) ** 0.5 if is_floating(a.dtype) else 1e-4
    scale = float(np.abs(b[np.isfinite(b)]).max(initial=0.0))
    return bool(np.allclose(a, b, rtol=eps, atol=eps * scale, equal_nan=True))
