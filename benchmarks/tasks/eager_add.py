"""One eager addition of two vectors of three numbers: the cost of a node."""

from task import Case, Task, numbers

TASK = Task(
    title="One eager addition of three numbers",
    cases=(Case("two vectors", None),),
    tiny=Case("two vectors", None),
    make=lambda framework, _: framework.eager("add", numbers(3), numbers(3, seed=1)),
    contenders=("palingrad, numpy", "NumPy", "PyTorch", "JAX", "MyGrad"),
    goals={"NumPy": 0.25, "PyTorch": 1.0},
    seconds=0.1,
)
