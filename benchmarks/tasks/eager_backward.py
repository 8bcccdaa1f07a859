"""Three eager operations on vectors of three numbers, forward and backward."""

from contenders import NATIVE
from task import Case, Task, numbers

TASK = Task(
    title="Three eager operations, forward and backward",
    cases=(Case("vectors of three", None),),
    tiny=Case("vectors of three", None),
    make=lambda framework, _: framework.eager_gradient("three", numbers(3), numbers(3, seed=1)),
    goals={"PyTorch": 1.43},
    contenders=(NATIVE, "PyTorch", "MyGrad", "autograd"),
    seconds=0.1,
)
