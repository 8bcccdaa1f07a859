"""Training steps on the xla engine against the same steps written by hand in JAX.

    python benchmarks/xla.py            wall time, all threads
    python benchmarks/xla.py --cpu      CPU time of one thread, for a machine that others load

Both run on XLA in this process, in turn, and begin each round by turns; the batches of both come
from the host. A number is the hand-written step's time divided by the engine's: above 1 the engine
is the faster one. The goal is 0.95.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

GOAL = 0.95
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def cases() -> dict[str, Callable[[Any], Any]]:
    """For each title what makes a framework's step."""
    from networks import cnn, mlp
    from transformer import Transformer

    small, large = mlp(784, 100, 20, 10, batch=64), mlp(784, 512, 512, 10, batch=128)
    images = cnn(28, 5, (32, 64), 512, 10, batch=128)
    texts = Transformer(4, 4, 128, tokens=64, batch=12)
    return {
        "MLP 784-100-20-10, batch 64": lambda framework: framework.train(small),
        "MLP 784-512-512-10, batch 128": lambda framework: framework.train(large),
        "CNN 5×5×32, 5×5×64, 512, 10, batch 128": lambda framework: framework.train(images),
        "GPT of 4 layers, width 128, 64 tokens, batch 12": lambda framework: (
            framework.train_transformer(texts)
        ),
    }


def measured(steps: list[Any], rounds: int, seconds: float, clock: Any) -> list[list[float]]:
    """Seconds per step for each contender and round."""
    counts: list[int] = []
    for step in steps:
        step()
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            step()
            count += 1
        counts.append(count)
    times: list[list[float]] = [[] for _ in steps]
    for number in range(rounds):
        for turn in range(len(steps)):
            place = (turn + number) % len(steps)
            start = clock()
            for _ in range(counts[place]):
                steps[place]()
            times[place].append((clock() - start) / counts[place])
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cpu", action="store_true", help="CPU time of one thread")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.4, help="of a turn")
    given = parser.parse_args()
    if given.cpu:
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {ONE_THREAD}"
    clock = time.process_time if given.cpu else time.perf_counter

    import numpy as np
    from contenders import in_jax, in_palingrad
    from machine import description
    from timing import ratios, spread

    class ByHand(in_jax.Framework):
        """JAX's contender with batches that aren't on the device beforehand: arrays of NumPy's, as
        the engine's are. Arrays of JAX's would be aligned, so that XLA wouldn't copy them."""

        def _trained(self, loss_of: Any, parameters: Any, given: list[Any]) -> Any:
            host = [tuple(np.array(one) for one in batch) for batch in given]
            return super()._trained(loss_of, parameters, host)

    print(*description(1 if given.cpu else os.cpu_count() or 1), sep="\n")
    for title, make in cases().items():
        steps = [make(in_palingrad.Framework(1, engine="xla")), make(ByHand(1))]
        first = [step() for step in steps]
        assert abs(first[0] - first[1]) < 1e-3 * abs(first[1]), first  # the same loss
        own, hand = measured(steps, given.rounds, given.seconds, clock)
        ratio = ratios(hand, own)
        met = "" if ratio.middle >= GOAL else f", below the goal of {GOAL}"
        milliseconds = [spread([1e3 * one for one in times]) for times in (own, hand)]
        print(f"{title}: {ratio:.2f}{met}; engine {milliseconds[0]:.2f} ms, JAX "
              f"{milliseconds[1]:.2f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
