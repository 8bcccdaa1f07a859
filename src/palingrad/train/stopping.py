"""Early stopping: ends a training that no longer improves, and puts its best parameters back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..dtypes import Array
from ..graph.leaves import Variable, assign_all
from ..messages.checks import whole
from .history import Epoch, History


class Patience:
    """Keeps the parameters of the epoch with the least test loss, and says when `patience` epochs
    have passed without a better one (Prechelt 1998)."""

    def __init__(self, patience: int | None, variables: Mapping[str, Variable]) -> None:
        self.patience = None if patience is None else whole("fit: patience", patience, least=1,
                                                            like=5)  # fmt: skip
        self._variables = variables
        self.best: dict[str, Array] = {}
        self.least, self.waited = np.inf, 0

    def passed(self, epoch: Epoch, history: History) -> bool:
        """Whether the training is to end after this epoch."""
        if self.patience is None or epoch.test_loss is None:
            return False
        if epoch.test_loss < self.least:
            self.least, self.waited, history.best_epoch = epoch.test_loss, 0, epoch.number
            self.best = {name: v.numpy() for name, v in self._variables.items()}
        else:
            self.waited += 1
        return self.waited >= self.patience

    def put_back(self) -> None:
        """Set the Variables to the best epoch's values."""
        if self.best:
            names = list(self.best)
            assign_all([self._variables[n] for n in names], [self.best[n] for n in names])

    def state(self) -> dict[str, Any]:
        """What a checkpoint records beside the best parameters."""
        return {"least": float(self.least) if np.isfinite(self.least) else None,
                "waited": self.waited}  # fmt: skip

    def restore(self, state: Mapping[str, Any], best: Mapping[str, Array]) -> None:
        """Go on from what a checkpoint recorded."""
        least = state.get("least")
        self.least = np.inf if least is None else float(least)
        self.waited, self.best = int(state["waited"]), dict(best)
