"""Measures steps of a small network on 1, 2 and 4 loopback devices, to check `scale_model.py`.

    python tools/scale_points.py        needs JAX; prints what `scale_model.LOOPBACK` holds

All devices are on one core, in CPU time of this process, since others may load the machine. The
step of one device, its update alone, and all-reduces of two sizes on two devices are what the model
is calibrated with; the steps on 2 and 4 devices are what it predicts.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

WIDTH, LAYERS, BATCH = 512, 4, 64  # of the network, and rows on a device
LARGE, SMALL = WIDTH * WIDTH * LAYERS, 4096  # elements of the all-reduces that calibrate
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def measured(steps: list[Callable[[], Any]], rounds: int = 15) -> list[float]:
    """Medians of CPU seconds for a call of each, in turn."""
    times: list[list[float]] = [[] for _ in steps]
    for number in range(rounds + 2):
        for place, step in enumerate(steps):
            start = time.process_time()
            step()
            if number > 1:
                times[place].append(time.process_time() - start)
    return [statistics.median(one) for one in times]


def main() -> None:
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count=4 {ONE_THREAD}"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.sharding import NamedSharding, PartitionSpec as P

    def step_on(count: int, sharded: bool) -> Callable[[], Any]:
        mesh = jax.sharding.Mesh(np.array(jax.devices()[:count]), ("data",))
        of_weights = NamedSharding(mesh, P("data") if sharded else P())
        rng = np.random.default_rng(0)
        shape = LAYERS, WIDTH, WIDTH
        start = (rng.standard_normal(shape) / WIDTH**0.5).astype(np.float32)
        weights = [jax.device_put(one, of_weights) for one in start]
        x = jax.device_put(
            rng.standard_normal((count * BATCH, WIDTH)).astype(np.float32),
            NamedSharding(mesh, P("data")),
        )

        def loss(weights: Any, x: Any) -> Any:
            for weight in weights:
                x = jnp.maximum(x @ weight, 0)
            return jnp.mean(x * x)

        def descend(weights: Any, x: Any) -> Any:
            gradients = jax.grad(loss)(weights, x)
            return [w - 1e-3 * g for w, g in zip(weights, gradients, strict=True)]

        jitted = jax.jit(descend, out_shardings=[of_weights] * LAYERS)
        return lambda: jax.block_until_ready(jitted(weights, x))

    def all_reduce(size: int, times: int = 8) -> Callable[[], Any]:
        mesh = jax.sharding.Mesh(np.array(jax.devices()[:2]), ("data",))
        x = jax.device_put(np.ones((2, size), np.float32), NamedSharding(mesh, P("data")))

        def add(x: Any) -> Any:
            for _ in range(times):
                x = jax.lax.psum(x, "data") * 0.5
            return x

        jitted = jax.jit(jax.shard_map(add, mesh=mesh, in_specs=P("data"), out_specs=P("data"),
                                       check_vma=False))  # fmt: skip
        return lambda: jax.block_until_ready(jitted(x))

    def update() -> Callable[[], Any]:
        pairs = [(jnp.ones((WIDTH, WIDTH)), jnp.ones((WIDTH, WIDTH))) for _ in range(LAYERS)]
        jitted = jax.jit(lambda pairs: [w - 1e-3 * g for w, g in pairs])
        return lambda: jax.block_until_ready(jitted(pairs))

    cases = [(1, False), (2, False), (4, False), (2, True), (4, True)]
    steps = [step_on(*one) for one in cases] + [all_reduce(LARGE), all_reduce(SMALL), update()]
    found = measured(steps)
    for (count, sharded), seconds in zip(cases, found, strict=False):
        print(f"{'fully sharded' if sharded else 'data'} on {count}: {1e3 * seconds:.2f} ms")
    for size, seconds in zip((LARGE, SMALL), found[-3:-1], strict=True):
        print(f"all-reduce of {4 * size} bytes on 2: {1e3 * seconds / 8:.3f} ms")
    print(f"update on 1: {1e3 * found[-1]:.3f} ms")


if __name__ == "__main__":
    main()
