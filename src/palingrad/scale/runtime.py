"""JAX's distributed runtime: what starts it, and what the environment says of it. Imports JAX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..engines.xla.jaxlib import jax
from ..errors import EngineError, ProcessError
from ..processes.relay import Relay
from ..processes.wire import is_loopback

# Seconds after which JAX by itself takes a process for dead: the group is to notice it first.
_HEARTBEAT = 100


class Found(NamedTuple):
    """What a cluster's environment says of this process."""

    address: str | None
    processes: int | None
    index: int | None
    devices: Sequence[int] | None


def detected(address: str | None, processes: int | None, index: int | None, timeout: int) -> Found:
    """What JAX finds out from SLURM, Kubernetes, MPI and others for what is None."""
    from jax._src.clusters import ClusterEnv  # pyright: ignore[reportMissingImports]

    environment: Any = ClusterEnv
    found = environment.auto_detect_unset_distributed_params(
        address, processes, index, None, None, timeout
    )
    return Found(*found)


def check_fresh() -> None:
    """Raise EngineError if JAX has made its devices, which can't be joined any more."""
    from jax._src import xla_bridge  # pyright: ignore[reportMissingImports]

    bridge: Any = xla_bridge
    if bridge.backends_are_initialized():
        raise EngineError(
            "scale.initialize comes too late: JAX has made its devices in this process.",
            hint="Call pg.scale.initialize() before any mesh, function or session of the xla "
            "engine.",
        )


def start(
    host: str, port: int, processes: int, index: int, timeout: int, devices: Sequence[int] | None
) -> None:
    """Start JAX's runtime, whose service listens at this host and port in process 0."""
    at = f"{host}:{port}" if index == 0 else f"127.0.0.1:{Relay(host, port).port}"
    config: Any = jax.config
    if not config.jax_cpu_collectives_implementation:
        config.update("jax_cpu_collectives_implementation", "gloo")
    # Its signal handler would keep SIGTERM from ending the process.
    config.update("jax_enable_preemption_service", False)
    try:
        jax.distributed.initialize(
            at, processes, index,
            local_device_ids=devices,
            cluster_detection_method="deactivate",
            initialization_timeout=timeout,
            heartbeat_timeout_seconds=_HEARTBEAT,
            coordinator_bind_address=f"127.0.0.1:{port}" if is_loopback(host) else f"[::]:{port}",
        )  # fmt: skip
    except (RuntimeError, ValueError) as error:
        raise ProcessError(f"JAX couldn't join the processes: {error}") from error
