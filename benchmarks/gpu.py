"""A training step of GPT-2 small in bfloat16 on an accelerator: the xla engine and JAX by hand.

    python benchmarks/gpu.py                                   GPT-2 small, batch 16 of 1,024 tokens
    python benchmarks/gpu.py --layers 2 --heads 2 --width 64 --tokens 32 --batch 4 --vocabulary 97
                                                               a size to try it with on a CPU

Both keep float32 parameters and Adam's state and compute in bfloat16. They run in this process, in
turn, on JAX's default device, with batches from the host. Printed are tokens per second, the
model's FLOPs as a part of the device's peak (MFU), memory, and the ratio of the times: above 1 the
engine is the faster one. The goals are 0.9 and no more than 1.1 times the memory.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

GOAL, MOST_MEMORY = 0.9, 1.1
NAMES = ("engine", "JAX")

# Dense bfloat16 (float16 where there is no bfloat16) FLOP/s by a part of the device's name, from
# the vendors' data sheets: NVIDIA's of each card (half of the figure "with sparsity"), Google
# Cloud's "TPU system architecture". The first part that fits is taken.
PEAKS = {
    "B200": 2250e12, "H200": 989e12, "H100 PCIe": 756e12, "H100": 989e12, "A100": 312e12,
    "L40S": 362e12, "L4": 121e12, "A10": 125e12, "V100": 125e12, "T4": 65e12,
    "TPU v6": 918e12, "TPU v5p": 459e12, "TPU v5": 197e12, "TPU v4": 275e12,
}  # fmt: skip


class Contender(NamedTuple):
    """A step, and the bytes of its arguments and temporary memory as XLA plans them."""

    step: Callable[[], float]
    planned: int


def planned(compiled: Any) -> int:
    plan = compiled.memory_analysis()
    return plan.argument_size_in_bytes + plan.temp_size_in_bytes


def in_palingrad(network: Any) -> Contender:
    import transformer
    from contenders.transformer_in_palingrad import Functions
    from networks import RATE

    import palingrad as pg

    weights = {name: pg.Variable(one) for name, one in network.weights().items()}
    adam, m = pg.optim.Adam(RATE), Functions()

    @pg.function(engine="xla", precision="bfloat16")
    def step(texts: Any, labels: Any) -> Any:
        loss = transformer.loss(m, network, weights, texts, labels)
        adam.minimize(loss)
        return loss

    batches = itertools.cycle(network.batches())
    step(*next(batches))
    (program,) = step._programs.values()
    return Contender(lambda: float(step(*next(batches))), planned(program.executable.compiled))


def in_jax(network: Any) -> Contender:
    import jax
    import jax.numpy as jnp
    import numpy as np
    import transformer
    from contenders.transformer_in_jax import Functions, layer_norm
    from networks import BETA1, BETA2, EPSILON, RATE

    low = jnp.bfloat16

    class Mixed(Functions):
        """bfloat16, but for norms and the loss."""

        def rows(self, table: Any, indices: Any) -> Any:
            return table[indices].astype(low)

        def norm(self, x: Any, scale: Any, offset: Any) -> Any:
            return layer_norm(x.astype(jnp.float32), scale, offset).astype(low)

        def linear(self, x: Any, weight: Any, bias: Any) -> Any:
            return x @ weight.astype(low) + bias.astype(low)

        def scores(self, x: Any, embedding: Any) -> Any:
            return x @ embedding.astype(low).T

        def cross_entropy(self, scores: Any, labels: Any) -> Any:
            return super().cross_entropy(scores.astype(jnp.float32), labels)

    def loss_of(weights: Any, texts: Any, labels: Any) -> Any:
        positions = weights["positions"].astype(low)
        return transformer.loss(Mixed(), network, weights | {"positions": positions}, texts, labels)

    def adam(state: Any, texts: Any, labels: Any) -> Any:
        weights, means, squares, steps = state
        loss, gradients = jax.value_and_grad(loss_of)(weights, texts, labels)
        steps, over = steps + 1, jax.tree.map
        means = over(lambda m, g: BETA1 * m + (1 - BETA1) * g, means, gradients)
        squares = over(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, squares, gradients)
        rate, root = RATE / (1 - BETA1**steps), 1 / jnp.sqrt(1 - BETA2**steps)
        weights = over(
            lambda p, m, v: p - rate * m / (jnp.sqrt(v) * root + EPSILON), weights, means, squares
        )
        return loss, (weights, means, squares, steps)

    weights = {name: jnp.asarray(one) for name, one in network.weights().items()}
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = weights, zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros((), jnp.float32)
    batches = itertools.cycle(
        [tuple(one.astype(np.int32) for one in pair) for pair in network.batches()]
    )
    jitted = jax.jit(adam, donate_argnums=0)
    plan = planned(jitted.lower(state, *next(batches)).compile())

    def step() -> float:
        nonlocal state
        loss, state = jitted(state, *next(batches))
        return float(loss)

    step()
    return Contender(step, plan)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = {"layers": 12, "heads": 12, "width": 768, "tokens": 1024, "batch": 16,
             "vocabulary": 50257}  # fmt: skip
    for name, size in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=size)
    parser.add_argument("--peak", type=float, help="the device's FLOP/s in bfloat16")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a turn")
    parser.add_argument("--only", choices=NAMES, help="print the device memory that one takes")
    given = parser.parse_args()

    from transformer import Transformer

    network = Transformer(**{name: getattr(given, name) for name in sizes})
    makers = dict(zip(NAMES, (in_palingrad, in_jax), strict=True))
    if given.only:
        for _ in range(3):
            makers[given.only](network).step()
        print(json.dumps(peak_memory()))
        return
    report(network, makers, given)


def peak_memory() -> int | None:
    """The most bytes that this process has had on the device; None where it doesn't say."""
    import jax

    return (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")


def memory_of(name: str) -> int | None:
    """The device memory that one contender takes, alone in a process of its own."""
    command = [sys.executable, *sys.argv, "--only", name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def report(network: Any, makers: dict[str, Any], given: Any) -> None:
    import time

    measured_memory = {name: memory_of(name) for name in makers}
    import jax
    from machine import description
    from timing import ratios, spread
    from xla import measured

    device = jax.devices()[0]
    peak = given.peak or next(
        (one for part, one in PEAKS.items() if part in device.device_kind), None
    )
    print(*description(1), f"{device.platform}: {device.device_kind}", network, sep="\n")
    contenders = {name: make(network) for name, make in makers.items()}
    first = [one.step() for one in contenders.values()]
    assert abs(first[0] - first[1]) < 2e-2 * abs(first[1]), first  # the same loss, in bfloat16
    steps = [one.step for one in contenders.values()]
    times = measured(steps, given.rounds, given.seconds, time.perf_counter)
    tokens = network.batch * network.tokens
    for (name, one), rounds in zip(contenders.items(), times, strict=True):
        middle = spread(rounds).middle
        mfu = "unknown, see --peak" if peak is None else f"{network.flops() / middle / peak:.1%}"
        used = measured_memory[name]
        memory = "not told by this device" if used is None else f"{used / 2**30:.3f} GiB"
        print(f"{name}: {tokens / middle:,.0f} tokens/s, {1e3 * middle:.2f} ms a step, MFU {mfu}; "
              f"device memory {memory}, planned by XLA {one.planned / 2**30:.3f} GiB")  # fmt: skip
    ratio = ratios(times[1], times[0])
    plans = [one.planned for one in contenders.values()]
    taken = [measured_memory[name] or one.planned for name, one in contenders.items()]
    print(f"ratio of times {ratio:.2f}, goal {GOAL}; of planned memory {plans[0] / plans[1]:.2f}, "
          f"of memory {taken[0] / taken[1]:.2f}, goal at most {MOST_MEMORY}")  # fmt: skip


if __name__ == "__main__":
    main()
