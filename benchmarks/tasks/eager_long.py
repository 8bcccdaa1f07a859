"""An eager chain of 100,000 operations on a number, forward and backward."""

import numpy as np
from contenders import NATIVE
from task import Case, Task

TASK = Task(
    title="A chain of 100,000 eager operations, forward and backward",
    cases=(Case("chain of 100,000", None),),
    tiny=Case("chain of 20", "chain of 20"),
    make=lambda framework, name: framework.eager_gradient(
        name or "chain of 100,000", np.array(0.5, np.float32)
    ),
    limit=2.0,
    contenders=(NATIVE, "PyTorch"),
)
