"""An eager expression of thirty operations on numbers, forward and backward."""

import numpy as np
from contenders import NATIVE
from task import Case, Task

TASK = Task(
    title="Thirty eager operations on numbers, forward and backward",
    cases=(Case("numbers", None),),
    tiny=Case("numbers", None),
    make=lambda framework, _: framework.eager_gradient(
        "thirty", np.array(-4, np.float32), np.array(2, np.float32)
    ),
    goals={"micrograd": 0.5},
    contenders=(NATIVE, "micrograd", "PyTorch", "MyGrad", "autograd"),
    seconds=0.1,
)
