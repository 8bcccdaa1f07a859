"""Trainers of several processes, each of which runs its own samples and the same updates."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import ArgumentError
from ..core import Variable, update_node_value_in_graph
from ..dist import messages
from ..dist.allreduce import Ring
from ..dist.ps import ParameterServiceClient
from .trainer import Trainer

__all__ = ["DistTrainerParameterServer", "DistTrainerRingAllReduce"]


class _DistTrainer(Trainer):
    """What both have: the Variables, and their first values, those of worker 0."""

    def _trained(self) -> dict[str, Variable]:
        """The trainable Variables by their names, which are the same in all processes."""
        nodes = [
            one for one in self.optimizer.graph.nodes if isinstance(one, Variable) and one.trainable
        ]
        found = {node.name: node for node in nodes}
        if len(found) < len(nodes):
            raise ArgumentError(
                f"{type(self).__name__}: Variables need names of their own, got "
                f"{[node.name for node in nodes]}"
            )
        return found

    def _variable_weights_init(self) -> None:
        values = {name: node.array() for name, node in self._trained().items()}
        for name, value in self._first(values).items():
            update_node_value_in_graph(name, value, graph=self.optimizer.graph)
        print("[INIT] Worker variable weights initialized")

    def _first(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values of worker 0."""
        raise NotImplementedError


class DistTrainerParameterServer(_DistTrainer):
    """A worker of a parameter server: an update is along the mean over all workers' samples.

    cluster_conf: {"ps": ["localhost:5000"], "workers": [an address for each]}, worker_index: which
    of them this is; without it, workers are numbered as they come.
    """

    def __init__(
        self, *args: Any, cluster_conf: Any, worker_index: int | None = None, **kargs: Any
    ) -> None:
        super().__init__(*args, **kargs)
        host = messages.hosts(cluster_conf, "ps")[0]
        index = _checked(worker_index, len(messages.hosts(cluster_conf, "workers")))
        self.ps_client = ParameterServiceClient(host, index)

    def _first(self, values: dict[str, Any]) -> dict[str, Any]:
        return self.ps_client.variable_weights_init(values)

    def _optimizer_update(self) -> None:
        optimizer = self.optimizer
        self.ps_client.push_gradients(optimizer.acc_gradient, optimizer.acc_no)
        optimizer.update(self.ps_client.pull_gradients())


class DistTrainerRingAllReduce(_DistTrainer):
    """A worker of a ring: an update is along the mean over all workers' samples.

    cluster_conf: {"workers": [an address for each]}, worker_index: which of them this is.
    """

    def __init__(self, *args: Any, cluster_conf: Any, worker_index: int, **kargs: Any) -> None:
        super().__init__(*args, **kargs)
        self.cluster_conf, self.worker_index = cluster_conf, worker_index
        self.workers = messages.hosts(cluster_conf, "workers")
        self.worker_num = len(self.workers)
        self.ring = Ring(self.workers, worker_index)

    def _first(self, values: dict[str, Any]) -> dict[str, Any]:
        return self.ring.broadcast(values)

    def _optimizer_update(self) -> None:
        nodes = list(self._trained().values())
        gradients = [np.asarray(self.optimizer.acc_gradient[node]) for node in nodes]
        flat = np.concatenate([one.ravel() for one in gradients] or [np.zeros(0)])
        total, samples = self.ring.sum(flat, self.optimizer.acc_no)
        parts = np.split(total, np.cumsum([one.size for one in gradients])[:-1])
        summed = {n: p.reshape(n.shape()) for n, p in zip(nodes, parts, strict=True)}
        self.optimizer.apply_gradients(summed, acc_no=samples)
        self.optimizer.update()


def _checked(worker_index: int | None, count: int) -> int:
    if worker_index is None:
        return -1
    if not 0 <= worker_index < count:
        raise ArgumentError(f"worker_index is 0 to {count - 1}, got {worker_index}")
    return worker_index
